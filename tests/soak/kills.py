"""kill -9 of a process that records rows: no row that it told of is lost, and nothing is torn."""

from __future__ import annotations

import time
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.patience import PATIENCE_S
from tests.support.rows import GOLDEN, facts, row

from vp_tui.domain.rollout.evidence_row import cells_from_snapshot, parse_log
from vp_tui.storage.rows import append_spooled, record_row, spooled_rows
from vp_tui.storage.verification import verify

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from random import Random

KILLS_PER_LOG: Final = 20
"""Then a new log is begun: looking at a long one takes long."""
LONGEST_LIFE_S: Final = 0.1


def run(count: int, chance: Random) -> dict[str, int]:
    told = finished = 0
    for first in range(0, count, KILLS_PER_LOG):
        with TemporaryDirectory(prefix="vp-tui-kills-") as directory:
            log, own = Path(directory) / "log.md", list[str]()
            log.write_bytes(GOLDEN)
            for number in range(first, min(first + KILLS_PER_LOG, count)):
                own += killed(log, number, chance.uniform(0.0, LONGEST_LIFE_S))
                finished += settle(log)
                look(log, own)
            told += len(own)
    return {"rows_told": told, "rows_finished_later": finished}


def killed(log: Path, number: int, life_s: float) -> list[str]:
    """Let a process record rows and kill it; return the notes of those it told of."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=record_for_ever, args=(log, number, theirs))
    process.start()
    theirs.close()
    assert ours.poll(PATIENCE_S), "it did not begin"
    time.sleep(life_s)
    process.kill()
    process.join()
    told = list[str]()
    try:
        while True:
            told.append(ours.recv())
    except EOFError:
        return told[1:]


def record_for_ever(log: Path, number: int, told: Connection) -> None:
    """Record rows; tell of each when it is there, before the first that it begins."""
    told.send("begun")
    count = 0
    while True:
        note = f"kill {number} row {count}"
        record_row(log, row(note, window=f"window {number}.{count}"), facts(window=note))
        told.send(note)
        count += 1


def settle(log: Path) -> int:
    """Append the row that was recorded and not written, as the next start offers it."""
    waiting = spooled_rows(log.parent / "spool", log)
    assert waiting.warnings == ()
    for each in waiting.rows:
        append_spooled(each)
    return len(waiting.rows)


def look(log: Path, told: list[str]) -> None:
    """Assert that the log is whole, with every row that was told of, once."""
    data = log.read_bytes()
    table, golden = parse_log(data), parse_log(GOLDEN)
    assert table.warnings == ()
    assert golden.span is not None
    assert data.startswith(GOLDEN[: golden.span.end])
    assert data.endswith(GOLDEN[golden.span.end :])
    notes = [logged.row.notes for logged in table.rows[len(golden.rows) :]]
    assert len(set(notes)) == len(notes)
    assert set(told) <= set(notes)
    found = {finding.state for finding in verify(log, cells_from_snapshot)}
    assert found <= {"ok", "unverified"}
