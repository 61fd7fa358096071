"""The client when the network, the body or the time is not as it should be."""

from __future__ import annotations

import asyncio
import errno
import gzip
import json
import os
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from vp_tui.gateway import errors
from vp_tui.gateway.transport import BODY_LIMIT, proxy_of
from vp_tui.gateway.websocket import ListeningConnection, SocketOptions, opening

from .conftest import REMOTE, WIRE, MakeClient, failure_of, recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HOST: Final = REMOTE.removeprefix("http://")


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


class Chunks(httpx.AsyncByteStream):
    """A body in pieces that counts how many were taken."""

    def __init__(self, piece: bytes, count: int) -> None:
        self.piece, self.left, self.closed = piece, count, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.left:
            self.left -= 1
            yield self.piece

    async def aclose(self) -> None:
        self.closed = True


async def test_a_body_without_end_is_dropped(make_client: MakeClient) -> None:
    body = Chunks(b"x" * 1_048_576, 50)
    error = await failure_of(make_client(lambda _: httpx.Response(200, stream=body)))
    assert type(error) is errors.Unreadable
    assert "longer than 8 MiB" in error.failure.reason
    assert (body.left, body.closed) == (50 - 9, True)


async def test_a_long_body_that_is_announced_is_not_read(make_client: MakeClient) -> None:
    body, length = Chunks(b"x", 1), {"content-length": str(BODY_LIMIT + 1)}
    client = make_client(lambda _: httpx.Response(200, headers=length, stream=body))
    assert type(await failure_of(client)) is errors.Unreadable
    assert (body.left, body.closed) == (1, True)


async def test_a_body_is_measured_after_decompression(make_client: MakeClient) -> None:
    body = Chunks(gzip.compress(b" " * (BODY_LIMIT + 1)), 1)
    packed = {"content-encoding": "gzip"}
    client = make_client(lambda _: httpx.Response(200, headers=packed, stream=body))
    assert "longer than" in (await failure_of(client)).failure.reason


async def test_a_body_that_cannot_be_decompressed_is_unreadable(make_client: MakeClient) -> None:
    body, packed = Chunks(b"not gzip", 1), {"content-encoding": "gzip"}
    client = make_client(lambda _: httpx.Response(200, headers=packed, stream=body))
    assert "decompressed" in (await failure_of(client)).failure.reason


async def test_an_endless_error_is_cut_off(make_client: MakeClient) -> None:
    body = Chunks(b"x" * 65_536, 50)
    error = await failure_of(make_client(lambda _: httpx.Response(500, stream=body)))
    assert type(error) is errors.ServerFailed
    assert body.left == 49


async def test_a_silent_gateway_times_out(make_client: MakeClient) -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    error = await failure_of(make_client(answer, deadline_s=0.01))
    assert type(error) is errors.TimedOut
    assert "within 0.01 s" in error.failure.reason


async def test_a_dripping_gateway_times_out(make_client: MakeClient) -> None:
    class Drip(Chunks):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

    body = Drip(b"", 0)
    error = await failure_of(
        make_client(lambda _: httpx.Response(200, stream=body), deadline_s=0.01)
    )
    assert type(error) is errors.TimedOut
    assert body.closed


async def test_a_broken_connection_is_tried_once_more(make_client: MakeClient) -> None:
    tries = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(request)
        if len(tries) == 1:
            raise httpx.ReadError("", request=request)
        return recorded("b04_metrics_clean.json")

    await make_client(answer).metrics()
    assert len(tries) == 2


async def test_a_connection_that_breaks_again_is_told(make_client: MakeClient) -> None:
    tries = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(request)
        raise httpx.RemoteProtocolError("Server disconnected", request=request)

    error = await failure_of(make_client(answer))
    assert type(error) is errors.Unreachable
    assert error.failure.reason == "127.0.0.1:8002: Server disconnected"
    assert len(tries) == 2


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (ConnectionRefusedError(), "gateway.example:8002: connection refused"),
        (socket.gaierror(-2, "x"), "gateway.example:8002: the host name is not known"),
        (
            OSError(f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] Connect call failed"),
            "gateway.example:8002: connection refused",
        ),
        (OSError(errno.EHOSTUNREACH, "x"), os.strerror(errno.EHOSTUNREACH)),
        (ssl.SSLError(1, "odd\x1b"), "it does not speak TLS as asked"),
        (untrusted(), "its certificate is not trusted: self-signed certificate"),
        (ExceptionGroup("", [ValueError(), ConnectionRefusedError()]), "connection refused"),
        (ValueError("odd\nthing"), "gateway.example:8002: connecting failed"),
    ],
)
async def test_why_there_is_no_connection(
    make_client: MakeClient, cause: Exception, reason: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connecting failed", request=request) from cause

    error = await failure_of(make_client(answer, REMOTE))
    assert type(error) is errors.Unreachable
    assert reason in error.failure.reason


@asynccontextmanager
async def listening(handle: Handle) -> AsyncIterator[int]:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_a_port_where_nobody_listens(make_client: MakeClient) -> None:
    port = unused_port()
    error = await failure_of(make_client(url=f"http://127.0.0.1:{port}"))
    assert error.failure.reason == f"127.0.0.1:{port}: connection refused"
    assert error.failure.cure == "is the gateway running there?"


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(64)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


async def test_a_plain_port_asked_for_tls(make_client: MakeClient) -> None:
    async with listening(hang_up) as port:
        error = await failure_of(make_client(url=f"https://127.0.0.1:{port}"))
    assert type(error) is errors.Unreachable
    assert f"127.0.0.1:{port}: it does not speak TLS" in error.failure.reason


async def test_a_ca_file_that_is_none(make_client: MakeClient, tmp_path: Path) -> None:
    missing = await failure_of(make_client(url="https://x", ca_file=tmp_path / "ca.pem"))
    assert "ca.pem cannot be read: No such file" in missing.failure.reason
    (tmp_path / "bad.pem").write_text("nonsense")
    bad = await failure_of(make_client(url="https://x", ca_file=tmp_path / "bad.pem"))
    assert "bad.pem cannot be read" in bad.failure.reason


async def test_a_connection_that_died_while_idle_is_replaced(make_client: MakeClient) -> None:
    body = json.dumps(json.loads((WIRE / "k01_session_continuity.json").read_text())["body"])
    answer = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
    connections = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if len(connections) == 1:
            await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with listening(handle) as port:
        client = make_client(url=f"http://127.0.0.1:{port}")
        await client.continuity()
        await client.continuity()
    assert len(connections) == 2


async def test_something_that_does_not_speak_http_is_asked_once(make_client: MakeClient) -> None:
    connections = []

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    async with listening(handle) as port:
        error = await failure_of(make_client(url=f"http://127.0.0.1:{port}"))
    assert type(error) is errors.Unreachable
    assert len(connections) == 1


async def test_proxies_are_not_asked_for_this_machine(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = unused_port()
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{unused_port()}")
    error = await failure_of(make_client(url=f"http://127.0.0.1:{port}"))
    assert f"127.0.0.1:{port}: connection refused" in error.failure.reason


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("socks5://127.0.0.1:1", "ALL_PROXY names a SOCKS proxy, which is not supported"),
        ("ftp://127.0.0.1:1", "ALL_PROXY holds no address of a proxy"),
        ("http://user:s3cret@[::", "ALL_PROXY holds no address of a proxy"),
        ("http://user:s3cret@h:x", "ALL_PROXY holds no address of a proxy"),
        (
            "127.0.0.1:{closed}",
            f"{HOST} through the proxy 127.0.0.1:{{closed}}: connection refused",
        ),
        (
            "http://u@127.0.0.1:{open}",
            "the proxy 127.0.0.1:{open} wants a login",
        ),
    ],
)
async def test_what_is_wrong_with_a_proxy_is_the_proxys(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, proxy: str, reason: str
) -> None:
    asked = list[bytes]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n"))
        writer.write(b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with listening(handle) as port:
        ports = {"closed": str(unused_port()), "open": str(port), "host": HOST}
        for name, number in ports.items():
            proxy, reason = (text.replace(f"{{{name}}}", number) for text in (proxy, reason))
        monkeypatch.setenv("ALL_PROXY", proxy)
        failed = (await failure_of(make_client(url=REMOTE))).failure
        assert reason in failed.reason
        with pytest.raises(errors.Unreachable) as caught:
            async with opening(f"ws://{HOST}/x", SocketOptions(dict), ListeningConnection):
                pass
        told = caught.value.failure
        assert told.reason == failed.reason or f"the proxy 127.0.0.1:{port}" in told.reason
        assert "NO_PROXY" in failed.cure
        assert "NO_PROXY" in told.cure
        assert "s3cret" not in f"{failed}{told}"
        assert [line.split()[0] for line in asked] in ([], [b"GET", b"CONNECT"])


PROXY: Final = "http://proxy:3128"


@pytest.mark.parametrize(
    ("url", "environ", "found"),
    [
        ("http://gw:80", {}, None),
        ("http://gw:80", {"HTTP_PROXY": PROXY}, PROXY),
        ("ws://gw:80", {"HTTP_PROXY": "proxy:3128"}, PROXY),
        ("wss://gw", {"HTTP_PROXY": PROXY}, None),
        ("wss://gw", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ("https://gw", {"https_proxy": "", "HTTPS_PROXY": PROXY}, None),
        ("https://gw", {"https_proxy": "", "ALL_PROXY": PROXY}, PROXY),
        ("http://gw", {"http_proxy": "http://me@proxy"}, "http://me:@proxy"),
        ("http://localhost:80", {"HTTP_PROXY": PROXY}, None),
        ("ws://[::1]:80", {"ALL_PROXY": PROXY}, None),
        ("http://127.9.9.9:80", {"ALL_PROXY": "socks5://x"}, None),
    ],
)
def test_requests_and_sockets_take_the_same_proxy(
    url: str, environ: dict[str, str], found: str | None
) -> None:
    assert proxy_of(url, environ) == found


@pytest.mark.parametrize(
    ("url", "no_proxy", "is_exempt"),
    [
        ("http://gw.example", "*", True),
        ("http://gw.example", "other, GW.example", True),
        ("http://gw.example.", "gw.example", True),
        ("http://gw.example", "example", True),
        ("http://gw.example", ".example other", True),
        ("http://gw.example", "*.example", True),
        ("http://gwxexample", ".example", False),
        ("http://gw.example", "w.example", False),
        ("ws://gw.example", "gw.example:80", True),
        ("wss://gw.example", "gw.example:80", False),
        ("http://gw.example:8002", "http://gw.example:8002/", True),
        ("http://10.1.2.3:8002", "10.0.0.0/8", True),
        ("http://10.1.2.3:8002", "10.1.2.3:9", False),
        ("http://11.1.2.3", "10.0.0.0/8,::/0", False),
        ("http://[fd00::7]:8002", "fd00::7", True),
        ("http://[fd00::7]:8002", "[fd00:0::7]:8002", True),
        ("http://[fd00::7]:8002", "[fd00::7]:80", False),
        ("http://[fd00::7]", "fd00::/8", True),
        ("http://gw.example", "[::, ::1/999, a:b:c, ., http://x:y, :80", False),
        ("http://gw.example", "", False),
    ],
)
def test_no_proxy_is_meant_as_its_users_mean_it(url: str, no_proxy: str, is_exempt: bool) -> None:  # noqa: FBT001 - a column of the table
    environ = {"ALL_PROXY": PROXY, "no_proxy": no_proxy}
    assert (proxy_of(url, environ) is None) == is_exempt
