"""The app's life: it starts asking after the first frame, and ends without leaving a trace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

import pytest
from tests.support import scenes
from tests.support.builders import NOW, frame, polled, snapshot, state, stream
from tests.support.keyboard import UnhurriedKeyboard
from tests.support.rig import NOWHERE, Rig, no_recorder, running
from textual.worker import WorkerFailed

from vp_tui.domain.events import Tick
from vp_tui.state.store import Mailbox, Store
from vp_tui.storage.places import Places
from vp_tui.ui.app import VpTuiApp
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.watch.board import Board
from vp_tui.worker.commands import Commands, NetworkThread
from vp_tui.worker.lane_watch import LaneWatch

if TYPE_CHECKING:
    from vp_tui.worker.feeds import Feeds

SECRET = "ops-secret-in-a-local"


class BugError(Exception):
    """Stands for a bug in vp-tui."""


def _fail(*_args: object, **_kwargs: object) -> NoReturn:
    token = SECRET
    raise BugError(f"a bug near a local of {len(token)} characters")


async def test_the_feeds_start_with_the_first_frame_and_stop_with_the_app() -> None:
    async with running() as rig:
        assert rig.network.life == ["start"]
    assert rig.network.life == ["start", "stop"]


async def test_what_the_feeds_put_into_the_mailbox_reaches_the_screen() -> None:
    async with running() as rig:
        rig.mailbox.put(polled(snapshot(*scenes.done(3))))
        await rig.until(lambda: "0.000 0/3" in rig.text)
        for event in stream(frame("text", "first"), frame("text", "second")):
            rig.mailbox.put(event)
        await rig.until(lambda: "second" in rig.text)
        assert rig.text.index("first") < rig.text.index("second")


async def test_a_tick_takes_the_time_from_the_clock_and_moves_the_ages() -> None:
    async with running(*scenes.ordinary()) as rig:
        rig.now = 7.0
        rig.app.tick()
        await rig.settle()
        assert "metrics STALE 7s" in rig.header
        assert rig.store.state.clock.at == 7.0


async def test_the_screen_takes_no_news_after_it_left() -> None:
    async with running() as rig:
        pass
    rig.store.apply(Tick(1.0, NOW))


async def test_the_screen_takes_no_news_while_its_widgets_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    news: list[bool] = []
    async with running() as rig:

        def removed(_board: Board) -> None:
            rig.store.apply(Tick(1.0, NOW))
            news.append(True)

        # Textual removes what is on a screen before the screen itself.
        monkeypatch.setattr(Board, "on_unmount", removed, raising=False)
    assert news


async def test_a_dialog_takes_no_news_while_its_widgets_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    news: list[str | None] = []
    async with running(*scenes.stuck()) as rig:
        await rig.press("1", "home", "c")

        def removed(lines: Lines) -> None:
            news.append(lines.id)
            rig.store.apply(Tick(1.0, NOW))

        monkeypatch.setattr(Lines, "on_unmount", removed, raising=False)
    assert "dialog-header" in news


async def test_a_bug_ends_the_app_with_its_exception_and_shows_no_local(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def run_into_it() -> None:
        async with rig.app.run_test() as rig.pilot:
            monkeypatch.setattr("vp_tui.ui.watch.board.header_lines", _fail)
            await rig.press("2")

    rig = Rig()
    with pytest.raises(BugError):
        await run_into_it()
    assert isinstance(rig.app.crash, BugError)
    assert rig.network.life[-1] == "stop"
    shown = capfd.readouterr()
    assert SECRET not in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


async def test_a_bug_that_news_bring_to_light_is_the_crash_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hear_of_it() -> None:
        async with rig.app.run_test() as rig.pilot:
            await rig.settle()
            monkeypatch.setattr("vp_tui.ui.watch.board.header_lines", _fail)
            rig.mailbox.put(polled(snapshot()))
            await rig.until(lambda: rig.app.crash is not None)

    rig = Rig()
    with pytest.raises(WorkerFailed):
        await hear_of_it()
    assert isinstance(rig.app.crash, BugError)
    assert rig.app.crash.__traceback__ is not None


class BrokenFeeds:
    """Feeds with a bug."""

    async def run(self) -> None:
        await asyncio.sleep(0)
        _fail()


@pytest.mark.parametrize("connect", [_fail, BrokenFeeds])
async def test_feeds_that_crash_end_the_app(connect: type[BrokenFeeds]) -> None:
    def connected() -> Feeds:
        feeds: Feeds = connect()  # type: ignore[assignment]
        return feeds

    store, network = Store(state()), NetworkThread()
    commands = Commands(network.add(connected), store, no_recorder, Places(NOWHERE))
    lane = LaneWatch(store, Mailbox(), commands, clock=lambda: 0.0, wall=lambda: NOW)
    app = VpTuiApp(lane, network)
    app.keyboard = UnhurriedKeyboard()
    async with app.run_test() as pilot:
        while app.is_running and app.crash is None:
            await pilot.pause()
    assert isinstance(app.crash, BugError)
    assert network._thread is not None
    assert not network._thread.is_alive()
