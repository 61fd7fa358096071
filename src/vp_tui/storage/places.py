"""Where vp-tui's own files are, by the XDG base directories, and in whose name it writes."""

from __future__ import annotations

import getpass
import os
import pwd
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


_NAME: Final = "vp-tui"
HOST_LOCKS = Path("/tmp/vp-tui-locks")  # noqa: S108 - all users meet here, and no link is followed
"""Mode 1777. Tests have one of their own."""
NOWHERE: Final = Path("/nonexistent")
"""Stands for a directory that cannot be told: nothing is there, and nothing can be made there."""


class Places(NamedTuple):
    """What vp-tui writes by itself, under one directory; nothing of it need exist."""

    state: Path

    @property
    def spool(self) -> Path:
        """Directory of rows that wait for their evidence log."""
        return self.state / "spool"

    @property
    def heads(self) -> Path:
        """Directory of the hashes of the records written here, a file per log."""
        return self.state / "heads"

    @property
    def windows(self) -> Path:
        """Directory of the windows that are open, a file per gateway, lane and log."""
        return self.state / "windows"

    @property
    def locks(self) -> Path:
        """Directory of the locks of what one vp-tui on this host does at a time, whoever runs it.

        It does not depend on the environment: two that differ in that still exclude each other.
        """
        return HOST_LOCKS

    @property
    def audit(self) -> Path:
        """File of the actions."""
        return self.state / "audit.jsonl"

    @property
    def recordings(self) -> Path:
        """Directory of the recordings, and of nothing else."""
        return self.state / "recordings"

    @property
    def handovers(self) -> Path:
        """Directory of the handover texts."""
        return self.state / "handovers"


def places(environ: Mapping[str, str]) -> Places:
    """Return vp-tui's places on this machine."""
    return Places(state_dir(environ))


def default_config_file(environ: Mapping[str, str]) -> Path:
    """Return the configuration file that is read when none is named; it need not exist."""
    return _base(environ, "XDG_CONFIG_HOME", ".config") / _NAME / "config.toml"


def state_dir(environ: Mapping[str, str]) -> Path:
    """Return the directory of what vp-tui writes by itself; it need not exist."""
    return _base(environ, "XDG_STATE_HOME", ".local/state") / _NAME


def anchored(text: str, base: Path) -> Path:
    """Return the path that `text` means in `base`: `~` is the home directory."""
    # Unlike Path.expanduser this leaves an unknown user's name alone instead of raising.
    return base / os.path.expanduser(text)  # noqa: PTH111


def _base(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    named = environ.get(variable, "")
    if Path(named).is_absolute():  # the XDG specification has others ignored
        return Path(named)
    return home(environ) / fallback


def home(environ: Mapping[str, str]) -> Path:
    """Return the home directory; NOWHERE where neither HOME nor the system's users tell one."""
    told = Path(environ.get("HOME", ""))
    with suppress(KeyError):  # an id without a name
        told = told if told.is_absolute() else Path(pwd.getpwuid(os.getuid()).pw_dir)
    return told if told.is_absolute() else NOWHERE


def here() -> Path:
    """Return the working directory; NOWHERE when it is gone, or may not be looked at."""
    try:
        return Path.cwd()
    except OSError:
        return NOWHERE


def actor() -> str:
    """Return who acts, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an id without a name
        user = f"uid {os.getuid()}"
    return f"{user}@{os.uname().nodename}"
