"""The auto-revert: a machine of seconds, trips and keys."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from vp_tui.domain.lane.auto_revert import (
    COUNTDOWN_S,
    LATE_S,
    UNCLAIMED,
    UNREAD,
    YOU,
    AutoRevert,
    Circumstances,
    Phase,
    in_words,
    news,
    step_auto_revert,
    stopped,
)
from vp_tui.domain.vocabulary import RevertMode

TRIP = "3 of the last 20 fell back"
CLAIMED = AutoRevert(bar=None)
ON = "its switch is on already"
ARMED, DRY, OFF = RevertMode.ARMED, RevertMode.DRY_RUN, RevertMode.OFF


def seen(trip: str | None = TRIP, mode: RevertMode = ARMED, **fields: Any) -> Circumstances:  # noqa: ANN401 - fields of Circumstances
    return Circumstances(mode, trip, **fields)


def after(
    *steps: Circumstances, revert: AutoRevert = CLAIMED, at: float = 100.0
) -> list[AutoRevert]:
    """Return the states after steps a second apart."""
    states = []
    for index, each in enumerate(steps):
        revert = step_auto_revert(revert, each, at + index)
        states.append(revert)
    return states


def counting(seconds: int = 1) -> AutoRevert:
    """Return the state after so many seconds of a trip."""
    return after(*[seen()] * seconds)[-1]


@pytest.mark.parametrize(
    ("look", "phase", "why"),
    [
        (seen(None, OFF), Phase.OFF, ""),
        (seen(TRIP, OFF), Phase.OFF, ""),
        (seen(None, DRY), Phase.WATCHING, ""),
        (seen(TRIP, DRY), Phase.DRY_RUN, ""),
        (seen(TRIP, DRY, obstacle="no actuator"), Phase.DRY_RUN, "no actuator"),
        (seen(None, DRY, already=ON), Phase.WATCHING, ""),
        (seen(TRIP, DRY, already=ON), Phase.IMPOSSIBLE, ON),
        (seen(None), Phase.ARMED, ""),
        (seen(TRIP), Phase.COUNTING, ""),
        (seen(None, obstacle="no actuator"), Phase.IMPOSSIBLE, "no actuator"),
        (seen(TRIP, obstacle="no actuator"), Phase.IMPOSSIBLE, "no actuator"),
        (seen(TRIP, already=ON, obstacle="no actuator"), Phase.IMPOSSIBLE, ON),
    ],
)
def test_what_a_first_look_leads_to(look: Circumstances, phase: Phase, why: str) -> None:
    (found,) = after(look)
    assert (found.phase, found.why, found.bar) == (phase, why, None)


@pytest.mark.parametrize("mode", [OFF, DRY])
def test_only_what_is_armed_forces_anything(mode: RevertMode) -> None:
    phases = {each.phase for each in after(*[seen(mode=mode)] * 60)}
    assert not phases & {Phase.COUNTING, Phase.REVERTED}


def test_the_countdown_lasts_ten_seconds_and_forces_once() -> None:
    states = after(*[seen()] * 30)
    assert [each.left_s for each in states[:10]] == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert {each.phase for each in states[:10]} == {Phase.COUNTING}
    assert {each.phase for each in states[10:]} == {Phase.REVERTED}
    assert states[10].trip == TRIP


def test_once_it_has_reverted_it_is_disarmed_for_good() -> None:
    (*_, spent) = after(*[seen()] * 11)
    again = after(*[seen(None)] * 3, *[seen("2 missions in a row failed")] * 30, revert=spent)
    assert set(again) == {spent}


def test_a_countdown_that_is_stopped_stays_so_until_the_trip_is_over() -> None:
    halted = stopped(counting(4), "ana@laptop")
    assert (halted.phase, halted.why) == (Phase.STOPPED, "ana@laptop")
    worse = seen("4 of the last 20 fell back")
    assert {each.phase for each in after(*[worse] * 60, revert=halted)} == {Phase.STOPPED}
    assert [each.phase for each in after(seen(None), seen(), revert=halted)] == [
        Phase.ARMED,
        Phase.COUNTING,
    ]


@pytest.mark.parametrize("revert", [CLAIMED, *after(seen(None)), *after(seen(mode=DRY))])
def test_there_is_nothing_to_stop_but_a_countdown(revert: AutoRevert) -> None:
    assert stopped(revert, "ana@laptop") is revert


def test_a_trip_that_ends_in_time_forces_nothing_and_the_next_counts_anew() -> None:
    states = after(*[seen()] * 9, seen(None), seen())
    assert [each.phase for each in states[-2:]] == [Phase.ARMED, Phase.COUNTING]
    assert states[-1].left_s == COUNTDOWN_S


@pytest.mark.parametrize("between", [seen(already=ON), seen(obstacle="no actuator")])
def test_what_comes_in_between_ends_the_countdown(between: Circumstances) -> None:
    states = after(*[seen()] * 9, between, *[seen()] * 2)
    assert [each.phase for each in states[-3:]] == [
        Phase.IMPOSSIBLE,
        Phase.COUNTING,
        Phase.COUNTING,
    ]
    assert states[-2].left_s == COUNTDOWN_S


def test_seconds_in_which_the_screen_stood_still_do_not_count() -> None:
    before = counting(5)
    late = step_auto_revert(before, seen(), before.seen_at + 3600.0)
    assert late.phase is Phase.COUNTING
    assert before.left_s - LATE_S <= late.left_s < before.left_s


def test_a_step_that_is_a_little_late_counts_in_full() -> None:
    before = counting(5)
    assert step_auto_revert(before, seen(), before.seen_at + 2.0).left_s == before.left_s - 2


def test_who_may_act_is_kept_through_every_step() -> None:
    barred = AutoRevert(bar="pid 7 has it")
    for look in (seen(None), seen(), seen(mode=DRY), seen(obstacle="pid 7 has it")):
        assert step_auto_revert(barred, look, 1.0).bar == "pid 7 has it"


def told(*states: AutoRevert, first: AutoRevert = CLAIMED) -> list[str]:
    """Return the news of a row of states."""
    found = []
    for before, now in zip((first, *states), states, strict=False):
        if (said := news(before, now)) is not None:
            found.append(said)
    return found


def test_the_news_of_a_revert_come_once_each() -> None:
    assert told(*after(seen(None), *[seen()] * 40)) == [
        "armed: a trip forces fallback after 10 s",
        "countdown: fallback is forced in 10 s unless esc stops it",
        "the countdown ran out: fallback is forced now, and the auto-revert disarmed",
    ]


def test_the_news_of_a_dry_run_come_once_a_trip() -> None:
    dry, calm = seen(mode=DRY, obstacle="no actuator is configured"), seen(None, DRY)
    said = "dry run: no actuator is configured"
    assert told(*after(calm, *[dry] * 20, calm, *[dry] * 20)) == [said, said]


def test_the_news_of_a_stop_name_who_stopped_it() -> None:
    before = counting(2)
    halted = stopped(before, "ana@laptop")
    assert news(before, halted) == "countdown stopped with esc by ana@laptop: nothing is forced"
    assert news(halted, step_auto_revert(halted, seen(), 200.0)) is None


def test_the_news_of_a_trip_that_ended_in_time() -> None:
    said = "the trip was over before the countdown: nothing was forced"
    assert told(*after(seen(), seen(None)))[1:] == [said]


def test_an_obstacle_is_news_with_a_trip_only_and_once() -> None:
    hindered = seen(obstacle="no actuator")
    steps = [seen(None, obstacle="no actuator")] * 3 + [hindered] * 5 + [seen(already=ON)] * 2
    assert told(*after(*steps)) == [
        "fallback is not forced: no actuator",
        f"fallback is not forced: {ON}",
    ]


@pytest.mark.parametrize("why", [UNCLAIMED, UNREAD])
def test_what_is_only_not_known_yet_is_no_news(why: str) -> None:
    assert told(*after(*[seen(obstacle=why)] * 3)) == []


@pytest.mark.parametrize(
    ("mode", "revert", "words"),
    [
        (OFF, CLAIMED, YOU),
        (DRY, CLAIMED, f"dry run: fallback would be forced now; {YOU}"),
        (DRY, *after(seen(mode=DRY)), f"dry run: fallback would be forced now; {YOU}"),
        (DRY, *after(seen(mode=DRY, already=ON)), f"dry run, but {ON}; {YOU}"),
        (ARMED, CLAIMED, YOU),
        (ARMED, *after(seen(None)), "auto-revert ARMED"),
        (ARMED, counting(4), "auto-revert in 7 s"),
        (ARMED, stopped(counting(), "ana"), f"stopped until the trip is over (ana); {YOU}"),
        (ARMED, counting(11), f"it has acted once and is disarmed; {YOU}"),
        (ARMED, *after(seen(obstacle="no actuator")), f"armed, but no actuator; {YOU}"),
    ],
)
def test_who_reverts_in_words(mode: RevertMode, revert: AutoRevert, words: str) -> None:
    assert in_words(mode, revert, tripped=True) == words


def test_a_dry_run_that_is_not_tripped_says_who_reverts() -> None:
    assert in_words(DRY, *after(seen(None, DRY)), tripped=False) == YOU


HUNG = "the terminal {} hung"
"""Why nobody sees the screen."""


def test_no_countdown_starts_while_nobody_sees_it() -> None:
    states = after(*[seen(unseen=HUNG)] * 60)
    assert {state.phase for state in states} == {Phase.HELD}
    assert (
        news(CLAIMED, states[0]) == f"no countdown: the terminal is hung. Nothing is forced; {YOU}"
    )
    assert {news(*pair) for pair in pairwise(states)} == {None}
    assert in_words(ARMED, states[-1], tripped=True) == (
        f"auto-revert held back: the terminal is hung; {YOU}"
    )


def test_a_countdown_that_nobody_sees_any_more_begins_anew_once_it_is_seen() -> None:
    *_, held = after(*[seen()] * 9, *[seen(unseen=HUNG)] * 130)
    back, *later = after(*[seen()] * 11, revert=held, at=239.0)
    assert (back.phase, back.left_s) == (Phase.COUNTING, 10)
    assert news(held, back) == (
        "a countdown was held back for 2m10: the terminal was hung; "
        "countdown: fallback is forced in 10 s unless esc stops it"
    )
    assert [state.phase for state in later] == [Phase.COUNTING] * 9 + [Phase.REVERTED]


def test_a_trip_that_ends_unseen_is_told() -> None:
    *_, held = after(*[seen(unseen=HUNG)] * 5)
    back, again = after(seen(None), seen(None), revert=held, at=160.0)
    assert news(held, back) == (
        "a countdown was held back for 1m00: the terminal was hung; the trip is over"
    )
    assert (back.phase, again.phase, news(back, again)) == (Phase.ARMED, Phase.ARMED, None)


def test_who_stopped_it_need_not_see_it() -> None:
    *_, was = after(seen(unseen=HUNG), revert=stopped(counting(), "ana"))
    assert was.phase is Phase.STOPPED


def test_a_dry_run_needs_no_eyes() -> None:
    (found,) = after(seen(mode=DRY, unseen=HUNG))
    assert found.phase is Phase.DRY_RUN
