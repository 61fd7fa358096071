"""The keys of the table of actions as Textual binds them, and what a screen runs for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding, BindingType

from vp_tui.views.actions import action_named, actions_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.state.state import Watch
    from vp_tui.views.actions import Action


OFF: Final = "✗"
"""Marks the key of a danger in read-only mode."""
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
