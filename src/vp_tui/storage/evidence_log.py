"""The evidence log on disk: read, and one row appended so that nothing is ever lost or torn.

Between reading and writing an editor may save the file, another vp-tui may append, the machine may
stop. One row costs a lock, a whole new file beside the log, a mark that it is begun, three fsyncs
and an exchange of names; each step either leaves the log as it was or with the row in it. A mark
that is there before tells that a process ended between the row's record and the row: whoever holds
the lock next appends that row first.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from vp_tui.domain.rollout.evidence_row import (
    HEADING,
    NEW_LOG,
    EvidenceRow,
    EvidenceTable,
    damage_of,
    format_row,
    locate,
    parse_log,
    read_row,
)
from vp_tui.domain.rollout.markdown_table import BOM
from vp_tui.storage.atomic import (
    beside,
    discard,
    discarded_on_error,
    holds,
    read_if_there,
    regular,
    replace_unchanged,
    stage,
    sweep,
    sync_directory,
    write_new,
)
from vp_tui.storage.errors import EvidenceError, LogChanged, LogDamaged
from vp_tui.storage.locks import LOCK_WAIT_S, locked
from vp_tui.storage.places import here
from vp_tui.storage.records import (
    encoded,
    last_line,
    lines_of,
    parse_record,
    records_path,
    sealed,
    sha256,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.rollout.markdown_table import TableSpan


_TRIES: Final = 20
"""How often a log that others keep changing is read again."""
_BLANK_LIMIT: Final = 4096
"""Bytes of nothing but white space that still count as an empty file."""
_PAUSE_S: Final = 0.02
"""Between two of them, and a little more each time: an editor that moves its file away before it
writes needs a moment."""
TAIL: Final = 8 * 1024 * 1024
"""Bytes of a log that are read to tell its newest rows."""
WRITTEN_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a log that is written into: a row makes it anew."""
_BLOCK: Final = 1024 * 1024

NO_ROWS: Final = sha256(b"")
"""The fingerprint of a log without a row."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a row is now."""

    path: Path
    """The log, symbolic links followed."""
    line: int
    """Number of the row's line, counted from 1, when it was written."""
    text: str
    """The line, without its end."""
    fingerprint: str
    """Of the rows with this one, as `read_log` tells it."""


@dataclass(frozen=True)
class _Content:
    """One reading of the log; `data` is None when there is no file."""

    data: bytes | None
    base: bytes
    """What the row is inserted into: `data`, or a log without a row."""
    span: TableSpan

    def fingerprint(self, added: bytes = b"") -> str:
        """Return that of the rows with `added` behind them."""
        return _fingerprint(self.base, self.span, added)

    def count(self, line: bytes) -> int:
        """Return how often `line` is among the rows."""
        return self.base.count(line, self.span.start, self.span.end)

    def number(self, line: bytes) -> int:
        """Return the number of the last row that is `line`."""
        place = self.base.rindex(line, self.span.start, self.span.end)
        return self.span.first_line + self.base.count(b"\n", self.span.start, place)


def resolve(log: Path) -> Path:
    """Return the file that `log` means: what lies beside a log lies beside that."""
    return Path(os.path.realpath(here() / log))


def read_log(
    log: Path,
    known: EvidenceTable | None = None,
    *,
    must_exist: bool = False,
    is_whole: bool = False,
) -> tuple[EvidenceTable, str]:
    """Return the rows of a log, none when there is no file; `known` as for `parse_log`.

    Of one that is larger than `TAIL` only the newest, unless all are wanted: then `is_whole`. With
    them their fingerprint: what stands around the table does not count. Raises EvidenceError when
    it cannot be read, or is not there although it `must_exist`.
    """
    path = resolve(log)
    with EvidenceError.for_os_errors(path):
        try:
            with regular(path) as file:
                data, before = _newest(file, sys.maxsize if is_whole else TAIL)
        except FileNotFoundError:
            if not must_exist:
                return EvidenceTable(), NO_ROWS
            cure = "name an evidence log"
            raise EvidenceError("there is no such file", cure, path) from None
    if _is_blank(data):
        return EvidenceTable(), NO_ROWS
    if before and data.startswith(b"|"):  # in the middle of the table
        data, before = NEW_LOG + data, before - NEW_LOG.count(b"\n")
    table = parse_log(data, known, before)
    if before:
        said = f"it is larger than {TAIL >> 20} MiB: only its newest rows are read"
        table = replace(table, warnings=(said, *table.warnings))
    return table, _fingerprint(data, table.span) if table.span else NO_ROWS


def _newest(file: BinaryIO, limit: int) -> tuple[bytes, int]:
    """Return the whole lines in the last `limit` bytes of a file, and how many are before them."""
    start = os.fstat(file.fileno()).st_size - limit
    if start <= 0:
        return file.read(), 0
    before, left = 0, start
    while left and (block := file.read(min(left, _BLOCK))):
        before += block.count(b"\n")
        left -= len(block)
    _, newline, lines = file.read().partition(b"\n")  # what is before it began before
    return lines, before + len(newline)


def _fingerprint(data: bytes, span: TableSpan, added: bytes = b"") -> str:
    """Return that of the newest rows, at most `TAIL` / 2 bytes of them, with `added` behind."""
    start = max(span.start, span.end - TAIL // 2)
    return sha256((data[start : span.end] + added)[-(TAIL // 2) :])


def append_row(
    log: Path,
    row: EvidenceRow,
    *,
    expected: str | None = None,
    despite: str | None = None,
    before_commit: Callable[[Path], None] = lambda _path: None,
    wait_s: float = LOCK_WAIT_S,
) -> Appended:
    """Append `row` to the table of `log`, durably; every other byte of the file stays.

    The file keeps mode, owner and access lists; symbolic links are followed (a hard link is cut
    from its other names). It is made, with heading and table, when there is none or it is empty.
    `before_commit` is called once with the log's path, when the new file is ready and the lock is
    held, right before it takes the log's place; its OSError ends the attempt.

    Raises LogChanged when the fingerprint is not `expected` any more, LogDamaged when the table is
    perhaps not whole and that is not what it is written `despite`, and EvidenceError when the row
    could not be written: then the log is as it was, or, when only its directory could not be
    synced in the end, has the row.
    """
    path = resolve(log)
    refuse_unwritable(path)
    text = format_row(row)
    with locked(path, wait_s), EvidenceError.for_os_errors(path):
        _refuse_damaged(path, despite)
        if is_interrupted(path) and (lost := unwritten(path)) is not None:
            finished = _append(path, format_row(lost), None, lambda _path: None)
            if finished.text == text:
                discard(_mark(path))
                return finished
        sweep(path)
        try:
            appended = _append(path, text, expected, before_commit)
        except (EvidenceError, OSError):
            if unwritten(path) is None:
                discard(_mark(path))
            raise
        discard(_mark(path))
        return appended


def is_interrupted(path: Path) -> bool:
    """Tell whether a row was begun and not ended: by a process that ended, or one that is at it."""
    return _mark(path).exists()


def _mark(path: Path) -> Path:
    return beside(path, "begun")


def is_recorded(log: Path, row: bytes) -> bool:
    """Tell whether a record of the line `row` is among those of `log`. Raises EvidenceError."""
    path = records_path(resolve(log))
    mark = f'"row_sha256":"{sha256(row)}"'.encode()
    with EvidenceError.for_os_errors(path):
        return any(mark in line for line in lines_of(path))


def unwritten(log: Path) -> EvidenceRow | None:
    """Return the row of the last record when the log has not got it: vp-tui ended in between.

    A row of the same date and window that has no record counts as it, changed by hand. Raises
    EvidenceError.
    """
    path = resolve(log)
    with EvidenceError.for_os_errors(records_path(path)):
        line = last_line(records_path(path))
    record = parse_record(line) if line else None
    if record is None or sealed(encoded(record)) != line or not isinstance(record.get("row"), str):
        return None
    raw = record["row"].encode()
    row = read_row(raw).row
    table, _ = read_log(path)
    for old in table.rows:
        alike = (old.row.date, old.row.window) == (row.date, row.window)
        if old.raw == raw or (alike and not is_recorded(path, old.raw)):
            return None
    return replace(row, notes=record.get("notes", row.notes))


def _append(
    path: Path, text: str, expected: str | None, before_commit: Callable[[Path], None]
) -> Appended:
    line = text.encode()
    content = _read(path)
    if expected is not None and content.fingerprint() != expected:
        reason = "its rows were changed since they were read"
        raise LogChanged(reason, "look at the new rows, then decide again", path)
    first, existed = content, content.data is not None
    for attempt in range(_TRIES):
        staged = stage(path, content.span.insert(content.base, line))
        if attempt == 0:
            with discarded_on_error(staged.path):
                _begin(path, before_commit)
        existed |= replace_unchanged(staged, content.data)
        if holds(path, staged.data):
            number = content.span.first_line + content.span.count
            return Appended(path, number, text, content.fingerprint(content.span.added(line)))
        content = _read_again(path, existed=existed)
        if content.count(line) > first.count(line):  # in what others made of it since
            return Appended(path, content.number(line), text, content.fingerprint())
        time.sleep(_PAUSE_S * attempt)
    cure = "close it in other programs, then append the row again"
    raise EvidenceError("others keep changing it", cure, path)


def _refuse_damaged(path: Path, despite: str | None) -> None:
    damage = damage_of((content := _read(path)).base, content.span)
    if damage is not None and damage != despite:
        error = LogDamaged(damage, "mend it, then append the row again", path)
        error.damage = damage
        raise error


def _begin(path: Path, before_commit: Callable[[Path], None]) -> None:
    """Leave the mark, durably, and do what comes before the log is replaced; no mark if not."""
    mark = _mark(path)
    with discarded_on_error(mark):
        if not mark.exists():
            write_new(mark, b"")
        sync_directory(path.parent)
        before_commit(path)


def _read(path: Path) -> _Content:
    data = read_if_there(path)
    base = data or b""
    if _is_blank(base):
        base += NEW_LOG
    span = locate(base)
    if span is None:
        reason = f"it has no table of 8 columns under `## {HEADING}`"
        raise EvidenceError(reason, "add heading and table, or choose another log", path)
    return _Content(data, base, span)


def _read_again(path: Path, *, existed: bool) -> _Content:
    """Read the log; one that `existed` may be away, or half written, while an editor saves it."""
    for attempt in range(_TRIES):
        with suppress(EvidenceError):
            content = _read(path)
            if content.data is not None or not existed:
                return content
        time.sleep(_PAUSE_S * attempt)
    if existed and not path.exists():
        reason = "somebody removed it while the row was written"
        raise EvidenceError(reason, "put it back, then append the row again", path)
    return _read(path)


def _is_blank(data: bytes) -> bool:
    return not data[:_BLANK_LIMIT].removeprefix(BOM).strip() and len(data) <= _BLANK_LIMIT


def refuse_unwritable(path: Path) -> None:
    """Raise EvidenceError where the log or its directory is marked read-only, for root too.

    And where it is too large to be made anew for a row.
    """
    for place in (path.parent, path):
        with EvidenceError.for_os_errors(path):
            try:
                status = place.stat()
            except FileNotFoundError:
                if place != path:
                    raise
                return
        if not (status.st_mode & 0o222 and os.access(place, os.W_OK)):
            cure = "make it writable, then append the row again"
            raise EvidenceError("it is read-only", cure, place)
    if status.st_size > WRITTEN_AT_MOST:
        size, most = status.st_size >> 20, WRITTEN_AT_MOST >> 20
        reason = f"it has {size} MiB, and more than {most} are too many"
        raise EvidenceError(reason, "start a new log, then append the row to that", path)
