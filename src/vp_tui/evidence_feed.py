"""The evidence log as others write it: read again whenever it or its records changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import EvidenceRead
from vp_tui.domain.text import literal
from vp_tui.file_feed import ThreadFeed, stamp_of
from vp_tui.state import AUTHORS_KEPT
from vp_tui.storage.errors import EvidenceError, as_evidence_error
from vp_tui.storage.evidence_log import read_log, resolve
from vp_tui.storage.recorded import Recorded, RecordsFollower
from vp_tui.storage.records import records_path, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.evidence import EvidenceTable
    from vp_tui.file_feed import Stamp

ROWS_LIMIT: Final = 20_000
"""Rows told, the newest."""


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
