"""The report of the continuity suites, read again whenever the file changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vp_tui.domain.events import SuitesRead
from vp_tui.storage.suites import read_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event


class SuitesFeed:
    """Tells what one report says, once and whenever its file changed."""

    def __init__(
        self, report: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._report = report
        self._emit = emit
        self._clock = clock
        self._seen: object = self
        """The file's stamps when it was read; at first nothing that a stamp equals."""

    async def look(self) -> None:
        """Read the report if it changed, away from the loop, and tell it."""
        event = await asyncio.to_thread(self._read)
        if event is not None:
            self._emit(event)

    def _read(self) -> SuitesRead | None:
        # The stamps are taken first: what changes meanwhile is read again.
        stamps = _stamps(self._report)
        if stamps == self._seen:
            return None
        self._seen = stamps
        return SuitesRead(self._clock(), read_report(self._report))


def _stamps(path: Path) -> tuple[int, int, int] | int | None:
    """Return what changes with a file: why there is none, for one that cannot be looked at."""
    try:
        status = path.stat()
    except OSError as error:
        return error.errno
    return status.st_mtime_ns, status.st_size, status.st_ino
