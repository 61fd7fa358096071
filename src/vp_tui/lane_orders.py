"""What the operator does to the lane: sets a switch, restarts the gateway, probes it.

It runs on the network thread. Everything is told as events, one step after the other, and audited.
In read-only mode there is no actuator and no prober, so nothing can be done: the attempt is audited
like any other. What it comes to is not known here: that is proven by its effect.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.audit import ActionRecord, Step
from vp_tui.domain.events import (
    ProbeStepped,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vp_tui.actuator import Actuator
    from vp_tui.domain.actuation import Actuation
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Dialect
    from vp_tui.domain.probe import Probe
    from vp_tui.domain.switches import Change
    from vp_tui.prober import Prober

RESTART: Final = "restart"
PROBE: Final = "probe"
READ_ONLY: Final = "read-only: nothing may be changed here"
LEFT: Final = "vp-tui was left before it ended"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Books(NamedTuple):
    """Where what is done is written down."""

    keep: Callable[[ActionRecord], Awaitable[None]]
    """Writes a line of the audit."""
    actor: str
    """In whose name it is done."""
    target: str
    """The gateway's URL."""


class LaneOrders:
    """What may be done to the lane of one gateway.

    One change or restart is under way at a time, and one probe: what is asked for meanwhile is
    refused.
    """

    def __init__(
        self,
        actuator: Actuator | None,
        prober: Prober | None,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        books: Books,
        wall: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._actuator = actuator
        self._prober = prober
        self._emit = emit
        self._clock = clock
        self._books = books
        self._wall = wall
        self._doing: str | None = None
        """The change or restart that is under way, in words."""

    async def change(self, change: Change, reason: str) -> None:
        """Set a switch of the lane; answered by SwitchAsked, then SwitchActed."""
        await self._act(
            change.words,
            reason,
            SwitchAsked(self._clock(), change, self._books.actor, reason),
            lambda actuator: actuator.change(change),
            SwitchActed,
        )

    async def restart(self, reason: str) -> None:
        """Restart the gateway; answered by RestartAsked, then RestartActed."""
        await self._act(
            RESTART,
            reason,
            RestartAsked(self._clock(), self._books.actor, reason),
            lambda actuator: actuator.restart(),
            RestartActed,
        )

    async def probe(self, prompt: str, dialect: Dialect | None) -> None:
        """Run a probe to its end; answered by ProbeStepped for each of its steps."""
        prober = self._prober
        if prober is None or prober.is_running:
            why = READ_ONLY if prober is None else "another probe is under way"
            await self._refuse(PROBE, "", why)
            return
        at, result, newest = self._wall(), LEFT, None
        try:
            async with aclosing(prober.run(prompt, dialect)) as probes:
                async for probe in probes:
                    newest = probe
                    self._emit(ProbeStepped(self._clock(), probe))
            result = "unknown" if newest is None else str(newest.outcome)
        finally:
            await self._note_probe(at, newest, result)

    async def _act(
        self,
        action: str,
        reason: str,
        asked: Event,
        work: Callable[[Actuator], Awaitable[Actuation]],
        acted: Callable[[float, Actuation], Event],
    ) -> None:
        if self._actuator is None or self._doing is not None:
            why = READ_ONLY if self._actuator is None else f"{self._doing} is under way"
            await self._refuse(action, reason, why)
            return
        self._doing, at = action, self._wall()
        self._emit(asked)
        try:
            done = await work(self._actuator)
        except asyncio.CancelledError:
            left = Step(self._wall(), "left", f"{LEFT}: what it runs goes on")
            await self._note(at, action, reason, (left,), "unknown")
            raise
        finally:
            self._doing = None
        self._emit(acted(self._clock(), done))
        await self._note(at, action, reason, done.steps, _result_of(done))

    async def _refuse(self, action: str, reason: str, why: str) -> None:
        await self._note(self._wall(), action, reason, (), f"refused: {why}")

    async def _note_probe(self, at: datetime, probe: Probe | None, result: str) -> None:
        steps = () if probe is None else probe_steps(probe, self._clock(), self._wall())
        target = (probe.session_id if probe else None) or self._books.target
        await self._books.keep(
            ActionRecord(at, self._books.actor, PROBE, target, "", steps, result)
        )

    async def _note(
        self, at: datetime, action: str, reason: str, steps: tuple[Step, ...], result: str
    ) -> None:
        target = self._books.target
        record = ActionRecord(at, self._books.actor, action, target, reason, steps, result)
        await self._books.keep(record)


def probe_steps(probe: Probe, now: float, wall: datetime) -> tuple[Step, ...]:
    """Return a probe's steps as the audit has them; `now` is the monotonic clock at `wall`."""
    steps = tuple(
        Step(wall - timedelta(seconds=now - each.at), each.step, each.detail)
        for each in probe.steps
    )
    return (*steps, Step(wall, "given up", probe.reason)) if probe.reason else steps


def _result_of(done: Actuation) -> str:
    """Return what the actuator did; whether it has an effect is another matter."""
    if done.failure is not None:
        return f"failed: {done.failure.reason}"
    if not done.is_carried_out:
        return "by hand: nothing was done"
    if done.needs_restart:
        return "written, not in force until the gateway restarts"
    return "carried out, effect unconfirmed"
