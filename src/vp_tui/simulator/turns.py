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

from vp_tui.domain.runs.turns import is_coding_intent
from vp_tui.simulator.database import LANE_DIRECTORY, VP_ID, JsonObject, SimDatabase, SimMission
from vp_tui.simulator.engine import (
    Emit,
    SimEngine,
    SimEngineError,
    SimEngineResult,
    SimPlace,
    SimSurroundings,
    SimVoice,
)
from vp_tui.simulator.sessions import SimTurn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vp_tui.simulator.database import SimContinuity
    from vp_tui.simulator.options import SimClock, SimLaneFlags
    from vp_tui.simulator.script import SimTurnScript
    from vp_tui.simulator.sessions import SimSession


DUPLICATE_WINDOW_S: Final = 120.0

HEARTBEAT: Final = timedelta(seconds=60)


class SimGatewayStoppedError(Exception):
    """The gateway went down while somebody waited for it."""


class SimNotifier:
    """Makes the notifications that end a turn, numbered since boot."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self._made = 0

    async def send(
        self, session: SimSession, kind: str, message: str, metadata: JsonObject
    ) -> None:
        """Broadcast a `system_event` with a notification to the session."""
        title, severity = {
            "mission_complete": ("Mission Completed", "info"),
            "assistance_needed": ("Session Failed", "error"),
            "cancelled": ("Session Cancelled", "warning"),
        }[kind]
        self._made += 1
        now = self._clock.stamp()
        notification_id = f"ntf_{self._clock.milliseconds()}_{self._made}"
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
        self._notifier = SimNotifier(around.clock)

    @contextlib.asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold the gateway's lock; raises `GatewayStoppedError` if the gateway died meanwhile."""
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
        told: JsonObject = {"reason": reason, "run_id": None, "session_id": session.session_id}
        await session.broadcast("cancelled", told)
        await self._notifier.send(session, "cancelled", reason, {"source": "ops"})
        return unwound

    async def _run(self, session: SimSession, owner: str, turn: SimTurn) -> None:
        place = SimPlace(
            session.session_id, session.workspace_dir, "user", session.session_id, owner
        )
        try:
            async with self.exclusive():
                result = await self._lane.run(place, turn.prompt, turn.script, session.emit)
        except SimGatewayStoppedError:
            return
        except asyncio.CancelledError:
            if not self._around.life.alive:
                raise
            await self._end_cancelled(session, turn)
        except SimEngineError as error:
            _uncount(session, turn)
            await session.broadcast("error", {"message": str(error)})
            await self._notifier.send(session, "assistance_needed", str(error), {})
        else:
            await self._end_completed(session, turn, result)

    async def _end_completed(
        self, session: SimSession, turn: SimTurn, result: SimEngineResult
    ) -> None:
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

    async def _end_cancelled(self, session: SimSession, turn: SimTurn) -> None:
        words: JsonObject = {
            "status": "turn_cancelled",
            "turn_id": turn.turn_id,
            "message": "Execution cancelled.",
        }
        await session.broadcast("status", words)
        await session.broadcast("query_complete", {"turn_id": turn.turn_id, "cancelled": True})

    def _turn_id(self) -> str:
        return f"turn_{self._around.clock.milliseconds()}_{self._around.ids.hex(8)}"


class SimLane:
    """The VP lane of one boot; all its missions share one `run_id`."""

    def __init__(self, ledger: SimDatabase, flags: SimLaneFlags, around: SimSurroundings) -> None:
        self._ledger = ledger
        self._flags = flags
        self._around = around
        self.run_id = ledger.ids.uuid()
        self.bootstrap_error: str | None = None
        """Why the lane's engine cannot start; None when it can."""

    async def run(
        self, place: SimPlace, prompt: str, script: SimTurnScript, emit: Emit
    ) -> SimEngineResult:
        """Route a turn of the session at `place` and run it to its end."""
        if not self._is_candidate(prompt):
            return await self._engine(place, emit).run(prompt, script)
        if self._flags.shadow:
            words = "CODIE shadow mode candidate detected; served by Simone direct path."
            await emit("status", _routing(words, "coder_vp_shadow_mode"))
            return await self._engine(place, emit).run(prompt, script)
        lane_dir = self._open_session(place.owner)
        if self.bootstrap_error is not None:
            words = "CODIE lane bootstrap failed; using primary code-writer path."
            failed = _routing(words, "coder_vp_bootstrap_fallback")
            await emit("status", {**failed, "error": self.bootstrap_error})
            return await self._engine(place, emit).run(prompt, script)
        self._ledger.adopt_engine_session(self._around.clock.now())
        mission = self._ledger.dispatch(prompt, self.run_id, self._around.clock.now())
        vp_place = SimPlace(LANE_DIRECTORY, lane_dir, "vp.coder", place.home, place.owner)
        vp = await self._delegate(mission, vp_place, script, emit)
        if vp.error is None:
            self._ledger.complete(mission, lane_dir, vp.trace_id, self._around.clock.now())
            return vp
        return await self._fall_back(mission, place, script, emit, vp)

    def _is_candidate(self, prompt: str) -> bool:
        flags = self._flags
        on = flags.enabled and not flags.forced_fallback
        return on and is_coding_intent(prompt, "G1")

    def _open_session(self, owner: str) -> str:
        self._around.workspaces.ensure_lane(LANE_DIRECTORY)
        lane_dir = str(self._around.workspaces.path(LANE_DIRECTORY))
        self._ledger.open_session(lane_dir, owner, self._around.clock.now())
        return lane_dir

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
            return await self._engine(place, self._with_heartbeat(emit)).run(
                mission.objective, script
            )
        except SimEngineError as error:
            words = "CODIE lane raised an exception; falling back to primary code-writer path."
            raised = _routing(words, "coder_vp_exception", mission)
            await emit("status", {**raised, "error": str(error)})
            return SimEngineResult(None, 0, 0.0, str(error))

    async def _fall_back(
        self,
        mission: SimMission,
        place: SimPlace,
        script: SimTurnScript,
        emit: Emit,
        vp: SimEngineResult,
    ) -> SimEngineResult:
        clock, vp_error = self._around.clock, vp.error or ""
        self._ledger.fall_back(mission, vp_error, vp.trace_id, clock.now())
        words = "CODIE failed; falling back to primary code-writer path."
        await emit("status", _routing(words, "coder_vp_fallback", mission))
        result = await self._engine(place, emit).run(mission.objective, script)
        if result.error is None:
            self._ledger.complete(
                mission, place.workspace_dir, result.trace_id, clock.now(), vp_error=vp_error
            )
        else:
            self._ledger.fail(mission, vp_error, result.trace_id, clock.now())
        return result

    def _engine(self, place: SimPlace, emit: Emit) -> SimEngine:
        return SimEngine(SimVoice(self._around, place, emit))

    def _with_heartbeat(self, emit: Emit) -> Emit:
        async def emit_and_beat(kind: str, data: JsonObject) -> None:
            # The lease is renewed by events only: a silent run lets it expire.
            session, now = self._ledger.session, self._around.clock.now()
            if session is not None and now - session.touched_at >= HEARTBEAT:
                session.touched_at = now
            await emit(kind, data)

        return emit_and_beat


def _routing(words: str, routing: str, mission: SimMission | None = None) -> JsonObject:
    frame: JsonObject = {"status": words, "is_log": True, "routing": routing}
    if mission is not None:
        frame["vp_mission_id"] = mission.mission_id
    return frame


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
    words = {
        "turn_in_progress": "This request is already in progress.",
        "turn_rejected_busy": "Another turn is in progress.",
        "duplicate_turn_ignored": "This request was completed just now.",
    }[status]
    return "status", {"status": status, **ids, "message": words}
