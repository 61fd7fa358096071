"""What is drawn on its way to the terminal: never waited for, and whole again after a hang."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
from threading import Event
from typing import TYPE_CHECKING

import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.ui.kit.terminal import HUNG_S, TMUX_S, WAITING, Outlet, Tmux

if TYPE_CHECKING:
    from collections.abc import Iterator

PICTURE = "x" * WAITING
"""As much as may wait at once, and more than a line takes of what is not read."""


class Line:
    """A terminal that is read when the test reads it, and a clock that stands still."""

    def __init__(self) -> None:
        self.far_end, self.near_end = os.pipe()
        fcntl.fcntl(self.near_end, fcntl.F_SETPIPE_SZ, 4096)
        self.now = 0.0
        self.torn, self.gone = Event(), Event()
        self.outlet = Outlet(self.near_end, self.torn.set, self.gone.set, lambda: self.now)
        self.outlet.start()

    def read(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            got += os.read(self.far_end, size - len(got))
        return got

    def read_until(self, told: Event) -> None:
        """Read what there is until that is told."""
        while not told.is_set() or select.select([self.far_end], [], [], 0.0)[0]:
            if select.select([self.far_end], [], [], 0.01)[0]:
                os.read(self.far_end, WAITING)

    def hang(self) -> None:
        """Have it write more than is read until that stands still, and more than may wait."""
        self.outlet.write(PICTURE)
        while self.outlet.hung_s() < HUNG_S:
            self.now += HUNG_S
        for _ in range(2):
            self.outlet.write(PICTURE)


@pytest.fixture(name="line")
def _line() -> Iterator[Line]:
    line = Line()
    yield line
    os.close(line.far_end)


def test_what_is_written_comes_out_in_its_order(line: Line) -> None:
    for text in ("one ", "zwei ", "●"):
        line.outlet.write(text)
    assert line.read(12).decode() == "one zwei ●"


def test_a_terminal_that_is_not_read_holds_nobody_up_and_is_drawn_anew(line: Line) -> None:
    line.hang()
    for _ in range(100):
        line.outlet.write(PICTURE)
    line.read_until(line.torn)
    line.outlet.write("whole")
    assert line.read(5) == b"whole"


def test_it_hangs_while_a_piece_is_not_taken(line: Line) -> None:
    assert line.outlet.hung_s() == 0.0
    line.hang()
    assert min(line.outlet.hung_s(), line.outlet.behind_s()) >= HUNG_S
    line.read_until(line.torn)
    line.outlet.end_last(PATIENCE_S)
    assert line.outlet.hung_s() == line.outlet.behind_s() == 0.0


def test_the_last_bytes_come_also_behind_what_was_let_go(line: Line) -> None:
    line.hang()
    line.outlet.begin_last()
    for _ in range(3):
        line.outlet.write(PICTURE)
    line.outlet.write("last")
    got = b""
    while not got.endswith(b"last"):
        got += os.read(line.far_end, WAITING)
    assert not line.torn.is_set()


def test_one_that_is_gone_is_told_once_and_takes_all() -> None:
    line = Line()
    os.close(line.far_end)
    line.outlet.write("nobody reads this")
    assert line.gone.wait(PATIENCE_S)
    line.outlet.write(PICTURE)
    line.outlet.end_last(PATIENCE_S)
    line.outlet.join(PATIENCE_S)
    assert not line.outlet.is_alive()


class Answers:
    """A tmux that says how many are attached; "" for none that answers."""

    def __init__(self, *answers: str) -> None:
        self.left = list(answers)

    def __call__(self, pane: str) -> str:
        assert pane == "%3"
        answer = self.left.pop(0)
        if not answer:
            raise subprocess.TimeoutExpired("tmux", 1.0)
        return answer


def test_tmux_is_asked_now_and_then() -> None:
    answers = Answers("1", "0", "", "2")
    tmux, seen = Tmux("%3", answers), []
    for step in range(4):
        tmux.look(step * TMUX_S)
        tmux.look(step * TMUX_S + TMUX_S / 2)
        seen.append(tmux.is_detached)
    assert seen == [False, True, False, False]
    assert answers.left == []


def test_elsewhere_tmux_is_not_asked() -> None:
    tmux = Tmux(None, Answers())
    tmux.look(0.0)
    assert not tmux.is_detached
