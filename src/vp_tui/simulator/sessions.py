"""A session in memory: its counters and the sockets that watch it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.websockets import WebSocketDisconnect

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.websockets import WebSocket

    from vp_tui.simulator.clock import Clock
    from vp_tui.simulator.ledger import JsonObject
    from vp_tui.simulator.script import TurnScript


@dataclass(eq=False)
class Turn:
    """One prompt on its way through the gateway."""

    turn_id: str
    prompt: str
    script: TurnScript
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    counted: bool = True
    """Whether the session's `active_runs` still counts it; a timed-out cancel stops that."""


class Session:
    """Counters of one session since boot, and who is attached to it.

    `loaded` is False for a session that is only on disk: an attach has to resume it first.
    """

    def __init__(self, session_id: str, workspace_dir: str, clock: Clock, *, loaded: bool) -> None:
        self.session_id = session_id
        self.workspace_dir = workspace_dir
        self.loaded = loaded
        self.sockets: list[WebSocket] = []
        self.last_event_seq = 0
        self.last_event_type: str | None = None
        self.last_activity: datetime = clock.now()
        self.turn: Turn | None = None
        self.active_runs = 0
        self.completed: dict[str, float] = {}
        """Event-loop time at which a prompt's turn completed, for duplicates."""
        self._clock = clock

    async def attach(self, socket: WebSocket) -> None:
        """Add a viewer and greet it; it gets no backlog."""
        self.sockets.append(socket)
        data: JsonObject = {"session_id": self.session_id, "workspace_dir": self.workspace_dir}
        await self.reply(socket, "connected", data)

    def detach(self, socket: WebSocket) -> None:
        """Remove a viewer, which counts as activity."""
        if socket in self.sockets:
            self.sockets.remove(socket)
        self.last_activity = self._clock.now()

    async def reply(self, socket: WebSocket, kind: str, data: JsonObject) -> None:
        """Send a frame to one viewer; it counts for all."""
        await self._send(socket, self._frame(kind, data))

    async def broadcast(self, kind: str, data: JsonObject) -> None:
        """Send a frame of the gateway's own to all viewers."""
        await self._send_all(self._frame(kind, data))

    async def emit(self, kind: str, data: JsonObject) -> None:
        """Send an engine's event to all viewers: it carries a top-level `time_offset`."""
        await self._send_all(self._frame(kind, data, time_offset=data.get("time_offset")))

    def _frame(self, kind: str, data: JsonObject, **more: object) -> str:
        self.last_event_seq += 1
        self.last_event_type = kind
        self.last_activity = self._clock.now()
        stamp = self._clock.stamp(self.last_activity)
        return json.dumps({"type": kind, "data": data, "timestamp": stamp, **more})

    async def _send_all(self, text: str) -> None:
        # One after the other and without a timeout: a viewer that does not read stalls the run.
        for socket in list(self.sockets):
            await self._send(socket, text)

    async def _send(self, socket: WebSocket, text: str) -> None:
        try:
            await socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            self.detach(socket)
