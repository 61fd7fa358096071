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


async def tls_context(base_url: str, ca_file: Path | None = None) -> ssl.SSLContext | None:
    """Return the context for an https gateway, None for a plain one.

    Trusts `ca_file` alone, or the usual authorities and the system's. Reading them takes tens of
    milliseconds, so it happens in a worker thread. Raises Unreachable when they cannot be read.
    """
    if not base_url.startswith("https:"):
        return None
    try:
        return await asyncio.to_thread(_load, ca_file)
    except OSError as error:
        named = f"the CA file {ca_file}" if ca_file else "the system's certificates"
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
