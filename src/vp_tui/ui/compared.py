"""The open or proposed window's figures beside the cumulative ones, and the guardrails."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.labels import short_label
from vp_tui.domain.windows import events_of
from vp_tui.selectors import while_same

if TYPE_CHECKING:
    from vp_tui.assessment import Assessment
    from vp_tui.domain.missions import Ledger
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.windows import Window, WindowNumbers
    from vp_tui.selectors import Numbers
    from vp_tui.state import State


class Compared(NamedTuple):
    """All that the figures are drawn from."""

    state: State
    figures: Numbers
    made: Assessment
    events: Counter[str]
    """The window's own, by type; none while the window is unknown."""

    @property
    def own(self) -> WindowNumbers | None:
        """The window's own figures; None while the window is unknown."""
        return None if self.made.window is None else self.made.numbers

    @property
    def window_title(self) -> str:
        """Which window it is: open, proposed or unknown."""
        window = self.made.window
        if window is None:
            return "WINDOW unknown"
        return f"{'WINDOW' if window.is_open else 'PROPOSED'} {short_label(window.label)}"

    @property
    def epoch_title(self) -> str:
        """Which life of the gateway the cumulative figures are of."""
        return f"EPOCH {self.state.epoch.number if self.state.epoch else 'unknown'}"


def compared(state: State, now: float, figures: Numbers, window: Window | None = None) -> Compared:
    """Return the figures of `state`, as of `now`, with what the rules make of them.

    `window` stands in for the current one.
    """
    from vp_tui.assessment import assess  # noqa: PLC0415 - not needed for the first frame

    made = assess(state, now, window)
    return Compared(state, figures, made, _events(made.window, state.ledger, figures.snapshot))


@while_same
def _events(window: Window | None, ledger: Ledger, snapshot: Snapshot) -> Counter[str]:
    if window is None:
        return Counter()
    return events_of(window, ledger.entries.values(), snapshot.events)
