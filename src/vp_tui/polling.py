"""Polling one source for ever: one request in flight, jittered, backing off while it fails."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vp_tui.gateway.errors import GatewayError, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BACK_OFF_CAP_S: Final = 4.0
UNAUTHORIZED_RETRY_S: Final = 30.0
JITTER: Final = 0.1
_DOUBLINGS: Final = 8


def poll_delay(interval_s: float, failures: int, *, jitter: float) -> float:
    """Return the seconds until the next poll after `failures` failed ones in a row.

    Failing doubles the interval up to BACK_OFF_CAP_S, or the interval itself where that is longer.
    `jitter` is a random number in -1..1 that moves the result by at most a tenth.
    """
    cap = max(interval_s, BACK_OFF_CAP_S)
    return min(interval_s * 2.0 ** min(failures, _DOUBLINGS), cap) * (1 + JITTER * jitter)


@dataclass
class Pace:
    """What all pollers share: the clock, chance, the operator's poll rate, a way to wake them."""

    clock: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)
    factor: float = 1.0
    wakes: int = 0
    """How often `wake` was called: a poller that was asking meanwhile asks again at once."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """End every pause now: the tokens or the rate changed."""
        self.wakes += 1
        self._woken.set()
        self._woken = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the next `wake`."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return


@dataclass
class Poller:
    """Asks one source for ever.

    `ask` emits what it got and may return the seconds after which it wants to ask again, instead
    of `interval_s`. Its GatewayErrors go to `on_failure`; anything else is a bug and ends the
    feeds.
    """

    ask: Callable[[], Awaitable[float | None]]
    interval_s: float
    pace: Pace
    on_answer: Callable[[], None]
    on_failure: Callable[[GatewayError], None]
    failures: int = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            wakes = self.pace.wakes
            delay_s = await self.poll()
            if self.pace.wakes == wakes:
                await self.pace.pause(delay_s)

    async def poll(self) -> float:
        """Ask once; return the seconds until the next time."""
        interval_s = self.interval_s
        try:
            interval_s = await self.ask() or interval_s
        except Unauthorized as error:
            self.on_failure(error)
            return UNAUTHORIZED_RETRY_S
        except GatewayError as error:
            self.on_failure(error)
            self.failures += 1
        else:
            self.failures = 0
            self.on_answer()
        jitter = self.pace.chance.uniform(-1, 1)
        return poll_delay(interval_s * self.pace.factor, self.failures, jitter=jitter)
