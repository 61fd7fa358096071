"""One HTTP exchange with the gateway: what may be sent, for how long, and how it fails in words.

An exchange has one deadline from the first byte sent to the last one received, so that a gateway
that accepts and never answers, or drips, is TimedOut like one that is silent. Nothing of an answer
is kept but what is read of it: no cookie, and no redirect is followed. Requests and sockets share
one TLS context, and one rule says through which proxy they go.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import zlib
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import urlsplit

import httpx

from vp_tui import __version__
from vp_tui.domain.text import clip, clock_z, literal
from vp_tui.gateway.credentials import HEADERS, host_port, is_loopback
from vp_tui.gateway.errors import (
    NO_WAIT,
    Asked,
    ReadOnly,
    TimedOut,
    Unreachable,
    Unreadable,
    Wait,
    refusal,
    unreachable,
)
from vp_tui.gateway.payloads import date_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path


BODY_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of an answer, after decompression, beyond which it is dropped.

A log's tail of 1 MB may take six of them, and 500 missions have 16 kB each for their prompts.
"""
ERROR_BODY_LIMIT: Final = 64 * 1024
READING: Final = frozenset({"GET", "HEAD"})
"""The methods that change nothing on the gateway."""
ASK_TO_WAIT: Final = frozenset({429, 503})
"""The statuses whose Retry-After is heeded."""
LONGEST_WAIT_S: Final = 300.0
"""For no longer an on-call engineer is left without a source, whatever the peer asks."""
UTC_NOW: Final = partial(datetime.now, UTC)
_OK: Final = range(200, 300)
_PLAIN: Final = frozenset({"", "identity"})
_GZIP: Final = frozenset({"gzip", "x-gzip"})
_GZIP_BITS: Final = 31
"""What zlib calls a stream with a gzip header, of any window."""
_CODING_SHOWN: Final = 40
_DIGITS: Final = 10
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)
"""Errors before the first byte of a request left."""
_NAMED: Final = re.compile(r"(?:.*://)?\[?(?P<name>[^:\[\]]*|[^\[\]]+)\]?(?::(?P<port>\d+))?/?")
"""A word of no_proxy: host, domain or network, with a scheme, brackets or the port it is for."""


class TlsContext:
    """The TLS context of one gateway, made when it is first asked for.

    Trusts `ca_file` alone, or the usual authorities and the system's.
    """

    def __init__(self, base_url: str, ca_file: Path | None = None) -> None:
        self._is_wanted = base_url.startswith("https:")
        self._ca_file = ca_file
        self._making = asyncio.Lock()
        self._made: ssl.SSLContext | None = None

    async def get(self) -> ssl.SSLContext | None:
        """Return the context for an https gateway, None for a plain one.

        Reading the authorities takes tens of milliseconds, so a worker thread does. Raises
        Unreachable when they cannot be read.
        """
        if not self._is_wanted:
            return None
        async with self._making:
            try:
                self._made = self._made or await asyncio.to_thread(_load, self._ca_file)
            except OSError as error:
                ca_file = self._ca_file
                named = f"the CA file {ca_file}" if ca_file else "the system's certificates"
                raise Unreachable(
                    f"{literal(named)} cannot be read: {literal(error.strerror or str(error))}",
                    "name a PEM file with the certificate that signed the gateway's",
                ) from None
        return self._made


def _load(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is not None:
        return ssl.create_default_context(cafile=ca_file.expanduser())
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def proxy_of(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the URL of the proxy that leads to the host of `url`; None: it is asked directly.

    That of https_proxy or http_proxy, by the scheme, else of all_proxy; small letters win. A socket
    goes the way of the requests; none leads to this machine, nor to what no_proxy names. Raises
    Unreachable for one that cannot be used: that is no fault of the gateway.
    """
    scheme = "https" if urlsplit(url).scheme in {"https", "wss"} else "http"
    name, text = _held(environ, f"{scheme}_proxy")
    name, text = (name, text) if text else _held(environ, "all_proxy")
    if not text or is_loopback(url) or _is_exempt(url, _held(environ, "no_proxy")[1]):
        return None
    cure = f"mend or unset {name}, or name the gateway in NO_PROXY"
    if text.lower().startswith("socks"):
        raise Unreachable(f"{name} names a SOCKS proxy, which is not supported", cure)
    try:
        proxy = urlsplit(text if "://" in text else f"http://{text}")
        if proxy.port == 0 or not proxy.hostname or proxy.scheme not in {"http", "https"}:
            raise ValueError  # noqa: TRY301 - it is as unusable as the others
        proxy.netloc.encode("ascii")
    except ValueError:
        raise Unreachable(f"{name} holds no address of a proxy", cure) from None
    login, at, host = proxy.netloc.rpartition("@")
    colon = ":" if at and ":" not in login else ""  # websockets wants a password
    return f"{proxy.scheme}://{login}{colon}{at}{host}"


def proxy_in_words(url: str) -> str:
    """Return host and port of the proxy that leads to `url`; "" where none does, or it is odd."""
    with suppress(Unreachable):
        return host_port(proxy) if (proxy := proxy_of(url)) else ""
    return ""


def _held(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the variable of that name, as it is written, and its value."""
    name = name if name in environ else name.upper()
    return name, environ.get(name, "").strip()


def _is_exempt(url: str, no_proxy: str) -> bool:
    """Tell whether `no_proxy` names the host of a URL: itself, its domain, its network, or `*`."""
    host, port = (urlsplit(url).hostname or "").rstrip("."), host_port(url).rpartition(":")[2]
    for word in re.split(r"[,\s]+", no_proxy.lower()):
        named = _NAMED.fullmatch(word)
        if named is None or (named["port"] or port) != port:
            continue
        name = named["name"].lstrip("*").strip(".")
        if word == "*" or (name and f".{host}".endswith(f".{name}")):
            return True
        with suppress(ValueError):
            if ip_address(host) in ip_network(name, strict=False):
                return True
    return False


class Answer(NamedTuple):
    """An answer that was received whole."""

    status: int
    body: bytes
    date: str | None
    cached_s: float = 0.0
    """Seconds that a cache on the way says it has kept it."""
    asked_at: float = 0.0
    """When it was asked for, on vp-tui's monotonic clock."""


def _cached_s(header: str) -> float:
    """Return the seconds of an Age header, the first of several; 0.0 for what is no number."""
    return _seconds(header.partition(",")[0]) or 0.0


def _seconds(told: str) -> float | None:
    """Return the seconds that a header tells; None for what is no number."""
    digits = told.strip()
    return float(digits[:_DIGITS]) if digits.isascii() and digits.isdecimal() else None


def asked_to_wait(status: int, told: Sequence[str], date: str | None, now: datetime) -> Wait:
    """Return how long an answer asks not to be asked again, by its Retry-After.

    `told` are these headers, of which the first counts, and `date` is its Date: a moment is one of
    the peer's clock where it tells that. `now` is ours. What cannot be read asks nothing.
    """
    if status not in ASK_TO_WAIT or not told:
        return NO_WAIT
    seconds, until = _seconds(told[0]), date_of(told[0])
    if seconds is None and until is not None:
        seconds = (until - (date_of(date) or now)).total_seconds()
    if seconds is None or seconds <= 0:
        return NO_WAIT
    waited_s = min(seconds, LONGEST_WAIT_S)
    until_z = clock_z(now + timedelta(seconds=waited_s))
    if seconds > LONGEST_WAIT_S:
        longest = f"{LONGEST_WAIT_S / 60:.0f} min"
        return Wait(waited_s, f"asked to wait more than {longest}, waits that until {until_z}")
    return Wait(waited_s, f"asked to wait {waited_s:.0f} s, until {until_z}")


async def http_client(
    base_url: str,
    tls: TlsContext,
    *,
    may_order: bool,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """Return a client of one gateway without a time limit: `failures_in_words` sets it.

    Unless it `may_order` it refuses every request that could change something, whoever makes it,
    before a connection is opened. `transport` is the seam for tests.
    """
    # One that trusts nobody costs nothing: it is for plain http, which needs none.
    context = await tls.get() or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def keep_nothing(response: httpx.Response) -> None:
        client.cookies.clear()
        # The client sees no redirect: of one whose target is no URL it would say nothing else.
        response.extensions["location"] = response.headers.pop("location", "")

    client = httpx.AsyncClient(
        base_url=base_url,
        headers={
            "user-agent": f"vp-tui/{__version__}",
            "cache-control": "no-cache",
            "accept-encoding": "gzip",
        },
        follow_redirects=False,
        timeout=None,  # noqa: S113 - every request runs under its own deadline
        transport=transport,
        trust_env=False,
        proxy=None if transport else proxy_of(base_url),
        verify=context,
        event_hooks={
            "request": [] if may_order else [_refuse_orders],
            "response": [keep_nothing],
        },
    )
    return client


async def _refuse_orders(request: httpx.Request) -> None:
    if request.method not in READING:
        raise ReadOnly.refusing(f"{request.method} {request.url.path}")


@asynccontextmanager
async def failures_in_words(asked: Asked, deadline_s: float) -> AsyncIterator[None]:
    """Run an exchange within `deadline_s` seconds; what goes wrong is raised as a GatewayError."""
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except TimeoutError:
        raise TimedOut(
            f"no whole answer from {asked.path} within {deadline_s:g} s",
            "the gateway's loop may be blocked by a run: look at its log",
        ) from None
    except zlib.error:
        raise Unreadable(
            f"the answer from {asked.path} cannot be decompressed", "is a proxy in between?"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        failed = unreachable(error, asked.where, asked.proxy)
        failed.may_have_arrived = not isinstance(error, _NEVER_SENT)
        raise failed from None


async def answer_to(
    asked: Asked,
    response: httpx.Response,
    *,
    also: int = 0,
    wall: Callable[[], datetime] = UTC_NOW,
) -> Answer:
    """Read the response to its end if its status is 2xx or `also`; else raise a GatewayError.

    One that asks to wait is refused all the same.
    """
    status, headers, body = response.status_code, response.headers, b""
    told = headers.get_list("retry-after")
    wait = asked_to_wait(status, told, headers.get("date"), wall())
    try:
        if status not in _OK and (status != also or wait.seconds):
            with suppress(Unreadable, zlib.error):
                body = (await _read(asked, response, ERROR_BODY_LIMIT))[:ERROR_BODY_LIMIT]
            for sent in filter(None, map(response.request.headers.get, HEADERS.values())):
                body = body.replace(sent.encode(), b"(hidden)")  # some repeat what they were sent
            raise refusal(asked, status, body, response.extensions.get("location", ""), wait)
        announced = headers.get("content-length", "")
        is_long = announced.isdecimal() and int(announced) > BODY_LIMIT
        body = b"" if is_long else await _read(asked, response, BODY_LIMIT + 1)
        if is_long or len(body) > BODY_LIMIT:
            raise Unreadable(
                f"the answer from {asked.path} is longer than {BODY_LIMIT >> 20} MiB",
                "is this the gateway's URL?",
            )
        return Answer(status, body, headers.get("date"), _cached_s(headers.get("age", "")))
    finally:
        await response.aclose()


async def _read(asked: Asked, response: httpx.Response, enough: int) -> bytes:
    """Return the body, or its beginning as soon as that has `enough` bytes.

    Never more than these are unpacked. Raises Unreadable for a coding that was not asked for, two
    of them included, and zlib.error.
    """
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in _PLAIN | _GZIP:
        told = clip(literal(coding), _CODING_SHOWN)
        raise Unreadable(
            f"the answer from {asked.path} is packed as {told}: only gzip was asked for",
            "is a proxy in between?",
        )
    unpack = zlib.decompressobj(_GZIP_BITS) if coding in _GZIP else None
    size, chunks = 0, []
    # The stream itself, as it was sent: httpx would unpack all of a chunk at once.
    async for sent in cast("httpx.AsyncByteStream", response.stream):
        chunks.append(unpack.decompress(sent, enough - size) if unpack else sent)
        size += len(chunks[-1])
        if size >= enough:
            break
    else:
        if unpack and not unpack.eof and size:
            raise zlib.error
    return b"".join(chunks)
