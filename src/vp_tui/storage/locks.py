"""Locks by flock: one writer at a time for an evidence log, and one vp-tui a host for what acts.

Both hold on this host only: the log's through every name that it has, the other for as long as the
vp-tui that took it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal
from vp_tui.storage.errors import EvidenceError, LockError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LOCK_WAIT_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.002

_NAME_LENGTH: Final = 24
_SAID_LIMIT: Final = 200
"""Bytes that are read of what a holder says of itself."""


@contextmanager
def locked(log: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold `<log>.lock` exclusively; the file stays, as removing it would let two hold it.

    Raises EvidenceError when the lock cannot be made, or not be had within `wait_s`: then it
    names the holder.
    """
    path = _lock_path(log)
    fd = _opened(path)
    try:
        _take(fd, path, fcntl.LOCK_EX, wait_s)
        _say_who(fd, f"pid {os.getpid()}, uid {os.getuid()} on {os.uname().nodename}")
        try:
            yield
        finally:
            _say_who(fd, "")
    finally:
        os.close(fd)


@contextmanager
def locked_for_reading(log: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Keep writers away while reading; needs no write access, and no lock where none was made.

    Raises EvidenceError as `locked` does.
    """
    path = _lock_path(log)
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


def _lock_path(log: Path) -> Path:
    """Return the lock of a log whose symbolic links are followed already."""
    return log.with_name(f"{log.name}.lock")


def _opened(path: Path) -> int:
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    with EvidenceError.for_os_errors(path):
        try:
            return os.open(path, flags | os.O_CREAT | os.O_RDWR, 0o666)
        except PermissionError:  # somebody else's lock file can be locked all the same
            return os.open(path, flags | os.O_RDONLY)


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
        reason = f"held for {wait_s:g} s by {_said(fd) or 'somebody unknown'}"
        cure = "wait for the other writer to end, then append the row again"
        raise EvidenceError(reason, cure, path) from None
    except OSError as error:
        reason = f"it cannot be locked: {error.strerror}"
        raise EvidenceError(reason, "keep the log on a local disk", path) from error


def _say_who(fd: int, holder: str) -> None:
    """Note the holder in the lock file: a help for others, which may fail."""
    with suppress(OSError):
        os.ftruncate(fd, 0)
        os.pwrite(fd, holder.encode(), 0)


def _said(fd: int) -> str:
    """Return what the holder says of itself, literally."""
    return literal(os.pread(fd, _SAID_LIMIT, 0).decode("utf-8", "replace").strip())


class HostLock:
    """A lock file that is held from `take` until `release`, or until the process is gone.

    The file stays: removing it would let two hold it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self, who: str) -> str | None:
        """Take it in the name of `who`, unless somebody has it; return who has, None: we do.

        What another one said of itself comes back literally, "" when it said nothing. Does not
        wait. Raises LockError when the file cannot be made, opened or locked.
        """
        if self._fd is not None:
            return None
        with LockError.for_os_errors(self._path), ExitStack() as unless_taken:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            unless_taken.callback(os.close, fd)
            try:
                take(fd, fcntl.LOCK_EX, 0.0)
            except BlockingIOError:
                return _said(fd)
            _say_who(fd, who)
            unless_taken.pop_all()
            self._fd = fd
        return None

    def release(self) -> None:
        """Let others have it."""
        if self._fd is not None:
            _say_who(self._fd, "")
            os.close(self._fd)
            self._fd = None


def lock_file(directory: Path, gateway_url: str) -> Path:
    """Return the lock's file for a gateway."""
    name = hashlib.sha256(gateway_url.encode()).hexdigest()[:_NAME_LENGTH]
    return directory / f"{name}.lock"
