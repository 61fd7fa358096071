import json
from functools import partial
from pathlib import Path

import pytest
from tests.support.command import Run
from tests.support.rows import GOLDEN, WINDOW, facts, row

from vp_tui.storage.rows import record_row


@pytest.fixture
def run(vp_tui: Run, tmp_path: Path) -> Run:
    (tmp_path / "log.md").write_bytes(GOLDEN)
    return partial(vp_tui, "evidence")


def test_show_prints_every_row_as_json(run: Run) -> None:
    code, out, err = run("show", "log.md", "--json")
    shown = json.loads(out)
    assert (code, err) == (0, "")
    assert list(shown) == ["rows", "warnings"]
    assert set(shown["rows"][0]) == {
        "date", "window", "scope", "refs", "fallback_rate", "p95_latency", "decision", "notes",
        "line",
    }  # fmt: skip
    assert [found["line"] for found in shown["rows"]] == list(range(18, 34))
    assert shown["rows"][9]["p95_latency"] == "38.305s"


def test_show_prints_a_table_to_read(run: Run) -> None:
    code, out, err = run("show", "log.md")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 17)
    assert lines[0].split() == ["line", "date", "(UTC)", "rate", "p95", "decision", "window"]
    assert lines[10].split()[:5] == [
        "27", "2026-02-16T15:21:04Z", "0.000", "38.305s", "READY_FOR_LIMITED_COHORT_PILOT",
    ]  # fmt: skip
    assert lines[10].index("Limited") == lines[0].index("window")


def test_show_is_safe_to_print_and_tells_what_is_odd(run: Run, tmp_path: Path) -> None:
    odd = GOLDEN.replace(b"Kickoff prep", b"Kick\x1b[2Joff").replace(
        b"| n/a | n/a | START", b"| START"
    )
    (tmp_path / "log.md").write_bytes(odd)
    code, out, err = run("show", "log.md")
    assert code == 0
    assert "Kick␛[2Joff" in out
    assert err == "WARNING: line 18: a row has 8 cells, this one has 6\n"


def test_verify_names_the_row_in_which_a_byte_was_changed(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log.md"
    record_row(log, row(), facts(), heads=tmp_path / ".local/state/vp-tui/heads")
    code, out, err = run("verify", "log.md")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "17 checked: 1 ok, 16 unverified, 0 MISMATCH"
    log.write_bytes(log.read_bytes().replace(b"| organic turns |", b"| organic turnz |"))
    code, out, err = run("verify", "log.md")
    [told] = [line for line in out.splitlines() if line.startswith("MISMATCH")]
    assert (code, err) == (1, "")
    assert WINDOW in told


@pytest.mark.parametrize("command", ["show", "verify"])
def test_a_log_that_cannot_be_read_is_one_line_and_exit_2(
    run: Run, tmp_path: Path, command: str
) -> None:
    missing = tmp_path / "no.md"
    expected = f"ERROR: {missing}: there is no such file; name an evidence log\n"
    assert run(command, "no.md") == (2, "", expected)
    (tmp_path / "directory").mkdir()
    code, out, err = run(command, "directory")
    assert (code, out) == (2, "")
    assert err.startswith(f"ERROR: {tmp_path}/directory: ")
