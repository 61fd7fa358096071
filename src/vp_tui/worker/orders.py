"""Carries out the operator's orders: cancels, switches, restarts, probes. Each is audited.

It runs on the network thread, and there is one way for all of them: the host's lock for what it is
about is taken, that it is asked for is told as an event, what has hands for it does it once, its
answer is told as an event, and a line goes into the audit, whatever ended it; one before says that
it is begun, so that what a crash interrupted is found. In read-only mode
there are no hands, so nothing can be sent or done: the attempt is audited like any other. What an
order comes to is not known here: that is proven by its effect.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain import events
from vp_tui.domain.lane.switches import NOT_IN_FORCE
from vp_tui.domain.models import ActionStep, Failure
from vp_tui.domain.orders import (
    ActionKind,
    ActionRecord,
    AuditOnce,
    CancelRun,
    Holder,
    RestartGateway,
    RingAlarms,
    RunProbe,
    SetSwitch,
)
from vp_tui.domain.text import short_id, took
from vp_tui.gateway.errors import GatewayError
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.errors import AuditError, LockError
from vp_tui.worker.actuator import run_command

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.switches import Actuation
    from vp_tui.domain.orders import Order, Work
    from vp_tui.gateway.orders import Orders
    from vp_tui.storage.locks import HostLock
    from vp_tui.worker.actuator import Actuator
    from vp_tui.worker.prober import Prober


READ_ONLY: Final = Failure("read-only: nothing may be changed here", "start without --read-only")
LEFT: Final = "vp-tui was left before it ended"
ALARM_S: Final = 10.0
"""Seconds that the command for alarms may take."""
LOCK_WAIT_S: Final = 0.1
"""For those who only look whether the host's lock is held."""
UNSEEN_S: Final = 10.0
"""What another vp-tui did so short a time ago is not on this screen yet: it is not done again."""


class Tools(NamedTuple):
    """The hands for each kind of order."""

    orders: Orders
    actuator: Actuator
    prober: Prober
    lock_of: Callable[[str], HostLock]
    """The host's lock for what orders are about, by its name."""
    look: Callable[[], Awaitable[None]]
    """Has the sessions listed, if that does not take too long."""
    why_gone: Callable[[CancelRun], str | None]
    """Why a cancel would not hit the run that it is meant for, by all that is heard so far."""


class AuditBook(NamedTuple):
    """Where what is done is written down, by whom, and of what it is."""

    path: Path
    actor: str
    gateway: str
    """What names it, whatever URL leads to it."""
    vp_id: str
    url: str


@dataclass
class _Account:
    """One order under way."""

    record: ActionRecord
    """What it has come to so far."""
    under_way: str
    """What other vp-tui are told meanwhile."""
    in_the_way: str
    """Why another order about that is refused meanwhile."""
    left: str
    """The last step where vp-tui is left before it ended; "" where the result says it."""

    def came_to(self, result: str, kind: ActionKind, *steps: ActionStep) -> None:
        """Note what it came to, by these further steps."""
        told = (*self.record.steps, *steps)
        self.record = self.record._replace(result=result, kind=kind, steps=told)


@dataclass
class OrderRunner:
    """Carries out what is asked of one gateway and its lane; without `tools` only audits it.

    Of one session one cancel is under way at a time on this host, one change or restart of all, and
    one probe: what is asked for meanwhile is refused, and so is what another vp-tui did just now.
    """

    tools: Tools | None
    book: AuditBook
    emit: Callable[[events.Event], None]
    clock: Callable[[], float]
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    alarm_command: tuple[str, ...] = ()
    _under_way: dict[str, str] = field(default_factory=dict)
    """What is under way, by what it is about: why another order about that is refused."""
    _left: dict[str, str] = field(default_factory=dict)
    """What this vp-tui left in the host's locks: that was seen here."""
    _told: set[str] = field(default_factory=set)
    """What others left who were ended in the midst of it, told once: who asks again knows it."""

    def hold_back(self, unseen: str | None) -> None:
        """Let a probe under way send no more while nobody sees the screen: `unseen` is why."""
        if self.tools is not None:
            self.tools.prober.unseen = unseen

    async def carry_out(self, order: Order) -> None:
        """Carry out an order to its end. It is in the audit then, or AuditFailed says why not."""
        if isinstance(order, ActionRecord):
            await self._keep(order)
        elif isinstance(order, AuditOnce):
            await self._keep(order.record, unless=order.is_told_by)
        elif isinstance(order, RingAlarms):
            await self._ring(order)
        else:
            await self._work(order)

    async def _work(self, order: Work) -> None:
        account = self._account(order)
        if self.tools is not None and account.record.subject not in self._under_way:
            await self._done_once(order, self.tools, account)
            return
        if self.tools is None:
            if isinstance(order, CancelRun):
                self.emit(events.CancelFailed(self.clock(), order.session_id, READ_ONLY))
            account.came_to(f"refused: {READ_ONLY.reason}", ActionKind.REFUSED)
        else:
            self._refuse(account, self._under_way[account.record.subject])
        await self._keep(account.record)

    def _refuse(self, account: _Account, why: str) -> None:
        what, target = account.record.what, account.record.target
        account.came_to(f"refused: {why}", ActionKind.REFUSED)
        self.emit(events.OrderRefused(self.clock(), what, target, why))

    async def _done_once(self, order: Work, tools: Tools, account: _Account) -> None:
        subject = account.record.subject
        self._under_way[subject] = account.in_the_way
        lock = tools.lock_of(subject)
        try:
            await self._done_while_locked(order, tools, account, lock)
            # What is begun, not ended and not locked any more counts as interrupted.
            await self._keep(account.record)
        finally:
            self._left[subject] = self._holder(account)._replace(until=self.wall()).to_text()
            lock.release(self._left[subject])
            del self._under_way[subject]

    async def _done_while_locked(
        self, order: Work, tools: Tools, account: _Account, lock: HostLock
    ) -> None:
        try:
            if (why := await asyncio.to_thread(self._barred, lock, account)) is not None:
                self._refuse(account, why)
                return
            if isinstance(order, CancelRun):
                await tools.look()
            begun = account.record._replace(result=ActionKind.BEGUN, kind=ActionKind.BEGUN)
            await self._keep(begun)
            await self._do(order, tools, account)
        except BaseException:
            # vp-tui is left: the loop waits for nothing more, and the line must be there.
            left, record = ActionStep(self.wall(), "left", account.left), account.record
            if account.left:
                record = record._replace(steps=(*record.steps, left))
            with suppress(AuditError):
                append_action(self.book.path, record)
            raise

    def _holder(self, account: _Account) -> Holder:
        return Holder(self.book.actor, account.under_way, account.record.at)

    def _barred(self, lock: HostLock, account: _Account) -> str | None:
        """Take the host's lock; return which other vp-tui keeps the order from being carried out.

        A lock that cannot be made keeps nobody from acting: the audit says so.
        """
        try:
            held = lock.take(self._holder(account).to_text(), LOCK_WAIT_S)
        except LockError as error:
            step = ActionStep(account.record.at, "not locked", error.failure.reason)
            account.record = account.record._replace(steps=(step,))
            return None
        if held is not None:
            other = Holder.from_text(held)
            return other.told if other else "another vp-tui on this host is at it"
        before = Holder.from_text(lock.found)
        is_known = lock.found in {self._left.get(account.record.subject), *self._told}
        if before is None or is_known:
            return None
        if before.until is None:
            self._told.add(lock.found)
        elif self.wall() - before.until > timedelta(seconds=UNSEEN_S):
            return None
        lock.release(lock.found)
        return before.told_after

    def _account(self, order: Work) -> _Account:
        _path, actor, gateway, vp_id, url = self.book
        begun = ActionRecord(
            self.wall(), actor, "restart", url, order.reason, (),
            "unknown", ActionKind.UNKNOWN, gateway, vp_id,
        )  # fmt: skip
        match order:
            case CancelRun(whom):
                way, left = "a cancel of it is on its way", "vp-tui was left before the answer came"
                begun = begun._replace(what="cancel", target=whom)
                return _Account(begun, f"cancelling {short_id(whom)}", way, left)
            case RunProbe():
                begun = begun._replace(what="probe")
                return _Account(begun, "probing the lane", "another probe is under way", "")
            case SetSwitch(change):
                under_way, begun = change.under_way, begun._replace(what=change.words)
            case RestartGateway():
                under_way = "restarting the gateway"
        way, left = f"{begun.what} is under way", f"{LEFT}: what it runs goes on"
        return _Account(begun, under_way, way, left)

    async def _do(self, order: Work, tools: Tools, account: _Account) -> None:
        now, who = self.clock(), self.book.actor
        match order:
            case CancelRun():
                if (why := tools.why_gone(order)) is not None:
                    self._refuse(account, why)
                    return
                await self._cancel(order, tools.orders, account)
            case RunProbe():
                await self._probe(order, tools.prober, account)
            case SetSwitch(change, reason):
                self.emit(events.SwitchAsked(now, change, who, reason))
                done = await tools.actuator.change(change)
                self.emit(events.SwitchActed(self.clock(), done))
                account.came_to(*_actuated(done), *done.steps)
            case RestartGateway(reason):
                self.emit(events.RestartAsked(now, who, reason))
                done = await tools.actuator.restart()
                self.emit(events.RestartActed(self.clock(), done))
                account.came_to(*_actuated(done), *done.steps)

    async def _cancel(self, order: CancelRun, orders: Orders, account: _Account) -> None:
        session_id, reason, mission_id, _alive_at = order
        requested = ActionStep(account.record.at, "requested")
        account.record = account.record._replace(steps=(*account.record.steps, requested))
        whose = self.book.actor, mission_id
        self.emit(events.CancelRequested(self.clock(), session_id, reason, *whose))
        try:
            answer = await orders.cancel(session_id, reason)
        except GatewayError as error:
            failure = error.failure
            self.emit(events.CancelFailed(self.clock(), session_id, failure))
            kind = ActionKind.UNKNOWN if failure.is_uncertain else ActionKind.FAILED
            account.came_to(kind, kind, ActionStep(self.wall(), "failed", failure.reason))
            return
        self.emit(events.CancelAnswered(self.clock(), session_id, answer))
        heard = f"task_cancelled={str(answer.task_cancelled).lower()}"
        answered = ActionStep(self.wall(), "answered", f"{heard} after {took(answer.took_s)}")
        account.came_to(f"{heard}, not recovered yet", ActionKind.DONE, answered)

    async def _probe(self, order: RunProbe, prober: Prober, account: _Account) -> None:
        account.came_to(LEFT, ActionKind.DONE)
        async with aclosing(prober.run(order.prompt, order.dialect)) as probes:
            async for probe in probes:
                self.emit(events.ProbeStepped(self.clock(), probe))
                account.record = account.record._replace(
                    target=probe.session_id or self.book.url,
                    steps=self._steps_of(probe),
                    result=LEFT if probe.outcome is None else str(probe.outcome),
                )

    def _steps_of(self, probe: Probe) -> tuple[ActionStep, ...]:
        """Return a probe's steps as the audit has them: on the wall's clock."""
        now, wall = self.clock(), self.wall()
        steps = tuple(
            ActionStep(wall - timedelta(seconds=now - each.at), each.step, each.detail)
            for each in probe.steps
        )
        return (*steps, ActionStep(wall, "given up", probe.reason)) if probe.reason else steps

    async def _keep(
        self, record: ActionRecord, unless: Callable[[ActionRecord], bool] | None = None
    ) -> None:
        """Write a line of the audit; that it cannot be written is told, and stops nothing."""
        try:
            await asyncio.to_thread(append_action, self.book.path, record, unless=unless)
        except AuditError as error:
            self.emit(events.AuditFailed(self.clock(), error.failure))

    async def _ring(self, order: RingAlarms) -> None:
        if not self.alarm_command:
            return
        run = await run_command((*self.alarm_command, order.told), ALARM_S)
        if run.failure is not None:
            self.emit(events.AlarmCommandFailed(self.clock(), run.failure))


def _actuated(done: Actuation) -> tuple[str, ActionKind]:
    """Return what the actuator did; whether it has an effect is another matter."""
    if done.failure is not None:
        return f"failed: {done.failure.reason}", ActionKind.FAILED
    if not done.is_carried_out:
        return "by hand: nothing was done", ActionKind.DONE
    if done.needs_restart:
        return NOT_IN_FORCE, ActionKind.DONE
    return "carried out, effect unconfirmed", ActionKind.DONE
