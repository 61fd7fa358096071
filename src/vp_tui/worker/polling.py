"""Polls one source for ever, tails one log, and holds the sockets of sessions that are in memory.

One request is in flight at a time, jittered, backing off while it fails; a log is asked as fast as
it grows, within bounds. Attaching to a session that is only on disk resumes it, so a socket is
opened only where a listing says that the session is in memory, and opened again only after a newer
listing says so again.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from vp_tui.domain.events import LinkDropped, LogArrived, PartFailed, SessionsArrived
from vp_tui.domain.lane.turn_proof import is_end
from vp_tui.domain.models import StreamEvent
from vp_tui.domain.runs.run import NEVER
from vp_tui.domain.text import short_id
from vp_tui.gateway.errors import GatewayError, Unauthorized
from vp_tui.gateway.log_tail import TailCursor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Session
    from vp_tui.domain.orders import CancelRun
    from vp_tui.gateway.client import GatewayClient


BACK_OFF_CAP_S: Final = 4.0
UNAUTHORIZED_RETRY_S: Final = 30.0
JITTER: Final = 0.1
_DOUBLINGS: Final = 8

ATTACH_LIMIT: Final = 64

FASTEST_S: Final = 0.25
SLOWEST_S: Final = 2.0
RESTARTS_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Before what a bug ended is started again, for the first time, the second, and so on."""
RUNS_S: Final = 60.0
"""Without a bug, after which the next one is the first again."""
BURST: Final = 500
"""Lines in one answer from which on a log is asked as fast as it may be."""


def poll_delay(interval_s: float, failures: int, *, jitter: float) -> float:
    """Return the seconds until the next poll after `failures` failed ones in a row.

    Failing doubles the interval, up to BACK_OFF_CAP_S: what is asked seldom is asked so soon again.
    `jitter` is a random number in -1..1 that moves the result by at most a tenth.
    """
    doubled = interval_s * 2.0 ** min(failures, _DOUBLINGS)
    delay_s = min(doubled, BACK_OFF_CAP_S) if failures else interval_s
    moved = delay_s * (1 + JITTER * jitter)
    return min(moved, BACK_OFF_CAP_S) if failures else moved


@dataclass
class Pace:
    """What all pollers share: the clock, chance, the operator's poll rate, a way to wake them."""

    clock: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)
    factor: float = 1.0
    wakes: int = 0
    """How often `wake` was called: a poller that was asking meanwhile asks again at once."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """End every pause now: the tokens or the rate changed."""
        self.wakes += 1
        self._woken.set()
        self._woken = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the next `wake`."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    async def wait(self, seconds: float) -> None:
        """Wait all that time: what wakes the pollers ends a pause of theirs, and not this one."""
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0:
            await self.pause(left)


@dataclass
class Keeper:
    """Keeps tasks going: a bug takes down the one that it is in, which is started again later.

    `report` writes down what a bug needs to be found and returns where that is; without one a bug
    is raised.
    """

    pace: Pace
    emit: Callable[[Event], None]
    report: Callable[[Exception], str] | None = None
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Of each part that failed how often in a row, and until when it rests."""

    async def keep(self, part: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run it until it ends by itself, again after each bug."""
        while not await self.turn(part, run):
            await self.pace.wait(self._failures[part][1] - self.pace.clock())

    async def turn(self, part: str, run: Callable[[], Awaitable[object]]) -> bool:
        """Run it once, unless it rests after a bug; return whether it ended by itself."""
        count, until = self._failures.get(part, (0, 0.0))
        began_at = self.pace.clock()
        if began_at < until:
            return False
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts go on
            count = 0 if self.pace.clock() - began_at >= RUNS_S else count
            again_s = RESTARTS_S[min(count, len(RESTARTS_S) - 1)]
            self._failures[part] = (count + 1, self.pace.clock() + again_s)
            self.failed(part, error, again_s)
            return False
        self._failures.pop(part, None)
        return True

    def failed(self, part: str, error: Exception, again_s: float | None = None) -> None:
        """Tell that a part failed. Raises the error where nothing writes reports."""
        if self.report is None:
            raise error
        told = f"{type(error).__name__}, report {self.report(error)}"
        self.emit(PartFailed(self.pace.clock(), part, told, again_s))


@dataclass
class Poller:
    """Asks one source for ever.

    `ask` emits what it got and may return the seconds after which it wants to ask again, instead
    of `interval_s`. Its GatewayErrors go to `on_failure`; anything else is a bug and ends it.
    """

    ask: Callable[[], Awaitable[float | None]]
    interval_s: float
    pace: Pace
    on_answer: Callable[[], None]
    on_failure: Callable[[GatewayError], None]
    failures: int = 0
    wait_s: float = 0.0
    """What the peer asked to be left alone for: nothing ends that."""
    hurry: asyncio.Event | None = None
    """Set to have it ask at once, or again after what it asks now."""

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            wakes = self.pace.wakes
            if self.hurry is not None:
                self.hurry.clear()
            delay_s = await self.poll()
            if self.wait_s:
                await self.pace.wait(self.wait_s)
            elif self.pace.wakes == wakes:
                await self._pause(delay_s)

    async def _pause(self, seconds: float) -> None:
        if self.hurry is None:
            await self.pace.pause(seconds)
            return
        waits = [
            asyncio.ensure_future(wait) for wait in (self.pace.pause(seconds), self.hurry.wait())
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def poll(self) -> float:
        """Ask once; return the seconds until the next time."""
        interval_s, self.wait_s = self.interval_s, 0.0
        try:
            interval_s = await self.ask() or interval_s
        except Unauthorized as error:
            self.on_failure(error)
            return UNAUTHORIZED_RETRY_S
        except GatewayError as error:
            self.on_failure(error)
            self.failures += 1
            self.wait_s = error.wait_s
        else:
            self.failures = 0
            self.on_answer()
        jitter = self.pace.chance.uniform(-1, 1)
        return poll_delay(interval_s * self.pace.factor, self.failures, jitter=jitter)


class Stream(Protocol):
    """One session's socket, as the gateway layer offers it."""

    async def run(self) -> None:
        """Attach and drain until cancelled, reconnecting for ever."""

    def listed(self, session: Session, now: float) -> None:
        """Hear that a listing answered at `now` has the session in memory."""

    def wake(self, now: float) -> None:
        """Hear that the gateway answers again, or that the tokens changed: try soon."""


def choose(
    sessions: Iterable[Session], attached: Collection[str], limit: int = ATTACH_LIMIT
) -> frozenset[str]:
    """Return the sessions to be attached to: running ones first, then those attached already."""
    eligible = [session for session in sessions if session.in_memory]
    eligible.sort(key=lambda s: (not s.is_running, s.session_id not in attached, -s.last_event_seq))
    return frozenset(session.session_id for session in eligible[:limit])


@dataclass
class Attachments:
    """Holds the sockets; lives on the feeds' loop."""

    make_stream: Callable[[str], Stream]
    emit: Callable[[Event], None]
    start: Callable[[str, Callable[[], Awaitable[None]]], asyncio.Task[None]]
    """Runs what has that name in a task of its own."""
    limit: int = ATTACH_LIMIT
    is_resting: bool = False
    """Whether no socket is to be held: vp-tui is about to stop, and would read none."""
    _held: dict[str, tuple[Stream, asyncio.Task[None]]] = field(default_factory=dict)

    def listing_arrived(self, sessions: Collection[Session], now: float) -> bool:
        """Attach and detach after a listing, whose sessions may be attached to.

        Return whether a session that was attached to is in memory no more.
        """
        if self.is_resting:
            return False
        wanted = choose(sessions, self._held.keys(), self.limit)
        in_memory = {session.session_id for session in sessions if session.in_memory}
        is_any_gone = not in_memory.issuperset(self._held)
        for session_id in [held for held in self._held if held not in wanted]:
            self._drop(session_id, now)
        for session in sessions:
            if session.session_id in wanted:
                self._hold(session, now)
        return is_any_gone

    async def rest(self, now: float) -> None:
        """Close all sockets, and open none while `is_resting`; the next listing opens them."""
        self.is_resting = True
        closing = [self._drop(session_id, now) for session_id in tuple(self._held)]
        if closing:
            await asyncio.wait(closing)

    def _drop(self, session_id: str, now: float) -> asyncio.Task[None]:
        """Close the socket of a session; return what does."""
        task = self._held.pop(session_id)[1]
        task.cancel()
        self.emit(LinkDropped(now, session_id))
        return task

    def wake(self, now: float) -> None:
        """Let every stream that waits try soon."""
        for stream, _task in self._held.values():
            stream.wake(now)

    def _hold(self, session: Session, now: float) -> None:
        if held := self._held.get(session.session_id):
            held[0].listed(session, now)
            return
        stream = self.make_stream(session.session_id)
        task = self.start(f"stream {short_id(session.session_id)}", stream.run)
        self._held[session.session_id] = (stream, task)


def next_interval(interval_s: float, new_lines: int) -> float:
    """Return the seconds until the next poll, after one that brought `new_lines`."""
    if new_lines >= BURST:
        return FASTEST_S
    return max(interval_s / 2, FASTEST_S) if new_lines else min(interval_s * 1.5, SLOWEST_S)


@dataclass
class LogTailer:
    """Follows one log through the tail endpoint."""

    log_id: str
    client: GatewayClient
    emit: Callable[[Event], None]
    clock: Callable[[], float]
    _cursor: TailCursor = field(default_factory=TailCursor)
    _interval_s: float = FASTEST_S

    async def ask(self) -> float:
        """Ask for what is new; return the seconds after which to ask again."""
        for _ in range(2):  # again where the file is another one: that is read anew
            answer = await self.client.log_tail(self.log_id, self._cursor.request)
            if (chunk := self._cursor.feed(answer)) is not None:
                self.emit(LogArrived(self.clock(), self.log_id, chunk, answer.old_s))
                self._interval_s = next_interval(self._interval_s, len(chunk.lines))
                return self._interval_s
        return FASTEST_S


class RunsHeard:
    """What was told last of each session's run, before the screen's loop came to it."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._over_at: dict[str, float] = {}
        """When a turn of the session was last heard to end, or a listing counted none."""
        self._running: dict[str, bool] = {}
        """Whether the newest listing counts a run, of each session in it."""

    def tell(self, event: Event) -> None:
        """Tell an event, and take up what it tells of runs."""
        self._emit(event)
        if isinstance(event, StreamEvent) and is_end(event.frame):
            self._over_at[event.session_id] = event.at
        elif isinstance(event, SessionsArrived) and not event.old_s:
            self._running = {one.session_id: one.is_running for one in event.sessions}
            heard = {one: at for one, at in self._over_at.items() if one in self._running}
            idle = {one: event.at for one, is_running in self._running.items() if not is_running}
            self._over_at = heard | idle

    def why_gone(self, order: CancelRun) -> str | None:
        """Say why a cancel does not hit the run that it is meant for; None: it may."""
        session_id = order.session_id
        if self._running and session_id not in self._running:
            return "it is not listed any more"
        if not self._running.get(session_id, True):
            return "it runs nothing now: there is nothing to cancel"
        if self._over_at.get(session_id, NEVER) > order.alive_at:
            return "the run that was shown has ended, another one runs: look at it first"
        return None
