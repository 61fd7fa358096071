"""Replacing a file so that every reader, and a crash at any point, finds the old or the new one.

The new content is staged in a file beside the target, fsynced, and renamed. Where the system can
exchange two names in one step, what was replaced is looked at afterwards: if that was not the file
expected, somebody replaced it at the last moment, and theirs is put back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from dataclasses import dataclass
from functools import cache
from secrets import token_hex
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


_SUFFIX: Final = ".vp-tui-tmp"
_CHUNK: Final = 65_536
_KINDS: Final = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_NO_EXCHANGE: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM})
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


def read_if_there(path: Path) -> bytes | None:
    """Return the bytes of a regular file, None when there is no such file. Raises OSError."""
    try:
        with regular(path) as file:
            return file.read()
    except FileNotFoundError:
        return None


def regular(path: Path, buffering: int = -1) -> BinaryIO:
    """Open a regular file for reading; anything else is named and not waited for.

    Raises OSError.
    """
    # O_NONBLOCK: opening a named pipe would wait for a writer.
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        require_regular(fd)
        return os.fdopen(fd, "rb", buffering)
    except BaseException:
        os.close(fd)
        raise


def require_regular(fd: int) -> None:
    """Raise OSError, which names what it is, unless an open file is a regular one."""
    kind = stat.S_IFMT(os.fstat(fd).st_mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if kind != stat.S_IFREG:
        raise OSError(f"it is {_KINDS.get(kind, 'a device')}, not a file")


@dataclass(frozen=True, slots=True)
class StagedFile:
    """New content for `target`, complete in the file `path`."""

    target: Path
    data: bytes
    path: Path


def holds(path: Path, data: bytes) -> bool:
    """Tell whether the file `path` is there and is `data`; takes no memory. Raises OSError."""
    try:
        file = regular(path, buffering=0)
    except FileNotFoundError:
        return False
    with file:
        if os.fstat(file.fileno()).st_size != len(data):
            return False
        starts = range(0, len(data), _CHUNK)
        return all(file.read(_CHUNK) == data[start : start + _CHUNK] for start in starts)


def stage(target: Path, data: bytes) -> StagedFile:
    """Write `data` beside `target` and fsync it.

    It gets the mode, owner and extended attributes of `target`, where there is one, and the usual
    mode of a new file where not. Raises OSError, also when the owner cannot be kept.
    """
    try:
        old, mode = target.stat(), 0o600
    except FileNotFoundError:
        old, mode = None, 0o666
    return StagedFile(target, data, _write_beside(target, data, old, mode))


def replace_unchanged(staged: StagedFile, expected: bytes | None) -> bool:
    """Put `staged` in the target's place if that still holds `expected` (None: is not there).

    Returns False, with the target as others left it, if it holds something else. The staged file
    is gone then, and the directory fsynced. Raises OSError.
    """
    target = staged.target
    with discarded_on_error(staged.path):
        if expected is None:
            done = _create(staged.path, target)
        else:
            done = holds(target, expected) and _swap(staged.path, target)
    if done and expected is not None and staged.path.exists():
        done = _settle(staged, expected)
    try:
        sync_directory(target.parent)
    finally:
        discard(staged.path)  # not before: only what is durable may take the old file's place
    return done


def make_private(directory: Path) -> None:
    """Make a directory, and those above it that are missing, for its owner alone. Raises OSError.

    `mkdir` gives its mode to the last one only, and what is kept there is nobody else's.
    """
    for each in (*reversed(directory.parents), directory):
        if each == directory or not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Make the file `path` of mode 0600, whole or not at all. Raises OSError."""
    staged = _write_beside(path, data, None, 0o600)
    with discarded_on_error(staged):
        staged.rename(path)
    sync_directory(path.parent)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`, and fsync it. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


def write_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Make the file `path`, fsynced. Raises FileExistsError where there is one, and OSError."""
    with opened(path, _NEW, mode) as fd:
        write_all(fd, data)


def append_line(fd: int, line: bytes) -> None:
    """Add a line, given without its end, to an open file, fsynced; a torn last line is ended first.

    On an error the file is as it was. Raises OSError.
    """
    end = os.fstat(fd).st_size
    torn = end > 0 and os.pread(fd, 1, end - 1) != b"\n"
    try:
        write_all(fd, b"\n" * torn + line + b"\n")
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, end)
        raise


@contextlib.contextmanager
def opened(path: Path, flags: int, mode: int = 0o777) -> Iterator[int]:
    """Open a regular file, or a directory, as `os.open` does, to be closed in the end.

    Raises OSError.
    """
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, mode)
    try:
        if not flags & os.O_DIRECTORY:
            require_regular(fd)
        yield fd
    finally:
        os.close(fd)


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable. Raises OSError."""
    with opened(directory, os.O_RDONLY | os.O_DIRECTORY) as fd:
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some systems sync no directories
                raise


def discard(path: Path) -> None:
    """Remove the file `path` if that is possible."""
    with contextlib.suppress(OSError):
        path.unlink()


@contextlib.contextmanager
def discarded_on_error(path: Path) -> Iterator[None]:
    """Remove the file `path` if what is done with it fails."""
    try:
        yield
    except BaseException:
        discard(path)
        raise


def sweep(target: Path) -> None:
    """Remove what killed processes staged for `target`; for the holder of its lock only."""
    for name in os.listdir(target.parent):  # noqa: PTH208 - names only, and no Path for each
        if name.startswith(_prefix(target)) and name.endswith(_SUFFIX):
            discard(target.parent / name)


def beside(target: Path, what: str) -> Path:
    """Return the name of a file beside `target` that `sweep` removes."""
    return target.with_name(f"{_prefix(target)}{what}{_SUFFIX}")


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _write_beside(target: Path, data: bytes, like: os.stat_result | None, mode: int) -> Path:
    staged = beside(target, token_hex(8))
    with opened(staged, _NEW, mode) as fd, discarded_on_error(staged):
        if like is not None:
            _adopt(fd, staged, target, like)
        write_all(fd, data)
    return staged


def _adopt(fd: int, staged: Path, target: Path, like: os.stat_result) -> None:
    new = os.fstat(fd)
    if (new.st_uid, new.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(fd, like.st_uid, like.st_gid)
        except PermissionError as error:
            owner = f"uid {like.st_uid}, gid {like.st_gid}"
            raise OSError(f"it belongs to {owner}, and only they or root can keep it so") from error
    shutil.copystat(target, staged)  # access lists too; what is written next sets the times


def _create(staged: Path, target: Path) -> bool:
    try:
        target.hardlink_to(staged)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            return False
        staged.rename(target)
    return True


def _settle(staged: StagedFile, expected: bytes) -> bool:
    """See what the new content was exchanged for; if not for `expected`, put that back."""
    given, awaited, committed = staged.data, expected, True
    while not holds(staged.path, awaited):
        found = staged.path.read_bytes()
        # Newer than what it was exchanged for: back with it, and see what that replaces in turn.
        if not _swap(staged.path, staged.target):
            _create(staged.path, staged.target)
            return False
        given, awaited, committed = found, given, False
    return committed


def _swap(staged: Path, target: Path) -> bool:
    """Exchange two files, or rename the one where the system cannot; False without a target."""
    call = _renameat2()
    failed = errno.ENOSYS if call is None else call(bytes(staged), bytes(target))
    if failed in _NO_EXCHANGE:
        staged.rename(target)
        return True
    if failed == errno.ENOENT:
        return False
    if failed:
        raise OSError(failed, os.strerror(failed))
    return True


@cache
def _renameat2() -> Callable[[bytes, bytes], int] | None:
    """Return what exchanges two names (0 or an errno), None where the system has no such call."""
    import ctypes  # noqa: PLC0415 - only who writes needs it

    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None

    def exchange(one: bytes, other: bytes) -> int:
        if function(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE) == 0:
            return 0
        return ctypes.get_errno()

    return exchange
