"""One vp-tui at a time on this host for what only one may do: a lock that lasts as long as it."""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal
from vp_tui.storage.errors import as_lock_error
from vp_tui.storage.locks import say_who, take

if TYPE_CHECKING:
    from pathlib import Path

_NAME_LENGTH: Final = 24
_SAID_LIMIT: Final = 200
"""Bytes that are read of what a holder says of itself."""


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
        try:
            return self._take(who)
        except OSError as error:
            raise as_lock_error(error, self._path) from error

    def _take(self, who: str) -> str | None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            take(fd, fcntl.LOCK_EX, 0.0)
        except BlockingIOError:
            said = os.pread(fd, _SAID_LIMIT, 0).decode("utf-8", "replace")
            os.close(fd)
            return literal(said.strip())
        except OSError:
            os.close(fd)
            raise
        say_who(fd, who)
        self._fd = fd
        return None

    def release(self) -> None:
        """Let others have it."""
        if self._fd is not None:
            say_who(self._fd, "")
            os.close(self._fd)
            self._fd = None


def lock_file(directory: Path, gateway_url: str) -> Path:
    """Return the lock's file for a gateway."""
    name = hashlib.sha256(gateway_url.encode()).hexdigest()[:_NAME_LENGTH]
    return directory / f"{name}.lock"
