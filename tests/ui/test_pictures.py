"""Whole screens at a fixed clock, compared with the texts beside this file.

After a wanted change `VP_TUI_UPDATE_SCREENS=1 pytest tests/ui/test_pictures.py` writes them anew;
the diff is then read line by line, as the engineer on call would.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from tests.support import scenes
from tests.support.evidence import golden_files, read
from tests.support.rig import LARGE, SMALL, WIDE, running
from tests.support.rollout import golden_rows

from vp_tui.domain.events import EvidenceRead

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

SCREENS: Final = Path(__file__).parent / "pictures"
GOLDEN: Final = EvidenceRead(0.0, tuple(golden_rows()), frozenset())
UPDATE: Final = "VP_TUI_UPDATE_SCREENS"


@pytest.mark.parametrize(
    ("name", "events", "size", "after_s", "keys"),
    [
        ("ordinary-80x24", scenes.ordinary(), SMALL, 2.0, []),
        ("ordinary-120x40", scenes.ordinary(), WIDE, 2.0, []),
        ("ordinary-160x45", scenes.ordinary(), LARGE, 2.0, ["4"]),
        ("lost-80x24", scenes.lost(), SMALL, 75.0, []),
        ("dashboard-80x24", scenes.refused_ops(dashboard=True), SMALL, 2.0, []),
        ("blind-80x24", scenes.blind(), SMALL, 2.0, []),
        ("stuck-80x24", scenes.stuck(), SMALL, 2.0, []),
        ("deaf-80x24", scenes.deaf(), SMALL, 8.0, []),
        ("stuck-160x45", scenes.stuck(), LARGE, 2.0, []),
        ("triage-160x45", scenes.deaf(), LARGE, 8.0, ["enter"]),
        ("links-80x24", scenes.metrics_down(), SMALL, 30.0, ["5"]),
        ("explain-160x45", [*scenes.ordinary(), GOLDEN], LARGE, 2.0, ["i"]),
        ("evidence-80x24", [*scenes.ordinary(), GOLDEN], SMALL, 2.0, ["e"]),
        ("help-80x24", scenes.ordinary(), SMALL, 2.0, ["question_mark"]),
    ],
)
async def test_the_screen_is_as_it_was(
    name: str, events: list[Event], size: tuple[int, int], after_s: float, keys: list[str]
) -> None:
    async with running(*events, size=size) as rig:
        await rig.passes(after_s)
        await rig.press(*keys)
        compare(name, rig.text)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])
async def test_the_dialog_that_records_is_as_it_was(tmp_path: Path, size: tuple[int, int]) -> None:
    files = golden_files(tmp_path)
    events = [read(files), *scenes.ordinary()]
    async with running(*events, size=size, files=files, evidence="docs/evidence_log.md") as rig:
        await rig.passes(2.0)
        await rig.press("r")
        compare(f"record-{size[0]}x{size[1]}", rig.text)


def compare(name: str, text: str) -> None:
    """Compare a screen with its golden text, or, when asked to, make it that."""
    golden, shown = SCREENS / f"{name}.txt", f"{text}\n"
    if os.environ.get(UPDATE):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
