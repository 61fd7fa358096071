"""Turns under the gateway's one lock: admission, ends, cancels and notifications."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

from vp_tui.simulator.engine import EngineError, EngineResult
from vp_tui.simulator.sessions import Turn
from vp_tui.simulator.voice import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vp_tui.simulator.clock import Clock
    from vp_tui.simulator.continuity import Continuity
    from vp_tui.simulator.lane import Lane
    from vp_tui.simulator.ledger import JsonObject
    from vp_tui.simulator.script import TurnScript
    from vp_tui.simulator.sessions import Session
    from vp_tui.simulator.voice import Surroundings

DUPLICATE_WINDOW_S: Final = 120.0


class GatewayStoppedError(Exception):
    """The gateway went down while somebody waited for it."""


class Notifier:
    """Makes the notifications that end a turn, numbered since boot."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made = 0

    async def send(self, session: Session, kind: str, message: str, metadata: JsonObject) -> None:
        """Broadcast a `system_event` with a notification to the session."""
        title, severity = {
            "mission_complete": ("Mission Completed", "info"),
            "assistance_needed": ("Session Failed", "error"),
            "cancelled": ("Session Cancelled", "warning"),
        }[kind]
        self._made += 1
        now = self._clock.stamp()
        notification_id = f"ntf_{int(time.time() * 1000)}_{self._made}"
        payload: JsonObject = {
            "id": notification_id,
            "kind": kind,
            "title": title,
            "message": message,
            "session_id": session.session_id,
            "severity": severity,
            "requires_action": kind == "assistance_needed",
            "status": "new",
            "created_at": now,
            "updated_at": now,
            "channels": ["dashboard", "email", "telegram"],
            "email_targets": ["nobody@example.invalid"],
            "metadata": metadata,
        }
        await session.broadcast(
            "system_event",
            {
                "event_id": f"evt_ntf_{notification_id}",
                "type": "notification",
                "payload": payload,
                "created_at": now,
            },
        )


class Turns:
    """Runs one turn at a time for the whole gateway; the others wait and read "running"."""

    def __init__(
        self, around: Surroundings, lane: Lane, continuity: Continuity, cancel_wait: float
    ) -> None:
        self._around = around
        self._lane = lane
        self._continuity = continuity
        self._cancel_wait = cancel_wait
        self._lock = asyncio.Lock()
        self._notifier = Notifier(around.clock)

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold the gateway's lock; raises `GatewayStoppedError` if the gateway died meanwhile."""
        async with self._lock:
            if not self._around.life.alive:
                raise GatewayStoppedError
            yield

    def refuse(self, session: Session, prompt: str) -> list[tuple[str, JsonObject]]:
        """Return the frames that answer a prompt that will not run; none: it will."""
        turn = session.turn
        if turn is not None and turn.counted:
            if turn.prompt == prompt:
                self._continuity.count("turn_duplicate_in_progress")
                return [_status("turn_in_progress", turn_id=turn.turn_id)]
            self._continuity.count("turn_busy_rejected")
            return [_status("turn_rejected_busy", active_turn_id=turn.turn_id)]
        completed_at = session.completed.get(prompt)
        now = asyncio.get_running_loop().time()
        if completed_at is None or now - completed_at > DUPLICATE_WINDOW_S:
            return []
        self._continuity.count("turn_duplicate_completed")
        turn_id = self._turn_id()
        ignored = _status("duplicate_turn_ignored", turn_id=turn_id)
        return [ignored, ("query_complete", {"turn_id": turn_id})]

    def start(self, session: Session, owner: str, prompt: str, script: TurnScript) -> Turn:
        """Admit a turn; it runs as soon as the lock is free."""
        turn = Turn(self._turn_id(), prompt, script)
        session.turn = turn
        session.active_runs += 1
        turn.task = self._around.life.spawn(self._run(session, owner, turn))
        turn.task.add_done_callback(lambda _: _finish(session, turn))
        return turn

    async def cancel(self, session: Session, reason: str) -> bool:
        """Cancel the session's turn and say so to its viewers, whether or not there was one.

        Returns whether the turn unwound in time. One that did not keeps the lock, but is counted
        as a run no more.
        """
        turn, unwound = session.turn, False
        if turn is not None and turn.task is not None:
            turn.task.cancel()
            done, _ = await asyncio.wait({turn.task}, timeout=self._cancel_wait)
            unwound = bool(done)
            _uncount(session, turn)
        told: JsonObject = {"reason": reason, "run_id": None, "session_id": session.session_id}
        await session.broadcast("cancelled", told)
        await self._notifier.send(session, "cancelled", reason, {"source": "ops"})
        return unwound

    async def _run(self, session: Session, owner: str, turn: Turn) -> None:
        place = Place(session.session_id, session.workspace_dir, "user", session.session_id, owner)
        try:
            async with self.exclusive():
                result = await self._lane.run(place, turn.prompt, turn.script, session.emit)
        except GatewayStoppedError:
            return
        except asyncio.CancelledError:
            if not self._around.life.alive:
                raise
            await self._end_cancelled(session, turn)
        except EngineError as error:
            _uncount(session, turn)
            await session.broadcast("error", {"message": str(error)})
            await self._notifier.send(session, "assistance_needed", str(error), {})
        else:
            await self._end_completed(session, turn, result)

    async def _end_completed(self, session: Session, turn: Turn, result: EngineResult) -> None:
        _uncount(session, turn)
        session.completed[turn.prompt] = asyncio.get_running_loop().time()
        self._around.workspaces.checkpoint(session.session_id, turn.prompt)
        await session.broadcast("query_complete", {"turn_id": turn.turn_id})
        await session.broadcast("pong", {})
        # Said of failed missions too.
        message = "Session completed execution successfully."
        metadata: JsonObject = {
            "tool_calls": result.tool_calls,
            "duration_seconds": result.duration_s,
        }
        await self._notifier.send(session, "mission_complete", message, metadata)

    async def _end_cancelled(self, session: Session, turn: Turn) -> None:
        words: JsonObject = {
            "status": "turn_cancelled",
            "turn_id": turn.turn_id,
            "message": "Execution cancelled.",
        }
        await session.broadcast("status", words)
        await session.broadcast("query_complete", {"turn_id": turn.turn_id, "cancelled": True})

    def _turn_id(self) -> str:
        return f"turn_{int(time.time() * 1000)}_{self._around.ids.hex(8)}"


def _uncount(session: Session, turn: Turn) -> None:
    if turn.counted:
        turn.counted = False
        session.active_runs -= 1


def _finish(session: Session, turn: Turn) -> None:
    _uncount(session, turn)
    if session.turn is turn:
        session.turn = None
    turn.ended.set()


def _status(status: str, **ids: str) -> tuple[str, JsonObject]:
    words = {
        "turn_in_progress": "This request is already in progress.",
        "turn_rejected_busy": "Another turn is in progress.",
        "duplicate_turn_ignored": "This request was completed just now.",
    }[status]
    return "status", {"status": status, **ids, "message": words}
