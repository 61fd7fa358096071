"""A cancel followed: what proves a recovery, what does not, and what ends it otherwise."""

# ruff: noqa: ANN401 - the fields that a test names have the types of the value that is made

from __future__ import annotations

from typing import Any, Final

import pytest

from vp_tui.domain.models import Failure
from vp_tui.domain.runs.cancels import (
    SAME_S,
    STILL_AFTER_S,
    UNCONFIRMED_AFTER_S,
    Cancel,
    CancelState,
    CompletedMission,
    RunsObserved,
    by_others,
    observe,
    pending,
    steps,
)
from vp_tui.domain.runs.run import Run
from vp_tui.domain.runs.run import RunCancel as Hit
from vp_tui.domain.runs.turns import Turn

OWN: Final = Cancel("a", 100.0, 1, actor="ana@laptop", reason="stuck")
REFUSED: Final = Failure("401 from the ops plane", "set UA_OPS_TOKEN", unauthorized=True)
IN_DOUBT: Final = Failure("no answer", "look at it first", is_uncertain=True)
UNWOUND: Final = Run("a", cancel=Hit(100.5, 40.0, ended_at=101.0), ended_at=101.0)
DEAF: Final = Run("a", cancel=Hit(100.5, 99.0, cleared_at=106.0))


def known(*runs: Run, **fields: Any) -> RunsObserved:
    """Return what is known on a G1 gateway that counts no run, listed before the cancel."""
    values: dict[str, Any] = {
        "runs": {run.session_id: run for run in runs},
        "running": (),
        "listed_at": 90.0,
        "stuck_after_s": 60.0,
        "has_lock": True,
    }
    return RunsObserved(**(values | fields))


def completed(session_id: str, began_at: float | None, at: float, **fields: Any) -> Run:
    return Run(session_id, completed_from=began_at, completed_at=at, ended_at=at, **fields)


def after(cancel: Cancel, *looks: RunsObserved) -> Cancel:
    for look in looks:
        cancel = observe(cancel, look)
    return cancel


class TestRecovered:
    def test_a_turn_that_began_after_it_and_completed_proves_it_where_one_lock_serves_all(
        self,
    ) -> None:
        found = after(OWN, known(UNWOUND, completed("b", 102.0, 130.0)))
        assert (found.recovered_at, found.recovered_by) == (130.0, "a later turn of b")
        assert found.state(1e6) is CancelState.RECOVERED
        assert found.is_over

    @pytest.mark.parametrize("began_at", [None, 50.0, 100.0])
    def test_one_that_had_begun_before_did_not_wait_behind_it(self, began_at: float | None) -> None:
        found = after(OWN, known(UNWOUND, completed("b", began_at, 130.0)))
        assert found.recovered_at is None

    def test_a_turn_that_completed_before_it_proves_nothing(self) -> None:
        assert after(OWN, known(UNWOUND, completed("b", 90.0, 99.0))).recovered_at is None

    def test_where_each_session_has_its_own_lock_others_prove_nothing(self) -> None:
        look = known(UNWOUND, completed("b", 102.0, 130.0), has_lock=False)
        assert after(OWN, look).recovered_at is None

    @pytest.mark.parametrize("has_lock", [True, False])
    def test_a_later_turn_of_the_same_session_proves_it_everywhere(self, *, has_lock: bool) -> None:
        later = UNWOUND._replace(completed_from=110.0, completed_at=130.0, ended_at=130.0)
        found = after(OWN, known(UNWOUND, has_lock=has_lock), known(later, has_lock=has_lock))
        assert found.recovered_by == "a later turn of the same session"

    def test_the_cancelled_turn_that_completes_after_all_is_no_later_one(self) -> None:
        hit = Hit(100.5, 99.0, cleared_at=106.0, ended_at=130.0)
        itself = completed("a", 10.0, 130.0, cancel=hit)
        found = after(OWN, known(DEAF, listed_at=106.0), known(itself))
        assert found.recovered_at is None
        assert found.state(131.0) is CancelState.ENDED

    def test_a_turn_that_completed_between_two_cancels_does_not_prove_the_second(self) -> None:
        old = Hit(80.0, 70.0, ended_at=80.5)
        before = completed("a", 82.0, 95.0, cancel=old)
        assert after(OWN, known(before)).recovered_at is None

    def test_a_counter_at_0_a_still_sequence_and_an_answer_are_no_recovery(self) -> None:
        answered = OWN._replace(answered_at=105.0, task_cancelled=False)
        found = after(answered, known(DEAF, listed_at=106.0))
        assert found.state(119.0) is CancelState.CLEARED
        assert steps(found, 119.0)[3].at == 106.0
        assert not found.is_over

    @pytest.mark.parametrize(
        ("asked_by", "has_lock", "is_proof"),
        [(None, True, True), ("a", False, True), ("b", False, False), (None, False, False)],
    )
    def test_a_later_mission_proves_it_where_it_waited_for_the_same_lock(
        self, *, asked_by: str | None, has_lock: bool, is_proof: bool
    ) -> None:
        later = CompletedMission("m2", 103.0, 140.0, asked_by)
        found = after(OWN, known(missions=(later,), has_lock=has_lock))
        assert (found.recovered_at == 140.0) is is_proof

    @pytest.mark.parametrize(
        "mission", [CompletedMission("m1", 103.0, 140.0), CompletedMission("m2", 101.9, 140.0)]
    )
    def test_its_own_mission_and_one_that_had_begun_prove_nothing(
        self, mission: CompletedMission
    ) -> None:
        found = after(OWN._replace(mission_id="m1"), known(missions=(mission,)))
        assert found.recovered_at is None


class TestStates:
    def test_it_is_raised_as_unconfirmed_in_time_and_recovers_later_all_the_same(self) -> None:
        found = after(OWN, known(UNWOUND))
        assert found.state(100.0 + UNCONFIRMED_AFTER_S - 1) is CancelState.ENDED
        assert found.state(100.0 + UNCONFIRMED_AFTER_S) is CancelState.UNCONFIRMED
        late = after(found, known(UNWOUND, completed("b", 400.0, 430.0)))
        assert late.state(500.0) is CancelState.RECOVERED

    def test_a_refused_one_is_over_and_one_in_doubt_is_followed(self) -> None:
        refused, in_doubt = OWN._replace(failure=REFUSED), OWN._replace(failure=IN_DOUBT)
        assert (refused.state(1e6), refused.is_over) == (CancelState.FAILED, True)
        assert (in_doubt.state(101.0), in_doubt.is_over) == (CancelState.UNKNOWN, False)
        assert not in_doubt.is_in_flight
        assert after(in_doubt, known(UNWOUND)).state(120.0) is CancelState.ENDED
        proven = after(in_doubt, known(UNWOUND, completed("b", 102.0, 130.0)))
        assert proven.state(131.0) is CancelState.RECOVERED

    def test_one_that_came_too_late_hit_nothing(self) -> None:
        late = OWN._replace(answered_at=100.1, task_cancelled=False)
        found = after(late, known(completed("a", 50.0, 100.05)))
        assert found.state(1e6) is CancelState.MISSED
        assert found.is_over
        assert "nothing ran any more" in steps(found, 101.0)[1].detail

    def test_one_in_doubt_whose_turn_ended_by_itself_awaits_a_later_turn(self) -> None:
        found = after(OWN._replace(failure=IN_DOUBT), known(completed("a", 50.0, 100.05)))
        assert found.state(101.0) is CancelState.ENDED
        assert not found.is_over

    def test_a_restart_ends_it(self) -> None:
        found = OWN._replace(restarted_at=130.0)
        assert found.state(1e6) is CancelState.RESTARTED
        assert pending([found, OWN]) == (OWN,)

    def test_nothing_is_asked_of_one_that_is_over(self) -> None:
        over = OWN._replace(restarted_at=130.0)
        assert observe(over, known(UNWOUND, completed("b", 102.0, 130.0))) == over


class TestWhatWasHit:
    @pytest.mark.parametrize(
        ("hit", "was_stuck"),
        [
            (Hit(100.5, 40.5, ended_at=101.0), True),
            (Hit(100.5, 70.5, ended_at=101.0), True),
            (Hit(100.5, 70.6, ended_at=101.0), False),
            (Hit(100.5, 99.0, was_unanswerable=True, ended_at=101.0), True),
            (Hit(100.5, 99.0, cleared_at=106.0), True),
            (Hit(100.5, None, ended_at=101.0), False),
        ],
    )
    def test_whether_it_was_quiet_or_stuck_is_known_from_the_hit(
        self, *, hit: Hit, was_stuck: bool
    ) -> None:
        assert after(OWN, known(Run("a", cancel=hit))).was_stuck is was_stuck

    def test_what_is_known_of_it_outlives_the_next_hit(self) -> None:
        turn = Turn(routing="delegated_to_coder_vp", mission_id="m1")
        first = Run("a", cancel=Hit(100.5, 10.0, turn, ended_at=101.0))
        later = Run("a", cancel=Hit(100.5 + 2 * SAME_S, 160.0, Turn(mission_id="m2")))
        found = after(OWN, known(first), known(later))
        assert found.was_stuck
        assert (found.mission_id, found.ended_at) == ("m1", 101.0)

    def test_an_earlier_hit_of_a_turn_that_had_ended_is_not_its_own(self) -> None:
        found = after(OWN, known(Run("a", cancel=Hit(95.0, 10.0, ended_at=95.5))))
        assert (found.was_hit, found.ended_at) == (False, None)

    def test_a_turn_that_somebody_else_had_cancelled_in_vain_is_the_same(self) -> None:
        found = after(OWN, known(Run("a", cancel=Hit(95.0, 10.0, ended_at=104.0))))
        assert (found.was_hit, found.ended_at) == (True, 104.0)


class TestSteps:
    def test_they_are_five_each_with_its_time_or_awaited(self) -> None:
        answered = OWN._replace(answered_at=100.6, task_cancelled=True)
        found = after(answered, known(UNWOUND, listed_at=102.0))
        told = steps(found, 105.0)
        assert [(step.name, step.at) for step in told] == [
            ("requested", 100.0),
            ("answered", 100.6),
            ("active_runs 0", 102.0),
            ("sequence still", None),
            ("a later turn completes", None),
        ]
        assert told[0].detail == "by ana@laptop: stuck"
        assert told[1].detail == "task_cancelled=true, the run unwound"

    def test_a_session_that_is_still_counted_is_not_cleared(self) -> None:
        found = after(OWN, known(DEAF, running={"a"}, listed_at=102.0))
        assert found.cleared_at is None
        assert steps(found, 1e3)[3].at is None

    def test_a_listing_from_before_it_clears_nothing(self) -> None:
        assert after(OWN, known(DEAF, listed_at=99.0)).cleared_at is None

    def test_what_still_writes_is_not_still(self) -> None:
        answered = OWN._replace(answered_at=105.0, task_cancelled=False)
        writing = DEAF._replace(progress_at=110.0)
        found = after(answered, known(DEAF, listed_at=106.0), known(writing, listed_at=109.0))
        still = steps(found, 112.0)[3]
        assert (still.at, still.detail) == (None, "it still wrote 2s ago")
        assert steps(found, 110.0 + STILL_AFTER_S)[3].at == 110.0

    def test_the_session_s_next_turn_is_no_sign_of_the_cancelled_one(self) -> None:
        answered = OWN._replace(answered_at=100.6, task_cancelled=True)
        busy = UNWOUND._replace(progress_at=150.0)
        found = after(answered, known(UNWOUND, listed_at=102.0), known(busy, listed_at=149.0))
        assert steps(found, 151.0)[3].at == 102.0

    def test_an_orphan_that_goes_on_writing_is_told(self) -> None:
        hit = Hit(100.5, 40.0, ended_at=101.0, wrote_at=140.0)
        answered = OWN._replace(answered_at=100.6, task_cancelled=True)
        found = after(answered, known(Run("a", cancel=hit), listed_at=102.0))
        assert steps(found, 141.0)[3].detail == "it still wrote 1s ago"

    def test_a_deaf_run_a_failure_and_a_foreign_one_are_told_apart(self) -> None:
        deaf = after(OWN._replace(answered_at=105.0, task_cancelled=False), known(DEAF))
        assert steps(deaf, 106.0)[1].detail == "task_cancelled=false, the run did not hear: deaf"
        assert steps(OWN._replace(failure=IN_DOUBT), 106.0)[1].detail == "no answer"
        foreign = OWN._replace(actor=None, reason="")
        assert steps(foreign, 106.0)[0].detail == "by somebody else"
        assert steps(foreign, 106.0)[1].detail == "to somebody else"


class TestByOthers:
    def test_a_cancelled_frame_is_followed_too(self) -> None:
        assert by_others((), [DEAF, Run("b")], 3) == [Cancel("a", 100.5, 3)]

    def test_our_own_frame_is_not_somebody_else_s(self) -> None:
        assert by_others([OWN], [DEAF], 1) == []

    def test_a_later_one_of_the_same_session_is(self) -> None:
        later = Run("a", cancel=Hit(OWN.at + SAME_S + 1, 120.0))
        assert [c.at for c in by_others([OWN], [later], 1)] == [OWN.at + SAME_S + 1]

    def test_one_of_ours_that_was_refused_hides_none(self) -> None:
        refused, in_doubt = OWN._replace(failure=REFUSED), OWN._replace(failure=IN_DOUBT)
        assert [c.at for c in by_others([refused], [DEAF], 1)] == [100.5]
        assert by_others([in_doubt], [DEAF], 1) == []
