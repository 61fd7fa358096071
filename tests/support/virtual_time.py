"""An event loop whose clock jumps: when nothing is to be done, it is the time of what comes next.

An hour of timers takes as long as what they call, and every run is the same: no thread, no socket,
no clock of the machine. Work that is handed to a thread is done at once, in its turn.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Executor
    from typing import Any, Unpack

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

STARTS_AT: Final = 1_000.0
"""Seconds on the loop's clock when it begins: no clock of a real machine says 0."""
BEGAN: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""The time of day when it begins."""


class NothingWillHappenError(Exception):
    """Everything waits, and for nothing that time brings: a real loop would hang for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs on virtual time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds on the virtual clock, which is monotonic."""
        return self._jumping.now

    def wall(self) -> datetime:
        """Return the virtual time of day, in UTC."""
        return BEGAN + timedelta(seconds=self.time() - STARTS_AT)

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[_Ts]], _T],
        *args: *_Ts,
    ) -> asyncio.Future[_T]:
        """Call `func` here and now: while a thread worked, the clock would run away."""
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is for whoever awaits
            future.set_exception(error)
        return future


def virtual_loop() -> VirtualLoop:
    """Return the running loop, which must be a virtual one."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "run this on virtual time"
    return loop


def run_virtually(main: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end on virtual time, as `asyncio.run` does on the machine's."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def on_virtual_time(test: Callable[_P, Coroutine[Any, Any, None]]) -> Callable[_P, None]:
    """Let an async test run on virtual time."""

    @functools.wraps(test)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        run_virtually(test(*args, **kwargs))

    return run


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing: it is asked to wait only when the loop has nothing else to do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = STARTS_AT

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout is None:
            raise NothingWillHappenError
        if not found and timeout is not None:
            self.now += max(timeout, 0.0)
        return found
