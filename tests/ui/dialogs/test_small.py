"""Dialogs on small terminals: what has the focus is in view, nothing is cut unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.evidence import golden_files, read
from tests.support.rig import LARGE, running

from vp_tui.ui.kit.dialog import Dialog

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rig import Rig

SMALL_SIZES = ((50, 15), (60, 20), (80, 24))
DIALOGS = ("r", "c", "F", "P", "X", "w")
NARROW = (50, 15)


@pytest.mark.parametrize("size", SMALL_SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("key", DIALOGS)
async def test_each_field_is_in_view_while_it_has_the_focus(
    key: str, size: tuple[int, int], tmp_path: Path
) -> None:
    files = golden_files(tmp_path)
    async with running(read(files), *scenes.stuck(), files=files, size=size) as rig:
        await rig.passes(2.0)
        await rig.press(key)
        assert isinstance(rig.app.screen, Dialog)
        first, seen = rig.focus, set[str | None]()
        while rig.focus not in seen:
            seen.add(rig.focus)
            _assert_in_view(rig)
            await rig.press("tab")
        assert first in seen


@pytest.mark.parametrize("key", DIALOGS)
async def test_the_focus_is_in_view_after_the_terminal_has_shrunk(key: str, tmp_path: Path) -> None:
    files = golden_files(tmp_path)
    async with running(read(files), *scenes.stuck(), files=files, size=LARGE) as rig:
        await rig.passes(2.0)
        await rig.press(key, "shift+tab")
        await rig.resize(NARROW)
        _assert_in_view(rig)


async def test_what_is_hidden_is_marked_where_it_is_cut(tmp_path: Path) -> None:
    files = golden_files(tmp_path)
    async with running(read(files), *scenes.ordinary(), files=files, size=NARROW) as rig:
        await rig.passes(2.0)
        await rig.press("r")
        (word,) = (line for line in rig.lines if "4 FORCE_FALLBACK" in line)
        assert word.rstrip("│ ").endswith("…")
        assert "more above: pgup, below: pgdn" in rig.text
        await rig.press("tab")  # to a text that is longer than its field
        while rig.focus != "window":
            await rig.press("tab")
        await rig.press("end")
        (label,) = (line for line in rig.lines if "stage <" in line)
        assert "window …" in label, "it is not said that the label began before"
        await rig.press("home")
        (label,) = (line for line in rig.lines if "stage <" in line)
        assert "… stage <" in " ".join(label.split()), "it is not said that the label goes on"


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("F", ("UA_CODER_VP_FORCE_FALLBACK=1", "Restart the gateway", "again.")),
        ("X", ("kills", "nothing is done by vp-tui", "again.")),
        ("P", ("holds the gateway's", "never repeated", "there.")),
    ],
)
async def test_all_that_an_order_will_do_can_be_read_on_few_lines(
    key: str, told: tuple[str, ...]
) -> None:
    async with running(*scenes.stuck(), size=NARROW) as rig:
        await rig.passes(2.0)
        await rig.press(key)
        assert "above: pgup" in rig.text
        pages = [rig.text]
        for _page in range(4):
            await rig.press("pageup")
            pages.append(rig.text)
        assert "above: pgup" not in rig.text
        assert "below: pgdn" in rig.text
        for words in told:
            assert any(words in page for page in pages), words
        assert not any(line.rstrip("│ ").endswith("… …") for line in "\n".join(pages).splitlines())
        await rig.press("pagedown", "pagedown", "pagedown", "pagedown")
        _assert_in_view(rig)


def _assert_in_view(rig: Rig) -> None:
    focused, box = rig.app.screen.focused, rig.app.screen.query_one("#dialog")
    assert focused is not None
    assert box.content_region.contains_region(focused.region), rig.text
    assert "esc" in rig.lines[-1]
