"""What a cancel may hit, and whether it is still what was shown."""

# ruff: noqa: ANN401 - the fields that a test names have the types of the value that is made

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders

from vp_tui.domain.events import CancelAnswered, CancelFailed, CancelRequested
from vp_tui.domain.models import CancelAnswer, Failure
from vp_tui.views.stuck_runs import (
    cancellable,
    own_pending,
    row_of_session,
    why_changed,
    why_no_cancel,
)
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.state.state import State
    from vp_tui.views.runs import RunRow

LANE = "vp_coder_primary"
ASKED = CancelRequested(20.0, "a", "stuck", "ana@laptop")
IN_DOUBT = Failure("no answer", "look first", is_uncertain=True)


def busy(name: str = "a", **fields: Any) -> Any:
    return builders.session(name, active_runs=1, **fields)


def running(*more: Event) -> list[Event]:
    """Return a turn of a, heard from its beginning and counted, and idle sessions."""
    return [
        builders.healthy(),
        builders.booted(),
        *(builders.linked(session_id=name) for name in "ab"),
        *builders.stream(
            builders.processing(),
            builders.frame("tool_call", "Bash npm i", tool="Bash"),
            session_id="a",
            at=1.0,
        ),
        builders.listing(busy(), builders.session("b"), busy(LANE), at=3.0),
        *more,
    ]


def captured(now: State, at: float = 10.0, session_id: str = "a") -> RunRow:
    row = row_of_session(View(now, at), session_id)
    assert row is not None
    return row


class TestWhatMayBeHit:
    def test_a_run_may(self) -> None:
        assert why_no_cancel(View(builders.state(*running()), 10.0), "a") is None

    @pytest.mark.parametrize(
        ("session_id", "why"),
        [
            (None, "no session is selected"),
            ("b", "it runs nothing: there is nothing to cancel"),
            (LANE, "that is the lane's own directory, not a session"),
            ("c", "c is not listed any more"),
        ],
    )
    def test_nothing_else_may(self, session_id: str | None, why: str) -> None:
        told = why_no_cancel(View(builders.state(*running()), 10.0), session_id)
        assert told is not None
        assert told.startswith(why)

    def test_a_turn_that_was_heard_to_end_is_none_though_the_listing_has_it(self) -> None:
        ended = builders.stream(builders.frame("query_complete"), session_id="a", at=9.0)
        assert why_no_cancel(View(builders.state(*running(*ended)), 10.0), "a") is not None

    def test_a_turn_that_is_heard_is_one_though_the_listing_has_it_not_yet(self) -> None:
        begun = builders.stream(builders.processing("next"), session_id="b", at=9.0)
        assert why_no_cancel(View(builders.state(*running(*begun)), 10.0), "b") is None

    def test_a_deaf_run_is_not_cancelled_twice(self) -> None:
        answer = CancelAnswered(25.0, "a", CancelAnswer("a", "x", False, None, 5.0))
        now = builders.state(
            *running(ASKED, answer, builders.listing(builders.session("a"), at=27.0))
        )
        told = why_no_cancel(View(now, 28.0), "a")
        assert told is not None
        assert "a second is useless" in told
        assert own_pending(View(now, 0.0), "a") is not None

    def test_while_one_is_on_its_way_there_is_no_second(self) -> None:
        told = why_no_cancel(View(builders.state(*running(ASKED)), 23.0), "a")
        assert told == "a cancel of it is on its way, asked for 3s ago"

    def test_after_one_that_failed_there_is(self) -> None:
        for failure in (Failure("401", "a token"), IN_DOUBT):
            now = builders.state(*running(ASKED, CancelFailed(21.0, "a", failure)))
            assert why_no_cancel(View(now, 23.0), "a") is None

    def test_somebody_else_s_is_waited_for_but_not_for_ever(self) -> None:
        now = builders.state(
            *running(*builders.stream(builders.frame("cancelled"), session_id="a", at=20.0))
        )
        told = why_no_cancel(View(now, 23.0), "a")
        assert told == "it was cancelled 3s ago: wait whether it hears"
        assert why_no_cancel(View(now, 51.0), "a") is None

    def test_all_that_may_be_hit_are_listed_for_all_at_once(self) -> None:
        events = running(*builders.stream(builders.processing("next"), session_id="b", at=9.0))
        assert {
            target.session.session_id for target in cancellable(View(builders.state(*events), 10.0))
        } == {
            "a",
            "b",
        }


class TestWhetherItIsTheSame:
    def test_it_is_while_it_goes_on(self) -> None:
        target = captured(builders.state(*running()))
        more = builders.stream(builders.frame("text"), session_id="a", at=11.0)
        assert why_changed(target, View(builders.state(*running(*more)), 12.0)) is None

    def test_another_turn_is_another_target(self) -> None:
        target = captured(builders.state(*running()))
        another = builders.stream(
            builders.frame("query_complete"), builders.processing("next"), session_id="a", at=11.0
        )
        again = builders.listing(busy(), at=13.5)
        told = why_changed(target, View(builders.state(*running(*another, again)), 14.0))
        assert told == "the run that was shown has ended, another one runs: look at it first"

    def test_one_whose_end_was_not_heard_is_told_by_its_other_query(self) -> None:
        target = captured(builders.state(*running()))
        another = builders.stream(builders.processing("something else"), session_id="a", at=11.0)
        assert why_changed(target, View(builders.state(*running(*another)), 14.0)) is not None

    def test_a_run_that_has_ended_is_none(self) -> None:
        target = captured(builders.state(*running()))
        ended = builders.stream(builders.frame("query_complete"), session_id="a", at=11.0)
        told = why_changed(target, View(builders.state(*running(*ended)), 12.0))
        assert told == "it runs nothing: there is nothing to cancel"

    def test_a_session_that_is_gone_is_none(self) -> None:
        target = captured(builders.state(*running()))
        now = builders.state(*running(builders.listing(builders.session("b"), at=6.0)))
        assert why_changed(target, View(now, 7.0)) == "the session is gone"

    def test_a_queued_one_that_gets_its_turn_is_the_same(self) -> None:
        queued = running(builders.listing(busy(), busy("b"), at=6.0))
        target = captured(builders.state(*queued), session_id="b")
        begun = builders.stream(builders.processing("at last"), session_id="b", at=11.0)
        assert why_changed(target, View(builders.state(*queued, *begun), 12.0)) is None

    def test_one_that_the_listing_counts_now_too_is_the_same(self) -> None:
        heard = running(*builders.stream(builders.processing("next"), session_id="b", at=9.0))
        target = captured(builders.state(*heard), session_id="b")
        counted = builders.listing(busy(), busy("b"), at=10.5)
        assert why_changed(target, View(builders.state(*heard, counted), 12.0)) is None

    def test_a_restart_in_between_makes_it_another(self) -> None:
        target = captured(builders.state(*running()))
        again: list[Event] = [
            builders.linked(session_id="a", at=11.5),
            builders.booted("2026-11-22T20:00:00", at=12.0),
            builders.listing(busy(), at=13.0),
        ]
        assert why_changed(target, View(builders.state(*running(*again)), 14.0)) is not None
