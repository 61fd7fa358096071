"""Telling the gateway to do something: the only requests of vp-tui that change anything.

In read-only mode no `Orders` is made: nothing else in the house can send what it sends. Each order
is one request on a connection of its own and is never repeated: an order that may have arrived is
an order given. Every method may raise any GatewayError; where `may_have_arrived` its words say so.

The probe's socket, which only Orders opens, is the only one that sends, and it sends one `execute`.
Its frames are drained in its own task, whatever is done with them: a viewer that does not read
stalls the run for everybody.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final, TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from vp_tui.domain.lane.probe import ProbeStep
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.models import Failure, Plane, StreamEvent, StreamState
from vp_tui.gateway.credentials import gateway_url, host_port, require_session_id, stream_url
from vp_tui.gateway.errors import Asked, GatewayError, NotFound, ReadOnly, TimedOut, Unreachable
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.parsing import parse_cancel, parse_created
from vp_tui.gateway.stream import close_in_words
from vp_tui.gateway.transport import (
    TlsContext,
    answer_to,
    failures_in_words,
    http_client,
    proxy_in_words,
)
from vp_tui.gateway.websocket import PROBE_AGAIN, SocketOptions, close_of, opening, refusal_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from vp_tui.domain.lane.probe import Fact
    from vp_tui.domain.models import CancelAnswer
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.gateway.websocket import Opener


DEADLINE_S: Final = 20.0
"""The gateway itself waits 5 s (G1) or 10 s (G2) for a run to hear a cancel."""
_UNKNOWN: Final = "whether the order was carried out is not known"
_LOOK: Final = "look at what it was to change before giving it again"

TOLD: Final = frozenset({"status", "query_complete", "system_event", "error"})
"""Kinds of frames that tell how a turn goes; the others are drained and dropped."""
_Parsed = TypeVar("_Parsed")
_TOKENS: Final = "set UA_INTERNAL_API_TOKEN, or renew it"


class Orders:
    """What may be told to one gateway.

    `transport`, `opener` and `clock` (seconds) are seams for tests.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        tls: TlsContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        opener: Opener | None = None,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = gateway_url(base_url)
        self._where = host_port(base_url)
        self._proxy = "" if transport else proxy_in_words(base_url)
        self._credentials = credentials
        self._tls = tls or TlsContext(base_url)
        self._transport = transport
        self._opener = opener
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
        began = self._clock()
        try:
            return await self._give(
                path,
                Plane.OPS,
                {"reason": reason},
                lambda body: parse_cancel(body, self._clock() - began),
            )
        except NotFound as error:
            if "session not found" not in error.failure.reason.lower():
                raise
            cure = "it is gone: nothing of it is left to cancel"
            raise NotFound(error.failure.reason, cure) from None

    async def create_session(self) -> str:
        """Make a session of the gateway's default user and return its id.

        It waits for the lock on G1. A gateway whose answer did not come may make it later.
        """
        return await self._give("/api/v1/sessions", Plane.SESSION, {}, parse_created)

    async def execute(self, session_id: str, prompt: str, tell: Callable[[Fact], None]) -> None:
        """Run `prompt` in a session, once, and tell what its socket says until that closes.

        Nothing is raised but InvalidTarget; a refusal and a loss are told. Being cancelled leaves
        the socket, and the run going on. `tell` must not block.
        """
        options = SocketOptions(
            self._credentials.headers, self._tls, clock=self._clock, opener=self._opener
        )
        url, is_attached = stream_url(self._base_url, session_id), False
        try:
            async with opening(url, options, ExecutingConnection) as socket:
                while True:
                    frame = parse_frame(await socket.recv(decode=False))
                    if frame.kind == "connected" and not is_attached:
                        is_attached = True
                        tell(ProofStep(self._clock(), ProbeStep.ATTACHED))
                        order = {"type": "execute", "data": {"user_input": prompt}}
                        await socket.send(json.dumps(order))
                        tell(ProofStep(self._clock(), ProbeStep.EXECUTED))
                    elif frame.kind in TOLD:
                        tell(StreamEvent(self._clock(), session_id, frame))
        except InvalidStatus as error:
            refusal = refusal_of(error, options.wall())
            is_refused = refusal.state is StreamState.UNAUTHORIZED
            cure = _TOKENS if is_refused else PROBE_AGAIN
            failure = Failure(refusal.words, cure, unauthorized=is_refused)
        except ConnectionClosed as error:
            failure = Failure(close_in_words(*close_of(error)), PROBE_AGAIN)
        except (Unreachable, TimedOut) as error:
            failure = error.failure
        tell(failure)

    async def _give(
        self, path: str, plane: Plane, body: Mapping[str, str], parse: Callable[[bytes], _Parsed]
    ) -> _Parsed:
        """Send an order, once; an error says so where it may have been carried out all the same."""
        credentials = self._credentials
        asked = Asked(
            path, self._where, plane, credentials.presence, credentials.withheld, self._proxy
        )
        try:
            async with (
                failures_in_words(asked, self._deadline_s),
                await http_client(
                    self._base_url, self._tls, transport=self._transport, may_order=True
                ) as http,
            ):
                headers = credentials.headers()
                request = http.build_request("POST", path, json=body, headers=headers)
                answer = await answer_to(asked, await http.send(request, stream=True))
            return parse(answer.body)
        except GatewayError as error:
            if not error.may_have_arrived:
                raise
            doubtful = type(error)(f"{error.failure.reason}; {_UNKNOWN}", _LOOK)
            doubtful.may_have_arrived = True
            doubtful.failure = doubtful.failure._replace(is_uncertain=True)
            raise doubtful from None


class ExecutingConnection(ClientConnection):
    """A connection that carries one message of ours; the protocol's own pings pass."""

    _has_sent = False

    async def send(self, *message: object, **_options: object) -> None:
        """Send the one `execute`. Raises ReadOnly for a second message, and for any other."""
        (text,) = message
        if self._has_sent:
            raise ReadOnly.refusing("a second frame on a probe's socket")
        if not isinstance(text, str) or json.loads(text).get("type") != "execute":
            raise ReadOnly.refusing("anything but an execute on a probe's socket")
        self._has_sent = True
        await super().send(text)
