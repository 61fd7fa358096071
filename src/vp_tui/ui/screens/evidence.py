"""The evidence screen: every row of the log, the one under the cursor whole, and the trend.

It says what is odd about the log as a whole, and filters by what any cell contains.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.domain.rollout.evidence_row import (
    COLUMNS,
    EvidenceRow,
    figures_of_rows,
    format_row,
)
from vp_tui.domain.rollout.labels import is_measured, short_label
from vp_tui.domain.text import clip, counted, literal
from vp_tui.domain.vocabulary import NOT_AVAILABLE
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.ui.actions import closing
from vp_tui.ui.kit.listing import LONGEST, WIDE, Columns, Listing, RowList
from vp_tui.ui.lines.paint import Line, facts, flow, join, shorten, wrap_line
from vp_tui.ui.screens.evidence_trend import trend_charts, trend_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from textual.binding import BindingType

    from vp_tui.domain.events import EvidenceRead
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import Live


_NUMBER: Final = 5
"""Cells of the row's number, with the cursor's mark."""
_COLUMNS: Final = Columns(
    first=f"{'row':>{_NUMBER}}  ",
    names=("date (UTC)", "window", "rate", "p95", "decision"),
    last="notes",
    narrow=(12, 14, 7, 9, 24),
    wide=(21, 30, 8, 10, 31),
)
_DATE: Final = slice(5, 16)
"""Month, day, hour and minute of `2026-02-16T14:57:39Z`."""

WARNINGS: Final = 2
"""Lines of what is odd about the log's rows, at most."""
_cells_of: Final = attrgetter(*COLUMNS)

TALL: Final = 34
"""Lines from which on a wide terminal has room for charts."""
CHART_HEIGHT: Final = 11
_NAME: Final = 28
"""Characters of the log's name in the title."""


class EvidenceList(RowList[EvidenceRow, int]):
    """All rows: a row's key is its place in the log, for rows only come at its end."""

    def key_at(self, index: int) -> Hashable:
        return self.places[index]

    def index_of(self, key: Hashable) -> int | None:
        if not isinstance(key, int):
            return None
        index = bisect_left(self.places, key)
        return index if index < self.count else None

    def paint(self, index: int) -> Line:
        place = self.places[index]
        marker = ">" if index == self.cursor else " "
        number = f"{marker}{place + 1:>{_NUMBER - 1}}  "
        return join(number, row_line(self.rows[place], self.size.width))


def row_line(row: EvidenceRow, width: int) -> Line:
    """Return a row as one line: the cells that are compared, and its notes' beginning.

    A cell without a figure reads n/a, whatever it is called in the log.
    """
    is_wide = width >= WIDE
    date, window, rate, p95, decision = _COLUMNS.cells(
        width,
        row.date if is_wide or len(row.date) <= _DATE.start else row.date[_DATE].replace("T", " "),
        row.window if is_wide else short_label(row.window),
        row.fallback_rate or NOT_AVAILABLE,
        row.p95_latency or NOT_AVAILABLE,
        row.decision,
    )
    tone: Tone = "plain" if is_measured(row) else "dim"
    notes = literal(clip(row.notes, LONGEST))
    return join(
        (date, "dim"), (window, "strong"), (rate, tone), (p95, tone), decision, (notes, "dim")
    )


def whole_row(row: EvidenceRow, author: str | None, width: int) -> list[Line]:
    """Return all eight cells, wrapped; `author` says in words who recorded it, None: not known.

    What is compared comes first, then the notes, so that little room shows what matters.
    """
    compared: list[Line] = [
        ((literal(row.date), "strong"),),
        ((literal(row.window), "strong"),),
        join(("rate ", "dim"), literal(row.fallback_rate) or NOT_AVAILABLE),
        join(("p95 ", "dim"), literal(row.p95_latency) or NOT_AVAILABLE),
        ((literal(row.decision), "strong"),),
    ]
    if author is not None:
        compared.append(((author, "dim"),))
    others = {"notes": row.notes, "scope": row.scope, "refs": row.refs}
    told = ((name, literal(text)) for name, text in others.items())
    return [*flow(compared, width), *facts(told, width)]


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
        lines.append(join(shorten(text, width - len(more)), (more, "warn")))
    return lines


def author(log: EvidenceRead, place: int) -> str | None:
    """Return in words who recorded the row at `place`; None where only newer ones are known of."""
    index = place - (len(log.rows) - len(log.authors))
    if index < 0:
        return None
    author = log.authors[index]
    return f"recorded by {literal(author)}" if author else "no record beside the log"


class EvidenceScreen(Listing[EvidenceRow, int]):
    """Shows the log; its items are the places of the rows in it."""

    BINDINGS: ClassVar[list[BindingType]] = [closing("evidence")]
    title_text = "EVIDENCE"
    item_word = "row"
    list_word = "rows"
    copy_words = ("copy row", "copy the row")
    more_keys = (("← →", "shift"),)
    columns = _COLUMNS

    def __init__(self, live: Live, picture: Callable[[], Picture]) -> None:
        super().__init__(live, picture, EvidenceList())

    @property
    def known(self) -> EvidenceRead:
        """What is known of the log; nothing while it is unread."""
        return self.live.state.evidence or NO_EVIDENCE

    @property
    def rows(self) -> tuple[EvidenceRow, ...]:
        return self.known.rows

    @staticmethod
    def text_of(row: EvidenceRow) -> str:
        return "\n".join(_cells_of(row))

    def counted(self) -> str:
        known = len(self.live.view.same(figures_of_rows, self.rows))
        return f"{counted(len(self.rows), 'row')}, {known} measured"

    def facts(self, shown: Picture) -> Line:
        path = shown.view.state.watch.evidence or ""
        name = clip(literal(path.rpartition("/")[2]), _NAME)
        return join(super().facts(shown), (f"  {name}", "dim"))

    def why_empty(self) -> str:
        state = self.live.state
        if state.watch.evidence is None:
            return " no evidence log is named: use --evidence LOG, or evidence in config.toml"
        if state.evidence is None:
            return " the evidence log is being read …"
        if self.rows and self.wanted:
            return f" no row matches /{self.wanted}/: esc shows all"
        if state.evidence.problem:
            return " no row is known: the log cannot be read"
        return " the log has no row yet"

    def about(self, width: int) -> list[Line]:
        """Return what is doubtful of the log, and its trend while the list is shown."""
        doubts, same, total = log_doubts(self.known, width), self.live.view.same, len(self.rows)
        if not total or self.whole is not None:
            return doubts
        points = same(figures_of_rows, self.rows)
        if width >= WIDE and self.app.size.height >= TALL:
            return [*doubts, *same(trend_charts, points, total, width, CHART_HEIGHT)]
        return [*doubts, *same(trend_lines, points, total, width)]

    def item_title(self, item: int) -> str:
        return f" ROW {item + 1} of {len(self.rows)} "

    def item_lines(self, item: int, width: int) -> Iterable[Line]:
        return self.live.view.same(whole_row, self.rows[item], author(self.known, item), width)

    def copied(self, item: int) -> str:
        return format_row(self.rows[item])

    def filter(self, text: str) -> None:
        found = self.list.chosen
        if not text and found is not None and found + 1 < len(self.rows):
            # What was found stays under the cursor, also where the list followed its matches.
            self.list.go_to(self.list.cursor)
        super().filter(text)
