"""The event list: one line per thing that happened."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vp_tui.state import EVENT_LIMIT, Entry

if TYPE_CHECKING:
    from vp_tui.state import State, Tone


def with_entry(
    state: State, at: float, session_id: str | None, kind: str, text: str, tone: Tone
) -> State:
    """Return the state with one more entry; the oldest leaves when there are too many."""
    entry = Entry(state.entries_seen, at, session_id, kind, text, tone)
    return replace(
        state,
        entries=(*state.entries, entry)[-EVENT_LIMIT:],
        entries_seen=state.entries_seen + 1,
    )
