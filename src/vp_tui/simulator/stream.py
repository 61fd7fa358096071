"""The WebSocket of a session: anyone on it may watch, execute and cancel (section 8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from starlette.websockets import WebSocketDisconnect

from vp_tui.simulator.access import allows_session, gateway_of
from vp_tui.simulator.turns import GatewayStoppedError
from vp_tui.simulator.workspace import is_valid_id

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from vp_tui.simulator.gateway import Gateway
    from vp_tui.simulator.sessions import Session

CLOSE_NO_SESSION: Final = 4004
CLOSE_RESTART: Final = 1012


async def stream(socket: WebSocket) -> None:
    """Serve one viewer until it leaves."""
    gateway = gateway_of(socket)
    session_id: str = socket.path_params["session_id"]
    if not allows_session(gateway.options, socket.headers) or not is_valid_id(session_id):
        await socket.close()  # before the accept: the client sees a bare 403
        return
    await socket.accept()
    gateway.continuity.count("ws_attach_attempts")
    try:
        session = await gateway.resume(session_id)
    except GatewayStoppedError:
        await socket.close(CLOSE_RESTART)
        return
    if session is None:
        gateway.continuity.count("ws_attach_failures")
        await socket.close(CLOSE_NO_SESSION, "Session not found")
        return
    gateway.continuity.count("ws_attach_successes")
    await session.attach(socket)
    try:
        while True:
            # A binary frame has no text: the exception drops the connection without a close frame.
            await _handle(gateway, session, socket, await socket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        session.detach(socket)


async def _handle(gateway: Gateway, session: Session, socket: WebSocket, text: str) -> None:
    try:
        frame = json.loads(text)
        kind, data = frame["type"], frame.get("data") or {}
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        await session.reply(socket, "error", {"message": "Invalid message"})
        return
    if kind == "execute":
        prompt = str(data.get("text") or data.get("query") or "")
        refusal = gateway.turns.refuse(session, prompt)
        for refused, words in refusal:
            await session.reply(socket, refused, words)
        if not refusal:
            gateway.start_turn(session, prompt)
    elif kind == "cancel":
        await gateway.turns.cancel(session, str(data.get("reason") or "Cancelled by user"))
    elif kind != "input_response":
        await session.reply(socket, "error", {"message": f"Unknown message type: {kind}"})
