"""A View: a state at a moment, and what follows from both, each fact computed at most once.

One is made for each state that is published; every line, dialog, row, status object and text is
made of it. What is expensive and hangs on a part of the state alone is taken over from the View
before, while that part is the same object: states share what did not change.
"""

from __future__ import annotations

from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.rollout.windows import Window
    from vp_tui.state.state import State
    from vp_tui.state.store import Store

_P = ParamSpec("_P")
_R = TypeVar("_R")


class View:
    """What is so at one moment. Nothing of it changes once it was computed."""

    __slots__ = ("_as_if", "_facts", "_kept", "now", "state", "window")

    def __init__(
        self, state: State, now: float, before: View | None = None, window: Window | None = None
    ) -> None:
        """`now` is the monotonic clock, in seconds; `window` stands in for the current one."""
        self.state = state
        self.now = now
        self.window = window
        self._facts: dict[tuple[object, ...], Any] = {}
        self._kept: dict[object, tuple[tuple[object, ...], Any]] = {}
        self._as_if: View | None = None
        if before is not None:
            self._kept |= before._kept  # noqa: SLF001 - another View's
            if before.state is state:
                self._as_if = before._as_if  # noqa: SLF001 - as above

    @property
    def wall(self) -> datetime:
        """The UTC time of `now`."""
        return self.wall_at(self.now)

    def wall_at(self, at: float) -> datetime:
        """Return the UTC time of a moment on the monotonic clock."""
        return self.state.clock.wall_at(at)

    def as_if(self, window: Window) -> View:
        """Return what would be so if `window` were the current one."""
        last = self._as_if
        if last is None or (last.now, last.window) != (self.now, window):
            last = self._as_if = View(self.state, self.now, last or self, window)
        return last

    def once(self, compute: Callable[..., _R], *inputs: object) -> _R:
        """Return `compute(self, *inputs)`, which this View computes at most once."""
        key = (compute, *inputs)
        if key not in self._facts:
            self._facts[key] = compute(self, *inputs)
        return cast("_R", self._facts[key])

    def same(self, compute: Callable[..., _R], *inputs: object) -> _R:
        """Return `compute(*inputs)`, taken over from the View before for the same inputs."""
        known = self._kept.get(compute)
        if known is None or not _is(known[0], inputs):
            known = self._kept[compute] = (inputs, compute(*inputs))
        return cast("_R", known[1])


class Live:
    """The newest state's View, of one store."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        """`clock` is the monotonic one, in seconds."""
        self.store = store
        self._clock = clock
        self._view = View(store.state, clock())

    @property
    def now(self) -> float:
        """The monotonic clock."""
        return self._clock()

    @property
    def state(self) -> State:
        """The newest state."""
        return self.store.state

    @property
    def view(self) -> View:
        """What is so in the newest state, as of when it was first looked at."""
        return self._view if self._view.state is self.store.state else self.look()

    def look(self) -> View:
        """Return what is so in the newest state at this moment."""
        self._view = View(self.store.state, self._clock(), self._view)
        return self._view


def fact(compute: Callable[Concatenate[View, _P], _R]) -> Callable[Concatenate[View, _P], _R]:
    """Make of a function of a View, and of what can be hashed, a fact that is computed once."""

    @wraps(compute)
    def once(view: View, /, *inputs: _P.args, **_none: _P.kwargs) -> _R:
        return view.once(compute, *inputs)

    return once


def _is(one: object, other: object) -> bool:
    """Tell whether two inputs are the same object, or plain values that are equal."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_is, one, other))
    return isinstance(one, datetime | frozenset | str | int) and one == other
