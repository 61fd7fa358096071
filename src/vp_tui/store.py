"""The store: the one place where events become state and state is published.

Feeds may run on another thread and put their events into the `Mailbox`; the store takes them out on
its own loop, at most PUBLISH_HZ times a second however fast they come, and tells its subscribers once
per batch.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from vp_tui.domain.events import Event, GapFound, StreamEvent
from vp_tui.reducer import reduce_all
from vp_tui.state import State

PUBLISH_HZ: Final = 20
MAILBOX_LIMIT: Final = 50_000
"""Events held while the screen cannot take them: the oldest stream events leave first."""

Subscriber = Callable[[State], None]


class Mailbox:
    """A bounded queue from the feeds' thread to the store's; putting never blocks.

    When it is full the oldest frames are dropped and counted per session: sockets go on being
    drained whatever the screen does. Other events are few and never dropped.
    """

    def __init__(self, limit: int = MAILBOX_LIMIT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._dropped: dict[str, int] = {}
        self._on_first: Callable[[], None] | None = None

    def on_first(self, callback: Callable[[], None]) -> None:
        """Have `callback` called, on the putting thread, when the empty mailbox gets an event."""
        self._on_first = callback

    def put(self, event: Event) -> None:
        with self._lock:
            first = not self._events
            if len(self._events) >= self._limit:
                self._drop_oldest_frame()
            self._events.append(event)
        if first and self._on_first is not None:
            self._on_first()

    def take(self) -> list[Event]:
        """Return all events, oldest first, and a gap for each session that lost frames here."""
        with self._lock:
            events, self._events = self._events, deque()
            dropped, self._dropped = self._dropped, {}
        taken = list(events)
        taken.extend(
            GapFound(taken[-1].at, session_id, "the screen could not keep up", lost)
            for session_id, lost in dropped.items()
        )
        return taken

    def _drop_oldest_frame(self) -> None:
        for index, event in enumerate(self._events):
            if isinstance(event, StreamEvent):
                del self._events[index]
                self._dropped[event.session_id] = self._dropped.get(event.session_id, 0) + 1
                return


class Store:
    """Holds the newest state and publishes it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Have `subscriber` called with each new state; returns what ends that."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def apply(self, *events: Event) -> None:
        """Reduce the events in order and publish the result once."""
        self.state = reduce_all(self.state, events)
        for subscriber in tuple(self._subscribers):
            subscriber(self.state)


async def pump(mailbox: Mailbox, store: Store) -> None:
    """Move events from the mailbox into the store for ever, at most PUBLISH_HZ times a second."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    mailbox.on_first(lambda: loop.call_soon_threadsafe(ready.set))
    ready.set()
    while True:
        await ready.wait()
        ready.clear()
        if events := mailbox.take():
            store.apply(*events)
            await asyncio.sleep(1 / PUBLISH_HZ)
