"""The end of a log's records is cut off: the chain cannot tell it, what was kept elsewhere can."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.support.rows import GOLDEN, facts, row

from vp_tui.cli.capture_row import append
from vp_tui.cli.config.settings import Settings
from vp_tui.cli.show import verify_report
from vp_tui.storage.places import Places
from vp_tui.storage.records import records_path
from vp_tui.storage.rows import record_row
from vp_tui.storage.verification import not_vouched_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Run

CUT = "MISMATCH    not in log  {}: {} written here from 2026-02-17T08:00:00Z on are not there"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a log with three records."""
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    for number in range(3):
        own = row(window=f"window {number}")
        list(append(Places(tmp_path / "state"), Settings(), path, own, facts(window=own.window)))
    return path


def keep_records(log: Path, count: int) -> None:
    path = records_path(log)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:count]))


def test_the_end_of_the_chain_is_missed(log: Path, tmp_path: Path) -> None:
    report = partial(verify_report, log, tmp_path / "state" / "heads")
    lines, code = report()
    assert (len(lines), code) == (20, 0)
    whole = records_path(log).read_bytes()
    for left, told in ((2, "1 record"), (1, "2 records"), (0, "3 records")):
        keep_records(log, left)
        lines, code = report()
        assert code == 1
        assert lines[-2].startswith(CUT.format(f"window {left}", told))
        assert verify_report(log)[1] == 0  # nothing else would tell
        records_path(log).write_bytes(whole)
    keep_records(log, 2)
    record_row(log, row("after the cut"), facts(), heads=tmp_path / "state" / "heads")
    lines, code = report()
    assert (code, lines[-2].startswith(CUT.format("window 2", "1 record"))) == (1, True)


def test_what_was_not_kept_here_is_told_and_no_alarm(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vp_tui: Run
) -> None:
    heads = tmp_path / "state" / "heads"
    assert not_vouched_for(log, heads) is None
    (file,) = heads.iterdir()
    file.write_bytes(file.read_bytes() + b'{"torn')  # by a crash
    assert verify_report(log, heads)[1] == 0
    name = os.uname().nodename
    other = os.uname_result(("Linux", "elsewhere", "6", "1", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: other)
    keep_records(log, 1)
    assert verify_report(log, heads)[1] == 0
    unknown = "heads of its records: whether their end was cut off is not known"
    assert not_vouched_for(log, heads) == f"only {name} has kept {unknown}"
    code, _, err = vp_tui("evidence", "verify", "log.md")  # its own state is another directory
    assert (code, err) == (0, f"WARNING: this host has kept no {unknown}\n")


def test_a_new_log_in_the_old_ones_place_begins_anew(log: Path, tmp_path: Path) -> None:
    log.unlink()
    records_path(log).unlink()
    heads = tmp_path / "state" / "heads"
    record_row(log, row(), facts(), heads=heads)
    assert verify_report(log, heads)[1] == 0
    assert not_vouched_for(tmp_path / "none.md", heads) is None
