"""Rows that wait for their log are appended once, oldest first, with their records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.rows import GOLDEN, facts, row

from vp_tui.domain.rollout.evidence_row import cells_from_snapshot
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.evidence_log import append_row, read_log
from vp_tui.storage.rows import append_spooled, keep, record_row, spooled_rows
from vp_tui.storage.verification import verify
from vp_tui.worker import evidence as waiting_module
from vp_tui.worker.evidence import append_waiting, waiting_rows

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.storage.evidence_log import Appended
    from vp_tui.storage.rows import SpooledRow

FULL = EvidenceError("the disk is full", "free some space")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    return path


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def notes(log: Path) -> list[str]:
    return [logged.row.notes for logged in read_log(log)[0].rows[16:]]


def test_each_row_tells_where_it_is_kept_and_why(log: Path, spool: Path) -> None:
    file = keep(spool, log, row("first"), facts(), because=FULL)
    (found,) = waiting_rows(spool, log).rows
    assert (found.row, found.kept_in) == (row("first"), str(file))
    assert found.because == "the disk is full; free some space"


def test_a_row_that_only_its_record_has_has_no_file(log: Path, spool: Path) -> None:
    copy = log.read_bytes()
    record_row(log, row(), facts())
    log.write_bytes(copy)
    (found,) = waiting_rows(spool, log).rows
    assert (found.row, found.kept_in, found.because) == (row(), None, None)


def test_nothing_waits_where_nothing_is(log: Path, spool: Path) -> None:
    assert waiting_rows(spool, log).rows == ()
    assert list(append_waiting(spool, log, [row()])) == []


def test_only_what_was_asked_for_is_appended(log: Path, spool: Path) -> None:
    for text in ("first", "second", "third"):
        keep(spool, log, row(text), facts(), because=FULL)
    done = list(append_waiting(spool, log, [row("third"), row("first")]))
    assert [(one.row.notes, one.line, one.problem) for one in done] == [
        ("first", 34, None), ("third", 35, None),
    ]  # fmt: skip
    assert notes(log) == ["first", "third"]
    assert [found.state for found in verify(log, cells_from_snapshot)][16:] == ["ok", "ok"]
    assert [found.row.notes for found in waiting_rows(spool, log).rows] == ["second"]


def test_what_keeps_one_out_keeps_the_others_waiting(tmp_path: Path, spool: Path) -> None:
    log = tmp_path / "gone" / "log.md"
    for text in ("first", "second"):
        keep(spool, log, row(text), facts(), because=FULL)
    (failed,) = append_waiting(spool, log, [row("first"), row("second")])
    assert (failed.row.notes, failed.line) == ("first", None)
    assert failed.problem is not None
    assert "its directory is not there" in failed.problem.reason
    assert len(waiting_rows(spool, log).rows) == 2


def test_a_row_that_another_appends_at_the_same_time_is_not_doubled(
    log: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(spool, log, row("first"), facts(), because=FULL)

    def overtaken(kept: SpooledRow, expected: str | None, _heads: None) -> Appended:
        monkeypatch.setattr(waiting_module, "append_spooled", append_spooled)
        append_spooled(spooled_rows(spool, log).rows[0])
        return append_spooled(kept, expected)

    monkeypatch.setattr(waiting_module, "append_spooled", overtaken)
    assert list(append_waiting(spool, log, [row("first")])) == []
    assert notes(log) == ["first"]


def test_a_row_goes_behind_those_that_others_write_meanwhile(
    log: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(spool, log, row("mine"), facts(), because=FULL)

    def overtaken(kept: SpooledRow, expected: str | None, _heads: None) -> Appended:
        monkeypatch.setattr(waiting_module, "append_spooled", append_spooled)
        append_row(log, row("theirs"))
        return append_spooled(kept, expected)

    monkeypatch.setattr(waiting_module, "append_spooled", overtaken)
    (done,) = append_waiting(spool, log, [row("mine")])
    assert done.line == 35
    assert notes(log) == ["theirs", "mine"]


def test_a_log_that_never_rests_leaves_the_row_waiting(
    log: Path, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(spool, log, row("mine"), facts(), because=FULL)

    def overtaken(kept: SpooledRow, expected: str | None, _heads: None) -> Appended:
        append_row(log, row(f"theirs {len(notes(log))}"))
        return append_spooled(kept, expected)

    monkeypatch.setattr(waiting_module, "append_spooled", overtaken)
    (done,) = append_waiting(spool, log, [row("mine")])
    assert done.line is None
    assert done.problem is not None
    assert "mine" not in notes(log)
    assert len(waiting_rows(spool, log).rows) == 1
