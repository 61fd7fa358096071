"""kill -9 of a process that records rows, as the screen does and as `vp-tui capture` does.

After each, the row that was begun is offered, or left to the next `capture`; it is in the log once,
no row that was told of is lost, nothing is torn, and `verify` is green.
"""

from __future__ import annotations

import time
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.patience import PATIENCE_S
from tests.support.rows import GOLDEN, facts, row

from vp_tui.cli.capture_row import append
from vp_tui.cli.config.settings import Settings
from vp_tui.domain.rollout.evidence_row import cells_from_snapshot, parse_log
from vp_tui.storage.evidence_log import is_interrupted, read_log
from vp_tui.storage.places import Places
from vp_tui.storage.rows import record_or_keep
from vp_tui.storage.verification import verify
from vp_tui.worker.evidence import append_waiting, waiting_rows

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from random import Random

KILLS_PER_LOG: Final = 20
"""Then a new log is begun: looking at a long one takes long."""
LONGEST_LIFE_S: Final = 0.1
WAYS: Final = ("screen", "capture")
"""Of recording, in turn; and of what comes after the kill."""


def run(count: int, chance: Random) -> dict[str, int]:
    told = finished = 0
    for first in range(0, count, KILLS_PER_LOG):
        with TemporaryDirectory(prefix="vp-tui-kills-") as directory:
            log, own = Path(directory) / "log.md", list[str]()
            log.write_bytes(GOLDEN)
            for number in range(first, min(first + KILLS_PER_LOG, count)):
                way, then = WAYS[number % 2], WAYS[number // 2 % 2]
                own += killed(log, number, way, chance.uniform(0.0, LONGEST_LIFE_S))
                finished += settle(log, number, then, own)
                look(log, own)
            told += len(own)
    return {"rows_told": told, "rows_finished_later": finished}


def killed(log: Path, number: int, way: str, life_s: float) -> list[str]:
    """Let a process record rows and kill it; return the notes of those it told of."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=record_for_ever, args=(log, number, way, theirs))
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


def record_for_ever(log: Path, number: int, way: str, told: Connection) -> None:
    """Record rows; tell of each when it is there, before the first that it begins."""
    told.send("begun")
    count = 0
    while True:
        note = f"kill {number} row {count}"
        record(log, number, way, note)
        told.send(note)
        count += 1


def record(log: Path, number: int, way: str, note: str) -> list[str]:
    """Record a row in one of the ways; return what was narrated."""
    own = row(note, window=f"window {number}.{note}")
    if way == "capture":
        return list(append(places(log), Settings(), log, own, facts(window=note)))
    _, seen = read_log(log)
    record_or_keep(places(log).spool, log, own, facts(window=note), expected=seen)
    return []


def places(log: Path) -> Places:
    return Places(log.parent / "state")


def settle(log: Path, number: int, way: str, told: list[str]) -> int:
    """Start again: append what is offered, or capture the next row; return what had waited."""
    waiting = waiting_rows(places(log).spool, log)
    assert waiting.warnings == ()
    if way == "capture":
        note = f"after kill {number}"
        narrated = record(log, number, way, note)
        told.append(note)
        assert sum("had waited" in line for line in narrated) == len(waiting.rows)
    else:
        for done in append_waiting(places(log).spool, log, [each.row for each in waiting.rows]):
            assert done.problem is None
    assert not waiting_rows(places(log).spool, log).rows
    assert way == "screen" or not is_interrupted(log)
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
