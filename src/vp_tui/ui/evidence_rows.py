"""The rows of the evidence log: a list of them, and one of them whole."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from vp_tui.domain.evidence import NOT_AVAILABLE, format_row
from vp_tui.domain.labels import is_measured, short_label
from vp_tui.domain.text import clip, literal
from vp_tui.ui.lines import LineList
from vp_tui.ui.paint import Line, fit, flow, join
from vp_tui.ui.prose import fact

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.ui.tones import Tone

WIDE: Final = 118
"""Columns from which on dates and labels are not cut short."""
_NARROW_CELLS: Final = (12, 8, 7, 9, 24)
_WIDE_CELLS: Final = (21, 30, 8, 10, 31)
"""Cells of date, window, rate, p95 and decision with the blank behind each."""
_HEADS: Final = ("date (UTC)", "window", "rate", "p95", "decision")
_NUMBER: Final = 5
_NOTES: Final = 400
"""Characters of the notes in the list: enough for the widest line."""
_DATE: Final = slice(5, 16)
"""Month, day, hour and minute of `2026-02-16T14:57:39Z`."""


class EvidenceList(LineList):
    """All rows, the newest at the bottom, where the cursor follows it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._rows: tuple[EvidenceRow, ...] = ()
        self._places: Sequence[int] = ()
        """Indices of the rows that are shown, rising."""
        self._empty = ""

    def show(self, rows: tuple[EvidenceRow, ...], places: Sequence[int], empty: str) -> None:
        """Show those of `rows` that are at `places`; `empty` says why there are none."""
        if rows is self._rows and places == self._places and empty == self._empty:
            return
        self._rows, self._places, self._empty = rows, places, empty
        self.rows_changed()

    @property
    def place(self) -> int | None:
        """Index of the row under the cursor; None in an empty list."""
        return self._places[self.cursor] if self.count else None

    @property
    def count(self) -> int:
        return len(self._places)

    @property
    def empty_text(self) -> str:
        return self._empty

    @property
    def cursor_text(self) -> str:
        """The row under the cursor as a log has it, in Markdown."""
        return "" if self.place is None else format_row(self._rows[self.place])

    def key_at(self, index: int) -> Hashable:
        return self._places[index]

    def index_of(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        index = bisect_left(self._places, key)
        return index if index < self.count else None

    def paint(self, index: int) -> Line:
        place = self._places[index]
        return row_line(self._rows[place], place + 1, self.size.width, index == self.cursor)


def head_line(width: int) -> Line:
    """Return what stands over the columns."""
    cells = _WIDE_CELLS if width >= WIDE else _NARROW_CELLS
    named = "".join(fit(name, size) for name, size in zip(_HEADS, cells, strict=True))
    return ((f"{'row':>{_NUMBER}}  {named}notes", "dim"),)


def row_line(row: EvidenceRow, number: int, width: int, is_selected: bool) -> Line:  # noqa: FBT001 - one marker
    """Return a row as one line: its number, the cells that are compared, and its notes' beginning.

    A cell without a figure reads n/a, whatever it is called in the log.
    """
    is_wide = width >= WIDE
    date, window, rate, p95, decision = _WIDE_CELLS if is_wide else _NARROW_CELLS
    marker = ">" if is_selected else " "
    tone: Tone = "plain" if is_measured(row) else "dim"
    label = row.window if is_wide else short_label(row.window)
    return join(
        f"{marker}{number:>{_NUMBER - 1}}  ",
        (_cell(_date(row.date, is_wide=is_wide), date), "dim"),
        (_cell(label, window), "strong"),
        (_cell(row.fallback_rate or NOT_AVAILABLE, rate), tone),
        (_cell(row.p95_latency or NOT_AVAILABLE, p95), tone),
        (_cell(row.decision, decision), "plain"),
        (literal(clip(row.notes, _NOTES)), "dim"),
    )


def whole_row(row: EvidenceRow, author: str | None, width: int) -> list[Line]:
    """Return all eight cells, wrapped; `author` says in words who recorded it, None: not known.

    What is compared comes first, then the notes, so that little room shows what matters.
    """
    facts: list[Line] = [
        ((literal(row.date), "strong"),),
        ((literal(row.window), "strong"),),
        join(("rate ", "dim"), literal(row.fallback_rate) or NOT_AVAILABLE),
        join(("p95 ", "dim"), literal(row.p95_latency) or NOT_AVAILABLE),
        ((literal(row.decision), "strong"),),
    ]
    if author is not None:
        facts.append(((author, "dim"),))
    return [
        *flow(facts, width),
        *fact("notes", literal(row.notes), width),
        *fact("scope", literal(row.scope), width),
        *fact("refs", literal(row.refs), width),
    ]


def _cell(text: str, size: int) -> str:
    return fit(literal(clip(text, size)), size - 1) + " "


def _date(text: str, *, is_wide: bool) -> str:
    if is_wide or len(text) <= _DATE.start:
        return text
    return text[_DATE].replace("T", " ")
