"""`vp-tui replay --json`: what a script gets of a recording."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from vp_tui.cli.main import main
from vp_tui.storage.recording_files import BUNDLED

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_it_prints_the_status_at_the_end_or_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--bundled", "--json"]) == 0
    at_end = printed(capsys)
    assert at_end["suggestion"]["decision"] == "GO_BROADER_TRAFFIC_ACTIVE"
    assert main(["replay", "--bundled", "--json", "--at", "02:05"]) == 1
    before = printed(capsys)
    assert before["generated_at"] == "2026-11-23T02:05:00Z"
    assert "stuck" in {run["level"] for run in before["runs"]}
    assert before["suggestion"]["decision"] == "BLOCKED_EXECUTION_PIPELINE"


def test_what_it_cannot_play_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.md"
    log.write_text("# Evidence\n")
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(gzip.decompress(BUNDLED.read_bytes()) + b'{"kind":"\\u001b[2J","at":1.0}\n')
    for words, told in (
        ([], "name the FILE"),
        ([str(log)], "is no recording of vp-tui"),
        ([str(tmp_path / "absent")], "its directory is not there"),
        (["--bundled", "--at", "noon"], "seconds or a UTC time"),
    ):
        assert main(["replay", *words, "--json"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert told in line
    assert main(["replay", str(odd), "--json"]) == 0
    told = capsys.readouterr().err
    assert "WARNING" in told
    assert "\x1b" not in told
