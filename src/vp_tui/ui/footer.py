"""The last line: the keys that matter most here, as many as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.actions import ACTIONS, Action, action_named
from vp_tui.ui.paint import Line, join, spread, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.ui.tones import Tone


OFF: Final = "✗"
"""Marks the key of a danger in read-only mode."""


def footer_line(width: int, *, read_only: bool = False, first: Sequence[str] = ()) -> Line:
    """Return the keys that matter most, whole ones only; help and quit always have a place.

    `first` are ids of actions that are named before those marked for the footer.
    """
    ways_out = [action for action in ACTIONS if action.group == "vp-tui" and action.footer]
    always = _keys(ways_out, read_only=read_only)
    marked = [action for action in ACTIONS if action.footer and action not in ways_out]
    wanted = [action_named(action_id) for action_id in first]
    shown: Line = ()
    for action in (*wanted, *(action for action in marked if action not in wanted)):
        longer = (*shown, *_keys([action], read_only=read_only))
        if width_of(longer) + width_of(always) > width:
            break
        shown = longer
    return spread(shown, always, width)


def _keys(actions: Iterable[Action], *, read_only: bool) -> Line:
    return join(*(_key(action, is_off=action.danger and read_only) for action in actions))


def _key(action: Action, *, is_off: bool) -> Line:
    if is_off:
        return ((f" {OFF}{action.shown_key} {action.label} ", "dim"),)
    tone: Tone = "warn" if action.danger else "accent"
    return join((f" {action.shown_key} ", tone), f"{action.label} ")
