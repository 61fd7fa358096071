"""A process on a pseudo-terminal of 80x24, with an emulator that knows what is on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Final, Self

import pyte

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

COLUMNS: Final = 80
ROWS: Final = 24
PATIENCE_S: Final = 15.0
"""How long a condition may take at worst; nothing is concluded from how long it took."""
_OURS: Final = ("UA_", "VP_TUI_", "TEXTUAL", "XDG_", "NO_COLOR")
"""How the variables begin that would make vp-tui another one here than on a fresh machine."""


class Terminal:
    """Runs `command` in `home`, which holds no configuration."""

    def __init__(
        self, command: Sequence[str], home: Path, size: tuple[int, int] = (COLUMNS, ROWS)
    ) -> None:
        self.output = b""
        columns, rows = size
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._fd, other_end = pty.openpty()
        fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=other_end,
            stdout=other_end,
            stderr=other_end,
            cwd=home,
            env=environment(home),
            start_new_session=True,
        )
        os.close(other_end)

    @property
    def pid(self) -> int:
        return self._process.pid

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

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

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
        readable, _, _ = select.select([self._fd], [], [], max(timeout_s, 0.0))
        if not readable:
            return True
        try:
            data = os.read(self._fd, 65_536)
        except OSError:  # Linux says EIO when nothing is open at the other end
            return False
        self.output += data
        self._stream.feed(data)
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._fd)


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a fresh machine whose home is `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
