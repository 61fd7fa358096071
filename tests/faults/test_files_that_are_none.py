"""Pipes, directories and links in the place of a file: named, never waited for or written over."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.support.rows import GOLDEN, facts, row

from vp_tui.domain.lane.switches import FORCE_FALLBACK
from vp_tui.domain.orders import ActionRecord
from vp_tui.domain.rollout.evidence_row import cells_from_snapshot
from vp_tui.domain.rollout.windows import Window
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.storage.audit_log import append_action, newest_actions
from vp_tui.storage.env_switches import read_switches, set_switch
from vp_tui.storage.errors import EvidenceError, StorageError
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.records import RecordsFollower, records_path
from vp_tui.storage.rows import record_or_keep, record_row, spooled_rows
from vp_tui.storage.verification import verify
from vp_tui.storage.windows import change_windows, read_windows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def pipe(path: Path) -> None:
    os.mkfifo(path)


def directory(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path)


def link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere" / "file")


WINDOW = Window("w", "s", Stage.SHADOW, Traffic.ORGANIC, datetime(2026, 2, 17, tzinfo=UTC), None)
NAMED: dict[Callable[[Path], None], str] = {
    pipe: "a pipe",
    directory: "a directory",
    loop: "lead in a circle",
    link: "is not there",
}
RECORD = ActionRecord(datetime(2026, 2, 17, tzinfo=UTC), "ann@host", "record", "w", "", (), "done")
WRITES: tuple[Callable[[Path], object], ...] = (
    lambda path: record_row(path, row(), facts()),
    lambda path: append_action(path, RECORD),
)
READS: tuple[Callable[[Path], object], ...] = (
    read_log,
    lambda path: verify(path, cells_from_snapshot),
    read_switches,
    lambda path: newest_actions(path, 9),
    read_windows,
    lambda path: set_switch(path, FORCE_FALLBACK),
    lambda path: change_windows(path, lambda _: (WINDOW,)),
)


@pytest.mark.parametrize("make", NAMED)
def test_what_is_no_file_is_named_and_stays(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "file"
    make(path)
    before = path.lstat()
    for act in (*WRITES, *READS) if make is not link else WRITES:  # to read, it is not there yet
        with pytest.raises(StorageError, match=NAMED[make]):
            act(path)
    assert os.path.samestat(path.lstat(), before)


@pytest.mark.parametrize("make", NAMED)
def test_no_lock_and_no_records_that_are_no_file(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    log, spool = tmp_path / "log.md", tmp_path / "spool"
    log.write_bytes(GOLDEN)
    for beside in (log.with_name("log.md.lock"), records_path(log)):
        make(beside)
        with pytest.raises(EvidenceError, match=beside.name) as raised:
            record_or_keep(spool, log, row(), facts())
        assert NAMED[make] in str(raised.value) or "link" in str(raised.value)
        assert f"kept in {spool}" in str(raised.value)
        assert log.read_bytes() == GOLDEN
        if beside == records_path(log) and make is not link:
            with pytest.raises(EvidenceError, match=NAMED[make]):
                verify(log, cells_from_snapshot)
            with pytest.raises(OSError, match=r"it is|links"):
                RecordsFollower().read(beside)
        beside.rmdir() if beside.is_dir() else beside.unlink()
    assert len(spooled_rows(spool, log).rows) == 2
    make(spool / "0.json")
    found = spooled_rows(spool, log)
    assert (len(found.rows), len(found.warnings)) == (2, 1)
