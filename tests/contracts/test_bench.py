"""The benchmarks are a program: every part runs, and none that fails costs the others theirs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest
from tests.bench import run as bench
from tests.bench.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST_FRAME: Final = {"runs", "bare_ms", "watch_ms", "ratio", "ratio_of_fastest", "version_ms"}
FLOOD: Final = {
    "sockets",
    "sent_per_s",
    "reduced_per_s",
    "lost",
    "lag_p50_ms",
    "lag_p99_ms",
    "cpu_percent",
    "cpu_percent_with_keys",
    "key_p50_ms",
    "key_p99_ms",
    "rss_mb",
}
FIGURES: Final = {
    "first_frame_80x24": FIRST_FRAME,
    "first_frame_160x45": FIRST_FRAME,
    "idle": {
        "cpu_percent",
        "cpu_percent_lowest",
        "cpu_percent_highest",
        "seconds",
        "rss_mb",
    },
    "flood_2000": FLOOD,
    "flood_10000": FLOOD,
    "flood_10000_not_recorded": FLOOD,
    "reduce": {"batch", "reduce_us_per_event", "parse_us_per_event"},
    "record": {"log_rows", "log_bytes", "snapshot_bytes", "median_ms", "p95_ms", "max_ms"},
}


OF_ITS_KIND: Final = FIGURES.keys() - {
    "first_frame_160x45",
    "flood_10000",
    "flood_10000_not_recorded",
}
"""A part of each kind: the others are the same function with another number or flag."""


def test_there_is_no_part_that_is_not_known_here() -> None:
    assert bench.PARTS.keys() == FIGURES.keys()


def test_a_part_of_each_kind_runs_and_gives_its_figures() -> None:
    process = subprocess.run(  # noqa: S603 - our own interpreter and our own file
        [sys.executable, bench.__file__, "--quick", "--only", *OF_ITS_KIND],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout, process.stderr
    told = json.loads(process.stdout)
    found = {each["name"]: set(each["figures"]) for each in told["benchmarks"]}
    errors = {each["name"]: each["error"] for each in told["benchmarks"] if each["error"]}
    assert errors == {}, process.stderr
    assert found == {name: FIGURES[name] for name in OF_ITS_KIND}
    assert process.returncode == 0


def _good(home: Path) -> Result:
    assert not list(home.iterdir())
    (home / "left").touch()
    return Result({"answer": 42})


def _missing(_home: Path) -> Result:
    return Result({"answer": 41}, "at least 42", met=False)


def _broken(_home: Path) -> Result:
    raise RuntimeError("never seen")


def _endless(_home: Path) -> Result:
    while True:
        try:
            time.sleep(60)
        except OSError:  # as code does that waits for a process or a socket
            continue


def _report(
    parts: dict[str, Callable[[Path], Result]],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, list[dict[str, object]]]:
    monkeypatch.setattr(bench, "PARTS", {name: bench.Part(run, run) for name, run in parts.items()})
    code = bench.main(words)
    return code, json.loads(capsys.readouterr().out)["benchmarks"]


@pytest.mark.parametrize(
    ("fails", "error"),
    [(_broken, "RuntimeError: never seen"), (_endless, "OutOfTimeError: not done within 0.2 s")],
)
def test_a_part_that_fails_or_hangs_costs_the_others_nothing(
    fails: Callable[[Path], Result],
    error: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(bench, "BOUND_S", 0.2)
    parts = {"first": _good, "fails": fails, "last": _good}
    code, report = _report(parts, [], monkeypatch, capsys)
    assert code == 1
    assert [(each["name"], each["figures"], each["error"]) for each in report] == [
        ("first", {"answer": 42}, ""),
        ("fails", {}, error),
        ("last", {"answer": 42}, ""),
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [([], 1), (["--quick"], 0), (["--only", "good"], 0), (["--only", "good", "missing"], 1)],
)
def test_a_missed_target_is_told_by_the_exit_code_unless_it_is_quick(
    words: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parts = {"good": _good, "missing": _missing}
    assert _report(parts, words, monkeypatch, capsys)[0] == code
