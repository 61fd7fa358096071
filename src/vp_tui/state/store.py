"""The store: the one place where events become state and state is published.

Feeds may run on another thread and put their events into the `Mailbox`; the store takes them out
on its own loop, at most PUBLISH_HZ times a second however fast they come, and tells its
subscribers once per batch.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from functools import partial
from itertools import chain
from math import inf
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vp_tui.domain import events
from vp_tui.domain.models import Source, StreamEvent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from vp_tui.state.state import State


PUBLISH_HZ: Final = 20
MAILBOX_LIMIT: Final = 50_000
"""Events held while the screen cannot take them: the oldest stream events leave first."""
AGAIN_S: Final = 30.0
"""Seconds after which it is told again of a part that it fails."""
RECENT_EVENTS: Final = 50
"""Events that the store remembers as they came."""

ANSWERS_KEPT: Final = 16
_ANSWERS: Final[Mapping[type[events.Event], Source]] = MappingProxyType(
    {
        events.HealthArrived: Source.HEALTH,
        events.SnapshotArrived: Source.METRICS,
        events.SessionsArrived: Source.SESSIONS,
        events.ContinuityArrived: Source.CONTINUITY,
    }
)
"""Poll answers that say all anew, and whose they are."""
_SUPERSEDE: Final = frozenset(
    {*_ANSWERS, events.ClaimsArrived, events.AuditRead, events.EvidenceRead, events.SuitesRead}
)
"""Of these only the newest count."""


class Mailbox:
    """A bounded queue from the feeds' thread to the store's; putting never blocks for long.

    When it is full the oldest frames are dropped and counted per session: sockets go on being
    drained whatever the screen does. Of poll answers that wait all the same, as behind a terminal
    that hangs for hours, only the newest ANSWERS_KEPT of a kind are kept: each replaces the one
    before. Other events are few and never dropped.
    """

    def __init__(self, limit: int = MAILBOX_LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        # Apart, so that the oldest frame is found at once; numbered, to come out in order.
        self._frames: deque[tuple[int, StreamEvent]] = deque()
        self._others: deque[tuple[int, events.Event]] = deque()
        self._answers: Counter[type[events.Event]] = Counter()
        self._put = 0
        self._dropped: Counter[str] = Counter()
        self._on_first: Callable[[], object] | None = None

    def on_first(self, callback: Callable[[], object] | None) -> None:
        """Have `callback` called, on the putting thread, when the empty mailbox gets an event.

        It is called under the mailbox's lock, so that none comes after another one was set.
        """
        with self._lock:
            self._on_first = callback

    def put(self, event: events.Event) -> None:
        """Add an event; from any thread."""
        with self._lock:
            is_first = not (self._frames or self._others)
            self._put += 1
            if isinstance(event, StreamEvent):
                self._frames.append((self._put, event))
            else:
                self._others.append((self._put, event))
                if type(event) in _SUPERSEDE:
                    self._forget_superseded(type(event))
            if self._frames and len(self._frames) + len(self._others) > self._limit:
                _number, lost = self._frames.popleft()
                self._dropped[lost.session_id] += 1
            if is_first and self._on_first is not None:
                self._on_first()

    def take(self) -> list[events.Event]:
        """Return all events, oldest first; before them a gap per session that lost frames here."""
        with self._lock:
            frames, self._frames = self._frames, deque()
            others, self._others = self._others, deque()
            self._answers.clear()
            dropped, self._dropped = self._dropped, Counter()
        taken = [event for _number, event in sorted(chain(frames, others), key=itemgetter(0))]
        gaps: list[events.Event] = [
            events.GapFound(taken[0].at, session_id, "the screen could not keep up", lost)
            for session_id, lost in dropped.items()
        ]
        return gaps + taken

    def _forget_superseded(self, kind: type[events.Event]) -> None:
        self._answers[kind] += 1
        if self._answers[kind] > ANSWERS_KEPT:
            oldest = next(place for place, (_, e) in enumerate(self._others) if type(e) is kind)
            del self._others[oldest]
            self._answers[kind] -= 1


class Store:
    """Holds the newest state and publishes it.

    What only confirms what was known (another answer of a source that answers, no new line of a
    log) is reduced at once but published with the next event that is news, a tick at the latest:
    a quiet watch draws once a second.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.recent: deque[events.Event] = deque(maxlen=RECENT_EVENTS)
        """The newest events, oldest first, also those of a batch that failed."""
        self.failed: Exception | None = None
        """What ended it: it took an event that it could not take."""
        self.on_fault: Callable[[Exception], object] | None = None
        """Is told of a subscriber's bug; None: that is raised."""
        self.on_taken: Callable[[Sequence[events.Event]], object] | None = None
        """Is told of each event that is taken, before it is reduced."""
        self._subscribers: list[Callable[[State], None]] = []

    def subscribe(self, subscriber: Callable[[State], None]) -> Callable[[], None]:
        """Have `subscriber` called with each new state; returns what ends that."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def apply(self, *told: events.Event) -> None:
        """Reduce the events in order and publish the result once, if any of them is news."""
        from vp_tui.state.reducer import reduce_all  # noqa: PLC0415 - not needed for the first frame

        self.recent.extend(told)
        if self.on_taken is not None:
            self.on_taken(told)
        has_news = any(_is_news(event, self.state) for event in told)
        try:
            self.state = reduce_all(self.state, told)
        except Exception as error:
            self.failed = error
            raise
        if has_news:
            self.show(self.state)

    def show(self, state: State) -> None:
        """Publish a state, which it goes on from: the newest, or one that a replay is sent to."""
        self.state = state
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(self.state)
            except Exception as error:
                if self.on_fault is None:
                    raise
                self.on_fault(error)


def _is_news(event: events.Event, state: State) -> bool:
    if isinstance(event, events.LogArrived):
        source = None if event.chunk.lines else Source.LOG
    else:
        source = _ANSWERS.get(type(event))
    if source is None:
        return True
    status = state.sources.get(source)
    return status is None or status.answered_at is None or status.failure is not None


class Faults:
    """Tells which parts of the screen failed, each now and then while it does.

    `report` writes down what a bug needs to be found and returns where that is; without one a bug
    is raised.
    """

    def __init__(
        self,
        store: Store,
        emit: Callable[[events.Event], None],
        clock: Callable[[], float],
        report: Callable[[Exception], str] | None,
    ) -> None:
        self._emit, self._clock, self._report = emit, clock, report
        self._told_at: dict[str, float] = {}
        if report is not None:
            store.on_fault = partial(self.told, "the screen")

    def told(self, part: str, error: Exception) -> str:
        """Tell that a part failed; return what stands in its place."""
        if self._report is None:
            raise error
        told, now = f"{type(error).__name__}, report {self._report(error)}", self._clock()
        if now - self._told_at.get(part, -inf) >= AGAIN_S:
            self._told_at[part] = now
            self._emit(events.PartFailed(now, part, told))
        return f"! {part} failed: {told}"


async def pump(
    mailbox: Mailbox, store: Store, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Move events from the mailbox into the store for ever, at most PUBLISH_HZ times a second."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    mailbox.on_first(lambda: loop.call_soon_threadsafe(ready.set))
    ready.set()
    try:
        while True:
            await ready.wait()
            ready.clear()
            if taken := mailbox.take():
                store.apply(*taken)
                await sleep(1 / PUBLISH_HZ)
    finally:
        mailbox.on_first(None)
