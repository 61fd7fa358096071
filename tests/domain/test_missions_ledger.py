from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import ELSEWHERE, NOW, mission, mission_event, snapshot
from tests.support.recorded import recorded_snapshot

from vp_tui.domain.coverage import Reconstruction, orphans, reconstruct, unreported_fallbacks
from vp_tui.domain.missions import (
    BOOT_SLACK,
    FALLBACK,
    LEDGER_LIMIT,
    Ledger,
    Signal,
    merge_snapshot,
    note_stream_fallbacks,
    terminal_entries,
)
from vp_tui.domain.models import Dialect, Latency, Mission, Snapshot

DISPATCHED = "vp.mission.dispatched"


def merged(taken: Snapshot, dialect: Dialect | None = "G1", ledger: Ledger | None = None) -> Ledger:
    return merge_snapshot(ledger or Ledger(), taken, dialect)


def signals(ledger: Ledger, mission_id: str = "m1") -> set[Signal]:
    return set(ledger.entries[mission_id].signals)


def test_the_signals_of_one_mission_are_merged() -> None:
    ledger = merged(snapshot(mission(fallback_seen=True)))
    ledger = note_stream_fallbacks(ledger, ["m1"])
    ledger = merged(
        snapshot(mission(result_ref=ELSEWHERE), events=[mission_event("m1", FALLBACK)]),
        ledger=ledger,
    )
    assert signals(ledger) == {Signal.FLAG, Signal.STREAM, Signal.EVENT, Signal.INFERRED}


def test_a_poll_without_news_leaves_the_ledger_as_it_is() -> None:
    known = merged(snapshot(mission("m2", "running"), mission("m1")))
    assert merged(snapshot(mission("m2", "running"), mission("m1")), ledger=known) is known
    for news in (mission("m2"), mission("m2", "running", fallback_seen=True)):
        assert merged(snapshot(news, mission("m1")), ledger=known) is not known


def test_what_was_seen_stays_seen_when_the_polls_go_blind() -> None:
    seen = merged(snapshot(mission(fallback_seen=True)), "G2")
    blind = merged(snapshot(mission(), events=[]), "G2", seen)
    assert signals(blind) == {Signal.FLAG}
    assert reconstruct(terminal_entries(blind, None)).fallbacks == 1


def test_a_clean_mission_has_no_signal() -> None:
    assert signals(merged(snapshot(mission()))) == set()


@pytest.mark.parametrize("found", [mission(status="failed"), mission(result_ref=ELSEWHERE)])
@pytest.mark.parametrize(
    ("dialect", "expected"), [("G1", {Signal.INFERRED}), ("G2", set()), (None, set())]
)
def test_only_on_g1_a_failure_or_another_place_tells_of_a_fallback(
    found: Mission, dialect: Dialect | None, expected: set[Signal]
) -> None:
    assert signals(merged(snapshot(found), dialect)) == expected


def test_nothing_is_inferred_from_a_result_without_a_place() -> None:
    assert signals(merged(snapshot(mission(result_ref=None)))) == set()
    assert signals(merged(snapshot(mission(result_ref=ELSEWHERE), lane=None))) == set()


def test_the_recorded_fallback_behind_a_full_event_window_is_inferred() -> None:
    taken = recorded_snapshot("q01_blindspot_default")
    ledger = merged(taken)
    assert signals(ledger, taken.missions[0].mission_id) == {Signal.INFERRED}
    assert unreported_fallbacks(ledger, taken) == 1
    assert reconstruct(terminal_entries(ledger, None)) == Reconstruction(50, 1, 1)


def test_a_stream_may_tell_before_the_metrics_name_the_mission() -> None:
    ledger = note_stream_fallbacks(Ledger(), ["m2", "m1", "m2"])
    assert ledger.stream_fallbacks == ("m2", "m1")
    ledger = merged(snapshot(mission("m1")), ledger=ledger)
    assert signals(ledger) == {Signal.STREAM}
    assert ledger.stream_fallbacks == ("m2",)


def test_a_stream_that_tells_nothing_leaves_the_ledger_as_it_is() -> None:
    ledger = merged(snapshot(mission()))
    assert note_stream_fallbacks(ledger, []) is ledger


def test_the_ledger_is_bounded() -> None:
    ids = [f"m{number}" for number in range(LEDGER_LIMIT + 3)]
    taken = snapshot(*(mission(mission_id) for mission_id in reversed(ids)))
    assert list(merged(taken).entries) == ids[3:]
    assert list(note_stream_fallbacks(Ledger(), ids).stream_fallbacks) == ids[3:]


def test_running_missions_do_not_dilute_the_rate() -> None:
    taken = snapshot(
        *(mission(f"r{n}", "running") for n in range(40)),
        *(mission(f"d{n}", fallback_seen=n < 2) for n in range(4)),
    )
    assert taken.fallback.rate == pytest.approx(0.045, abs=5e-4)
    assert reconstruct(terminal_entries(merged(taken), None)).rate == 0.5


def test_a_rate_of_nothing_is_unknown() -> None:
    assert reconstruct(()).rate is None


@pytest.mark.parametrize(
    "taken",
    [
        snapshot(
            mission(status="failed", fallback_seen=True),
            events=[
                mission_event("m1", FALLBACK),
                mission_event("m1", "vp.mission.failed", cancelled=True)._replace(was_clean=True),
            ],
        ),
        snapshot(mission(status="cancelled")),
    ],
)
def test_a_mission_that_somebody_cancelled_does_not_count(taken: Snapshot) -> None:
    ledger = merged(taken, "G2")
    assert terminal_entries(ledger, None) == ()
    later = merged(snapshot(mission(status="failed"), events=[]), "G2", ledger)
    assert terminal_entries(later, None) == ()


def test_only_the_missions_of_this_epoch_count() -> None:
    boot = NOW
    taken = snapshot(
        mission("late", started_s=1.0),
        mission("slack", started_s=-BOOT_SLACK.total_seconds()),
        mission("before", started_s=-BOOT_SLACK.total_seconds() - 0.1),
        mission("undated", started_at=None, completed_at=None),
    )
    counted = terminal_entries(merged(taken), boot)
    assert [entry.mission.mission_id for entry in counted] == ["undated", "slack", "late"]
    assert len(terminal_entries(merged(taken), None)) == 4


def test_finished_missions_come_in_the_order_of_their_ends() -> None:
    slow = mission("slow", started_s=-90, completed_at=NOW)
    quick = mission("quick", started_s=-80, completed_at=NOW - timedelta(seconds=40))
    listed = terminal_entries(merged(snapshot(quick, slow)), None)
    assert [entry.mission.mission_id for entry in listed] == ["quick", "slow"]


def test_a_fallback_that_raised_counts_as_failed_once_it_is_orphaned() -> None:
    taken = recorded_snapshot("c07_metrics_after_fallback_exc")
    zombie = taken.missions[0].mission_id
    ledger = merged(taken)
    before = terminal_entries(ledger, None)
    after = terminal_entries(ledger, None, frozenset({zombie}))
    assert len(after) == len(before) + 1
    assert [e.mission.status for e in after if e.mission.mission_id == zombie] == ["failed"]


def test_an_orphan_without_a_fallback_does_not_count() -> None:
    ledger = merged(snapshot(mission("m1", "running")))
    assert terminal_entries(ledger, None, frozenset({"m1"})) == ()


RUNNING = snapshot(*(mission(f"r{n}", "running", started_s=-400.0 - n) for n in range(3)))


@pytest.mark.parametrize(
    ("dialect", "may_run", "expected"),
    [
        ("G1", True, ("r1", "r2")),
        ("G1", False, ("r0", "r1", "r2")),
        ("G2", True, ()),
        ("G2", False, ("r0", "r1", "r2")),
        (None, True, ()),
        (None, False, ("r0", "r1", "r2")),
    ],
)
def test_orphans(dialect: Dialect | None, expected: tuple[str, ...], *, may_run: bool) -> None:
    assert orphans(RUNNING, dialect, may_run=may_run) == expected


@pytest.mark.parametrize(
    ("dialect", "age_s", "p95_s", "expected"),
    [
        ("G1", 10.0, None, ()),
        ("G1", 10.5, None, ("m1",)),
        ("G2", 300.0, None, ()),
        ("G2", 300.5, None, ("m1",)),
        ("G2", 300.5, 120.0, ()),
        ("G2", 360.5, 120.0, ("m1",)),
    ],
)
def test_a_young_row_is_not_given_up(
    dialect: Dialect, age_s: float, p95_s: float | None, expected: tuple[str, ...]
) -> None:
    latency = Latency(1 if p95_s else 0, p95_s, p95_s, p95_s, p95_s)
    taken = snapshot(mission("m1", "running", started_s=-age_s), latency=latency)
    assert orphans(taken, dialect, may_run=False) == expected


def test_the_recorded_rows_of_cancels_and_restarts_are_orphans() -> None:
    taken = recorded_snapshot("i01_metrics_after_restart_mid_mission")
    running = [m.mission_id for m in taken.missions if m.status == "running"]
    assert len(running) == 6
    assert orphans(taken, "G1", may_run=True) == tuple(running[1:])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=12))
def test_signals_never_vanish(polls: list[tuple[str, bool, bool]]) -> None:
    ledgers = [Ledger()]
    for mission_id, seen, told in polls:
        ledger = note_stream_fallbacks(ledgers[-1], [mission_id] if told else [])
        ledgers.append(merged(snapshot(mission(mission_id, fallback_seen=seen)), ledger=ledger))
    for before, after in pairwise(ledgers):
        for mission_id, entry in before.entries.items():
            assert entry.signals <= after.entries[mission_id].signals
    told_ids = {mission_id for mission_id, _seen, told in polls if told}
    assert all(Signal.STREAM in ledgers[-1].entries[m].signals for m in told_ids)
