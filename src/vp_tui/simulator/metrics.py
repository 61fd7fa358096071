"""The lane's metrics as G1 computes them, blind spot included (the wire contract, section 4)."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from vp_tui.simulator.ledger import (
    LEASE_OWNER,
    LEASE_SESSION_ID,
    LEASE_TTL,
    VP_ID,
    JsonObject,
    LaneEvent,
    LaneSession,
    Ledger,
    Mission,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def lane_metrics(
    ledger: Ledger, vp_id: str, *, mission_limit: int, event_limit: int, now: datetime
) -> JsonObject:
    """Return the body of the metrics endpoint.

    The newest `mission_limit` missions come newest first; of the events the OLDEST `event_limit`
    come oldest first, so that what happens after them is never seen. Limits are clamped.
    """
    source = ledger if vp_id == VP_ID else Ledger(ledger.ids)
    event_limit = min(max(event_limit, 1), 1000)
    missions = source.missions[::-1][: min(max(mission_limit, 1), 500)]
    events = source.events[:event_limit]
    session_events = source.session_events[:event_limit]
    fell_back = {e.mission_id for e in events if e.event_type == "vp.mission.fallback"}
    return {
        "generated_at": now.isoformat(),
        "vp_id": vp_id,
        "session": _session_row(source.session),
        "mission_counts": dict(Counter(mission.status for mission in missions)),
        "event_counts": dict(Counter(event.event_type for event in events)),
        "session_event_counts": dict(Counter(event.event_type for event in session_events)),
        "fallback": _fallback(missions, fell_back),
        "latency_seconds": _latency(missions),
        # The embedded lane never degrades, so it has nothing to recover from.
        "recovery": {"attempts": 0, "successes": 0, "success_rate": None},
        "session_health": {"currently_orphaned": False, "orphan_signals": 0, "orphan_rate": 0.0},
        "recent_missions": [_mission_row(m, m.mission_id in fell_back) for m in missions],
        "recent_events": [_event_row(event) for event in events],
        "recent_session_events": [_event_row(event) for event in session_events],
    }


def _fallback(missions: Sequence[Mission], fell_back: set[str | None]) -> JsonObject:
    seen = sum(mission.mission_id in fell_back for mission in missions)
    rate = seen / len(missions) if missions else 0.0
    return {
        "missions_with_fallback": seen,
        "missions_considered": len(missions),
        "rate": rate,
    }


def _latency(missions: Sequence[Mission]) -> JsonObject:
    durations = sorted(d for mission in missions if (d := _duration(mission)) is not None)
    if not durations:
        names = ("avg_seconds", "p50_seconds", "p95_seconds", "max_seconds")
        return {"count": 0, **dict.fromkeys(names)}
    return {
        "count": len(durations),
        "avg_seconds": sum(durations) / len(durations),
        "p50_seconds": _nearest_rank(durations, 0.50),
        "p95_seconds": _nearest_rank(durations, 0.95),
        "max_seconds": durations[-1],
    }


def _nearest_rank(ordered: Sequence[float], quantile: float) -> float:
    return ordered[round((len(ordered) - 1) * quantile)]


def _duration(mission: Mission) -> float | None:
    if mission.completed_at is None:
        return None
    return (mission.completed_at - mission.started_at).total_seconds()


def _mission_row(mission: Mission, fallback_seen: bool) -> JsonObject:  # noqa: FBT001 - a column
    completed_at = mission.completed_at
    return {
        "mission_id": mission.mission_id,
        "status": mission.status,
        "objective": mission.objective,
        "run_id": mission.run_id,
        "started_at": mission.started_at.isoformat(),
        "completed_at": None if completed_at is None else completed_at.isoformat(),
        "updated_at": mission.updated_at.isoformat(),
        "result_ref": mission.result_ref,
        "duration_seconds": _duration(mission),
        "fallback_seen": fallback_seen,
    }


def _event_row(event: LaneEvent) -> JsonObject:
    mission = {} if event.mission_id is None else {"mission_id": event.mission_id}
    return {
        "event_id": event.event_id,
        **mission,
        "vp_id": VP_ID,
        "event_type": event.event_type,
        "payload": event.payload,
        "created_at": event.created_at.isoformat(),
    }


def _session_row(session: LaneSession | None) -> JsonObject | None:
    if session is None:
        return None
    metadata = {"lane": "coder_vp", "owner_user_id": session.owner}
    return {
        "vp_id": VP_ID,
        "runtime_id": "runtime.coder_vp.inprocess",
        "session_id": LEASE_SESSION_ID,
        "workspace_dir": session.workspace_dir,
        "status": "active",
        "lease_owner": LEASE_OWNER,
        "lease_expires_at": (session.touched_at + LEASE_TTL).isoformat(),
        "last_heartbeat_at": session.touched_at.isoformat(),
        "last_error": None,
        "metadata_json": json.dumps(metadata),
        "created_at": session.created_at.isoformat(),
        "updated_at": session.touched_at.isoformat(),
        "metadata": metadata,
    }
