"""Lies that the audit told: one dry run as two, and a row that nobody had written."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.builders import NOW
from tests.support.evidence import evidence_files
from tests.support.rig import Rig

from vp_tui.domain.orders import ActionRecord, AuditOnce
from vp_tui.domain.vocabulary import Word
from vp_tui.storage.audit_log import newest_actions
from vp_tui.views.draft import Choice, draft_row
from vp_tui.worker.evidence import Written
from vp_tui.worker.orders import AuditBook, OrderRunner

if TYPE_CHECKING:
    from pathlib import Path

HERE = ("http://127.0.0.1:8002", "vp.coder.primary")


def dry_run(seconds: float = 0.0, why: str = "", **fields: Any) -> ActionRecord:  # noqa: ANN401 - fields of one
    result = f"dry run: {why or 'fallback would be forced now'}"
    at = NOW + timedelta(seconds=seconds)
    done = ActionRecord(at, "ana@laptop", "auto-revert", HERE[1], "3 of 20", (), result)
    return done._replace(**{"gateway": HERE[0], "vp_id": HERE[1], **fields})


def watching(audit: Path) -> OrderRunner:
    book = AuditBook(audit, "ana@laptop", *HERE, HERE[0])
    return OrderRunner(None, book, lambda event: pytest.fail(str(event)), lambda: 0.0)


@pytest.mark.parametrize(
    ("second", "lines"),
    [
        (dry_run(1.0, "no actuator is configured", actor="bo@desk"), 1),
        (dry_run(1.0, gateway="http://other:8002"), 2),
        (dry_run(1.0, vp_id="vp.coder.other"), 2),
    ],
)
async def test_a_dry_run_of_two_that_watch_at_once_was_audited_twice(
    tmp_path: Path, second: ActionRecord, lines: int
) -> None:
    audit, since = tmp_path / "audit.jsonl", NOW - timedelta(minutes=9)
    await asyncio.gather(
        *(watching(audit).carry_out(AuditOnce(done, since)) for done in (dry_run(), second))
    )
    assert len(newest_actions(audit, 9).records) == lines


async def test_the_dry_run_of_a_later_trip_is_another(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    await watching(audit).carry_out(AuditOnce(dry_run(), NOW - timedelta(minutes=9)))
    later = dry_run(600.0)
    await watching(audit).carry_out(AuditOnce(later, NOW + timedelta(seconds=1)))
    assert newest_actions(audit, 9).records == (dry_run(), later)


async def test_a_row_that_was_written_was_in_no_audit(tmp_path: Path) -> None:
    rig = Rig(evidence_files(tmp_path), tmp_path, evidence="evidence_log.md")
    draft = draft_row(rig.lane.live.look())
    written = await rig.lane.commands.record(draft, Choice(Word.HOLD_SHADOW, "why not", "a note"))
    assert isinstance(written, Written)
    (told,) = [order for order in rig.network.feeds.asked if isinstance(order, ActionRecord)]
    assert (told.what, told.target, told.reason) == ("record", "Shadow window #1", "why not")
    assert told.result == f"HOLD_SHADOW, line {written.line} of evidence_log.md"
