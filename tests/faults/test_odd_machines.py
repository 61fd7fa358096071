"""A machine that lacks what is usual: each command works, or says in a sentence what it misses."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from tests.support.hostile import HOSTILE

from vp_tui.storage.places import NOWHERE, state_dir
from vp_tui.ui.kit.terminal import in_ascii

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from tests.support.command import Run

URL: Final = "http://127.0.0.1:9"
"""Nobody listens there."""


def test_without_a_working_directory_only_what_is_relative_is_missing(
    vp_tui: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, out, err = vp_tui("config", "show")
    assert (code, "gateway_url" in out) == (0, True)
    assert "the working directory is gone" in err
    code, out, _ = vp_tui("doctor", "--gateway-url", URL)
    assert (code, "could not be looked at" in out) == (2, True)
    code, out, err = vp_tui("status", "--gateway-url", URL, "--settle", "0")
    assert (code, "LOST" in out) == (2, True)
    code, out, err = vp_tui("evidence", "show", "log.md")
    assert (code, out) == (2, "")
    assert err.startswith(f"ERROR: {NOWHERE}/log.md: ")
    assert vp_tui("config", "show", "--config", "x.toml")[0] == 2
    (tmp_path / "x.toml").touch()
    assert vp_tui("config", "show", "--config", str(tmp_path / "x.toml"))[0] == 0


def test_without_a_home_nothing_is_written_into_the_working_directory(
    vp_tui: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_name(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", no_name)
    for home in (None, "", "relative"):
        monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
        assert state_dir(os.environ).is_relative_to(NOWHERE)
        code, _, err = vp_tui("status", "--gateway-url", URL, "--settle", "0")
        assert code == 2
        assert "set HOME, or XDG_STATE_HOME and XDG_CONFIG_HOME" in err
        monkeypatch.setenv("HOME", "")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_dir(os.environ).parent == tmp_path


def test_a_full_stdout_is_told_whatever_was_to_be_printed() -> None:
    with open("/dev/full", "w", encoding="ascii") as full:  # noqa: PTH123 - a device
        words = [sys.executable, "-m", "vp_tui", "--version"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False)  # noqa: S603 - ourselves
    told = b"ERROR: stdout cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, told)


def test_a_terminal_without_utf_8_gets_ascii_in_the_same_columns() -> None:
    assert in_ascii("▸ ● ok ✗ “x…” ─┐│ ▁▃█ é 日 \x1b[0m") == '> * ok x "x~" -+| _.# e ?? \x1b[0m'
    for text in HOSTILE.values():
        drawn = in_ascii(text)
        assert drawn.isascii()
        assert cell_len(drawn) == sum(map(cell_len, text))
