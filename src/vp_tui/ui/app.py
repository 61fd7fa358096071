"""The Textual app: starts the network after the first paint, pumps its events, and ticks."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import App
from textual.worker import WorkerFailed

from vp_tui.commands import Commands
from vp_tui.domain.events import Tick
from vp_tui.network import NetworkThread
from vp_tui.store import Mailbox, Store, pump
from vp_tui.ui.palette import ActionProvider
from vp_tui.ui.tones import Tones
from vp_tui.ui.watch import ReadOnlyWatchScreen, WatchScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from vp_tui.feeds import Feeds
    from vp_tui.recorder import Recorder

TICK_S: Final = 1.0
_ENDING_SIGNALS: Final = ("SIGTERM", "SIGHUP")


class VpTuiApp(App[None]):
    """vp-tui on a terminal.

    `connect` makes the feeds, on the network thread; `make_recorder` what writes evidence.
    """

    CSS_PATH = "vp_tui.tcss"
    TITLE = "vp-tui"
    BINDINGS: ClassVar[list[BindingType]] = []
    COMMANDS = {ActionProvider}  # noqa: RUF012 - Textual's signature

    def __init__(
        self,
        store: Store,
        mailbox: Mailbox,
        connect: Callable[[], Feeds],
        make_recorder: Callable[[], Recorder],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.store = store
        self.tones = Tones(store.state.watch.colour)
        self.crash: BaseException | None = None
        self._mailbox = mailbox
        self._make_recorder = make_recorder
        self._clock = clock
        self.network = NetworkThread(connect, self._network_crashed)

    def get_default_screen(self) -> WatchScreen:
        commands = Commands(self.network, self.store, self._make_recorder, self._clock)
        screen = ReadOnlyWatchScreen if self.store.state.watch.read_only else WatchScreen
        return screen(self.store, commands, self._clock, self.tones)

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self._tick)
        self.run_worker(pump(self._mailbox, self.store), name="pump")
        self.call_after_refresh(self._first_frame_shown)
        self._end_cleanly_on_signals()

    def on_unmount(self) -> None:
        self.network.stop()

    def _first_frame_shown(self) -> None:
        """Begin to work: what made the first frame stays for ever, so it is not searched again."""
        gc.freeze()
        gc.enable()
        self.network.start()

    def _tick(self) -> None:
        self.store.apply(Tick(self._clock(), datetime.now(UTC)))

    def _end_cleanly_on_signals(self) -> None:
        """Leave the terminal as it was when vp-tui is told to go, or its ssh is cut."""
        loop = asyncio.get_running_loop()
        for name in _ENDING_SIGNALS:
            if hasattr(signal, name):
                loop.add_signal_handler(getattr(signal, name), self.exit)

    def _fatal_error(self) -> None:
        """End without Textual's traceback: it prints locals, and a token in one would be shown."""
        error = self._exception
        self.crash = error.error if isinstance(error, WorkerFailed) else error
        self._close_messages_no_wait()

    def _network_crashed(self, error: BaseException) -> None:
        """End the app: a dashboard whose feeds are gone must not go on showing figures."""
        self.crash = error
        self.call_from_thread(self.exit)
