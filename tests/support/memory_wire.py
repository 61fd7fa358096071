"""The wire between a gateway and its watchers without a network: a door in this process's memory.

HTTP requests and sockets reach the gateway's application on the loop that both run on. What a
client sees is what uvicorn shows: a refusal while the door is closed, 403 for a socket that is not
accepted, 1012 for those that are open when it closes.
"""

from __future__ import annotations

import asyncio
import errno
from contextlib import asynccontextmanager
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
    from datetime import datetime

    from starlette.applications import Starlette

GRACE_S: Final = 1.0
"""How long requests under way may go on when the door closes, as in the embedded gateway."""
RESTARTING: Final = 1012
LEFT: Final = 1005
"""What the application hears when a client goes."""

Message = dict[str, Any]


class Kept(NamedTuple):
    """An answer as a cache keeps it."""

    status: int
    body: bytes
    date: datetime
    age: str | None = None
    """Its Age, where the cache says it."""


class MemoryDoor:
    """Where a gateway is reached by those who have this object. `wall` dates its answers."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self.url = "http://127.0.0.1:8002"
        self.transport = _Transport(self)
        self.wall = wall
        self.app: Starlette | None = None
        self.breaks: Callable[[httpx.Request], Exception | httpx.Response | None] = lambda _: None
        """What a request meets instead of the gateway; None: nothing."""
        self.slows: Callable[[httpx.Request], float] = lambda _: 0.0
        """Seconds that a request waits before the gateway takes it up."""
        self.keeps: Callable[[httpx.Request, Kept], Kept] = lambda _, told: told
        """What comes back instead of the gateway's answer, as from a cache on the way."""
        self.under_way: set[asyncio.Task[httpx.Response]] = set()
        self._sockets: set[MemorySocket] = set()

    @property
    def sockets(self) -> int:
        """How many are open."""
        return len(self._sockets)

    async def open(self, app: Starlette) -> None:
        """Let clients in."""
        self.app = app

    async def close(self) -> None:
        """Refuse new clients; end sockets at once, and requests after a moment of grace."""
        self.app = None
        for socket in tuple(self._sockets):
            socket.end(RESTARTING)
        if self.under_way:
            _done, late = await asyncio.wait(self.under_way, timeout=GRACE_S)
            for task in late:
                task.cancel()

    def drop_sockets(self) -> None:
        """Cut all open sockets, without a close frame."""
        for socket in tuple(self._sockets):
            socket.end(None)

    @asynccontextmanager
    async def opener(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[MemorySocket]:
        """Open a socket. Raises ConnectionRefusedError, and InvalidStatus when not accepted."""
        if self.app is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        socket = MemorySocket()
        scope = _scope(url, headers)
        serving = asyncio.create_task(self.app(scope, socket.app_receives, socket.app_sends))
        self._sockets.add(socket)
        serving.add_done_callback(lambda _: socket.end(None))
        try:
            await socket.accepted
            yield socket
        finally:
            self._sockets.discard(socket)
            socket.leave()


class MemorySocket:
    """One socket: the client's side in the words of `websockets`, the application's in ASGI's."""

    def __init__(self) -> None:
        self.accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._to_client: asyncio.Queue[str | Close | None] = asyncio.Queue()
        self._is_over = False
        self._to_app.put_nowait({"type": "websocket.connect"})

    async def recv(self, *, decode: bool) -> bytes | str:
        """Return the next frame. Raises ConnectionClosedError."""
        frame = await self._to_client.get()
        if isinstance(frame, str):
            return frame if decode else frame.encode()
        raise ConnectionClosedError(frame, frame, None if frame is None else True)

    async def send(self, text: str | bytes, /) -> None:
        """Send a frame to the application."""
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        """Go, on the client's side."""
        self._is_over = True
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": LEFT})

    def end(self, code: int | None, reason: str = "") -> None:
        """Close it on the gateway's side; without a code there is no close frame."""
        if self._is_over:
            return
        self._is_over = True
        if not self.accepted.done():
            self.accepted.set_exception(InvalidStatus(Response(403, "Forbidden", Headers())))
        self._to_client.put_nowait(None if code is None else Close(code, reason))
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": code or LEFT})

    async def app_receives(self) -> Message:
        """Give the application what comes next."""
        return await self._to_app.get()

    async def app_sends(self, message: MutableMapping[str, Any]) -> None:
        """Take what the application sends. Raises OSError when nobody is there any more."""
        if self._is_over:
            raise OSError("the client has gone")
        if message["type"] == "websocket.accept":
            self.accepted.set_result(None)
        elif message["type"] == "websocket.send":
            self._to_client.put_nowait(message["text"])
        else:
            self.end(message.get("code", 1000), message.get("reason") or "")


class _Transport(httpx.AsyncBaseTransport):
    """Carries requests to the door's application."""

    def __init__(self, door: MemoryDoor) -> None:
        self._door = door

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        door = self._door
        if door.app is None:
            raise httpx.ConnectError("refused") from ConnectionRefusedError()
        met = door.breaks(request)
        if isinstance(met, Exception):
            raise met
        if met is not None:
            return met
        if (wait_s := door.slows(request)) > 0.0:
            await asyncio.sleep(wait_s)
        if door.app is None:
            raise httpx.RemoteProtocolError("the gateway closed the connection without an answer")
        carrier = httpx.ASGITransport(door.app)
        serving = asyncio.create_task(carrier.handle_async_request(request))
        door.under_way.add(serving)
        serving.add_done_callback(door.under_way.discard)
        # A client that gives up does not end what the gateway does for it.
        await asyncio.wait({serving})
        if serving.cancelled():
            raise httpx.RemoteProtocolError("the gateway closed the connection without an answer")
        response = serving.result()
        told = Kept(response.status_code, await response.aread(), door.wall())
        told = door.keeps(request, told)
        headers = {"date": format_datetime(told.date, usegmt=True)}
        if told.age is not None:
            headers["age"] = told.age
        return httpx.Response(told.status, headers=headers, content=told.body)


def _scope(url: str, headers: Mapping[str, str]) -> Message:
    parts = urlsplit(url)
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": (parts.hostname, parts.port),
        "subprotocols": [],
        "state": {},
    }
