"""The probe's socket: the only one in the house that sends, and it sends one `execute`.

Only Orders opens it, and in read-only mode there are no Orders. Its frames are drained in its own
task, whatever is done with them: a viewer that does not read stalls the run for everybody.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from vp_tui.domain.models import Failure
from vp_tui.domain.probe import Attached, Broke, Executed, Heard
from vp_tui.gateway.addresses import host_port
from vp_tui.gateway.errors import ReadOnly, Unreachable
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.refusals import unreachable
from vp_tui.gateway.stream import close_in_words, refusal_in_words
from vp_tui.gateway.websocket import SocketOptions, opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.probe import Fact

TOLD: Final = frozenset({"status", "query_complete", "system_event", "error"})
"""Kinds of frames that tell how a turn goes; the others are drained and dropped."""
_ABNORMAL: Final = 1006
_TOKENS: Final = "set UA_INTERNAL_API_TOKEN, or renew it"
_AGAIN: Final = "look at the gateway, then probe again"


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
    url: str, prompt: str, options: SocketOptions, tell: Callable[[Fact], None]
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
                    tell(Attached(clock()))
                    await socket.send(_execute(prompt))
                    tell(Executed(clock()))
                elif frame.kind in TOLD:
                    tell(Heard(clock(), frame))
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
    tell(Broke(clock(), failure))


def _execute(prompt: str) -> str:
    return json.dumps({"type": "execute", "data": {"text": prompt}})
