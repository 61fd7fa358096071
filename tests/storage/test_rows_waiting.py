import json
from pathlib import Path

import pytest
from tests.support.rows import GOLDEN, facts, names, row

from vp_tui.domain.rollout.evidence_row import cells_from_snapshot, format_row, parse_log
from vp_tui.storage.errors import EvidenceError, LogChanged
from vp_tui.storage.evidence_log import append_row, is_recorded, read_log
from vp_tui.storage.records import records_path
from vp_tui.storage.rows import (
    SpooledRow,
    append_spooled,
    drop,
    keep,
    record_or_keep,
    record_row,
    spooled_rows,
)
from vp_tui.storage.verification import verify

REASON = EvidenceError("the disk is full", "free some space")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    return path


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spool"


def test_a_row_is_kept_as_it_was_meant(log: Path, spool: Path) -> None:
    hard = row("a|b\\ \n\u202e \udcff " * 3000)
    file = keep(spool, log, hard, facts(), because=REASON)
    assert file.stat().st_mode & 0o777 == 0o600
    assert spool.stat().st_mode & 0o777 == 0o700
    assert spooled_rows(spool, log).rows == (SpooledRow(log, hard, facts(), file, str(REASON)),)
    assert json.loads(file.read_bytes())["log"] == str(log)
    assert names(spool) == [file.name]


def test_rows_wait_for_their_own_log_oldest_first(log: Path, spool: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.md"
    link.symlink_to(log)
    for notes in ("first", "second"):
        keep(spool, link, row(notes), None, because=REASON)
    keep(spool, tmp_path / "other.md", row("of another log"), None, because=REASON)
    assert [spooled.row.notes for spooled in spooled_rows(spool, log).rows] == ["first", "second"]
    assert spooled_rows(spool, link) == spooled_rows(spool, log)


def test_a_row_that_failed_is_appended_later(tmp_path: Path, spool: Path) -> None:
    log = tmp_path / "later" / "log.md"
    with pytest.raises(EvidenceError, match="its directory is not there; make the directory"):
        record_or_keep(spool, log, row(), facts())
    log.parent.mkdir()
    (waiting,) = spooled_rows(spool, log).rows
    assert append_spooled(waiting).line == 7
    assert [found.state for found in verify(log, cells_from_snapshot)] == ["ok"]
    assert (spooled_rows(spool, log).rows, names(spool)) == ((), [])


def test_a_row_that_fails_again_goes_on_waiting(tmp_path: Path, spool: Path) -> None:
    log = tmp_path / "never" / "log.md"
    keep(spool, log, row(), facts(), because=REASON)
    (waiting,) = spooled_rows(spool, log).rows
    with pytest.raises(EvidenceError):
        append_spooled(waiting)
    assert spooled_rows(spool, log).rows == (waiting,)
    drop(waiting)
    drop(waiting)
    assert spooled_rows(spool, log).rows == ()


def test_a_record_is_not_written_twice(
    log: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(spool, log, row(), facts(), because=REASON)
    copy = log.read_bytes()
    record_row(log, row(), facts())
    log.write_bytes(copy)
    (waiting,) = spooled_rows(spool, log).rows
    assert waiting.file is not None
    append_spooled(waiting)
    assert len(records_path(log).read_bytes().splitlines()) == 1
    assert [found.state for found in verify(log, cells_from_snapshot)][16:] == ["ok"]


def test_a_row_that_only_its_record_has_waits_too(log: Path, spool: Path) -> None:
    copy = log.read_bytes()
    record_row(log, row(), facts())
    log.write_bytes(copy)
    (waiting,) = spooled_rows(spool, log).rows
    assert waiting == SpooledRow(log, row(), None, None)
    append_spooled(waiting)
    assert spooled_rows(spool, log).rows == ()


def test_a_row_that_the_log_has_is_dropped(log: Path, spool: Path) -> None:
    keep(spool, log, row(), facts(), because=REASON)
    append_row(log, row())
    assert spooled_rows(spool, log).rows == ()
    assert names(spool) == []


def test_a_log_that_changed_keeps_nothing(log: Path, spool: Path) -> None:
    _, seen = read_log(log)
    append_row(log, row("of somebody else"))
    with pytest.raises(LogChanged):
        record_or_keep(spool, log, row(), facts(), expected=seen)
    assert not spool.exists()


def test_what_cannot_be_read_is_told_and_stays(log: Path, spool: Path) -> None:
    keep(spool, log, row(), facts(), because=REASON)
    for number, junk in enumerate(
        (b"", b"[]", b"{}", b'{"format": "other"}', b"\xff", b"[" * 9999)
    ):
        (spool / f"junk {number}.json").write_bytes(junk)
    found = spooled_rows(spool, log)
    assert len(found.rows) == 1
    assert len(found.warnings) == 6
    assert "it cannot be read as a kept row" in found.warnings[0]
    assert len(names(spool)) == 7


def test_rows_of_a_log_that_cannot_be_read_are_told_all_the_same(
    tmp_path: Path, spool: Path
) -> None:
    log = tmp_path / "log.md"
    log.mkdir()
    with pytest.raises(EvidenceError, match="it is a directory"):
        record_or_keep(spool, log, row(), facts())
    found = spooled_rows(spool, log)
    assert len(found.rows) == 1
    assert "it is a directory" in found.warnings[0]


def test_recording_through_the_spool_is_recording(log: Path, spool: Path) -> None:
    appended = record_or_keep(spool, log, row(), facts())
    assert appended.line == 34
    assert parse_log(log.read_bytes()).rows[-1].row == row()
    assert not spool.exists()
    assert is_recorded(log, format_row(row()).encode())
