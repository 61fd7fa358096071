"""What outlives a vp-tui: the windows and what was heard, a small file per gateway, lane and log.

Several vp-tui on one host share it, so that they show the same window.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.domain.events import Heard
from vp_tui.domain.lane.mode import LaneStart
from vp_tui.domain.missions import Gap, Ledger, LedgerEntry
from vp_tui.domain.models import Failure, Mission
from vp_tui.domain.rollout.labels import is_same_window
from vp_tui.domain.rollout.verdicts import GATE_NAMES, Waiver
from vp_tui.domain.rollout.windows import Window, open_window
from vp_tui.domain.runs.cancels import Cancel
from vp_tui.domain.runs.turns import RoutingTally
from vp_tui.domain.text import literal
from vp_tui.storage.atomic import make_private, read_if_there, write_private
from vp_tui.storage.errors import EvidenceError, WindowError
from vp_tui.storage.locks import locked
from vp_tui.storage.records import canonical, sha256
from vp_tui.storage.typed_json import Codecs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


KEPT: Final = 20
"""Windows in the file at most: the open one, and the newest closed ones of unreal traffic."""
_FORMAT: Final = "vp-tui-windows"
_NAME_LENGTH: Final = 16
_CODECS: Final = Codecs(
    {
        kind.__name__: kind
        for kind in (
            Cancel,
            Failure,
            Gap,
            LaneStart,
            Ledger,
            LedgerEntry,
            Mission,
            RoutingTally,
            Waiver,
        )
    }
    | {"Mapping": Mapping, "datetime": datetime}
)
_WINDOW: Final = _CODECS.of(Window)
_HEARD: Final = _CODECS.of(Heard)
_UNSAID: Final[dict[str, Any]] = {"closed_at": None, "decision": None, "waivers": []}
"""What a window's object says although it has nothing to say."""


def windows_file(directory: Path, *watched: str) -> Path:
    """Return the file for what is watched: gateway, lane, evidence log."""
    name = sha256("\n".join(watched).encode())[:_NAME_LENGTH]
    return directory / f"{name}.json"


def take_over(before: Path, path: Path) -> None:
    """Have a file go on under another name, unless that has one."""
    if before != path:
        with suppress(OSError):
            os.link(before, path, follow_symlinks=False)
            before.unlink()


class Kept(NamedTuple):
    """What the file holds."""

    windows: tuple[Window, ...] = ()
    """Oldest first."""
    heard: Heard | None = None


def read_windows(path: Path) -> tuple[Window, ...]:
    """Return the windows that are kept, oldest first; none where there is no file.

    Raises EvidenceError when the file cannot be read.
    """
    return read_kept(path).windows


def read_kept(path: Path) -> Kept:
    """Return what is kept. Raises EvidenceError when the file cannot be read.

    What was heard cannot always be read: another vp-tui wrote it, or nobody did. That costs no
    window.
    """
    with WindowError.for_os_errors(path):
        data = read_if_there(path)
    if data is None:
        return Kept()
    try:
        return _parsed(data)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        cure = "move it away: the window can be opened again"
        raise WindowError("it cannot be read as vp-tui's windows", cure, path) from error


def _parsed(data: bytes) -> Kept:
    kept = json.loads(data)
    if kept["format"] != _FORMAT:
        raise ValueError("another format")
    heard = None
    with suppress(ValueError, AttributeError):
        told = _of_fields(kept.get("heard"), Heard)
        cancels = [_of_fields(cancel, Cancel) for cancel in told.get("cancels", ())]
        heard = _HEARD.decode(_literal(told | {"cancels": cancels}))
    return Kept(tuple(_legible(_decoded(window)) for window in kept["windows"]), heard)


def _of_fields(value: dict[str, Any], kind: type[Window | Heard | Cancel]) -> dict[str, Any]:
    """Return what an object tells of a value: other versions may have written more."""
    return {key: part for key, part in value.items() if key in kind._fields}


def _literal(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what was read with texts that can be shown."""
    if isinstance(value, dict):
        return {literal(key): _literal(part) for key, part in value.items()}
    if isinstance(value, list):
        return list(map(_literal, value))
    return literal(value) if isinstance(value, str) else value


def _decoded(value: dict[str, object]) -> Window:
    """Return the window that an object tells; keys may be added."""
    window: Window = _WINDOW.decode(_of_fields(value, Window))
    if any(waiver.gate not in GATE_NAMES for waiver in window.waivers):
        raise ValueError("a waiver of no gate")
    return window


def _legible(window: Window) -> Window:
    """Return the window with texts that can be shown: others may have written the file."""
    return window._replace(
        label=literal(window.label),
        scope=literal(window.scope),
        decision=None if window.decision is None else literal(window.decision),
        waivers=tuple(w._replace(who=literal(w.who), why=literal(w.why)) for w in window.waivers),
    )


def keep_window(path: Path, window: Window, before: Window | None) -> tuple[Window, ...]:
    """Keep `window` in the place of `before`, the open one as it was known; None: none was open.

    A recorded window that another vp-tui opened meanwhile is that one: it began with it.

    Return the windows that are kept. Raises EvidenceError when the file cannot be read or written,
    and when another vp-tui was quicker: nothing is changed then.
    """

    def change(windows: tuple[Window, ...]) -> tuple[Window, ...]:
        current, kept, known = open_window(windows), window, before
        if current and window.decision and is_same_window(current.label, window.label):
            known = current
            kept = _begun_as(window, current)._replace(waivers=current.waivers)
        if conflict := _conflict(current, kept, known):
            raise EvidenceError(conflict, "look at what is there now, then decide again")
        return (*(w for w in windows if w.opened_at != kept.opened_at), kept)

    return change_windows(path, change)


def _begun_as(window: Window, other: Window) -> Window:
    """Return the window with the beginning of another one."""
    return window._replace(
        opened_at=other.opened_at,
        anchor=other.anchor,
        running=other.running,
        newest=other.newest,
    )


def adopt_window(path: Path, told: Window) -> None:
    """Keep the window that the newest record tells, where that is news: somebody else wrote it.

    Raises EvidenceError as `change_windows` does.
    """
    if _adopted(windows := read_windows(path), told) != windows:
        change_windows(path, lambda windows: _adopted(windows, told))


def _adopted(windows: tuple[Window, ...], told: Window) -> tuple[Window, ...]:
    """Return the windows as the newest record has them.

    It opens one that is not known where none is open, and closes the open one of its label that was
    opened before its row; one of that label that was opened elsewhere too begins as it did there.
    One that was closed here meanwhile stays so.
    """
    mine = open_window(windows)
    is_known = any(window.opened_at == told.opened_at for window in windows)
    if mine is None:
        return windows if is_known or not told.is_open else (*windows, told)
    is_same = is_same_window(mine.label, told.label)
    ends_mine = is_same and _is_before(mine.opened_at, told.closed_at)
    begins_mine = is_same and told.is_open and not is_known
    if mine.opened_at != told.opened_at and not (ends_mine or begins_mine):
        return windows
    after = mine._replace(decision=told.decision, closed_at=told.closed_at)
    if begins_mine:
        after = _begun_as(after, told)
    return tuple(after if window is mine else window for window in windows)


def _is_before(at: datetime | None, other: datetime | None) -> bool:
    return at is not None and other is not None and at <= other


def _conflict(current: Window | None, window: Window, before: Window | None) -> str | None:
    """Say what another vp-tui did meanwhile that `window` would undo; None: nothing.

    A window is told from others by its opening. Closing one that was changed, or is closed
    already, undoes nothing.
    """
    if current is None:
        is_gone = before is not None and window.is_open
        return f"another vp-tui closed “{window.label}” meanwhile" if is_gone else None
    if before is None:
        return f"“{current.label}” is open already"
    if current.opened_at != before.opened_at:
        return f"another vp-tui opened “{current.label}” meanwhile"
    if window.is_open and current != before:
        changed = f"“{current.label}”, {current.stage}, {current.source}, {current.scope}"
        return f"another vp-tui changed the window meanwhile: {changed}"
    return None


def change_windows(
    path: Path, change: Callable[[tuple[Window, ...]], tuple[Window, ...]]
) -> tuple[Window, ...]:
    """Replace the windows by what `change` makes of them, durably; return those that are kept.

    Closed windows of real traffic are not kept, for what they held is in the evidence log; but for
    the newest that was closed by hand after a row, which that row's record may not open again.
    Raises EvidenceError when the file cannot be read or written.
    """

    def changed(kept: Kept) -> Kept:
        windows = change(kept.windows)
        rows = {(w.opened_at, w.decision) for w in kept.windows if w.decision}
        by_hand = [w for w in windows if not w.is_open and (w.opened_at, w.decision) in rows]
        left = tuple(
            w
            for w in windows
            if w.is_open or not w.source.is_real or (by_hand and w is by_hand[-1])
        )
        return kept._replace(windows=left[-KEPT:])

    return _change(path, changed).windows


def keep_heard(path: Path, ours: Heard) -> None:
    """Keep what was heard beside what is kept already, of whomever.

    Nothing is kept of a window that another vp-tui closed or opened meanwhile: it is not known yet.
    Raises EvidenceError when the file cannot be read or written.
    """

    def changed(kept: Kept) -> Kept:
        current, heard = open_window(kept.windows), kept.heard
        is_other = ours.opened_at != (current.opened_at if current else None)
        if is_other or (heard is not None and not heard.lacks(ours)):
            return kept
        return kept._replace(heard=ours if heard is None else heard.joined(ours))

    _change(path, changed)


def _change(path: Path, change: Callable[[Kept], Kept]) -> Kept:
    """Replace what is kept by what `change` makes of it, durably; return it."""
    try:
        make_private(path.parent)
        with locked(path):
            kept = change(before := read_kept(path))
            if kept == before and path.exists():
                return kept
            told = [_UNSAID | _WINDOW.encode(window) for window in kept.windows]
            heard = {} if kept.heard is None else {"heard": _HEARD.encode(kept.heard)}
            content = {"format": _FORMAT, "version": 1, "windows": told, **heard}
            write_private(path, canonical(content))
    except OSError as error:
        raise WindowError.of(error, path) from error
    except EvidenceError as error:
        if isinstance(error.__cause__, OSError):  # the lock's: it speaks of an evidence log
            raise WindowError.of(error.__cause__, path) from error
        raise
    return kept
