"""The HTTP application: the open endpoints, the session plane, and the WebSocket of a session.

Anyone on that socket may watch, execute and cancel (docs/wire.md, section 8).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

from vp_tui.domain.models import Plane
from vp_tui.simulator.access import (
    SimInvalidRequestError,
    SimOpsGuard,
    allows,
    answer_crash,
    answer_error,
    body_texts,
    gateway_of,
    query_ints,
    require,
    valid_session_id,
)
from vp_tui.simulator.ops import G2_ROUTES, OPS_ROUTES, lane_metrics
from vp_tui.simulator.sessions import DEFAULT_OWNER, is_valid_id
from vp_tui.simulator.turns import SimGatewayStoppedError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from vp_tui.simulator.boot import SimGateway
    from vp_tui.simulator.database import JsonObject
    from vp_tui.simulator.sessions import SimSession


CLOSE_NO_SESSION: Final = 4004
CLOSE_RESTART: Final = 1012

VERSION = "1.0.0"


async def stream(socket: WebSocket) -> None:
    """Serve one viewer until it leaves."""
    gateway = gateway_of(socket)
    session_id: str = socket.path_params["session_id"]
    if not allows(Plane.SESSION, socket) or not is_valid_id(session_id):
        await socket.close()  # before the accept: the client sees a bare 403
        return
    await socket.accept()
    gateway.continuity.count("ws_attach_attempts")
    try:
        session = await gateway.resume(session_id)
    except SimGatewayStoppedError:
        await socket.close(CLOSE_RESTART)
        return
    if session is None:
        gateway.continuity.count("ws_attach_failures")
        await socket.close(CLOSE_NO_SESSION, "Session not found")
        return
    gateway.continuity.count("ws_attach_successes")
    await session.attach(socket, gateway.workspaces.record(session_id).owner)
    try:
        while True:
            # A binary frame has no text: the exception drops the connection without a close frame.
            await _handle(gateway, session, socket, await socket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        session.detach(socket)


async def _handle(gateway: SimGateway, session: SimSession, socket: WebSocket, text: str) -> None:
    try:
        frame = json.loads(text)
        kind, data = frame["type"], frame.get("data") or {}
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        await session.reply(socket, "error", {"message": "Invalid message"})
        return
    is_g2 = gateway.dialect == "G2"
    if kind == "execute" or (is_g2 and kind == "query"):
        key = "user_input" if kind == "execute" else "text"
        prompt = data.get(key) if isinstance(data, dict) else None
        if not isinstance(prompt, str) or not prompt.strip():
            await session.reply(socket, "error", {"message": "Empty user_input"})
            if is_g2:
                await session.reply(socket, "query_complete", {"completed": False})
            return
        refusal = gateway.turns.refuse(session, prompt)
        for refused, words in refusal:
            await session.reply(socket, refused, words)
        if not refusal:
            gateway.start_turn(session, prompt)
    elif kind == "cancel":
        reason = data.get("reason") if isinstance(data, dict) else None
        await gateway.turns.cancel(session, str(reason or "Cancelled by user"))
    elif is_g2 and kind == "ping":
        await session.reply(socket, "pong", {})
    elif kind != "input_response":
        await session.reply(socket, "error", {"message": f"Unknown message type: {kind}"})


def build_app(gateway: SimGateway) -> Starlette:
    """Return the application that serves one boot of the gateway."""
    app = Starlette(
        routes=[
            Route("/", _root),
            Route("/api/v1/health", _health),
            *(_OF_G2 if gateway.dialect == "G2" else ()),
            Route("/api/v1/dashboard/metrics/coder-vp", _dashboard_metrics),
            Route("/api/v1/sessions", _list_sessions),
            Route("/api/v1/sessions", _create_session, methods=["POST"]),
            Route("/api/v1/sessions/{session_id}", _resume_session),
            WebSocketRoute("/api/v1/sessions/{session_id}/stream", stream),
            *OPS_ROUTES,
            *(G2_ROUTES if gateway.dialect == "G2" else ()),
        ],
        exception_handlers={
            HTTPException: answer_error,
            SimInvalidRequestError: answer_error,
            Exception: answer_crash,
        },
        middleware=[Middleware(SimOpsGuard)] if gateway.dialect == "G2" else [],
    )
    for route in app.routes:
        if isinstance(route, Route) and route.methods is not None:
            route.methods.discard("HEAD")  # Starlette adds it, the gateway's framework does not
    app.state.gateway = gateway
    return app


async def _root(_request: Request) -> JSONResponse:
    return JSONResponse({"service": "embedded gateway", "status": "running", "version": VERSION})


async def _version(request: Request) -> JSONResponse:
    gateway = gateway_of(request)
    commit = ("commit_sha", "short_sha", "branch", "commit_subject", "commit_committed_at")
    booted = gateway.clock.stamp(gateway.continuity.started_at)
    place = {"process_started_at": booted, "repo_root": str(gateway.workspaces.root.parent)}
    return JSONResponse({**dict.fromkeys(commit), **place})


def _g2_health() -> JsonObject:
    mode = {"mode": "disabled", "token_present": False, "error": None, "reason": None}
    return {"runtime_path": "/usr/bin:/bin", "runtime_tools": {}, "observability": mode}


async def _health(request: Request) -> JSONResponse:
    gateway = gateway_of(request)
    return JSONResponse(
        {
            "status": "healthy",
            "timestamp": gateway.clock.stamp(),
            "version": VERSION,
            "db_status": "connected",
            "db_error": None,
            **(_g2_health() if gateway.dialect == "G2" else {}),
            "deployment_profile": {
                "profile": "local_workstation",
                "allowlist_required": False,
                "ops_token_required": False,
                "remote_access": "local_only_default",
                "notes": "Development workstation defaults prioritize local iteration speed.",
            },
        }
    )


async def _dashboard_metrics(request: Request) -> JSONResponse:
    limits = query_ints(request, mission_limit=20, event_limit=100)
    return JSONResponse({"status": "ok", "metrics": lane_metrics(request, *limits)})


async def _list_sessions(request: Request) -> JSONResponse:
    sessions = [
        {
            "session_id": item["session_id"],
            "workspace_dir": item["workspace_dir"],
            "status": item["status"],
            "user_id": item["owner"],
            "metadata": item,
        }
        for item in require(Plane.SESSION, request).listed()
    ]
    return JSONResponse({"sessions": sessions})


async def _create_session(request: Request) -> JSONResponse:
    of_g2 = ("session_id", "codebase_root") if gateway_of(request).dialect == "G2" else ()
    owner, _, *more = await body_texts(request, "user_id", "workspace_dir", *of_g2)
    gateway = require(Plane.SESSION, request)
    session_id = valid_session_id(more[0]) if more and more[0] else None
    session = await gateway.create(owner or DEFAULT_OWNER, session_id=session_id)
    return JSONResponse(_loaded(gateway, session))


async def _ops_token(request: Request) -> JSONResponse:
    """Refuse: the embedded gateway has no secret to sign a token with."""
    await body_texts(request, "subject")
    raise HTTPException(503, "Ops JWT auth is not configured.")


async def _resume_session(request: Request) -> JSONResponse:
    gateway = require(Plane.SESSION, request)
    session = await gateway.resume(valid_session_id(request.path_params["session_id"]))
    if session is None:
        raise HTTPException(404, "Session not found")
    return JSONResponse(_loaded(gateway, session))


def _loaded(gateway: SimGateway, session: SimSession) -> JsonObject:
    owner = gateway.workspaces.record(session.session_id).owner
    return {
        "session_id": session.session_id,
        "user_id": owner,
        "workspace_dir": session.workspace_dir,
        "metadata": {
            "engine": "process_turn",
            "logfire_enabled": False,
            "user_id": owner,
            "policy": {
                "autonomy_mode": "yolo",
                "identity_mode": "persona",
                "tool_profile": "full",
                "memory_mode": "session_only",
                "session_memory_enabled": True,
                "memory_tags": [],
                "long_term_tag_allowlist": [],
            },
            "runtime": {
                "lifecycle_state": "running" if session.active_runs else "idle",
                "last_event_seq": session.last_event_seq,
                "last_activity_at": gateway.clock.stamp(session.last_activity),
                "active_connections": len(session.sockets),
                "active_runs": session.active_runs,
                "last_event_type": session.last_event_type,
                "terminal_reason": None,
            },
        },
    }


_OF_G2: Final = (
    Route("/api/v1/version", _version),
    Route("/auth/ops-token", _ops_token, methods=["POST"]),
)
