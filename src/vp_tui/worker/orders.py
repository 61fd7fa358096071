"""Carries out the operator's orders: cancels, switches, restarts, probes. Each is audited.

It runs on the network thread, and there is one way for all of them: that it is asked for is told as
an event, what has hands for it does it once, its answer is told as an event, and a line goes into
the audit, whatever ended it. In read-only mode there are no hands, so nothing can be sent or done:
the attempt is audited like any other. What an order comes to is not known here: that is proven by
its effect.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

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
from vp_tui.domain.lane.switches import NOT_IN_FORCE
from vp_tui.domain.models import ActionStep, Failure
from vp_tui.domain.orders import (
    ActionKind,
    ActionRecord,
    CancelRun,
    RestartGateway,
    RingAlarms,
    RunProbe,
    SetSwitch,
)
from vp_tui.domain.text import took
from vp_tui.gateway.errors import GatewayError
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.errors import AuditError
from vp_tui.worker.actuator import run_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.switches import Actuation
    from vp_tui.domain.orders import Order, Work
    from vp_tui.gateway.orders import Orders
    from vp_tui.worker.actuator import Actuator
    from vp_tui.worker.prober import Prober


READ_ONLY: Final = Failure("read-only: nothing may be changed here", "start without --read-only")
LEFT: Final = "vp-tui was left before it ended"
ALARM_S: Final = 10.0
"""Seconds that the command for alarms may take."""


class Tools(NamedTuple):
    """The hands for each kind of order."""

    orders: Orders
    actuator: Actuator
    prober: Prober


class AuditBook(NamedTuple):
    """Where what is done is written down, by whom, and of what it is."""

    path: Path
    actor: str
    gateway: str
    """Its URL."""
    vp_id: str


@dataclass
class _Account:
    """One order under way, and what it has come to so far."""

    action: str
    """What the audit calls it."""
    target: str
    reason: str
    at: datetime
    subject: str
    """Of which one order is under way at a time."""
    in_the_way: str
    """Why another order about that is refused meanwhile."""
    left: str
    """The last step where vp-tui is left before it ended; "" where the result says it."""
    steps: tuple[ActionStep, ...] = ()
    result: str = "unknown"
    kind: ActionKind = ActionKind.UNKNOWN

    def came_to(self, result: str, kind: ActionKind, *steps: ActionStep) -> None:
        """Note what it came to, by these further steps."""
        self.result, self.kind, self.steps = result, kind, (*self.steps, *steps)


class OrderRunner:
    """Carries out what is asked of one gateway and its lane; without `tools` only audits it.

    Of one session one cancel is under way at a time, one change or restart of all, and one probe:
    what is asked for meanwhile is refused.
    """

    def __init__(
        self,
        tools: Tools | None,
        book: AuditBook,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        alarm_command: tuple[str, ...] = (),
    ) -> None:
        self._tools = tools
        self._book = book
        self._emit = emit
        self._clock = clock
        self._wall = wall
        self._alarm_command = alarm_command
        self._under_way: dict[str, str] = {}
        """What is under way, by what it is about: why another order about that is refused."""

    async def carry_out(self, order: Order) -> None:
        """Carry out an order to its end. It is in the audit then, or AuditFailed says why not."""
        if isinstance(order, ActionRecord):
            await self._keep(order)
        elif isinstance(order, RingAlarms):
            await self._ring(order)
        else:
            await self._work(order)

    async def _work(self, order: Work) -> None:
        account = self._account(order)
        if self._tools is None:
            if isinstance(order, CancelRun):
                self._emit(CancelFailed(self._clock(), order.session_id, READ_ONLY))
            account.came_to(f"refused: {READ_ONLY.reason}", ActionKind.REFUSED)
        elif (why := self._under_way.get(account.subject)) is not None:
            account.came_to(f"refused: {why}", ActionKind.REFUSED)
        else:
            await self._done_once(order, self._tools, account)
        await self._keep(self._record(account))

    async def _done_once(self, order: Work, tools: Tools, account: _Account) -> None:
        self._under_way[account.subject] = account.in_the_way
        try:
            await self._do(order, tools, account)
        except BaseException:
            # vp-tui is left: the loop waits for nothing more, and the line must be there.
            if account.left:
                account.steps += (ActionStep(self._wall(), "left", account.left),)
            with suppress(AuditError):
                append_action(self._book.path, self._record(account))
            raise
        finally:
            del self._under_way[account.subject]

    def _account(self, order: Work) -> _Account:
        at, url, reason = self._wall(), self._book.gateway, order.reason
        match order:
            case CancelRun(whom):
                way, left = "a cancel of it is on its way", "vp-tui was left before the answer came"
                return _Account("cancel", whom, reason, at, f"session {whom}", way, left)
            case RunProbe():
                return _Account("probe", url, reason, at, "probe", "another probe is under way", "")
            case SetSwitch() | RestartGateway():
                action = order.change.words if isinstance(order, SetSwitch) else "restart"
                way, left = f"{action} is under way", f"{LEFT}: what it runs goes on"
                return _Account(action, url, reason, at, "lane", way, left)

    async def _do(self, order: Work, tools: Tools, account: _Account) -> None:
        now, who = self._clock(), self._book.actor
        match order:
            case CancelRun():
                await self._cancel(order, tools.orders, account)
            case RunProbe():
                await self._probe(order, tools.prober, account)
            case SetSwitch():
                self._emit(SwitchAsked(now, order.change, who, order.reason))
                done = await tools.actuator.change(order.change)
                self._emit(SwitchActed(self._clock(), done))
                account.came_to(*_actuated(done), *done.steps)
            case RestartGateway():
                self._emit(RestartAsked(now, who, order.reason))
                done = await tools.actuator.restart()
                self._emit(RestartActed(self._clock(), done))
                account.came_to(*_actuated(done), *done.steps)

    async def _cancel(self, order: CancelRun, orders: Orders, account: _Account) -> None:
        session_id, reason = order
        account.steps = (ActionStep(account.at, "requested"),)
        self._emit(CancelRequested(self._clock(), session_id, reason, self._book.actor))
        try:
            answer = await orders.cancel(session_id, reason)
        except GatewayError as error:
            failure = error.failure
            self._emit(CancelFailed(self._clock(), session_id, failure))
            kind = ActionKind.UNKNOWN if failure.is_uncertain else ActionKind.FAILED
            account.came_to(kind, kind, ActionStep(self._wall(), "failed", failure.reason))
            return
        self._emit(CancelAnswered(self._clock(), session_id, answer))
        heard = f"task_cancelled={str(answer.task_cancelled).lower()}"
        answered = ActionStep(self._wall(), "answered", f"{heard} after {took(answer.took_s)}")
        account.came_to(f"{heard}, recovery unconfirmed", ActionKind.DONE, answered)

    async def _probe(self, order: RunProbe, prober: Prober, account: _Account) -> None:
        account.came_to(LEFT, ActionKind.DONE)
        async with aclosing(prober.run(order.prompt, order.dialect)) as probes:
            async for probe in probes:
                self._emit(ProbeStepped(self._clock(), probe))
                account.target = probe.session_id or self._book.gateway
                account.steps = self._steps_of(probe)
                account.result = LEFT if probe.outcome is None else str(probe.outcome)

    def _steps_of(self, probe: Probe) -> tuple[ActionStep, ...]:
        """Return a probe's steps as the audit has them: on the wall's clock."""
        now, wall = self._clock(), self._wall()
        steps = tuple(
            ActionStep(wall - timedelta(seconds=now - each.at), each.step, each.detail)
            for each in probe.steps
        )
        return (*steps, ActionStep(wall, "given up", probe.reason)) if probe.reason else steps

    def _record(self, account: _Account) -> ActionRecord:
        _path, actor, url, vp_id = self._book
        return ActionRecord(
            account.at, actor, account.action, account.target, account.reason,
            account.steps, account.result, account.kind, url, vp_id,
        )  # fmt: skip

    async def _keep(self, record: ActionRecord) -> None:
        """Write a line of the audit; that it cannot be written is told, and stops nothing."""
        try:
            await asyncio.to_thread(append_action, self._book.path, record)
        except AuditError as error:
            self._emit(AuditFailed(self._clock(), error.failure))

    async def _ring(self, order: RingAlarms) -> None:
        if not self._alarm_command:
            return
        run = await run_command((*self._alarm_command, order.told), ALARM_S)
        if run.failure is not None:
            self._emit(AlarmCommandFailed(self._clock(), run.failure))


def _actuated(done: Actuation) -> tuple[str, ActionKind]:
    """Return what the actuator did; whether it has an effect is another matter."""
    if done.failure is not None:
        return f"failed: {done.failure.reason}", ActionKind.FAILED
    if not done.is_carried_out:
        return "by hand: nothing was done", ActionKind.DONE
    if done.needs_restart:
        return NOT_IN_FORCE, ActionKind.DONE
    return "carried out, effect unconfirmed", ActionKind.DONE
