"""The probe's socket: it sends one execute, after it is attached, and never anything else."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.patience import PATIENCE_S
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from vp_tui.domain.lane.probe import Fact, ProbeStep
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.models import Failure, StreamEvent
from vp_tui.gateway.credentials import stream_url
from vp_tui.gateway.errors import InvalidTarget, ReadOnly
from vp_tui.gateway.orders import ExecutingConnection, Orders
from vp_tui.gateway.websocket import SocketOptions, opening

from .conftest import LOCAL, credentials_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from websockets.http11 import Request, Response

    Handler = Callable[[ServerConnection], Awaitable[None]]
    Check = Callable[[ServerConnection, Request], Response | None]

ID = "session_1"


def message(kind: str, **data: object) -> str:
    return json.dumps({"type": kind, "data": data})


@asynccontextmanager
async def gateway(handler: Handler, check: Check | None = None) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, process_request=check) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def told_by(url: str, prompt: str = "write code") -> list[Fact]:
    """Return all that a probe's socket tells until it is closed."""
    facts: list[Fact] = []
    orders = Orders(url, credentials_of(url, UA_OPS_TOKEN="o"))
    async with asyncio.timeout(PATIENCE_S):
        await orders.execute(ID, prompt, facts.append)
    return facts


async def test_the_prompt_is_sent_once_and_not_before_it_is_attached() -> None:
    heard: list[Any] = []

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.path == f"/api/v1/sessions/{ID}/stream"
        assert socket.request.headers["x-ua-ops-token"] == "o"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.05)
        await socket.send(message("connected", session_id=ID))
        heard.append(json.loads(await socket.recv()))
        await socket.send(message("connected", session_id=ID))
        await socket.send(message("status", status="processing", query="write code"))
        for _ in range(100):
            await socket.send(message("text", text="x" * 10_000))
        await socket.send(message("query_complete"))
        await socket.close(1000)
        with suppress(ConnectionClosed):
            heard.append(await socket.recv())

    async with gateway(handle) as url:
        facts = await told_by(url, "write [red]code[/red]\nnow ✓")
    assert heard == [{"type": "execute", "data": {"user_input": "write [red]code[/red]\nnow ✓"}}]
    assert [type(fact) for fact in facts] == [
        ProofStep,
        ProofStep,
        StreamEvent,
        StreamEvent,
        Failure,
    ]
    steps = [fact.step for fact in facts if isinstance(fact, ProofStep)]
    assert steps == [ProbeStep.ATTACHED, ProbeStep.EXECUTED]
    frames = [fact.frame.kind for fact in facts if isinstance(fact, StreamEvent)]
    assert frames == ["status", "query_complete"]


async def test_a_refused_handshake_is_told_with_its_cure() -> None:
    def refuse(socket: ServerConnection, _: Request) -> Response:
        return socket.respond(HTTPStatus.FORBIDDEN, "")

    async def handle(_: ServerConnection) -> None:
        raise AssertionError

    async with gateway(handle, refuse) as url:
        (broke,) = await told_by(url)
    assert isinstance(broke, Failure)
    assert "403 at the handshake" in broke.reason
    assert "UA_INTERNAL_API_TOKEN" in broke.cure


async def test_a_socket_that_closes_is_told_by_its_code() -> None:
    async def handle(socket: ServerConnection) -> None:
        await socket.close(4004, "Session not found")

    async with gateway(handle) as url:
        (broke,) = await told_by(url)
    assert isinstance(broke, Failure)
    assert broke.reason.startswith("the gateway does not know the session (4004")


async def test_nobody_there_is_told(unused_tcp_port: int) -> None:
    (broke,) = await told_by(f"http://127.0.0.1:{unused_tcp_port}")
    assert isinstance(broke, Failure)
    assert "connection refused" in broke.reason


async def test_a_bad_id_becomes_no_address() -> None:
    orders = Orders(LOCAL, credentials_of(LOCAL))
    with pytest.raises(InvalidTarget):
        await orders.execute("../ops", "x", lambda _: None)


@pytest.mark.parametrize(
    "said",
    [
        message("cancel"),
        message("input_response", input_id="1"),
        message("ping"),
        b"\x00",
        "{}",
    ],
)
async def test_a_probes_socket_refuses_all_but_one_execute(said: str | bytes) -> None:
    heard: list[str | bytes] = []
    left = asyncio.Event()

    async def handle(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            heard.extend([each async for each in socket])
        left.set()

    async with gateway(handle) as url:
        address, options = stream_url(url, ID), SocketOptions(dict)
        async with opening(address, options, ExecutingConnection) as socket:
            with pytest.raises(ReadOnly, match="anything but an execute"):
                await socket.send(said)
            await socket.send(message("execute", user_input="x"))
            with pytest.raises(ReadOnly, match="a second frame"):
                await socket.send(message("execute", user_input="x"))
        async with asyncio.timeout(PATIENCE_S):
            await left.wait()
    assert heard == [message("execute", user_input="x")]
