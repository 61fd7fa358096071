"""The network thread: the feeds on an event loop of their own.

Textual writes to the terminal from the UI loop and blocks when the terminal is not read (a hung ssh).
A socket on that loop would stop being drained, and a viewer that does not read freezes the gateway's
run for everybody. So the feeds live here and hand over through the mailbox.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vp_tui.feeds import Feeds

_JOIN_S: Final = 3.0


class NetworkThread:
    """Runs feeds until stopped. `connect` makes them, on the thread: their libraries load there."""

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
        self._stopping = False

    def start(self) -> None:
        self._thread.start()

    def call(self, request: Callable[[Feeds], None]) -> None:
        """Have `request` called with the feeds, on their loop; before they run it waits for them."""
        with self._lock:
            if self._loop is None or self._feeds is None:
                self._waiting.append(request)
            elif not self._stopping:
                self._loop.call_soon_threadsafe(request, self._feeds)

    def stop(self) -> None:
        """End the feeds and wait for the thread, but not for ever."""
        with self._lock:
            self._stopping = True
            if self._loop is not None and self._main is not None:
                self._loop.call_soon_threadsafe(self._main.cancel)
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._feed())
        except asyncio.CancelledError:
            return
        except BaseException as error:  # noqa: BLE001 - whatever ends the feeds must end the screen
            if not self._stopping:
                self._on_crash(error)
        finally:
            with self._lock:
                self._stopping = True

    async def _feed(self) -> None:
        feeds = self._connect()
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._stopping:
                return
            self._main = loop.create_task(feeds.run(), name="feeds")
            self._loop, self._feeds = loop, feeds
            for request in self._waiting:
                loop.call_soon(request, feeds)
            self._waiting.clear()
        await self._main
