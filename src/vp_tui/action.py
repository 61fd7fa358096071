"""One thing that the operator can do: what runs it, which keys lead to it, how it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from vp_tui.state import State

PALETTE: Final = "^p"
"""How a key is written that leads to the palette."""
Allowed = Callable[["State"], str | None]
"""Returns why the action cannot be done now, None when it can."""


def always(_state: State) -> str | None:
    """Allow."""
    return None


class Action(NamedTuple):
    """Something the operator can do."""

    id: str
    """Names the action in the keymap and in tests."""
    call: str
    """What the screen runs, as Textual writes an action."""
    keys: tuple[str, ...]
    """Textual key names; the first is the one that is shown. None: it is in the palette only."""
    label: str
    """For the footer: one or two words."""
    help: str
    """For the help screen: one sentence."""
    group: str
    footer: bool = False
    danger: bool = False
    """It changes something on the gateway: in read-only mode no key leads to it."""
    allowed: Allowed = always
    key_text: str = ""
    """How the keys read, where it is not the first key's name."""

    @property
    def shown_key(self) -> str:
        """How the footer and the help call its key."""
        return self.key_text or next(iter(self.keys), PALETTE)
