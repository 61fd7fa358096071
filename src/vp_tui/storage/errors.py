# ruff: noqa: N818 - as the gateway's: named by what happened

"""Why a row, a line of the audit, a switch or a handover could not be written, in words.

    EvidenceError       nothing was written to the log
    └── LogChanged      somebody else wrote a row since the log was read
    AuditError          the audit could not be read or written; the action itself is not stopped
    SwitchError         the gateway's env file could not be read or written; it is as it was
    └── SwitchMasked    the switch would have no effect
    LockError           what only one vp-tui on this host may do cannot be locked
    HandoverError       the handover text is not in its file

Each carries a `Failure`: reason and cure for the operator.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Failure
from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from pathlib import Path


_FULL: Final = ("the disk is full", "free some space, then append the row again")
_DENIED: Final = ("it may not be written", "ask its owner for write access, then append the row")
_WORDS: Final = {
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: ("its file system is read-only", "choose another log"),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("the disk quota is used up", _FULL[1]),
    errno.EFBIG: ("it would be larger than a file may be here", "start a new log"),
    errno.ENOENT: ("its directory is not there", "make the directory, or choose another log"),
    errno.ENOTDIR: ("its directory is a file", "choose another log"),
    errno.EEXIST: ("its directory is a file", "choose another log"),
    errno.EISDIR: ("it is a directory", "name a file"),
    errno.ELOOP: ("its symbolic links lead in a circle", "choose another log"),
    errno.ENAMETOOLONG: ("its name is too long", "choose another log"),
}

_EDIT: Final = "set the switch there by hand, as somebody who may"
_SWITCH_CURES: Final = {
    errno.ENOENT: "correct brake.env_file in the configuration",
    errno.ENOTDIR: "correct brake.env_file in the configuration",
    errno.EISDIR: "correct brake.env_file in the configuration",
    errno.ENOSPC: "free some space, then try again",
    errno.EDQUOT: "free some space, then try again",
}


class EvidenceError(Exception):
    """The evidence could not be read or written; the log is as it was."""

    recorded = False
    """The record of the row is in its file already: only the row has to be appended."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(f"{reason}; {cure}")
        self.failure = Failure(reason, cure)


class LogChanged(EvidenceError):
    """The rows are not those that were shown to whoever decided on this one."""


class AuditError(Exception):
    """The audit could not be read or written."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(f"{reason}; {cure}")
        self.failure = Failure(reason, cure)


class HandoverError(Exception):
    """The handover text could not be written."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(f"{reason}; {cure}")
        self.failure = Failure(reason, cure)


class SwitchError(Exception):
    """The gateway's env file could not be read or written; it is as it was.

    Its words hold nothing of the file but names of switches: the rest is secrets.
    """

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(f"{reason}; {cure}")
        self.failure = Failure(reason, cure)


class LockError(Exception):
    """What only one vp-tui on this host may do cannot be locked."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(f"{reason}; {cure}")
        self.failure = Failure(reason, cure)


class SwitchMasked(SwitchError):
    """Another variable of the file keeps the switch from having an effect."""


def as_switch_error(error: OSError, path: Path) -> SwitchError:
    """Return what `error` means for the env file `path`."""
    said = error.strerror or str(error) or type(error).__name__
    reason, _cure = _WORDS.get(error.errno or 0, (said, ""))
    return SwitchError(
        f"{literal(str(path))}: {reason}", _SWITCH_CURES.get(error.errno or 0, _EDIT)
    )


def as_audit_error(error: OSError, path: Path, *, reading: bool = False) -> AuditError:
    """Return what `error` means for the audit in the file `path`."""
    reason, cure = _of_our_own(error, path)
    if reading and isinstance(error, PermissionError):
        reason = f"{literal(str(path))}: it may not be read"
    return AuditError(reason, cure)


def as_handover_error(error: OSError, path: Path) -> HandoverError:
    """Return what `error` means for the handover text in the file `path`."""
    return HandoverError(*_of_our_own(error, path))


def as_lock_error(error: OSError, path: Path) -> LockError:
    """Return what `error` means for the lock in the file `path`."""
    return LockError(*_of_our_own(error, path))


def as_window_error(error: OSError, path: Path) -> EvidenceError:
    """Return what `error` means for the open window in the file `path`."""
    return EvidenceError(*_of_our_own(error, path))


def _of_our_own(error: OSError, path: Path) -> tuple[str, str]:
    """Return reason and cure for one of vp-tui's own files."""
    said = error.strerror or str(error) or type(error).__name__
    reason, _cure = _WORDS.get(error.errno or 0, (said, ""))
    if isinstance(error, BlockingIOError):
        reason = "others are writing it all the time"
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    cure = "free some space" if is_full else "name a directory of your own with XDG_STATE_HOME"
    return f"{literal(str(path))}: {reason}", cure


def as_evidence_error(error: OSError, path: Path) -> EvidenceError:
    """Return what `error` means for the file `path`."""
    said = error.strerror or str(error) or type(error).__name__
    reason, cure = _WORDS.get(error.errno or 0, (said, "choose another log"))
    return EvidenceError(f"{literal(str(path))}: {reason}", cure)
