"""Locks by flock: one writer at a time for an evidence log, and one vp-tui a host for what acts.

Both hold on this host only: the log's through every name that it has, the other among all users,
for as long as the vp-tui that took it wants it, and no longer than that runs.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal
from vp_tui.storage.atomic import opened, require_regular
from vp_tui.storage.errors import EvidenceError, LockError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LOCK_WAIT_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.002

_NAME_LENGTH: Final = 24
_SAID_LIMIT: Final = 500
"""Bytes that are read of what a holder says of itself."""
_TRIES: Final = 50
"""Of opening a lock that its maker is about to open to all."""
_AWAY: Final = "move it away, then append the row again"
_CLOSELY: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


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
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
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
    with EvidenceError.for_os_errors(path):
        try:
            fd = os.open(path, _CLOSELY | os.O_CREAT | os.O_RDWR, 0o666)
        except PermissionError:  # somebody else's lock file can be locked all the same
            fd = os.open(path, _CLOSELY | os.O_RDONLY)
        except OSError as error:
            if error.errno not in {errno.EISDIR, errno.ELOOP}:
                raise
            what = "a directory" if error.errno == errno.EISDIR else "a link"
            raise EvidenceError(f"it is {what}, not a lock", _AWAY, path) from error
        try:
            require_regular(fd)
        except OSError as error:
            os.close(fd)
            raise EvidenceError(str(error), _AWAY, path) from error
    return fd


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
    """A lock file for all users of the host, held from `take` until `release` or the process's end.

    The file stays, and so does what its holder said last. No link is followed to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self.found = ""
        """What the holder before had said last, literally, when it was taken."""

    def take(self, who: str, wait_s: float = 0.0) -> str | None:
        """Take it in the name of `who`, unless somebody has it; return who has, None: we do.

        What another one said of itself comes back literally, "" when it said nothing. Waits up to
        `wait_s` seconds. Raises LockError when the file cannot be made, opened or locked.
        """
        with LockError.for_os_errors(self._path):
            if self._fd is not None:
                if _is_at(self._path, self._fd):
                    os.utime(self._fd)  # what clears old files away leaves it alone
                    return None
                self.release()
            for _ in range(_TRIES):
                with ExitStack() as unless_taken:
                    fd = _shared(self._path)
                    unless_taken.callback(os.close, fd)
                    try:
                        take(fd, fcntl.LOCK_EX, wait_s)
                    except BlockingIOError:
                        return _said(fd)
                    if _is_at(self._path, fd):  # otherwise it was removed meanwhile
                        self.found = _said(fd)
                        _say_who(fd, who)
                        unless_taken.pop_all()
                        self._fd = fd
                        return None
            raise OSError("somebody removes it all the time")

    def release(self, left: str = "") -> None:
        """Let others have it, and find `left` in it."""
        if self._fd is not None:
            _say_who(self._fd, left)
            os.close(self._fd)
            self._fd = None

    def is_held(self) -> bool:
        """Tell whether somebody has it. Raises LockError when that cannot be told."""
        return self.left() is None

    def left(self) -> str | None:
        """Return what its last holder said, literally; None while somebody has it.

        Raises LockError when that cannot be told.
        """
        with LockError.for_os_errors(self._path):
            try:
                fd = os.open(self._path, os.O_RDONLY | _CLOSELY)
            except FileNotFoundError:
                return ""
            try:
                take(fd, fcntl.LOCK_SH, 0.0)
                return _said(fd)
            except BlockingIOError:
                return None
            finally:
                os.close(fd)


def _shared(path: Path) -> int:
    """Open a lock file that every user of the host can lock. Raises OSError.

    For as long as its maker has not opened file and directory to all, it is tried again. What may
    make a file never opens one that is there: systems forbid that for another user's file in a
    directory where all may write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    refused: OSError = FileNotFoundError(errno.ENOENT, "it is not there")
    for _ in range(_TRIES):
        try:
            with opened(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW) as directory:
                _open_to_all(directory, 0o1777)
                for flags in (os.O_RDWR, os.O_RDWR | os.O_CREAT | os.O_EXCL):
                    with suppress(FileNotFoundError, FileExistsError):
                        return _file_of_its_own(
                            os.open(path.name, flags | _CLOSELY, 0o666, dir_fd=directory)
                        )
        except PermissionError as error:
            refused = error
        time.sleep(_LOOK_AGAIN_S)
    raise refused


def _file_of_its_own(fd: int) -> int:
    """Return an open file; raise OSError where it is none, or has another name too."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(fd)
        raise OSError("it is another file")
    _open_to_all(fd, 0o666)
    return fd


def _open_to_all(fd: int, mode: int) -> None:
    """Give what is ours its mode, whatever the umask took of it."""
    status = os.fstat(fd)
    if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != mode:
        os.fchmod(fd, mode)


def _is_at(path: Path, fd: int) -> bool:
    """Tell whether a path still names the open file."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(fd))
    return False


def lock_file(directory: Path, gateway: str, what: str) -> Path:
    """Return the file that locks `what` is done to a gateway, by the gateway's id."""
    name = hashlib.sha256(f"{gateway}\n{what}".encode()).hexdigest()[:_NAME_LENGTH]
    return directory / f"{name}.lock"
