"""Carrying out what the operator asked for: one request, its answer told, and the audit kept.

It runs on the network thread. In read-only mode there are no `orders`, so nothing can be sent: the
attempt is told and audited like any other.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vp_tui.domain.audit import ActionRecord, Step
from vp_tui.domain.events import (
    AlarmCommandFailed,
    AuditFailed,
    CancelAnswered,
    CancelFailed,
    CancelRequested,
)
from vp_tui.domain.models import Failure
from vp_tui.gateway.errors import GatewayError
from vp_tui.running import run_command
from vp_tui.storage.audit import append_action
from vp_tui.storage.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.gateway.orders import Orders

READ_ONLY: Final = Failure("read-only: nothing may be changed here", "start without --read-only")
CANCEL: Final = "cancel"
ALARM_S: Final = 10.0
"""Seconds that the command for alarms may take."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ordering:
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

    @property
    def is_read_only(self) -> bool:
        """Whether there is nothing that could send an order."""
        return self._orders is None

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
        self, action: str, target: str, reason: str, steps: tuple[Step, ...], result: str
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
        asked = Step(self._wall(), "requested")
        self._emit(CancelRequested(self._clock(), session_id, reason, self._actor))
        try:
            heard, result = await self._sent(self._orders, session_id, reason)
        except asyncio.CancelledError:
            # vp-tui leaves; the loop waits for nothing more, and the line must be there.
            left = Step(self._wall(), "left", "vp-tui was left before the answer came")
            record = self._record(asked.at, CANCEL, session_id, reason, (asked, left), "unknown")
            with suppress(AuditError):
                append_action(self._audit, record)
            raise
        record = self._record(asked.at, CANCEL, session_id, reason, (asked, heard), result)
        await self.keep(record)

    async def _sent(self, orders: Orders, session_id: str, reason: str) -> tuple[Step, str]:
        """Send it and tell what came; return that as the last step and the result."""
        try:
            answer = await orders.cancel(session_id, reason)
        except GatewayError as error:
            self._emit(CancelFailed(self._clock(), session_id, error.failure))
            result = "unknown" if error.failure.is_uncertain else "failed"
            return Step(self._wall(), "failed", error.failure.reason), result
        self._emit(CancelAnswered(self._clock(), session_id, answer))
        heard = f"task_cancelled={str(answer.task_cancelled).lower()}"
        answered = Step(self._wall(), "answered", f"{heard} after {answer.took_s:.1f} s")
        return answered, f"{heard}, recovery unconfirmed"

    def _record(
        self,
        at: datetime,
        action: str,
        target: str,
        reason: str,
        steps: tuple[Step, ...],
        result: str,
    ) -> ActionRecord:
        return ActionRecord(at, self._actor, action, target, reason, steps, result)
