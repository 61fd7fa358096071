"""A proxy on the loopback interface, between vp-tui's real client stack and an embedded gateway.

It passes everything on, or does to each connection what the fault says that is on. Each request has
a connection of its own; all of them break when a fault begins and when it ends.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from tests.support.virtual_time import virtual_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handle = Callable[["Asked"], Awaitable[None]]

HOST: Final = "127.0.0.1"
PIECE: Final = 65_536
_DATE: Final = re.compile(rb"(?i)(\r\ndate: )[^\r]*")
_LENGTH: Final = re.compile(rb"(?i)\r\ncontent-length: (\d+)")
_CONNECTION: Final = re.compile(rb"(?i)\r\nconnection: keep-alive")


@dataclass(frozen=True)
class Fault:
    """What is done to requests and to handshakes; None: they are passed on."""

    http: Handle | None = None
    socket: Handle | None = None
    refuses: bool = False
    """Nobody listens."""
    freezes: bool = False
    """What is open stays open, and nothing passes any more."""


@dataclass
class Proxy:
    """Where vp-tui is sent to. `target` is the gateway's port."""

    target: int = 0
    port: int = 0
    fault: Fault = field(default_factory=Fault)
    asked: list[tuple[float, str]] = field(default_factory=list)
    """When which path was asked for, of handshakes too."""
    _server: asyncio.Server | None = None
    _open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def begin(self, fault: Fault) -> None:
        self.fault = fault
        if fault.refuses:
            self._unlisten()
        if not fault.freezes:
            await self.cut()

    async def end(self) -> None:
        is_listening, self.fault = not self.fault.refuses, Fault()
        await self.cut()
        if not is_listening:
            await self.listen()

    async def cut(self) -> None:
        """Break all connections."""
        running = list(self._open)
        for task, writer in tuple(self._open.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def close(self) -> None:
        self._unlisten()
        await self.cut()

    def _unlisten(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            asked = Asked(self, head, reader, writer)
            self.asked.append((virtual_loop().time(), asked.path))
            handle = self.fault.socket if asked.is_socket else self.fault.http
            await (handle or passed_on)(asked)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@dataclass
class Asked:
    """One connection, whose request's head was read."""

    proxy: Proxy
    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].partition(b"?")[0].decode()

    @property
    def is_socket(self) -> bool:
        return b"websocket" in self.head.lower()

    async def says(self, *told: bytes) -> None:
        """Say that, as fast as it is taken."""
        for piece in told:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self, head: bytes | None = None) -> bytes:
        """Return the gateway's whole answer to the request, or to another one."""
        reader, writer = await asyncio.open_connection(HOST, self.proxy.target)
        try:
            length = _LENGTH.search(self.head)
            body = await self.reader.readexactly(int(length[1])) if length else b""
            writer.write(_CONNECTION.sub(b"\r\nconnection: close", head or self.head) + body)
            return _dated(await reader.read(-1))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def passed_on(asked: Asked) -> None:
    """Pass all on, both ways; for a socket until either side ends it."""
    if not asked.is_socket:
        await asked.says(await asked.answer())
        return
    reader, writer = await asyncio.open_connection(HOST, asked.proxy.target)
    try:
        writer.write(asked.head)
        async with asyncio.TaskGroup() as ways:
            up = ways.create_task(_pipe(asked, asked.reader, writer))
            await _pipe(asked, reader, asked.writer)
            up.cancel()
    except* ConnectionError:
        pass
    finally:
        writer.close()


async def _pipe(asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE):
        if asked.proxy.fault.freezes:
            await asyncio.Event().wait()
        writer.write(piece)
        await writer.drain()
    writer.close()


def _dated(answer: bytes) -> bytes:
    """Return an answer with the date of the virtual clock: uvicorn's is the machine's."""
    date = format_datetime(virtual_loop().wall(), usegmt=True).encode()
    return _DATE.sub(rb"\g<1>" + date, answer, count=1)


@asynccontextmanager
async def proxied(target: str) -> AsyncIterator[Proxy]:
    """Stand before the gateway at that URL."""
    proxy = Proxy(int(target.rpartition(":")[2]))
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()
