"""The explain screen: what it keeps in view, that it is live, and how it is left."""

from __future__ import annotations

import pytest
from tests.support import scenes
from tests.support.builders import polled, snapshot
from tests.support.rig import LARGE, SMALL, WIDE, Rig, running
from tests.support.rollout import golden_rows

from vp_tui.domain.events import EvidenceRead
from vp_tui.ui.kit.overlays import Scrolled
from vp_tui.ui.screens.texts import ExplainScreen
from vp_tui.ui.watch.screen import WatchScreen

GOLDEN = EvidenceRead(0.0, tuple(golden_rows()), frozenset())


def scrolled(rig: Rig) -> float:
    return rig.app.screen.query_one("#explain", Scrolled).scroll_y


@pytest.mark.parametrize("key", ["escape", "q", "i", "enter"])
async def test_it_opens_over_the_watch_screen_and_leaves_to_it(key: str) -> None:
    async with running(*scenes.ordinary(), GOLDEN) as rig:
        await rig.press("i")
        assert isinstance(rig.app.screen, ExplainScreen)
        assert rig.lines[1].strip() == "SAFETY"
        await rig.press(key)
        assert isinstance(rig.app.screen, WatchScreen)


@pytest.mark.parametrize("size", [SMALL, (100, 30), WIDE, LARGE])
async def test_all_of_it_can_be_read_at_every_size(size: tuple[int, int]) -> None:
    async with running(*scenes.ordinary(), GOLDEN, size=size) as rig:
        await rig.press("i")
        seen = set(rig.lines)
        for _ in range(20):
            await rig.press("pagedown")
            seen |= set(rig.lines)
        text = "\n".join(seen)
        for section in ("VERDICT", "WINDOW", "GATES", "GUARDRAILS", "STATISTICS", "COVERAGE"):
            assert section in text
        assert "in about one case of five" in " ".join(text.split())
        assert rig.lines[-1].startswith(" esc back")


async def test_arrows_and_letters_scroll() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("i", "j", "j", "k")
        assert scrolled(rig) == 1
        await rig.press("down", "pagedown")
        assert scrolled(rig) > 10
        await rig.press("G")
        assert rig.lines[-2].endswith("no frame tells of the lane")
        await rig.press("home")
        assert scrolled(rig) == 0


async def test_it_tells_what_is_so_now_and_keeps_the_reader_s_place() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.passes(2.0)
        await rig.press("i", "j", "j", "j", "j", "j")
        assert "not proven: rate needs" in rig.text
        await rig.tell(polled(snapshot(*scenes.done(20)), at=2.0))
        assert "not proven: rate needs 15 more" in rig.text
        assert scrolled(rig) == 5


async def test_a_frozen_picture_is_explained_as_it_was_under_what_is_so_now() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.passes(2.0)
        await rig.press("p", "i")
        await rig.tell(*scenes.ordinary_with_fallbacks(3))
        assert rig.lines[0].startswith(" FROZEN")
        assert rig.lines[1].startswith("! SAFETY guardrail tripped: 3 of the last 18")
        assert "not proven: rate needs" in rig.text


async def test_safety_stays_in_view_however_far_one_scrolls() -> None:
    async with running(*scenes.ordinary_with_fallbacks(3)) as rig:
        await rig.press("i", "G")
        assert rig.lines[1].startswith("! SAFETY guardrail tripped")


async def test_another_size_wraps_anew() -> None:
    async with running(*scenes.ordinary(), GOLDEN) as rig:
        await rig.press("i")
        assert "GATES" not in rig.text
        await rig.resize(LARGE)
        assert "GATES" in rig.lines[1]


async def test_the_palette_offers_what_this_screen_can_do() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("i", "ctrl+p")
        await rig.until(lambda: "quit (q)" in rig.text)
        assert "explain (i)" not in rig.text
        assert "runs (1)" not in rig.text
