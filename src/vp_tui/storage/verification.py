"""Whether the rows of a log are what was recorded, and follow from what they were made from."""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from vp_tui.domain.rollout.evidence_row import LoggedRow, read_row
from vp_tui.domain.text import counted
from vp_tui.storage.atomic import append_line, make_private, opened
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.evidence_log import is_interrupted, read_log, resolve
from vp_tui.storage.locks import locked_for_reading
from vp_tui.storage.records import (
    Record,
    canonical,
    encoded,
    lines_of,
    parse_record,
    records_path,
    sealed,
    sha256,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from vp_tui.domain.rollout.evidence_row import EvidenceRow


Recompute: TypeAlias = "Callable[[Mapping[str, object] | None], tuple[str, str]]"
"""Takes a record's snapshot (None: there was none), gives the row's rate and p95 cells."""

_NAME_LENGTH: Final = 16
_ROW_HASH: Final = re.compile(rb'"row_sha256":"([0-9a-f]{64})"')
_WINDOW: Final = re.compile(rb'"window":("(?:[^"\\]|\\.)*")')
_BROKEN: Final = "the chain is broken before record {}: a record is missing or was replaced"


@dataclass(frozen=True, slots=True)
class RowCheck:
    """What is to be said about one row, or about a record without one."""

    state: Literal["ok", "unverified", "MISMATCH"]
    window: str
    line: int | None
    """Number of the row's line in the log; None for a record whose row is not there."""
    reason: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a line of the records says, and what is wrong with it."""

    number: int
    window: str
    row_sha256: str
    date: str
    faults: tuple[str, ...]


def note_head(directory: Path, log: Path, row: EvidenceRow, line: bytes, *, is_first: bool) -> None:
    """Keep the hash of a record that was just written away from the log too.

    With the first record of a log the file begins anew. A help for `verify`, which may fail. The
    log's symbolic links are followed already.
    """
    head = {"host": _host(), "date": row.date, "window": row.window, "sha256": sha256(line)}
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if is_first else 0)
    with suppress(OSError):
        make_private(directory)
        with opened(_heads_file(directory, log), flags, 0o600) as fd:
            append_line(fd, canonical(head))


def not_vouched_for(log: Path, heads: Path) -> str | None:
    """Return why `verify` cannot know that the end of a log's records was not cut off.

    None: it can, or there is nothing to know. Raises EvidenceError.
    """
    path = resolve(log)
    hosts = {_text(head, "host") for head in _heads(heads, path)}
    if _host() in hosts or not records_path(path).exists():
        return None
    kept = f"only {', '.join(sorted(hosts))} has" if hosts else "this host has"
    never = "" if hosts else " no"
    return f"{kept} kept{never} heads of its records: whether their end was cut off is not known"


def _heads(directory: Path, log: Path) -> list[Record]:
    file = _heads_file(directory, log)
    with EvidenceError.for_os_errors(file):
        return [head for line in lines_of(file) if (head := parse_record(line)) is not None]


def _heads_file(directory: Path, log: Path) -> Path:
    return directory / f"{sha256(bytes(log))[:_NAME_LENGTH]}.jsonl"


def _host() -> str:
    return os.uname().nodename


def verify(log: Path, recompute: Recompute, heads: Path | None = None) -> list[RowCheck]:
    """Compare a log with its records: a finding per row in order, then one per lone record.

    `ok`: the row is as it was recorded, and its numbers follow from the snapshot. `unverified`:
    it has no record, as when it was written by hand. `MISMATCH`: the row or the record was
    changed, the row is gone, its numbers do not follow, or the chain of records is broken. A last
    line of the records that a crash left incomplete is no fault. With the directory `heads` it is
    one when records that this host wrote are not there any more. Raises EvidenceError when log or
    records cannot be read.
    """
    path, there = resolve(log), set[str]()

    def lines() -> Iterator[bytes]:
        for line in lines_of(records_path(path)):
            there.add(sha256(line.removesuffix(b"\n")))
            yield line

    with locked_for_reading(path):
        table, _ = read_log(path, is_whole=True)
        kept = [] if heads is None else _heads(heads, path)
        with EvidenceError.for_os_errors(records_path(path)):
            entries = list(_entries(lines(), recompute))
    cut = [head for head in kept if head.get("host") == _host() and head.get("sha256") not in there]
    last = entries[-1] if entries and is_interrupted(path) else None
    return [*_compare(table.rows, entries, last), *_cut_off(cut)]


def _cut_off(heads: list[Record]) -> Iterator[RowCheck]:
    if heads:
        count, date = counted(len(heads), "record"), _text(heads[0], "date")
        reason = f"{count} written here from {date} on are not there any more: cut off"
        yield RowCheck("MISMATCH", _text(heads[0], "window"), None, reason)


def _compare(
    rows: tuple[LoggedRow, ...], entries: Iterable[_Entry], interrupted: _Entry | None
) -> list[RowCheck]:
    """Compare rows and records; `interrupted` is the one after which vp-tui ended."""
    by_hash, by_name = defaultdict(list), defaultdict(list)
    for row in reversed(rows):
        by_hash[sha256(row.raw)].append(row)
    found: dict[int, RowCheck] = {}
    rowless = []
    for entry in entries:
        if same := by_hash.get(entry.row_sha256):
            row = same.pop()
            found[row.line] = _check(entry, row)
        else:
            rowless.append(entry)
    for row in reversed(rows):
        if row.line not in found:
            by_name[row.row.date, row.row.window].append(row)
    lone = []
    for entry in rowless:
        if changed := by_name.get((entry.date, entry.window)):
            row = changed.pop()
            found[row.line] = _check(entry, row, "the row was changed after it was recorded")
        else:
            fault = f"the row of record {entry.number} is not in the log as it was written"
            if entry is interrupted:
                fault += ": vp-tui was killed in between, the next row takes it along"
            lone.append(_check(entry, None, fault))
    for row in rows:
        unverified = RowCheck("unverified", row.row.window, row.line, "it has no record")
        found.setdefault(row.line, unverified)
    return [found[row.line] for row in rows] + lone


def _check(entry: _Entry, row: LoggedRow | None, *faults: str) -> RowCheck:
    faults += entry.faults
    window = row.row.window if row else entry.window
    state: Literal["ok", "MISMATCH"] = "MISMATCH" if faults else "ok"
    return RowCheck(state, window, row.line if row else None, "; ".join(faults))


def _entries(lines: Iterable[bytes], recompute: Recompute) -> Iterator[_Entry]:
    """Read the records in their order.

    A fault is told once: where a line was changed, the next one's `prev` no longer fits, and that
    says nothing about the next one. An unreadable line that the next one's `prev` covers was torn
    by a crash before that was written, and is passed over.
    """
    before: bytes | None = None
    sound = True
    unreadable: _Entry | None = None
    for number, ended in enumerate(lines, 1):
        line = ended.removesuffix(b"\n")
        record = parse_record(line)
        prev = None if before is None else sha256(before)
        chained = record is not None and record.get("prev") == prev
        if unreadable is not None and not chained:
            yield unreadable
        unreadable = None
        if record is None:
            sound = False
            if line != ended or not _is_torn(line):
                unreadable = _salvaged(number, line)
        else:
            faults = list(_faults(number, record, line, recompute))
            broken = [] if chained or not sound else [_BROKEN.format(number)]
            yield _entry(number, record, (*faults, *broken))
            sound = not faults
        before = line
    if unreadable is not None:
        yield unreadable


def _faults(number: int, record: Record, line: bytes, recompute: Recompute) -> Iterator[str]:
    members = encoded(record)
    if sealed(members) != line:
        yield f"record {number} was changed after it was written"
        return
    row, snapshot = _text(record, "row"), record.get("snapshot")
    hashed = None if snapshot is None else sha256(members["snapshot"])
    if (sha256(row.encode()), hashed) != (record.get("row_sha256"), record.get("snapshot_sha256")):
        yield f"the hashes in record {number} are not those of its row and snapshot"
    cells = read_row(row.encode()).row
    rate, p95 = recompute(snapshot if isinstance(snapshot, dict) else None)
    if (cells.fallback_rate, cells.p95_latency) != (rate, p95):
        yield (
            f"its numbers, {cells.fallback_rate} and {cells.p95_latency}, do not follow from the "
            f"snapshot of record {number}, which gives {rate} and {p95}"
        )


def _entry(number: int, record: Record, faults: tuple[str, ...]) -> _Entry:
    row = read_row(_text(record, "row").encode()).row
    window = row.window or _text(record, "window")
    return _Entry(number, window, _text(record, "row_sha256"), row.date, faults)


def _salvaged(number: int, line: bytes) -> _Entry:
    """Return what can still be told of a record that is no JSON any more."""
    row_hash = _ROW_HASH.search(line)
    windows = _WINDOW.findall(line)
    try:
        window = str(json.loads(windows[-1])) if windows else ""
    except ValueError:
        window = ""
    fault = f"record {number} cannot be read: it was changed after it was written"
    return _Entry(number, window, row_hash[1].decode() if row_hash else "", "", (fault,))


def _is_torn(line: bytes) -> bool:
    """Tell whether an unreadable line is the beginning of a record, and nothing else."""
    try:
        json.JSONDecoder().raw_decode(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return True
    return False


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""
