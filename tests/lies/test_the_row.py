"""Lies that were told in rows: cells that a restart emptied, and rates over unknown outcomes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders

from vp_tui.domain.events import AuditRead, CancelRequested, EvidenceRead
from vp_tui.domain.models import LaneSession
from vp_tui.domain.orders import ActionRecord
from vp_tui.domain.rollout.evidence_row import EvidenceRow, cells_from_snapshot
from vp_tui.domain.rollout.labels import numbered_label
from vp_tui.domain.vocabulary import Stage
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import recorded_snapshot, row_of
from vp_tui.views.figures import numbers
from vp_tui.views.handover import handover
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission


def row(*events: Event) -> EvidenceRow:
    return row_of(draft_row(View(builders.state(*events), 0.0)), Choice("HOLD_SHADOW"))


def ended(count: int, started_s: float = -100.0) -> list[Mission]:
    return [builders.mission(f"m{n}", started_s=started_s - n) for n in range(count)]


def test_a_restart_does_not_empty_the_cells_of_what_the_endpoint_lists() -> None:
    before = ended(4, started_s=-7200.0)
    written = row(
        builders.healthy(), builders.polled(builders.snapshot(*before)), builders.booted()
    )
    assert (written.fallback_rate, written.p95_latency) == ("0.000", "30.000s")
    assert "listed: 4 before the restart of 01:00:00Z, 0 since" in written.notes


def test_own_cells_are_over_what_the_endpoint_considered_and_nothing_older() -> None:
    older = [builders.mission("old", started_s=-900.0, fallback_seen=True, duration_s=80.0)]
    fallen = builders.mission("new", result_ref=builders.ELSEWHERE)
    written = row(
        builders.healthy(),
        builders.polled(builders.snapshot(*older)),
        builders.polled(builders.snapshot(fallen, *ended(3)), at=0.5),
    )
    assert written.fallback_rate == "0.250 (reconstructed)", "1 of the 4 that are listed"
    assert written.p95_latency == "30.000s (reconstructed)"


def test_missions_whose_outcome_nobody_knows_are_in_no_rate_and_counted() -> None:
    told = ended(10)
    events = [
        builders.mission_event(mission.mission_id, event_type)
        for mission in told[:8]
        for event_type in ("vp.mission.dispatched", "vp.mission.completed")
    ]
    events.append(builders.mission_event("m0", "vp.mission.fallback"))
    lane = LaneSession("vp.coder.primary.external", builders.LANE_DIR, "active", None, None)
    taken = builders.snapshot(*told, events=events, lane=lane)
    state = builders.state(builders.healthy(dialect="G2"), builders.polled(taken))
    written = row_of(draft_row(View(state, 0.0)), Choice("HOLD_SHADOW"))
    assert written.fallback_rate == "0.125 (reconstructed, 2 unknown)"
    assert written.p95_latency == "30.000s (reconstructed, 2 unknown)"
    figures = numbers(View(state, 0.0))
    assert figures is not None
    assert cells_from_snapshot(recorded_snapshot(figures)) == (
        written.fallback_rate,
        written.p95_latency,
    ), "verify says that they follow from the record"


def test_a_tickets_number_is_no_windows_number() -> None:
    assert numbered_label("Shadow window, see ticket #4711") is None
    assert numbered_label("Limited cohort (incident #12)") is None
    assert numbered_label("Broadened rollout window #5 (see ticket #4711)") == (Stage.BROADENED, 5)


def test_the_handover_names_the_rows_that_were_written() -> None:
    written = EvidenceRow(
        "2026-11-23T01:50:00Z", "Shadow window #1", "", "", "0.000", "30.000s", "HOLD_SHADOW", ""
    )
    read = EvidenceRead(0.0, (written,), frozenset(), authors=("ana@laptop",))
    text = handover(View(builders.state(read), 0.0), "ana@laptop")
    assert (
        "## Rows written\n- 2026-11-23T01:50:00Z Shadow window #1: HOLD_SHADOW "
        "(rate 0.000, p95 30.000s) by ana@laptop\n"
    ) in text


@pytest.mark.parametrize("ahead_s", [0, 600, -600])
def test_a_recovery_is_dated_by_the_clock_that_dates_the_row(ahead_s: int) -> None:
    """Was: by our own, minutes after the row or before the cancel beside it."""
    here = builders.NOW - timedelta(seconds=ahead_s)
    heard: list[Event] = [
        *builders.stream(builders.processing(), session_id="a", at=1.0),
        CancelRequested(302.0, "a", "stuck", "bo"),
        *builders.stream(
            builders.frame("query_complete", cancelled=True), session_id="a", at=303.0
        ),
        builders.listing(builders.session("a"), builders.session("b"), at=304.0),
        *builders.stream(
            builders.processing(), builders.frame("query_complete"), session_id="b", at=310.0
        ),
    ]
    told = builders.polled(builders.snapshot(generated_at=here + timedelta(seconds=310)), at=310.0)
    state = builders.state(builders.healthy(), *heard, told, EvidenceRead(0.0, (), frozenset()))
    notes = row_of(draft_row(View(state, 311.0)), Choice("HOLD_SHADOW")).notes
    at = f"{here + timedelta(seconds=311):%H:%M:%SZ}"
    assert f"recovered {at}, a later turn completed" in notes
    assert f"{here + timedelta(seconds=302):%H:%M:%SZ} cancel a by bo (stuck)" in notes
    assert f"recovered at {at}: " in notes


class TestActionsInTheNotes:
    """Were: those of another gateway with the same name, and none of a session that is gone."""

    def told(self, **fields: str) -> str:
        done = ActionRecord(
            builders.NOW, "ana@laptop", "cancel", "session_a", "", (), "task_cancelled=true"
        )._replace(**fields)  # type: ignore[arg-type] # the texts of one
        log = EvidenceRead(0.0, (), frozenset())
        return row(builders.healthy(), log, AuditRead(0.0, (done,))).notes

    def test_are_those_of_this_gateway_and_lane(self) -> None:
        watch = builders.state().watch
        here = {"gateway": watch.url, "vp_id": watch.vp_id}
        assert "cancel session_a by ana@laptop: task_cancelled=true" in self.told(**here)
        assert "session_a" not in self.told(**here | {"gateway": "http://other:8002"})
        assert "session_a" not in self.told(**here | {"vp_id": "vp.coder.other"})
        assert "session_a" not in self.told(**here | {"what": "record"})

    def test_of_which_no_gateway_was_written_down_are_not_taken_for_this_ones(self) -> None:
        assert "session_a" not in self.told(), "no session of this gateway"
        told = self.told(target=builders.state().watch.vp_id, what="force fallback")
        assert "on a gateway that its line in the audit does not name" in told

    @pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=10), timedelta(minutes=-10)])
    def test_are_of_the_window_and_at_the_time_of_the_row_whatever_our_own_clock_says(
        self, ahead: timedelta
    ) -> None:
        """Ten minutes slow it was in no row, ten minutes fast in two, and later than the row."""
        here = builders.NOW - ahead
        watch = builders.state().watch
        deed = ActionRecord(builders.NOW, "ana@laptop", "cancel", "", "", (), "ok")
        deed = deed._replace(gateway=watch.url, vp_id=watch.vp_id)
        done = [
            deed._replace(at=builders.NOW - timedelta(minutes=before), target=name)
            for name, before in (("of_the_row_before", 8), ("of_this_one", 2))
        ]
        dated = f"{here - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
        last = EvidenceRow(dated, "Shadow window #1", "", "", "0.000", "30.000s", "HOLD_SHADOW", "")
        written = row(
            builders.healthy(),
            builders.polled(builders.snapshot(generated_at=here)),
            EvidenceRead(0.0, (last,), frozenset()),
            AuditRead(0.0, tuple(done)),
        )
        assert "of_the_row_before" not in written.notes
        assert f"{here - timedelta(minutes=2):%H:%M:%SZ} cancel of_this_one" in written.notes
