"""The last line: the keys that matter most here, as many as there is room for."""

from __future__ import annotations

from vp_tui.actions import ACTIONS, Action
from vp_tui.ui.paint import Line, join, spread, width_of


def footer_line(width: int) -> Line:
    """Return the keys marked for the footer, whole ones only; help and quit always have a place."""
    always = _keys([action for action in ACTIONS if action.group == "vp-tui" and action.footer])
    shown: Line = ()
    for action in ACTIONS:
        if not action.footer or action.group == "vp-tui":
            continue
        longer = (*shown, *_keys([action]))
        if width_of(longer) + width_of(always) > width:
            break
        shown = longer
    return spread(shown, always, width)


def _keys(actions: list[Action]) -> Line:
    parts = (join((f" {action.shown_key} ", "accent"), f"{action.label} ") for action in actions)
    return join(*parts)
