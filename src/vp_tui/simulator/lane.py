"""Where a turn goes: the VP lane or the primary path, and what becomes of its mission.

The order of rows, events and frames is G1's (the wire contract, sections 4 and 8): a cancel or an
exception on the fallback leaves the mission's row `running` for ever.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vp_tui.domain.intent import is_coding_intent
from vp_tui.simulator.engine import Engine, EngineError, EngineResult
from vp_tui.simulator.ledger import LANE_DIRECTORY, VP_ID, JsonObject, Ledger, Mission
from vp_tui.simulator.voice import Emit, Place, Surroundings, Voice

if TYPE_CHECKING:
    from vp_tui.simulator.options import LaneFlags
    from vp_tui.simulator.script import TurnScript

HEARTBEAT: Final = timedelta(seconds=60)


class Lane:
    """The VP lane of one boot; all its missions share one `run_id`."""

    def __init__(self, ledger: Ledger, flags: LaneFlags, around: Surroundings) -> None:
        self._ledger = ledger
        self._flags = flags
        self._around = around
        self.run_id = ledger.ids.uuid()
        self.bootstrap_error: str | None = None
        """Why the lane's engine cannot start; None when it can."""

    async def run(self, place: Place, prompt: str, script: TurnScript, emit: Emit) -> EngineResult:
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
        vp_place = Place(LANE_DIRECTORY, lane_dir, "vp.coder", place.home, place.owner)
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
        self, mission: Mission, place: Place, script: TurnScript, emit: Emit
    ) -> EngineResult:
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
        except EngineError as error:
            words = "CODIE lane raised an exception; falling back to primary code-writer path."
            raised = _routing(words, "coder_vp_exception", mission)
            await emit("status", {**raised, "error": str(error)})
            return EngineResult(None, 0, 0.0, str(error))

    async def _fall_back(
        self, mission: Mission, place: Place, script: TurnScript, emit: Emit, vp: EngineResult
    ) -> EngineResult:
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

    def _engine(self, place: Place, emit: Emit) -> Engine:
        return Engine(Voice(self._around, place, emit))

    def _with_heartbeat(self, emit: Emit) -> Emit:
        async def emit_and_beat(kind: str, data: JsonObject) -> None:
            # The lease is renewed by events only: a silent run lets it expire.
            session, now = self._ledger.session, self._around.clock.now()
            if session is not None and now - session.touched_at >= HEARTBEAT:
                session.touched_at = now
            await emit(kind, data)

        return emit_and_beat


def _routing(words: str, routing: str, mission: Mission | None = None) -> JsonObject:
    frame: JsonObject = {"status": words, "is_log": True, "routing": routing}
    if mission is not None:
        frame["vp_mission_id"] = mission.mission_id
    return frame
