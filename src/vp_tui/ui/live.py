"""Where a screen has the newest state from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.state import State
    from vp_tui.store import Store


class Live(NamedTuple):
    """The store, and the clock that ages count from."""

    store: Store
    clock: Callable[[], float]

    @property
    def now(self) -> float:
        """The monotonic clock."""
        return self.clock()

    @property
    def state(self) -> State:
        """The newest state."""
        return self.store.state
