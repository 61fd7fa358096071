"""Redraw economy: what did not change is not painted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.builders import frame, logged, polled, snapshot, stream
from tests.support.rig import LARGE, SMALL, running

from vp_tui.ui.kit.line_list import LineList, Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.geometry import Region
    from textual.strip import Strip
    from textual.widget import Widget

    from vp_tui.domain.events import Event

SIZES = (SMALL, LARGE)


class Painted:
    """Counts the lines painted of each widget, by its id (a title by its pane's)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: set[tuple[str, int]] = set()
        for painter in (Lines, LineList):
            self._spy_on(painter, monkeypatch)

    def _spy_on(self, painter: type[Lines | LineList], monkeypatch: pytest.MonkeyPatch) -> None:
        render: Callable[..., Strip] = painter.render_line

        def noted(widget: Lines | LineList, y: int) -> Strip:
            self.lines.add((_name(widget), y))
            return render(widget, y)

        monkeypatch.setattr(painter, "render_line", noted)

    def forget(self) -> None:
        self.lines.clear()

    @property
    def widgets(self) -> set[str]:
        return {name for name, _y in self.lines}


def _name(widget: Widget) -> str:
    return widget.id or f"title of {widget.parent.id if widget.parent else None}"


def polls() -> list[Event]:
    """Return the answers of an ordinary night once more: equal ones, but other objects."""
    return scenes.ordinary()[9:13]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Painted:
    return Painted(monkeypatch)


@pytest.mark.parametrize("size", SIZES)
async def test_an_identical_poll_repaints_nothing(size: tuple[int, int], painted: Painted) -> None:
    async with running(*scenes.ordinary(), size=size) as rig:
        painted.forget()
        await rig.tell(*polls())
        await rig.tell(*polls())
        assert painted.lines == set()


@pytest.mark.parametrize("size", SIZES)
async def test_a_tick_repaints_only_lines_with_ages(
    size: tuple[int, int], painted: Painted
) -> None:
    async with running(*scenes.ordinary(), size=size) as rig:
        await rig.passes(1.0)
        painted.forget()
        await rig.passes(1.0)
        aged = {("header", 0), ("header", 1), ("runs", 0)}
        if rig.board.cards.display:  # the age of the mission that runs
            aged.add(("card-epoch", 3))
        assert painted.lines == aged


async def test_an_event_repaints_the_events_and_not_the_figures(painted: Painted) -> None:
    async with running(*scenes.ordinary()) as rig:
        painted.forget()
        await rig.tell(*stream(frame("text", "news"), session_id=scenes.QUIET))
        assert "events" in painted.widgets
        assert not painted.widgets & {"dense", "footer", "title of runs-pane"}


async def test_new_figures_repaint_the_figures_and_no_pane(painted: Painted) -> None:
    async with running(*scenes.ordinary()) as rig:
        painted.forget()
        await rig.tell(polled(snapshot(*scenes.done(19))))
        assert "dense" in painted.widgets
        assert not painted.widgets & {"events", "footer", "title of events-pane"}


async def test_a_log_that_is_not_in_view_is_not_painted(painted: Painted) -> None:
    async with running(*scenes.ordinary()) as rig:
        painted.forget()
        await rig.tell(logged("[20:00:09] more", log_id=scenes.QUIET))
        assert painted.lines == set()


async def test_a_burst_is_painted_once(painted: Painted, monkeypatch: pytest.MonkeyPatch) -> None:
    painted_regions: list[tuple[Region, ...]] = []
    refresh = LineList.refresh

    def noted(widget: LineList, *regions: Region, **options: bool) -> LineList:
        painted_regions.append(regions)
        return refresh(widget, *regions, **options)

    async with running(*scenes.ordinary()) as rig:
        monkeypatch.setattr(LineList, "refresh", noted)
        await rig.tell(*stream(*(frame("text", f"word {n}") for n in range(1_000))))
        assert "word 999" in rig.content("events")[-1]
        assert len(painted_regions) < 20


async def test_the_footer_is_painted_only_when_other_keys_work(painted: Painted) -> None:
    async with running(*scenes.ordinary()) as rig:
        painted.forget()
        await rig.passes(5.0)
        assert "footer" not in painted.widgets
        await rig.press("p")
        assert "footer" in painted.widgets
