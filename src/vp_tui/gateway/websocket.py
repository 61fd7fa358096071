"""The WebSocket under a `StreamCore`. It only ever receives: its connection refuses to send.

Watching must not change what is watched (docs/rollout.md, fact 10). A frame of ours would start or
cancel a run, and a viewer that does not read stalls the run for everybody: each socket is drained
in its own task, and `emit` must not block (docs/wire.md, section 8).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from vp_tui import __version__
from vp_tui.gateway.credentials import host_port
from vp_tui.gateway.errors import ReadOnly, TimedOut, Unreachable, unreachable
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.stream import Connect, Refusal, Stay, Stop, StreamCore, StreamOutput
from vp_tui.gateway.transport import UTC_NOW, asked_to_wait, proxy_in_words, proxy_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from vp_tui.domain.models import Session
    from vp_tui.gateway.transport import TlsContext


MAX_FRAME: Final = 4 * 1024 * 1024
"""Bytes; a single event of the gateway may exceed the 1 MiB that clients allow by default."""
PROBE_AGAIN: Final = "look at the gateway, then probe again"
_ABNORMAL: Final = 1006


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """How one gateway's sockets are opened; times in seconds."""

    headers: Callable[[], Mapping[str, str]]
    """Asked anew at each attach, so that tokens that were read again are used."""
    tls: TlsContext | None = None
    """For wss; None is for gateways without TLS."""
    open_timeout_s: float = 10.0
    close_timeout_s: float = 1.0
    """A gateway that a run blocks does not answer the closing handshake."""
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = UTC_NOW
    opener: Opener | None = None
    """Opens the socket; None: over the network. The seam for tests."""


class OpenSocket(Protocol):
    """All that is used of an open socket. Its methods raise ConnectionClosed."""

    async def recv(self, *, decode: bool) -> bytes | str:
        """Return the next frame; bytes where it need not be decoded."""

    async def send(self, text: str | bytes, /) -> None:
        """Send a frame."""


Opener = Callable[[str, "Mapping[str, str]"], "AbstractAsyncContextManager[OpenSocket]"]
"""Returns what opens a socket at a URL with these headers, and raises as `connect` does."""


class ListeningConnection(ClientConnection):
    """A connection that carries no message of ours, in no mode; the protocol's own pings pass."""

    async def send(self, *_message: object, **_options: object) -> NoReturn:
        """Refuse. Raises ReadOnly."""
        raise ReadOnly.refusing("a frame on a watched socket")


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        """Follow no redirect: the token headers would go along."""
        return exc


@asynccontextmanager
async def opening(
    url: str, options: SocketOptions, connection: type[ClientConnection]
) -> AsyncIterator[OpenSocket]:
    """Hold a socket open; how it may be used is the connection's to say.

    Raises InvalidStatus for a refused handshake, ConnectionClosed, and Unreachable or TimedOut for
    all else that fails.
    """
    try:
        async with await _socket_of(url, options, connection) as socket:
            yield socket
    except (InvalidStatus, ConnectionClosed):
        raise
    except TimeoutError:
        reason = f"no answer to the handshake within {options.open_timeout_s:g} s"
        raise TimedOut(reason, PROBE_AGAIN) from None
    except (OSError, WebSocketException, UnicodeError) as error:
        raise unreachable(error, host_port(url), proxy_in_words(url)) from None


async def _socket_of(
    url: str, options: SocketOptions, connection: type[ClientConnection]
) -> AbstractAsyncContextManager[OpenSocket]:
    if options.opener is not None:
        return options.opener(url, options.headers())
    context = await options.tls.get() if options.tls else None
    tls: dict[str, Any] = {} if context is None else {"ssl": context}
    return _Connect(
        url,
        create_connection=connection,
        additional_headers=dict(options.headers()),
        user_agent_header=f"vp-tui/{__version__}",
        proxy=proxy_of(url),
        open_timeout=options.open_timeout_s,
        close_timeout=options.close_timeout_s,
        ping_interval=20,
        ping_timeout=20,
        compression=None,  # nothing is unpacked, and the gateway packs nothing for a viewer
        max_size=MAX_FRAME,
        max_queue=32,
        **tls,
    )


def close_of(error: ConnectionClosed) -> tuple[int, str]:
    """Return the code and the reason with which a socket was closed."""
    close = error.rcvd or error.sent
    return (close.code, close.reason) if close else (_ABNORMAL, "")


def refusal_of(error: InvalidStatus, now: datetime) -> Refusal:
    """Return how a handshake was answered, at this time of day."""
    status, headers = error.response.status_code, error.response.headers
    date = next(iter(headers.get_all("date")), None)
    wait = asked_to_wait(status, headers.get_all("retry-after"), date, now)
    return Refusal(status, ", ".join(headers.get_all("location")), wait)


class SessionStream:
    """Keeps one session's socket attached and drained, and turns what comes into events."""

    def __init__(
        self,
        url: str,
        core: StreamCore,
        emit: Callable[[StreamOutput], None],
        options: SocketOptions,
    ) -> None:
        self._url = url
        self._core = core
        self._emit = emit
        self._options = options
        self._clock = options.clock
        self._changed = asyncio.Event()
        self._leaving: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Attach and drain until stopped or cancelled, reconnecting for ever."""
        while not isinstance(step := self._core.step(self._clock()), Stop):
            if isinstance(step, Connect) and step.at <= self._clock():
                await self._attach()
            else:
                await self._pause(step.at if isinstance(step, Connect) else None)

    def listed(self, session: Session, now: float) -> None:
        """Hear that a listing answered at `now` has the session in memory."""
        self._say(self._core.listing_says(session.last_event_seq, now))
        self._core.confirm_in_memory(now)
        self._look_again()

    def wake(self, now: float) -> None:
        """Hear that the gateway answers again, or that the tokens changed: try soon."""
        self._core.wake(now)
        self._look_again()

    def stop(self) -> None:
        """Close the socket and end `run`."""
        self._core.stop()
        self._look_again()

    async def _attach(self) -> None:
        self._say(self._core.connecting(self._clock()))
        try:
            async with opening(self._url, self._options, ListeningConnection) as socket:
                self._say(self._core.opened(self._clock()))
                await self._drain(socket)
        except InvalidStatus as error:
            refusal = refusal_of(error, self._options.wall())
            self._say(self._core.refused(refusal, self._clock()))
        except ConnectionClosed as error:
            self._say(self._core.closed(*close_of(error), self._clock()))
        except (Unreachable, TimedOut) as error:
            self._say(self._core.failed(error.failure.reason, self._clock()))
        except Exception:
            self._say(self._core.failed("vp-tui failed over a frame", self._clock()))
            raise

    async def _drain(self, socket: OpenSocket) -> None:
        """Receive until the core wants to leave. Raises ConnectionClosed."""
        try:
            async with asyncio.timeout(None) as self._leaving:
                self._look_again()
                while True:
                    frame = parse_frame(await socket.recv(decode=False))
                    self._say(self._core.received(frame, self._clock()))
                    if frame.kind == "connected":
                        self._look_again()
        except TimeoutError:
            self._say(self._core.expired(self._clock()))
        finally:
            self._leaving = None

    async def _pause(self, until: float | None) -> None:
        """Wait for that time, or for any change that the core was told of."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(None if until is None else until - self._clock()):
                await self._changed.wait()

    def _look_again(self) -> None:
        """Let the core decide anew: end a pause, and set when the open socket is left."""
        self._changed.set()
        if self._leaving is None or self._leaving.expired():
            return
        now, step = self._clock(), self._core.step(self._clock())
        until = step.until if isinstance(step, Stay) else now
        loop_now = asyncio.get_running_loop().time()
        self._leaving.reschedule(None if until is None else loop_now + until - now)

    def _say(self, events: Iterable[StreamOutput]) -> None:
        for event in events:
            self._emit(event)
