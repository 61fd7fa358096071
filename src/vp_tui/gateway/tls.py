"""The TLS context that requests and sockets share."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import httpx

from vp_tui.domain.text import literal
from vp_tui.gateway.errors import Unreachable

if TYPE_CHECKING:
    from pathlib import Path


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
