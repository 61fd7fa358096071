"""Two engineers, each at a vp-tui of their own: one gateway, one evidence log, one window."""

from __future__ import annotations

import os
import re
import sys
import time
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from tests.support.desk import NEXT, golden_log, rows_of
from tests.support.patience import PATIENCE_S
from tests.support.terminal import Terminal
from tests.support.tmux import REFUSED, RELUCTANT_S

from vp_tui.cli.show import verify_report
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IS_OPEN: Final = re.compile(r"stage broadened  window 5, \d+s")
IS_ASKED: Final = re.compile(r"(wrote HOLD_SHADOW|HOLD_SHADOW was written) for this window at ")
WRITTEN: Final = "row recorded"


class Two:
    """Two real processes under different names. Both are read all the time: none waits for us."""

    def __init__(self, url: str, log: Path, home: Path) -> None:
        self.ana, self.ben = (self._started(who, url, log, home) for who in ("ana", "ben"))

    def _started(self, who: str, url: str, log: Path, home: Path) -> Terminal:
        command = ("-m", "vp_tui", "--gateway-url", url, "--evidence", str(log))
        with patch.dict(os.environ, LOGNAME=who):
            return Terminal([sys.executable, *command], home)

    def until(self, seen: Callable[[str, str], object]) -> None:
        """Read both screens until they are as wanted: ana's and ben's."""
        end = time.monotonic() + PATIENCE_S
        while not seen(self.ana.text, self.ben.text):
            assert time.monotonic() < end, f"not seen on:\n{self.ana.text}\n{self.ben.text}"
            for terminal in (self.ana, self.ben):
                assert terminal.read(0.02), f"ended before it was seen:\n{terminal.text}"

    def confirm(self, who: Terminal, seen: Callable[[str, str], object]) -> None:
        """Press enter until it is taken: one that may not be meant is asked for again."""
        who.press("\r")
        pressed = time.monotonic()

        def taken(ana: str, ben: str) -> object:
            nonlocal pressed
            if REFUSED[0] in who.text and time.monotonic() - pressed > RELUCTANT_S:
                who.press("\r")
                pressed = time.monotonic()
            return seen(ana, ben)

        self.until(taken)

    def press(self, keys: str) -> None:
        """Hit the same keys on both at once."""
        self.ana.press(keys)
        self.ben.press(keys)


def test_both_record_one_window_at_once_and_nobody_is_overrun(tmp_path: Path) -> None:
    log = golden_log(tmp_path)
    golden = log.read_bytes()
    with spawn_gateway(SimOptions(scenario="idle")) as gateway:
        two = Two(gateway.url, log, tmp_path)
        with two.ana, two.ben:
            two.until(lambda *screens: all(text.startswith(" LIVE ") for text in screens))
            two.ana.press("w")
            two.until(lambda ana, _ben: "BEGIN AN OBSERVATION WINDOW" in ana)
            two.confirm(two.ana, lambda *screens: all(IS_OPEN.search(text) for text in screens))
            two.press("R")
            two.until(lambda *screens: sorted(map(told, screens)) == ["asked", "written"])
            assert len(rows_of(log)) == 17
            asked, other = two.ana, two.ben
            if told(asked.text) != "asked":
                asked, other = other, asked
            two.confirm(asked, lambda *_screens: told(asked.text) == "written")
            two.press("e")
            two.until(lambda *screens: all(tells_both_rows(text) for text in screens))
    *_, first, second = rows_of(log)
    assert (first.window, second.window) == (NEXT, NEXT)
    lines = log.read_bytes().splitlines(keepends=True)
    assert b"".join(line for line in lines if NEXT.encode() not in line) == golden
    findings, code = verify_report(log)
    assert code == 0
    assert sum(line.startswith("ok") for line in findings) == 2


def told(screen: str) -> str:
    """Return what became of the row, by what the screen says."""
    if IS_ASKED.search(screen):
        return "asked"
    return "written" if WRITTEN in screen else ""


def tells_both_rows(screen: str) -> bool:
    return " EVIDENCE " in screen and "18 rows" in screen and screen.count("broadened 5") == 2
