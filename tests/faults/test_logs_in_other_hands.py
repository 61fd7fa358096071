"""An evidence log that an editor or a merge left half done: told, and not written into."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest
from tests.support import evidence
from tests.support.builders import state
from tests.support.rows import GOLDEN, facts, row

from vp_tui.cli.capture_row import append
from vp_tui.cli.config.settings import Settings
from vp_tui.cli.doctor.diagnosis import file_checks
from vp_tui.domain.rollout.evidence_row import parse_log
from vp_tui.state.store import Store
from vp_tui.storage import evidence_log
from vp_tui.storage.errors import EvidenceError, LogChanged, LogDamaged
from vp_tui.storage.evidence_log import append_row, read_log
from vp_tui.storage.places import Places
from vp_tui.storage.records import records_path
from vp_tui.storage.rows import record_row, spooled_rows
from vp_tui.ui.lines.evidence import meanwhile
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View
from vp_tui.worker.evidence import Preceded, Recorder, Written

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Run

LINES = GOLDEN.split(b"\n")
LAST = next(n for n, line in reversed(list(enumerate(LINES))) if line.startswith(b"| 2026"))
HEADER = next(n for n, line in enumerate(LINES) if line.startswith(b"| Date (UTC)"))


def changed(*put: bytes, at: int) -> bytes:
    """Return the golden log with lines put in front of one of its lines."""
    return b"\n".join([*LINES[:at], *put, *LINES[at:]])


MERGED = changed(
    b"<<<<<<< HEAD", LINES[LAST], b"=======", LINES[LAST], b">>>>>>> theirs", at=LAST + 1
)
CUT = changed(b"", at=LAST - 1)
TWICE = changed(b"", LINES[HEADER], LINES[HEADER + 1], at=LAST)
DAMAGED = {
    MERGED: f"line {LAST + 2} is a conflict marker: a merge is not decided yet",
    CUT: f"2 rows stand behind the table's end, the first in line {LAST + 1}",
    TWICE: f"1 row stands behind the table's end, the first in line {LAST + 4}",
}
WHOLE = (
    GOLDEN,
    GOLDEN + b"\n```\n<<<<<<< HEAD\n```\n",
    GOLDEN + b"\nTitle\n=======\n",
    GOLDEN + b"\n## Another\n\n| a | b | c | d | e | f | g | h |\n",
)


def test_what_is_wrong_with_a_table_is_told_and_no_more() -> None:
    assert [parse_log(data).damage for data in DAMAGED] == list(DAMAGED.values())
    assert [parse_log(data).damage for data in WHOLE] == [None] * len(WHOLE)
    told = [warning.partition(":")[0] for warning in parse_log(MERGED).warnings]
    assert told == [f"line {LAST + 2}", f"line {LAST + 6}", f"line {LAST + 3}", f"line {LAST + 5}"]


@pytest.mark.parametrize("data", DAMAGED)
def test_nothing_is_written_into_it_until_it_is_mended(tmp_path: Path, data: bytes) -> None:
    log, places = tmp_path / "log.md", Places(tmp_path / "state")
    log.write_bytes(data)
    with pytest.raises(LogDamaged, match="mend it, then append the row again"):
        record_row(log, row(), facts())
    with pytest.raises(EvidenceError, match="the row is kept in "):
        list(append(places, Settings(), log, row(), facts()))
    assert log.read_bytes() == data
    assert not records_path(log).exists()
    check, _, waits, *_ = file_checks(Settings(evidence=log), places)
    assert (check.verdict, check.detail) == ("wrong", f"{log}: {DAMAGED[data]}")
    assert waits.detail == "1 row waits for the log"
    log.write_bytes(GOLDEN)
    told = list(append(places, Settings(), log, row("the next"), facts()))
    assert "had waited: it is line 34 now" in told[0]
    assert [logged.row for logged in read_log(log)[0].rows[-2:]] == [row(), row("the next")]
    assert spooled_rows(places.spool, log).rows == ()


def test_only_what_was_shown_is_written_despite(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    log.write_bytes(CUT)
    with pytest.raises(LogDamaged):
        append_row(log, row(), despite=DAMAGED[MERGED])
    assert append_row(log, row(), despite=DAMAGED[CUT]).line == LAST


def test_verify_tells_of_it(vp_tui: Run, tmp_path: Path) -> None:
    (tmp_path / "log.md").write_bytes(MERGED)
    _, _, err = vp_tui("evidence", "verify", "log.md")
    assert f"WARNING: line {LAST + 2}: a conflict marker that a merge left" in err


async def test_the_screen_tells_it_and_asks_for_the_engineers_word(tmp_path: Path) -> None:
    files = evidence.evidence_files(tmp_path)
    log = evidence.log_of(files)
    log.write_bytes(CUT)
    store = Store(state(evidence=str(log)))
    store.apply(evidence.read(files))
    recorder, view = Recorder(files, store, "ann@host"), View(store.state, 1.0)
    assert [each.reason for each in troubles(view) if each.what == "evidence log"] == [DAMAGED[CUT]]
    draft, choice = draft_row(view), Choice("HOLD_SHADOW")
    asked = await recorder.record(draft, choice)
    assert isinstance(asked, Preceded)
    assert meanwhile(asked).startswith(f"{DAMAGED[CUT]}: enter writes all the same, esc leaves")
    assert (log.read_bytes(), spooled_rows(files.spool, log).rows) == (CUT, ())
    written = await recorder.record(draft, choice._replace(despite=asked.damage))
    assert isinstance(written, Written)
    assert written.line == LAST


def test_of_a_huge_log_the_newest_rows_are_read_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    with log.open("wb") as file:
        file.seek(500 * 1024 * 1024)  # a hole, which reads as zeros
        file.write(b"\n" + GOLDEN)
    tracemalloc.start()
    table, _ = read_log(log)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * 1024 * 1024
    assert [each.row for each in table.rows] == [each.row for each in parse_log(GOLDEN).rows]
    assert table.rows[0].line == parse_log(GOLDEN).rows[0].line + 1
    assert table.warnings == ("it is larger than 8 MiB: only its newest rows are read",)
    with pytest.raises(EvidenceError, match="it has 500 MiB, and more than 64 are too many"):
        record_row(log, row(), facts())


def test_a_large_log_is_written_as_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_log, "TAIL", 4096)
    log = tmp_path / "log.md"
    log.write_bytes(GOLDEN)
    for number in range(40):
        _, seen = read_log(log)
        appended = append_row(log, row(f"row {number}"), expected=seen)
        table, now = read_log(log)
        assert (table.rows[-1].line, now) == (appended.line, appended.fingerprint)
    whole, _ = read_log(log, is_whole=True)
    assert len(table.rows) < len(whole.rows) == 56
    assert [(each.line, each.row) for each in table.rows] == [
        (each.line, each.row) for each in whole.rows[-len(table.rows) :]
    ]
    with pytest.raises(LogChanged):
        append_row(log, row(), expected=seen)


def test_a_row_that_somebody_took_out_is_told_and_not_put_back_unasked(tmp_path: Path) -> None:
    log, places = tmp_path / "log.md", Places(tmp_path / "state")
    log.write_bytes(GOLDEN)
    record_row(log, row(), facts())
    log.write_bytes(GOLDEN)
    told = [(check.name, check.verdict) for check in file_checks(Settings(evidence=log), places)]
    assert told.count(("kept rows", "wrong")) == 1
    assert next(append(places, Settings(), log, row("the next"), facts())).startswith("WARNING: ")
    assert [logged.row.notes for logged in read_log(log)[0].rows].count("clean") == 0
