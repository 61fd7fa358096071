from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import NOW
from tests.support.rollout import entry, golden_rows, history, row, unmeasured

from vp_tui.domain.lane.auto_revert import AutoRevert, in_words
from vp_tui.domain.rollout.guardrails import (
    CancelRecovery,
    EvidenceTarget,
    cancel_recovery,
    evidence_target,
    sustained_failures,
    trip_wire,
)
from vp_tui.domain.runs.cancels import Cancel
from vp_tui.domain.vocabulary import RevertMode, Stage

MARKS = st.text(alphabet=".bF", max_size=45)


@pytest.mark.parametrize(
    ("marks", "tripped"),
    [
        ("", False),
        ("b", False),
        ("bb", False),
        ("bbb", True),
        ("b.b.b.", True),
        ("bb" + "." * 18, False),  # 2/20 is exactly 10% and does not exceed
        ("bbb" + "." * 17, True),
        ("bbb" + "." * 18, False),  # the oldest has left
        ("bbbb" + "." * 40, False),
    ],
)
def test_the_wire_trips_at_three_of_the_last_twenty(marks: str, *, tripped: bool) -> None:
    assert trip_wire(history(marks)).tripped is tripped


@pytest.mark.parametrize(
    ("marks", "to_trip", "leaves_in"),
    [
        ("", 3, None),
        ("." * 18, 3, None),
        ("b" + "." * 9, 2, 11),
        ("." * 5 + "bb", 1, 19),
        ("." * 6 + "b" + "." * 12 + "b", 1, 7),
        ("b" + "." * 18 + "b", 2, 1),  # the next one pushes the oldest out
        ("bb" + "." * 18, 3, 1),
        ("bbb", 0, 18),
    ],
)
def test_the_time_to_trip(marks: str, to_trip: int, leaves_in: int | None) -> None:
    wire = trip_wire(history(marks))
    assert (wire.to_trip, wire.oldest_leaves_in) == (to_trip, leaves_in)


def test_the_time_to_trip_in_words() -> None:
    near = trip_wire(history("." * 5 + "b" + "." * 13 + "b"))
    assert near.time_to_trip == "trips at 1 more; the oldest leaves the window in 6 missions"
    assert trip_wire(history("." * 18)).time_to_trip == "trips at 3 more"
    last = trip_wire(history("b" + "." * 19))
    assert last.time_to_trip == "trips at 3 more; the oldest leaves the window in 1 mission"


@given(MARKS)
def test_as_many_fallbacks_as_told_trip_it_and_no_fewer(marks: str) -> None:
    to_trip = trip_wire(history(marks)).to_trip
    assert trip_wire(history(marks + "b" * to_trip)).tripped
    for fewer in range(to_trip):
        assert not trip_wire(history(marks + "b" * fewer)).tripped


@given(MARKS)
def test_the_oldest_fallback_leaves_when_told(marks: str) -> None:
    wire = trip_wire(history(marks))
    if wire.oldest_leaves_in is None:
        assert wire.fallbacks == 0
    else:
        clean = "." * wire.oldest_leaves_in
        assert trip_wire(history(marks + clean[1:])).fallbacks == wire.fallbacks
        assert trip_wire(history(marks + clean)).fallbacks == wire.fallbacks - 1


@pytest.mark.parametrize(
    ("marks", "evidence"),
    [("." * 17 + "bbb", 0.236), ("." * 13 + "b" * 7, 26.8)],
)
def test_a_trip_is_policy_and_its_proof_stands_beside_it(marks: str, evidence: float) -> None:
    wire = trip_wire(history(marks))
    assert wire.evidence == pytest.approx(evidence, rel=2e-3)
    assert wire.reason is not None
    assert "E " not in wire.reason, "that stands where the proof is explained"
    assert wire.time_to_trip == wire.reason


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ("", None),
        ("F", None),
        ("F.F", None),
        ("FF", "2 missions in a row failed"),
        ("FF" + "." * 8, "2 missions in a row failed"),
        ("FF" + "." * 9, None),
        ("F.F.F", "3 of the last 10 missions failed"),
        ("F...F....F", "3 of the last 10 missions failed"),
        ("F...F.....F", None),
        ("F...F....F.", None),
    ],
)
def test_failures_are_a_pattern_in_a_row_or_three_of_ten(marks: str, reason: str | None) -> None:
    assert sustained_failures(history(marks)) == reason


def test_sustained_failures_trip_the_wire_before_three_fallbacks() -> None:
    wire = trip_wire(history("FF"))
    assert wire.reason == "2 missions in a row failed"
    assert (wire.fallbacks, wire.to_trip) == (2, 0)


def test_the_target_after_the_golden_log_is_met() -> None:
    # Four missions before the limited cohort's last row, 11 after it and before the log's last.
    told = (-900, -800, -700, -600, *range(60, 720, 60))
    missions = [
        entry(f"m{s}", completed_at=NOW.replace(2026, 2, 16, 15, 29, 4) + timedelta(seconds=s))
        for s in told
    ]
    target = evidence_target(golden_rows(), Stage.BROADENED, missions)
    assert target == EvidenceTarget(10, "Limited cohort window #4 (real traffic)")


@pytest.mark.parametrize(
    ("ends_s", "count"),
    [
        ((), 0),
        ((-60,), 0),
        ((0,), 0),
        ((1,), 1),
        ((30, 60, 90), 3),
        ((150,), 0),
        (range(1, 60), 10),
    ],
)
def test_the_target_counts_what_rows_after_the_anchor_record(
    ends_s: tuple[int, ...], count: int
) -> None:
    rows = [
        row("Limited cohort window #4", date="2026-11-23T02:00:00Z"),
        row("Broadened rollout window #1", date="2026-11-23T02:02:00Z"),
        unmeasured("Broadened rollout window #2", date="2026-11-23T02:10:00Z"),
    ]
    missions = [entry(f"m{s}", completed_at=NOW + timedelta(seconds=s)) for s in ends_s]
    target = evidence_target(rows, Stage.BROADENED, missions)
    assert target == EvidenceTarget(count, "Limited cohort window #4")


def test_a_mission_that_ended_within_the_second_of_the_last_row_is_recorded() -> None:
    rows = [row("Shadow window #1", date="2026-11-23T02:00:00Z")]
    ended = entry(completed_at=NOW + timedelta(milliseconds=400))
    assert evidence_target(rows, Stage.SHADOW, [ended]) == EvidenceTarget(1, None)
    assert evidence_target(rows, Stage.LIMITED, [ended]) == EvidenceTarget(0, "Shadow window #1")


def test_nothing_is_recorded_by_an_empty_log() -> None:
    assert evidence_target([], Stage.SHADOW, history("...")) == EvidenceTarget(0, None)


def test_an_anchor_without_a_date_counts_nothing() -> None:
    rows = [row("Limited cohort window #4", date="?"), row("Broadened rollout window #1")]
    assert evidence_target(rows, Stage.BROADENED, history("...")) is None


def test_an_end_that_is_not_known_is_its_start_and_without_that_not_counted() -> None:
    rows = [row("Shadow window #1")]
    started = entry("m1", completed_at=None)
    unknown = entry("m2", completed_at=None, started_at=None)
    assert evidence_target(rows, Stage.SHADOW, [started, unknown]) == EvidenceTarget(1, None)


@pytest.mark.parametrize("mode", RevertMode)
@pytest.mark.parametrize("marks", ["...", "bbb"])
def test_nothing_reverts_by_itself(mode: RevertMode, marks: str) -> None:
    told = in_words(mode, AutoRevert(), tripped=trip_wire(history(marks)).tripped)
    assert told.endswith("YOU are the auto-revert")
    assert ("dry run" in told) is (marks == "bbb" and mode == "dry-run")


class TestCancelRecovery:
    SENT = Cancel("a", 100.0, 1, actor="ana@laptop")

    def test_no_cancel_is_pending_at_first(self) -> None:
        assert cancel_recovery((), 0.0) == CancelRecovery("none pending", 0)
        assert cancel_recovery((), 0.0).is_quiet

    def test_a_stuck_run_that_nobody_cancelled_is_named(self) -> None:
        found = cancel_recovery((), 0.0, ["a", "b"])
        assert (found.state, found.pending) == ("NONE SENT: a, b hang", 0)
        assert found.short_state == "NONE SENT"
        assert not found.is_quiet

    def test_each_that_is_pending_is_named_with_how_far_it_has_come(self) -> None:
        cleared = self.SENT._replace(session_id="b", cleared_at=106.0)
        found = cancel_recovery([self.SENT, cleared], 110.0, ["c"])
        told = "2 pending: a requested, b counter cleared, task unconfirmed"
        assert (found.state, found.pending, found.short_state) == (told, 2, "2 pending")

    def test_its_words_do_not_change_by_the_second(self) -> None:
        assert cancel_recovery([self.SENT], 110.0) == cancel_recovery([self.SENT], 150.0)

    def test_the_unconfirmed_come_first_others_too(self) -> None:
        foreign = self.SENT._replace(session_id="b", actor=None)
        young = self.SENT._replace(session_id="c", at=290.0)
        found = cancel_recovery([young, self.SENT, foreign], 300.0)
        assert found.state == "UNCONFIRMED: a, b; 1 pending: c requested"
        assert (found.pending, found.unconfirmed, found.short_state) == (3, 2, "2 UNCONFIRMED")

    @pytest.mark.parametrize("over", [{"recovered_at": 120.0}, {"restarted_at": 120.0}])
    def test_what_is_over_is_not_pending(self, over: dict[str, float]) -> None:
        done = self.SENT._replace(**over)  # type: ignore[arg-type]  # a field's value each
        assert cancel_recovery([done], 300.0).is_quiet
