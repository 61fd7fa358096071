"""The app under test: real app, store and mailbox; a clock and a network that a test commands."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from unittest.mock import patch

from tests.support.builders import NOW, state
from tests.support.keyboard import UnhurriedKeyboard
from textual import app as textual_app
from textual.geometry import Region

from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.state.store import Mailbox, Store
from vp_tui.storage.places import Places
from vp_tui.ui.app import VpTuiApp
from vp_tui.ui.watch.panes import Pane
from vp_tui.ui.watch.screen import WatchScreen
from vp_tui.worker.commands import Commands
from vp_tui.worker.evidence import EvidenceFiles, Recorder
from vp_tui.worker.lane_watch import LaneWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

    from vp_tui.domain.events import Event
    from vp_tui.domain.orders import Order
    from vp_tui.ui.kit.line_list import LineList
    from vp_tui.ui.watch.board import Board
    from vp_tui.worker.commands import LaneFeeds, NetworkThread
    from vp_tui.worker.feeds import Feeds

_Order = TypeVar("_Order", bound="Order")

AUTHOR: Final = "ana@laptop"
NOWHERE: Final = Path("/dev/null/nowhere")
NO_FILES: Final = EvidenceFiles(None, NOWHERE, NOWHERE)
"""Where nothing can be written, for tests that give no place."""
SMALL: Final = (80, 24)
WIDE: Final = (120, 40)
LARGE: Final = (160, 45)
ROUNDS: Final = 5
"""What is drawn, and what that brings about: a new size, a scroll, another frame."""
PATIENCE: Final = 200
"""Pauses of the pilot after which what did not happen does not happen any more."""


class FakeOrders:
    """Notes why nothing more is to be sent."""

    unseen: str | None = None

    def hold_back(self, unseen: str | None) -> None:
        self.unseen = unseen


class FakeFeeds:
    """Feeds that only note what they are asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.orders = FakeOrders()

    def show_log(self, session_id: str | None) -> None:
        self.asked.append(("show_log", session_id))

    def set_poll_factor(self, factor: float) -> None:
        self.asked.append(("set_poll_factor", factor))

    def order(self, order: Order) -> None:
        self.asked.append(order)

    def keep_heard(self, write: Callable[[], str | None]) -> None:
        """Note nothing: most tests hear something."""

    def read_files(self) -> None:
        self.asked.append(("read_files",))

    def read_tokens(self) -> None:
        self.asked.append(("read_tokens",))


class FakeNetwork:
    """A network thread without a thread: requests reach the fake feeds at once."""

    def __init__(self) -> None:
        self.feeds = FakeFeeds()
        self.life: list[str] = []

    def start(self, on_crash: Callable[[BaseException], None]) -> None:
        self.life.append("start")

    def stop(self) -> None:
        self.life.append("stop")

    def call(self, request: Callable[[Feeds], None]) -> None:
        request(cast("Feeds", self.feeds))

    def order(self, order: Order) -> None:
        self.feeds.order(order)


class Rig:
    """A running app, what it is told, and what it shows."""

    def __init__(
        self,
        files: EvidenceFiles | None = None,
        own: Path = NOWHERE,
        report: Callable[[Exception], str] | None = None,
        **watch: Any,  # noqa: ANN401 - fields of Watch
    ) -> None:
        self.now = 0.0
        self.store = Store(state(**watch))
        self.mailbox = Mailbox()
        self.network = FakeNetwork()
        self.files = files
        feeds = cast("LaneFeeds", self.network)
        commands = Commands(feeds, self.store, self._recorder, Places(own), clock=self._clock)
        self.lane = LaneWatch(
            self.store,
            self.mailbox,
            commands,
            clock=self._clock,
            wall=lambda: NOW + timedelta(seconds=self.now),
            report=report,
        )
        self.app = VpTuiApp(self.lane, cast("NetworkThread", self.network))
        self.app.keyboard = UnhurriedKeyboard()
        self.app.animation_level = "none"  # a page is there at once, however busy the machine is
        self.pilot: Pilot[None]

    def _clock(self) -> float:
        return self.now

    def _recorder(self) -> Recorder:
        return Recorder(self.files or NO_FILES, self.store, AUTHOR, clock=self._clock)

    async def tell(self, *events: Event) -> None:
        """Apply events as one batch, published by a tick, and let the screen settle."""
        if events:
            self.store.apply(*events)
        self.app.tick()
        await self.settle()

    async def passes(self, seconds: float) -> None:
        """Let time pass on the rig's clock, ended by a tick."""
        self.now += seconds
        await self.tell()

    async def until(self, seen: Callable[[], object]) -> None:
        """Wait for what a worker of the app brings about."""
        for _ in range(PATIENCE):
            if seen():
                return
            await self.pilot.pause()
        raise AssertionError(f"not seen on this screen:\n{self.text}")

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.app._press_keys([key])
            await self.settle()

    async def resize(self, size: tuple[int, int]) -> None:
        await self.pilot.resize_terminal(*size)
        # Textual tells its screens a little later, by a timer.
        await self.until(lambda: self.app.screen._compositor.size == size)
        await self.settle()

    async def settle(self) -> None:
        """Let every message reach its widget, and what it sends on as well, and draw a frame."""
        for _ in range(ROUNDS):
            await at_rest()
            self.app.screen._on_timer_update()
        await at_rest()

    @property
    def asked(self) -> list[tuple[Any, ...]]:
        """What the feeds were asked for, orders too."""
        return self.network.feeds.asked

    def ordered(self, kind: type[_Order]) -> list[_Order]:
        """Return the orders of one kind that the feeds were given."""
        return [order for order in self.asked if isinstance(order, kind)]

    @property
    def refusals(self) -> list[ActionRecord]:
        """What the audit was told that was refused."""
        records = self.ordered(ActionRecord)
        return [record for record in records if record.kind is ActionKind.REFUSED]

    @property
    def watch(self) -> WatchScreen:
        return next(s for s in self.app.screen_stack if isinstance(s, WatchScreen))

    @property
    def board(self) -> Board:
        return self.watch.board

    def rows(self, name: str) -> LineList:
        return self.board.lists[name]

    @property
    def focus(self) -> str | None:
        focused = self.app.focused
        return focused.id if focused else None

    @property
    def lines(self) -> list[str]:
        """The screen's lines as composed, blanks at the end cut."""
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def header(self) -> str:
        """The two lines of facts and the two of the gravest trouble."""
        return "\n".join(self.lines[:4])

    def title(self, name: str) -> str:
        """The title line of a pane."""
        return self._cut(next(p for p in self.board.query(Pane) if p.pane == name).region)[0]

    def content(self, name: str) -> list[str]:
        """The lines that a pane's list covers, without its scroll bar."""
        shown = self.rows(name)
        inner = shown.scrollable_content_region
        return self._cut(Region(shown.region.x, shown.region.y, inner.width, inner.height))

    def pane(self, name: str) -> str:
        """Title and content of a pane."""
        return "\n".join([self.title(name), *self.content(name)])

    def cursor_line(self, name: str) -> str:
        """The line under a list's cursor, as it is on the screen."""
        shown = self.rows(name)
        return self.content(name)[shown.cursor - shown.scroll_offset.y]

    def _cut(self, area: Region) -> list[str]:
        strips = self.app.screen._compositor.render_strips()[area.y : area.bottom]
        return [strip.crop(area.x, area.right).text.rstrip() for strip in strips]


async def at_rest(*_seconds: float) -> None:
    """Return once no task could go on by itself: all wait for a key, a timer or a thread.

    The pilot's own pause goes on when the process is idle for a while, which it also is while
    others have the machine.
    """
    ready = vars(asyncio.get_running_loop())["_ready"]
    while True:
        await asyncio.sleep(0)
        if not ready:
            return


@asynccontextmanager
async def running(
    *events: Event,
    size: tuple[int, int] = SMALL,
    files: EvidenceFiles | None = None,
    own: Path = NOWHERE,
    report: Callable[[Exception], str] | None = None,
    **watch: Any,  # noqa: ANN401 - fields of Watch
) -> AsyncIterator[Rig]:
    """Run the app after these events; `own` is the directory of its own files.

    A bug ends it, as it should a test; with a `report` it goes on as at the operator's.
    """
    rig = Rig(files, own, report, **watch)
    with patch.object(textual_app, "wait_for_idle", at_rest):
        async with rig.app.run_test(size=size, notifications=True) as rig.pilot:
            if events:
                rig.store.apply(*events)
            await rig.settle()
            yield rig


def no_recorder() -> Recorder:
    raise AssertionError("this test records nothing")
