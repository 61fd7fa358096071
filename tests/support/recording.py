"""Recording on the screen: the app over a real log, and what its dialog shows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.support import evidence
from tests.support.rig import SMALL, Rig, running
from tests.support.rollout import row
from textual.events import Paste
from textual.widgets import Input

from vp_tui.storage.evidence_log import append_row
from vp_tui.ui.dialogs.record import RecordDialog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vp_tui.domain.events import Event
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.worker.evidence import EvidenceFiles


@asynccontextmanager
async def at_work(
    files: EvidenceFiles,
    *events: Event,
    size: tuple[int, int] = SMALL,
    **watch: Any,  # noqa: ANN401 - fields of Watch
) -> AsyncIterator[Rig]:
    """Run the app over this log after these events; it has read the log."""
    named = {"evidence": str(evidence.log_of(files))} | watch
    first = [evidence.read(files)] if evidence.log_of(files).exists() else []
    async with running(*first, *events, size=size, files=files, **named) as rig:
        yield rig


def theirs(files: EvidenceFiles, label: str = evidence.NEXT, word: str = "HOLD_SHADOW") -> None:
    """Have somebody write a row by hand, an hour ago."""
    append_row(evidence.log_of(files), row(label, word, date="2026-11-23T01:00:00Z"))


def dialog(rig: Rig) -> RecordDialog:
    found = next(s for s in rig.app.screen_stack if isinstance(s, RecordDialog))
    assert isinstance(found, RecordDialog)
    return found


def is_open(rig: Rig) -> bool:
    return any(isinstance(screen, RecordDialog) for screen in rig.app.screen_stack)


def toasts(rig: Rig) -> list[str]:
    """Return what was told, in a toast or in the last line of a frozen picture."""
    found = [f"{n.title}: {n.message}" for n in rig.app._notifications]
    return found or [text for text in (rig.board.footer.told,) if text]


async def written(rig: Rig, files: EvidenceFiles, rows: int = 17) -> EvidenceRow:
    """Wait for the toast; return the row that is on disk then."""
    await rig.until(lambda: any("row recorded" in toast for toast in toasts(rig)))
    found = evidence.rows_in(files)
    assert len(found) == rows
    return found[-1]


async def focus(rig: Rig, name: str) -> None:
    dialog(rig).query_one(f"#{name}").focus()
    await rig.settle()


async def paste(rig: Rig, name: str, text: str) -> None:
    field = dialog(rig).query_one(f"#{name}", Input)
    field.focus()
    field.post_message(Paste(text))
    await rig.settle()


def decision(rig: Rig) -> str:
    return dialog(rig).decision


def preview(rig: Rig) -> EvidenceRow:
    return dialog(rig)._row
