from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import httpx
import pytest

from vp_tui.domain.text import literal
from vp_tui.gateway import errors
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.transport import TlsContext

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    Answer = (
        Callable[[httpx.Request], httpx.Response]
        | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
    )

LOCAL = "http://127.0.0.1:8002"
REMOTE = "http://gateway.example:8002"
WIRE = Path(__file__).parents[1] / "wire"


def credentials_of(base_url: str = LOCAL, **environ: str) -> Credentials:
    credentials = Credentials(TokenSources(environ=environ), base_url=base_url)
    credentials.read()
    return credentials


def recorded(name: str) -> httpx.Response:
    recording = json.loads((WIRE / name).read_text())
    return httpx.Response(
        recording["status_code"],
        json=recording["body"],
        headers={"date": recording["headers"]["date"]},
    )


async def failure_of(client: GatewayClient, ask: str = "metrics") -> errors.GatewayError:
    with pytest.raises(errors.GatewayError) as caught:
        await getattr(client, ask)()
    error = caught.value
    for words in (error.failure.reason, error.failure.cure):
        assert words
        assert words == literal(words)
        assert len(words) < 500
    assert error.failure.unauthorized == isinstance(error, errors.Unauthorized)
    return error


class MakeClient(Protocol):
    """Makes clients whose requests go to a handler, or into the network without one."""

    def __call__(
        self,
        answer: Answer | None = None,
        url: str = LOCAL,
        *,
        credentials: Credentials | None = None,
        ca_file: Path | None = None,
        deadline_s: float = 10.0,
    ) -> GatewayClient: ...


@pytest.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    clients: list[GatewayClient] = []

    def make(
        answer: Answer | None = None,
        url: str = LOCAL,
        *,
        credentials: Credentials | None = None,
        ca_file: Path | None = None,
        deadline_s: float = 10.0,
    ) -> GatewayClient:
        client = GatewayClient(
            url,
            "vp.coder.primary",
            credentials or credentials_of(url),
            tls=TlsContext(url, ca_file),
            transport=httpx.MockTransport(answer) if answer else None,
            deadline_s=deadline_s,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()
