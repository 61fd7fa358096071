"""A recording on the screen: keys go through time, and none of them acts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.support.keyboard import UnhurriedKeyboard
from tests.support.rig import SMALL, Rig

from vp_tui.storage.places import Places
from vp_tui.storage.recording_files import BUNDLED, RecordedFile
from vp_tui.ui.app import VpTuiApp
from vp_tui.ui.watch.replay import ReplayScreen
from vp_tui.views.actions import ACTING, action_named, actions_in
from vp_tui.worker.commands import NetworkThread
from vp_tui.worker.replay import ReplayWatch
from vp_tui.worker.tape import Tape

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Playing(Rig):
    """A rig whose watch is a recording, which stands still until it is sent somewhere."""

    def __init__(self, tape: Tape, home: Path) -> None:
        network = NetworkThread()
        self.replay = ReplayWatch(tape, network, Places(home))
        self.player = self.replay.player
        self.player.is_paused = True
        self.app = VpTuiApp(
            self.replay, network, screen=lambda _lane, tones: ReplayScreen(self.replay, tones)
        )
        self.app.keyboard = UnhurriedKeyboard()
        self.app.keyboard.has_brackets = True


def is_empty(directory: Path) -> bool:
    return not any(directory.iterdir())


@asynccontextmanager
async def playing(tape: Tape, home: Path) -> AsyncIterator[Playing]:
    rig = Playing(tape, home)
    async with rig.app.run_test(size=SMALL, notifications=True) as rig.pilot:
        await rig.settle()
        yield rig


@pytest.fixture(scope="module")
def tape() -> Tape:
    """A run is stuck in it from 02:04:33 on, and cancelled before 02:05:29."""
    return Tape([RecordedFile(BUNDLED)], is_shown=True)


async def test_its_keys_go_through_time(tape: Tape, tmp_path: Path) -> None:
    async with playing(tape, tmp_path) as rig:
        assert rig.lines[0].startswith(" REPLAY 1x 0%")
        assert rig.text.count("1x 0%") == 1, "no demo tells it once more"
        assert "space pause/play" in rig.lines[-1]
        await rig.press("right_square_bracket")
        assert rig.player.now == tape.began_at + 60
        assert "02:01:00Z" in rig.lines[0]
        await rig.press("left_square_bracket")
        before = rig.player.now
        await rig.press("full_stop")
        assert rig.player.now == tape.moment(tape.count_at(before) + 1)
        await rig.press("T")
        await rig.press(*"nothing", "enter")
        assert "no such time" in rig.text
        await rig.press(*["backspace"] * 7, *"02:05:00", "enter")
        assert "02:05:00Z" in rig.lines[0]
        assert "REPLAY+ALARM" in rig.lines[0]
        assert "STUCK" in rig.header
        await rig.press("less_than_sign")
        assert rig.player.now < tape.began_at + 280
        before = rig.player.now
        await rig.press("greater_than_sign")
        assert rig.player.now >= before
        await rig.press("right_curly_bracket")
        assert rig.player.now == tape.moment(tape.windows()[0])
        await rig.press("plus", "plus", "space")
        assert "4x" in rig.lines[0]
        await rig.press("space")
        assert "paused" in rig.lines[0]


async def test_no_key_of_it_acts(tape: Tape, tmp_path: Path) -> None:
    async with playing(tape, tmp_path) as rig:
        watch = rig.replay.store.state.watch
        assert not ACTING & {action.id for action in actions_in(watch)}
        await rig.press("T", *"02:05:00", "enter")
        state = rig.replay.store.state
        taken = {key for action in actions_in(watch) for key in action.keys}
        acting = {key for name in ACTING for key in action_named(name).keys} - taken
        await rig.press(*sorted(acting))
        assert len(rig.app.screen_stack) == 1
        assert rig.replay.store.state == state
        await rig.press("i")
        assert "gate" in rig.text.lower()
    assert is_empty(tmp_path)
