"""One boot of the gateway: the sessions in memory, listings, creating, resuming, executing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.switches import switches_in
from vp_tui.simulator.engine import SimSurroundings
from vp_tui.simulator.options import SimContinuity, SimLife
from vp_tui.simulator.script import invented_script, marked_script
from vp_tui.simulator.sessions import DEFAULT_OWNER, RESUMED_OWNER, SimSession
from vp_tui.simulator.turns import CHAT_SOURCE, SimLane, SimTurns

if TYPE_CHECKING:
    from vp_tui.simulator.database import JsonObject, SimDatabase
    from vp_tui.simulator.options import SimClock, SimOptions
    from vp_tui.simulator.script import SimTurnScript
    from vp_tui.simulator.sessions import SimTurn, SimWorkspaces


CANCEL_WAIT_S: Final = {"G1": 5.0, "G2": 10.0}
MEMORY_MODE: Final = {"G1": "session_only", "G2": "direct_only"}
_CHANNELS: Final = {"session_": "chat", "tg_": "telegram", "api_": "api"}
"""Where a session came from, by what its id begins with."""


class SimGateway:
    """What a gateway process holds in memory; `ledger` and `workspaces` outlive it."""

    def __init__(
        self, options: SimOptions, clock: SimClock, ledger: SimDatabase, workspaces: SimWorkspaces
    ) -> None:
        self.options = options
        self.clock = clock
        self.ledger = ledger
        self.workspaces = workspaces
        self.sessions: dict[str, SimSession] = {}
        self.is_opened = False
        """Whether somebody came with the ops plane's token, or none is wanted there."""
        self.continuity = SimContinuity(clock, options.dialect)
        self.life = SimLife()
        self.dialect: Final = options.dialect
        around = SimSurroundings(clock, ledger.ids, workspaces, self.life, self.dialect)
        env = options.env_file
        switches = switches_in(env.read_bytes() if env and env.is_file() else b"")
        self.lane = SimLane(ledger, switches, around)
        wait_s = options.cancel_wait
        wait_s = CANCEL_WAIT_S[self.dialect] if wait_s is None else wait_s
        self.turns = SimTurns(around, self.lane, self.continuity, wait_s)
        ledger.reconcile(clock.now())

    def session(self, session_id: str) -> SimSession:
        """Return the counters of a session that exists, in memory or only on disk."""
        if session_id not in self.sessions:
            path = str(self.workspaces.path(session_id))
            self.sessions[session_id] = SimSession(session_id, path, self.clock, self.dialect)
        return self.sessions[session_id]

    async def create(
        self,
        owner: str = DEFAULT_OWNER,
        at: datetime | None = None,
        session_id: str | None = None,
    ) -> SimSession:
        """Make a session, waiting for the lock; its own id tells when, now or `at`."""
        async with self.turns.exclusive():
            digits = self.ledger.ids.hex(8)
            session_id = session_id or f"session_{self.clock.local(at):%Y%m%d_%H%M%S}_{digits}"
            self.workspaces.create(session_id, owner)
            session = self.session(session_id)
            session.loaded = True
            self.continuity.count("sessions_created")
            return session

    async def resume(self, session_id: str) -> SimSession | None:
        """Return the session ready to run: one that is only on disk is loaded under the lock.

        None if there is no such session, which it also takes the lock to find out.
        """
        if session_id in self.sessions and self.sessions[session_id].loaded:
            return self.sessions[session_id]
        async with self.turns.exclusive():
            self.continuity.count("resume_attempts")
            if not self.workspaces.exists(session_id):
                self.continuity.count("resume_failures")
                return None
            session = self.session(session_id)
            session.loaded = True
            session.last_activity = self.clock.now()
            self.workspaces.record(session_id).owner = RESUMED_OWNER
            self.continuity.count("resume_successes")
            return session

    def start_turn(
        self, session: SimSession, prompt: str, script: SimTurnScript | None = None
    ) -> SimTurn:
        """Admit a turn that behaves as `script`, as the prompt's marker, or cleanly."""
        owner = self.workspaces.record(session.session_id).owner
        chosen = script or marked_script(prompt) or invented_script(self.ledger.ids)
        return self.turns.start(session, owner, prompt, chosen)

    def listed(self) -> list[JsonObject]:
        """Return the items of all sessions, the newest directory first."""
        return [self.item(session_id) for session_id in self.workspaces.newest_first()]

    def item(self, session_id: str) -> JsonObject:
        """Return a session as the listings show it."""
        disk, record = self.workspaces, self.workspaces.record(session_id)
        session = self.sessions.get(session_id)
        modified_at = datetime.fromtimestamp(disk.path(session_id).stat().st_mtime, UTC)
        active_runs = session.active_runs if session else 0
        matches = (name for prefix, name in _CHANNELS.items() if session_id.startswith(prefix))
        channel = next(matches, "local")
        more: JsonObject = {}
        if self.dialect == "G2":
            more = self._g2_fields(session_id, modified_at, is_lane=channel == "local")
        item = {
            "session_id": session_id,
            "workspace_dir": str(disk.path(session_id)),
            "status": "running" if active_runs else "idle",
            "source": channel,
            "channel": channel,
            "owner": record.owner,
            "memory_mode": MEMORY_MODE[self.dialect],
            "description": record.description,
            "last_modified": self.clock.stamp(modified_at),
            "last_activity": self.clock.stamp(session.last_activity if session else modified_at),
            "active_connections": len(session.sockets) if session else 0,
            "active_runs": active_runs,
            "last_event_seq": session.last_event_seq if session else 0,
            "terminal_reason": None,
            "has_run_log": disk.has(session_id, "run.log"),
            "has_activity_journal": disk.has(session_id, "activity_journal.log"),
            "has_memory": disk.has(session_id, "memory"),
        }
        return {**item, **more}

    def _g2_fields(self, session_id: str, modified_at: datetime, *, is_lane: bool) -> JsonObject:
        """Return what a G2's item has besides, or has otherwise."""
        session, has_log = self.sessions.get(session_id), self.workspaces.has(session_id, "run.log")
        status = "idle"
        if session and (session.active_runs or session.sockets):
            # Merely attaching makes an idle session active.
            status = "running" if session.active_runs else "active"
        lacks = ["" if has_log else "no_run_log; ", "no_checkpoint; "]
        lacks += ["no_memory_file; " if is_lane else "", "memory_mode_direct_only"]
        return {
            "status": status,
            "channel": "vp_mission" if is_lane else "interactive",
            "created_at": self.clock.stamp(modified_at),
            "has_memory": not is_lane,
            "last_run_source": CHAT_SOURCE if session and session.run_id else "",
            "has_context_brief": False,
            "has_checkpoint": False,
            "checkpoint_age_seconds": None,
            "checkpoint_tasks_completed": 0,
            "checkpoint_artifacts_count": 0,
            "checkpoint_original_request": None,
            "rehydrate_ready": has_log and not is_lane,
            "rehydrate_reason": (
                "run_log_and_memory_available" if has_log and not is_lane else "".join(lacks)
            ),
        }
