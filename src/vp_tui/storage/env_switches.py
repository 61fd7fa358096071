"""The lane's switches in the gateway's env file: read, and one of them set in place.

The file is the operator's and full of secrets. Nothing of it but the switches is kept, shown or
told; one line changes, every other byte stays, and an editor that saves at the same time loses
nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switches import switches_in, with_change
from vp_tui.storage.atomic import holds, read_if_there, replace_unchanged, stage, sweep
from vp_tui.storage.errors import CORRECT, EvidenceError, SwitchError, SwitchMasked
from vp_tui.storage.locks import locked

if TYPE_CHECKING:
    from vp_tui.domain.lane.switches import Change, Switches


LOCK_WAIT_S: Final = 5.0
"""A brake is not to wait long for another vp-tui."""
_CURE: Final = "close it in other programs, then try again, or set the switch there by hand"
SIZE_LIMIT: Final = 1024 * 1024
"""Bytes; what is larger is no env file."""
_TRIES: Final = 25
"""How often a file that others are saving, or keep changing, is looked at again."""
_PAUSE_S: Final = 0.02
"""Between two of them, and a little more each time."""
_QUIET_S: Final = 0.1
"""A file that was written less long ago may be half saved: an editor may be at it."""


class Switched(NamedTuple):
    """An env file after a change."""

    path: Path
    """Symbolic links followed."""
    was_so: bool
    """It said so already: nothing was written."""


def read_switches(env_file: Path) -> Switches:
    """Return the switches that the file sets. Raises SwitchError."""
    return switches_in(_read(_resolved(env_file)))


def set_switch(env_file: Path, change: Change, *, wait_s: float = LOCK_WAIT_S) -> Switched:
    """Set one switch in the file, durably; mode, owner and access lists stay.

    The last line that assigns it is changed, else one is added at the end. Symbolic links are
    followed. Blocks on the disk, and up to `wait_s` on another vp-tui.

    Raises SwitchMasked when a switch to be turned on would have no effect, and SwitchError when
    the file cannot be read or written; it is then as it was.
    """
    path = _resolved(env_file)
    before = _read(path)
    _require_effect(path, before, change)
    if with_change(before, change) == before:
        return Switched(path, was_so=True)
    if not os.access(path, os.W_OK):
        raise SwitchError("it is read-only", "set the switch there by hand, as its owner", path)
    try:
        with locked(path, wait_s), SwitchError.for_os_errors(path):
            sweep(path)
            return _set(path, change)
    except EvidenceError as error:  # the lock's
        raise SwitchError(error.failure.reason, _CURE) from error


def _set(path: Path, change: Change) -> Switched:
    for attempt in range(_TRIES):
        if _is_quiet(path):
            before = _read(path)
            _require_effect(path, before, change)
            after = with_change(before, change)
            if replace_unchanged(stage(path, after), before) and holds(path, after):
                return Switched(path, was_so=after == before)
        time.sleep(_PAUSE_S * attempt)
    raise SwitchError("others keep changing it, or removed it", _CURE, path)


def _is_quiet(path: Path) -> bool:
    """Tell whether the file is there and nobody has just written it. Raises OSError."""
    try:
        return abs(time.time() - path.stat().st_mtime) >= _QUIET_S
    except FileNotFoundError:  # some editors move it away before they write
        return False


def _require_effect(path: Path, data: bytes, change: Change) -> None:
    """Raise SwitchMasked when the switch is to be turned on and cannot be."""
    if change.on and change.switch in switches_in(data).masked:
        mask = change.switch.mask
        reason = f"{mask} is on there, so {change.switch} has no effect"
        raise SwitchMasked(reason, f"take {mask} out of the file, then try again", path)


def _read(path: Path) -> bytes:
    with SwitchError.for_os_errors(path):
        data = read_if_there(path)
    if data is None:
        raise SwitchError("there is no such file", CORRECT, path)
    if b"\0" in data or len(data) > SIZE_LIMIT:
        raise SwitchError("it is no env file", CORRECT, path)
    return data


def _resolved(env_file: Path) -> Path:
    return Path(os.path.realpath(env_file.expanduser()))
