"""Each step of a recording fails in turn, by an error or by the end of the process."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.rows import GOLDEN, facts, names, row

from vp_tui.domain.models import Failure
from vp_tui.domain.rollout.evidence_row import cells_from_snapshot, format_row, parse_log
from vp_tui.storage import atomic
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.evidence_log import Appended, is_interrupted, unwritten
from vp_tui.storage.rows import append_spooled, record_or_keep, record_row, spooled_rows
from vp_tui.storage.verification import verify

ROW, LATER = row("the row"), row("a later row", date="2026-02-17T09:00:00Z")
LINE = format_row(ROW).encode()
MARK = ".log.md.begun.vp-tui-tmp"
STEPS = ("open", "write", "fsync", "rename", "link", "unlink", "ftruncate", "pwrite", "exchange")
PREPARED = (False, True)
"""Whether a log with a record is there before."""


class KilledError(BaseException):
    """The process ended here."""


class Machine:
    """Counts what changes files; the call number `failing` does not happen, or half of it."""

    def __init__(self, failing: int, error: BaseException, *, for_good: bool) -> None:
        self.failing, self.error, self.for_good = failing, error, for_good
        self.calls, self.failed_call = 0, ""

    @property
    def failed(self) -> bool:
        return self.calls >= self.failing

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - stands for any function
            self.calls += 1
            if self.calls == self.failing:
                self.failed_call = name
                if name == "write":
                    function(args[0], bytes(args[1])[: len(args[1]) // 2])
            if self.calls == self.failing or (self.for_good and self.failed):
                raise self.error
            return function(*args, **kwargs)

        return call

    def run(self, action: Callable[[], Appended]) -> Appended:
        with pytest.MonkeyPatch.context() as patch:
            for name in STEPS[:-1]:
                patch.setattr(os, name, self.wrapped(name, getattr(os, name)))
            real = atomic._renameat2()
            assert real is not None
            exchange = self.wrapped("exchange", real)
            patch.setattr(atomic, "_renameat2", lambda: exchange)
            return action()


def scene(directory: Path, number: int, *, prepared: bool) -> Path:
    """Return a log in a directory of its own."""
    log = directory / f"{number}" / "log.md"
    log.parent.mkdir()
    log.write_bytes(GOLDEN)
    if prepared:
        record_row(log, row("an earlier row", date="2026-02-17T07:00:00Z"), facts())
    return log


def mismatches(log: Path) -> list[str]:
    return [found.reason for found in verify(log, cells_from_snapshot) if found.state == "MISMATCH"]


@pytest.mark.parametrize(
    ("prepared", "is_taken"), [(False, True), (True, False)], ids=["offered", "left to the next"]
)
def test_the_end_of_the_process_at_any_step_leaves_the_log_whole(
    tmp_path: Path, *, prepared: bool, is_taken: bool
) -> None:
    states = set()
    for number in range(1, 60):
        log = scene(tmp_path, number, prepared=prepared)
        before = log.read_bytes()
        machine = Machine(number, KilledError(), for_good=True)
        try:
            machine.run(partial(record_row, log, ROW, facts()))
        except KilledError:
            pass
        else:
            break
        written = log.read_bytes() != before
        assert log.read_bytes() == (grown(before) if written else before)
        lost = spooled_rows(tmp_path / "spool", log).rows
        states.add((written, bool(lost)))
        assert len(mismatches(log)) == len(lost)
        assert all("killed in between, the next row takes it along" in m for m in mismatches(log))
        assert [spooled.row for spooled in lost] in ([], [ROW])
        for spooled in lost:
            assert spooled.is_interrupted
            if is_taken:
                append_spooled(spooled)
        record_row(log, LATER, facts())
        assert mismatches(log) == []
        rows = [logged.row for logged in parse_log(log.read_bytes()).rows]
        assert rows.count(ROW) == (written or bool(lost))
        assert names(log.parent) == ["log.md", "log.md.lock", "log.md.snapshots.jsonl"]
    assert states == {(False, False), (False, True), (True, False)}
    assert not machine.failed


@pytest.mark.parametrize("prepared", PREPARED)
@pytest.mark.parametrize("number_of_error", [errno.ENOSPC, errno.EIO])
def test_an_error_at_any_step_leaves_the_log_and_keeps_the_row(
    tmp_path: Path, number_of_error: int, *, prepared: bool
) -> None:
    kept = 0
    for number in range(1, 60):
        log = scene(tmp_path, number, prepared=prepared)
        spool = tmp_path / f"spool {number}"
        before = log.read_bytes()
        error = OSError(number_of_error, os.strerror(number_of_error))
        machine = Machine(number, error, for_good=False)
        told = failure_of(machine, partial(record_or_keep, spool, log, ROW, facts()))
        if told is not None:
            kept += 1
            words = "the disk is full" if number_of_error == errno.ENOSPC else "Input/output error"
            assert words in told.reason
            assert f"the row is kept in {spool}" in told.cure
        assert log.read_bytes() in (before, grown(before))
        left = set(names(log.parent)) - {"log.md", "log.md.lock", "log.md.snapshots.jsonl"}
        is_begun = told is not None and unwritten(log) == ROW
        if log.read_bytes() == before:  # else the next row takes away what this one leaves
            assert machine.failed_call == "unlink" or left == ({MARK} if is_begun else set())
        (waiting,) = spooled_rows(spool, log).rows or (None,)
        assert (waiting is None) == (log.read_bytes() != before)
        if waiting is not None:
            append_spooled(waiting)
        assert log.read_bytes() == grown(before)
        assert mismatches(log) == []
        assert spooled_rows(spool, log).rows == ()
        assert not spool.exists() or names(spool) == []
        assert machine.failed_call == "unlink" or not is_interrupted(log)
        if not machine.failed:
            break
    assert kept >= 5
    assert not machine.failed


def failure_of(machine: Machine, action: Callable[[], Appended]) -> Failure | None:
    try:
        machine.run(action)
    except EvidenceError as error:
        return error.failure
    return None


def grown(before: bytes) -> bytes:
    span = parse_log(before).span
    assert span is not None
    return span.insert(before, LINE)


def test_a_row_that_cannot_even_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"")
    with pytest.raises(EvidenceError, match="its directory is not there; nor can the row be kept"):
        record_or_keep(tmp_path / "spool", tmp_path / "gone" / "log.md", ROW, facts())
