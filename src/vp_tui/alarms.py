"""State + now -> what an alarm is raised for, and of what nothing can be told now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.assessment import assess
from vp_tui.domain.alarms import OF_NO_SESSION, Key, Present
from vp_tui.fleet import run_levels
from vp_tui.sources import is_lost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.state import State


class Look(NamedTuple):
    """What is wrong at one moment."""

    present: tuple[Present, ...]
    unknown: frozenset[str]
    """Subjects of which nothing can be told."""


def look(state: State, now: float) -> Look:
    """Return what is wrong at `now`: stuck, deaf and lost runs, and what the SAFETY line has else.

    While the gateway is lost nothing new can be told of the lane.
    """
    lane = tuple(_of_the_lane(state, now))
    found = run_levels(state, now)
    unknown = {session_id for session_id, told in found.items() if told.level is None}
    if is_lost(state):
        unknown |= {f"{OF_NO_SESSION}{name}" for name in _LANE_ALARMS}
    return Look((*lane, *_of_the_runs(state, now)), frozenset(unknown))


_LANE_ALARMS: Final = ("guardrail tripped", "blind rate")


def _of_the_lane(state: State, now: float) -> Iterator[Present]:
    for alarm in assess(state, now).safety:
        if not alarm.head:
            key = Key(alarm.subject or f"{OF_NO_SESSION}{alarm.alarm}", alarm.alarm)
            yield Present(key, alarm.reason, None)


def _of_the_runs(state: State, now: float) -> Iterator[Present]:
    for session_id, told in run_levels(state, now).items():
        if told.level is not None and told.level.is_alarm:
            yield Present(Key(session_id, f"{told.level} run"), told.reason, told.since)
