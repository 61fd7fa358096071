"""Other keys for every action, and the places where a text names a key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.support.builders import state

from vp_tui.views.actions import ACTIONS, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST: Final = 20
"""Function keys that no terminal has, so that no text has them by chance."""
OTHER: Final[Mapping[str, str]] = {
    action.id: f"f{number}" for number, action in enumerate(ACTIONS, FIRST)
}
_TABLE_WATCH: Final = state().watch
OTHER_WATCH: Final = state(keys=OTHER).watch
ID_BY_KEY: Final = {key_of(_TABLE_WATCH, action.id): action.id for action in ACTIONS if action.keys}
"""Of the table's keys, as they are shown."""
_KEYS: Final = "|".join(re.escape(key) for key in ID_BY_KEY if key not in {"esc", "+", "-"})
_VERBS: Final = (
    "brake|cancel|copy|filter|first|goes|help|looks|newest|opens|pane|quit|record|records|restart|"
    "restarts|shows|writes"
)
_NAMED: Final = re.compile(
    rf"""
      (?<![\w`.])(?!a\b)({_KEYS})(?=\ (?:{_VERBS})\b)
    | \b(?:press|then|brake\ is|nobody:|more:|new:|elsewhere:|ends\ it:|writes:)
      \ ({_KEYS})(?!\w)
    | [\[▸─]({_KEYS})(?=\]?\ [A-Za-z])
    | \[({_KEYS})\]
    | \((?:key\ )?({_KEYS})\)
    | (?<=TRIAGE\ ).*(esc)(?=\ back)
    """,
    re.VERBOSE,
)


def table_keys_in(text: str) -> list[str]:
    """Return each place where a text names a key of the table."""
    return [found.group() for found in _NAMED.finditer(text)]


def with_other_keys(text: str) -> str:
    """Return a text with the other keys where it names one of the table."""

    def other(found: re.Match[str]) -> str:
        key = found.group(found.lastindex or 0)
        before, _, after = found.group().rpartition(key)
        return f"{before}{key_of(OTHER_WATCH, ID_BY_KEY[key])}{after}"

    return _NAMED.sub(other, text)
