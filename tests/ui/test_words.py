"""No abbreviation that a new user misread stands on any screen of 100 columns or more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.evidence import golden_files, read
from tests.support.rig import running

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event

SIZES = ((100, 30), (120, 40), (160, 45), (200, 60))
KEYS = ("", "i", "e", "u", "question_mark", "r", "c", "F", "P", "X", "w", "enter", "5")
"""The watch screen, and what each key opens over it or shows in it."""
SCENES = {
    "ordinary": scenes.ordinary(),
    "lost": scenes.lost(),
    "refused": scenes.refused_ops(dashboard=True),
    "blind": scenes.blind(),
    "stuck": scenes.stuck(),
    "deaf": scenes.deaf(),
    "down": scenes.metrics_down(),
    "nothing": [],
}
FORBIDDEN = re.compile(
    r"""\bG[1-4]\b | \bINC\b | \b(?:Sha|Lim|Bro|Sus|win)\# | \bep\d | \bcov\b | \bcont\b
    | \b\d+(?:ok|F|run|orphan|fb|done|disp|[dc])\b | cancel-rec | brake\ ON | KEEP\ WATCHING
    | \bsuggests\b | \bunseen\b | \bboot\ \d | NO\ DATA | \beach\ [▁-█]
    | PARTIAL_TIMEOUT_RECOVERED\b.*unconfirmed""",
    re.VERBOSE,
)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES)
async def test_no_screen_abbreviates_where_there_is_room(
    tmp_path: Path, scene: str, size: tuple[int, int]
) -> None:
    files = golden_files(tmp_path)
    events: list[Event] = [*([read(files)] if SCENES[scene] else []), *SCENES[scene]]
    found: set[tuple[str, str]] = set()
    async with running(*events, size=size, files=files, evidence="docs/evidence_log.md") as rig:
        await rig.passes(2.0)
        for key in KEYS:
            if key:
                await rig.press(key)
            found |= {(key, match[0]) for match in FORBIDDEN.finditer(rig.text)}
            if len(rig.app.screen_stack) > 1:
                await rig.press("escape")
    assert found == set()
