"""The evidence screen: every row of the log, the one under the cursor whole, and the trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.domain.evidence import format_row
from vp_tui.domain.measured import measured
from vp_tui.domain.text import clip, literal
from vp_tui.selectors import while_same
from vp_tui.state import EvidenceLog
from vp_tui.ui.evidence_facts import author, doubts, matching, why_empty
from vp_tui.ui.evidence_rows import WIDE, EvidenceList, head_line, whole_row
from vp_tui.ui.evidence_trend import trend_charts, trend_lines
from vp_tui.ui.listing import LIST_ID, Listing
from vp_tui.ui.paint import Line, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vp_tui.store import Store
    from vp_tui.ui.picture import Picture

TALL: Final = 34
"""Lines from which on a wide terminal has room for charts."""
CHART_HEIGHT: Final = 11
_EMPTY_LOG: Final = EvidenceLog()
_NAME: Final = 28
"""Characters of the log's name in the title."""

_measured = while_same(measured)
_charts = while_same(trend_charts)
_lines = while_same(trend_lines)
_whole_row = while_same(whole_row)


class EvidenceScreen(Listing[EvidenceList, int]):
    """Shows the log; its items are the places of the rows in it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,e", "dismiss", show=False)]
    title_text = "EVIDENCE"
    item_word = "row"

    def __init__(self, store: Store, picture: Callable[[], Picture]) -> None:
        super().__init__(store, picture, EvidenceList(id=LIST_ID))

    @property
    def known(self) -> EvidenceLog:
        """What is known of the log; nothing while it is unread."""
        return self._store.state.evidence or _EMPTY_LOG

    @property
    def under_cursor(self) -> int | None:
        return self.list.place

    def counted(self) -> str:
        rows = self.known.rows
        if self.wanted:
            return f"{self.list.count} of {len(rows)} rows"
        return f"{len(rows)} rows, {len(_measured(rows))} measured"

    def facts(self, shown: Picture) -> Line:
        path = shown.state.watch.evidence or ""
        name = clip(literal(path.rpartition("/")[2]), _NAME)
        return join(super().facts(shown), (f"  {name}", "dim"))

    def keys(self) -> tuple[tuple[str, str], ...]:
        if self.whole is not None:
            return (("esc", "back to the rows"), ("↑ ↓ pgup pgdn", "scroll"), ("y", "copy the row"))
        return (
            ("esc", "show all" if self.wanted else "back"),
            ("enter", "whole row"),
            ("/", "filter"),
            ("y", "copy row"),
            ("G", "newest"),
            ("← →", "shift"),
        )

    def fill(self) -> None:
        state, rows = self._store.state, self.known.rows
        self.list.show(rows, matching(rows, self.wanted), why_empty(state, self.wanted))

    def about(self, width: int) -> list[Line]:
        """Return what is doubtful of the log, and its trend while the list is shown."""
        rows, lines = self.known.rows, doubts(self.known, width)
        return [*lines, *self._trend(width)] if rows and self.whole is None else lines

    def _trend(self, width: int) -> list[Line]:
        rows = self.known.rows
        points = _measured(rows)
        if width >= WIDE and self.app.size.height >= TALL:
            return _charts(points, len(rows), width, CHART_HEIGHT)
        return _lines(points, len(rows), width)

    def columns(self, width: int) -> Line:
        return head_line(width)

    def item_title(self, item: int) -> str:
        return f" ROW {item + 1} of {len(self.known.rows)} "

    def item_lines(self, item: int, width: int) -> Iterable[Line]:
        return _whole_row(self.known.rows[item], author(self.known, item), width)

    def copied(self, item: int) -> str:
        return format_row(self.known.rows[item])

    def filter(self, text: str) -> None:
        found = self.list.place
        if not text and found is not None and found + 1 < len(self.known.rows):
            # What was found stays under the cursor, also where the list followed its matches.
            self.list.go_to(self.list.cursor)
        super().filter(text)
