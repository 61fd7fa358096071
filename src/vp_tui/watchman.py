"""Looks for alarms once a second, whatever the screen shows, and tells which of them ring now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.alarms import raised
from vp_tui.domain.events import AlarmsFollowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.alarms import Alarm
    from vp_tui.domain.events import Event
    from vp_tui.state import State


def watched(
    state: State, now: float, ring: Callable[[tuple[Alarm, ...]], None]
) -> tuple[Event, ...]:
    """Return what a look at `now` changes of the alarms; `ring` is called with those that are new.

    Before any source has answered or failed there is nothing to be alarmed by.
    """
    if not state.sources:
        return ()
    from vp_tui.alarms import look  # noqa: PLC0415 - not needed for the first frame

    seen = look(state, now)
    found = raised(state.alarms, seen.present, now, unknown=seen.unknown)
    if found.new:
        ring(found.new)
    return () if found.alarms == state.alarms else (AlarmsFollowed(now, found.alarms),)
