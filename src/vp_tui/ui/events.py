"""The event list: what the sessions' streams say and what happens to the links, newest last."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from vp_tui.domain.text import fold
from vp_tui.selectors import short_id
from vp_tui.ui.lines import LineList
from vp_tui.ui.paint import Line, fit, join

if TYPE_CHECKING:
    from collections.abc import Hashable

    from vp_tui.state import Clock, Entry


class EventsList(LineList):
    """The event list. Its rows are numbered entries, so that its place survives trimming."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()
        self._clock: Clock | None = None
        self._matching = ""

    def show(self, entries: tuple[Entry, ...], clock: Clock, matching: str) -> None:
        """Show these entries; `clock` turns their times into UTC."""
        self._clock = clock
        if matching == self._matching and self._are_shown(entries):
            return
        self._entries, self._matching = entries, matching
        self.rows_changed()

    def _are_shown(self, entries: tuple[Entry, ...]) -> bool:
        shown = self._entries
        if entries is shown:
            return True
        ends = (len(entries), entries[:1], entries[-1:])
        return ends == (len(shown), shown[:1], shown[-1:])

    @property
    def count(self) -> int:
        return len(self._entries)

    @property
    def empty_text(self) -> str:
        if self._matching:
            return f" no event matches /{self._matching}/: esc shows all"
        return " no event seen yet: streams have no replay, only what comes now"

    def key_at(self, index: int) -> Hashable:
        return self._entries[index].number

    def index_of(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        place = bisect_left(self._entries, key, key=lambda entry: entry.number)
        return place if place < self.count else None

    def paint(self, index: int) -> Line:
        entry = self._entries[index]
        wall = f"{self._clock.wall_at(entry.at):%H:%M:%S} " if self._clock else ""
        session = short_id(entry.session_id) if entry.session_id else "--"
        return join(
            (wall, "dim"),
            (fit(session, 8) + " ", "accent" if entry.session_id else "dim"),
            (fit(entry.kind, 14) + " ", entry.tone),
            (fold(entry.text), entry.tone if entry.tone != "good" else "plain"),
        )
