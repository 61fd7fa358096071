"""What is wrong with a gateway's TLS is named with its cure, to requests and to sockets alike."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
import trustme

from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.errors import Unreachable
from vp_tui.gateway.transport import TlsContext
from vp_tui.gateway.websocket import ListeningConnection, SocketOptions, opening

if TYPE_CHECKING:
    from pathlib import Path

NOW: Final = datetime.now(UTC)
DAY: Final = timedelta(days=1)


class Authorities(NamedTuple):
    """One whose file vp-tui is given, and one that it does not know."""

    known: trustme.CA
    unknown: trustme.CA
    file: Path


@pytest.fixture(name="authorities", scope="module")
def _authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    known, file = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    known.cert_pem.write_to_path(str(file))
    return Authorities(known, trustme.CA(), file)


def server(made: Authorities, fault: str) -> ssl.SSLContext:
    """Return a server's side of TLS with that fault."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    begins, ends = {"expired": (-2, -1), "not yet": (1, 2)}.get(fault, (-1, 1))
    host = "elsewhere.example" if fault == "host" else "localhost"
    ca = made.unknown if fault == "authority" else made.known
    issued = ca.issue_cert(host, not_before=NOW + begins * DAY, not_after=NOW + ends * DAY)
    issued.configure_cert(context)
    if fault == "old":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("fault", "reason", "cure"),
    [
        ("expired", "its certificate has expired", "clock off?"),
        ("not yet", "its certificate is not valid yet", "clock right?"),
        ("host", "its certificate is for another host", "the name it is for"),
        ("authority", "signed by an authority that is unknown here", "--ca-file"),
        ("old", "it speaks no newer TLS than 1.1", "TLS 1.2 or 1.3"),
        ("plain", "it does not speak TLS as asked", "http instead of https?"),
    ],
)
async def test_a_fault_of_tls_is_named_with_its_cure(
    authorities: Authorities, fault: str, reason: str, cure: str
) -> None:
    context = None if fault == "plain" else server(authorities, fault)

    def accept() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                if context is None:
                    connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")
                else:
                    context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(asyncio.to_thread(accept))
        url = f"https://localhost:{listening.getsockname()[1]}"
        tls = TlsContext(url, authorities.file)
        client = GatewayClient(url, "vp", Credentials(TokenSources(), base_url=url), tls=tls)
        with pytest.raises(Unreachable) as caught:
            await client.health()
        await client.aclose()
        told = caught.value.failure
        assert (reason in told.reason, cure in told.cure) == (True, True), told
        with pytest.raises(Unreachable) as caught:
            async with opening(
                url.replace("https", "wss"), SocketOptions(dict, tls), ListeningConnection
            ):
                pass
        assert caught.value.failure == told
        await serving
