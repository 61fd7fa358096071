"""The feeds of files: each is read again when it changed, and what is new is told.

They look away from the loop and once at a time: at the evidence log with its records, the audit,
the window, the gateway's env file and the suites' report, whoever changed them; and at the lock
that tells which vp-tui on this host is a gateway's auto-revert.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.events import AuditRead, EvidenceRead, SuitesRead, SwitchesRead, WindowsRead
from vp_tui.domain.lane.auto_revert import UNCLAIMED, AutoRevertBarred
from vp_tui.domain.text import literal
from vp_tui.state.state import AUTHORS_KEPT
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.env_switches import read_switches
from vp_tui.storage.errors import (
    AuditError,
    EvidenceError,
    LockError,
    SwitchError,
    as_evidence_error,
)
from vp_tui.storage.evidence_log import read_log, resolve
from vp_tui.storage.junit import read_report
from vp_tui.storage.records import Recorded, RecordsFollower, records_path, sha256
from vp_tui.storage.windows import read_windows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.rollout.evidence_row import EvidenceTable
    from vp_tui.storage.locks import HostLock


Stamp = tuple[int, int, int]
CannotRead = AuditError | EvidenceError
_UNREAD: Final = object()
"""No stamp equals it."""

ROWS_LIMIT: Final = 20_000
"""Rows of the evidence log told, the newest."""

ACTIONS_KEPT: Final = 500
"""Actions of the audit told, the newest."""


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


class EvidenceFeed(ThreadFeed):
    """Tells the rows of one log, and what its records name, when they changed.

    A log that cannot be read is tried each time, and told once.
    """

    def __init__(
        self, log: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._log = log
        self._seen: tuple[Stamp | None, Stamp | None] | None = None
        """The files' stamps when they were last read without a problem."""
        self._table: EvidenceTable | None = None
        self._records = RecordsFollower()
        self._told_problem: str | None = None

    def news(self) -> EvidenceRead | None:
        """Return the log and its records; None while neither changed."""
        try:
            path = resolve(self._log)
            stamps = _stamp(path), _stamp(records_path(path))
            if stamps == self._seen:
                return None
            # The stamps were taken first: what changes meanwhile is read again.
            table, fingerprint = read_log(path, self._table)
            recorded = self._read_records(records_path(path))
        except EvidenceError as error:
            self._seen, problem = None, _in_words(error, self._log)
            if self._told_problem == problem:
                return None
            self._told_problem = problem
            return EvidenceRead(self._clock(), (), frozenset(), problem)
        self._seen, self._table, self._told_problem = stamps, table, None
        rows = tuple(logged.row for logged in table.rows[-ROWS_LIMIT:])
        return EvidenceRead(
            self._clock(),
            rows,
            recorded.ids,
            # A file with text but no table is not taken for a log without rows.
            table.warnings[0] if table.span is None and table.warnings else None,
            recorded.unreal_ids,
            recorded.unreal_windows,
            _authors(table, recorded),
            None if stamps[0] is None else fingerprint.sha256,
            warnings=() if table.span is None else table.warnings,
        )

    def _read_records(self, path: Path) -> Recorded:
        try:
            return self._records.read(path)
        except OSError as error:
            raise as_evidence_error(error, path) from error


def _authors(table: EvidenceTable, recorded: Recorded) -> tuple[str | None, ...]:
    newest = table.rows[-AUTHORS_KEPT:]
    return tuple(recorded.authors.get(sha256(logged.raw)) for logged in newest)


def _in_words(error: EvidenceError, log: Path) -> str:
    """Return why a log cannot be read: the error's own words are for writing."""
    if isinstance(error.__cause__, PermissionError):
        return f"{literal(str(log))}: it, or its records, may not be read"
    return str(error)


def _stamp(path: Path) -> Stamp | None:
    """Return what changes with a file; None for one that is not there. Raises EvidenceError."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise as_evidence_error(error, path) from error
    return stamp_of(status)


class RevertLock(ThreadFeed):
    """Takes the host's lock and tells who has it.

    Once taken it is held until vp-tui ends, also when it has acted: two that act one after the
    other would restart the gateway twice for one trip.
    """

    def __init__(
        self, lock: HostLock, actor: str, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._lock = lock
        self._who = f"pid {os.getpid()} of {actor}"
        self._told: str | None = UNCLAIMED

    def news(self) -> AutoRevertBarred | None:
        """Try to take it, and return who has it; None while that is as it was."""
        why = self._why_not()
        if why == self._told:
            return None
        self._told = why
        return AutoRevertBarred(self._clock(), why)

    def _why_not(self) -> str | None:
        try:
            holder = self._lock.take(self._who)
        except LockError as error:
            return f"its lock cannot be taken: {error.failure.reason}"
        if holder is None:
            return None
        return f"another vp-tui on this host has it: {holder or 'it did not say who'}"


class SwitchesFeed(ThreadFeed):
    """Tells the switches of one env file, and nothing else of it."""

    def __init__(
        self, env_file: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._env_file = env_file
        self._told: SwitchesRead | None = None

    def news(self) -> SwitchesRead | None:
        """Return the switches; None while the file says the same."""
        read = self._read()
        if self._told is not None and read._replace(at=self._told.at) == self._told:
            return None
        self._told = read
        return read

    def _read(self) -> SwitchesRead:
        try:
            stamp = self._env_file.stat().st_mtime
            switches = read_switches(self._env_file)
        except (SwitchError, OSError) as error:
            reason = error.failure.reason if isinstance(error, SwitchError) else error.strerror
            return SwitchesRead(self._clock(), None, None, reason or "it cannot be read")
        return SwitchesRead(self._clock(), switches, datetime.fromtimestamp(stamp, UTC))


class AuditFeed(StampedFeed):
    """Tells the newest actions of one file when it changed."""

    def read(self) -> AuditRead:
        """Return the newest actions. Raises AuditError."""
        tail = newest_actions(self._path, ACTIONS_KEPT)
        return AuditRead(self._clock(), tail.records, tail.unreadable)

    def unread(self, error: CannotRead) -> AuditRead:
        """Return why there are none."""
        return AuditRead(self._clock(), (), problem=error.failure)


class WindowsFeed(StampedFeed):
    """Tells the windows of one file when they changed; what cannot be read still stands."""

    seen_at_first = None  # no file: no window is kept

    def read(self) -> WindowsRead:
        """Return the windows. Raises EvidenceError."""
        return WindowsRead(self._clock(), read_windows(self._path))

    def unread(self, error: CannotRead) -> WindowsRead:
        """Return why there are none."""
        return WindowsRead(self._clock(), (), str(error))


class SuitesFeed(StampedFeed):
    """Tells what one report says, once and whenever its file changed."""

    def read(self) -> SuitesRead:
        """Return the report, or why it cannot be read."""
        return SuitesRead(self._clock(), read_report(self._path))

    def stamp(self) -> object:
        """Return what changes with the file: why there is none, for one that cannot be seen."""
        try:
            return stamp_of(self._path.stat())
        except OSError as error:
            return error.errno
