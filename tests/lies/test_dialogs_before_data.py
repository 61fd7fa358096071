"""Lies that a dialog told which was opened before the first data: it went on to say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders, evidence, recording, scenes
from tests.support.rig import Rig, running
from tests.support.rollout import window
from textual.widgets import Input

from vp_tui.domain.events import WindowsRead
from vp_tui.domain.rollout.evidence_row import format_row
from vp_tui.ui.kit.forms import Cycle

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.worker.evidence import EvidenceFiles

GO = "GO_BROADER_TRAFFIC_ACTIVE"


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return evidence.golden_files(tmp_path)


def early(files: EvidenceFiles) -> dict[str, Any]:
    return {"files": files, "evidence": str(evidence.log_of(files))}


def shown(rig: Rig, label: str) -> tuple[str, str]:
    """Return the window's label and stage as the fields have them."""
    screen = rig.app.screen
    return screen.query_one(f"#{label}", Input).value, screen.query_one("#stage", Cycle).value


class TestRecording:
    """Was: HOLD_SHADOW for a shadow window with n/a cells, whatever came in meanwhile."""

    async def test_takes_up_the_first_data(self, files: EvidenceFiles) -> None:
        async with running(**early(files)) as rig:
            await rig.press("r")
            assert recording.preview(rig).decision != GO
            await rig.tell(evidence.read(files), *scenes.ordinary())
            assert shown(rig, "window") == (evidence.NEXT, "broadened")
            assert recording.decision(rig) == GO
            assert recording.preview(rig).fallback_rate == "0.000"
            line = format_row(recording.preview(rig)).encode()
            await rig.press("enter")
            await recording.written(rig, files)
            assert line in evidence.log_of(files).read_bytes().splitlines()

    async def test_leaves_what_was_edited(self, files: EvidenceFiles) -> None:
        async with running(**early(files)) as rig:
            await rig.press("r")
            rig.app.screen.query_one("#window", Input).value = "Mine #1"
            await rig.settle()
            await rig.tell(evidence.read(files), *scenes.ordinary())
            assert shown(rig, "window")[0] == "Mine #1"
            assert recording.preview(rig).window == "Mine #1"
            assert recording.preview(rig).fallback_rate == "0.000"

    async def test_holds_the_data_once_there_are_some(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            before = recording.preview(rig)
            await rig.tell(*scenes.ordinary_with_fallbacks(3))
            assert recording.preview(rig) == before


class TestOpening:
    """Was: a label was asked for that the log, once it was read, tells."""

    async def test_takes_up_the_logs_next_window(self, files: EvidenceFiles) -> None:
        async with running(**early(files)) as rig:
            await rig.press("w")
            assert shown(rig, "label") == ("", "shadow")
            await rig.tell(evidence.read(files), *scenes.ordinary())
            assert shown(rig, "label") == (evidence.NEXT, "broadened")

    async def test_leaves_what_was_edited(self, files: EvidenceFiles) -> None:
        async with running(**early(files)) as rig:
            await rig.press("w")
            rig.app.screen.query_one("#label", Input).value = "Mine #1"
            await rig.settle()
            await rig.tell(evidence.read(files), *scenes.ordinary())
            assert shown(rig, "label") == ("Mine #1", "shadow")

    async def test_another_was_said_to_have_changed_the_window_that_was_not_read_yet(
        self, files: EvidenceFiles
    ) -> None:
        async with running(**early(files)) as rig:
            await rig.press("w")
            kept = window(opened_at=builders.NOW, anchor=frozenset())
            await rig.tell(evidence.read(files), WindowsRead(1.0, (kept,)))
            assert "another vp-tui" not in rig.text
            assert "a window is open already: esc, then w shows it" in rig.text
            await rig.press("escape", "w")
            assert shown(rig, "label")[0] == kept.label
