"""Answers that a gateway would not give: each is a failure in words, and nothing of it is kept."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import pytest

from vp_tui.domain.text import literal
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.transport import BODY_LIMIT, TlsContext, http_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LISTING: Final = b'{"sessions":[],"total":0}'
MOST_MEMORY: Final = 64 * 1024 * 1024
"""Bytes that reading any answer may take."""


class Answering:
    """A server that answers everything with `answer`, and notes what it was asked."""

    def __init__(self) -> None:
        self.answer = b""
        self.asked: list[bytes] = []
        self.url = ""
        self.connections: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(asyncio.create_task(self.handle(reader, writer)))

    def tells(self, status: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", ""]
        self.answer = "\r\n".join(lines).encode("latin-1") + body

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[Answering, GatewayClient]]:
    told = Answering()
    async with await asyncio.start_server(told.accept, "127.0.0.1", 0) as server:
        told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        environ = {"UA_OPS_TOKEN": "s3cret"}
        credentials = Credentials(TokenSources(environ=environ), base_url=told.url)
        credentials.read()
        client = GatewayClient(told.url, "vp", credentials)
        yield told, client
        await client.aclose()
        await asyncio.gather(*told.connections)


async def failure(client: GatewayClient) -> str:
    """Ask for the sessions, and return why there is no usable answer."""
    with pytest.raises(GatewayError) as caught:
        await client.sessions()
    reason, cure, *_ = caught.value.failure
    assert f"{reason}{cure}" == literal(f"{reason}{cure}")
    assert len(reason) < 300
    assert cure
    return reason


async def test_no_cookie_comes_back() -> None:
    async with answering() as (told, client):
        told.tells("200 OK", LISTING, *(f"set-cookie: c{n}=x; Path=/" for n in range(500)))
        for _ in range(3):
            await client.sessions()
        assert len(told.asked) == 3
        assert not any(b"cookie" in asked.lower() for asked in told.asked)
        http = await http_client(told.url, TlsContext(told.url), may_order=True)
        async with http:
            await http.post("/x")
            assert not http.cookies


@pytest.mark.parametrize(
    ("location", "points"),
    [
        ("/api/v1/ops/sessions", ": redirects to /api/v1/ops/sessions"),
        ("http://elsewhere.example/?t=s3cret", ": redirects to http://elsewhere.example/"),
        ("http://xn--:80/", ": redirects to http://xn--:80/"),
        ("http://[", ": redirects to http://["),
        ("\x7f\x9b" * 400, ": redirects to "),
        ("", ""),
    ],
)
async def test_a_redirect_is_told_and_not_followed(location: str, points: str) -> None:
    async with answering() as (told, client):
        told.tells("302 Found", b"", f"location: {location}")
        reason = await failure(client)
        assert reason.startswith(f"302 from /api/v1/ops/sessions{points}")
        assert "s3cret" not in reason
        assert len(told.asked) == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "101 Switching"])
async def test_an_answer_without_a_body_points_nowhere(status: str) -> None:
    async with answering() as (told, client):
        told.answer = f"HTTP/1.1 {status}\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".encode()
        assert "redirect" not in await failure(client)


def bomb(size: int, codings: int) -> bytes:
    body = b" " * size
    for _ in range(codings):
        body = gzip.compress(body, mtime=0)
    return body


@pytest.mark.parametrize(
    ("coding", "body", "reason"),
    [
        ("gzip", lambda: bomb(4 * BODY_LIMIT, 1), "is longer than 8 MiB"),
        ("gzip, gzip", lambda: bomb(4 * BODY_LIMIT, 2), "is packed as gzip, gzip: only gzip was"),
        (", ".join(["gzip"] * 5_000), lambda: b"x", "gzip, gzip, gzip, gzip"),
        ("deflate", lambda: zlib.compress(LISTING), "is packed as deflate: only gzip was asked"),
        ("br\x7f", lambda: LISTING, "is packed as br␡: only"),
        ("gzip", lambda: LISTING, "cannot be decompressed"),
        ("gzip", lambda: gzip.compress(LISTING, mtime=0)[:-9], "cannot be decompressed"),
    ],
    ids=range(7),
)
async def test_what_is_packed_is_bounded_before_it_is_unpacked(
    coding: str, body: Callable[[], bytes], reason: str
) -> None:
    packed = body()
    async with answering() as (told, client):
        for status in ("500 Failed", "200 OK"):
            told.tells(status, packed, f"content-encoding: {coding}")
            tracemalloc.start()
            said = await failure(client)
            assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
            tracemalloc.stop()
        assert reason in said


async def test_a_packed_answer_is_read() -> None:
    async with answering() as (told, client):
        told.tells("200 OK", gzip.compress(LISTING, mtime=0), "content-encoding: GZIP")
        assert (await client.sessions()).total == 0


@pytest.mark.parametrize(
    "body",
    [
        lambda: b'{"sessions":[' + b",".join([b"1"] * 1_000_000) + b"]}",
        lambda: b'{"sessions":' + b"[" * 4_000_000,
        lambda: json.dumps({"sessions": {str(n): n for n in range(200_000)}}).encode(),
    ],
    ids=("list", "nested", "table"),
)
async def test_what_is_wrong_a_million_times_is_told_once(body: Callable[[], bytes]) -> None:
    async with answering() as (told, client):
        told.tells("200 OK", body())
        tracemalloc.start()
        assert "unreadable session listing answer" in await failure(client)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
        tracemalloc.stop()
