"""What every feed of a file does: look, away from the loop and once at a time; tell what is new."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.storage.errors import AuditError, EvidenceError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event

Stamp = tuple[int, int, int]
CannotRead = AuditError | EvidenceError
_UNREAD: Final = object()
"""No stamp equals it."""


class ThreadFeed(ABC):
    """Asks `news` on a thread and tells it."""

    def __init__(self, emit: Callable[[Event], None], clock: Callable[[], float]) -> None:
        self._emit = emit
        self._clock = clock
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        """Look, away from the loop, and tell what is new."""
        async with self._looking:
            event = await asyncio.to_thread(self.news)
        if event is not None:
            self._emit(event)

    @abstractmethod
    def news(self) -> Event | None:
        """Return what is new since the last look; None: nothing. Blocks on the disk."""


class StampedFeed(ThreadFeed):
    """Reads one file whenever its stamp changed.

    A file that cannot be read is tried each time, and told once.
    """

    seen_at_first: ClassVar[object] = _UNREAD
    """The stamp of what need not be told."""

    def __init__(
        self, path: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._path = path
        self._seen = self.seen_at_first
        """The file's stamp when it was last read without a problem."""
        self._told: tuple[object, ...] | None = None
        """The problem that was told last, as an event without its time."""

    @abstractmethod
    def read(self) -> Event:
        """Return what the file says. Raises `CannotRead`."""

    def unread(self, error: CannotRead) -> Event:
        """Return why the file could not be read."""
        raise error

    def stamp(self) -> object:
        """Return what changes with the file."""
        try:
            return stamp_of(self._path.stat())
        except OSError:
            return None

    def news(self) -> Event | None:
        """Return what the file says; None while it did not change."""
        # The stamp is taken first: what changes meanwhile is read again.
        stamp = self.stamp()
        if stamp == self._seen:
            return None
        try:
            event = self.read()
        except (AuditError, EvidenceError) as error:
            problem = self.unread(error)
            told, self._seen, self._told = self._told, _UNREAD, problem[1:]
            return None if told == self._told else problem
        self._seen, self._told = stamp, None
        return event


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what of a file's status changes with what is in it."""
    return status.st_mtime_ns, status.st_size, status.st_ino
