"""Telling the gateway to do something: the only requests of vp-tui that change anything.

In read-only mode no `Orders` is made: nothing else in the house can send what it sends. Each order
is one request on a connection of its own and is never repeated: an order that may have arrived is
an order given. Every method may raise any GatewayError; where `may_have_arrived` its words say so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Plane
from vp_tui.gateway.addresses import gateway_url, host_port, require_session_id, stream_url
from vp_tui.gateway.errors import GatewayError, NotFound
from vp_tui.gateway.exchange import Answer, answer_to, failures_in_words, http_client
from vp_tui.gateway.refusals import Asked
from vp_tui.gateway.tls import TlsContext
from vp_tui.gateway.wire import parse_cancel, parse_created

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from vp_tui.domain.orders import CancelAnswer
    from vp_tui.domain.probe import Fact
    from vp_tui.gateway.auth import Credentials

DEADLINE_S: Final = 20.0
"""The gateway itself waits 5 s (G1) or 10 s (G2) for a run to hear a cancel."""
_UNKNOWN: Final = "whether the order was carried out is not known"
_LOOK: Final = "look at what it was to change before giving it again"


class Orders:
    """What may be told to one gateway. `transport` and `clock` (seconds) are seams for tests."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        tls: TlsContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = gateway_url(base_url)
        self._where = host_port(base_url)
        self._credentials = credentials
        self._tls = tls or TlsContext(base_url)
        self._transport = transport
        self._deadline_s = deadline_s
        self._clock = clock

    async def cancel(self, session_id: str, reason: str) -> CancelAnswer:
        """Ask to cancel what a session runs; for a blank `reason` the gateway has words of its own.

        The gateway answers an idle session, one on disk and the lane's own directory like a run
        that did not hear, and tells it to their viewers: whether there is something to cancel is
        for the caller to know.
        """
        # Checked before it enters the path: without an id this would be the cancel of all runs.
        path = f"/api/v1/ops/sessions/{require_session_id(session_id)}/cancel"
        asked = self._asked(path, Plane.OPS)
        began = self._clock()
        try:
            answer = await self._post_once(asked, {"reason": reason})
            return parse_cancel(answer.body, self._clock() - began)
        except NotFound as error:
            raise _gone(error) from None
        except GatewayError as error:
            raise _in_doubt(error) from None

    async def create_session(self) -> str:
        """Make a session of the gateway's default user and return its id.

        It waits for the lock on G1. A gateway whose answer did not come may make it later.
        """
        asked = self._asked("/api/v1/sessions", Plane.SESSION)
        try:
            answer = await self._post_once(asked, {})
            return parse_created(answer.body)
        except GatewayError as error:
            raise _in_doubt(error) from None

    async def execute(self, session_id: str, prompt: str, tell: Callable[[Fact], None]) -> None:
        """Run `prompt` in a session, once, and tell what its socket says until that closes.

        Nothing is raised but InvalidTarget; a refusal and a loss are told. Being cancelled leaves
        the socket, and the run going on.
        """
        from vp_tui.gateway.probe import execute  # noqa: PLC0415 - most orders need no socket
        from vp_tui.gateway.websocket import SocketOptions  # noqa: PLC0415 - as above

        options = SocketOptions(self._credentials.headers, self._tls, clock=self._clock)
        await execute(stream_url(self._base_url, session_id), prompt, options, tell)

    def _asked(self, path: str, plane: Plane) -> Asked:
        credentials = self._credentials
        return Asked(path, self._where, plane, credentials.presence, withheld=credentials.withheld)

    async def _post_once(self, asked: Asked, body: Mapping[str, object]) -> Answer:
        async with (
            failures_in_words(asked, self._deadline_s),
            await http_client(
                self._base_url, self._tls, transport=self._transport, may_order=True
            ) as http,
        ):
            headers = self._credentials.headers()
            request = http.build_request("POST", asked.path, json=body, headers=headers)
            return await answer_to(asked, await http.send(request, stream=True))


def _gone(error: NotFound) -> NotFound:
    """Return the error with a cure for a session that the gateway does not know."""
    if "session not found" not in error.failure.reason.lower():
        return error
    return NotFound(error.failure.reason, "it is gone: nothing of it is left to cancel")


def _in_doubt(error: GatewayError) -> GatewayError:
    """Return the error, saying so where the order may have been carried out all the same."""
    if not error.may_have_arrived:
        return error
    doubtful = type(error)(f"{error.failure.reason}; {_UNKNOWN}", _LOOK)
    doubtful.may_have_arrived = True
    doubtful.failure = doubtful.failure._replace(is_uncertain=True)
    return doubtful
