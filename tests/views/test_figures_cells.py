from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import builders, scenes

from vp_tui.domain.missions import FALLBACK
from vp_tui.domain.rollout.evidence_row import Cells, cells_from_snapshot
from vp_tui.domain.vocabulary import Traffic, p95_cell, rate_cell
from vp_tui.views.evidence_row import recorded_snapshot
from vp_tui.views.figures import Numbers, numbers
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.models import Mission, Snapshot


def figures(taken: Snapshot, **watch: Any) -> Numbers:  # noqa: ANN401 - fields of Watch
    seen = numbers(View(builders.state(builders.healthy(), builders.polled(taken), **watch), 0.0))
    assert seen is not None
    return seen


def cells(taken: Snapshot, **watch: Any) -> Cells:  # noqa: ANN401 - fields of Watch
    return figures(taken, **watch).cells


def own(rate: float | None, p95_s: float) -> Cells:
    return Cells(rate, p95_s, is_reconstructed=True)


def as_reported(rate: float | None, p95_s: float | None) -> Cells:
    return Cells(rate, p95_s, is_reconstructed=False)


def ended(*durations_s: float, fallen: int = 0) -> list[Mission]:
    """Return finished missions, of which the first so many fell back."""
    return [
        builders.mission(f"m{n}", started_s=-100.0 - n, duration_s=s, fallback_seen=n < fallen)
        for n, s in enumerate(durations_s)
    ]


def test_the_reported_values_stand_where_all_agrees() -> None:
    assert cells(builders.snapshot(*ended(30.0, 35.964, 20.0))) == as_reported(0.0, 35.964)


def test_no_missions_are_no_rate() -> None:
    assert cells(builders.snapshot(lane=None)) == as_reported(None, None)


def test_only_a_running_mission_is_no_rate_either() -> None:
    assert cells(builders.snapshot(builders.mission("m1", "running"))).rate is None


def test_running_missions_do_not_dilute() -> None:
    running = [builders.mission(f"r{n}", "running", started_s=-10.0) for n in range(40)]
    taken = builders.snapshot(*running, *ended(30.0, 30.0, 40.0, 50.0, fallen=2))
    assert cells(taken) == own(0.5, 50.0)


def test_a_blind_rate_gives_way_to_what_the_ledger_knows() -> None:
    fallen = builders.mission("new", result_ref=builders.ELSEWHERE, duration_s=60.0)
    older = ended(30.0, 31.0, 32.0)
    taken = builders.snapshot(
        fallen, *older, events=[builders.mission_event(m.mission_id) for m in older]
    )
    assert cells(taken._replace(event_limit=3)) == own(0.25, 60.0)


def test_a_truncated_event_window_is_no_full_coverage() -> None:
    seen = numbers(View(builders.state(*scenes.truncated()), 0.0))
    assert seen is not None
    assert seen.cells.is_reconstructed


def test_a_fallback_that_is_not_reported_counts() -> None:
    taken = builders.snapshot(builders.mission("m9", result_ref=builders.ELSEWHERE), *ended(30.0))
    assert cells(taken) == own(0.5, 30.0)


def test_a_window_of_injected_faults_says_what_came_of_them() -> None:
    """As row 3 of the golden log does, though no gate counts them."""
    taken = builders.snapshot(*ended(0.534, 0.3, 0.377, 0.4, fallen=1))
    assert cells(taken, source=Traffic.FAULT_INJECTED) == as_reported(0.25, 0.534)


def test_the_recorded_snapshot_is_in_the_words_of_the_wire() -> None:
    newest, oldest = ended(30.0, 20.0)
    events = [
        builders.mission_event(oldest.mission_id),
        builders.mission_event(newest.mission_id, FALLBACK),
    ]
    kept: Any = recorded_snapshot(figures(builders.snapshot(newest, oldest, events=events)))
    assert kept["vp_id"] == "vp.coder.primary"
    assert kept["generated_at"] == "2026-11-23T02:00:00+00:00"
    assert [m["mission_id"] for m in kept["recent_missions"]] == ["m0", "m1"]
    assert kept["recent_missions"][1]["duration_seconds"] == 20.0
    assert [e["event_type"] for e in kept["recent_events"]] == ["vp.mission.dispatched", FALLBACK]
    assert kept["event_counts"] == {"vp.mission.dispatched": 1, FALLBACK: 1}
    assert kept["latency_seconds"]["p95_seconds"] == 30.0


MISSIONS = st.lists(
    st.tuples(
        st.sampled_from(["completed", "failed", "running", "cancelled"]),
        st.booleans(),
        st.booleans(),
        st.floats(0.001, 5000.0),
    ),
    max_size=12,
)


@given(MISSIONS, st.booleans())
def test_the_cells_follow_from_the_recorded_snapshot(
    made: list[tuple[str, bool, bool, float]],
    is_full: bool,  # noqa: FBT001 - Hypothesis's
) -> None:
    missions = [
        builders.mission(
            f"m{n}",
            status,
            started_s=-100.0 - n,
            fallback_seen=flagged,
            result_ref=builders.ELSEWHERE if inferred else None,
            duration_s=None if status == "running" else seconds,
        )
        for n, (status, flagged, inferred, seconds) in enumerate(made)
    ]
    seen = figures(builders.snapshot(*missions, event_limit=len(missions) if is_full else 1000))
    said = seen.cells
    kept = json.loads(json.dumps(recorded_snapshot(seen)))
    rate, p95 = cells_from_snapshot(kept)
    assert rate.startswith(rate_cell(said.rate))
    assert p95.startswith(p95_cell(said.p95_s))
    assert ("reconstructed" in rate) == (said.is_reconstructed and said.rate is not None)


@pytest.mark.parametrize("fallen", [0, 1, 3])
def test_rates_that_read_the_same_agree(fallen: int) -> None:
    assert (
        cells(builders.snapshot(*ended(30.0, 31.0, 32.0, fallen=fallen))).is_reconstructed is False
    )
