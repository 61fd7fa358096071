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
from vp_tui.simulator.database import (
    LANE_DIRECTORY,
    VP_ID,
    JsonObject,
    SimDatabase,
    SimMission,
    lane_directory,
)
from vp_tui.simulator.engine import (
    Emit,
    SimEngine,
    SimEngineError,
    SimEngineResult,
    SimPlace,
    SimSurroundings,
    work,
)
from vp_tui.simulator.sessions import SimNotice, SimTurn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vp_tui.domain.lane.switches import Switches
    from vp_tui.simulator.options import SimContinuity
    from vp_tui.simulator.script import SimTurnScript
    from vp_tui.simulator.sessions import SimSession


DUPLICATE_WINDOW_S: Final = 120.0

HEARTBEAT: Final = timedelta(seconds=60)
CHAT_SOURCE: Final = "chat_panel_task_hub"
"""What a G2 calls a turn of the primary path."""

_STATUS_WORDS: Final = {
    "turn_in_progress": "This request is already in progress.",
    "turn_rejected_busy": "Another turn is in progress.",
    "duplicate_turn_ignored": "This request was completed just now.",
    "turn_cancelled": "Execution cancelled.",
}


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
        self._is_g2: Final = around.dialect == "G2"
        self._session_locks: dict[str, asyncio.Lock] = {}
        self._notified = 0

    @contextlib.asynccontextmanager
    async def exclusive(self, session_id: str = "") -> AsyncIterator[None]:
        """Hold the gateway's lock; raises `SimGatewayStoppedError` if it died meanwhile.

        On G2 a turn of `session_id` holds one of its own, so that several run at once.
        """
        lock = self._lock
        if session_id and self._is_g2:
            lock = self._session_locks.setdefault(session_id, lock := asyncio.Lock())
        async with lock:
            if not self._around.life.alive:
                raise SimGatewayStoppedError
            yield

    def refuse(self, session: SimSession, prompt: str) -> list[tuple[str, JsonObject]]:
        """Return the frames that answer a prompt that will not run; none: it will."""
        turn = session.turn
        if turn is not None and turn.counted:
            if turn.prompt == prompt:
                self._continuity.count("turn_duplicate_in_progress")
                said = [_status("turn_in_progress", turn_id=turn.turn_id)]
            else:
                self._continuity.count("turn_busy_rejected")
                said = [_status("turn_rejected_busy", active_turn_id=turn.turn_id)]
            if self._incomplete:
                said.append(("query_complete", {"turn_id": turn.turn_id, **self._incomplete}))
            return said
        completed_at = session.completed.get(prompt)
        now = asyncio.get_running_loop().time()
        if completed_at is None or now - completed_at > DUPLICATE_WINDOW_S:
            return []
        self._continuity.count("turn_duplicate_completed")
        turn_id = self._turn_id()
        ignored = _status("duplicate_turn_ignored", turn_id=turn_id)
        return [ignored, ("query_complete", {"turn_id": turn_id, **self._incomplete})]

    @property
    def _incomplete(self) -> JsonObject:
        """What a G2 adds to the `query_complete` of a turn that was refused."""
        return {"completed": False} if self._is_g2 else {}

    def start(self, session: SimSession, owner: str, prompt: str, script: SimTurnScript) -> SimTurn:
        """Admit a turn; it runs as soon as the lock is free."""
        turn = SimTurn(self._turn_id(), prompt, script)
        session.turn = turn
        session.active_runs += 1
        if self._is_g2:
            session.run_id = f"run_{self._around.ids.hex(12)}"
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
        told = {"reason": reason, "run_id": session.run_id, "session_id": session.session_id}
        await session.broadcast("cancelled", told)
        if not (self._is_g2 and reason.startswith("daemon_idle_timeout")):
            await self._notify(session, "cancelled", reason, {"source": "ops"})
        return unwound

    async def _run(self, session: SimSession, owner: str, turn: SimTurn) -> None:
        session_id = session.session_id
        source = CHAT_SOURCE if self._is_g2 else "user"
        place = SimPlace(session_id, session.workspace_dir, source, session_id, owner)
        try:
            async with self.exclusive(session_id):
                result = await self._lane.run(place, turn, session.emit)
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
            self._around.workspaces.checkpoint(session_id, turn.prompt, describe=not self._is_g2)
            goal = {"goal_satisfaction": _goal(result), "completed": True} if self._is_g2 else {}
            await session.broadcast("query_complete", {"turn_id": turn.turn_id, **goal})
            await session.broadcast("pong", {})
            # Said of failed missions too.
            message = "Session completed execution successfully."
            spent: JsonObject = {
                "tool_calls": result.tool_calls,
                "duration_seconds": result.duration_s,
                **({"goal_satisfaction": _goal(result)} if self._is_g2 else {}),
            }
            await self._notify(session, "mission_complete", message, spent)

    async def _notify(
        self, session: SimSession, kind: str, message: str, metadata: JsonObject
    ) -> None:
        """Broadcast a notification that ends a turn, numbered since boot."""
        self._notified += 1
        metadata = {**metadata, "source_domain": "system"} if self._is_g2 else metadata
        notice = SimNotice(self._notified, kind, message, metadata)
        clock = self._around.clock
        await session.broadcast("system_event", notice.body(session.session_id, clock, self._is_g2))

    def _turn_id(self) -> str:
        return f"turn_{self._around.clock.milliseconds()}_{self._around.ids.hex(8)}"


class SimLane:
    """The VP lane of one boot; all its missions share one `run_id`."""

    def __init__(self, ledger: SimDatabase, switches: Switches, around: SimSurroundings) -> None:
        self._ledger = ledger
        self._switches = switches
        self._around = around
        self._is_g2: Final = around.dialect == "G2"
        self.run_id = str(UUID(ledger.ids.hex(32)))
        self.bootstrap_error: str | None = None
        """Why the lane's engine cannot start; None when it can."""

    async def run(self, place: SimPlace, turn: SimTurn, emit: Emit) -> SimEngineResult:
        """Route a turn of the session at `place` and run it to its end."""
        ledger, now, prompt, script = self._ledger, self._around.clock.now, turn.prompt, turn.script
        if not self._is_candidate(prompt):
            return await SimEngine(self._around, place, emit).run(prompt, script)
        if self._switches.is_on(Switch.SHADOW):
            words = "CODIE shadow mode candidate detected; served by Simone direct path."
            await emit("status", _routing(words, "coder_vp_shadow_mode"))
            return await SimEngine(self._around, place, emit).run(prompt, script)
        lane_dir = self._around.workspaces.lane(lane_directory(self._around.dialect))
        if self._is_g2:
            ledger.register_workers(lane_dir, place.owner, now())
        else:
            ledger.open_session(lane_dir, place.owner, now())
        if self.bootstrap_error is not None:
            words = "CODIE lane bootstrap failed; using primary code-writer path."
            failed = _routing(words, "coder_vp_bootstrap_fallback")
            await emit("status", {**failed, "error": self.bootstrap_error})
            return await SimEngine(self._around, place, emit).run(prompt, script)
        if self._is_g2:
            return await self._run_g2(place, turn, emit)
        ledger.adopt_engine_session(now())
        mission = ledger.dispatch(prompt, self.run_id, now())
        vp_place = SimPlace(LANE_DIRECTORY, lane_dir, "vp.coder", place.home, place.owner)
        return await self._run_mission(mission, vp_place, place, script, emit)

    async def _run_g2(self, place: SimPlace, turn: SimTurn, emit: Emit) -> SimEngineResult:
        """Leave the turn's mission to a worker, or run it here as G1 does; a cancel fails it."""
        ledger, now, home = self._ledger, self._around.clock.now, (place.home, turn.turn_id)
        if turn.script.external:
            mission = ledger.order(turn.prompt, home, now())
            await emit("status", _delegated(mission, "delegated_to_coder_vp_external"))
            self._around.life.spawn(work(self._around, ledger, mission, turn.script))
            return SimEngineResult(None, 0, 0.0)
        mission = ledger.order(turn.prompt, home, now(), run_id=self.run_id)
        vp_place = place._replace(source="vp.coder")
        try:
            return await self._run_mission(mission, vp_place, place, turn.script, emit)
        except BaseException as error:
            if self._around.life.alive:
                ledger.give_up(mission, error, now())
            raise

    async def _run_mission(
        self,
        mission: SimMission,
        vp_place: SimPlace,
        place: SimPlace,
        script: SimTurnScript,
        emit: Emit,
    ) -> SimEngineResult:
        """Run a mission in the lane at `vp_place`, and after an error on the primary path."""
        ledger, now = self._ledger, self._around.clock.now
        vp = await self._delegate(mission, vp_place, script, emit)
        if vp.error is None:
            ledger.complete(mission, vp_place.workspace_dir, vp.trace_id, now())
            return vp
        ledger.fall_back(mission, vp.error, vp.trace_id, now())
        words = "CODIE failed; falling back to primary code-writer path."
        await emit("status", _routing(words, "coder_vp_fallback", mission))
        result = await SimEngine(self._around, place, emit).run(mission.objective, script)
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
        return on and is_coding_intent(prompt, self._around.dialect)

    async def _delegate(
        self, mission: SimMission, place: SimPlace, script: SimTurnScript, emit: Emit
    ) -> SimEngineResult:
        await emit("status", _delegated(mission, "delegated_to_coder_vp"))
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


def _delegated(mission: SimMission, routing: str) -> JsonObject:
    return {
        "status": "Delegated to CODIE lane.",
        "is_log": True,
        "vp_mission_id": mission.mission_id,
        "vp_id": VP_ID,
        "routing": routing,
    }


def _goal(result: SimEngineResult) -> JsonObject:
    observed = {"email_send_count": 0, "tool_calls_total": result.tool_calls}
    stage = {"passed": True, "stage_status": "completed", "terminal": True}
    return {**stage, "contract": {}, "observed": observed, "missing": []}


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
