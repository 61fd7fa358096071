"""A process on a pseudo-terminal, read as steadily as a terminal emulator would."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

TIMEOUT_S: Final = 20.0
_CHUNK: Final = 65_536
_DROPPED: Final = ("UA_", "VP_TUI_", "TEXTUAL", "XDG_", "PYTHON", "NO_COLOR")
"""How the names of variables begin that would make one machine's figures unlike another's."""


class Terminal:
    """Runs `command` on a terminal of (columns, rows) in `home`, which holds no configuration."""

    def __init__(self, command: Sequence[str], size: tuple[int, int], home: Path) -> None:
        self._fd, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started_at = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - the benchmarks' own commands
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=home,
            env=_environment(home),
            start_new_session=True,
        )
        os.close(slave)
        self._is_over = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def until(self, seen: Callable[[bytes], bool], timeout_s: float = TIMEOUT_S) -> float:
        """Read until `seen` says so of all that came since the call; return when that was."""
        screen, end = b"", time.perf_counter() + timeout_s
        while (now := time.perf_counter()) < end and not self._is_over:
            screen += self._read(end - now)
            if seen(screen):
                return time.perf_counter()
        raise RuntimeError(f"never seen; the last bytes: {screen[-2000:]!r}")

    def read_for(self, seconds: float) -> None:
        """Read for so long, or until the process has ended."""
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end and not self._is_over:
            self._read(end - now)

    def wait(self) -> int:
        """Read until the process has ended; return its exit code."""
        self.read_for(TIMEOUT_S)
        return self._process.wait(TIMEOUT_S)

    def _read(self, timeout_s: float) -> bytes:
        readable, _, _ = select.select([self._fd], [], [], timeout_s)
        try:
            read = os.read(self._fd, _CHUNK) if readable else b""
        except OSError:  # Linux says EIO where others say that the file has ended
            read = b""
        self._is_over = bool(readable) and not read
        return read

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


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    return kept | {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
