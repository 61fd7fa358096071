"""The audit as it is on disk: read again whenever this vp-tui, or another one, added an action."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import AuditRead
from vp_tui.storage.audit import newest_actions
from vp_tui.storage.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Failure

ACTIONS_KEPT: Final = 500
"""Actions told, the newest."""

_Stamp = tuple[int, int, int]


class AuditFeed:
    """Tells the newest actions of one file when it changed.

    A file that cannot be read is tried each time, and told once.
    """

    def __init__(
        self, path: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._emit = emit
        self._clock = clock
        self._is_read = False
        self._seen: _Stamp | None = None
        """The file's stamp when it was last read without a problem."""
        self._told: Failure | None = None

    async def look(self) -> None:
        """Read the file, away from the loop, if it changed."""
        event = await asyncio.to_thread(self._read)
        if event is not None:
            self._emit(event)

    def _read(self) -> AuditRead | None:
        # The stamp is taken first: what changes meanwhile is read again.
        stamp = self._stamp()
        if self._is_read and stamp == self._seen and self._told is None:
            return None
        try:
            tail = newest_actions(self._path, ACTIONS_KEPT)
        except AuditError as error:
            if error.failure == self._told:
                return None
            self._told = error.failure
            return AuditRead(self._clock(), (), problem=error.failure)
        self._is_read, self._seen, self._told = True, stamp, None
        return AuditRead(self._clock(), tail.records, tail.unreadable)

    def _stamp(self) -> _Stamp | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
