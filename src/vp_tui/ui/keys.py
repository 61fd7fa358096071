"""From the registry of actions to what keys and palette run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingType

from vp_tui.actions import Action, always

if TYPE_CHECKING:
    from collections.abc import Iterable


def bindings(actions: Iterable[Action], *, read_only: bool) -> list[BindingType]:
    """Return the keys of the actions."""
    return [
        Binding(
            ",".join(action.keys),
            call_of(action, read_only=read_only),
            action.label,
            id=action.id,
            show=False,
        )
        for action in actions
        if action.keys
    ]


def call_of(action: Action, *, read_only: bool) -> str:
    """Return what a screen runs for an action, as Textual writes it.

    In read-only mode that of a danger only tells why not, whatever the state is.
    """
    if action.danger and read_only:
        return f"why_not('{action.id}')"
    return action.call if action.allowed is always else f"attempt('{action.id}')"
