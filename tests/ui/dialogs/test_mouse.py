"""Dialogs with the mouse alone: what is clicked does what its key does, and is as much meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import evidence, recording, scenes
from tests.support.rig import Rig, running

from vp_tui.domain.lane.switches import FORCE_FALLBACK, Means
from vp_tui.domain.orders import CancelRun, SetSwitch
from vp_tui.ui.actions import Keyboard
from vp_tui.ui.kit.forms import Cycle

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.worker.evidence import EvidenceFiles

MEANS = Means("/srv/gateway/.env", ("systemctl", "restart", "gateway"))


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return evidence.golden_files(tmp_path)


async def click(rig: Rig, what: str) -> None:
    """Click on the words where they stand on the screen, the last place of several."""
    places = [(line.index(what) + 1, y) for y, line in enumerate(rig.lines) if what in line]
    await rig.pilot.click(offset=places[-1])
    await rig.settle()


async def test_a_click_on_an_answer_gives_it() -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("F")
        await click(rig, "Not now")
        assert "THE BRAKE" not in rig.text
        assert rig.ordered(SetSwitch) == []
        await rig.press("F")
        await click(rig, "Force fallback now")
    assert rig.ordered(SetSwitch) == [SetSwitch(FORCE_FALLBACK, "")]


async def test_a_click_on_an_answer_has_to_be_meant_as_enter_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Keyboard, "is_meant", lambda *_: False)
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("F")
        await click(rig, "Force fallback now")
        assert "press enter again" in rig.text
    assert rig.ordered(SetSwitch) == []


async def test_a_run_is_cancelled_with_the_mouse_once_it_was_asked_for() -> None:
    async with running(*scenes.stuck()) as rig:
        await rig.press("c")
        await click(rig, "Cancel run ]")
        await click(rig, "esc close")
        assert "STOP A RUN" not in rig.text
    assert len(rig.ordered(CancelRun)) == 1


async def test_the_keys_of_the_last_line_are_pressed_by_a_click(files: EvidenceFiles) -> None:
    async with recording.at_work(files, *scenes.ordinary()) as rig:
        await rig.press("r")
        await click(rig, "3 HOLD_SHADOW")
        assert recording.decision(rig) == "HOLD_SHADOW"
        stage = recording.dialog(rig).query_one("#stage", Cycle)
        before = stage.value
        await click(rig, f"<{before}>")
        assert stage.value != before
        await click(rig, "esc nothing")
        assert not recording.is_open(rig)
        await rig.press("r")
        await click(rig, "3 HOLD_SHADOW")
        await click(rig, "enter write row")
        await recording.written(rig, files)
