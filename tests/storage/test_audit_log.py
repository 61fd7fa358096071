from __future__ import annotations

import errno
import fcntl
import json
import os
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from vp_tui.domain.models import ActionStep
from vp_tui.domain.orders import ActionRecord
from vp_tui.domain.text import literal
from vp_tui.storage import audit_log as audit
from vp_tui.storage.audit_log import AuditTail, append_action, newest_actions
from vp_tui.storage.errors import AuditError

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 23, 3, 7, 44, tzinfo=UTC)
WORKERS, LINES = 6, 40


def action(target: str = "session_1", reason: str = "stuck") -> ActionRecord:
    steps = (ActionStep(AT, "requested"), ActionStep(AT, "answered", "task_cancelled=true"))
    return ActionRecord(AT, "ann@laptop", "cancel", target, reason, steps, "recovered")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "vp-tui" / "audit.jsonl"


def append_many(path: Path, worker: int) -> None:
    """Append as one process of several."""
    for number in range(LINES):
        append_action(path, action(f"worker {worker} action {number}"), wait_s=60)


def test_without_an_audit_there_is_nothing(path: Path) -> None:
    assert newest_actions(path, 10) == AuditTail()
    assert not path.parent.exists()


def test_an_action_is_one_line_for_the_owner_only(path: Path) -> None:
    append_action(path, action(reason="two\nlines \u2028 ✓"))
    append_action(path, action("session_2"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    first, second = path.read_bytes().splitlines()
    assert json.loads(first)["reason"] == "two␊lines \u2039U+2028\u203a ✓"
    assert list(json.loads(second)) == [
        "at", "actor", "gateway", "vp_id", "action", "target", "reason", "steps", "result",
    ]  # fmt: skip


def test_the_newest_come_oldest_first(path: Path) -> None:
    for number in range(7):
        append_action(path, action(f"s{number}"))
    assert [record.target for record in newest_actions(path, 3).records] == ["s4", "s5", "s6"]
    assert len(newest_actions(path, 100).records) == 7
    assert newest_actions(path, 0) == AuditTail()


def test_what_is_there_is_never_changed(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"by hand\r\n\n\xff")
    path.chmod(0o640)
    append_action(path, action())
    assert path.read_bytes().startswith(b"by hand\r\n\n\xff\n{")
    assert path.stat().st_mode & 0o777 == 0o640
    assert newest_actions(path, 10) == AuditTail((action(),), unreadable=2)


def test_a_torn_line_costs_no_other(path: Path) -> None:
    append_action(path, action("whole"))
    whole = path.read_bytes()
    for end in range(1, len(whole) - 1):
        path.write_bytes(whole + whole[:end])
        assert [record.target for record in newest_actions(path, 9).records] == ["whole"]
        append_action(path, action("next"))
        tail = newest_actions(path, 9)
        assert [record.target for record in tail.records] == ["whole", "next"]
        assert tail.unreadable == 1


def test_a_huge_audit_is_read_from_its_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        append_action(path, action(f"s{number}"))
    line = len(path.read_bytes().splitlines(keepends=True)[-1])
    monkeypatch.setattr(audit, "READ_AT_MOST", 3 * line + 10)
    assert [record.target for record in newest_actions(path, 99).records] == ["s27", "s28", "s29"]


def test_deep_json_is_no_crash(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"[" * 100_000 + b"\n")
    assert newest_actions(path, 1) == AuditTail((), unreadable=1)


def test_several_processes_lose_and_tear_nothing(path: Path) -> None:
    context = get_context("spawn")
    writers = [context.Process(target=append_many, args=(path, w)) for w in range(WORKERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(50)
    assert [writer.exitcode for writer in writers] == [0] * WORKERS
    tail = newest_actions(path, 10_000)
    assert tail.unreadable == 0
    for worker in range(WORKERS):
        own = [r.target for r in tail.records if r.target.startswith(f"worker {worker} ")]
        assert own == [f"worker {worker} action {number}" for number in range(LINES)]


def failure_of(path: Path) -> AuditError:
    with pytest.raises(AuditError) as caught:
        append_action(path, action(), wait_s=0.0)
    told = caught.value.failure
    assert str(path) in told.reason
    assert told.cure
    assert str(caught.value) == literal(str(caught.value))
    return caught.value


def test_a_full_disk_is_told_with_its_cure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    told = failure_of(path).failure
    assert "the disk is full" in told.reason
    assert told.cure == "free some space"


def test_half_a_line_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_action(path, action("before"))
    before = path.read_bytes()
    write = os.write

    def half(fd: int, data: memoryview) -> int:
        write(fd, bytes(data)[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        failure_of(path)
    assert path.read_bytes() == before


def test_a_directory_in_its_place_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    assert "it is a directory" in failure_of(path).failure.reason
    with pytest.raises(AuditError, match="it is a directory"):
        newest_actions(path, 1)


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    told = failure_of(tmp_path / "state" / "audit.jsonl").failure
    assert "XDG_STATE_HOME" in told.cure


def test_it_does_not_wait_for_ever_for_others(path: Path) -> None:
    append_action(path, action())
    with path.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert "others are writing it" in failure_of(path).failure.reason
    append_action(path, action())
    assert len(newest_actions(path, 9).records) == 2
