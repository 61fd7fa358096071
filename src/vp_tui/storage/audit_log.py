"""The audit, an append-only file with a line of JSON per action; and the files of handover texts.

Several vp-tui may write the audit at once: each line goes in by one write under a lock on the file.
What a crash left of a line stays where it is; the next line begins on a line of its own. A handover
text is a file of its own, for its owner only, never written over.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.orders import ActionRecord, from_json, to_json
from vp_tui.storage.atomic import sync_directory, write_all
from vp_tui.storage.errors import as_audit_error, as_handover_error
from vp_tui.storage.locks import take

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


LOCK_WAIT_S: Final = 2.0
"""The action waits for nobody; only its caller hears that it could not be written down."""
READ_AT_MOST: Final = 4 * 1024 * 1024
"""Bytes, from the end of the file."""


class AuditTail(NamedTuple):
    """The newest actions, oldest first."""

    records: tuple[ActionRecord, ...] = ()
    unreadable: int = 0
    """Lines among the newest that tell no action; they are left where they are."""


def append_action(path: Path, record: ActionRecord, *, wait_s: float = LOCK_WAIT_S) -> None:
    """Add a line to the audit, fsynced; a new file, and its directory, are for its owner only.

    Blocks on the disk, and up to `wait_s` on others. Raises AuditError; the file is then as it was.
    """
    text = json.dumps(to_json(record), ensure_ascii=False, separators=(",", ":"))
    line = text.encode("utf-8", "backslashreplace") + b"\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            take(fd, fcntl.LOCK_EX, wait_s)
            _append(fd, line)
        finally:
            os.close(fd)
        sync_directory(path.parent)
    except OSError as error:
        raise as_audit_error(error, path) from error


def newest_actions(path: Path, count: int) -> AuditTail:
    """Return the newest `count` actions; none when there is no audit yet. Raises AuditError."""
    try:
        lines = _newest_lines(path, count)
    except FileNotFoundError:
        return AuditTail()
    except OSError as error:
        raise as_audit_error(error, path, reading=True) from error
    read = [_parsed(line) for line in lines]
    records = tuple(record for record in read if record is not None)
    return AuditTail(records, len(read) - len(records))


def _append(fd: int, line: bytes) -> None:
    end = os.fstat(fd).st_size
    torn = end > 0 and os.pread(fd, 1, end - 1) != b"\n"
    try:
        write_all(fd, b"\n" * torn + line)
        os.fsync(fd)
    except OSError:
        with suppress(OSError):
            os.ftruncate(fd, end)
        raise


def _newest_lines(path: Path, count: int) -> list[bytes]:
    """Return the last `count` lines that are not empty, as far as READ_AT_MOST goes."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(size - READ_AT_MOST, 0)
        file.seek(start)
        lines = file.read(size - start).split(b"\n")
    if start:
        del lines[0]  # it may have begun before
    filled = [line for line in lines if line.strip()]
    return filled[-count:] if count > 0 else []


def _parsed(line: bytes) -> ActionRecord | None:
    try:
        return from_json(json.loads(line))
    except (ValueError, RecursionError):
        return None


def keep_handover(directory: Path, text: str, at: datetime) -> Path:
    """Write the text into a new file named by `at` (UTC), and return that; it is on disk then.

    Blocks on the disk. Raises HandoverError.
    """
    path = directory / f"handover-{at:%Y%m%dT%H%M%SZ}.md"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in count(2):
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                break
            except FileExistsError:
                path = directory / f"handover-{at:%Y%m%dT%H%M%SZ}-{number}.md"
        try:
            write_all(fd, text.encode("utf-8", "backslashreplace"))
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_directory(directory)
    except OSError as error:
        raise as_handover_error(error, path) from error
    return path
