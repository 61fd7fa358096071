import json
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.support.rows import GOLDEN, WINDOW, facts, row

from vp_tui.cli.show import show, verify_report
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.rows import record_row


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.md"
    path.write_bytes(GOLDEN)
    return path


def test_show_has_every_row_unescaped(log: Path) -> None:
    record_row(log, row("a|b\\\nc"), facts())
    shown = show(log)
    assert list(shown) == ["rows", "warnings"]
    assert len(shown["rows"]) == 17
    assert shown["rows"][-1] == asdict(row("a|b\\\nc")) | {"line": 34}
    assert json.loads(json.dumps(shown)) == shown


def test_show_tells_what_is_odd(log: Path) -> None:
    log.write_bytes(GOLDEN.replace(b"| n/a | n/a | START_SHADOW_WINDOW", b"| START_SHADOW_WINDOW"))
    shown = show(log)
    assert len(shown["rows"]) == 16
    assert shown["warnings"] == ["line 18: a row has 8 cells, this one has 6"]


def test_a_sound_log_verifies(log: Path) -> None:
    record_row(log, row(), facts())
    lines, code = verify_report(log)
    assert code == 0
    assert len(lines) == 18
    assert lines[0] == "unverified  line 18     Kickoff prep: it has no record"
    assert lines[16] == f"ok          line 34     {WINDOW}"
    assert lines[17] == "17 checked: 1 ok, 16 unverified, 0 MISMATCH"


def test_a_changed_row_is_a_mismatch_with_exit_code_1(log: Path) -> None:
    record_row(log, row(), facts())
    log.write_bytes(log.read_bytes().replace(b"| clean |", b"| clear |"))
    lines, code = verify_report(log)
    assert code == 1
    told = "the row was changed after it was recorded"
    assert lines[16] == f"MISMATCH    line 34     {WINDOW}: {told}"
    log.unlink()
    lines, code = verify_report(log)
    assert code == 1
    assert lines[0].startswith(f"MISMATCH    not in log  {WINDOW}: the row of record 1")


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    for command in (show, verify_report):
        with pytest.raises(EvidenceError, match="there is no such file"):
            command(tmp_path / "log.md")


def test_windows_are_shown_safely(tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    record_row(log, row(window="#1 \x1b[2J\n\u202e"), facts())
    lines, code = verify_report(log)
    assert code == 0
    assert lines[0].isprintable()
