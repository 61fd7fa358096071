"""A session's socket as a pure core: what happened and a clock in, events and the next step out.

The rules come from docs/wire.md, section 8. A viewer gets no backlog and no replay, so each
re-connection is a gap. Attaching to a session that is only on disk resumes it, so after every loss
the core waits for a listing that has the session in memory (docs/rollout.md, fact 10). A gateway
that refuses is asked every 30 s, any other again and again with a growing, random delay, and none
before the time that it asked to wait. All times are monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.events import GapFound, LinkChanged
from vp_tui.domain.models import StreamEvent, StreamState
from vp_tui.domain.text import clip, fold, literal, took
from vp_tui.gateway.errors import NO_WAIT, Wait, redirect_in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.models import Frame


StreamOutput = StreamEvent | LinkChanged | GapFound

SILENT_ACCEPT: Final = (
    "accepted, but no `connected`: the gateway's lock is held or the session is not in memory"
)
_SERVICE_RESTART: Final = 1012
_REASON_LIMIT: Final = 200
_CLOSES: Final = {
    1000: "closed by the gateway",
    1001: "closed by the gateway: it is going away",
    1006: "the connection broke",
    1009: "a frame was longer than 4 MiB",
    1011: "internal error, or pings unanswered",
    _SERVICE_RESTART: "the gateway is restarting",
    4000: "the gateway calls the session id malformed",
    4001: "the gateway wants a login",
    4003: "access denied by the gateway's allowlist",
    4004: "the gateway does not know the session",
    4401: "the gateway wants another token",
    4403: "this gateway's role forbids it",
}
_CLOSED_AS: Final = {
    **dict.fromkeys((4001, 4003, 4401, 4403), StreamState.UNAUTHORIZED),
    4004: StreamState.GONE,
}
_FAILED_ATTACHES: Final = frozenset({1011, 4003, 4004})
"""Codes with which the gateway closes a socket that it accepted and could not attach, and counts
it. A handshake that it refuses it does not count (docs/wire.md, sections 8 and 10)."""
_REFUSALS: Final = {
    401: "401 at the handshake: token missing or rejected",
    403: "403 at the handshake: token missing or rejected, or the role forbids it",
    404: "404 at the handshake: is this the gateway's URL?",
}
_REFUSED_AS: Final = dict.fromkeys((401, 403), StreamState.UNAUTHORIZED)


@dataclass(frozen=True, slots=True)
class Policy:
    """How long is waited for what, in seconds."""

    first_delay_s: float = 0.5
    longest_delay_s: float = 4.0
    up_time_s: float = 5.0
    """The delays start anew only after a socket that lived so long."""
    connected_within_s: float = 10.0
    """Between the accepted handshake and the `connected` frame."""
    refused_delay_s: float = 30.0
    wake_within_s: float = 0.5
    confirmed_for_s: float = 10.0
    """A listing older than this does not allow to attach."""
    restart_takes_s: float = 2.0
    """After close code 1012 the old process may answer so long; it is not believed."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Attach at this time, which may have passed."""

    at: float


@dataclass(frozen=True, slots=True)
class AwaitConfirmation:
    """Wait until a listing says that the session is in memory."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A socket is open or being opened: leave it at this time, None for never."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Leave and do not come back."""


Step = Connect | AwaitConfirmation | Stay | Stop


class _Phase(Enum):
    WAITING = auto()
    OPENING = auto()
    ACCEPTED = auto()
    LIVE = auto()
    STOPPED = auto()


class Refusal(NamedTuple):
    """A handshake that was answered, but not with a socket."""

    status: int
    location: str = ""
    """Where it points."""
    wait: Wait = NO_WAIT

    @property
    def state(self) -> StreamState:
        """What it makes of the link."""
        return _REFUSED_AS.get(self.status, StreamState.WAITING)

    @property
    def words(self) -> str:
        """Why it was refused."""
        told = _REFUSALS.get(self.status, f"{self.status} at the handshake")
        return ": ".join(filter(None, (told, redirect_in_words(self.location), self.wait.words)))


def close_in_words(code: int, reason: str) -> str:
    """Return what the gateway means by closing with this code and its own reason."""
    said = clip(literal(fold(reason)), _REASON_LIMIT)
    return f"{_CLOSES.get(code, 'closed')} ({code}{': ' if said else ''}{said})"


def reconnect_delay(failures: int, chance: float, policy: Policy) -> float:
    """Return the seconds to wait after `failures` losses in a row; `chance` is in 0..1.

    Doubles up to the longest delay, of which a random quarter to the whole is taken: viewers that
    lost one gateway together do not come back together.
    """
    longest = min(policy.first_delay_s * 2.0 ** min(failures - 1, 16), policy.longest_delay_s)
    return longest * (0.25 + 0.75 * chance)


class DeafWatch:
    """Notices a socket that is open but dead: the gateway counts events and none arrives.

    G2 drops a viewer that reads slowly without closing its socket. Other viewers' attaches raise
    the sequence too, so it must grow by 3 over two listings, and by twice as much each time that
    re-attaching brought nothing either.
    """

    def __init__(self) -> None:
        self._needed = 3
        self._listed: list[int] = []
        """Sequences that grew from one listing to the next while no frame came."""

    def attached(self) -> None:
        """Forget what the listings said to the socket before."""
        self._listed.clear()

    def frame_came(self) -> None:
        """Hear that the socket is alive."""
        self._needed = 3
        self._listed.clear()

    def listed(self, seq: int) -> int | None:
        """Return how many events were missed if the socket is deaf, else None."""
        if self._listed and seq <= self._listed[-1]:
            self._listed.clear()
        self._listed.append(seq)
        missed = seq - self._listed[0]
        if len(self._listed) < 3 or missed < self._needed:  # noqa: PLR2004 - it grew twice
            return None
        self._needed *= 2
        return missed


class StreamCore:
    """One session's socket. Each method takes the time and returns the events it causes.

    The session must be in memory when the core is made: the first attach needs no confirmation.
    `chance` returns random numbers in 0..1.
    """

    def __init__(
        self,
        session_id: str,
        now: float,
        chance: Callable[[], float],
        policy: Policy | None = None,
    ) -> None:
        self._session_id = session_id
        self._chance = chance
        self._policy = policy or Policy()
        self._phase = _Phase.WAITING
        self._retry_at = now
        self._not_before = now
        self._confirmed_at: float | None = now
        self._believe_from = now
        self._failures = 0
        self._deadline = now
        self._live_since = now
        self._lost_at: float | None = None
        self._deaf = DeafWatch()

    def step(self, now: float) -> Step:
        """Return what to do next."""
        match self._phase:
            case _Phase.STOPPED:
                return Stop()
            case _Phase.ACCEPTED:
                return Stay(self._deadline)
            case _Phase.OPENING | _Phase.LIVE:
                return Stay(None)
            case _Phase.WAITING:
                at = max(now, self._retry_at)
                confirmed = self._confirmed_at
                if confirmed is None or at - confirmed > self._policy.confirmed_for_s:
                    return AwaitConfirmation()
                return Connect(self._retry_at)

    def connecting(self, now: float) -> list[StreamOutput]:
        """Hear that a socket is being opened."""
        self._phase = _Phase.OPENING
        return [LinkChanged(now, self._session_id, StreamState.CONNECTING)]

    def opened(self, now: float) -> list[StreamOutput]:
        """Hear that the handshake was accepted; only `connected` makes the link live."""
        self._phase = _Phase.ACCEPTED
        self._deadline = now + self._policy.connected_within_s
        return []

    def received(self, frame: Frame, now: float) -> list[StreamOutput]:
        """Hear a frame."""
        event = StreamEvent(now, self._session_id, frame)
        if frame.kind != "connected":
            self._deaf.frame_came()
            return [event]
        if self._phase is not _Phase.ACCEPTED:
            return [event]
        self._phase = _Phase.LIVE
        self._live_since = now
        self._deaf.attached()
        lost_at, self._lost_at = self._lost_at, None
        live = LinkChanged(now, self._session_id, StreamState.LIVE)
        if lost_at is None:
            return [live, event]
        reason = f"not attached for {took(now - lost_at)}; no replay"
        return [live, GapFound(now, self._session_id, reason), event]

    def refused(self, refusal: Refusal, now: float) -> list[StreamOutput]:
        """Hear that the handshake was refused."""
        self._not_before = now + refusal.wait.seconds
        return self._lost(refusal.state, refusal.words, now)

    def failed(self, reason: str, now: float) -> list[StreamOutput]:
        """Hear that no socket could be opened, and why in words."""
        return self._lost(StreamState.WAITING, reason, now)

    def closed(self, code: int, reason: str, now: float) -> list[StreamOutput]:
        """Hear that the socket was closed with this code, 1006 without a close frame."""
        if code == _SERVICE_RESTART:
            self._believe_from = now + self._policy.restart_takes_s
        state = _CLOSED_AS.get(code, StreamState.WAITING)
        is_failed_attach = self._phase is _Phase.ACCEPTED and code in _FAILED_ATTACHES
        words = close_in_words(code, reason)
        return self._lost(state, words, now, is_failed_attach=is_failed_attach)

    def expired(self, now: float) -> list[StreamOutput]:
        """Hear that the time of `Stay` came: no `connected`, or the socket was given up before."""
        if self._phase is not _Phase.ACCEPTED:
            return []
        return self._lost(StreamState.WAITING, SILENT_ACCEPT, now)

    def confirm_in_memory(self, now: float) -> None:
        """Hear that a listing answered at `now` has the session in memory."""
        if self._phase is _Phase.WAITING and now >= self._believe_from:
            self._confirmed_at = now

    def wake(self, now: float) -> None:
        """Hear that the gateway answers again, or that the tokens changed: wait but a little."""
        soon = now + self._chance() * self._policy.wake_within_s
        self._retry_at = max(min(self._retry_at, soon), self._not_before)

    def listing_says(self, last_event_seq: int, now: float) -> list[StreamOutput]:
        """Hear the session's `last_event_seq`; a socket that is deaf is given up."""
        if self._phase is not _Phase.LIVE:
            return []
        missed = self._deaf.listed(last_event_seq)
        if missed is None:
            return []
        reason = "the gateway sends nothing although events happen"
        # Its up-time was not of use: the delays go on growing.
        self._live_since = now
        lost = self._lost(StreamState.WAITING, f"{reason}: attaching again", now)
        return [GapFound(now, self._session_id, reason, missed), *lost]

    def stop(self) -> None:
        """Leave the socket, for good."""
        self._phase = _Phase.STOPPED

    def _lost(
        self, state: StreamState, reason: str, now: float, *, is_failed_attach: bool = False
    ) -> list[StreamOutput]:
        """Wait after a loss, unless this one was known already."""
        if self._phase in {_Phase.WAITING, _Phase.STOPPED}:
            return []
        if self._phase is _Phase.LIVE:
            self._lost_at = now
            if now - self._live_since >= self._policy.up_time_s:
                self._failures = 0
        self._phase = _Phase.WAITING
        self._confirmed_at = None
        self._failures += 1
        delay_s = (
            self._policy.refused_delay_s
            if state is StreamState.UNAUTHORIZED
            else reconnect_delay(self._failures, self._chance(), self._policy)
        )
        self._retry_at = max(now + delay_s, self._not_before)
        return [LinkChanged(now, self._session_id, state, reason, is_failed_attach)]
