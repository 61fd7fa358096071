"""The keys of the table of actions as Textual binds them and the last line names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding, BindingType

from vp_tui.domain.lane.auto_revert import STOP_KEY
from vp_tui.ui.lines.paint import Line, cut, join, shorten, spread, width_of
from vp_tui.views.actions import ALWAYS, action_named, actions_in, keys_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.state.state import Watch
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.actions import Action, AtHand
    from vp_tui.views.view import Live


OFF: Final = "✗"
"""Marks the key of a danger in read-only mode."""
FULL_WORDS: Final = 60
"""Columns from which on keys are named with what they do: help, quit, those of the find bar."""
STOPS: Final = "stop the countdown"
"""What esc does wherever it is pressed while the auto-revert counts down."""
_NEVER_SENT: Final = "none"
"""Stands for a key where an action has none: Textual maps only what is bound to some key."""


def bindings(actions: Iterable[Action], *, read_only: bool) -> list[BindingType]:
    """Return the keys of the actions; `keymap` gives others, also to those that have none."""
    return [
        Binding(
            _as_one(action.keys),
            call_of(action, read_only=read_only),
            action.label,
            id=action.id,
            show=False,
        )
        for action in actions
    ]


def closing(action_id: str) -> Binding:
    """Return that the key which opened a screen closes it, whatever it is mapped to."""
    return Binding(_as_one(action_named(action_id).keys), "dismiss", id=action_id, show=False)


def keymap(watch: Watch) -> dict[str, str]:
    """Return the keys that are not the table's own, by action: as Textual takes them."""
    if not watch.keys:
        return {}
    return {
        action.id: _as_one(action.keys)
        for action in actions_in(watch)
        if action.keys != action_named(action.id).keys
    }


def _as_one(keys: tuple[str, ...]) -> str:
    return ",".join(keys) or _NEVER_SENT


def call_of(action: Action, *, read_only: bool) -> str:
    """Return what a screen runs for an action, as Textual writes it.

    In read-only mode that of a danger only tells why not, whatever the state is.
    """
    if action.danger and read_only:
        return f"why_not('{action.id}')"
    return action.call


def footer_line(watch: Watch, width: int, hands: AtHand, told: str = "") -> Line:
    """Return the keys that work now, whole ones only; help and quit always have a place.

    What was `told` a moment ago stands in place of the others.
    """
    marked = [action for action in actions_in(watch) if action.group == ALWAYS and action.footer]
    if width < FULL_WORDS:
        always: Line = join(*((f" {action.short_key} ", "accent") for action in marked))
    else:
        always = join(*map(_key, marked))
    if told:
        room = max(width - width_of(always), 0)
        return spread(shorten(((f" {told}", "warn"),), room), always, width)
    shown: Line = ()
    for action in keys_now(watch, hands):
        longer = (*shown, *_key(action))
        if width_of(longer) + width_of(always) < width:
            shown = longer
    return spread(shown, always, width)


def _key(action: Action) -> Line:
    tone: Tone = "warn" if action.danger else "accent"
    return join((f" {action.short_key} ", tone), f"{action.label} ")


def keys_line(keys: Sequence[tuple[str, str]], live: Live, told: str, width: int) -> Line:
    """Return the keys and what each does, the way out first; what is `told` leaves only that."""
    if live.state.auto_revert.is_counting:
        keys = ((STOP_KEY, STOPS), *keys[1:])
    way_out, *others = (join((f" {key} ", "accent"), f"{what} ") for key, what in keys)
    return told_line(told, way_out, width) if told else cut(join(way_out, *others), width)


def told_line(told: str, way_out: Line, width: int) -> Line:
    """Return what was told, and beside it only the way out."""
    room = max(width - width_of(way_out) - 1, 0)
    return spread(shorten(((f" {told}", "warn"),), room), way_out, width)


def fitting(keys: Iterable[str], width: int) -> str:
    """Return the keys that have room, whole ones: the first and the last, `esc`, always have."""
    parts = [part for part in keys if part]
    while len(parts) > 2 and len("  ".join(parts)) > width:  # noqa: PLR2004 - first and last
        del parts[-2]
    text = "  ".join(part.strip() for part in parts)
    return text if len(text) <= width else parts[-1].strip()
