"""The file of records beside a log, `<log>.snapshots.jsonl`: a chain of lines, one per row.

A record line is canonical JSON. It holds the hash of its row, of its snapshot, of the line before
it (`prev`, null in the first) and, as nothing later vouches for the last one, of itself
(`record_sha256`, over the canonical JSON of its other keys). Lines are only ever added. What a
crash left of a line stays where it is: the next record goes on a line of its own, and its `prev`
covers the torn one.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from vp_tui.storage.atomic import write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Record = dict[str, Any]

SEAL: Final = "record_sha256"
"""The key of a record's own hash."""
_BLOCK: Final = 65_536


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
    with suppress(FileNotFoundError), path.open("rb") as file:
        yield from file


def last_line(path: Path) -> bytes | None:
    """Return the last line of a file without its end, None without a line. Raises OSError."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        return _last_line(file.fileno()) or None


def append_record(log: Path, members: Mapping[str, bytes]) -> None:
    """Add a record, as `encoded` gives it, chained and sealed to those of `log`; fsynced.

    The caller holds the log's lock. On an error the file is as it was. Raises OSError.
    """
    mode = 0o666
    with suppress(FileNotFoundError):
        mode &= log.stat().st_mode  # prompts are in it: for the eyes of the log's readers only
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    fd = os.open(records_path(log), flags, mode)
    try:
        end = os.fstat(fd).st_size
        torn = end > 0 and os.pread(fd, 1, end - 1) != b"\n"
        prev = sha256(_last_line(fd)) if end else None
        line = sealed({**members, "prev": canonical(prev)})
        try:
            write_all(fd, (b"\n" if torn else b"") + line + b"\n")
            os.fsync(fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(fd, end)
            raise
    finally:
        os.close(fd)


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
