"""The ops plane: metrics, session listings, cancels and log tails (the wire contract, 4 to 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from vp_tui.simulator.access import body_text, known_session_id, query_ints, require_ops
from vp_tui.simulator.ledger import VP_ID
from vp_tui.simulator.metrics import lane_metrics
from vp_tui.simulator.workspace import is_valid_id, read_log_slice

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from vp_tui.simulator.gateway import Gateway
    from vp_tui.simulator.ledger import JsonObject

DEFAULT_REASON: Final = "Cancelled from ops panel"


def metrics_vp_id(request: Request) -> str:
    """Return the lane that is asked for; raises 400 for a blank one."""
    vp_id = request.query_params.get("vp_id", VP_ID).strip()
    if not vp_id:
        raise HTTPException(400, "vp_id is required")
    return vp_id


async def _metrics(request: Request) -> JSONResponse:
    mission_limit, event_limit = query_ints(request, mission_limit=50, event_limit=200)
    gateway = require_ops(request)
    body = lane_metrics(
        gateway.ledger,
        metrics_vp_id(request),
        mission_limit=mission_limit,
        event_limit=event_limit,
        now=gateway.clock.now(),
    )
    return JSONResponse(body)


async def _continuity(request: Request) -> JSONResponse:
    return JSONResponse({"metrics": require_ops(request).continuity.body()})


async def _list_sessions(request: Request) -> JSONResponse:
    limit, offset = query_ints(request, limit=100, offset=0)
    items = [item for item in require_ops(request).listed() if _matches(item, request)]
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
    gateway = require_ops(request)
    return JSONResponse({"session": gateway.item(known_session_id(request, gateway))})


async def _cancel(request: Request) -> JSONResponse:
    reason = _reason(await body_text(request, "reason"))
    gateway = require_ops(request)
    session_id = known_session_id(request, gateway)
    cancelled = await gateway.turns.cancel(gateway.session(session_id), reason)
    return JSONResponse(
        {
            "status": "cancel_requested",
            "session_id": session_id,
            "run_id": None,
            "reason": reason,
            "task_cancelled": cancelled,
        }
    )


async def _cancel_all(request: Request) -> JSONResponse:
    reason = _reason(await body_text(request, "reason"))
    gateway = require_ops(request)
    running = [session for session in gateway.sessions.values() if session.active_runs]
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


def _reason(given: str | None) -> str:
    return (given or "").strip() or DEFAULT_REASON


async def _tail(request: Request) -> JSONResponse:
    limit, max_bytes = query_ints(request, limit=200, max_bytes=250_000)
    cursor = query_ints(request, cursor=0)[0] if "cursor" in request.query_params else None
    path, shown = _log_path(request, require_ops(request))
    if not path.exists():
        empty: JsonObject = {"file": shown, "cursor": 0, "size": 0, "lines": []}
        return JSONResponse({**empty, "truncated": False, "reset": False})
    # A directory raises here: 500 and a dead connection, as the gateway does it.
    body = read_log_slice(
        path,
        cursor=cursor,
        limit=min(max(limit, 1), 5000),
        max_bytes=min(max(max_bytes, 1), 1_000_000),
    )
    return JSONResponse(body)


def _log_path(request: Request, gateway: Gateway) -> tuple[Path, str]:
    """Return the file that is asked for, and its name in the answer if it is missing."""
    session_id, relative = (request.query_params.get(name) for name in ("session_id", "path"))
    if session_id:
        if not is_valid_id(session_id):
            raise HTTPException(400, "Invalid session id format")
        return gateway.workspaces.path(session_id) / "run.log", "run.log"
    if not relative:
        raise HTTPException(400, "session_id or path required")
    root = gateway.workspaces.root.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        raise HTTPException(400, "Log path must remain under UA_WORKSPACES_DIR")
    return path, str(path)


OPS_ROUTES: Final = (
    Route("/api/v1/ops/metrics/coder-vp", _metrics),
    Route("/api/v1/ops/metrics/session-continuity", _continuity),
    Route("/api/v1/ops/sessions", _list_sessions),
    Route("/api/v1/ops/sessions/cancel", _cancel_all, methods=["POST"]),
    Route("/api/v1/ops/sessions/{session_id}", _session),
    Route("/api/v1/ops/sessions/{session_id}/cancel", _cancel, methods=["POST"]),
    Route("/api/v1/ops/logs/tail", _tail),
)
