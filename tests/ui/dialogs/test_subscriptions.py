"""A dialog hears of new states while it is open, once, and no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.evidence import golden_files, read
from tests.support.rig import running

from vp_tui.ui.kit.dialog import Dialog

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("key", ["r", "w", "c", "F", "P", "X"])
async def test_what_is_open_subscribes_once_and_leaves_nothing_behind(
    tmp_path: Path, key: str
) -> None:
    files = golden_files(tmp_path)
    async with running(
        read(files), *scenes.ordinary(), files=files, evidence="docs/evidence_log.md"
    ) as rig:
        subscribers = rig.app.lane.store._subscribers
        before = len(subscribers)
        await rig.press(key)
        assert isinstance(rig.app.screen, Dialog)
        assert len(subscribers) == before + 1
        await rig.press("escape")
        assert len(subscribers) == before
