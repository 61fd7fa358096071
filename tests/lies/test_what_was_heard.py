"""Lies that were told of what the streams heard, each with the right value."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.rollout import window

from vp_tui.domain.events import SwitchActed, SwitchAsked, SwitchesRead, WindowsRead
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation, Switches
from vp_tui.domain.runs.turns import BOOTSTRAP
from vp_tui.views.assessment import assess
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.lane import turns_ran, turns_told, unseen_turns
from vp_tui.views.status import status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission

NEXT_BOOT = "2026-11-22T19:59:00"
BRAKED = "2026-11-22T20:00:05"
END = builders.frame("query_complete")
DELEGATED = builders.routed("delegated_to_coder_vp", "m1")


def delegated(count: int) -> list[Mission]:
    return [builders.mission(f"m{n}", started_s=-60.0 - 60.0 * n) for n in range(count)]


def watched(*events: Event, missions: int = 0, now: float = 20.0) -> View:
    """Return the view of an open window in which so many missions ended."""
    opened = window(opened_at=builders.NOW - timedelta(hours=1), anchor=frozenset())
    taken = builders.snapshot(*delegated(missions))
    night: list[Event] = [builders.healthy(), builders.booted(), builders.polled(taken)]
    return View(builders.state(*night, WindowsRead(0.0, (opened,)), *events), now)


def note(view: View) -> str:
    draft = draft_row(view)
    return row_of(draft, Choice("HOLD_SHADOW")).notes


def test_a_row_of_seven_delegated_missions_does_not_say_that_no_coding_turn_was_seen() -> None:
    view = watched(builders.listing(builders.session()), builders.linked(), missions=7)
    assert "turns: at least 7 ran, no beginning heard" in note(view)
    assert "no coding turn" not in note(view)
    routing = status_object(view)["fallback"]["routing"]
    assert (routing["turns_ran"], routing["beginnings_heard"]) == (7, 0)


def test_what_nobody_could_hear_is_not_zero() -> None:
    view = watched(builders.listing(builders.session()), builders.linked(), missions=7)
    assert status_object(view)["fallback"]["unseen"]["bootstrap"] is None
    assert unseen_turns(view) == []


def test_turns_that_ran_stand_beside_the_beginnings_that_were_heard() -> None:
    heard = builders.stream(DELEGATED, builders.processing(), END, at=5.0)
    other = builders.stream(builders.processing("how is the weather?"), END, at=8.0)
    view = watched(builders.linked(), *heard, *other, missions=6)
    assert turns_told(view) == ["at least 7 ran, 2 beginnings heard", "1 of 1 to the VP"]


def test_a_run_that_only_the_listing_shows_is_a_turn_that_ran_and_only_one() -> None:
    running = builders.session(active_runs=1, last_event_seq=4)
    idle = builders.session(active_runs=0, last_event_seq=9)
    listings = [builders.listing(running, at=at) for at in (2.0, 5.0, 8.0)]
    again = [builders.listing(idle, at=11.0), builders.listing(running, at=14.0)]
    assert turns_ran(watched(*listings)).ran == 1
    assert turns_ran(watched(*listings, *again)).ran == 2
    assert turns_told(watched(*listings)) == ["at least 1 ran, no beginning heard"]


def test_what_ran_on_a_v2_is_told_as_the_least_for_no_mission_tells_of_a_turn() -> None:
    """`1 ran` stood beside 12 missions."""
    run = builders.listing(builders.session(active_runs=1, last_event_seq=4), at=2.0)
    view = watched(builders.healthy(dialect="G2"), run, missions=12)
    assert turns_told(view) == ["at least 1 ran, no beginning heard"]
    assert turns_told(view, is_brief=True) == ["none of at least 1 heard"]


def test_a_turn_that_was_heard_and_listed_is_one() -> None:
    running = builders.session(active_runs=1, last_event_seq=4)
    begun = builders.stream(DELEGATED, builders.processing(), at=5.0)
    ended = builders.stream(END, at=12.0)
    late = builders.listing(running, at=12.5)
    view = watched(builders.linked(), *begun, builders.listing(running, at=8.0), *ended, late)
    assert tuple(turns_ran(view)) == (1, 1)


def test_no_coding_intent_is_no_likely_cause_where_turns_were_not_heard() -> None:
    running = builders.session(active_runs=1, last_event_seq=4)
    view = watched(builders.listing(running, at=2.0), builders.linked(at=2.5))
    cause = next(cause for cause in assess(view).causes if cause.name == "no coding intent")
    assert not cause.speaks_for


def test_a_restart_does_not_empty_the_windows_own_tally() -> None:
    before = builders.stream(builders.routed(BOOTSTRAP), builders.processing(), END, at=3.0)
    since = builders.stream(DELEGATED, builders.processing(), END, at=9.0)
    restarted = builders.booted(NEXT_BOOT, 6.0)
    view = watched(builders.linked(), *before, restarted, *since, missions=4)
    heard = "2 beginnings heard (1 before the restart, 1 since)"
    assert turns_told(view)[0] == f"at least 5 ran, {heard}"
    assert status_object(view)["fallback"]["unseen"]["bootstrap"] == 1
    assert assess(view).is_clean is False


def test_turns_of_the_window_before_are_not_this_windows() -> None:
    heard = builders.stream(builders.routed(BOOTSTRAP), builders.processing(), END, at=3.0)
    begun = builders.stream(DELEGATED, builders.processing(), session_id="session_b", at=4.0)
    opened = window(label="Broadened rollout window #6", opened_at=builders.NOW, anchor=None)
    view = watched(builders.linked(), *heard, *begun, WindowsRead(5.0, (opened,)))
    assert tuple(turns_ran(view)) == (1, 1), "the one that is under way ends in it"
    assert view.state.routing.bootstrap == 0


def silent(at: float) -> list[Event]:
    return [*builders.stream(builders.processing(), END, at=at)]


def test_a_silent_turns_cause_is_told_by_the_mode_of_its_time() -> None:
    asked = SwitchAsked(4.0, FORCE_FALLBACK, "ana@laptop")
    forced: list[Event] = [asked, SwitchActed(4.5, Actuation(())), builders.booted(BRAKED, 5.0)]
    view = watched(builders.linked(), *silent(2.0), *forced, *silent(9.0))
    told = unseen_turns(view)
    assert "1 unexplained" in told
    assert "1 by forced fallback" in told


@pytest.mark.parametrize("later", [Switches(lane=True), Switches(lane=False)])
def test_what_the_env_file_says_later_changes_no_silent_turns_cause(later: Switches) -> None:
    read = SwitchesRead(1.0, Switches(lane=False), builders.NOW - timedelta(days=1))
    now = SwitchesRead(9.0, later, builders.NOW - timedelta(days=1))
    told = unseen_turns(watched(builders.linked(), read, *silent(4.0), now))
    assert "1 as the lane was off" in told
