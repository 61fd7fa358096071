import pytest
from tests.support.builders import mission, mission_event, snapshot
from tests.support.recorded import recorded_snapshot

from vp_tui.domain.coverage import CoverageState, coverage_of
from vp_tui.domain.missions import Ledger

NEW, OLD = mission("new"), mission("old")


@pytest.mark.parametrize(
    ("dispatched", "event_limit", "state"),
    [
        (("old", "new"), 1000, CoverageState.FULL),
        (("old", "new"), 3, CoverageState.FULL),
        (("old", "new"), 2, CoverageState.TRUNCATED),
        (("old", "new"), 1, CoverageState.TRUNCATED),
        (("new",), 1000, CoverageState.TRUNCATED),
        (("old",), 1000, CoverageState.BLIND),
        (("old",), 1, CoverageState.BLIND),
        ((), 1000, CoverageState.BLIND),
    ],
)
def test_two_missions(dispatched: tuple[str, ...], event_limit: int, state: CoverageState) -> None:
    events = [mission_event(mission_id) for mission_id in dispatched]
    taken = snapshot(NEW, OLD, events=events, event_limit=event_limit)
    assert coverage_of(taken, Ledger())[:3] == (state, len(dispatched), 2)


def test_without_missions_there_is_nothing_to_cover() -> None:
    assert coverage_of(snapshot(), Ledger())[:3] == (CoverageState.NONE, 0, 0)


def test_only_a_dispatch_covers() -> None:
    events = [mission_event("new", "vp.mission.completed")]
    assert coverage_of(snapshot(NEW, events=events), Ledger()).state is CoverageState.BLIND


def test_the_recorded_blind_spot_looks_healthy_and_is_not() -> None:
    taken = recorded_snapshot("q01_blindspot_default")
    assert taken.fallback.rate == 0.0
    assert not taken.missions[0].fallback_seen
    assert coverage_of(taken, Ledger())[:3] == (CoverageState.BLIND, 39, 50)


def test_a_larger_event_window_sees_the_recorded_fallback() -> None:
    taken = recorded_snapshot("q01_blindspot_1000", event_limit=1000)
    assert taken.missions[0].fallback_seen
    assert coverage_of(taken, Ledger())[:3] == (CoverageState.FULL, 50, 50)
