"""What a screen shows at one moment: the newest state, or the one that was frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vp_tui.safety import Alarm
    from vp_tui.state import State
    from vp_tui.ui.live import Live


class Picture(NamedTuple):
    """What a screen shows, and what is so now whatever it shows."""

    state: State
    now: float
    """On the monotonic clock; of a frozen picture, when it was frozen."""
    frozen_for: float | None
    """Seconds; None while nothing is frozen."""
    safety: tuple[Alarm, ...]
    """As of the newest state."""


def picture_of(live: Live, frozen: tuple[State, float] | None) -> Picture:
    """Return what is shown now; `frozen` is a state and when it was frozen."""
    newest = live.state, live.now
    state, now = frozen or newest
    return Picture(state, now, newest[1] - now if frozen else None, _safety(*newest))


def _safety(state: State, now: float) -> tuple[Alarm, ...]:
    if not state.sources:
        return ()
    from vp_tui.assessment import assess  # noqa: PLC0415 - not needed for the first frame

    return assess(state, now).safety
