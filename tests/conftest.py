"""Settings of all tests, and the command line on a fresh machine."""

from __future__ import annotations

import os
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from vp_tui.cli import main as cli
from vp_tui.storage import places

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.command import Run

# Workers and processes that tests start find what another has compiled, whatever the shell says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A deadline would be a wall-clock assertion: it fails on a machine that is busy.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


_NUMBERS = count()


@pytest.fixture(autouse=True)
def _host_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Have the host's locks of each test in a directory of its own, made when it is needed."""
    here = tmp_path_factory.getbasetemp() / f"host-locks-{next(_NUMBERS)}"
    monkeypatch.setattr(places, "HOST_LOCKS", here)


@pytest.fixture
def vp_tui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run commands where nothing is configured, with `tmp_path` as home and working directory."""
    for name in list(os.environ):
        if name.startswith(("VP_TUI_", "UA_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run
