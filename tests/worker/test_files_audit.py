"""The audit as a feed: read when it changed, away from the loop, problems told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.builders import NOW

from vp_tui.domain.events import AuditRead
from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.storage.audit_log import append_action
from vp_tui.worker import files as audit_feed
from vp_tui.worker.files import AuditFeed

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event

RECORD = ActionRecord(NOW, "ana@laptop", "cancel", "a", "stuck", (), "failed", ActionKind.FAILED)


class Desk:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[Event] = []
        self.feed = AuditFeed(path, self.told.append, lambda: 7.0)

    async def look(self) -> list[AuditRead]:
        """Return what one more look told."""
        self.told.clear()
        await self.feed.look()
        return [event for event in self.told if isinstance(event, AuditRead)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "audit.jsonl")


async def test_no_audit_yet_is_no_action_and_told_once(desk: Desk) -> None:
    assert await desk.look() == [AuditRead(7.0, ())]
    assert await desk.look() == []


async def test_it_is_read_again_when_it_changed(desk: Desk) -> None:
    await desk.look()
    append_action(desk.path, RECORD)
    assert await desk.look() == [AuditRead(7.0, (RECORD,))]
    assert await desk.look() == []


async def test_only_the_newest_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_feed, "ACTIONS_KEPT", 2)
    for target in "abc":
        append_action(desk.path, RECORD._replace(target=target))
    (read,) = await desk.look()
    assert [record.target for record in read.records] == ["b", "c"]


async def test_lines_that_tell_nothing_are_counted(desk: Desk) -> None:
    desk.path.write_text("torn\n")
    append_action(desk.path, RECORD)
    (read,) = await desk.look()
    assert (read.records, read.unreadable) == ((RECORD,), 1)


async def test_why_it_cannot_be_read_is_told_once_and_again_when_it_can(desk: Desk) -> None:
    desk.path.mkdir()
    (read,) = await desk.look()
    assert read.problem is not None
    assert "it is a directory" in read.problem.reason
    assert await desk.look() == []
    desk.path.rmdir()
    append_action(desk.path, RECORD)
    assert await desk.look() == [AuditRead(7.0, (RECORD,))]


async def test_what_may_not_be_read_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("vp_tui.storage.audit_log._newest_lines", denied)
    (read,) = await desk.look()
    assert read.problem is not None
    assert "it may not be read" in read.problem.reason
