"""The line of the alarms: since when the newest goes on, and who has seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.ui.paint import Line, age, cut, join

if TYPE_CHECKING:
    from vp_tui.state import State


def alarm_lines(state: State, now: float, width: int) -> list[Line]:
    """Return one line while there are alarms, none otherwise; unseen ones go before seen ones."""
    if not state.alarms:
        return []
    first = next((a for a in state.alarms if a.acknowledged is None), state.alarms[0])
    rang = f"{state.clock.wall_at(first.raised_at):%H:%M:%SZ}, {age(now - first.raised_at)} ago"
    more = f"  +{len(state.alarms) - 1} more" if len(state.alarms) > 1 else ""
    if first.acknowledged is None:
        seen: Line = (("seen by nobody: a", "warn"),)
    else:
        at = f"{state.clock.wall_at(first.acknowledged.at):%H:%M:%SZ}"
        seen = ((f"seen by {first.acknowledged.actor} {at}", "dim"),)
    tone: Line = ((f"! alarm {first.key.kind}", "bad"), (f" {rang}  ", "plain"))
    return [cut(join(tone, seen, more), width)]
