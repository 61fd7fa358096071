"""The audit as a feed: read when it changed, away from the loop, problems told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.builders import NOW

from vp_tui.domain.events import AuditRead
from vp_tui.domain.orders import NOT_KNOWN, ActionKind, ActionRecord, Holder, seen
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.locks import HostLock
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
        self.lock = HostLock(path.with_name("locks") / "a.lock")
        self.left: tuple[ActionRecord, ...] = ()
        self.feed = AuditFeed(path, self.told.append, lambda: 7.0, self._lock_of, lambda: self.left)

    def _lock_of(self, record: ActionRecord) -> HostLock | None:
        return HostLock(self.lock._path) if record.gateway == "here" else None

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


BEGUN = RECORD._replace(result="begun", kind=ActionKind.BEGUN, gateway="here")
INTERRUPTED = BEGUN._replace(result=NOT_KNOWN, kind=ActionKind.INTERRUPTED)


async def test_what_is_begun_is_interrupted_once_nobody_is_at_it(desk: Desk) -> None:
    desk.lock.take("whoever is at it")
    append_action(desk.path, BEGUN)
    (read,) = await desk.look()
    assert (read.records, read.interrupted) == ((BEGUN,), ())
    await desk.look()
    assert await desk.look() == []
    desk.lock.release()
    (read,) = await desk.look()
    assert read.records == read.interrupted == (INTERRUPTED,)
    await desk.look()
    assert await desk.look() == []


async def test_what_has_ended_is_told_once_in_whatever_order_its_lines_came(desk: Desk) -> None:
    ended = BEGUN._replace(result="failed", kind=ActionKind.FAILED)
    for other in (BEGUN, ended, BEGUN):
        append_action(desk.path, other)
    (read,) = await desk.look()
    assert (read.records, read.interrupted) == ((ended,), ())


async def test_an_interrupted_action_is_over_once_somebody_has_seen_it(desk: Desk) -> None:
    append_action(desk.path, BEGUN)
    await desk.look()
    append_action(desk.path, seen(INTERRUPTED, "ben@laptop", NOW))
    read = (await desk.look())[-1]
    assert read.interrupted == ()
    (line,) = read.records
    assert (line.kind, line.result) == (ActionKind.UNKNOWN, f"unknown: {NOT_KNOWN}")
    assert line.steps[-1].detail == "by ben@laptop"


async def test_what_another_user_was_ended_in_is_told_until_it_is_seen(desk: Desk) -> None:
    await desk.look()
    desk.left = (Holder("ana@laptop", "restarting the gateway", NOW).interrupted("here", "vp"),)
    (read,) = await desk.look()
    assert read.interrupted == read.records == desk.left
    assert await desk.look() == []
    append_action(desk.path, seen(desk.left[0], "ben@laptop", NOW))
    (read,) = await desk.look()
    assert read.interrupted == ()
    assert [line.steps[-1].detail for line in read.records] == ["by ben@laptop"]


async def test_what_was_begun_elsewhere_is_no_matter_of_this_watch(desk: Desk) -> None:
    append_action(desk.path, BEGUN._replace(gateway="elsewhere"))
    (read,) = await desk.look()
    assert read.interrupted == ()
    assert [one.kind for one in read.records] == [ActionKind.BEGUN]
