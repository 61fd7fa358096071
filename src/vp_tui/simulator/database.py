"""The runtime database: missions and events, which outlive a restart.

Nothing here ever closes a row that a cancel, an exception or a restart left `running`: those
zombies are part of docs/wire.md (section 4, trap 2). But a G2 gives up what does not move.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect


STALE_AFTER: Final = timedelta(seconds=900)
"""After which a G2 gives up a row that reads `running` and does not move."""
RECONCILE_EVERY: Final = timedelta(seconds=300)
CLAIM: Final = timedelta(seconds=120)
"""For which a worker claims a mission, again and again while it works."""
VP_ID: Final = "vp.coder.primary"
LANE_DIRECTORY: Final = "vp_coder_primary"
EXTERNAL_DIRECTORY: Final = "vp_coder_primary_external"
"""Of G2's lane, which is one of workers."""
LEASE_OWNER: Final = "simone-control-plane"
LEASE_SESSION_ID: Final = "vp.coder.primary.session"
LEASE_TTL: Final = timedelta(seconds=300)

JsonObject = Mapping[str, object]


def lane_directory(dialect: Dialect) -> str:
    """Return the name of the lane's directory; of a G2 it is its workers'."""
    return LANE_DIRECTORY if dialect == "G1" else EXTERNAL_DIRECTORY


class SimIds:
    """Identifiers that look like the gateway's and are the same in each run with the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable by design, nothing secret

    def hex(self, digits: int) -> str:
        """Return so many lower-case hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"


@dataclass
class SimMission:
    """A row of the missions table, as it is sent."""

    mission_id: str
    status: str
    objective: str
    run_id: str | None
    started_at: str | None
    completed_at: str | None
    updated_at: str
    result_ref: str | None = None
    duration_seconds: float | None = None


@dataclass(slots=True)
class SimErrand:
    """What a G2 knows of a mission besides its row: who asked for it and who has it."""

    created_at: str
    session_id: str
    turn_id: str
    worker_id: str | None = None
    claim_expires_at: datetime | None = None
    is_cancelled: bool = False
    """Somebody asked its worker to end it."""


@dataclass(slots=True)
class SimLaneSession:
    """The one row about the lane's session."""

    workspace_dir: str
    owner: str
    created_at: datetime
    touched_at: datetime
    """Last heartbeat; the lease ends `LEASE_TTL` later."""


@dataclass
class SimDatabase:
    """The tables, oldest row first."""

    ids: SimIds
    missions: list[SimMission] = field(default_factory=list)
    events: list[JsonObject] = field(default_factory=list)
    session_events: list[JsonObject] = field(default_factory=list)
    session: SimLaneSession | None = None
    errands: dict[str, SimErrand] = field(default_factory=dict)
    """By the mission's id; on G2."""
    reconciled_at: datetime | None = None

    def reconcile(self, at: datetime) -> None:
        """Fail what G2 gives up, at a boot and every five minutes: old rows, and ended claims."""
        if self.reconciled_at is not None and at - self.reconciled_at < RECONCILE_EVERY:
            return
        self.reconciled_at = at
        for mission in self.missions:
            errand = self.errands.get(mission.mission_id)
            if errand is None or mission.status != "running":
                continue
            end = (
                errand.claim_expires_at or datetime.fromisoformat(mission.updated_at) + STALE_AFTER
            )
            if end < at:
                payload = {
                    "source_session_id": errand.session_id,
                    "reply_mode": "async",
                    "reason": "stale_running_reconciled",
                    "stale_reason": "claim_expired" if errand.worker_id else "updated_at_timeout",
                    "previous_status": "running",
                }
                self.close(mission, "failed", payload, at)

    def open_session(self, workspace_dir: str, owner: str, at: datetime) -> None:
        """Take the lane's lease for a delegation, making the session's row the first time."""
        kind = "created" if self.session is None else "resumed"
        if self.session is None:
            self.session = SimLaneSession(workspace_dir, owner, at, at)
        self.session.touched_at = at
        lease = {
            "lease_owner": LEASE_OWNER,
            "workspace_dir": workspace_dir,
            "session_id": LEASE_SESSION_ID,
        }
        self._tell(kind, lease, at)

    def adopt_engine_session(self, at: datetime) -> None:
        """Note that the lane's engine came up under its own session id, once after `created`."""
        if self.session_events[-1]["event_type"] == "vp.session.created":
            ids = {
                "session_id": LANE_DIRECTORY,
                "previous_session_id": LEASE_SESSION_ID,
                "status": "active",
                "previous_status": "active",
            }
            self._tell("resumed", ids, at)

    def register_workers(self, workspace_dir: str, owner: str, at: datetime) -> None:
        """Make the row of a lane of workers, once."""
        if self.session is None:
            self.session = SimLaneSession(workspace_dir, owner, at, at)
            self._tell("available", {"workspace_root": workspace_dir}, at)

    def order(
        self, objective: str, home: tuple[str, str], at: datetime, *, run_id: str | None = None
    ) -> SimMission:
        """Add a G2's row: with a `run_id` the gateway runs it itself, without it is queued.

        `home` is the session and the turn that ask for it.
        """
        mission_id, now = f"vp-mission-{self.ids.hex(24)}", at.isoformat()
        status, began = ("queued", None) if run_id is None else ("running", now)
        mission = SimMission(mission_id, status, objective, run_id, began, None, now)
        self.missions.append(mission)
        self.errands[mission_id] = SimErrand(now, *home)
        asked = {"source_session_id": home[0], "source_turn_id": home[1], "reply_mode": "async"}
        self._tell("dispatched", {**asked, "mission_type": "task"}, at, mission)
        return mission

    def claim(self, mission: SimMission, worker_id: str, at: datetime) -> None:
        """Let a worker have a mission, for the first time or on."""
        errand = self.errands[mission.mission_id]
        is_first = errand.worker_id is None
        errand.worker_id, errand.claim_expires_at = worker_id, at + CLAIM
        mission.updated_at = at.isoformat()
        if is_first:
            mission.status, mission.started_at = "running", at.isoformat()
            self._tell("started", {"worker_id": worker_id}, at, mission)

    def ask_to_cancel(self, mission_id: str, at: datetime) -> SimMission | None:
        """Ask a G2's worker to end a mission, if one has it or is to take it.

        Until the worker looks, the row stays as it is.
        """
        for mission in self.missions:
            is_workers = mission.run_id is None and mission.status in {"queued", "running"}
            if mission.mission_id == mission_id and is_workers:
                self.errands[mission_id].is_cancelled = True
                self._tell("cancel_requested", {}, at, mission)
                return mission
        return None

    def row(self, mission: SimMission) -> JsonObject:
        """Return a G2's full row of a mission."""
        errand = self.errands[mission.mission_id]
        claim, budget = errand.claim_expires_at, "{}"
        payload = {
            "mission_id": mission.mission_id,
            "vp_id": VP_ID,
            "objective": mission.objective,
            "source_session_id": errand.session_id,
            "source_turn_id": errand.turn_id,
        }
        return {
            "mission_id": mission.mission_id,
            "vp_id": VP_ID,
            "run_id": mission.run_id,
            "status": mission.status,
            "mission_type": "task",
            "objective": mission.objective,
            "budget_json": budget,
            "payload_json": json.dumps(payload),
            "result_ref": mission.result_ref,
            "priority": 100,
            "priority_tier": "background",
            "worker_id": errand.worker_id,
            "claim_expires_at": claim.isoformat() if claim else None,
            "cancel_requested": int(errand.is_cancelled),
            "created_at": errand.created_at,
            "started_at": mission.started_at,
            "completed_at": mission.completed_at,
            "updated_at": mission.updated_at,
            "source": "gateway",
            "result_published": 0,
            "budget": {},
            "payload": payload,
            "duration_seconds": mission.duration_seconds,
        }

    def dispatch(self, objective: str, run_id: str, at: datetime) -> SimMission:
        """Add the row of a mission that starts."""
        mission_id, now = f"vp-mission-{self.ids.hex(32)}", at.isoformat()
        mission = SimMission(mission_id, "running", objective, run_id, now, None, now)
        self.missions.append(mission)
        payload = {"trace_id": None, "run_id": run_id, "started_at": now}
        self._tell("dispatched", payload, at, mission)
        return mission

    def give_up(self, mission: SimMission, error: BaseException, at: datetime) -> None:
        """Close the row as a G2 does after a cancel or an exception: with a fallback event too."""
        told = ("vp.mission.fallback", mission.mission_id)
        has_fallen = any((e["event_type"], e["mission_id"]) == told for e in self.events)
        if not has_fallen:
            self.fall_back(mission, str(error) or "cancelled", None, at)
        is_cancel = isinstance(error, asyncio.CancelledError)
        payload = {"cancelled": True} if is_cancel else {"error": str(error)}
        self.close(mission, "failed", {**payload, "failed_before_fallback": not has_fallen}, at)

    def fall_back(
        self, mission: SimMission, error: str, trace_id: str | None, at: datetime
    ) -> None:
        """Note that the primary path takes the mission over; its row does not change."""
        payload = {"reason": "vp_execution_error", "trace_id": trace_id, "error": error}
        self._tell("fallback", payload, at, mission)

    def complete(
        self,
        mission: SimMission,
        workspace_dir: str,
        trace_id: str | None,
        at: datetime,
        *,
        vp_error: str | None = None,
    ) -> None:
        """Close the row of an answered mission; with a `vp_error` the fallback answered it."""
        mission.result_ref = f"workspace://{workspace_dir}"
        payload = {
            "trace_id": trace_id,
            "result_ref": mission.result_ref,
            "completed_at": at.isoformat(),
            "completed_via": "coder_vp" if vp_error is None else "fallback_primary_path",
        }
        if vp_error is not None:
            payload["vp_error"] = vp_error
        self.close(mission, "completed", payload, at)

    def fail(self, mission: SimMission, vp_error: str, trace_id: str | None, at: datetime) -> None:
        """Close the row of a mission that the fallback could not answer either."""
        payload = {
            "trace_id": trace_id,
            "error": "Fallback primary path failed after CODER VP failure.",
            "completed_at": at.isoformat(),
            "failed_after_fallback": True,
            "vp_error": vp_error,
        }
        self.close(mission, "failed", payload, at)

    def close(self, mission: SimMission, status: str, payload: JsonObject, at: datetime) -> None:
        """End a mission."""
        mission.status = status
        mission.completed_at = mission.updated_at = at.isoformat()
        if mission.started_at is not None:
            began = datetime.fromisoformat(mission.started_at)
            mission.duration_seconds = (at - began).total_seconds()
        if (errand := self.errands.get(mission.mission_id)) is not None:
            errand.claim_expires_at = None
        self._tell(status, payload, at, mission)

    def _tell(
        self, kind: str, payload: JsonObject, at: datetime, mission: SimMission | None = None
    ) -> None:
        """Add the row of an event about a mission, or about the session."""
        about, table = ("mission", self.events) if mission else ("session", self.session_events)
        event_id = f"vp-{'' if mission else 'session-'}event-{self.ids.hex(32)}"
        event = {
            "event_id": event_id,
            **({"mission_id": mission.mission_id} if mission else {}),
            "vp_id": VP_ID,
            "event_type": f"vp.{about}.{kind}",
            "payload": payload,
            "created_at": at.isoformat(),
        }
        table.append(event)
