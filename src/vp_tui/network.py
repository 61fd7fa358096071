"""The network thread: the feeds on an event loop of their own.

Textual writes to the terminal from the UI loop and blocks when the terminal is not read (a hung
ssh). A socket on that loop would stop being drained, and a viewer that does not read freezes the
gateway's run for everybody. So the feeds live here and hand over through the mailbox.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.feeds import Feeds

_JOIN_S: Final = 3.0


class NetworkThread:
    """Runs feeds until stopped. `connect` makes them, on the thread: their libraries load there.

    `on_crash` is called on the thread with what ended the feeds, unless `stop` did.
    """

    def __init__(
        self, connect: Callable[[], Feeds], on_crash: Callable[[BaseException], None]
    ) -> None:
        self._connect = connect
        self._on_crash = on_crash
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self._lock = threading.Lock()
        self._waiting: list[Callable[[Feeds], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._feeds: Feeds | None = None
        self._main: asyncio.Task[None] | None = None
        self._broken_by: Exception | None = None
        self._stopping = False
        self._ended = False

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def call(self, request: Callable[[Feeds], None]) -> None:
        """Have `request` called with the feeds, on their loop; until they run it waits."""
        with self._lock:
            if self._stopping or self._ended:
                return
            if self._loop is None:
                self._waiting.append(request)
            else:
                self._loop.call_soon_threadsafe(self._deliver, request)

    def stop(self) -> None:
        """End the feeds and wait for the thread, but not for ever."""
        with self._lock:
            self._stopping = True
            if self._loop is not None and self._main is not None and not self._ended:
                self._loop.call_soon_threadsafe(self._main.cancel)
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._feed())
        except asyncio.CancelledError:
            if self._broken_by is not None:
                self._on_crash(self._broken_by)
        except BaseException as error:  # noqa: BLE001 - whatever ends the feeds ends the screen
            if not self._stopping:
                self._on_crash(error)

    async def _feed(self) -> None:
        try:
            self._feeds = feeds = self._connect()
            loop = asyncio.get_running_loop()
            with self._lock:
                if self._stopping:
                    return
                self._main = loop.create_task(feeds.run(), name="feeds")
                self._loop = loop
                for request in self._waiting:
                    loop.call_soon(self._deliver, request)
                self._waiting.clear()
            await self._main
        finally:
            # From here on the loop takes no more calls.
            with self._lock:
                self._ended = True

    def _deliver(self, request: Callable[[Feeds], None]) -> None:
        """Call `request`; its bug ends the feeds, where the loop would only log it."""
        if self._feeds is None or self._main is None:
            return
        try:
            request(self._feeds)
        except Exception as error:  # noqa: BLE001 - handed to `on_crash`
            self._broken_by = error
            self._main.cancel()
