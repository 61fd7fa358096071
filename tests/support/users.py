"""Those who use the gateway: they send prompts and read what comes."""

from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import websockets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class User:
    """Somebody with a session of their own."""

    def __init__(self, session_id: str, socket: websockets.ClientConnection) -> None:
        self.session_id = session_id
        self._socket = socket

    async def ask(self, prompt: str) -> None:
        await self._socket.send(json.dumps({"type": "execute", "data": {"user_input": prompt}}))

    async def read_all(self) -> None:
        """Drain the socket: a viewer that does not read freezes the run."""
        async for _frame in self._socket:
            pass


@asynccontextmanager
async def user_of(url: str) -> AsyncIterator[User]:
    """Enter a session; both wait as long as some run holds the gateway's lock."""
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without certificates, which load slowly
    async with httpx.AsyncClient(base_url=url, trust_env=False, verify=plain) as client:
        session_id: str = (await client.post("/api/v1/sessions", json={})).json()["session_id"]
    stream = f"{url.replace('http', 'ws')}/api/v1/sessions/{session_id}/stream"
    async with websockets.connect(stream, proxy=None) as socket:
        user = User(session_id, socket)
        reading = asyncio.create_task(user.read_all())
        try:
            yield user
        finally:
            reading.cancel()
