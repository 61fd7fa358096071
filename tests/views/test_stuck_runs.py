"""What hangs and what was cancelled, in the suggestion, the SAFETY line and the status."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support import builders

from vp_tui.domain.events import CancelAnswered, CancelRequested
from vp_tui.domain.models import CancelAnswer
from vp_tui.domain.runs.cancels import Cancel
from vp_tui.domain.vocabulary import Word
from vp_tui.views.assessment import assess
from vp_tui.views.figures import current_window
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.stuck_runs import cancelled_runs, stuck_runs_in
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission, Session
    from vp_tui.state.state import State

TOOL = builders.frame("tool_call", "Bash npm i", tool="Bash", tool_use_id="t1")
OWNER, VICTIM = (
    builders.session("a", active_runs=1, last_event_seq=9),
    builders.session("b", active_runs=1),
)
UNWOUND = (
    builders.status_frame(status="turn_cancelled"),
    builders.frame("query_complete", cancelled=True),
    builders.frame("cancelled"),
)


def listings(*sessions: Session, since: float, until: float) -> list[Event]:
    return [
        builders.listing(*sessions, at=since + 3.0 * n)
        for n in range(int((until - since) / 3.0) + 1)
    ]


def metrics(*missions: Mission, at: float) -> Event:
    """Return a snapshot of that moment, on a gateway whose clock is ours."""
    return builders.polled(
        builders.snapshot(*missions, generated_at=builders.NOW + timedelta(seconds=at)), at
    )


def stuck(victims: Sequence[Session] = (VICTIM,)) -> list[Event]:
    """Return a run on the lane, in a tool from 2 on, listed until 300."""
    return [
        builders.healthy(-10.0),
        *(builders.linked(session_id=name, at=-10.0) for name in "ab"),
        metrics(
            builders.mission("m1", "running", started_s=0.0),
            builders.mission("m0", started_s=-90.0),
            at=0.0,
        ),
        builders.logged("before", at=-1.0),
        builders.logged("[20:00:02] npm WARN retry", at=1.0),
        *builders.stream(
            builders.routed("delegated_to_coder_vp", "m1"),
            builders.processing(),
            TOOL,
            session_id="a",
        ),
        *listings(OWNER, *victims, since=0.0, until=300.0),
        metrics(
            builders.mission("m1", "running"), builders.mission("m0", started_s=-90.0), at=300.0
        ),
    ]


def word(now: State, at: float) -> str | None:
    suggestion = assess(View(now, at)).suggestion
    return suggestion.decision if suggestion else None


def test_a_stuck_run_blocks_the_pipeline_and_the_row_tells_its_facts() -> None:
    now = builders.state(*stuck())
    (run,) = stuck_runs_in(View(now, 302.0))
    assert (run.session_id, run.silent_s, run.waiting) == ("a", 300, 1)
    assert run.last_tool == "Bash npm i"
    assert run.last_log_line == "[20:00:02] npm WARN retry"
    assessment = assess(View(now, 302.0))
    assert assessment.suggestion is not None
    assert assessment.suggestion.decision == Word.BLOCKED_EXECUTION_PIPELINE
    assert "stuck: a silent 300s" in assessment.suggestion.reasons[0]


def test_the_safety_line_tells_whom_it_keeps_waiting_and_the_key_that_helps() -> None:
    now = builders.state(*stuck())
    (alarm,) = [alarm for alarm in assess(View(now, 302.0)).safety if alarm.head]
    assert (alarm.alarm, alarm.key) == ("stuck run", "c")
    assert alarm.told == "STUCK 5m00 a: holds the gateway lock, 1 turn waits behind it"
    alone = builders.state(*stuck(victims=()))
    (alarm,) = [alarm for alarm in assess(View(alone, 302.0)).safety if alarm.head]
    assert alarm.told == "STUCK 5m00 a: in Bash npm i, no turn waits behind it"


def test_the_status_tells_it_all() -> None:
    now = builders.state(*stuck())
    told = status_object(View(now, 302.0))
    owner, victim = told["runs"]
    assert (owner["level"], owner["silent_s"], owner["mission_id"]) == ("stuck", 300.0, "m1")
    assert (victim["level"], victim["reason"]) == ("queued", "queued behind a, which is stuck")
    assert told["alarms"][0].startswith("stuck: a: no progress for 5m00, in tool Bash for 5m00")
    assert {entry["alarm"] for entry in told["safety"]} == {"stuck run"}
    assert exit_code(View(now, 302.0)) == 1


def test_a_mission_that_finished_since_unblocks() -> None:
    now = builders.state(*stuck(), metrics(builders.mission("m2", started_s=200.0), at=300.0))
    assert stuck_runs_in(View(now, 302.0))[0].finished_since
    assert word(now, 302.0) != Word.BLOCKED_EXECUTION_PIPELINE


def own_cancel(*, task_cancelled: bool, took_s: float) -> list[Event]:
    answer = CancelAnswer("a", "stuck", task_cancelled, None, took_s)
    return [
        CancelRequested(301.0, "a", "stuck", "bo"),
        CancelAnswered(301.0 + took_s, "a", answer),
    ]


def test_a_stuck_run_that_unwound_is_partially_recovered_until_it_is_confirmed() -> None:
    over = [
        *stuck(()),
        *builders.stream(*UNWOUND, session_id="a", at=301.0),
        builders.listing(builders.session("a", last_event_seq=12), at=304.0),
    ]
    now = builders.state(*over)
    assert word(now, 305.0) == Word.PARTIAL_TIMEOUT_RECOVERED
    (run,) = cancelled_runs(View(now, 0.0), current_window(View(now, 0.0)))
    assert (run.active_runs, run.recovered, run.is_told) == (0, None, False)
    later = builders.stream(
        builders.processing("next"), builders.frame("query_complete"), session_id="b", at=310.0
    )
    (run,) = cancelled_runs(
        View(builders.state(*over, *later), 0.0), current_window(View(now, 0.0))
    )
    assert run.recovered is not None


def test_a_run_that_was_well_when_it_was_cancelled_is_no_timeout() -> None:
    over = [
        *stuck(()),
        *builders.stream(builders.frame("text"), *UNWOUND, session_id="a", at=301.0),
        builders.listing(builders.session("a", last_event_seq=13), at=306.0),
    ]
    now = builders.state(*over)
    assert [cancel.session_id for cancel in now.cancels] == ["a"]
    assert cancelled_runs(View(now, 0.0), current_window(View(now, 0.0))) == ()


def test_a_deaf_run_blocks_while_others_wait_and_is_partial_when_nobody_does() -> None:
    deaf: list[Event] = [
        *own_cancel(task_cancelled=False, took_s=5.0),
        *listings(builders.session("a", last_event_seq=9), VICTIM, since=307.0, until=330.0),
    ]
    now = builders.state(*stuck(), *deaf)
    (run,) = stuck_runs_in(View(now, 331.0))
    assert (run.is_deaf, run.waiting) == (True, 1)
    assert word(now, 331.0) == Word.BLOCKED_EXECUTION_PIPELINE
    (alarm,) = [alarm for alarm in assess(View(now, 331.0)).safety if alarm.head]
    assert "a second cancel is useless" in alarm.cure
    alone = builders.state(*stuck(()), *own_cancel(task_cancelled=False, took_s=5.0),
                  builders.listing(builders.session("a", last_event_seq=9), at=330.0))  # fmt: skip
    assert word(alone, 331.0) == Word.PARTIAL_TIMEOUT_RECOVERED


def test_a_listing_that_came_before_the_answer_does_not_hide_that_it_is_deaf() -> None:
    asked, answered = own_cancel(task_cancelled=False, took_s=5.5)
    cleared = builders.listing(builders.session("a", last_event_seq=9), VICTIM, at=305.8)
    now = builders.state(*stuck(), asked, cleared, answered, cleared._replace(at=309.0))
    assert stuck_runs_in(View(now, 310.0))[0].is_deaf


def test_an_answer_that_comes_at_once_was_about_nothing() -> None:
    idle: list[Event] = [
        builders.healthy(),
        builders.linked(session_id="a"),
        builders.listing(builders.session("a"), at=300.0),
    ]
    now = builders.state(
        *idle,
        *own_cancel(task_cancelled=False, took_s=0.1),
        builders.listing(builders.session("a"), at=303),
    )
    assert stuck_runs_in(View(now, 304.0)) == ()
    assert cancelled_runs(View(now, 0.0), current_window(View(now, 0.0))) == ()


def test_one_that_was_cancelled_in_an_earlier_window_is_no_fact_of_this_one() -> None:
    now = builders.state(*stuck(()))
    window = current_window(View(now, 0.0))._replace(
        opened_at=builders.NOW + timedelta(seconds=400)
    )
    hit = Cancel("a", 301.0, None, was_stuck=True, recovered_at=310.0)
    assert cancelled_runs(View(state_with(now, hit), 0.0), window) == ()
    earlier = window._replace(opened_at=builders.NOW)
    assert len(cancelled_runs(View(state_with(now, hit), 0.0), earlier)) == 1


def test_a_recovery_that_is_awaited_is_a_fact_of_a_window_opened_since() -> None:
    # Recording opens a proposed window: its cancels are older than it.
    now = builders.state(*stuck(()))
    window = current_window(View(now, 0.0))._replace(
        opened_at=builders.NOW + timedelta(seconds=400)
    )
    hit = Cancel("a", 301.0, None, was_stuck=True, cleared_at=304.0)
    assert len(cancelled_runs(View(state_with(now, hit), 0.0), window)) == 1


def test_an_end_that_was_heard_goes_before_a_listing_of_earlier() -> None:
    now = builders.state(*stuck(()), *builders.stream(*UNWOUND, session_id="a", at=301.0))
    assert now.sessions["a"].active_runs == 1
    assert word(now, 301.5) == Word.PARTIAL_TIMEOUT_RECOVERED


def state_with(now: State, cancel: Cancel) -> State:
    return replace(now, cancels=(cancel,))


class TestGuardrail:
    def test_a_stuck_run_that_nobody_cancelled_is_told(self) -> None:
        recovery = assess(View(builders.state(*stuck()), 302.0)).guardrails.cancel_recovery
        assert recovery.state == "NONE SENT: a hangs"

    def test_an_unconfirmed_cancel_is_an_entry_of_the_safety_line_until_a_turn_completes(
        self,
    ) -> None:
        sent = [
            *stuck(()),
            CancelRequested(301.0, "a", "stuck", "bo"),
            *builders.stream(*UNWOUND, session_id="a", at=301.1),
            builders.listing(builders.session("a", last_event_seq=12), at=305.0),
        ]
        now = builders.state(*sent)
        assert assess(View(now, 420.0)).safety == ()
        (alarm,) = assess(View(now, 421.0)).safety
        assert (alarm.alarm, alarm.key, alarm.subject) == ("cancel unconfirmed", "u", "a")
        told = status_object(View(now, 421.0))
        assert told["guardrails"]["cancel_recovery"] == {"state": "UNCONFIRMED: a", "pending": 1}
        assert told["safety"][0]["reason"] == "a, cancelled 02:05:01Z: no later turn completed"
        later = builders.stream(
            builders.processing("next"), builders.frame("query_complete"), session_id="b", at=430.0
        )
        healed = assess(View(builders.state(*sent, *later), 440.0))
        assert healed.safety == ()
        assert healed.guardrails.cancel_recovery.is_quiet

    def test_own_cancels_of_stuck_runs_are_partial_until_confirmed(self) -> None:
        sent = [*stuck(()), *own_cancel(task_cancelled=True, took_s=0.2),
                builders.listing(builders.session("a", last_event_seq=12), at=304.0)]  # fmt: skip
        suggestion = assess(View(builders.state(*sent), 305.0)).suggestion
        assert suggestion is not None
        assert suggestion.decision == Word.PARTIAL_TIMEOUT_RECOVERED
        assert any("not recovered yet" in reason for reason in suggestion.reasons)
        later = builders.stream(
            builders.processing("next"), builders.frame("query_complete"), session_id="b", at=310.0
        )
        confirmed = assess(View(builders.state(*sent, *later), 320.0)).suggestion
        assert confirmed is not None
        assert any("a later turn completed" in reason for reason in confirmed.reasons)
