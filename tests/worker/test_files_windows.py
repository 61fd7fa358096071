"""The open window is read again when it changed, and what cannot be read is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.builders import NOW, state
from tests.support.rollout import window

from vp_tui.domain.events import Event, WindowsRead
from vp_tui.domain.rollout.windows import closed
from vp_tui.state.reducer import reduce_all
from vp_tui.storage.windows import keep_window
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View
from vp_tui.worker.files import WindowsFeed

if TYPE_CHECKING:
    from pathlib import Path

MINE = window(label="Mine")


class Reading:
    """A feed of a file, and what it told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._events: list[Event] = []
        self._feed = WindowsFeed(path, self._events.append, lambda: 7.0)

    async def look(self) -> WindowsRead | None:
        """Look once; return what was told."""
        self._events.clear()
        await self._feed.look()
        (told,) = self._events or (None,)
        assert told is None or isinstance(told, WindowsRead)
        return told


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path / "windows" / "w.json")


async def test_without_a_file_there_is_nothing_to_tell(reading: Reading) -> None:
    assert await reading.look() is None


async def test_a_change_is_told_once(reading: Reading) -> None:
    keep_window(reading.path, MINE, None)
    assert await reading.look() == WindowsRead(7.0, (MINE,))
    assert await reading.look() is None
    keep_window(reading.path, MINE._replace(scope="other"), MINE)
    assert await reading.look() == WindowsRead(7.0, (MINE._replace(scope="other"),))
    keep_window(reading.path, closed(MINE, NOW), MINE)
    assert await reading.look() == WindowsRead(7.0, ())


async def test_a_file_that_goes_away_holds_no_window(reading: Reading) -> None:
    keep_window(reading.path, MINE, None)
    await reading.look()
    reading.path.unlink()
    assert await reading.look() == WindowsRead(7.0, ())


async def test_a_file_that_cannot_be_read_is_told_once_and_tried_again(reading: Reading) -> None:
    keep_window(reading.path, MINE, None)
    good = reading.path.read_bytes()
    reading.path.write_bytes(b"torn")
    told = await reading.look()
    assert told is not None
    assert told.problem is not None
    assert "cannot be read as vp-tui's windows" in told.problem
    assert await reading.look() is None
    reading.path.write_bytes(good)
    assert await reading.look() == WindowsRead(7.0, (MINE,))


def test_what_was_known_stands_while_the_file_cannot_be_read() -> None:
    known = state(WindowsRead(0.0, (MINE,)), WindowsRead(1.0, (), "w.json: it is torn"))
    assert known.window == MINE
    (found,) = [t for t in troubles(View(known, 1.0)) if t.what == "open window"]
    assert found.reason == "w.json: it is torn"
    healed = reduce_all(known, [WindowsRead(2.0, ())])
    assert healed.window is None
    assert healed.windows_problem is None
