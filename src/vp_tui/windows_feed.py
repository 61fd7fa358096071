"""The window as it is kept: read again whenever another vp-tui, or this one, changed it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vp_tui.domain.events import WindowsRead
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.windows import read_windows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event

_Stamp = tuple[int, int, int]


class WindowsFeed:
    """Tells the windows of one file when they changed.

    A file that cannot be read is tried each time, and told once: what was known still stands.
    """

    def __init__(
        self, path: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._emit = emit
        self._clock = clock
        self._seen: _Stamp | None = None
        """The file's stamp when it was last read without a problem."""
        self._told_problem: str | None = None

    async def look(self) -> None:
        """Read the file, away from the loop, if it changed."""
        event = await asyncio.to_thread(self._read)
        if event is not None:
            self._emit(event)

    def _read(self) -> WindowsRead | None:
        # The stamp is taken first: what changes meanwhile is read again.
        stamp = self._stamp()
        if stamp == self._seen and self._told_problem is None:
            return None
        try:
            windows = read_windows(self._path)
        except EvidenceError as error:
            if self._told_problem == str(error):
                return None
            self._told_problem = str(error)
            return WindowsRead(self._clock(), (), self._told_problem)
        self._seen, self._told_problem = stamp, None
        return WindowsRead(self._clock(), windows)

    def _stamp(self) -> _Stamp | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
