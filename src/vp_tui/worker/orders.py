"""Carries out what the operator asked for: cancels, switches, restarts, probes. Each is audited.

It runs on the network thread. Each order is done once; everything is told as events, one step after
the other. In read-only mode there are no `orders`, no actuator and no prober, so nothing can be
sent or done: the attempt is told and audited like any other. What an order comes to is not known
here: that is proven by its effect.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.audit import ActionRecord, ActionStep
from vp_tui.domain.events import (
    AlarmCommandFailed,
    AuditFailed,
    CancelAnswered,
    CancelFailed,
    CancelRequested,
    ProbeStepped,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
)
from vp_tui.domain.models import Failure
from vp_tui.gateway.errors import GatewayError
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.errors import AuditError
from vp_tui.worker.actuator import run_command

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.switches import Actuation, Change
    from vp_tui.domain.models import Dialect
    from vp_tui.gateway.orders import Orders
    from vp_tui.worker.actuator import Actuator
    from vp_tui.worker.prober import Prober


RESTART: Final = "restart"
PROBE: Final = "probe"
LEFT: Final = "vp-tui was left before it ended"

READ_ONLY: Final = Failure("read-only: nothing may be changed here", "start without --read-only")
CANCEL: Final = "cancel"
ALARM_S: Final = 10.0
"""Seconds that the command for alarms may take."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AuditBook(NamedTuple):
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
        books: AuditBook,
        wall: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._actuator = actuator
        self._prober = prober
        self._emit = emit
        self._clock = clock
        self._books = books
        self._wall = wall
        self._under_way: str | None = None
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
            why = READ_ONLY.reason if prober is None else "another probe is under way"
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
        if self._actuator is None or self._under_way is not None:
            why = READ_ONLY.reason if self._actuator is None else f"{self._under_way} is under way"
            await self._refuse(action, reason, why)
            return
        self._under_way, at = action, self._wall()
        self._emit(asked)
        try:
            done = await work(self._actuator)
        except asyncio.CancelledError:
            left = ActionStep(self._wall(), "left", f"{LEFT}: what it runs goes on")
            await self._note(at, action, reason, (left,), "unknown")
            raise
        finally:
            self._under_way = None
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
        self, at: datetime, action: str, reason: str, steps: tuple[ActionStep, ...], result: str
    ) -> None:
        target = self._books.target
        record = ActionRecord(at, self._books.actor, action, target, reason, steps, result)
        await self._books.keep(record)


class SessionOrders:
    """What may be done to one gateway, in the name of `actor`. Every attempt is audited."""

    def __init__(
        self,
        orders: Orders | None,
        audit: Path,
        actor: str,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        wall: Callable[[], datetime] = _utc_now,
        *,
        alarm_command: tuple[str, ...] = (),
    ) -> None:
        self._orders = orders
        self._audit = audit
        self._actor = actor
        self._emit = emit
        self._clock = clock
        self._wall = wall
        self._alarm_command = alarm_command
        self._in_flight: set[str] = set()

    async def cancel(self, session_id: str, reason: str) -> None:
        """Cancel what a session runs, once: a further wish while one is in flight is refused."""
        if session_id in self._in_flight:
            await self.refuse(CANCEL, session_id, reason, "a cancel of it is on its way")
            return
        self._in_flight.add(session_id)
        try:
            await self._cancel(session_id, reason)
        finally:
            self._in_flight.discard(session_id)

    async def refuse(self, action: str, target: str, reason: str, why: str) -> None:
        """Audit what was asked for and must not be done."""
        await self.note(action, target, reason, (), f"refused: {why}")

    async def ring(self, told: str) -> None:
        """Run the operator's command for alarms, with what is told as its last argument."""
        if not self._alarm_command:
            return
        run = await run_command((*self._alarm_command, told), ALARM_S)
        if run.failure is not None:
            self._emit(AlarmCommandFailed(self._clock(), run.failure))

    async def note(
        self, action: str, target: str, reason: str, steps: tuple[ActionStep, ...], result: str
    ) -> None:
        """Audit what was just done."""
        await self.keep(self._record(self._wall(), action, target, reason, steps, result))

    async def keep(self, record: ActionRecord) -> None:
        """Write one action into the audit; that it cannot be written is told, and stops nothing."""
        try:
            await asyncio.to_thread(append_action, self._audit, record)
        except AuditError as error:
            self._emit(AuditFailed(self._clock(), error.failure))

    async def _cancel(self, session_id: str, reason: str) -> None:
        if self._orders is None:
            self._emit(CancelFailed(self._clock(), session_id, READ_ONLY))
            await self.refuse(CANCEL, session_id, reason, READ_ONLY.reason)
            return
        asked = ActionStep(self._wall(), "requested")
        self._emit(CancelRequested(self._clock(), session_id, reason, self._actor))
        try:
            heard, result = await self._sent(self._orders, session_id, reason)
        except asyncio.CancelledError:
            # vp-tui leaves; the loop waits for nothing more, and the line must be there.
            left = ActionStep(self._wall(), "left", "vp-tui was left before the answer came")
            record = self._record(asked.at, CANCEL, session_id, reason, (asked, left), "unknown")
            with suppress(AuditError):
                append_action(self._audit, record)
            raise
        record = self._record(asked.at, CANCEL, session_id, reason, (asked, heard), result)
        await self.keep(record)

    async def _sent(self, orders: Orders, session_id: str, reason: str) -> tuple[ActionStep, str]:
        """Send it and tell what came; return that as the last step and the result."""
        try:
            answer = await orders.cancel(session_id, reason)
        except GatewayError as error:
            self._emit(CancelFailed(self._clock(), session_id, error.failure))
            result = "unknown" if error.failure.is_uncertain else "failed"
            return ActionStep(self._wall(), "failed", error.failure.reason), result
        self._emit(CancelAnswered(self._clock(), session_id, answer))
        heard = f"task_cancelled={str(answer.task_cancelled).lower()}"
        answered = ActionStep(self._wall(), "answered", f"{heard} after {answer.took_s:.1f} s")
        return answered, f"{heard}, recovery unconfirmed"

    def _record(
        self,
        at: datetime,
        action: str,
        target: str,
        reason: str,
        steps: tuple[ActionStep, ...],
        result: str,
    ) -> ActionRecord:
        return ActionRecord(at, self._actor, action, target, reason, steps, result)


def probe_steps(probe: Probe, now: float, wall: datetime) -> tuple[ActionStep, ...]:
    """Return a probe's steps as the audit has them; `now` is the monotonic clock at `wall`."""
    steps = tuple(
        ActionStep(wall - timedelta(seconds=now - each.at), each.step, each.detail)
        for each in probe.steps
    )
    return (*steps, ActionStep(wall, "given up", probe.reason)) if probe.reason else steps


def _result_of(done: Actuation) -> str:
    """Return what the actuator did; whether it has an effect is another matter."""
    if done.failure is not None:
        return f"failed: {done.failure.reason}"
    if not done.is_carried_out:
        return "by hand: nothing was done"
    if done.needs_restart:
        return "written, not in force until the gateway restarts"
    return "carried out, effect unconfirmed"
