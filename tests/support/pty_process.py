"""A process on a pseudo-terminal, as on a fresh machine."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

_CHUNK: Final = 65_536
_DROPPED: Final = ("UA_", "VP_TUI_", "TEXTUAL", "XDG_", "PYTHON", "NO_COLOR")
"""How the names of variables begin that would make one machine unlike another."""


class PtyProcess:
    """Runs `command` on a terminal of (columns, rows) in `home`, which holds no configuration.

    `stderr` is as of subprocess; None: the terminal too.
    """

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int],
        home: Path,
        stderr: int | None = None,
    ) -> None:
        self._fd, other_end = pty.openpty()
        columns, rows = size
        fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(  # noqa: S603 - the tests' own commands
            command,
            stdin=other_end,
            stdout=other_end,
            stderr=other_end if stderr is None else stderr,
            cwd=home,
            env=environment(home),
            start_new_session=True,
        )
        os.close(other_end)

    @property
    def pid(self) -> int:
        return self._process.pid

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def hang_up(self) -> None:
        """Take the terminal away."""
        os.close(self._fd)
        self._fd = -1

    def receive(self, timeout_s: float) -> bytes | None:
        """Return what comes next; None when nothing came in time, b"" at the end of the output."""
        readable, _, _ = select.select([self._fd], [], [], max(timeout_s, 0.0))
        if not readable:
            return None
        try:
            return os.read(self._fd, _CHUNK)
        except OSError:  # Linux says EIO where others say that the file has ended
            return b""

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
        if self._fd >= 0:
            os.close(self._fd)


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a fresh machine whose home is `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    return kept | {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
