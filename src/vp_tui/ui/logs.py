"""A log: the lines of one run.log as the tail endpoint gives them, with search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.log_errors import is_error
from vp_tui.state import LogTail
from vp_tui.ui.lines import LineList

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from vp_tui.ui.paint import Line, Span


NO_MATCH: Final = "no match in this log"
NO_ERROR: Final = "no line of this log looks like an error"


class LogList(LineList):
    """One log. Rows are numbered from the first line ever seen, so trimming moves nothing."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._log = LogTail()
        self._name = ""
        self.wanted = ""
        self._empty = " nothing yet"

    def show(self, name: str, log: LogTail | None, empty: str) -> None:
        """Show the log called `name`; `empty` says why there are no lines when there are none."""
        shown = log or LogTail()
        other = name != self._name
        changed = other or shown is not self._log or empty != self._empty
        self._name, self._empty, self._log = name, empty, shown
        if other:
            self.following = True
        if changed:
            self.rows_changed()

    def search(self, wanted: str) -> int:
        """Mark all lines that contain `wanted`, whatever the case; return how many there are."""
        self.wanted = wanted.casefold()
        self.refresh()
        return sum(self._matches(line) for line in self._log.lines)

    def go_to_match(self, step: int) -> bool:
        """Put the cursor on the next (1) or previous (-1) match, round the end; False if none."""
        return self._go_to_next(self._matches, step)

    def go_to_error(self) -> bool:
        """Put the cursor on the next line that looks like an error, round the end; False if none.

        From a log that is followed it goes to the newest one.
        """
        return self._go_to_next(is_error, -1 if self.following else 1)

    def _go_to_next(self, is_wanted: Callable[[str], bool], step: int) -> bool:
        # A followed log's cursor is on a line that nobody has chosen: it counts as well.
        nearest = 0 if self.following and step < 0 else 1
        for distance in range(nearest, nearest + self.count):
            index = (self.cursor + step * distance) % self.count
            if is_wanted(self._log.lines[index]):
                self.go_to(index)
                return True
        return False

    @property
    def count(self) -> int:
        return len(self._log.lines)

    @property
    def empty_text(self) -> str:
        return self._empty

    def key_at(self, index: int) -> Hashable:
        return self._log.first + index

    def index_of(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        index = max(key - self._log.first, 0)
        return index if index < self.count else None

    def paint(self, index: int) -> Line:
        text = self._log.lines[index]
        return _marked(text, self.wanted) if self._matches(text) else ((text, "plain"),)

    def _matches(self, text: str) -> bool:
        return bool(self.wanted) and self.wanted in text.casefold()


def _marked(text: str, wanted: str) -> Line:
    """Return the text with each place of `wanted` (case-folded) marked."""
    folded = text.casefold()
    if len(folded) != len(text):
        return ((text, "match"),)
    spans: list[Span] = []
    start = 0
    while (place := folded.find(wanted, start)) >= 0:
        spans += [(text[start:place], "plain"), (text[place : place + len(wanted)], "match")]
        start = place + len(wanted)
    return (*spans, (text[start:], "plain"))
