"""Handover texts: a file each, for its owner only, never written over."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

from vp_tui.storage.atomic import sync_directory, write_all
from vp_tui.storage.errors import as_handover_error

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


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
