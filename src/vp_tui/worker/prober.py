"""Driving a probe: its requests, its socket and its polls, told step by step.

Only what has Orders can make one: in read-only mode nobody has.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.probe import (
    TIMEOUTS_S,
    MissionsSeen,
    Probe,
    ProbeStep,
    step_probe,
    timed_out,
)
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.models import Failure
from vp_tui.gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping

    from vp_tui.domain.lane.probe import Fact
    from vp_tui.domain.models import Dialect, Mission
    from vp_tui.gateway.orders import Orders


POLL_S: Final = 1.0
"""Between two looks at the metrics, once the turn has ended."""


@dataclass
class Prober:
    """Runs probes on one gateway; lives on one event loop."""

    orders: Orders
    missions: Callable[[], Awaitable[tuple[Mission, ...]]]
    """Asks the metrics; may raise any GatewayError."""
    clock: Callable[[], float] = time.monotonic
    poll_s: float = POLL_S
    timeouts_s: Mapping[ProbeStep, float] = field(default_factory=lambda: TIMEOUTS_S)
    unseen: str | None = None
    """Why nobody sees the screen, with a place for the verb: nothing more is sent meanwhile."""

    async def run(self, prompt: str, dialect: Dialect | None) -> AsyncGenerator[Probe, None]:
        """Run a probe and yield it after each step, the last time when it is over.

        However slowly it is asked, its socket is drained.
        """
        running = _Running(self.clock)
        try:
            known = await self._known()
            at = self.clock()
            probe = Probe(
                prompt, dialect, at, awaited_since=at, known=known, timeouts_s=self.timeouts_s
            )
            yield probe
            running.start(self._execute(prompt, running.tell))
            while not probe.is_over:
                fact = await running.next_fact(probe.deadline)
                changed = timed_out(probe) if fact is None else step_probe(probe, fact)
                has_ended = changed.completed_turn is not None and probe.completed_turn is None
                if has_ended:
                    running.start(self._look(running.tell))
                if changed != probe:
                    probe = changed
                    yield probe
        finally:
            await running.stop()

    async def _known(self) -> frozenset[str] | None:
        try:
            return frozenset(mission.mission_id for mission in await self.missions())
        except GatewayError:
            return None

    async def _execute(self, prompt: str, tell: Callable[[Fact], None]) -> None:
        if self._is_held_back(tell):
            return
        try:
            session_id = await self.orders.create_session()
        except GatewayError as error:
            tell(error.failure)
            return
        tell(ProofStep(self.clock(), ProbeStep.CREATED, session_id))
        if not self._is_held_back(tell):
            await self.orders.execute(session_id, prompt, tell)

    def _is_held_back(self, tell: Callable[[Fact], None]) -> bool:
        """Tell whether nobody sees what it would do next, and end it then."""
        if self.unseen is not None:
            why = f"held back: {self.unseen.format('was')}"
            tell(Failure(why, "probe again once the screen is seen"))
        return self.unseen is not None

    async def _look(self, tell: Callable[[Fact], None]) -> None:
        """Ask the metrics for the mission again and again; an error is no answer, no more."""
        while True:
            asked_at = self.clock()
            with suppress(GatewayError):
                tell(MissionsSeen(asked_at, await self.missions()))
            await asyncio.sleep(self.poll_s)


class _Running:
    """The tasks of a probe, and the facts that they told and nobody has heard yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._facts: asyncio.Queue[Fact | Exception] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def tell(self, fact: Fact) -> None:
        """Take a fact; never blocks."""
        self._facts.put_nowait(fact)

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Run `work` beside; its bug is raised by `next_fact`."""
        self._tasks.append(asyncio.create_task(self._guarded(work)))

    async def next_fact(self, deadline: float) -> Fact | None:
        """Return what comes next; None at the deadline."""
        try:
            async with asyncio.timeout(deadline - self.clock()):
                fact = await self._facts.get()
        except TimeoutError:
            return None
        if isinstance(fact, Exception):
            raise fact
        return fact

    async def stop(self) -> None:
        """Leave the socket and end the polls; what runs in the gateway goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - handed on to who waits for facts
            self._facts.put_nowait(error)
