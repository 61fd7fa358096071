"""Turns under the gateway's one lock: admission, ends, cancels, and where each goes.

A turn goes to the VP lane or the primary path: here a fallback is decided, and what becomes of the
mission. The order of rows, events and frames is G1's (docs/wire.md, sections 4 and 8): a cancel or
an exception on the fallback leaves the mission's row `running` for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from vp_tui.domain.lane.switches import Switch
from vp_tui.domain.runs.turns import is_coding_intent
from vp_tui.simulator.database import LANE_DIRECTORY, VP_ID, JsonObject, SimDatabase, SimMission
from vp_tui.simulator.engine import (
    Emit,
    SimEngine,
    SimEngineError,
    SimEngineResult,
    SimPlace,
    SimSurroundings,
)
from vp_tui.simulator.sessions import SimTurn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vp_tui.domain.lane.switches import Switches
    from vp_tui.simulator.database import SimContinuity
    from vp_tui.simulator.script import SimTurnScript
    from vp_tui.simulator.sessions import SimSession


DUPLICATE_WINDOW_S: Final = 120.0

HEARTBEAT: Final = timedelta(seconds=60)

_STATUS_WORDS: Final = {
    "turn_in_progress": "This request is already in progress.",
    "turn_rejected_busy": "Another turn is in progress.",
    "duplicate_turn_ignored": "This request was completed just now.",
    "turn_cancelled": "Execution cancelled.",
}
_NOTIFICATIONS: Final = {
    "mission_complete": ("Mission Completed", "info"),
    "assistance_needed": ("Session Failed", "error"),
    "cancelled": ("Session Cancelled", "warning"),
}
"""Title and severity of each kind."""


class SimGatewayStoppedError(Exception):
    """The gateway went down while somebody waited for it."""


class SimTurns:
    """Runs one turn at a time for the whole gateway; the others wait and read "running"."""

    def __init__(
        self, around: SimSurroundings, lane: SimLane, continuity: SimContinuity, cancel_wait: float
    ) -> None:
        self._around = around
        self._lane = lane
        self._continuity = continuity
        self._cancel_wait = cancel_wait
        self._lock = asyncio.Lock()
        self._notified = 0

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold the gateway's lock; raises `SimGatewayStoppedError` if it died meanwhile."""
        async with self._lock:
            if not self._around.life.alive:
                raise SimGatewayStoppedError
            yield

    def refuse(self, session: SimSession, prompt: str) -> list[tuple[str, JsonObject]]:
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

    def start(self, session: SimSession, owner: str, prompt: str, script: SimTurnScript) -> SimTurn:
        """Admit a turn; it runs as soon as the lock is free."""
        turn = SimTurn(self._turn_id(), prompt, script)
        session.turn = turn
        session.active_runs += 1
        turn.task = self._around.life.spawn(self._run(session, owner, turn))
        turn.task.add_done_callback(lambda _: _finish(session, turn))
        return turn

    async def cancel(self, session: SimSession, reason: str) -> bool:
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
        told = {"reason": reason, "run_id": None, "session_id": session.session_id}
        await session.broadcast("cancelled", told)
        await self._notify(session, "cancelled", reason, {"source": "ops"})
        return unwound

    async def _run(self, session: SimSession, owner: str, turn: SimTurn) -> None:
        session_id = session.session_id
        place = SimPlace(session_id, session.workspace_dir, "user", session_id, owner)
        try:
            async with self.exclusive():
                result = await self._lane.run(place, turn.prompt, turn.script, session.emit)
        except SimGatewayStoppedError:
            return
        except asyncio.CancelledError:
            if not self._around.life.alive:
                raise
            await session.broadcast(*_status("turn_cancelled", turn_id=turn.turn_id))
            ended = {"turn_id": turn.turn_id, "cancelled": True}
            await session.broadcast("query_complete", ended)
        except SimEngineError as error:
            _uncount(session, turn)
            await session.broadcast("error", {"message": str(error)})
            await self._notify(session, "assistance_needed", str(error), {})
        else:
            _uncount(session, turn)
            session.completed[turn.prompt] = asyncio.get_running_loop().time()
            self._around.workspaces.checkpoint(session_id, turn.prompt)
            await session.broadcast("query_complete", {"turn_id": turn.turn_id})
            await session.broadcast("pong", {})
            # Said of failed missions too.
            message = "Session completed execution successfully."
            spent = {"tool_calls": result.tool_calls, "duration_seconds": result.duration_s}
            await self._notify(session, "mission_complete", message, spent)

    async def _notify(
        self, session: SimSession, kind: str, message: str, metadata: JsonObject
    ) -> None:
        """Broadcast a notification that ends a turn, numbered since boot."""
        title, severity = _NOTIFICATIONS[kind]
        self._notified += 1
        clock = self._around.clock
        now = clock.stamp()
        notification_id = f"ntf_{clock.milliseconds()}_{self._notified}"
        payload = {
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

    def _turn_id(self) -> str:
        return f"turn_{self._around.clock.milliseconds()}_{self._around.ids.hex(8)}"


class SimLane:
    """The VP lane of one boot; all its missions share one `run_id`."""

    def __init__(self, ledger: SimDatabase, switches: Switches, around: SimSurroundings) -> None:
        self._ledger = ledger
        self._switches = switches
        self._around = around
        self.run_id = str(UUID(ledger.ids.hex(32)))
        self.bootstrap_error: str | None = None
        """Why the lane's engine cannot start; None when it can."""

    async def run(
        self, place: SimPlace, prompt: str, script: SimTurnScript, emit: Emit
    ) -> SimEngineResult:
        """Route a turn of the session at `place` and run it to its end."""
        ledger, now = self._ledger, self._around.clock.now
        if not self._is_candidate(prompt):
            return await SimEngine(self._around, place, emit).run(prompt, script)
        if self._switches.is_on(Switch.SHADOW):
            words = "CODIE shadow mode candidate detected; served by Simone direct path."
            await emit("status", _routing(words, "coder_vp_shadow_mode"))
            return await SimEngine(self._around, place, emit).run(prompt, script)
        lane_dir = self._around.workspaces.lane()
        ledger.open_session(lane_dir, place.owner, now())
        if self.bootstrap_error is not None:
            words = "CODIE lane bootstrap failed; using primary code-writer path."
            failed = _routing(words, "coder_vp_bootstrap_fallback")
            await emit("status", {**failed, "error": self.bootstrap_error})
            return await SimEngine(self._around, place, emit).run(prompt, script)
        ledger.adopt_engine_session(now())
        mission = ledger.dispatch(prompt, self.run_id, now())
        vp_place = SimPlace(LANE_DIRECTORY, lane_dir, "vp.coder", place.home, place.owner)
        vp = await self._delegate(mission, vp_place, script, emit)
        if vp.error is None:
            ledger.complete(mission, lane_dir, vp.trace_id, now())
            return vp
        ledger.fall_back(mission, vp.error, vp.trace_id, now())
        words = "CODIE failed; falling back to primary code-writer path."
        await emit("status", _routing(words, "coder_vp_fallback", mission))
        result = await SimEngine(self._around, place, emit).run(prompt, script)
        if result.error is None:
            own_dir = place.workspace_dir
            ledger.complete(mission, own_dir, result.trace_id, now(), vp_error=vp.error)
        else:
            ledger.fail(mission, vp.error, result.trace_id, now())
        return result

    def _is_candidate(self, prompt: str) -> bool:
        """Tell whether the lane would take a prompt; without a word in the env file it is on."""
        is_on = self._switches.is_on
        on = is_on(Switch.LANE) is not False and not is_on(Switch.FORCED_FALLBACK)
        return on and is_coding_intent(prompt, "G1")

    async def _delegate(
        self, mission: SimMission, place: SimPlace, script: SimTurnScript, emit: Emit
    ) -> SimEngineResult:
        await emit(
            "status",
            {
                "status": "Delegated to CODIE lane.",
                "is_log": True,
                "vp_mission_id": mission.mission_id,
                "vp_id": VP_ID,
                "routing": "delegated_to_coder_vp",
            },
        )
        try:
            engine = SimEngine(self._around, place, self._with_heartbeat(emit))
            return await engine.run(mission.objective, script)
        except SimEngineError as error:
            words = "CODIE lane raised an exception; falling back to primary code-writer path."
            raised = _routing(words, "coder_vp_exception", mission)
            await emit("status", {**raised, "error": str(error)})
            return SimEngineResult(None, 0, 0.0, str(error))

    def _with_heartbeat(self, emit: Emit) -> Emit:
        async def emit_and_beat(kind: str, data: JsonObject) -> None:
            # The lease is renewed by events only: a silent run lets it expire.
            session, now = self._ledger.session, self._around.clock.now()
            if session is not None and now - session.touched_at >= HEARTBEAT:
                session.touched_at = now
            await emit(kind, data)

        return emit_and_beat


def _routing(words: str, routing: str, mission: SimMission | None = None) -> JsonObject:
    named = {"vp_mission_id": mission.mission_id} if mission else {}
    return {"status": words, "is_log": True, "routing": routing, **named}


def _uncount(session: SimSession, turn: SimTurn) -> None:
    if turn.counted:
        turn.counted = False
        session.active_runs -= 1


def _finish(session: SimSession, turn: SimTurn) -> None:
    _uncount(session, turn)
    if session.turn is turn:
        session.turn = None
    turn.ended.set()


def _status(status: str, **ids: str) -> tuple[str, JsonObject]:
    return "status", {"status": status, **ids, "message": _STATUS_WORDS[status]}
