"""One HTTP exchange with the gateway: what may be sent, for how long, and how it fails in words.

An exchange has one deadline from the first byte sent to the last one received, so that a gateway
that accepts and never answers, or drips, is TimedOut like one that is silent. Requests and sockets
share one TLS context.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx

from vp_tui import __version__
from vp_tui.domain.text import literal
from vp_tui.gateway.credentials import is_loopback
from vp_tui.gateway.errors import (
    Asked,
    ReadOnly,
    TimedOut,
    Unreachable,
    Unreadable,
    refusal,
    unreachable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


BODY_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of an answer, after decompression, beyond which it is dropped."""
ERROR_BODY_LIMIT: Final = 64 * 1024
READING: Final = frozenset({"GET", "HEAD"})
"""The methods that change nothing on the gateway."""
_OK: Final = range(200, 300)
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    ImportError,
)
"""Errors before the first byte of a request left."""


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
            if self._made is None:
                self._made = await self._make()
        return self._made

    async def _make(self) -> ssl.SSLContext:
        try:
            return await asyncio.to_thread(_load, self._ca_file)
        except OSError as error:
            named = f"the CA file {self._ca_file}" if self._ca_file else "the system's certificates"
            raise Unreachable(
                f"{literal(named)} cannot be read: {literal(error.strerror or str(error))}",
                "name a PEM file with the certificate that signed the gateway's",
            ) from None


def no_tls() -> ssl.SSLContext:
    """Return a context that trusts nobody, at no cost: for clients that speak plain http only."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _load(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is not None:
        return ssl.create_default_context(cafile=ca_file.expanduser())
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


class Answer(NamedTuple):
    """An answer that was received whole."""

    status: int
    body: bytes
    date: str | None


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
    context = await tls.get() or no_tls()
    return httpx.AsyncClient(
        base_url=base_url,
        headers={"user-agent": f"vp-tui/{__version__}"},
        timeout=None,  # noqa: S113 - every request runs under its own deadline
        transport=transport,
        trust_env=not is_loopback(base_url),
        verify=context,
        event_hooks={"request": [] if may_order else [_refuse_orders]},
    )


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
    except httpx.DecodingError:
        raise Unreadable(
            f"the answer from {asked.path} cannot be decompressed", "is a proxy in between?"
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, ImportError) as error:
        failed = unreachable(error, asked.where)
        failed.may_have_arrived = not isinstance(error, _NEVER_SENT)
        raise failed from None


async def answer_to(asked: Asked, response: httpx.Response, *, also: int = 0) -> Answer:
    """Read the response to its end if its status is 2xx or `also`; else raise a GatewayError."""
    try:
        if response.status_code in _OK or response.status_code == also:
            body = await _read(response, asked)
            return Answer(response.status_code, body, response.headers.get("date"))
        body = await _read_some(response)
        raise refusal(asked, response.status_code, body, response.headers.get("location", ""))
    finally:
        await response.aclose()


async def _read(response: httpx.Response, asked: Asked) -> bytes:
    """Return the whole body; raise Unreadable as soon as it is longer than BODY_LIMIT."""
    announced = response.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    chunks = []
    if size <= BODY_LIMIT:
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > BODY_LIMIT:
                break
            chunks.append(chunk)
    if size > BODY_LIMIT:
        raise Unreadable(
            f"the answer from {asked.path} is longer than {BODY_LIMIT >> 20} MiB",
            "is this the gateway's URL?",
        )
    return b"".join(chunks)


async def _read_some(response: httpx.Response) -> bytes:
    """Return the beginning of an error's body: enough for its words."""
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= ERROR_BODY_LIMIT:
            break
    return body[:ERROR_BODY_LIMIT]
