"""Evidence on disk for tests: a log, what is read of it, and where vp-tui keeps its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.rollout import GOLDEN_LOG

from vp_tui.storage.evidence_log import read_log
from vp_tui.worker.evidence import EvidenceFiles
from vp_tui.worker.files import EvidenceFeed

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import EvidenceRead
    from vp_tui.domain.rollout.evidence_row import EvidenceRow

NEXT: Final = "Broadened rollout window #5"
"""What comes after the golden log."""


def golden_files(directory: Path) -> EvidenceFiles:
    """Return files whose log is a copy of the golden one."""
    files = evidence_files(directory)
    log_of(files).write_bytes(GOLDEN_LOG.read_bytes())
    return files


def evidence_files(directory: Path) -> EvidenceFiles:
    """Return files that are not there yet."""
    log = directory / "docs" / "evidence_log.md"
    log.parent.mkdir(exist_ok=True)
    own = directory / "own"
    return EvidenceFiles(log, own / "spool", own / "windows" / "here.json")


def log_of(files: EvidenceFiles) -> Path:
    assert files.log is not None
    return files.log


def read(files: EvidenceFiles) -> EvidenceRead:
    """Return what the evidence feed tells of the log as it is now."""
    return EvidenceFeed(log_of(files), lambda _event: None, lambda: 0.0).read()


def rows_in(files: EvidenceFiles) -> list[EvidenceRow]:
    return [logged.row for logged in read_log(log_of(files))[0].rows]


def kept_in(files: EvidenceFiles) -> list[str]:
    """Return what vp-tui keeps of its own, and what is beside the log."""
    places = (files.spool, files.windows.parent, log_of(files).parent)
    found = [path.name for place in places if place.is_dir() for path in place.iterdir()]
    return sorted(found)
