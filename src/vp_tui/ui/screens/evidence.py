"""The evidence screen: every row of the log, the one under the cursor whole, and the trend.

It says what is odd about the log as a whole, and filters by what any cell contains.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.domain.rollout.evidence_row import COLUMNS, figures_of_rows, format_row
from vp_tui.domain.rollout.labels import is_measured
from vp_tui.domain.text import clip, counted, literal
from vp_tui.domain.vocabulary import NOT_AVAILABLE
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.ui.actions import closing
from vp_tui.ui.kit.line_list import LineList
from vp_tui.ui.kit.listing import LIST_ID, Listing
from vp_tui.ui.lines.paint import Line, cut, fact, fit, flow, join, wrap_line
from vp_tui.ui.screens.evidence_trend import trend_charts, trend_lines
from vp_tui.views.words import short_label

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from vp_tui.domain.events import EvidenceRead
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import Live, View


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

WARNINGS: Final = 2
"""Lines of what is odd about the log's rows, at most."""
_cells: Final = attrgetter(*COLUMNS)

TALL: Final = 34
"""Lines from which on a wide terminal has room for charts."""
CHART_HEIGHT: Final = 11
_NAME: Final = 28
"""Characters of the log's name in the title."""


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


def rows_head(width: int) -> Line:
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


def matching_rows(rows: tuple[EvidenceRow, ...], wanted: str) -> Sequence[int]:
    """Return the places of the rows of which a cell contains `wanted`, whatever the case."""
    if not wanted:
        return range(len(rows))
    folded = wanted.casefold()
    return tuple(
        place
        for place, row in enumerate(rows)
        if any(folded in cell.casefold() for cell in _cells(row))
    )


def why_no_rows(view: View, wanted: str) -> str:
    """Return what stands in an empty list."""
    if view.state.watch.evidence is None:
        return " no evidence log is named: use --evidence LOG, or evidence in config.toml"
    if view.state.evidence is None:
        return " the evidence log is being read …"
    if view.state.evidence.rows and wanted:
        return f" no row matches /{wanted}/: esc shows all"
    if view.state.evidence.problem:
        return " no row is known: the log cannot be read"
    return " the log has no row yet"


def log_doubts(log: EvidenceRead, width: int) -> list[Line]:
    """Return in lines why the log cannot be read, and what is odd about its rows."""
    lines: list[Line] = []
    if log.problem:
        cure = "the rows are those read before" if log.rows else "it is tried again by itself"
        lines += wrap_line(join(("! ", "bad"), literal(log.problem), f": {cure}"), width)
    for number, warning in enumerate(log.warnings[:WARNINGS], 1):
        hidden = len(log.warnings) - WARNINGS if number == WARNINGS else 0
        more = f" (+{hidden} more: vp-tui evidence show LOG)" if hidden > 0 else ""
        text = join(("! ", "warn"), literal(warning))
        lines.append(join(cut(text, width - len(more)), (more, "warn")))
    return lines


def author(log: EvidenceRead, place: int) -> str | None:
    """Return in words who recorded the row at `place`; None where only newer ones are known of."""
    index = place - (len(log.rows) - len(log.authors))
    if index < 0:
        return None
    author = log.authors[index]
    return f"recorded by {literal(author)}" if author else "no record beside the log"


class EvidenceScreen(Listing[EvidenceList, int]):
    """Shows the log; its items are the places of the rows in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "dismiss", show=False),
        closing("evidence"),
    ]
    title_text = "EVIDENCE"
    item_word = "row"

    def __init__(self, live: Live, picture: Callable[[], Picture]) -> None:
        super().__init__(live, picture, EvidenceList(id=LIST_ID))

    @property
    def known(self) -> EvidenceRead:
        """What is known of the log; nothing while it is unread."""
        return self.live.state.evidence or NO_EVIDENCE

    @property
    def under_cursor(self) -> int | None:
        return self.list.place

    def counted(self) -> str:
        rows = self.known.rows
        if self.wanted:
            return f"{self.list.count} of {counted(len(rows), 'row')}"
        known = len(self.live.view.same(figures_of_rows, rows))
        return f"{counted(len(rows), 'row')}, {known} measured"

    def facts(self, shown: Picture) -> Line:
        path = shown.view.state.watch.evidence or ""
        name = clip(literal(path.rpartition("/")[2]), _NAME)
        return join(super().facts(shown), (f"  {name}", "dim"))

    def keys(self) -> tuple[tuple[str, str], ...]:
        if self.whole is not None:
            copy = (self.key_of("copy"), "copy the row")
            return (("esc", "back to the rows"), ("↑ ↓ pgup pgdn", "scroll"), copy)
        return (
            ("esc", "show all" if self.wanted else "back"),
            ("enter", "whole row"),
            (self.key_of("find"), "filter"),
            (self.key_of("copy"), "copy row"),
            (self.key_of("follow"), "newest"),
            ("← →", "shift"),
        )

    def fill(self) -> None:
        rows = self.known.rows
        self.list.show(
            rows,
            self.live.view.same(matching_rows, rows, self.wanted),
            why_no_rows(self.live.view, self.wanted),
        )

    def about(self, width: int) -> list[Line]:
        """Return what is doubtful of the log, and its trend while the list is shown."""
        rows, lines = self.known.rows, log_doubts(self.known, width)
        return [*lines, *self._trend(width)] if rows and self.whole is None else lines

    def _trend(self, width: int) -> list[Line]:
        rows = self.known.rows
        points = self.live.view.same(figures_of_rows, rows)
        if width >= WIDE and self.app.size.height >= TALL:
            return self.live.view.same(trend_charts, points, len(rows), width, CHART_HEIGHT)
        return self.live.view.same(trend_lines, points, len(rows), width)

    def columns(self, width: int) -> Line:
        return rows_head(width)

    def item_title(self, item: int) -> str:
        return f" ROW {item + 1} of {len(self.known.rows)} "

    def item_lines(self, item: int, width: int) -> Iterable[Line]:
        return self.live.view.same(
            whole_row, self.known.rows[item], author(self.known, item), width
        )

    def copied(self, item: int) -> str:
        return format_row(self.known.rows[item])

    def filter(self, text: str) -> None:
        found = self.list.place
        if not text and found is not None and found + 1 < len(self.known.rows):
            # What was found stays under the cursor, also where the list followed its matches.
            self.list.go_to(self.list.cursor)
        super().filter(text)
