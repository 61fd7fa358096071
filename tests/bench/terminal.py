"""A process on a pseudo-terminal, read as steadily as a terminal emulator would."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.support.pty_process import PtyProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

TIMEOUT_S: Final = 20.0
ASKED_EVERY_S: Final = 0.1
REST_S: Final = 2.0
"""Longer than acting keys rest, and than `q` waits for another key."""


class Terminal(PtyProcess):
    """Keeps the time of what comes, and nothing else of it."""

    def __init__(self, command: Sequence[str], size: tuple[int, int], home: Path) -> None:
        self.started_at = time.perf_counter()
        super().__init__(command, size, home)
        self._is_over = False

    def until(self, seen: Callable[[bytes], bool], timeout_s: float = TIMEOUT_S) -> float:
        """Read until `seen` says so of all that came since the call; return when that was."""
        screen, end = b"", time.perf_counter() + timeout_s
        while (now := time.perf_counter()) < end and not self._is_over:
            screen += self._read(end - now)
            if seen(screen):
                return time.perf_counter()
        raise RuntimeError(f"never seen; the last bytes: {screen[-2000:]!r}")

    def read_until(self, holds: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> None:
        """Read until something holds that the screen does not tell, asked every ASKED_EVERY_S."""
        end = time.perf_counter() + timeout_s
        while not holds():
            if self._is_over or time.perf_counter() > end:
                raise RuntimeError("what was waited for never came")
            self.read_for(ASKED_EVERY_S)

    def read_for(self, seconds: float) -> None:
        """Read for so long, or until the process has ended."""
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end and not self._is_over:
            self._read(end - now)

    def leave(self) -> int:
        """Press `q` until vp-tui ends, for one behind other keys may be typed; return its code."""
        end = time.perf_counter() + TIMEOUT_S
        while not self._is_over and time.perf_counter() < end:
            self.press("q")
            self.read_for(REST_S)
        return self._process.wait(TIMEOUT_S)

    def _read(self, timeout_s: float) -> bytes:
        read = self.receive(timeout_s)
        self._is_over = read == b""
        return read or b""
