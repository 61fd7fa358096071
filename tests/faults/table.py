"""The faults of a wire, each a row: what is done to whom, and what must be said of it."""

from __future__ import annotations

import asyncio
import gzip
import json
import struct
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from tests.faults.proxy import Fault, passed_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.faults.proxy import Asked, Handle

MEGA: Final = 1024 * 1024
TEXT, BINARY, CLOSE, PING = 0x81, 0x82, 0x88, 0x89
"""First bytes of whole frames of a WebSocket."""
CODES: Final = (
    *(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000),
    *(4000, 4004, 4999),
)
REFUSALS: Final = (4001, 4003, 4401, 4403)
"""Close codes with which the gateway refuses who asks."""


@dataclass(frozen=True)
class Row:
    """One fault, how long it lasts and when all must be live after it, in seconds."""

    fault: Fault
    is_told: bool = True
    """Whether the sources that it hits must be said to fail."""
    lasts_s: float = 12.0
    heals_s: float = 5.0
    reads_tokens: bool = False
    """Whether the operator presses `A` when it is over."""
    restarts: bool = False
    """Whether the gateway restarts when it begins, in the midst of turns."""
    is_quick: bool = True
    """Whether trying it takes little of the machine's time."""


def said(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode("latin-1") + body


def saying(status: str, body: bytes = b"", *headers: str) -> Handle:
    """Answer everything so."""
    answer = said(status, body, *headers)
    return raw(answer)


def raw(*told: bytes) -> Handle:
    async def handle(asked: Asked) -> None:
        await asked.says(*told)

    return handle


def endless(begin: bytes, piece: bytes) -> Handle:
    """Say that, and the piece for ever, a hundred times a second."""

    async def handle(asked: Asked) -> None:
        await asked.says(begin)
        while True:
            await asked.says(piece)
            await asyncio.sleep(0.01)

    return handle


async def hangs(_asked: Asked) -> None:
    await asyncio.Event().wait()


async def resets(asked: Asked) -> None:
    asked.writer.transport.abort()


async def half(asked: Asked) -> None:
    """Break in the middle of the answer."""
    answer = await asked.answer()
    await asked.says(answer[: len(answer) - 40])
    asked.writer.transport.abort()


async def cut_short(asked: Asked) -> None:
    """End in the middle of the body, and say that this is its length."""
    head, _, body = (await asked.answer()).partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].removeprefix(b"HTTP/1.1 ").decode()
    await asked.says(said(status, body[: len(body) // 2]))


async def late(asked: Asked) -> None:
    await asyncio.sleep(1.0)
    await passed_on(asked)


async def drips(asked: Asked) -> None:
    for byte in await asked.answer():
        await asked.says(bytes((byte,)))
        await asyncio.sleep(1.0)


async def doubled(asked: Asked) -> None:
    await asked.says(await asked.answer() * 2)


async def of_another(asked: Asked) -> None:
    """Give the answer to another question."""
    sessions, health = b"/api/v1/ops/sessions", b"/api/v1/health"
    other = health if sessions in asked.head.split(b" ", 2)[1] else sessions
    path = asked.head.split(b" ", 2)[1]
    await asked.says(await asked.answer(asked.head.replace(path, other, 1)))


def stamped(header: str) -> Handle:
    """Pass answers on with another Date."""

    async def handle(asked: Asked) -> None:
        head, _, body = (await asked.answer()).partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")]
        lines.insert(1, f"date: {header}".encode())
        await asked.says(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    return handle


def bomb(codings: int) -> Handle:
    """Answer with 64 MiB, packed so often."""

    async def handle(asked: Asked) -> None:
        body = b" " * (64 * MEGA)
        for _ in range(codings):
            body = gzip.compress(body, 1, mtime=0)
        packed = ", ".join(["gzip"] * codings)
        await asked.says(said("200 OK", body, f"content-encoding: {packed}"))

    return handle


async def long(asked: Asked) -> None:
    """Answer with 50 MB that nothing announces."""
    await asked.says(b"HTTP/1.1 200 OK\r\n\r\n", *([b" " * MEGA] * 50))


async def shakes(asked: Asked) -> None:
    """Accept a socket by the gateway's own handshake, which then says nothing more."""
    answer = asyncio.create_task(_handshake(asked))
    await asked.says(await answer)


async def _handshake(asked: Asked) -> bytes:
    head = asked.head.decode("latin-1").lower()
    at = head.index("sec-websocket-key:") + len("sec-websocket-key:")
    key = asked.head[at:].split(b"\r\n")[0].strip()
    digest = sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade")
    return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + b64encode(digest), b"", b""))


def frame(body: bytes, first: int = TEXT, mask: int = 0) -> bytes:
    size = len(body)
    if size < 126:
        return bytes((first, size | mask)) + body
    if size < 65_536:
        return bytes((first, 126 | mask)) + struct.pack("!H", size) + body
    return bytes((first, 127 | mask)) + struct.pack("!Q", size) + body


CONNECTED: Final = frame(json.dumps({"type": "connected", "data": {}}).encode())
LONG_HEAD: Final = bytes((TEXT, 127)) + struct.pack("!Q", 20 * MEGA)
FRAGMENTS: Final = (frame(b"{", 0x01), *([frame(b" ", 0x00) * 1_000] * 200), frame(b"}", 0x80))


def framing(*frames: bytes, stays: bool = True, is_connected: bool = True) -> Handle:
    """Accept a socket, send these bytes on it, and stay or go."""

    async def handle(asked: Asked) -> None:
        await shakes(asked)
        await asked.says(*((CONNECTED,) if is_connected else ()), *frames)
        if stays:
            await asked.reader.read(-1)

    return handle


def closing(code: int) -> Handle:
    """Accept a socket, and close it with this code."""
    return framing(frame(struct.pack("!H", code), CLOSE), stays=False)


async def floods_pings(asked: Asked) -> None:
    await shakes(asked)
    await asked.says(CONNECTED)
    while True:
        await asked.says(frame(b"x" * 100, PING) * 20)
        await asked.reader.read(65_536)
        await asyncio.sleep(0.01)


def http(handle: Handle, **fields: float | bool) -> Row:
    """Return a fault of the requests; sockets break, and are refused for as long."""
    return Row(Fault(http=handle, socket=resets), **fields)  # type: ignore[arg-type]


def sockets(handle: Handle, **fields: float | bool) -> Row:
    """Return a fault of the sockets; requests pass."""
    return Row(Fault(socket=handle), **fields)  # type: ignore[arg-type]


ANSWERS: Final = {
    "204": saying("204 No Content"),
    "304": saying("304 Not Modified"),
    "404": saying("404 Not Found", b'{"detail":"Not Found"}'),
    "429": saying("429 Too Many Requests"),
    "500": saying("500 Internal Server Error", b"Internal Server Error"),
    "502": saying("502 Bad Gateway", b"<html>"),
    "503": saying("503 Service Unavailable"),
    "504": saying("504 Gateway Timeout"),
    "HTML": saying("200 OK", b"<!doctype html><title>Log in</title>", "content-type: text/html"),
    "no JSON": saying("200 OK", b"{"),
    "JSON of another kind": saying("200 OK", b'[{"metrics":[]}]'),
    "control bytes": saying("200 OK", bytes(range(256)) * 8),
    "control bytes in headers": raw(b"HTTP/1.1 200 \x1b]0;x\x07\r\nx: \x00\x1b[2J\r\n\r\n"),
    "50 MB": long,
    "endless body": endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * MEGA),
    "bad chunks": raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n"),
    "header flood": endless(b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 4000 + b"\r\n"),
    "cookies": saying("503 x", b"", *(f"set-cookie: c{n}=1; Path=/" for n in range(800))),
    "1xx for ever": endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a bomb": bomb(1),
    "a bomb in a bomb": bomb(2),
    "ten bombs": saying("200 OK", b"x", "content-encoding: " + ", ".join(["gzip"] * 10)),
    "redirect loop": saying("307 x", b"", "location: /api/v1/ops/sessions"),
    "redirect elsewhere": saying("302 x", b"", "location: http://192.0.2.1/"),
    "redirect to no URL": saying("302 x", b"", "location: http://xn--:80"),
    "no HTTP": raw(b"SSH-2.0-OpenSSH\r\n"),
    "nothing": raw(),
}
HANDSHAKES: Final = {
    "handshake 429": saying("429 Too Many Requests"),
    "handshake 500": saying("500 x", b"x" * MEGA),
    "handshake redirect": saying("302 x", b"", "location: ws://192.0.2.1/"),
    "accepted and closed": framing(stays=False, is_connected=False),
    "connected and closed": framing(stays=False),
    "never connected": framing(is_connected=False),
    "20 MB frame": framing(LONG_HEAD, *([b" " * MEGA] * 20)),
    "reserved bits": framing(frame(b"{}", 0xF1)),
    "masked": framing(frame(b"\0\0\0\0{}", TEXT, 0x80)),
    "no WebSocket": raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    **{f"close {code}": closing(code) for code in CODES},
}
_REFUSED: Final = {"lasts_s": 8.0, "heals_s": 31.5}
ROWS: Final[Mapping[str, Row]] = {
    "refused": Row(Fault(refuses=True)),
    "restart": Row(Fault(), restarts=True),
    "ten minutes away": Row(Fault(refuses=True), lasts_s=600.0, is_quick=False),
    "reset on accept": http(resets),
    "reset in mid-body": http(half),
    "half-open": Row(Fault(hangs, hangs, freezes=True), lasts_s=50.0, is_quick=False),
    "black hole": Row(Fault(hangs, hangs), lasts_s=25.0),
    "latency": Row(Fault(late), is_told=False),
    "1 byte/s": http(drips, lasts_s=25.0),
    "truncated": http(cut_short),
    "doubled": Row(Fault(doubled), is_told=False),
    "of another question": http(of_another),
    "bad Date": Row(Fault(stamped("Mon, 99 Foo 99999 99:99:99 GMT")), is_told=False),
    "401": http(saying("401 x", b'{"detail":"Unauthorized"}'), **_REFUSED),
    "403": http(saying("403 x"), **_REFUSED),
    "401, then A": http(saying("401 x"), lasts_s=8.0, reads_tokens=True),
    "503 that asks to wait": http(saying("503 x", b"", "retry-after: 20"), heals_s=25.0),
    **{name: http(handle) for name, handle in ANSWERS.items()},
    **{name: sockets(handle) for name, handle in HANDSHAKES.items()},
    "handshake 403": sockets(saying("403 x"), **_REFUSED),
    "handshake that asks to wait": sockets(
        saying("503 x", b"", "retry-after: 20"), lasts_s=8.0, heals_s=22.5
    ),
    **{f"close {code}": sockets(closing(code), **_REFUSED) for code in REFUSALS},
    "deaf": sockets(framing(), is_told=False),
    "binary": sockets(framing(frame(b"\x00\xff", BINARY)), is_told=False),
    "bad UTF-8": sockets(framing(frame(b'{"type": "\xff\xfe"}')), is_told=False),
    "200,000 fragments": sockets(framing(*FRAGMENTS), is_told=False, is_quick=False),
    "ping flood": sockets(floods_pings, is_told=False, is_quick=False),
}
