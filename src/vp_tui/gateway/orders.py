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
from typing import TYPE_CHECKING, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from vp_tui.domain.lane.probe import ProbeStep
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.models import Failure, Plane, StreamEvent
from vp_tui.gateway.credentials import gateway_url, host_port, require_session_id, stream_url
from vp_tui.gateway.errors import Asked, GatewayError, NotFound, ReadOnly, Unreachable, unreachable
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.parsing import parse_cancel, parse_created
from vp_tui.gateway.stream import close_in_words, refusal_in_words
from vp_tui.gateway.transport import Answer, TlsContext, answer_to, failures_in_words, http_client
from vp_tui.gateway.websocket import SocketOptions, opening

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
_ABNORMAL: Final = 1006
_TOKENS: Final = "set UA_INTERNAL_API_TOKEN, or renew it"
_AGAIN: Final = "look at the gateway, then probe again"


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
        options = SocketOptions(
            self._credentials.headers, self._tls, clock=self._clock, opener=self._opener
        )
        url = stream_url(self._base_url, session_id)
        await execute(url, session_id, prompt, options, tell)

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


async def execute(
    url: str, session_id: str, prompt: str, options: SocketOptions, tell: Callable[[Fact], None]
) -> None:
    """Attach to a session, send `prompt` once, and tell what comes until the socket closes.

    Leaving it, by cancelling, leaves the run going on. Nothing is raised: a refusal and a loss are
    told. `tell` must not block.
    """
    clock = options.clock
    try:
        async with await opening(url, options, ExecutingConnection) as socket:
            is_attached = False
            while True:
                frame = parse_frame(await socket.recv(decode=False))
                if frame.kind == "connected" and not is_attached:
                    is_attached = True
                    tell(ProofStep(clock(), ProbeStep.ATTACHED))
                    await socket.send(_execute(prompt))
                    tell(ProofStep(clock(), ProbeStep.EXECUTED))
                elif frame.kind in TOLD:
                    tell(StreamEvent(clock(), session_id, frame))
    except InvalidStatus as error:
        failure = Failure(refusal_in_words(error.response.status_code), _TOKENS, unauthorized=True)
    except ConnectionClosed as error:
        close = error.rcvd or error.sent
        code, reason = (close.code, close.reason) if close else (_ABNORMAL, "")
        failure = Failure(close_in_words(code, reason), _AGAIN)
    except TimeoutError:
        reason = f"no answer to the handshake within {options.open_timeout_s:g} s"
        failure = Failure(reason, _AGAIN)
    except Unreachable as error:
        failure = error.failure
    except (OSError, WebSocketException, ImportError) as error:
        failure = unreachable(error, host_port(url)).failure
    tell(failure)


def _execute(prompt: str) -> str:
    return json.dumps({"type": "execute", "data": {"text": prompt}})


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
