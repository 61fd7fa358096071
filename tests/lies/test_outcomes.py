"""Outcomes that nobody can know: no rate, bound, gate or word is built on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.builders import mission, mission_events, snapshot
from tests.support.rollout import window

from vp_tui.domain.events import GapFound, WindowsRead
from vp_tui.domain.models import LaneSession
from vp_tui.domain.rollout.verdicts import OUTCOMES_KNOWN, Verdict, Waiver
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.figures import numbers
from vp_tui.views.lookout import badge
from vp_tui.views.status import status_object
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission, MissionEvent, Snapshot
    from vp_tui.views.figures import Numbers

G2 = builders.healthy(dialect="G2")


def seen(*events: Event, now: float = 1.0) -> View:
    return View(builders.state(*events), now)


def figures(view: View) -> Numbers:
    found = numbers(view)
    assert found is not None
    return found


def cut(missions: list[Mission], limit: int, **fields: object) -> Snapshot:
    """Return what a gateway lists of `missions`, newest first, with only its oldest events."""
    events: list[MissionEvent] = [e for m in reversed(missions) for e in mission_events(m)]
    return snapshot(*missions[:500], events=events[:limit], event_limit=limit, **fields)


def night(count: int, *, place: str | None = None) -> list[Mission]:
    return [
        mission(f"m{n:04d}", started_s=-5.0 * (count - n + 1), result_ref=place)
        for n in range(count, 0, -1)
    ]


def test_a_g2_whose_events_are_cut_proves_nothing_of_the_newest() -> None:
    """520 missions, the last 20 fell, their events cut: no `0/500, agrees`."""
    view = seen(G2, builders.booted(), builders.polled(cut(night(520), 1000)))
    found, verdict = figures(view), assess(view)
    assert (found.reconstruction.terminal, found.reconstruction.unknown) == (480, 20)
    assert words.reconstructed(found) == "0.000 0/480, 20 unknown"
    assert "agrees" not in words.agreement(found)
    assert verdict.gates.g1.verdict is Verdict.UNKNOWN
    assert verdict.wire.unknown == 20
    assert "BLIND" in badge(view, frozen=False)
    cures = [trouble.cure for trouble in troubles(view)]
    assert not any("go by the reconstructed rate" in cure for cure in cures)


def test_an_end_that_was_cut_off_behind_its_dispatch_is_not_known() -> None:
    newest = mission("new", result_ref=None)
    told = snapshot(newest, events=mission_events(newest)[:1], event_limit=1)
    view = seen(G2, builders.polled(told))
    assert figures(view).reconstruction == (0, 0, 0, 1)
    assert not assess(view).is_clean


def test_a_failed_row_of_a_g2_without_its_event_is_not_known_to_have_fallen_back() -> None:
    failed = mission("m1", "failed")
    view = seen(G2, builders.polled(snapshot(failed, events=[], event_limit=1)))
    assert figures(view).reconstruction == (0, 0, 0, 1)


def test_a_blind_endpoint_whose_outcomes_are_all_known_blocks_no_gate() -> None:
    """On a G1 the place of a result tells: blind for ever, and proven all the same."""
    missions = night(60, place=builders.LANE_RESULT)
    blind = cut(missions, 40)
    view = seen(builders.healthy(), builders.booted(), builders.polled(blind))
    assert figures(view).coverage.state == "blind"
    assert figures(view).reconstruction.unknown == 0
    assert assess(view).gates.g1.verdict is Verdict.PASS
    assert badge(view, frozen=False) == "LIVE" or "BLIND" not in badge(view, frozen=False)
    (note,) = (trouble for trouble in troubles(view) if trouble.what == "endpoint blind")
    assert not note.is_grave
    assert note.reason == "since 02:00:00Z, own reckoning 0/60", "when its list was full"


def test_what_an_earlier_answer_told_stays_known_when_its_events_are_gone() -> None:
    first = mission("m1", result_ref=None)
    both = [mission("m2", result_ref=None), first]
    later = snapshot(*both, events=mission_events(both[0]), event_limit=2)
    view = seen(G2, builders.polled(snapshot(first)), builders.polled(later, 2.0), now=2.0)
    assert figures(view).reconstruction.unknown == 0
    by = status_object(view)["fallback"]["coverage"]["by"]
    assert by == {"events": 1, "witnessed": 1, "inferred": 0}


@pytest.mark.parametrize(
    ("gap", "unknown"),
    [((), 0), ((GapFound(1.5, "session_a", "a frame was dropped", 1),), 1)],
    ids=["whole", "with a gap"],
)
def test_a_turn_heard_from_dispatch_to_end_is_known_without_events(
    gap: tuple[Event, ...], unknown: int
) -> None:
    turn = builders.stream(
        builders.routed("delegated_to_coder_vp", "m1"),
        builders.processing("implement it"),
        builders.frame("query_complete", "done"),
    )
    told = snapshot(mission("m1", result_ref=None), events=[], event_limit=1)
    heard: list[Event] = [builders.linked(at=-1.0), *turn[:2], *gap, *turn[2:]]
    view = seen(G2, *heard, builders.polled(told, 5.0), now=5.0)
    assert figures(view).reconstruction.unknown == unknown


def test_a_frame_that_outran_the_poll_is_news_and_no_disagreement() -> None:
    running = mission("m1", "running", started_s=-5.0)
    fell = builders.stream(builders.routed("coder_vp_fallback", "m1"), at=1.0)
    early: list[Event] = [builders.healthy(), builders.polled(snapshot(running)), *fell]
    asked_before = [*early, builders.polled(snapshot(running), 2.0)]
    for events in (early, asked_before):
        assert figures(seen(*events, now=2.0)).unreported == 0
    asked_after = [*asked_before, builders.polled(snapshot(running), 4.0)]
    assert figures(seen(*asked_after, now=4.0)).unreported == 1


def test_a_row_that_left_the_limit_does_not_run_for_ever() -> None:
    first = snapshot(mission("m1", "running"))
    newer = mission("m3", started_s=-20.0), mission("m2", started_s=-40.0)
    moved_on = snapshot(*newer, mission_limit=2)
    view = seen(builders.healthy(), builders.polled(first), builders.polled(moved_on, 2.0), now=2.0)
    found = assess(view).numbers
    assert found is not None
    assert (found.running, figures(view).running) == (0, 0)


def test_an_answer_that_lacks_a_running_row_gives_it_not_up() -> None:
    running, busy = snapshot(mission("m1", "running")), builders.session(active_runs=1)
    events: list[Event] = [builders.healthy(), builders.listing(busy), builders.polled(running)]
    events += [builders.polled(snapshot(), 2.0), builders.polled(running, 4.0)]
    assert figures(seen(*events, now=4.0)).orphans == 0


def test_an_orphan_does_not_come_back_to_life_with_another_session_s_run() -> None:
    zombie = snapshot(mission("m1", "running", started_s=-900.0))
    idle, busy = builders.session("a"), builders.session("b", active_runs=1)
    events: list[Event] = [
        builders.healthy(),
        builders.polled(zombie),
        builders.listing(idle, at=1.0),
        builders.polled(zombie, 2.0),
    ]
    assert figures(seen(*events, now=2.0)).orphans == 1
    again: list[Event] = [builders.listing(idle, busy, at=3.0), builders.polled(zombie, 4.0)]
    assert figures(seen(*events, *again, now=4.0)).orphans == 1
    ended = snapshot(mission("m1", started_s=-900.0))
    assert figures(seen(*events, *again, builders.polled(ended, 6.0), now=6.0)).orphans == 0


def test_an_orphan_that_a_cancel_accounts_for_alarms_no_gate_and_an_old_one_is_history() -> None:
    """Gate 2 said WATCH for ever after one cancelled run."""
    zombie = mission("m00", "running", started_s=-3_000.0)
    later = [mission(f"n{n:02d}", started_s=-30.0 * (20 - n)) for n in range(20, 0, -1)]
    for newer, verdict in ((later[:19], Verdict.WATCH), (later, Verdict.PASS)):
        listed = builders.polled(snapshot(*newer, zombie))
        view = seen(builders.healthy(), builders.booted(), builders.listing(), listed)
        assert figures(view).orphans == 1
        assert assess(view).gates.g2.verdict is verdict


WORKERS = LaneSession("vp.coder.primary.external", "/w/workers", "idle", None, None)
WAIVER = Waiver("G1", "ana", "pruned tonight", builders.NOW, Verdict.UNKNOWN, OUTCOMES_KNOWN)


def behind_a_full_list(*waivers: Waiver) -> View:
    """Return what is so on a G2 of workers: 60 missions known, the 20 before the newest not."""
    missions = night(80)
    told = [e for m in [*reversed(missions[21:]), missions[0]] for e in mission_events(m)]
    taken = snapshot(*missions, events=told, event_limit=len(told), lane=WORKERS)
    opened = window(opened_at=builders.NOW, anchor=frozenset[str](), waivers=waivers)
    events: list[Event] = [G2, builders.booted(), builders.listing()]
    return seen(*events, WindowsRead(0.0, (opened,)), builders.polled(taken))


def test_what_nobody_can_know_was_a_new_alarm_at_each_mission_without_a_cure() -> None:
    view = behind_a_full_list()
    (told,) = assess(view).safety
    assert told.alarm == "outcomes unknown"
    assert told.reason.startswith("they cannot be known on this gateway since 02:00:00Z; 20 in ")
    assert told.cure == "[i] see what is known by what; prune its VP events, or [^p] waive"


def test_nobody_could_go_on_where_outcomes_cannot_be_known() -> None:
    """A waiver of that cause lets clean and the gates be judged over the known ones."""
    unknown, waived = behind_a_full_list(), behind_a_full_list(WAIVER)
    assert assess(unknown).gates.g1.verdict is Verdict.UNKNOWN
    assert not assess(unknown).is_clean
    told = assess(waived)
    assert (told.gates.g1.verdict, told.is_clean) == (Verdict.PASS, True)
    assert "20 outcomes unknown, left out, waived by ana: pruned tonight" in told.gates.g1.reason
    assert not told.safety
    assert "BLIND" not in badge(waived, frozen=False)
    assert words.coverage(figures(waived).coverage) == "outcomes known 60/80"
    row = row_of(draft_row(waived), Choice("HOLD_SHADOW"))
    assert row.fallback_rate == "0.000 (reconstructed, 20 unknown)"
    assert "outcomes that nobody knows are left out: waived by ana: pruned tonight" in row.notes


def test_a_waiver_of_one_cause_hid_another_one_of_the_same_verdict() -> None:
    slow = WAIVER._replace(gate="G2", was=Verdict.WATCH, cause="p95 45 s watch (playbook)")
    failed = mission("m1", "failed")
    opened = window(opened_at=builders.NOW, anchor=frozenset[str](), waivers=(slow,))
    ago = builders.polled(snapshot(failed))
    view = seen(builders.healthy(), builders.booted(), WindowsRead(0.0, (opened,)), ago)
    assert assess(view).gates.g2.verdict is Verdict.WATCH
