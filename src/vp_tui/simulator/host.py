"""Listening on a port, going away and coming back: what a process manager sees of the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import uvicorn

from vp_tui.simulator.api import build_app
from vp_tui.simulator.boot import SimGateway
from vp_tui.simulator.database import SimDatabase, SimIds
from vp_tui.simulator.options import SimClock
from vp_tui.simulator.sessions import SimWorkspaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

    from vp_tui.simulator.options import SimOptions


HOST: Final = "127.0.0.1"
RESTART_GAP_S: Final = 0.2
"""Seconds, of real time, for which a restarting gateway refuses connections."""


class _Server(uvicorn.Server):
    """A uvicorn that leaves the signals alone and tells when it listens."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="websockets-sansio",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class SimDoor(Protocol):
    """Where a gateway is reached; opened for each boot and after each time of being away."""

    @property
    def url(self) -> str:
        """The base URL; known once it was open."""

    async def open(self, app: Starlette) -> None:
        """Let clients in to `app`, always at the same URL. Raises OSError when it is taken."""

    async def close(self) -> None:
        """Refuse new clients and end all connections, streams with 1012."""


class _TcpDoor(SimDoor):
    """A port on the loopback interface; 0 takes a free one, and keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    async def open(self, app: Starlette) -> None:
        listener = _bind(self._port)
        self._port = listener.getsockname()[1]
        self._server = _Server(app)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.listening.wait()

    async def close(self) -> None:
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        await asyncio.wait({self._serving})
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()  # a viewer that does not read would linger
        self._server = self._serving = None


class SimHost:
    """A gateway with its address, its disk and its database.

    `door` and `clock` are the seams for tests; usually it is a port and the machine's own time.
    """

    def __init__(
        self, options: SimOptions, *, door: SimDoor | None = None, clock: SimClock | None = None
    ) -> None:
        self.options = options.with_default_tokens()
        self.clock = clock or SimClock(
            speed=options.speed, zone=options.zone, dialect=options.dialect
        )
        self.workspaces = Path(tempfile.mkdtemp(prefix="vp-tui-gateway-")).resolve()
        """The directory of the session directories."""
        self._ledger = SimDatabase(SimIds(options.seed))
        self._disk = SimWorkspaces(self.workspaces, self.clock)
        self.bootstrap_error: str | None = None
        """Why the lane cannot start, in this boot and the next ones; None when it can."""
        self.gateway = self._boot()
        """The present boot."""
        self.up = asyncio.Event()
        """Set while the gateway listens."""
        self._door: SimDoor = door or _TcpDoor(options.port)
        self._changing = asyncio.Lock()

    @property
    def url(self) -> str:
        """The base URL; known once the gateway listened."""
        return self._door.url

    async def listen(self) -> None:
        """Accept connections, always on the same port; does nothing if it listens already."""
        async with self._changing:
            await self._listen()

    async def stop_listening(self) -> None:
        """Close the port and all connections, streams with 1012; turns go on."""
        async with self._changing:
            await self._stop_listening()

    async def restart(self) -> None:
        """Die and start again: memory is lost, the flags are read anew, rows and files stay."""
        async with self._changing:
            self.up.clear()
            await self.gateway.life.end()
            await self._stop_listening()
            await asyncio.sleep(RESTART_GAP_S)
            self.gateway = self._boot()
            await self._listen()

    async def close(self) -> None:
        """End for good and remove the files."""
        async with self._changing:
            await self.gateway.life.end()
            await self._stop_listening()
        shutil.rmtree(self.workspaces, ignore_errors=True)

    async def _listen(self) -> None:
        if not self.up.is_set():
            await self._door.open(build_app(self.gateway))
            self.up.set()

    async def _stop_listening(self) -> None:
        self.up.clear()
        await self._door.close()

    def _boot(self) -> SimGateway:
        gateway = SimGateway(self.options, self.clock, self._ledger, self._disk)
        gateway.lane.bootstrap_error = self.bootstrap_error
        return gateway


def _bind(port: int) -> socket.socket:
    # Named as TCP, or asyncio leaves Nagle's algorithm on and each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener
