from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.patience import PATIENCE_S
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from vp_tui.domain.events import GapFound, LinkChanged
from vp_tui.domain.models import Session, StreamEvent, StreamState
from vp_tui.gateway.credentials import stream_url
from vp_tui.gateway.errors import ReadOnly
from vp_tui.gateway.stream import SILENT_ACCEPT, Policy, StreamCore, StreamOutput
from vp_tui.gateway.transport import TlsContext
from vp_tui.gateway.websocket import SessionStream, SocketOptions

if TYPE_CHECKING:
    from pathlib import Path

ID = "session_1"
NO_WAITING = Policy(
    first_delay_s=0.0, longest_delay_s=0.0, refused_delay_s=0.0, wake_within_s=0.0,
    restart_takes_s=0.0,
)  # fmt: skip

Handler = Callable[[ServerConnection], Awaitable[None]]
Check = Callable[[ServerConnection, Request], Response | None]


def message(kind: str, **data: object) -> str:
    return json.dumps({"type": kind, "data": data})


def session(seq: int) -> Session:
    return Session(ID, "running", "o", "chat", None, None, 1, 1, seq, None)


class Watcher:
    """A stream under test and what came out of it."""

    def __init__(self, base_url: str, policy: Policy, options: SocketOptions) -> None:
        self.events: asyncio.Queue[StreamOutput] = asyncio.Queue()
        self.clock = options.clock
        self.stream = SessionStream(
            stream_url(base_url, ID),
            StreamCore(ID, self.clock(), lambda: 0.0, policy),
            self.events.put_nowait,
            options,
        )
        self.task = asyncio.create_task(self.stream.run())

    async def link(self, state: StreamState) -> LinkChanged:
        """Return the next change to that state; fail when the task ends before it."""
        while True:
            event = await self.next()
            if isinstance(event, LinkChanged) and event.state is state:
                return event

    async def frame(self, kind: str) -> StreamEvent:
        while True:
            event = await self.next()
            if isinstance(event, StreamEvent) and event.frame.kind == kind:
                return event

    async def next(self) -> StreamOutput:
        async with asyncio.timeout(PATIENCE_S):
            return await self.events.get()

    def listed(self, seq: int = 1) -> None:
        self.stream.listed(session(seq), self.clock())

    async def aclose(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def gateway(handler: Handler, check: Check | None = None) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, process_request=check) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def watching(
    base_url: str,
    policy: Policy = NO_WAITING,
    *,
    headers: Callable[[], Mapping[str, str]] = dict,
    open_timeout_s: float = 10.0,
    close_timeout_s: float = 1.0,
) -> AsyncIterator[Watcher]:
    options = SocketOptions(headers, open_timeout_s=open_timeout_s, close_timeout_s=close_timeout_s)
    watcher = Watcher(base_url, policy, options)
    try:
        yield watcher
    finally:
        await watcher.aclose()


async def test_frames_come_in_order_and_whole() -> None:
    big = message("text", text="x" * 2_000_000)

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.path == f"/api/v1/sessions/{ID}/stream"
        assert socket.request.headers["x-ua-ops-token"] == "t"
        await socket.send(message("connected", session_id=ID))
        for number in range(100):
            await socket.send(message("status", status=f"n{number}"))
        await socket.send(big)
        await socket.send(b"\x00")
        await socket.wait_closed()

    async with (
        gateway(handle) as url,
        watching(url, headers=lambda: {"x-ua-ops-token": "t"}) as watcher,
    ):
        await watcher.link(StreamState.LIVE)
        await watcher.frame("connected")
        events = [await watcher.frame("status") for _ in range(100)]
        assert [event.frame.status for event in events] == [f"n{n}" for n in range(100)]
        assert (await watcher.frame("text")).frame.size == len(big)
        assert (await watcher.frame("unreadable")).frame.is_error


async def test_nothing_is_ever_sent() -> None:
    heard: asyncio.Queue[object] = asyncio.Queue()

    async def handle(socket: ServerConnection) -> None:
        await socket.send(message("connected"))
        try:
            heard.put_nowait(await socket.recv())
        except ConnectionClosed as error:
            heard.put_nowait(error)

    async with gateway(handle) as url:
        async with watching(url) as watcher:
            await watcher.frame("connected")
            watcher.stream.wake(watcher.clock())
            watcher.listed()
        assert isinstance(await heard.get(), ConnectionClosed)


async def test_a_restart_is_survived_once_the_listing_has_the_session() -> None:
    attaches = 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal attaches
        attaches += 1
        await socket.send(message("connected"))
        if attaches == 1:
            await socket.close(1012, "service restart")
        await socket.wait_closed()

    async with gateway(handle) as url, watching(url) as watcher:
        loss = await watcher.link(StreamState.WAITING)
        assert loss.reason == "the gateway is restarting (1012: service restart)"
        watcher.stream.wake(watcher.clock())
        assert attaches == 1
        watcher.listed()
        await watcher.link(StreamState.LIVE)
        gap = await watcher.next()
        assert isinstance(gap, GapFound)
        assert gap.reason.endswith("no replay")
        assert attaches == 2


async def test_a_refusal_is_retried_with_the_tokens_of_then() -> None:
    def check(_: ServerConnection, request: Request) -> Response | None:
        if "x-ua-ops-token" in request.headers:
            return None
        return Response(403, "Forbidden", Headers({"content-length": "0"}))

    async def handle(socket: ServerConnection) -> None:
        await socket.send(message("connected"))
        await socket.wait_closed()

    headers: dict[str, str] = {}
    async with (
        gateway(handle, check) as url,
        watching(url, headers=lambda: headers) as watcher,
    ):
        refusal = await watcher.link(StreamState.UNAUTHORIZED)
        assert refusal.reason.startswith("403 at the handshake")
        headers["x-ua-ops-token"] = "t"
        watcher.stream.wake(watcher.clock())
        watcher.listed()
        await watcher.link(StreamState.LIVE)


async def test_a_redirect_takes_no_token_along() -> None:
    hits = []

    def elsewhere(connection: ServerConnection, _: Request) -> Response:
        hits.append(connection)
        response = connection.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = "ws://localhost:1/"
        return response

    async def handle(_: ServerConnection) -> None: ...

    async with gateway(handle, elsewhere) as url, watching(url) as watcher:
        assert (
            await watcher.link(StreamState.WAITING)
        ).reason == "302 at the handshake: redirects to ws://localhost:1/"
        assert len(hits) == 1


async def test_a_silent_accept_is_left() -> None:
    left = asyncio.Event()

    async def handle(socket: ServerConnection) -> None:
        await socket.wait_closed()
        left.set()

    policy = Policy(connected_within_s=0.01)
    async with gateway(handle) as url, watching(url, policy) as watcher:
        assert (await watcher.link(StreamState.WAITING)).reason == SILENT_ACCEPT
        async with asyncio.timeout(PATIENCE_S):
            await left.wait()


async def test_a_deaf_socket_is_replaced() -> None:
    attaches = 0

    async def handle(socket: ServerConnection) -> None:
        nonlocal attaches
        attaches += 1
        await socket.send(message("connected"))
        await socket.wait_closed()

    async with gateway(handle) as url, watching(url) as watcher:
        await watcher.frame("connected")
        for seq in (1, 5, 9):
            watcher.listed(seq)
        gap = await watcher.next()
        assert isinstance(gap, GapFound)
        assert gap.lost == 8
        await watcher.link(StreamState.LIVE)
        assert attaches == 2


async def test_no_such_session_is_gone() -> None:
    async def handle(socket: ServerConnection) -> None:
        await socket.close(4004, "Session not found")

    async with gateway(handle) as url, watching(url) as watcher:
        assert "4004: Session not found" in (await watcher.link(StreamState.GONE)).reason


async def test_stop_ends_the_task() -> None:
    async def handle(socket: ServerConnection) -> None:
        await socket.send(message("connected"))
        await socket.wait_closed()

    async with gateway(handle) as url, watching(url) as watcher:
        await watcher.frame("connected")
        watcher.stream.stop()
        async with asyncio.timeout(PATIENCE_S):
            await watcher.task


async def test_a_blocked_gateway_cannot_hold_the_viewer() -> None:
    release = asyncio.Event()

    async def handle(socket: ServerConnection) -> None:
        await socket.send(message("connected"))
        socket.transport.pause_reading()
        await release.wait()
        socket.transport.resume_reading()

    async with gateway(handle) as url:
        async with watching(url, close_timeout_s=0.01) as watcher:
            await watcher.frame("connected")
            watcher.stream.stop()
            async with asyncio.timeout(PATIENCE_S):
                await watcher.task
        release.set()


async def raw_server(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> asyncio.Server:
    return await asyncio.start_server(handle, "127.0.0.1", 0)


async def test_an_unanswered_handshake_is_told() -> None:
    release = asyncio.Event()

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await raw_server(handle)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with watching(url, open_timeout_s=0.01) as watcher:
        reason = (await watcher.link(StreamState.WAITING)).reason
        assert reason == "no answer to the handshake within 0.01 s"
    release.set()
    server.close()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n\r\n"])
async def test_what_is_no_websocket_is_told(answer: bytes) -> None:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = await raw_server(handle)
    where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with watching(f"http://{where}") as watcher:
        reason = (await watcher.link(StreamState.WAITING)).reason
        assert reason.startswith(f"{where}: ")
    server.close()


async def test_a_closed_port_is_told() -> None:
    server = await raw_server(lambda *_: asyncio.sleep(0))
    where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()
    async with watching(f"http://{where}") as watcher:
        reason = (await watcher.link(StreamState.WAITING)).reason
        assert reason == f"{where}: connection refused"


async def test_a_ca_file_that_cannot_be_read_is_a_state_with_its_reason(tmp_path: Path) -> None:
    said: asyncio.Queue[StreamOutput] = asyncio.Queue()
    core = StreamCore(ID, time.monotonic(), lambda: 0.5)
    tls = TlsContext("https://127.0.0.1:1", tmp_path / "none.pem")
    stream = SessionStream("wss://127.0.0.1:1", core, said.put_nowait, SocketOptions(dict, tls))
    running = asyncio.create_task(stream.run())
    states: list[LinkChanged] = []
    while not states or states[-1].state is StreamState.CONNECTING:
        changed = await said.get()
        if isinstance(changed, LinkChanged):
            states.append(changed)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert states[-1].state is StreamState.WAITING
    assert "none.pem cannot be read" in states[-1].reason


async def test_the_socket_of_a_stream_refuses_to_send() -> None:
    heard: list[str | bytes] = []
    left = asyncio.Event()

    async def handle(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            heard.extend([message async for message in socket])
        left.set()

    class Meddler(SessionStream):
        """What a later change of the stream must not be able to do."""

        async def _drain(self, socket: Any) -> None:  # noqa: ANN401 - any of its methods
            await socket.send(message("execute", text="rm -rf"))

    async with gateway(handle) as url:
        core = StreamCore(ID, time.monotonic(), lambda: 0.0, NO_WAITING)
        stream = Meddler(stream_url(url, ID), core, lambda _: None, SocketOptions(dict))
        with pytest.raises(ReadOnly, match="a frame on a watched socket is not sent"):
            await stream.run()
        async with asyncio.timeout(PATIENCE_S):
            await left.wait()
    assert heard == []
