"""The lookout: judges the state once a second, rings, and is the auto-revert's hands.

What it judged is an event: alarms are raised and counted, and the auto-revert is stepped, by the
reducer. Only a screen steps the auto-revert: headless commands look once and revert nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from vp_tui.domain.events import Looked, Tick
from vp_tui.domain.lane.auto_revert import Phase, news
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Change
from vp_tui.views.alarms import present_alarms, unknown_subjects
from vp_tui.views.auto_revert import circumstances

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.auto_revert import AutoRevert
    from vp_tui.domain.runs.alarms import Alarm
    from vp_tui.views.view import Live, View


AUTO_REVERT: Final = "auto-revert"
"""The action's name in the audit."""


class Hands(Protocol):
    """What the lookout acts by."""

    def change_switch(self, change: Change, reason: str) -> None:
        """Set a switch of the lane by the operator's actuator."""

    def note(self, action: str, reason: str, result: str) -> None:
        """Write into the audit what vp-tui did by itself, or would have done."""

    def ring(self, alarms: tuple[Alarm, ...]) -> None:
        """Run the operator's command for these alarms."""


def judged(view: View, *, reverts: bool = False) -> tuple[Event, ...]:
    """Return what a look judges; nothing before any source has answered or failed.

    `reverts` tells whether the auto-revert is stepped.
    """
    if not view.state.sources:
        return ()
    decides = circumstances(view) if reverts else None
    return (Looked(view.now, present_alarms(view), unknown_subjects(view), decides),)


class Lookout:
    """Looks at one store."""

    def __init__(self, live: Live, hands: Hands, wall: Callable[[], datetime]) -> None:
        """`wall` is the time in UTC."""
        self._live = live
        self._hands = hands
        self._wall = wall

    def look(self) -> tuple[Alarm, ...]:
        """Let a second pass: ages grow. Return the alarms that are new."""
        view = self._live.look()
        known = {alarm.key for alarm in view.state.alarms}
        self._live.store.apply(Tick(view.now, self._wall()), *judged(view, reverts=True))
        after = self._live.state
        act_on_revert(view.state.auto_revert, after.auto_revert, self._hands)
        new = tuple(alarm for alarm in after.alarms if alarm.key not in known)
        if new:
            self._hands.ring(tuple(sorted(new, key=lambda alarm: alarm.key)))
        return new


def act_on_revert(before: AutoRevert, after: AutoRevert, hands: Hands) -> None:
    """Audit what is news of a step, and force fallback when the countdown has run out."""
    told = news(before, after)
    if told is None:
        return
    hands.note(AUTO_REVERT, after.trip or before.trip or "", told)
    if after.phase is Phase.REVERTED:
        hands.change_switch(FORCE_FALLBACK, f"auto-revert: {before.trip}")
