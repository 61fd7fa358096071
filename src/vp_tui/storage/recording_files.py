"""Recordings on disk: a header, then the events as the store took them, one a line.

    {"format": "vp-tui-recording", "version": 1, "gateway": …, "vp_id": …, "started_at": …,
     "at0": …, "settings": {…}, "part": 1, "repeats": 0}
    {"kind": "TokensRead", "at": …, …}

A file is readable up to its last whole line, whatever ended its writer. A watch that goes on for
long writes several, its parts: each but the first begins with `repeats` lines that say again what
the part before knew, so that it can be read alone, and all can be read as one. A line
`{"kind": "Lost", "at": …, "events": …}` says that events are missing there.

An answer says nearly what the one before it said. A long line may therefore have `"like": 17`: its
lists name runs of the items that stand in line 17, `{"again": [0, 499]}`, and what is as it was
there is `{"again": true}`. Line 17 may be like an earlier one itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
import sys
import zlib
from array import array
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.domain.text import clip, literal
from vp_tui.storage.atomic import opened
from vp_tui.storage.errors import RecordingError
from vp_tui.storage.recording import alike, as_text, from_json, unlike
from vp_tui.storage.typed_json import KIND, Misshapen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vp_tui.domain.events import Event
    from vp_tui.storage.recording import Line


BUNDLED: Final = Path(__file__).with_name("story.jsonl.gz")
"""A night on call that vp-tui brings along."""
FORMAT: Final = "vp-tui-recording"
VERSION: Final = 1
SUFFIXES: Final = (".jsonl", ".jsonl.gz")
LOST: Final = "Lost"
AT: Final = "at"
LIKE: Final = "like"
"""The key of the number of a line, from 0 after the header, that a line says what differs from."""
_LINKS: Final = 500
"""Lines that are each like the one before, from a whole one on."""
_LONG: Final = 400
"""Characters from which on a line is worth to be told by another one."""
OTHER_FILE: Final = "name a file that vp-tui recorded"

_READ_LIMIT: Final = 512 * 2**20
"""Bytes of one file, unpacked: several times what vp-tui writes into one."""
_STEP: Final = 2**20
_NEWLINE: Final = ord("\n")
_HEAD: Final = re.compile(rb'\{"kind":"(\w{1,60})","at":(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)[,}]')
_NAME_PARTS: Final = re.compile(r"[^A-Za-z0-9.]+")
_NAME_LENGTH: Final = 40


class Header(NamedTuple):
    """What a file of a recording begins with."""

    gateway: str
    """Its id."""
    vp_id: str
    started_at: datetime
    """When the watch began, in UTC: then the monotonic clock read `at0`."""
    at0: float
    part: int
    """Number of the file among those of its watch, from 1 on."""
    repeats: int
    """Lines after the header that the part before has too."""
    settings: Any
    """What was watched and how, as JSON."""

    def to_line(self) -> str:
        """Return it as the first line, without its end."""
        told = {"format": FORMAT, "version": VERSION, **self._asdict()}
        told["started_at"] = self.started_at.astimezone(UTC).isoformat()
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


_KINDS: Final[Mapping[str, type]] = {
    "gateway": str, "vp_id": str, "started_at": datetime, "at0": float, "part": int,
    "repeats": int, "settings": dict,
}  # fmt: skip


def header_of(line: bytes) -> Header:
    """Return the header that a file begins with. Raises RecordingError for another first line."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise RecordingError("it is no recording of vp-tui", OTHER_FILE)
    if told.get("version") != VERSION:
        version = clip(literal(str(told.get("version"))), _NAME_LENGTH)
        raise RecordingError(
            f"it is of version {version} of the format, and this vp-tui reads {VERSION}",
            "replay it with the vp-tui that recorded it, or with a newer one",
        )
    fields: dict[str, Any] = {name: told.get(name) for name in Header._fields}
    fields["started_at"] = _stamp(fields["started_at"])
    if not all(isinstance(fields[name], kind) for name, kind in _KINDS.items()):
        raise RecordingError("its header cannot be read", OTHER_FILE)
    return Header(**fields)


def _stamp(text: object) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return stamp if stamp.tzinfo is not None else None


def files_of(directory: Path, gateway: str, vp_id: str) -> list[Path]:
    """Return the files recorded of a lane of a gateway, the oldest first. Raises OSError."""
    begins = _prefix(gateway, vp_id)
    found = (path for path in _listed(directory) if path.name.startswith(begins))
    return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))


def _listed(directory: Path) -> Iterator[Path]:
    try:
        yield from (path for path in directory.iterdir() if path.name.endswith(SUFFIXES))
    except FileNotFoundError:
        return


def _prefix(gateway: str, vp_id: str) -> str:
    """Return how the names of a lane's files begin: to be read, and one for each lane."""
    shown = _NAME_PARTS.sub("-", gateway.partition("//")[2] or gateway)[:_NAME_LENGTH].strip("-.")
    key = hashlib.sha256(f"{gateway}\n{vp_id}".encode()).hexdigest()[:8]
    return f"{shown or 'gateway'}-{key}-"


class _Before(NamedTuple):
    """A long line, which the next of its kind may be told by."""

    number: int
    told: Any
    links: int
    """Lines from here back to one that is whole."""


class RecordingFile:
    """A file that is being recorded into; locked, so that no other vp-tui removes it."""

    def __init__(self, directory: Path, header: Header, now: datetime) -> None:
        """Make it, named by the lane and `now`, for its owner only. Raises RecordingError."""
        begins = f"{_prefix(header.gateway, header.vp_id)}{now:%Y%m%dT%H%M%SZ}-{os.getpid()}"
        with RecordingError.for_os_errors(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in count(1):
                self.path = directory / f"{begins}{f'-{number}' if number > 1 else ''}.jsonl"
                try:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
                    self._fd = os.open(self.path, flags | os.O_NOFOLLOW, 0o600)
                    break
                except FileExistsError:
                    continue
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.size = 0
        """Bytes."""
        self._lines = 0
        self._before: dict[str, _Before] = {}
        self._append([header.to_line()])

    def write(self, lines: Iterable[Line]) -> None:
        """Add lines; what others read ends with a whole line too. Raises RecordingError."""
        texts = []
        for line in lines:
            texts.append(line.text if len(line.text) < _LONG else self._shortened(line))
            self._lines += 1
        self._append(texts)

    def _shortened(self, line: Line) -> str:
        """Return a long line as what differs from the one before of its kind, or whole."""
        kind, told = line.told[KIND], line.told
        before = self._before.get(kind)
        if before is not None and before.links < _LINKS:
            like = {KIND: kind, AT: told[AT], LIKE: before.number}
            text = as_text(like | unlike(told, before.told))
            if len(text) < len(line.text):
                self._before[kind] = _Before(self._lines, told, before.links + 1)
                return text
        self._before[kind] = _Before(self._lines, told, 0)
        return line.text

    def _append(self, texts: Iterable[str]) -> None:
        data = "".join(f"{text}\n" for text in texts).encode("utf-8", "backslashreplace")
        with RecordingError.for_os_errors(self.path):
            rest = memoryview(data)
            try:
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
            except OSError:
                os.ftruncate(self._fd, self.size)
                raise
        self.size += len(data)

    def close(self) -> None:
        """End it; others may remove it from now on."""
        os.close(self._fd)


def make_room(directory: Path, gateway: str, vp_id: str, limit: int) -> None:
    """Remove the oldest files of a lane until `limit` bytes hold the others. Raises OSError.

    What another vp-tui records into stays.
    """
    files = files_of(directory, gateway, vp_id)
    sizes = {path: path.stat().st_size for path in files}
    too_much = sum(sizes.values()) - limit
    for path in files:
        if too_much <= 0:
            return
        with opened(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK) as fd:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink()
        too_much -= sizes[path]


class Lost(NamedTuple):
    """Events that were not recorded."""

    at: float
    events: int


class RecordedFile:
    """A file of a recording: its header, and its lines, each read when it is asked for."""

    def __init__(self, path: Path) -> None:
        """Find the lines. Raises RecordingError for what cannot be read or is no recording."""
        self.path = path
        self._data = _content(path)
        end = self._data.find(b"\n") + 1
        if not end:
            raise RecordingError("it is no recording of vp-tui", OTHER_FILE, path)
        try:
            self.header = header_of(self._data[:end])
        except RecordingError as error:
            raise RecordingError(error.failure.reason, error.failure.cure, path) from None
        self._starts = array("Q")
        self.moments = array("d")
        """When each line's event was, in seconds on the monotonic clock, never before another's."""
        self.kinds: list[str] = []
        """Of each line's event; "" where it cannot be read."""
        self._resolved: dict[str, tuple[int, Any]] = {}
        """Of each kind the line that was asked for last: the next one is often like it."""
        self._index(end)

    def __len__(self) -> int:
        return len(self.kinds)

    def told(self, number: int) -> Any:  # noqa: ANN401 - any JSON
        """Return what a line says, as JSON. Raises Misshapen."""
        kind, chain = self.kinds[number], list[tuple[int, Any]]()
        known, value = self._resolved.get(kind, (-1, None))
        while known != number:
            told = self._parsed(number)
            chain.append((number, told))
            like = told.pop(LIKE, None) if isinstance(told, dict) else None
            if like is None:
                value = told
                break
            if type(like) is not int or not 0 <= like < number or len(chain) > _LINKS:
                raise Misshapen("no line before it", LIKE)
            number = like
        for at, told in reversed(chain):
            value = told if told is value else alike(told, value)
            self._resolved[kind] = at, value
        return value

    def event(self, number: int) -> Event | Lost:
        """Return what a line tells. Raises UnknownKind and Misshapen."""
        told = self.told(number)
        if self.kinds[number] != LOST:
            return from_json(told)
        if type(lost := told.get("events")) is not int:
            raise Misshapen("no number of events")
        return Lost(self.moments[number], lost)

    def _parsed(self, number: int) -> Any:  # noqa: ANN401 - any JSON
        start, end = self._starts[number], self._starts[number + 1] - 1
        try:
            return json.loads(self._data[start:end])
        except (ValueError, RecursionError):
            raise Misshapen("no JSON") from None

    def _index(self, start: int) -> None:
        """Find where each whole line starts; a torn one is no line."""
        data, latest = self._data, self.header.at0
        while (end := data.find(b"\n", start)) >= 0:
            head = _HEAD.match(data, start, end)
            if head is not None:
                latest = max(latest, float(head[2]))
            self._starts.append(start)
            self.moments.append(latest)
            self.kinds.append(sys.intern(head[1].decode()) if head else "")
            start = end + 1
        self._starts.append(start)


def _content(path: Path) -> bytes:
    """Return what a file holds, unpacked. Raises RecordingError."""
    with RecordingError.for_os_errors(path), opened(path, os.O_RDONLY | os.O_NONBLOCK) as fd:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise RecordingError("it is no regular file", OTHER_FILE, path)
        chunks = iter(partial(os.read, fd, _STEP), b"")
        content = bytearray()
        try:
            for part in _unpacked(chunks) if path.suffix == ".gz" else chunks:
                content += part
                if len(content) > _READ_LIMIT:
                    break
        except zlib.error:
            raise RecordingError("it is not packed by gzip", OTHER_FILE, path) from None
    if len(content) > _READ_LIMIT:
        raise RecordingError(f"it holds more than {_READ_LIMIT >> 20} MB", "cut it in parts", path)
    return bytes(content)


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is packed in pieces of at most _STEP bytes, as far as it was written."""
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for chunk in chunks:
        rest = chunk
        while rest:
            yield unpacking.decompress(rest, _STEP)
            rest = unpacking.unconsumed_tail
