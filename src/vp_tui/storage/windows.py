"""The windows that outlive a vp-tui: one small file per gateway, lane and evidence log.

Several vp-tui on one host share it, so that they show the same window.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal
from vp_tui.domain.windows import from_json, to_json
from vp_tui.storage.atomic import read_if_there, write_private
from vp_tui.storage.errors import EvidenceError, as_evidence_error
from vp_tui.storage.locks import locked
from vp_tui.storage.records import canonical

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.windows import Window

KEPT: Final = 20
"""Windows in the file at most: the open one, and the newest closed ones of unreal traffic."""
_FORMAT: Final = "vp-tui-windows"
_NAME_LENGTH: Final = 16


def windows_file(directory: Path, *watched: str) -> Path:
    """Return the file for what is watched: gateway's URL, lane, evidence log."""
    name = hashlib.sha256("\n".join(watched).encode()).hexdigest()[:_NAME_LENGTH]
    return directory / f"{name}.json"


def read_windows(path: Path) -> tuple[Window, ...]:
    """Return the windows that are kept, oldest first; none where there is no file.

    Raises EvidenceError when the file cannot be read.
    """
    try:
        data = read_if_there(path)
    except OSError as error:
        raise as_evidence_error(error, path) from error
    if data is None:
        return ()
    try:
        return _parsed(data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = f"{literal(str(path))}: it cannot be read as vp-tui's windows"
        raise EvidenceError(reason, "move it away: the window can be opened again") from error


def _parsed(data: bytes) -> tuple[Window, ...]:
    kept = json.loads(data)
    if kept["format"] != _FORMAT:
        raise ValueError("another format")
    return tuple(from_json(window) for window in kept["windows"])


def change_windows(
    path: Path, change: Callable[[tuple[Window, ...]], tuple[Window, ...]]
) -> tuple[Window, ...]:
    """Replace the windows by what `change` makes of them, durably; return those that are kept.

    Closed windows of real traffic are not kept: what they held is in the evidence log. Raises
    EvidenceError when the file cannot be read or written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(path):
            changed = change(read_windows(path))
            kept = tuple(w for w in changed if w.is_open or not w.source.is_real)[-KEPT:]
            content = {"format": _FORMAT, "version": 1, "windows": [to_json(w) for w in kept]}
            write_private(path, canonical(content))
    except OSError as error:
        raise as_evidence_error(error, path) from error
    return kept
