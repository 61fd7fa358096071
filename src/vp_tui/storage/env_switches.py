"""The lane's switches in the gateway's env file: read, and one of them set in place.

The file is the operator's and full of secrets. Nothing of it but the switches is kept, shown or
told; one line changes, every other byte stays, and an editor that saves at the same time loses
nothing.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switches import Switches, switches_in, with_change
from vp_tui.domain.text import literal
from vp_tui.storage.atomic import holds, read_if_there, replace_unchanged, stage, sweep
from vp_tui.storage.errors import EvidenceError, SwitchError, SwitchMasked, as_switch_error
from vp_tui.storage.locks import locked

if TYPE_CHECKING:
    from vp_tui.domain.lane.switches import Change


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
    before: Switches
    after: Switches


def read_switches(env_file: Path) -> Switches:
    """Return the switches that the file sets. Raises SwitchError."""
    path = _resolved(env_file)
    return switches_in(_read(path))


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
        return Switched(path, True, switches_in(before), switches_in(before))
    if not os.access(path, os.W_OK):
        raise SwitchError(
            f"{literal(str(path))}: it is read-only", "set the switch there by hand, as its owner"
        )
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, wait_s))
        except EvidenceError as error:
            raise SwitchError(error.failure.reason, _CURE) from error
        try:
            sweep(path)
            return _set(path, change)
        except OSError as error:
            raise as_switch_error(error, path) from error


def _set(path: Path, change: Change) -> Switched:
    for attempt in range(_TRIES):
        if _is_quiet(path):
            before = _read(path)
            _require_effect(path, before, change)
            after = with_change(before, change)
            if replace_unchanged(stage(path, after), before) and holds(path, after):
                return Switched(path, after == before, switches_in(before), switches_in(after))
        time.sleep(_PAUSE_S * attempt)
    raise SwitchError(f"{literal(str(path))}: others keep changing it, or removed it", _CURE)


def _is_quiet(path: Path) -> bool:
    """Tell whether the file is there and nobody has just written it. Raises OSError."""
    try:
        return abs(time.time() - path.stat().st_mtime) >= _QUIET_S
    except FileNotFoundError:  # some editors move it away before they write
        return False


def _require_effect(path: Path, data: bytes, change: Change) -> None:
    """Raise SwitchMasked when the switch is to be turned on and cannot be."""
    if change.on and change.switch in switches_in(data).masked:
        raise SwitchMasked(
            f"{literal(str(path))}: {change.switch.mask} is on there, so {change.switch} has no"
            " effect",
            f"take {change.switch.mask} out of the file, then try again",
        )


def _read(path: Path) -> bytes:
    try:
        data = read_if_there(path)
    except OSError as error:
        raise as_switch_error(error, path) from error
    if data is None:
        raise SwitchError(
            f"{literal(str(path))}: there is no such file",
            "correct brake.env_file in the configuration",
        )
    if b"\0" in data or len(data) > SIZE_LIMIT:
        raise SwitchError(
            f"{literal(str(path))}: it is no env file",
            "correct brake.env_file in the configuration",
        )
    return data


def _resolved(env_file: Path) -> Path:
    return Path(os.path.realpath(env_file.expanduser()))
