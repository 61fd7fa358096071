from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from tests.support.builders import NOW

from vp_tui.storage.audit_log import keep_handover
from vp_tui.storage.errors import HandoverError

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_a_file_of_its_own_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "handovers"
    path = keep_handover(directory, "# Handover\n- näüt\n", NOW)
    assert path == directory / "handover-20261123T020000Z.md"
    assert path.read_text(encoding="utf-8") == "# Handover\n- näüt\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_one_of_the_same_second_does_not_write_over_it(tmp_path: Path) -> None:
    first = keep_handover(tmp_path, "first", NOW)
    others = [keep_handover(tmp_path, "other", NOW).name for _ in range(2)]
    assert others == ["handover-20261123T020000Z-2.md", "handover-20261123T020000Z-3.md"]
    assert first.read_text() == "first"


def test_why_it_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HandoverError, match="its directory is a file") as caught:
        keep_handover(tmp_path / "file" / "handovers", "text", NOW)
    assert "XDG_STATE_HOME" in caught.value.failure.cure
