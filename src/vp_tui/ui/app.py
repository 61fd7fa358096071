"""The Textual app: starts the network after the first paint, pumps its events, and ticks."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import App
from textual.binding import Binding
from textual.worker import WorkerFailed

from vp_tui import reverting
from vp_tui.commands import Commands
from vp_tui.domain.events import Tick
from vp_tui.network import NetworkThread
from vp_tui.store import Mailbox, Store, pump
from vp_tui.ui.palette import ActionProvider
from vp_tui.ui.tones import Tones
from vp_tui.ui.watch import ReadOnlyWatchScreen, WatchScreen
from vp_tui.watchman import watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from vp_tui.domain.alarms import Alarm
    from vp_tui.feeds import Feeds
    from vp_tui.paths import Places
    from vp_tui.recorder import Recorder

TICK_S: Final = 1.0
_ENDING_SIGNALS: Final = ("SIGTERM", "SIGHUP")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class VpTuiApp(App[None]):
    """vp-tui on a terminal.

    `connect` makes the feeds, on the network thread; `make_recorder` what writes evidence;
    `places` is where vp-tui's own files are.
    """

    CSS_PATH = "vp_tui.tcss"
    TITLE = "vp-tui"
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before every screen's and field's own: a countdown can be stopped wherever it is seen.
        Binding("escape", "stop_auto_revert", show=False, priority=True),
    ]
    COMMANDS = {ActionProvider}  # noqa: RUF012 - Textual's signature

    def __init__(
        self,
        store: Store,
        mailbox: Mailbox,
        connect: Callable[[], Feeds],
        make_recorder: Callable[[], Recorder],
        places: Places,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__()
        self.store = store
        self.tones = Tones(store.state.watch.colour)
        self.crash: BaseException | None = None
        self._mailbox = mailbox
        self._make_recorder = make_recorder
        self._places = places
        self._clock = clock
        self._wall = wall
        self.network = NetworkThread(connect, self._network_crashed)

    @cached_property
    def _commands(self) -> Commands:
        return Commands(self.network, self.store, self._make_recorder, self._places, self._clock)

    def get_default_screen(self) -> WatchScreen:
        screen = ReadOnlyWatchScreen if self.store.state.watch.read_only else WatchScreen
        return screen(self.store, self._commands, self._clock, self.tones)

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self.tick)
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
        from vp_tui.proofs import Proofs  # noqa: PLC0415 - not for the first frame
        from vp_tui.recoveries import Recoveries  # noqa: PLC0415 - as above

        self._recoveries = Recoveries(self.store, self._commands.keep, self._clock)
        self._proofs = Proofs(self.store, self._commands.keep, self._clock)

    def tick(self) -> None:
        """Let a second pass: ages grow, and alarms are looked for, in dialogs and frozen too."""
        now = self._clock()
        alarms = watched(self.store.state, now, self._ring)
        before = self.store.state.auto_revert
        revert = reverting.look(self.store.state, now)
        self.store.apply(Tick(now, self._wall()), *alarms, *revert)
        if revert:
            reverting.follow(before, self.store.state.auto_revert, self._commands)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let esc be what it is elsewhere, unless there is a countdown to stop."""
        if action == "stop_auto_revert":
            return self.store.state.auto_revert.is_counting
        return super().check_action(action, parameters)

    def action_stop_auto_revert(self) -> None:
        self._commands.stop_auto_revert()
        told = "stopped until the trip is over. YOU are the auto-revert"
        self.notify(told, title="auto-revert", severity="warning", markup=False)

    def _ring(self, alarms: tuple[Alarm, ...]) -> None:
        self.bell()
        self._commands.ring(alarms)

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
