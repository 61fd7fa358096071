"""The records beside a log, `<log>.snapshots.jsonl`: a chain of lines, one per row.

A record line is canonical JSON. It holds the hash of its row, of its snapshot, of the line before
it (`prev`, null in the first) and, as nothing later vouches for the last one, of itself
(`record_sha256`, over the canonical JSON of its other keys). Lines are only ever added. What a
crash left of a line stays where it is: the next record goes on a line of its own, and its `prev`
covers the torn one.

What they name, missions and who recorded, is followed as the file grows: only what was added is
read.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.rollout.evidence_row import EvidenceRow, read_row
from vp_tui.domain.rollout.labels import lane_of, moment
from vp_tui.domain.rollout.windows import RecordedEnd, Told, Window, merged_ends
from vp_tui.domain.text import literal
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.storage.atomic import append_line, opened, regular
from vp_tui.storage.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


Record = dict[str, Any]

SEAL: Final = "record_sha256"
"""The key of a record's own hash."""
_BLOCK: Final = 65_536

IDS_LIMIT: Final = 20_000
"""Missions remembered; those named first leave first."""
AUTHORS_LIMIT: Final = 1_000
"""Rows whose authors are remembered, the newest."""
READ_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of the records read, the newest: each snapshot names the missions before it too."""
_UNREAL: Final = frozenset(str(traffic) for traffic in Traffic if not traffic.is_real)


def records_path(log: Path) -> Path:
    """Return where the records of a log are whose symbolic links are followed already."""
    return log.with_name(f"{log.name}.snapshots.jsonl")


def canonical(value: object) -> bytes:
    """Return the one way to write `value` as JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")  # half a surrogate pair stays a JSON escape


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def encoded(record: Mapping[str, object]) -> dict[str, bytes]:
    """Return the members of `record`, each value as canonical JSON."""
    return {key: canonical(value) for key, value in record.items()}


def sealed(members: Mapping[str, bytes]) -> bytes:
    """Return encoded members as a record line without its end, with the hash of itself."""
    own = {key: value for key, value in members.items() if key != SEAL}
    return _object(own | {SEAL: canonical(sha256(_object(own)))})


def parse_record(line: bytes) -> Record | None:
    """Return the record that a line holds, None when it holds none."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file of records, each with its end; none when there is no file.

    Raises OSError.
    """
    with suppress(FileNotFoundError), regular(path) as file:
        yield from file


def last_line(path: Path) -> bytes | None:
    """Return the last line of a file without its end, None without a line. Raises OSError."""
    with suppress(FileNotFoundError), regular(path) as file:
        return _last_line(file.fileno()) or None
    return None


def append_record(log: Path, members: Mapping[str, bytes]) -> tuple[bytes, str | None]:
    """Add a record, as `encoded` gives it, chained and sealed to those of `log`; fsynced.

    Return its line and what it is chained to. The caller holds the log's lock. On an error the file
    is as it was. Raises EvidenceError.
    """
    path = records_path(log)
    mode = 0o666
    with suppress(FileNotFoundError):
        mode &= log.stat().st_mode  # prompts are in it: for the eyes of the log's readers only
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    with EvidenceError.for_os_errors(path), opened(path, flags, mode) as fd:
        prev = sha256(_last_line(fd)) if os.fstat(fd).st_size else None
        line = sealed({**members, "prev": canonical(prev)})
        append_line(fd, line)
    return line, prev


def _last_line(fd: int) -> bytes:
    """Return the last line of an open file without its end."""
    end, block = os.fstat(fd).st_size, _BLOCK
    found = b""
    while end and b"\n" not in found[:-1]:
        start = max(end - block, 0)
        found = os.pread(fd, end - start, start) + found
        end, block = start, 2 * block
    return found.removesuffix(b"\n").rpartition(b"\n")[2]


def _object(members: Mapping[str, bytes]) -> bytes:
    return b"{" + b",".join(canonical(key) + b":" + members[key] for key in sorted(members)) + b"}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the records name."""

    ids: frozenset[str] = frozenset()
    """Missions that some record names as ended."""
    unreal_ids: frozenset[str] = frozenset()
    """Of these, the missions of windows whose source is no real traffic."""
    unreal_windows: frozenset[str] = frozenset()
    """Labels of those windows."""
    authors: Mapping[str, str] = field(default_factory=dict)
    """Who recorded the newest rows, each by the SHA-256 of its line."""
    ends: tuple[RecordedEnd, ...] = ()
    """How the missions had ended that the records tell the ends of."""
    told: tuple[Told, ...] = ()
    """What happened and the records tell of, oldest first."""
    window: Window | None = None
    """The window of the newest row, as it is after that; None where its record does not tell."""


@dataclass(slots=True)
class RecordsFollower:
    """Reads a file of records as it grows; one that was replaced or cut is read anew."""

    vp_id: str = ""
    """The lane whose records count; of those of other lanes only the author does. "": all count."""
    _inode: int | None = None
    _offset: int = 0
    _mtime_ns: int = 0
    _ids: dict[str, bool] = field(default_factory=dict)
    """Missions as they were met, and whether their window's source is unreal."""
    _unreal_windows: dict[str, None] = field(default_factory=dict)
    _authors: dict[str, str] = field(default_factory=dict)
    _ends: dict[str, RecordedEnd] = field(default_factory=dict)
    _told: dict[Told, None] = field(default_factory=dict)
    _window: Window | None = None
    _before: frozenset[str] = frozenset()
    """Missions that records had named before the first one of that window."""
    _is_seed: bool = False
    """The next record is the first one read, though not the first there is."""

    def read(self, path: Path) -> Recorded:
        """Return what all records name that were read so far. Raises OSError."""
        try:
            with regular(path) as file:
                status = os.fstat(file.fileno())
                if is_another := self._is_another(status):
                    self._begin(status)
                file.seek(self._offset)
                if is_another and self._is_seed:
                    self._offset += len(file.readline())
                self._mtime_ns = status.st_mtime_ns
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # still being written
                    self._offset += len(line)
                    if (record := parse_record(line)) is not None:
                        self._note(record)
        except FileNotFoundError:
            self._inode, self._offset = None, 0
            self._forget()
        return self._recorded()

    def _is_another(self, status: os.stat_result) -> bool:
        grew = status.st_size - self._offset
        changed = status.st_mtime_ns != self._mtime_ns
        return status.st_ino != self._inode or grew < 0 or (grew == 0 and changed)

    def _begin(self, status: os.stat_result) -> None:
        self._inode = status.st_ino
        self._offset = max(status.st_size - READ_LIMIT, 0)
        self._forget()
        self._is_seed = self._offset > 0

    def _forget(self) -> None:
        self._ids, self._unreal_windows, self._authors = {}, {}, {}
        self._ends, self._told, self._window = {}, {}, None

    def _note(self, record: Record) -> None:
        """Remember a record's author and missions.

        Missions that no record before it named are its window's own.
        """
        line, author, raw = (record.get(key) for key in ("row_sha256", "actor", "row"))
        if isinstance(line, str) and isinstance(author, str):
            self._authors.pop(line, None)  # the newest stand last
            self._authors[line] = author
        _keep_newest(self._authors, AUTHORS_LIMIT)
        row = read_row(raw.encode()).row if isinstance(raw, str) else None
        if row is None or not self.vp_id or lane_of(row) in {"", self.vp_id}:
            self._note_missions(record, row)
        self._is_seed = False

    def _note_missions(self, record: Record, row: EvidenceRow | None) -> None:
        is_unreal = record.get("source") in _UNREAL
        ends = _ends_of(record)
        strays = {end.mission_id for end in ends if not end.window}
        self._note_window(record, row, strays)
        for mission_id in _ended_ids(record):
            is_own = mission_id not in strays
            self._ids.setdefault(mission_id, is_unreal and is_own and not self._is_seed)
        _keep_newest(self._ids, IDS_LIMIT)
        self._ends = {end.mission_id: end for end in merged_ends(self._ends.values(), ends)}
        _keep_newest(self._ends, IDS_LIMIT)
        self._told |= dict.fromkeys(_told_by(record))
        _keep_newest(self._told, AUTHORS_LIMIT)
        if is_unreal and row is not None:
            self._unreal_windows[row.window] = None
        _keep_newest(self._unreal_windows, IDS_LIMIT)

    def _note_window(self, record: Record, row: EvidenceRow | None, strays: set[str]) -> None:
        """Remember the row's window: a record leaves out of its anchor what others had named."""
        if row is None or (window := _window_of(record, row)) is None:
            return
        known = self._window
        if known is None or not known.is_open or known.opened_at != window.opened_at:
            self._before = frozenset(self._ids)
        self._before |= strays
        anchor = None if window.anchor is None else window.anchor | self._before
        self._window = window._replace(anchor=anchor)

    def _recorded(self) -> Recorded:
        return Recorded(
            frozenset(self._ids),
            frozenset(mission_id for mission_id, is_unreal in self._ids.items() if is_unreal),
            frozenset(self._unreal_windows),
            dict(self._authors),
            tuple(self._ends.values()),
            tuple(self._told),
            self._window,
        )


def _keep_newest(named: dict[Any, Any], limit: int) -> None:
    for name in list(named)[: max(len(named) - limit, 0)]:
        del named[name]


def _ended_ids(record: Record) -> list[str]:
    """Return the missions that a record names as ended, oldest first; what else is there is none.

    A record of before names them in its snapshot, with those that ran.
    """
    named = record.get("ended")
    if isinstance(named, list):
        return [mission_id for mission_id in named if isinstance(mission_id, str)]
    snapshot = record.get("snapshot")
    listed: Any = snapshot.get("recent_missions") if isinstance(snapshot, dict) else None
    if not isinstance(listed, list):
        return []
    ids = [
        mission.get("mission_id")
        for mission in listed
        if isinstance(mission, dict) and mission.get("status") != "running"
    ]
    return [mission_id for mission_id in reversed(ids) if isinstance(mission_id, str)]


def _ends_of(record: Record) -> list[RecordedEnd]:
    """Return how the missions that a record tells of had ended; one of before does not say."""
    told = record.get("outcomes")
    if not isinstance(told, dict):
        return []
    label, strays = label_of(record), record.get("in_no_window")
    outside = set(map(str, strays)) if isinstance(strays, list) else set[str]()
    return [
        RecordedEnd(literal(one), "" if one in outside else label, literal(outcome))
        for one, outcome in told.items()
        if isinstance(outcome, str)
    ]


def label_of(record: Record) -> str:
    """Return the label of a record's window; "" where it tells none."""
    window = record.get("window")
    label = window.get("label") if isinstance(window, dict) else window
    return literal(label) if isinstance(label, str) else ""


def _window_of(record: Record, row: EvidenceRow) -> Window | None:
    """Return the window that a record tells, as it is after its row; None where it tells none."""
    told: Any = record.get("window")
    with suppress(KeyError, TypeError, ValueError):
        opened_at = datetime.fromisoformat(told["opened_at"])
        newest, anchor = told.get("newest"), told["anchor"]
        if opened_at.tzinfo is not None:
            return Window(
                literal(str(told["label"])),
                row.scope,
                Stage(record["stage"]),
                Traffic(record["source"]),
                opened_at,
                None if anchor is None else frozenset(map(str, anchor)),
                None if told["open"] else moment(row) or opened_at,
                row.decision,
                running=frozenset(map(str, told.get("running", ()))),
                newest=None if newest is None else datetime.fromisoformat(newest),
            )
    return None


def _told_by(record: Record) -> list[Told]:
    """Return what happened and the record tells of."""
    told = record.get("told")
    found = []
    for one in told if isinstance(told, list) else ():
        with suppress(KeyError, TypeError, ValueError):
            at = datetime.fromisoformat(one["at"])
            if at.tzinfo is not None:
                found.append(Told(literal(str(one["what"])), literal(str(one["target"])), at))
    return found
