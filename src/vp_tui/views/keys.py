"""How the keys of the actions are called, as a watch maps them: what every text takes them from."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from vp_tui.views.actions import ACTIONS, action_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.state.state import Watch
    from vp_tui.views.actions import Action


_PALETTE: Final = "palette"
"""The action that leads to those without a key."""
_NAMES: Final = {
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "delete": "del",
    "at": "@",
    "backslash": "\\",
    "minus": "-",
    "plus": "+",
    "slash": "/",
    "underscore": "_",
}
"""Keys that are not called what Textual calls them, nor what Unicode does."""


def actions_in(watch: Watch) -> tuple[Action, ...]:
    """Return the table with the keys that this watch has."""
    if not watch.keys:
        return ACTIONS
    return tuple(_mapped(action, watch.keys) for action in ACTIONS)


def key_of(watch: Watch, action_id: str) -> str:
    """Return how the key is called that does this here; where none does, the palette's."""
    keys = _keys(action_named(action_id), watch.keys)
    return key_name(keys[0]) if keys else key_of(watch, _PALETTE)


def key_name(key: str) -> str:
    """Return how a key is shown: `^p` for ctrl+p, `F1` for f1, `/` for slash."""
    *modifiers, plain = key.split("+")
    if modifiers == ["ctrl"]:
        return f"^{key_name(plain)}"
    if modifiers:
        return "+".join((*modifiers, key_name(plain)))
    if plain[:1] == "f" and plain[1:].isdigit():
        return plain.upper()
    return _NAMES.get(plain) or _sign(plain)


def _sign(key: str) -> str:
    """Return the sign that Unicode calls so; the name itself where that is none."""
    try:
        sign = unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return key
    return sign if sign.isprintable() and not sign.isspace() else key


def _mapped(action: Action, given: Mapping[str, str]) -> Action:
    """Return the action with its keys as they are given."""
    keys = _keys(action, given)
    if keys == action.keys and keys:
        return action
    names = map(key_name, keys or _keys(action_named(_PALETTE), given))
    return action._replace(keys=keys, key_text=" ".join(names))


def _keys(action: Action, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of the action: its own only as far as no other action was given them.

    The palette keeps a key: without it nothing would lead to what has none.
    """
    key = given.get(action.id)
    if key:
        return (key,)
    if action.id == _PALETTE:
        return action.keys
    if key is not None:
        return ()
    return tuple(key for key in action.keys if key not in given.values())
