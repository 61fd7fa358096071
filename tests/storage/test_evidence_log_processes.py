"""Several processes write one log."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tests.support.rows import GOLDEN, append_many, names, save_often

from vp_tui.domain.rollout.evidence_row import cells_from_snapshot, parse_log
from vp_tui.storage.verification import verify

WORKERS, ROWS, EDITS = 8, 40, 150


@contextmanager
def processes(*calls: tuple[Any, ...]) -> Iterator[list[BaseProcess]]:
    """Run functions in processes of their own and wait for them."""
    context = get_context("spawn")
    started: list[BaseProcess] = [context.Process(target=f, args=args) for f, *args in calls]
    for process in started:
        process.start()
    try:
        yield started
        for process in started:
            process.join(50)
            assert process.exitcode == 0
    finally:
        for process in started:
            process.kill()


def test_eight_processes_lose_and_tear_no_row(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    log.write_bytes(GOLDEN)
    with processes(*((append_many, log, worker, ROWS) for worker in range(WORKERS))):
        pass
    table = parse_log(log.read_bytes())
    notes = [row.row.notes for row in table.rows[16:]]
    assert sorted(notes) == sorted(
        f"worker {w} row {n}" for w in range(WORKERS) for n in range(ROWS)
    )
    for worker in range(WORKERS):
        own = [note for note in notes if note.startswith(f"worker {worker} ")]
        assert own == [f"worker {worker} row {number}" for number in range(ROWS)]
    assert table.warnings == ()
    span = parse_log(GOLDEN).span
    assert span is not None
    assert log.read_bytes().startswith(GOLDEN[: span.end])
    assert log.read_bytes().endswith(GOLDEN[span.end :])
    found = verify(log, cells_from_snapshot)
    assert [finding.state for finding in found] == ["unverified"] * 16 + ["ok"] * WORKERS * ROWS
    assert names(tmp_path) == ["log.md", "log.md.lock", "log.md.snapshots.jsonl"]


def test_an_editor_that_saves_all_the_time_loses_nothing_of_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    log.write_bytes(GOLDEN)
    with processes((append_many, log, 0, 40), (save_often, log, EDITS)):
        pass
    edits = [line for line in log.read_text().splitlines() if line.startswith("edit ")]
    assert edits == [f"edit {number}" for number in range(EDITS)]
    assert parse_log(log.read_bytes()).warnings == ()


def test_the_first_row_of_all_is_not_lost_either(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    with processes(*((append_many, log, worker, 5) for worker in range(4))):
        pass
    assert len(parse_log(log.read_bytes()).rows) == 20
