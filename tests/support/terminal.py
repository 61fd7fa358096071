"""A process on a pseudo-terminal of 80x24, with an emulator that knows what is on its screen."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Final

import pyte
from tests.support.patience import PATIENCE_S
from tests.support.pty_process import PtyProcess

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence
    from pathlib import Path

COLUMNS: Final = 80
ROWS: Final = 24


class Terminal(PtyProcess):
    """Keeps all that came, and shows it as a terminal would."""

    def __init__(
        self, command: Sequence[str], home: Path, size: tuple[int, int] = (COLUMNS, ROWS)
    ) -> None:
        self.output = b""
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        super().__init__(command, size, home, subprocess.DEVNULL)  # all is drawn on stdout

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def until(self, seen: Callable[[str], object]) -> str:
        """Read until the screen's text is as wanted; return it."""
        end = time.monotonic() + PATIENCE_S
        while not seen(self.text):
            left_s = end - time.monotonic()
            assert left_s > 0, f"not seen on this screen:\n{self.text}"
            assert self.read(left_s), f"ended before it was seen:\n{self.text}"
        return self.text

    def forget(self) -> None:
        """Clear the screen, so that only what is drawn anew is on it."""
        self._screen.reset()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def exit_code(self) -> int:
        """Read until the process has closed the terminal; return its exit code."""
        end = time.monotonic() + PATIENCE_S
        while self.read(end - time.monotonic()):
            assert time.monotonic() < end, f"still running:\n{self.text}"
        return self._process.wait(PATIENCE_S)

    @property
    def is_restored(self) -> bool:
        """Whether the shell would find the terminal as it was: own screen, cursor, no mouse."""
        modes = {b"?1049": b"l", b"?25": b"h", b"?1000": b"l", b"?2004": b"l"}
        found = {mode: self.output.rpartition(b"\x1b[" + mode)[2][:1] for mode in modes}
        return found == modes

    def read(self, timeout_s: float) -> bool:
        """Take what comes next; False at the end of the output."""
        data = self.receive(timeout_s)
        if data:
            self.output += data
            self._stream.feed(data)
        return data != b""
