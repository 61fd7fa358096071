"""The feeds of files: each is read again when it changed, and what is new is told.

They look away from the loop and once at a time: at the evidence log with its records, the audit,
the window, the gateway's env file and the suites' report, whoever changed them; and at the lock
that tells which vp-tui on this host is a gateway's auto-revert.
"""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.events import AuditRead, EvidenceRead, SuitesRead, SwitchesRead, WindowsRead
from vp_tui.domain.lane.auto_revert import UNCLAIMED, AutoRevertBarred
from vp_tui.domain.orders import NOT_KNOWN, ActionKind
from vp_tui.domain.text import later, literal
from vp_tui.state.state import AUTHORS_KEPT
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.env_switches import read_switches
from vp_tui.storage.errors import EvidenceError, LockError, StorageError, SwitchError
from vp_tui.storage.evidence_log import read_log, resolve
from vp_tui.storage.junit import read_report
from vp_tui.storage.records import RecordsFollower, records_path, sha256
from vp_tui.storage.windows import adopt_window, read_kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.orders import ActionRecord
    from vp_tui.domain.rollout.evidence_row import EvidenceTable
    from vp_tui.storage.locks import HostLock


_UNREAD: Final = object()
"""No stamp equals it."""

ROWS_LIMIT: Final = 20_000
"""Rows of the evidence log told, the newest."""

ACTIONS_KEPT: Final = 500
"""Actions of the audit told, the newest."""


class ThreadFeed(ABC):
    """Asks `news` on a thread and tells it, unless that is what it told last."""

    part: ClassVar[str]
    """What it reads, in words."""

    def __init__(self, emit: Callable[[Event], None], clock: Callable[[], float]) -> None:
        self._emit = emit
        self._clock = clock
        self._looking = asyncio.Lock()
        self._told: tuple[object, ...] | None = None
        """The event that was told last, without its time; None: any one is news."""

    async def look(self) -> None:
        """Look, away from the loop, and tell what is new."""
        async with self._looking:
            event = await asyncio.to_thread(self.news)
            if event is not None and event[1:] != self._told:
                self._told = event[1:]
                self._emit(event)

    @abstractmethod
    def news(self) -> Event | None:
        """Return what is so; None where that did not change. Blocks on the disk."""


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

    @abstractmethod
    def read(self) -> Event:
        """Return what the file says. Raises StorageError."""

    def unread(self, error: StorageError) -> Event:
        """Return why the file could not be read."""
        raise error

    def stamp(self) -> object:
        """Return what changes with the file. Raises StorageError."""
        try:
            return stamp_of(self._path)
        except OSError:
            return None

    def news(self) -> Event | None:
        """Return what the file says; None while it did not change."""
        try:
            # The stamp is taken first: what changes meanwhile is read again.
            stamp = self.stamp()
            if stamp == self._seen:
                return None
            event = self.read()
        except StorageError as error:
            self._seen = _UNREAD
            return self.unread(error)
        self._seen, self._told = stamp, None
        return event


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Return what changes with what is in a file. Raises OSError."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


class EvidenceFeed(StampedFeed):
    """Tells the rows of one log, and what its records name, when they changed.

    The window that the newest record tells is kept in the file `windows`, whose feed comes after.
    """

    part = "reading the evidence log"

    def __init__(
        self,
        path: Path,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        vp_id: str = "",
        windows: Path | None = None,
    ) -> None:
        super().__init__(path, emit, clock)
        self._table: EvidenceTable | None = None
        self._records = RecordsFollower(vp_id)
        self._windows = windows

    def stamp(self) -> object:
        """Return what changes with the log and its records. Raises EvidenceError."""
        log, stamps = resolve(self._path), {}
        for path in (log, records_path(log)):
            with EvidenceError.for_os_errors(path), suppress(FileNotFoundError):
                stamps[path] = stamp_of(path)
        return stamps

    def read(self) -> EvidenceRead:
        """Return the log and its records. Raises EvidenceError."""
        path = resolve(self._path)
        table, fingerprint = read_log(path, self._table)
        with EvidenceError.for_os_errors(records_path(path)):
            recorded = self._records.read(records_path(path))
        self._table = table
        if self._windows is not None and recorded.window is not None:
            with suppress(EvidenceError):  # of the windows' file: their own feed tells it
                adopt_window(self._windows, recorded.window)
        return EvidenceRead(
            self._clock(),
            tuple(logged.row for logged in table.rows[-ROWS_LIMIT:]),
            recorded.ids,
            # A file with text but no table is not taken for a log without rows.
            table.warnings[0] if table.span is None and table.warnings else None,
            recorded.unreal_ids,
            recorded.unreal_windows,
            tuple(recorded.authors.get(sha256(row.raw)) for row in table.rows[-AUTHORS_KEPT:]),
            fingerprint if path.exists() else None,
            warnings=() if table.span is None else table.warnings,
            damage=table.damage,
            ends=recorded.ends,
            told=recorded.told,
        )

    def unread(self, error: StorageError) -> EvidenceRead:
        """Return why the log cannot be read: the error's own words are for writing."""
        problem = str(error)
        if isinstance(error.__cause__, PermissionError):
            problem = f"{literal(str(self._path))}: it, or its records, may not be read"
        return EvidenceRead(self._clock(), (), frozenset(), problem)


class RevertLock(ThreadFeed):
    """Takes the host's lock and tells who has it.

    Once taken it is held until vp-tui ends, also when it has acted: two that act one after the
    other would restart the gateway twice for one trip.
    """

    part = "the auto-revert's lock"

    def __init__(
        self, lock: HostLock, actor: str, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._lock = lock
        self._who = f"pid {os.getpid()} of {actor}"
        self._told = (UNCLAIMED,)

    def news(self) -> AutoRevertBarred:
        """Try to take it, and return who has it."""
        why = None
        try:
            if (holder := self._lock.take(self._who)) is not None:
                why = f"another vp-tui on this host has it: {holder or 'it did not say who'}"
        except LockError as error:
            why = f"its lock cannot be taken: {error.failure.reason}"
        return AutoRevertBarred(self._clock(), why)


class SwitchesFeed(ThreadFeed):
    """Tells the switches of one env file, and nothing else of it."""

    part = "reading the env file"

    def __init__(
        self, env_file: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._env_file = env_file

    def news(self) -> SwitchesRead:
        """Return the switches, or why they cannot be read."""
        try:
            stamp = self._env_file.stat().st_mtime
            switches = read_switches(self._env_file)
        except (SwitchError, OSError) as error:
            reason = error.failure.reason if isinstance(error, SwitchError) else error.strerror
            return SwitchesRead(self._clock(), None, None, reason or "it cannot be read")
        return SwitchesRead(self._clock(), switches, later(datetime.fromtimestamp(0, UTC), stamp))


class AuditFeed(StampedFeed):
    """Tells the newest actions of one file when it changed, or when one was interrupted."""

    def __init__(
        self,
        path: Path,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
        lock_of: Callable[[ActionRecord], HostLock | None] = lambda _record: None,
        left: Callable[[], tuple[ActionRecord, ...]] = tuple,
    ) -> None:
        """`lock_of` is the host's lock of an action on this gateway and lane, None: it is none.

        `left` is what the host's locks tell of actions that somebody was ended in the midst of:
        another user's audit is not read here.
        """
        super().__init__(path, emit, clock)
        self._lock_of, self._left = lock_of, left
        self._begun: tuple[ActionRecord, ...] = ()

    def stamp(self) -> object:
        """Return what changes with the file, and with what is under way."""
        return super().stamp(), tuple(map(self._is_interrupted, self._begun)), self._left()

    part = "reading the audit"

    def read(self) -> AuditRead:
        """Return the newest actions. Raises AuditError."""
        records, unreadable = newest_actions(self._path, ACTIONS_KEPT)
        self._begun = tuple(one for one in records if one.kind is ActionKind.BEGUN)
        found = {
            one: one._replace(result=NOT_KNOWN, kind=ActionKind.INTERRUPTED)
            for one in self._begun
            if self._is_interrupted(one)
        }
        known = {(one.at, one.actor) for one in records}
        others = tuple(one for one in self._left() if (one.at, one.actor) not in known)
        told = (*others, *(found.get(one, one) for one in records))
        interrupted = (*others, *found.values())
        return AuditRead(self._clock(), told, unreadable, interrupted=interrupted)

    def unread(self, error: StorageError) -> AuditRead:
        """Return why there are none."""
        return AuditRead(self._clock(), (), problem=error.failure)

    def _is_interrupted(self, begun: ActionRecord) -> bool:
        """Tell whether nobody holds the lock of what was begun here."""
        lock = self._lock_of(begun)
        try:
            return lock is not None and not lock.is_held()
        except LockError:
            return False


class WindowsFeed(StampedFeed):
    """Tells the windows of one file when they changed; what cannot be read still stands."""

    part = "reading the windows"
    seen_at_first = None  # no file: no window is kept

    def read(self) -> WindowsRead:
        """Return the windows. Raises EvidenceError."""
        windows, heard = read_kept(self._path)
        return WindowsRead(self._clock(), windows, heard=heard)

    def unread(self, error: StorageError) -> WindowsRead:
        """Return why there are none."""
        return WindowsRead(self._clock(), (), str(error))


class SuitesFeed(StampedFeed):
    """Tells what one report says, once and whenever its file changed."""

    part = "reading the suites' report"

    def read(self) -> SuitesRead:
        """Return the report, or why it cannot be read."""
        return SuitesRead(self._clock(), read_report(self._path))

    def stamp(self) -> object:
        """Return what changes with the file: why there is none, for one that cannot be seen."""
        try:
            return stamp_of(self._path)
        except OSError as error:
            return error.errno
