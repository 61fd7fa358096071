"""Lies that were told of missions that somebody cancelled: how they count, and what is known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from tests.support import builders
from tests.support.builders import mission, mission_event, snapshot

from vp_tui.domain.events import CancelAnswered, CancelRequested, ClaimsArrived
from vp_tui.domain.models import CancelAnswer, MissionClaim, MissionClaims
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.state.reducer import reduce_all
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.runs import certain_mission
from vp_tui.views.status import status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import MissionEvent

BEGUN: Final = mission_event()
FELL: Final = mission_event("m1", "vp.mission.fallback")
CANCELLED: Final = mission_event("m1", "vp.mission.failed", cancelled=True)
CANCELLED_CLEAN: Final = CANCELLED._replace(was_clean=True)
FAILED: Final = mission("m1", "failed", fallback_seen=True)


def seen(*events: Event, dialect: str = "G2") -> View:
    first = builders.healthy(dialect="G2" if dialect == "G2" else "G1")
    return View(builders.state(first, builders.booted(), *events), 2.0)


def counted(view: View) -> tuple[int, int, int, int]:
    """Return finished missions that are known, fallbacks, failures, and missions not known."""
    found = numbers(view)
    assert found is not None
    told = found.reconstruction
    return told.terminal, told.fallbacks, found.failed, told.unknown


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [BEGUN, FELL, CANCELLED_CLEAN],
            (0, 0, 0, 0),
            id="the fallback that a cancel itself appends was a fallback",
        ),
        pytest.param(
            [BEGUN, FELL, CANCELLED],
            (1, 1, 0, 0),
            id="a fallback before the cancel vanished, or was a failure that users saw",
        ),
        pytest.param(
            [BEGUN, FELL],
            (0, 0, 1, 1),
            id="a failed row whose own end nobody saw was known to have fallen back",
        ),
    ],
)
def test_a_g2_marks_what_is_cancelled_as_failed_and_fallen_back(
    events: list[MissionEvent], expected: tuple[int, ...]
) -> None:
    taken = snapshot(FAILED, events=events, event_limit=len(events))
    assert counted(seen(builders.polled(taken))) == expected


def test_a_fallback_that_was_told_while_the_mission_ran_is_one_whoever_cancels_it_then() -> None:
    running = mission("m1", "running", fallback_seen=True)
    before = builders.polled(snapshot(running, events=[BEGUN, FELL]))
    after = builders.polled(snapshot(FAILED, events=[BEGUN, FELL], event_limit=2), 2.0)
    assert counted(seen(before, after)) == (1, 1, 1, 0)


def test_a_cancelled_row_whose_own_end_nobody_saw_is_not_known_to_be_clean() -> None:
    taken = snapshot(mission("m1", "cancelled"), events=[BEGUN], event_limit=1)
    view = seen(builders.polled(taken))
    assert counted(view) == (0, 0, 0, 1)
    assert not assess(view).is_clean


def test_what_was_cancelled_after_its_fallback_counts_in_the_rate_and_in_no_p95() -> None:
    taken = snapshot(FAILED, events=[BEGUN, FELL, CANCELLED])
    view = seen(builders.polled(taken))
    found = numbers(view)
    assert found is not None
    assert (found.timed, found.wire.fallbacks, found.wire.terminal) == (0, 1, 1)
    assert assess(view).gates.g1.verdict is Verdict.WATCH
    assert assess(view).gates.g2.verdict is Verdict.INCONCLUSIVE
    told = status_object(view)["window"]["missions"]
    assert (told["new"], told["failed"], told["fallback"]) == (1, 0, 1)


def test_a_cancelled_run_that_did_not_hear_and_completed_counts_as_it_ended() -> None:
    """It was left out of every figure for ever, though users had their answer of it."""
    turn = builders.stream(
        builders.routed("delegated_to_coder_vp", "m1"),
        builders.processing("implement it"),
        builders.frame("cancelled"),
    )
    running = builders.polled(snapshot(mission("m1", "running")), 4.0)
    hit: list[Event] = [builders.linked(at=-1.0), *turn, running]
    assert counted(seen(*hit, dialect="G1")) == (0, 0, 0, 0)
    over = builders.polled(snapshot(mission("m1")), 6.0)
    assert counted(seen(*hit, over, dialect="G1")) == (1, 0, 0, 0)


def test_a_run_of_ours_that_certainly_held_the_lock_was_no_cancelled_mission() -> None:
    """It was cancelled without a frame that names it, and stayed an orphan that gate 2 watched."""
    busy = builders.session(active_runs=1)
    running = snapshot(mission("m1", "running"))
    events: list[Event] = [builders.listing(at=-5.0), builders.listing(busy, at=-2.0)]
    events += [*builders.stream(builders.frame("text"), at=-1.0), builders.polled(running)]
    view = seen(*events, dialect="G1")
    named = certain_mission(view, "session_a")
    assert named == "m1"
    answer = CancelAnswer("session_a", "hangs", task_cancelled=True, run_id=None, took_s=0.0)
    asked = [CancelRequested(1.0, "session_a", "hangs", "ana", named)]
    after = [*asked, CancelAnswered(1.5, answer=answer, session_id="session_a")]
    for orders, is_cancelled in ((asked, False), (after, True)):
        now = reduce_all(view.state, [*orders, builders.polled(running, 2.0)])
        assert now.ledger.entries["m1"].cancelled is is_cancelled


DEAF: Final[tuple[Event, ...]] = (
    builders.linked(at=-9.0),
    builders.listing(builders.session(active_runs=1), at=-8.0),
    *builders.stream(
        builders.routed("delegated_to_coder_vp", "m1"),
        builders.processing("implement it"),
        builders.frame("cancelled"),
        at=-7.0,
    ),
    builders.polled(snapshot(mission("m1", "running", started_s=-7.0)), -3.0),
    builders.listing(builders.session(), at=-1.0),
)
"""A cancel cleared the counter, and no end was heard."""


@pytest.mark.parametrize("dialect", ["G1", "G2"])
def test_the_mission_of_a_deaf_run_was_an_orphan_though_it_may_still_run(dialect: str) -> None:
    again = builders.polled(snapshot(mission("m1", "running", started_s=-400.0)), 2.0)
    running = seen(*DEAF, again, dialect=dialect)
    found, told = numbers(running), status_object(running)
    assert found is not None
    assert (told["runs"][0]["level"], len(found.under_way), found.orphans) == ("deaf", 1, 0)
    ended = builders.stream(builders.frame("query_complete"), at=3.0)
    over = View(reduce_all(running.state, [*ended, again._replace(at=4.0)]), 5.0)
    found = numbers(over)
    assert found is not None
    assert (len(found.under_way), found.orphans) == (0, 1)


def test_on_a_g1_it_is_one_once_another_mission_ended() -> None:
    later = mission("m2", started_s=-4.0, duration_s=3.0)
    view = seen(
        *DEAF,
        builders.polled(snapshot(later, mission("m1", "running", started_s=-7.0)), 2.0),
        dialect="G1",
    )
    found = numbers(view)
    assert found is not None
    assert (len(found.under_way), found.orphans) == (0, 1)


@pytest.mark.parametrize(
    ("asked_by", "state"),
    [("session_a", "recovered"), ("session_b", "not recovered"), (None, "not recovered")],
)
def test_on_a_g2_the_mission_of_another_session_was_the_proof_that_a_cancelled_run_recovered(
    asked_by: str | None, state: str
) -> None:
    later = mission("m2", started_s=1.0, duration_s=4.0)
    claims = MissionClaims(builders.NOW, {"m2": MissionClaim("m2", None, asked_by)})
    view = seen(
        *DEAF,
        ClaimsArrived(5.0, claims),
        builders.polled(snapshot(later, generated_at=builders.NOW + timedelta(seconds=6)), 6.0),
    )
    (cancel,) = view.state.cancels
    assert cancel.is_over is (state == "recovered")


def test_failed_rows_that_may_be_cancelled_ones_trip_nothing_and_prove_nothing() -> None:
    """Two failed rows of a G2 whose ends were cut tripped guardrail 3 and failed gate 2."""
    failed = [mission(f"f{n}", "failed", started_s=-30.0 * n) for n in (1, 2)]
    clean = [mission(f"m{n:02d}", started_s=-100.0 - 30.0 * n) for n in range(12)]
    told = [event for m in reversed(clean) for event in builders.mission_events(m)]
    taken = snapshot(*failed, *clean, events=told, event_limit=len(told))
    view = seen(builders.polled(taken))
    assert not assess(view).wire.tripped
    assert assess(view).gates.g2.verdict is Verdict.UNKNOWN


def test_a_run_of_failures_was_made_of_two_with_clean_missions_between_them() -> None:
    """Those between were left out as nobody knew whether they fell back: that none failed was."""
    failed = [mission(f"f{n}", "failed", started_s=-30.0 * n) for n in (1, 9)]
    between = [mission(f"m{n}", started_s=-30.0 * n) for n in range(2, 9)]
    told = [e for m in reversed(failed) for e in builders.mission_events(m)]
    told += [mission_event(m.mission_id, "vp.mission.failed") for m in failed]
    listed = snapshot(failed[0], *between, failed[1], events=told, event_limit=len(told))
    found = assess(seen(builders.polled(listed)))
    assert found.numbers is not None
    assert found.numbers.unknown == len(between)
    assert found.wire.reason is None
    assert "in a row" not in found.gates.g2.reason


def test_the_mission_of_a_turn_that_raised_ran_as_long_as_another_session_did() -> None:
    """Its row reads `running` for ever, and was heard to be over."""
    turn = builders.stream(
        builders.routed("delegated_to_coder_vp", "m1"),
        builders.processing("implement it"),
        builders.routed("coder_vp_exception", "m1"),
        builders.frame("error", is_error=True),
        builders.frame("system_event", status="assistance_needed"),
    )
    others = builders.listing(builders.session(), builders.session("b", active_runs=1), at=6.0)
    first, later = (builders.polled(snapshot(mission("m1", "running")), at) for at in (5.5, 7.5))
    events: list[Event] = [builders.linked(at=-1.0), *turn, others, first]
    found = numbers(seen(*events, dialect="G1"))
    assert found is not None
    assert (found.orphans, len(found.under_way)) == (0, 1), "it may have been asked for before"
    found = numbers(seen(*events, later, dialect="G1"))
    assert found is not None
    assert (found.orphans, len(found.under_way)) == (1, 0)
    assert (found.reconstruction.fallbacks, found.failed) == (1, 1)


def test_the_mission_of_a_run_that_does_not_hear_its_cancel_was_orphaned_while_it_ran() -> None:
    """It ended in the window of its cancel, and completed in a later one."""
    turn = builders.stream(
        builders.routed("delegated_to_coder_vp", "m1"), builders.processing("implement it")
    )
    cancelled = builders.stream(builders.frame("cancelled"), at=1.0)
    events: list[Event] = [builders.linked(at=-1.0), *turn, *cancelled]
    for at in (2.0, 4.0, 40.0):
        running = snapshot(mission("m1", "running"))
        events += [builders.listing(builders.session(), at=at - 1.0), builders.polled(running, at)]
    found = numbers(seen(*events, dialect="G1"))
    assert found is not None
    assert (found.orphans, len(found.under_way)) == (0, 1)
    over = builders.stream(builders.frame("query_complete", cancelled=True), at=41.0)
    after: list[Event] = [*over, builders.listing(builders.session(), at=42.0)]
    zombie = builders.polled(snapshot(mission("m1", "running")), 43.0)
    found = numbers(seen(*events, *after, zombie, dialect="G1"))
    assert found is not None
    assert (found.orphans, len(found.under_way)) == (1, 0)
