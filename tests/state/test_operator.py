"""Cancels in the state: our own and others', from the request to the recovery."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders

from vp_tui.domain.events import (
    AuditFailed,
    AuditRead,
    CancelAnswered,
    CancelFailed,
    CancelRequested,
)
from vp_tui.domain.missions import Ledger
from vp_tui.domain.models import CancelAnswer, Failure, StreamState
from vp_tui.domain.orders import ActionRecord
from vp_tui.domain.runs.cancels import Cancel, CancelState
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import CANCELS_KEPT

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Dialect
    from vp_tui.state.state import State

ME = "ana@laptop"
ASKED = CancelRequested(100.0, "a", "stuck", ME)
REFUSED = Failure("401 from the ops plane", "set UA_OPS_TOKEN", unauthorized=True)
IN_DOUBT = Failure("no answer", "look first", is_uncertain=True)
UNWINDS = (
    builders.status_frame(status="turn_cancelled"),
    builders.frame("query_complete", cancelled=True),
    builders.frame("cancelled"),
)
BUSY, CLEARED = builders.session("a", active_runs=1), builders.session("a")
QUEUED = builders.session("b", active_runs=1)


def answered(at: float, *, heard: bool, took_s: float) -> CancelAnswered:
    return CancelAnswered(at, "a", CancelAnswer("a", "stuck", heard, None, took_s))


def stuck(dialect: Dialect = "G1") -> list[Event]:
    """Return a delegated turn of a, silent since 2, and b queued behind it."""
    running = builders.mission("m1", "running", started_s=0.0)
    return [
        builders.healthy(dialect=dialect),
        builders.booted(),
        *(builders.linked(session_id=name) for name in "ab"),
        *builders.stream(
            builders.routed("delegated_to_coder_vp", "m1"),
            builders.processing(),
            session_id="a",
            at=1.0,
        ),
        builders.listing(BUSY, QUEUED, at=3.0),
        builders.polled(builders.snapshot(running), 90.0),
        builders.listing(BUSY, QUEUED, at=99.0),
    ]


def turn(session_id: str, at: float) -> list[Event]:
    """Return a turn that begins at `at` and completes a second later."""
    return list(
        builders.stream(
            builders.processing("next"),
            builders.frame("query_complete"),
            session_id=session_id,
            at=at,
        )
    )


def only(now: State) -> Cancel:
    (cancel,) = now.cancels
    return cancel


class TestOwn:
    def test_each_step_is_taken_up_and_recovered_comes_last(self) -> None:
        now = builders.state(*stuck(), ASKED)
        assert only(now).state(100.0) is CancelState.REQUESTED
        now = reduce_all(now, [*builders.stream(*UNWINDS, session_id="a", at=100.1)])
        now = reduce_all(now, [answered(102.5, heard=True, took_s=0.2)])
        assert only(now).state(103.0) is CancelState.ENDED
        now = reduce_all(now, [builders.listing(CLEARED, QUEUED, at=104.0)])
        assert only(now).cleared_at == 104.0
        now = reduce_all(now, turn("b", 110.0))
        assert only(now).state(112.0) is CancelState.RECOVERED
        assert only(now).recovered_by == "a later turn of b"
        assert [e.kind for e in now.entries].count("cancel") == 2

    def test_a_deaf_run_stays_unconfirmed_until_another_turn_completes(self) -> None:
        deaf: list[Event] = [
            ASKED,
            answered(105.0, heard=False, took_s=5.0),
            builders.listing(CLEARED, QUEUED, at=106.0),
        ]
        now = builders.state(*stuck(), *deaf)
        assert only(now).was_stuck
        assert only(now).state(110.0) is CancelState.CLEARED
        assert only(now).state(230.0) is CancelState.UNCONFIRMED
        now = reduce_all(now, turn("b", 300.0))
        assert only(now).state(302.0) is CancelState.RECOVERED

    def test_on_g2_only_the_same_session_proves_it(self) -> None:
        over: list[Event] = [
            ASKED,
            *builders.stream(*UNWINDS, session_id="a", at=100.1),
            builders.listing(CLEARED, at=104.0),
        ]
        now = builders.state(*stuck("G2"), *over, *turn("b", 110.0))
        assert only(now).recovered_at is None
        assert only(reduce_all(now, turn("a", 120.0))).recovered_at == 121.0

    def test_without_a_stream_a_later_mission_proves_it(self) -> None:
        over: list[Event] = [
            ASKED,
            answered(100.5, heard=True, took_s=0.5),
            builders.listing(CLEARED, at=104.0),
        ]
        later = builders.mission(
            "m2", started_s=110.0, completed_at=builders.NOW + timedelta(seconds=140)
        )
        early = builders.mission(
            "m0", started_s=50.0, completed_at=builders.NOW + timedelta(seconds=140)
        )
        taken = builders.NOW + timedelta(seconds=150)
        now = builders.state(
            *stuck(), *over, builders.polled(builders.snapshot(early, generated_at=taken), 150.0)
        )
        assert only(now).recovered_at is None
        now = reduce_all(
            now, [builders.polled(builders.snapshot(later, early, generated_at=taken), 150.0)]
        )
        assert (only(now).recovered_at, only(now).recovered_by) == (140.0, "a later mission, m2")

    def test_one_that_was_refused_is_over_and_one_in_doubt_is_not(self) -> None:
        now = builders.state(*stuck(), ASKED, CancelFailed(101.0, "a", REFUSED))
        assert only(now).state(102.0) is CancelState.FAILED
        now = builders.state(*stuck(), ASKED, CancelFailed(120.0, "a", IN_DOUBT))
        assert only(now).state(121.0) is CancelState.UNKNOWN
        now = reduce_all(
            now, [*builders.stream(*UNWINDS, session_id="a", at=121.0), *turn("b", 130.0)]
        )
        assert only(now).state(140.0) is CancelState.RECOVERED

    def test_an_answer_belongs_to_the_one_that_awaits_it(self) -> None:
        again = CancelRequested(130.0, "a", "again", ME)
        now = builders.state(*stuck(), ASKED, CancelFailed(120.0, "a", IN_DOUBT), again)
        first, second = reduce_all(now, [answered(135.0, heard=False, took_s=5.0)]).cancels
        assert (first.task_cancelled, second.task_cancelled) == (None, False)

    def test_only_the_newest_are_remembered(self) -> None:
        asked = [CancelRequested(100.0 + n, f"s{n}", "", ME) for n in range(CANCELS_KEPT + 5)]
        now = builders.state(*stuck(), *asked)
        assert len(now.cancels) == CANCELS_KEPT
        assert now.cancels[-1].session_id == f"s{CANCELS_KEPT + 4}"


class TestOthers:
    def test_a_cancelled_frame_is_followed_to_its_recovery(self) -> None:
        now = builders.state(*stuck(), *builders.stream(*UNWINDS, session_id="a", at=130.0))
        assert (only(now).actor, only(now).session_id) == (None, "a")
        assert only(now).was_stuck
        now = reduce_all(now, turn("b", 140.0))
        assert only(now).state(142.0) is CancelState.RECOVERED

    def test_one_of_an_idle_session_is_none(self) -> None:
        idle: list[Event] = [
            builders.healthy(),
            builders.linked(session_id="a"),
            builders.listing(CLEARED, at=3.0),
        ]
        now = builders.state(
            *idle, *builders.stream(builders.frame("cancelled"), session_id="a", at=10.0)
        )
        assert now.cancels == ()

    def test_the_frame_of_our_own_is_not_followed_twice(self) -> None:
        now = builders.state(*stuck(), ASKED, *builders.stream(*UNWINDS, session_id="a", at=100.1))
        assert only(now).actor == ME

    def test_after_one_of_ours_was_refused_somebody_else_s_is_followed(self) -> None:
        refused: list[Event] = [ASKED, CancelFailed(101.0, "a", REFUSED)]
        now = builders.state(
            *stuck(), *refused, *builders.stream(*UNWINDS, session_id="a", at=110.0)
        )
        assert [cancel.actor for cancel in now.cancels] == [ME, None]


class TestRestart:
    def test_a_new_epoch_ends_what_is_pending(self) -> None:
        now = builders.state(*stuck(), ASKED, builders.booted("2026-11-22T21:00:00", at=130.0))
        assert only(now).state(131.0) is CancelState.RESTARTED
        assert reduce_all(now, turn("b", 140.0)).cancels == now.cancels

    def test_what_had_recovered_before_stays_so(self) -> None:
        over: list[Event] = [
            ASKED,
            *builders.stream(*UNWINDS, session_id="a", at=100.1),
            *turn("b", 110.0),
        ]
        now = builders.state(*stuck(), *over, builders.booted("2026-11-22T21:00:00", at=130.0))
        assert only(now).state(131.0) is CancelState.RECOVERED

    def test_an_epoch_that_was_not_known_is_that_of_the_first_answer(self) -> None:
        first = [event for event in stuck() if event != builders.booted()]
        now = builders.state(*first, ASKED, builders.booted(at=110.0))
        assert (only(now).epoch, only(now).restarted_at) == (1, None)
        now = reduce_all(now, [builders.booted("2026-11-22T21:00:00", at=130.0)])
        assert only(now).restarted_at == 130.0


@pytest.mark.parametrize("own", [True, False])
def test_a_cancelled_mission_counts_neither_as_clean_nor_as_fallen_back(*, own: bool) -> None:
    asked: list[Event] = [ASKED] if own else []
    hit = [*asked, *builders.stream(builders.frame("cancelled"), session_id="a", at=100.1)]
    now = builders.state(*stuck(), *hit)
    assert now.ledger.entries["m1"].cancelled
    zombie = builders.snapshot(builders.mission("m1", "running"), builders.mission("m0"))
    now = reduce_all(now, [builders.polled(zombie, 120.0)])
    assert {name: entry.cancelled for name, entry in now.ledger.entries.items()} == {
        "m0": False, "m1": True,
    }  # fmt: skip


def test_a_cancelled_mission_that_ends_all_the_same_counts_as_it_ended() -> None:
    hit = builders.stream(builders.frame("cancelled"), session_id="a", at=100.1)
    ended = builders.polled(builders.snapshot(builders.mission("m1")), 120.0)
    now = builders.state(*stuck(), *hit, ended)
    assert not now.ledger.entries["m1"].cancelled


def test_a_mission_that_is_met_after_its_cancel_is_marked_too() -> None:
    now = builders.state(
        *stuck(), *builders.stream(builders.frame("cancelled"), session_id="a", at=100.1)
    )
    now = reduce_all(
        replace(now, ledger=Ledger()),
        [builders.polled(builders.snapshot(builders.mission("m1", "running")), 101.0)],
    )
    assert now.ledger.entries["m1"].cancelled


class TestAudit:
    RECORD = ActionRecord(builders.NOW, ME, "cancel", "a", "stuck", (), "failed")

    def test_it_is_known_once_it_was_read(self) -> None:
        assert builders.state().audit is None
        known = builders.state(AuditRead(0.0, (self.RECORD,), 2)).audit
        assert known is not None
        assert (known.records, known.unreadable, known.problem) == ((self.RECORD,), 2, None)

    def test_a_problem_leaves_what_was_known_and_the_next_reading_ends_it(self) -> None:
        broken = AuditRead(1.0, (), problem=REFUSED)
        known = builders.state(AuditRead(0.0, (self.RECORD,)), broken).audit
        assert known is not None
        assert (known.records, known.problem) == ((self.RECORD,), REFUSED)
        healed = builders.state(broken, AuditRead(2.0, (self.RECORD,))).audit
        assert healed is not None
        assert healed.problem is None

    def test_an_action_that_is_not_in_it_is_told(self) -> None:
        now = builders.state(AuditFailed(5.0, REFUSED))
        assert now.audit is not None
        assert now.audit.problem == REFUSED
        assert "an action is not in the audit: 401" in now.entries[-1].text


class TestCutSocket:
    """A restart may lie behind a cut socket: a turn after it is of this life or another."""

    def _cut(self) -> list[Event]:
        """Return the cancel, every socket cut and up again, and a later turn that completes."""
        cut = [
            builders.linked(StreamState.WAITING, "cut", session_id=name, at=110.0) for name in "ab"
        ]
        up = [builders.linked(session_id=name, at=112.0) for name in "ab"]
        turn = builders.stream(
            builders.processing("go on"), builders.frame("query_complete"), session_id="b", at=113.0
        )
        return [*stuck(), ASKED, answered(100.1, heard=True, took_s=0.1), *cut, *up, *turn]

    def _how(self, *events: Event) -> CancelState:
        (cancel,) = reduce_all(builders.state(), [*self._cut(), *events]).cancels
        return cancel.state(120.0)

    def test_until_the_gateway_tells_its_boot_nothing_has_recovered(self) -> None:
        assert self._how() is not CancelState.RECOVERED

    def test_in_the_same_life_it_has(self) -> None:
        assert self._how(builders.booted(at=116.0)) is CancelState.RECOVERED

    def test_in_another_life_a_restart_ended_it(self) -> None:
        assert self._how(builders.booted("2026-11-22T20:00:00", at=116.0)) is CancelState.RESTARTED
