"""The audit, an append-only file with a line of JSON per action; and the files of handover texts.

Several vp-tui may write the audit at once: each line goes in by one write under a lock on the file.
What a crash left of a line stays where it is; the next line begins on a line of its own. A handover
text is a file of its own, for its owner only, never written over.
"""

from __future__ import annotations

import fcntl
import json
import os
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.orders import ActionRecord, from_json, settled, to_json
from vp_tui.storage.atomic import (
    append_line,
    make_private,
    opened,
    regular,
    sync_directory,
    write_new,
)
from vp_tui.storage.errors import AuditError, HandoverError
from vp_tui.storage.locks import take

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path


LOCK_WAIT_S: Final = 2.0
"""The action waits for nobody; only its caller hears that it could not be written down."""
LOOKED_AT: Final = 500
"""Lines looked at for whether something is told already, the newest."""
READ_AT_MOST: Final = 4 * 1024 * 1024
"""Bytes, from the end of the file."""


class AuditTail(NamedTuple):
    """The newest actions, oldest first."""

    records: tuple[ActionRecord, ...] = ()
    unreadable: int = 0
    """Lines among the newest that tell no action; they are left where they are."""


def append_action(
    path: Path,
    record: ActionRecord,
    *,
    unless: Callable[[ActionRecord], bool] | None = None,
    wait_s: float = LOCK_WAIT_S,
) -> None:
    """Add a line to the audit, fsynced; a new file, and its directory, are for its owner only.

    Nothing is added where `unless` holds for one of the newest lines, whoever wrote that. Blocks on
    the disk, and up to `wait_s` on others. Raises AuditError; the file is then as it was.
    """
    text = json.dumps(to_json(record), ensure_ascii=False, separators=(",", ":"))
    with AuditError.for_os_errors(path):
        make_private(path.parent)
        with opened(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600) as fd:
            take(fd, fcntl.LOCK_EX, wait_s)
            if unless is not None and any(map(unless, newest_actions(path, LOOKED_AT).records)):
                return
            append_line(fd, text.encode("utf-8", "backslashreplace"))
        sync_directory(path.parent)


def newest_actions(path: Path, count: int) -> AuditTail:
    """Return what the newest `count` lines tell; nothing when there is no audit yet.

    Raises AuditError.
    """
    try:
        lines = _newest_lines(path, count)
    except FileNotFoundError:
        return AuditTail()
    except PermissionError as error:
        raise AuditError("it may not be read", AuditError.cure, path) from error
    except OSError as error:
        raise AuditError.of(error, path) from error
    records = tuple(record for line in lines if (record := _parsed(line)) is not None)
    return AuditTail(settled(records), len(lines) - len(records))


def _newest_lines(path: Path, count: int) -> list[bytes]:
    """Return the last `count` lines that are not empty, as far as READ_AT_MOST goes."""
    with regular(path) as file:
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
    except (ValueError, OverflowError, RecursionError):
        return None


def keep_handover(directory: Path, text: str, at: datetime) -> Path:
    """Write the text into a new file named by `at` (UTC), and return that; it is on disk then.

    Blocks on the disk. Raises HandoverError.
    """
    path = directory / f"handover-{at:%Y%m%dT%H%M%SZ}.md"
    try:
        make_private(directory)
        for number in count(2):
            try:
                write_new(path, text.encode("utf-8", "backslashreplace"))
                break
            except FileExistsError:
                path = directory / f"handover-{at:%Y%m%dT%H%M%SZ}-{number}.md"
        sync_directory(directory)
    except OSError as error:
        raise HandoverError.of(error, path) from error
    return path
