"""The Textual app: starts the network after the first paint, pumps its events, ticks, and ends.

The command palette offers every action; one that cannot be done now tells why.
"""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual import on
from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.notifications import Notify
from textual.worker import WorkerFailed

from vp_tui.domain.lane.auto_revert import Phase, news
from vp_tui.domain.text import literal
from vp_tui.ui.actions import KeyedApp, call_of, keymap
from vp_tui.ui.kit import Guarded
from vp_tui.ui.kit.line_list import Tones
from vp_tui.ui.kit.overlays import LastLine
from vp_tui.ui.kit.terminal import TerminalDriver
from vp_tui.ui.watch.screen import (
    ReadOnlyWatchScreen,
    TooSmallScreen,
    WatchScreen,
    is_too_small,
)
from vp_tui.views.actions import action_named, actions_in

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from textual.binding import BindingType
    from textual.events import Resize
    from textual.geometry import Size
    from textual.message import Message
    from textual.notifications import SeverityLevel

    from vp_tui.worker.commands import NetworkThread
    from vp_tui.worker.lane_watch import LaneWatch


TICK_S: Final = 1.0
TOAST_S: Final = 3.0
"""For how long a toast may cover figures."""
HELD_S: Final = 60.0
"""For how long it is told what was held back while nobody saw the screen."""
PALETTE: Final = action_named("palette")
_PALETTE_KEYS: Final = "esc leave  ↑ ↓ choose  enter do it"


class ActionProvider(Provider):
    """Offers every action by name."""

    async def discover(self) -> Hits:
        for name, run, told in self._offered():
            shown, help_ = _markup(name), _markup(told)
            yield DiscoveryHit(shown, run, name, help=help_)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, run, told in self._offered():
            if (score := matcher.match(f"{name} {told}")) > 0:
                shown, help_ = matcher.highlight(_markup(name)), _markup(told)
                yield Hit(score, shown, run, help=help_)

    def _offered(self) -> Iterator[tuple[str, partial[Coroutine[Any, Any, None]], str]]:
        """Yield name, call and help of each action that the screen under the palette has."""
        watch = cast("VpTuiApp", self.app).lane.store.state.watch
        for action in actions_in(watch):
            method = f"action_{action.call.partition('(')[0]}"
            if action.call.startswith("app.") or hasattr(self.screen, method):
                call = call_of(action, read_only=watch.read_only)
                run = partial(self.screen.run_action, call)
                yield f"{action.label} ({action.shown_key})", run, action.help


def _markup(text: str) -> str:
    """Return a text for what takes every text for markup."""
    return Content(literal(text)).markup


class VpTuiApp(Guarded, KeyedApp):
    """vp-tui on a terminal; the network begins to work once the first frame is shown."""

    CSS_PATH = "vp_tui.tcss"
    TITLE = "vp-tui"
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before every screen's and field's own: a countdown can be stopped wherever it is seen.
        Binding("escape", "stop_auto_revert", show=False, priority=True),
        # Textual's own has no id to map another key by.
        Binding(PALETTE.keys[0], "command_palette", id=PALETTE.id, show=False, priority=True),
    ]
    COMMANDS = {ActionProvider}  # noqa: RUF012 - Textual's signature

    def __init__(
        self,
        lane: LaneWatch,
        network: NetworkThread,
        at_end: Callable[[], None] = lambda: None,
        screen: Callable[[LaneWatch, Tones], WatchScreen] | None = None,
    ) -> None:
        """`network` is where the lane's feeds run, from the first frame to the app's end.

        `at_end` is done where the process is ended before it can clear up; `screen` makes another
        than the usual one, as for a replay.
        """
        super().__init__()
        usual = ReadOnlyWatchScreen if lane.store.state.watch.read_only else WatchScreen
        self._make_screen = screen or usual
        self.driver_class = TerminalDriver
        self.lane = lane
        self.at_end = at_end  # type: ignore[method-assign]  # given, not another class
        self.tones = Tones(lane.store.state.watch.colour)
        self.crash: BaseException | None = None
        self._network = network
        self._unseen: str | None = None
        self.keyboard.has_brackets = lane.store.state.watch.is_replay
        self._not_seen: list[str] = []
        """What nobody saw, to be told once somebody sees it."""

    def get_default_screen(self) -> WatchScreen:
        return self._make_screen(self.lane, self.tones)

    def on_mount(self) -> None:
        self.set_keymap(keymap(self.lane.store.state.watch))
        self.set_interval(TICK_S, self.tick)
        self.run_worker(self.lane.pump(), name="pump")
        self.call_after_refresh(self._first_frame_shown)

    def on_unmount(self) -> None:
        self._network.stop()

    def unseen(self) -> str | None:
        if isinstance(self._driver, TerminalDriver) and (why := self._driver.unseen()) is not None:
            return why
        return "the terminal {} too small" if is_too_small(self.size) else None

    def hold_back(self, what: str, why: str) -> None:
        self._not_seen.append(f"{what} was held back: {why.format('was')}")
        self.lane.commands.refused(what, self.lane.store.state.watch.vp_id, "", why.format("is"))

    async def detach(self) -> None:
        await self.lane.commands.detach()

    def attach(self) -> None:
        self.lane.commands.attach()

    def _first_frame_shown(self) -> None:
        """Begin to work: what made the first frame stays for ever, so it is not searched again."""
        gc.freeze()
        gc.enable()
        self._network.start(self._network_crashed)
        self.lane.record()
        self.lane.lookout.audit_outcomes(self.lane.commands.keep)

    def tick(self) -> None:
        """Let a second pass: alarms are looked for in dialogs and frozen too."""
        before, unseen = self.lane.store.state.auto_revert, self.unseen()
        if unseen != self._unseen:
            self._unseen = unseen
            self.lane.commands.hold_back(unseen)
        if self.lane.lookout.look(unseen):
            self.bell()
        told = news(before, self.lane.store.state.auto_revert)
        if before.phase is Phase.HELD and told is not None:
            self._not_seen.append(told.partition(";")[0])
        if unseen is None and self._not_seen:
            what = "; ".join(dict.fromkeys(self._not_seen))
            self._not_seen.clear()
            self.notify(what, severity="warning", timeout=HELD_S)
        self._fit(self.size)

    def on_resize(self, event: Resize) -> None:
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        """Have one line over all else exactly while the terminal is too small for it.

        A dialog may have come over that line meanwhile, or gone with it: so each tick looks again.
        """
        is_covered, is_small = isinstance(self.screen, TooSmallScreen), is_too_small(size)
        if is_small and not is_covered:
            self.push_screen(TooSmallScreen(self.lane))
        elif is_covered and not is_small:
            self.pop_screen()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Let esc be what it is elsewhere, unless there is a countdown to stop."""
        if action == "stop_auto_revert":
            return self.lane.store.state.auto_revert.is_counting
        return super().check_action(action, parameters)

    async def action_press(self, action_id: str) -> None:
        """Take the key of an action that acts."""
        watch = self.lane.store.state.watch
        action = next(action for action in actions_in(watch) if action.id == action_id)
        await self.press(action, call_of(action, read_only=watch.read_only))

    def action_stop_auto_revert(self) -> None:
        self.lane.lookout.stop_auto_revert(self.lane.commands.actor)
        told = "stopped until the trip is over. YOU are the auto-revert"
        self.notify(told, title="auto-revert", severity="warning", markup=False)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Tell something in a toast, which covers figures: so it is brief, and the only one.

        A frozen picture is not covered, nor what stands over it: the last line tells it then, and
        what is to be read for longer.
        """
        title, message = literal(title), literal(message)
        seconds = TOAST_S if timeout is None else timeout
        if self._is_frozen or seconds > TOAST_S:
            self._tell(f"{title}: {message}" if title else message, seconds)
        if not self._is_frozen:
            timeout = min(seconds, TOAST_S)
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    @on(Notify)
    def _one_toast(self, event: Notify) -> None:
        """Forget the toast before: Textual adds the new one, unless all was frozen meanwhile."""
        self.clear_notifications()
        if self._is_frozen:
            event.prevent_default()
            self._tell(event.notification.message, TOAST_S)

    @property
    def _is_frozen(self) -> bool:
        return cast("WatchScreen", self.screen_stack[0]).board.frozen is not None

    def _tell(self, text: str, seconds: float) -> None:
        """Tell it in every last line: the reader may leave the screen that is looked at now."""
        for screen in self.screen_stack:
            for line in screen.query(LastLine):
                line.tell(text, seconds)

    @on(CommandPalette.Opened)
    @on(CommandPalette.Closed)
    def _keys_of_the_palette(self, message: Message) -> None:
        is_open = isinstance(message, CommandPalette.Opened)
        for screen in self.screen_stack:
            for line in screen.query(LastLine):
                line.name_instead(_PALETTE_KEYS if is_open else "")

    def part_failed(self, part: str, error: Exception) -> str:
        """Tell that a part failed, and that only; return what stands in its place."""
        return self.lane.faults.told(part, error)

    def _handle_exception(self, error: Exception) -> None:
        """Go on after a bug in a timer, a worker or a widget: only the store's ends vp-tui."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        if self.lane.store.failed is None and isinstance(cause, Exception):
            try:
                self.part_failed("a part of the screen", cause)
            except Exception:  # noqa: BLE001 - nobody is told of it
                super()._handle_exception(error)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End without Textual's traceback: it prints locals, and a token in one would be shown."""
        error = self._exception
        self.crash = error.error if isinstance(error, WorkerFailed) else error
        self._close_messages_no_wait()

    def _network_crashed(self, error: BaseException) -> None:
        """End the app: a dashboard whose feeds are gone must not go on showing figures."""
        self.crash = error
        self.call_from_thread(self.exit)
