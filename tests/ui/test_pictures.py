"""Whole screens at a fixed clock, compared with the texts beside this file.

After a wanted change `VP_TUI_UPDATE_SCREENS=1 pytest tests/ui/test_pictures.py` writes them anew;
the diff is then read line by line, as the engineer on call would.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support import scenes
from tests.support.evidence import golden_files, read
from tests.support.rig import LARGE, SMALL, running
from tests.support.rollout import golden_rows

from vp_tui.domain.events import EvidenceRead

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

SCREENS: Final = Path(__file__).parent / "pictures"
GOLDEN: Final = EvidenceRead(0.0, tuple(golden_rows()), frozenset())
UPDATE: Final = "VP_TUI_UPDATE_SCREENS"

SCENES: Final[list[tuple[str, list[Event], tuple[int, int], float, list[str]]]] = [
    ("ordinary-160x45", scenes.ordinary(), LARGE, 2.0, ["4"]),
    ("dashboard-80x24", scenes.refused_ops(dashboard=True), SMALL, 2.0, []),
    ("deaf-80x24", scenes.deaf(), SMALL, 8.0, []),
    ("triage-160x45", scenes.deaf(), LARGE, 8.0, ["enter"]),
    ("links-80x24", scenes.metrics_down(), SMALL, 30.0, ["5"]),
    ("explain-160x45", [*scenes.ordinary(), GOLDEN], LARGE, 2.0, ["i"]),
    ("evidence-80x24", [*scenes.ordinary(), GOLDEN], SMALL, 2.0, ["e"]),
]
"""What only one size tells more of: name, what happened, size, seconds later, keys pressed."""

SIZES: Final = ((50, 15), (60, 20), (80, 24), (100, 30), (120, 40), (160, 45), (200, 60))
NAMED: Final = 60
"""Columns from which on the keys of help and quit are named."""
STATES: Final[dict[str, tuple[list[Event], float, list[str]]]] = {
    "live": (scenes.ordinary(), 2.0, []),
    "alarm": (scenes.stuck(), 2.0, []),
    "tripped": (scenes.ordinary_with_fallbacks(5), 2.0, []),
    "blind": (scenes.blind(), 2.0, []),
    "unauthorized": (scenes.refused_ops(dashboard=False), 2.0, []),
    "lost": (scenes.lost(), 75.0, []),
    "stale": (scenes.ordinary(), 20.0, []),
    "frozen": (scenes.ordinary(), 2.0, ["p"]),
    "record": (scenes.ordinary(), 2.0, ["r"]),
    "cancel": (scenes.stuck(), 2.0, ["c"]),
    "help": (scenes.ordinary(), 2.0, ["question_mark"]),
}
"""What happened, seconds later, keys pressed: a picture of each at each size."""
OVER: Final = {"record", "cancel", "help"}
"""Those that lie over the watch screen."""
ALARMS: Final = {
    "alarm": ("STUCK 4m02 d3833624", "[c]"),
    "tripped": ("guardrail tripped", "[F]"),
    "blind": ("outcomes unknown", "[i]"),
    "lost": ("gateway lost", "[5]"),
    "unauthorized": ("unauthorized", "[A]"),
}
"""Cause, and the key that helps, or what does where no key of vp-tui can: at every size."""


@pytest.mark.parametrize(
    ("name", "events", "size", "after_s", "keys"),
    SCENES,
)
async def test_the_screen_is_as_it_was(
    name: str, events: list[Event], size: tuple[int, int], after_s: float, keys: list[str]
) -> None:
    async with running(*events, size=size) as rig:
        await rig.passes(after_s)
        await rig.press(*keys)
        compare(name, rig.text)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", STATES)
async def test_each_state_is_as_it_was_at_each_size(
    name: str, size: tuple[int, int], tmp_path: Path
) -> None:
    events, after_s, keys = STATES[name]
    log: dict[str, Any] = {}
    if name == "record":
        files = golden_files(tmp_path)
        events, log = [read(files), *events], {"files": files, "evidence": "docs/evidence_log.md"}
    async with running(*events, size=size, **log) as rig:
        await rig.passes(after_s)
        await rig.press(*keys)
        text, header, is_over = rig.text, rig.header, name in OVER
        has_alarms = rig.board.alarms.display
    lines = text.split("\n")
    assert len(lines) == size[1]
    if is_over:
        assert "esc" in lines[-1], "no way out of the dialog"
    else:
        assert lines[-1].split()[-2 if size[0] < NAMED else -4] == "?", "the keys are not in view"
    if name in ALARMS:
        assert all(told in header for told in ALARMS[name])
        rung = [line for line in lines if line.startswith("! alarm")]
        assert all("[a]" in line for line in rung[:1])
        assert len(rung) > 0 or not has_alarms
    compare(f"{name}-{size[0]}x{size[1]}", text)


def test_there_is_no_picture_of_what_is_not_tested() -> None:
    told = {f"{name}-{width}x{height}" for name in STATES for width, height in SIZES}
    assert {path.stem for path in SCREENS.glob("*.txt")} == told | {name for name, *_ in SCENES}


def compare(name: str, text: str) -> None:
    """Compare a screen with its golden text, or, when asked to, make it that."""
    golden, shown = SCREENS / f"{name}.txt", f"{text}\n"
    if os.environ.get(UPDATE):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
