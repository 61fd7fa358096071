"""The ops plane: metrics, session listings, cancels and log tails (docs/wire.md, sections 4 to 7).

The lane's metrics are computed as G1 does, blind spot included.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from vp_tui.domain.models import Plane
from vp_tui.simulator.access import (
    SimInvalidRequestError,
    body_texts,
    gateway_of,
    known_session_id,
    missing_query,
    query_ints,
    require,
    valid_session_id,
)
from vp_tui.simulator.database import (
    LEASE_OWNER,
    LEASE_SESSION_ID,
    LEASE_TTL,
    VP_ID,
    JsonObject,
    SimDatabase,
    SimLaneSession,
    SimMission,
)
from vp_tui.simulator.sessions import read_log_slice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.requests import Request

    from vp_tui.simulator.boot import SimGateway


DEFAULT_REASON: Final = "Cancelled from ops panel"


def lane_metrics(request: Request, mission_limit: int, event_limit: int) -> JsonObject:
    """Return the body of the metrics endpoint for the lane that is asked for; 400 for a blank one.

    The newest `mission_limit` missions come newest first; of the events the OLDEST `event_limit`
    come oldest first, so that what happens after them is never seen. Limits are clamped.
    """
    gateway = gateway_of(request)
    gateway.ledger.reconcile(gateway.clock.now())
    vp_id = request.query_params.get("vp_id", VP_ID).strip()
    if not vp_id:
        raise HTTPException(400, "vp_id is required")
    source = gateway.ledger if vp_id == VP_ID else SimDatabase(gateway.ledger.ids)
    event_limit = min(max(event_limit, 1), 1000)
    missions = source.missions[::-1][: min(max(mission_limit, 1), 500)]
    events = source.events[:event_limit]
    session_events = source.session_events[:event_limit]
    fell_back = {e["mission_id"] for e in events if e["event_type"] == "vp.mission.fallback"}
    fallbacks = sum(mission.mission_id in fell_back for mission in missions)
    return {
        "generated_at": gateway.clock.now().isoformat(),
        "vp_id": vp_id,
        "session": _session_row(source.session, gateway),
        "mission_counts": dict(Counter(mission.status for mission in missions)),
        "event_counts": dict(Counter(event["event_type"] for event in events)),
        "session_event_counts": dict(Counter(event["event_type"] for event in session_events)),
        "fallback": {
            "missions_with_fallback": fallbacks,
            "missions_considered": len(missions),
            "rate": fallbacks / len(missions) if missions else 0.0,
        },
        "latency_seconds": _latency(missions),
        # The embedded lane never degrades, so it has nothing to recover from.
        "recovery": {"attempts": 0, "successes": 0, "success_rate": None},
        "session_health": {"currently_orphaned": False, "orphan_signals": 0, "orphan_rate": 0.0},
        "recent_missions": [
            {**vars(mission), "fallback_seen": mission.mission_id in fell_back}
            for mission in missions
        ],
        "recent_events": events,
        "recent_session_events": session_events,
    }


def _latency(missions: Sequence[SimMission]) -> JsonObject:
    durations = sorted(
        mission.duration_seconds for mission in missions if mission.duration_seconds is not None
    )
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


def _session_row(session: SimLaneSession | None, gateway: SimGateway) -> JsonObject | None:
    if session is None:
        return None
    if gateway.dialect == "G2":
        return _workers_row(session)
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


def _workers_row(session: SimLaneSession) -> JsonObject:
    """Return the row of a G2's lane of workers."""
    metadata = {"client_kind": "claude_code", "display_name": "CODIE"}
    lease = ("lease_owner", "lease_expires_at", "last_heartbeat_at", "last_error")
    return {
        "vp_id": VP_ID,
        "runtime_id": "runtime.coder.external",
        "session_id": f"{VP_ID}.external",
        "workspace_dir": session.workspace_dir,
        "status": "idle",
        **dict.fromkeys(lease),
        "metadata_json": json.dumps(metadata),
        "created_at": session.created_at.isoformat(),
        "updated_at": session.touched_at.isoformat(),
        "metadata": metadata,
        "stale": False,
        "stale_reason": None,
        "effective_status": "idle",
    }


async def _vp_sessions(request: Request) -> JSONResponse:
    gateway = require(Plane.OPS, request)
    row = _session_row(gateway.ledger.session, gateway)
    return JSONResponse({"sessions": [] if row is None else [row]})


async def _vp_missions(request: Request) -> JSONResponse:
    (limit,) = query_ints(request, limit=100)
    gateway = require(Plane.OPS, request)
    gateway.ledger.reconcile(gateway.clock.now())
    asked = request.query_params
    statuses = set(filter(None, asked.get("status", "").split(",")))
    is_ours = asked.get("vp_id", VP_ID) == VP_ID
    rows = [
        gateway.ledger.row(mission)
        for mission in reversed(gateway.ledger.missions)
        if is_ours and (not statuses or mission.status in statuses)
    ]
    return JSONResponse({"missions": rows[: min(max(limit, 1), 500)]})


async def _cancel_mission(request: Request) -> JSONResponse:
    await body_texts(request, "reason")
    gateway, mission_id = require(Plane.OPS, request), request.path_params["mission_id"]
    mission = gateway.ledger.ask_to_cancel(mission_id, gateway.clock.now())
    if mission is None:
        raise HTTPException(404, "Mission not found or not cancellable")
    return JSONResponse({"status": "cancel_requested", "mission": gateway.ledger.row(mission)})


async def _vp_metrics(request: Request) -> JSONResponse:
    limits = query_ints(request, mission_limit=50, event_limit=200)
    if "vp_id" not in request.query_params:
        raise SimInvalidRequestError(missing_query("vp_id"))
    return JSONResponse(lane_metrics(request, *limits))


async def _metrics(request: Request) -> JSONResponse:
    limits = query_ints(request, mission_limit=50, event_limit=200)
    require(Plane.OPS, request)
    return JSONResponse(lane_metrics(request, *limits))


async def _continuity(request: Request) -> JSONResponse:
    return JSONResponse({"metrics": require(Plane.OPS, request).continuity.body()})


async def _list_sessions(request: Request) -> JSONResponse:
    limit, offset = query_ints(request, limit=100, offset=0)
    gateway = require(Plane.OPS, request)
    items = [item for item in gateway.listed() if _matches(item, request)]
    # Not clamped: negative numbers slice as Python slices.
    page = items[offset : offset + limit]
    return JSONResponse({"sessions": page, "total": len(items), "limit": limit, "offset": offset})


def _matches(item: JsonObject, request: Request) -> bool:
    asked = request.query_params
    status = asked.get("status", "all")
    statuses = {"active", "running"} if status == "active" else {status}
    owner = asked.get("owner", "")
    return (
        (status == "all" or item["status"] in statuses)
        and asked.get("source", "all") in {"all", item["source"]}
        and asked.get("memory_mode", "all") in {"all", item["memory_mode"]}
        and owner in {"", item["owner"]}
    )


async def _session(request: Request) -> JSONResponse:
    gateway = require(Plane.OPS, request)
    return JSONResponse({"session": gateway.item(known_session_id(request, gateway))})


async def _cancel(request: Request) -> JSONResponse:
    reason = await _reason(request)
    gateway = require(Plane.OPS, request)
    session_id = known_session_id(request, gateway)
    session = gateway.session(session_id)
    cancelled = await gateway.turns.cancel(session, reason)
    return JSONResponse(
        {
            "status": "cancel_requested",
            "session_id": session_id,
            "run_id": session.run_id,
            "reason": reason,
            "task_cancelled": cancelled,
        }
    )


async def _cancel_all(request: Request) -> JSONResponse:
    reason = await _reason(request)
    gateway = require(Plane.OPS, request)
    # G2 takes those too that somebody only watches.
    sweeps = gateway.dialect == "G2"
    running = [s for s in gateway.sessions.values() if s.active_runs or (sweeps and s.sockets)]
    for session in running:
        await gateway.turns.cancel(session, reason)
    return JSONResponse(
        {
            "status": "cancel_requested",
            "reason": reason,
            "sessions_considered": len(running),
            "sessions_cancelled": [session.session_id for session in running],
        }
    )


async def _reason(request: Request) -> str:
    (reason,) = await body_texts(request, "reason")
    return (reason or "").strip() or DEFAULT_REASON


async def _tail(request: Request) -> JSONResponse:
    limit, max_bytes = query_ints(request, limit=200, max_bytes=250_000)
    cursor = query_ints(request, cursor=0)[0] if "cursor" in request.query_params else None
    gateway = require(Plane.OPS, request)
    path, shown = _log_path(request, gateway)
    if not path.exists():
        file = str(path) if gateway.dialect == "G2" else shown
        empty = {"file": file, "cursor": 0, "size": 0, "lines": []}
        return JSONResponse({**empty, "truncated": False, "reset": False})
    # A directory raises here: 500 and a dead connection, as the gateway does it.
    body = read_log_slice(
        path,
        cursor=cursor,
        limit=min(max(limit, 1), 5000),
        max_bytes=min(max(max_bytes, 1), 1_000_000),
    )
    return JSONResponse(body)


def _log_path(request: Request, gateway: SimGateway) -> tuple[Path, str]:
    """Return the file that is asked for, and its name in the answer if it is missing."""
    session_id, relative = (request.query_params.get(name) for name in ("session_id", "path"))
    if session_id:
        return gateway.workspaces.path(valid_session_id(session_id)) / "run.log", "run.log"
    if not relative:
        raise HTTPException(400, "session_id or path required")
    root = gateway.workspaces.root.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        raise HTTPException(400, "Log path must remain under UA_WORKSPACES_DIR")
    return path, str(path)


G2_ROUTES: Final = (
    Route("/api/v1/ops/metrics/vp", _vp_metrics),
    Route("/api/v1/ops/vp/sessions", _vp_sessions),
    Route("/api/v1/ops/vp/missions", _vp_missions),
    Route("/api/v1/ops/vp/missions/{mission_id}/cancel", _cancel_mission, methods=["POST"]),
)
OPS_ROUTES: Final = (
    Route("/api/v1/ops/metrics/coder-vp", _metrics),
    Route("/api/v1/ops/metrics/session-continuity", _continuity),
    Route("/api/v1/ops/sessions", _list_sessions),
    Route("/api/v1/ops/sessions/cancel", _cancel_all, methods=["POST"]),
    Route("/api/v1/ops/sessions/{session_id}", _session),
    Route("/api/v1/ops/sessions/{session_id}/cancel", _cancel, methods=["POST"]),
    Route("/api/v1/ops/logs/tail", _tail),
)
