from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import builders, scenes
from tests.support.rollout import window

from vp_tui.domain.events import CancelRequested, WindowsRead
from vp_tui.domain.rollout.evidence_row import format_row, read_row
from vp_tui.domain.rollout.verdicts import Verdict, Waiver
from vp_tui.views.draft import Choice, Draft, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

HELD = Choice("HOLD_SHADOW")


def draft_of(*events: Event, now: float = 0.0) -> Draft:
    return draft_row(View(builders.state(*events), now))


def notes(*events: Event, choice: Choice = HELD, now: float = 0.0) -> str:
    return row_of(draft_of(*events, now=now), choice).notes


def test_they_come_in_the_order_of_the_rules() -> None:
    said = notes(*scenes.blind(), choice=HELD._replace(note="paged Bo"))
    parts = [
        "`missions_considered=19`, `missions_with_fallback=0`, `mission_counts={completed:19}`",
        "`event_counts={vp.mission.dispatched:18}`",
        "reported: BLIND says 0.000 0/19, p95 36.000s 2nd of 19",
        "epoch: 0/18 fell back, at most ",
        "window: +19 missions: 19 completed, 0 failed, 0 running, 0 fell back, 1 unknown, p95",
        "turns: at least 19 ran, 1 beginning heard, 1 of 1 to the VP",
        "outcomes unknown: 1 in the window, 1 of the last 19 ended unseen",
        "as suggested: ",
        "; paged Bo",
    ]
    places = [said.find(part) for part in parts]
    assert -1 not in places, said
    assert places == sorted(places)


def test_the_reported_values_are_told_where_the_cells_are_ones_own() -> None:
    fallen = builders.mission("m9", result_ref=builders.ELSEWHERE)
    draft = draft_of(builders.healthy(), builders.polled(builders.snapshot(fallen)))
    row = row_of(draft, HELD)
    assert row.fallback_rate == "1.000 (reconstructed)"
    assert "reported: 0.000 0/1, p95 30.000s max of 1" in row.notes


def test_where_they_agree_they_are_told_once() -> None:
    assert "reported" not in notes(*scenes.ordinary())


def test_running_missions_of_the_window_are_told() -> None:
    assert "window: +18 missions: 18 completed, 0 failed, 1 running, 0 fell back" in notes(
        *scenes.ordinary()
    )


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([builders.linked()], "turns: at least 1 ran, no beginning heard;"),
        ([builders.listing()], "turns: at least 1 ran, no beginning heard;"),
        ([], "turns: at least 1 ran, no beginning heard;"),
        ([builders.linked(),
          *builders.stream(builders.routed("coder_vp_shadow_mode"), builders.processing())],
         "0 of 1 to the VP, no mission: 0 could not start, 1 in shadow"),
    ],
)  # fmt: skip
def test_the_routing_that_was_seen(events: list[Event], said: str) -> None:
    assert said in notes(
        *events, builders.healthy(), builders.polled(builders.snapshot(builders.mission()))
    )


def test_what_is_unknown_can_be_left_out() -> None:
    events = [*scenes.ordinary(), builders.failed(failure=scenes.BROKEN)]
    assert "metrics down" in notes(*events)
    left_out = notes(*events, choice=HELD._replace(with_unknowns=False))
    assert "metrics down" not in left_out
    assert left_out.startswith("not measured: the metrics are down: 500: database is locked")


def test_one_cause_is_told_once() -> None:
    said = notes(builders.healthy(), builders.booted(), builders.failed(failure=builders.REFUSED))
    assert said.count("unauthorized: 401 from the ops plane") == 1
    assert "unauthorized: metrics;" in said


def test_a_waived_gate_is_told_with_who_and_why() -> None:
    waiver = Waiver("G4", "ana@laptop", "suites run by hand", builders.NOW, Verdict.INCONCLUSIVE)
    opened = WindowsRead(0.0, (window(waivers=(waiver,)),))
    said = notes(*scenes.ordinary(), opened)
    assert "; suites waived by ana@laptop: suites run by hand (was INCONCLUSIVE: runtime ok" in said
    assert "waived by" not in notes(*scenes.ordinary())


def test_an_override_says_what_was_suggested_and_why_more_was_allowed() -> None:
    go = Choice("GO_BROADER_TRAFFIC_ACTIVE", reason=" the lead said so ", note=" see #42 ")
    said = notes(builders.healthy(), builders.polled(builders.snapshot(lane=None)), choice=go)
    assert "; HOLD_SHADOW was suggested: " in said
    assert said.endswith("; more was allowed because: the lead said so; see #42")


def test_a_stricter_word_needs_no_reason() -> None:
    said = notes(*scenes.ordinary(), choice=Choice("BLOCKED_AUTH", reason="never typed"))
    assert "READY_FOR_LIMITED_COHORT_PILOT was suggested" in said
    assert "more was allowed" not in said


@given(st.text(max_size=300), st.text(max_size=80))
def test_whatever_is_typed_is_one_line_of_eight_cells_that_reads_back(note: str, why: str) -> None:
    draft = draft_of(*scenes.ordinary())
    row = row_of(draft, Choice("GO_BROADER_TRAFFIC_ACTIVE", reason=why, note=note))
    try:
        line = format_row(row).encode()
    except UnicodeEncodeError:
        return
    assert b"\n" not in line
    assert read_row(line).warning is None
    assert read_row(line).row == row
    assert row.notes.rstrip().endswith(note.strip())


def test_without_a_finished_mission_there_is_no_rate() -> None:
    assert "epoch: none finished; window: +0 missions" in notes(*scenes.no_missions())


class TestActions:
    UNWOUND = (
        builders.status_frame(status="turn_cancelled"),
        builders.frame("query_complete", cancelled=True),
        builders.frame("cancelled"),
    )

    def cancelled(self) -> list[Event]:
        """Return a run that was silent for 200 s when it was cancelled, and unwound."""
        return [
            builders.healthy(),
            *(builders.linked(session_id=name, at=-1.0) for name in "ab"),
            builders.polled(builders.snapshot(builders.mission("m0", started_s=-90.0)), 0.0),
            *builders.stream(
                builders.routed("delegated_to_coder_vp", "m1"),
                builders.processing(),
                session_id="a",
                at=0.0,
            ),
            builders.listing(builders.session("a", active_runs=1), at=3.0),
            builders.listing(builders.session("a", active_runs=1), at=198.0),
            CancelRequested(200.0, "a", "stuck; in npm", "ana@laptop"),
            *builders.stream(*self.UNWOUND, session_id="a", at=200.1),
            builders.listing(builders.session("a"), at=204.0),
        ]

    def test_what_was_done_in_the_window_is_told_with_its_proof(self) -> None:
        said = notes(*self.cancelled(), now=205.0)
        told = "actions: 02:03:20Z cancel a by ana@laptop (stuck; in npm): the run ended,"
        assert f"{told} not recovered yet; " in said
        assert "a was cancelled, active_runs 0: recovery unconfirmed" in said

    def test_it_can_be_left_out_but_the_stuck_run_s_facts_cannot(self) -> None:
        said = notes(*self.cancelled(), choice=HELD._replace(with_actions=False), now=205.0)
        assert "actions:" not in said
        assert "a was cancelled, active_runs 0: recovery unconfirmed" in said

    def test_the_facts_are_told_once_though_the_word_rests_on_them(self) -> None:
        said = notes(*self.cancelled(), now=205.0)
        assert said.count("a was cancelled, active_runs 0") == 1

    def test_without_actions_nothing_is_said_of_them(self) -> None:
        assert "actions" not in notes(*scenes.ordinary())
