"""One writer at a time for an evidence log, on this host and through every name of the log."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal
from vp_tui.storage.errors import EvidenceError, as_evidence_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_WAIT_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.002


@contextmanager
def locked(log: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold `<log>.lock` exclusively; the file stays, as removing it would let two hold it.

    Raises EvidenceError when the lock cannot be made, or not be had within `wait_s`: then it
    names the holder.
    """
    path = lock_path(log)
    fd = _opened(path)
    try:
        _take(fd, path, fcntl.LOCK_EX, wait_s)
        say_who(fd, f"pid {os.getpid()}, uid {os.getuid()} on {os.uname().nodename}")
        try:
            yield
        finally:
            say_who(fd, "")
    finally:
        os.close(fd)


@contextmanager
def locked_for_reading(log: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Keep writers away while reading; needs no write access, and no lock where none was made.

    Raises EvidenceError as `locked` does.
    """
    path = lock_path(log)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _take(fd, path, fcntl.LOCK_SH, wait_s)
        yield
    finally:
        os.close(fd)


def lock_path(log: Path) -> Path:
    """Return the lock of a log whose symbolic links are followed already."""
    return log.with_name(f"{log.name}.lock")


def _opened(path: Path) -> int:
    flags = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        try:
            return os.open(path, flags | os.O_RDWR, 0o666)
        except PermissionError:  # somebody else's lock file can be locked all the same
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise as_evidence_error(error, path) from error


def take(fd: int, kind: int, wait_s: float) -> None:
    """Lock an open file, `kind` as `flock` has it, until it is closed.

    Raises BlockingIOError when others hold it for `wait_s`, OSError when it cannot be locked.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _take(fd: int, path: Path, kind: int, wait_s: float) -> None:
    try:
        take(fd, kind, wait_s)
    except BlockingIOError:
        raise _busy(fd, path, wait_s) from None
    except OSError as error:
        reason = f"{literal(str(path))}: it cannot be locked: {error.strerror}"
        raise EvidenceError(reason, "keep the log on a local disk") from error


def _busy(fd: int, path: Path, wait_s: float) -> EvidenceError:
    holder = literal(os.pread(fd, 200, 0).decode("utf-8", "replace").strip())
    reason = f"{literal(str(path))}: held for {wait_s:g} s by {holder or 'somebody unknown'}"
    return EvidenceError(reason, "wait for the other writer to end, then append the row again")


def say_who(fd: int, holder: str) -> None:
    """Note the holder in the lock file: a help for others, which may fail."""
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, holder.encode(), 0)
    except OSError:
        pass
