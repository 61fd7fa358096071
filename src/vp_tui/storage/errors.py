# ruff: noqa: N818 - as the gateway's: named by what happened

"""Why a row, a line of the audit, a switch or a handover could not be written, in words.

    EvidenceError       nothing was written to the log
    ├── LogChanged      somebody else wrote a row since the log was read
    ├── LogDamaged      its table is perhaps not whole, and nobody said to write all the same
    └── WindowError     the open window could not be read or written
    AuditError          the audit could not be read or written; the action itself is not stopped
    SwitchError         the gateway's env file could not be read or written; it is as it was
    └── SwitchMasked    the switch would have no effect
    LockError           what only one vp-tui on this host may do cannot be locked
    HandoverError       the handover text is not in its file
    RecordingError      a recording could not be written or read

Each is a StorageError, and carries a `Failure`: reason and cure for the operator.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.models import Failure
from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Self


_REASONS: Final = {
    errno.EACCES: "it may not be written",
    errno.EPERM: "it may not be written",
    errno.EROFS: "its file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "it would be larger than a file may be here",
    errno.ENOENT: "its directory is not there",
    errno.ENOTDIR: "its directory is a file",
    errno.EEXIST: "its directory is a file",
    errno.EISDIR: "it is a directory",
    errno.ELOOP: "its symbolic links lead in a circle",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EAGAIN: "others are writing it all the time",
}
_FREE: Final = "free some space, then append the row again"
_ASK: Final = "ask its owner for write access, then append the row"
CORRECT: Final = "correct brake.env_file in the configuration"


class StorageError(Exception):
    """A file could not be read or written.

    `path` is what the reason is about, where that does not say so. The cures are those for one of
    vp-tui's own files, by what failed.
    """

    cures: ClassVar[Mapping[int, str]] = {
        errno.ENOSPC: "free some space",
        errno.EDQUOT: "free some space",
    }
    cure: ClassVar[str] = "name a directory of your own with XDG_STATE_HOME"
    """For all else."""

    def __init__(self, reason: str, cure: str, path: Path | None = None) -> None:
        if path is not None:
            reason = f"{literal(str(path))}: {reason}"
        super().__init__(f"{reason}; {cure}")
        self.failure = Failure(reason, cure)

    @classmethod
    def of(cls, error: OSError, path: Path) -> Self:
        """Return what `error` means for the file `path`."""
        said = error.strerror or str(error) or type(error).__name__
        number = error.errno or 0
        return cls(_REASONS.get(number, said), cls.cures.get(number, cls.cure), path)

    @classmethod
    @contextmanager
    def for_os_errors(cls, path: Path) -> Iterator[None]:
        """Raise an OSError as what it means for the file `path`."""
        try:
            yield
        except OSError as error:
            raise cls.of(error, path) from error


class EvidenceError(StorageError):
    """The evidence could not be read or written; the log is as it was."""

    cures: ClassVar[Mapping[int, str]] = {
        errno.EACCES: _ASK,
        errno.EPERM: _ASK,
        errno.ENOSPC: _FREE,
        errno.EDQUOT: _FREE,
        errno.EFBIG: "start a new log",
        errno.ENOENT: "make the directory, or choose another log",
        errno.EISDIR: "name a file",
    }
    cure = "choose another log"
    recorded = False
    """The record of the row is in its file already: only the row has to be appended."""


class LogChanged(EvidenceError):
    """The rows are not those that were shown to whoever decided on this one."""


class LogDamaged(EvidenceError):
    """The log's table is perhaps not whole: a merge is not decided, rows stand behind its end."""

    damage = ""
    """What is wrong with it, without its name."""


class WindowError(EvidenceError):
    """The windows could not be read or written: a file of vp-tui's own."""

    cures, cure = StorageError.cures, StorageError.cure


class AuditError(StorageError):
    """The audit could not be read or written."""


class HandoverError(StorageError):
    """The handover text could not be written."""


class RecordingError(StorageError):
    """A recording could not be written, or what was named is none that can be read."""

    cures: ClassVar[Mapping[int, str]] = {
        **StorageError.cures,
        errno.ENOENT: "name a file that vp-tui recorded",
        errno.EISDIR: "name a file in it",
    }


class LockError(StorageError):
    """What only one vp-tui on this host may do cannot be locked."""

    cure = "have somebody who may remove it: vp-tui makes it anew, for all users"


class SwitchError(StorageError):
    """The gateway's env file could not be read or written; it is as it was.

    Its words hold nothing of the file but names of switches: the rest is secrets.
    """

    cures: ClassVar[Mapping[int, str]] = {
        errno.ENOENT: CORRECT,
        errno.ENOTDIR: CORRECT,
        errno.EISDIR: CORRECT,
        errno.ENOSPC: "free some space, then try again",
        errno.EDQUOT: "free some space, then try again",
    }
    cure = "set the switch there by hand, as somebody who may"


class SwitchMasked(SwitchError):
    """Another variable of the file keeps the switch from having an effect."""
