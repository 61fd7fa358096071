"""The evidence screen: every row of the log, the one under the cursor whole, and the trend."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.actions import ACTIONS
from vp_tui.domain.evidence import format_row
from vp_tui.domain.measured import measured
from vp_tui.domain.text import clip, literal
from vp_tui.selectors import while_same
from vp_tui.state import EvidenceLog
from vp_tui.ui.evidence_facts import author, doubts, matching, why_empty
from vp_tui.ui.evidence_rows import WIDE, EvidenceList, head_line, whole_row
from vp_tui.ui.evidence_trend import trend_charts, trend_lines
from vp_tui.ui.keys import bindings
from vp_tui.ui.overlay import Overlay
from vp_tui.ui.paint import Line, Lines, join
from vp_tui.ui.scrolled import Scrolled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.widget import Widget

    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.store import Store
    from vp_tui.ui.find import FindBar
    from vp_tui.ui.lines import LineList
    from vp_tui.ui.picture import Picture

TALL: Final = 34
"""Lines from which on a wide terminal has room for charts."""
CHART_HEIGHT: Final = 11
_SHARED: Final = frozenset({"up", "down", "follow", "top", "find", "copy"})
"""Actions that mean here what they mean on the watch screen."""
_EMPTY_LOG: Final = EvidenceLog()
_NAME: Final = 28
"""Characters of the log's name in the title."""
_MARGIN: Final = 2
"""Cells beside the whole row: a blank at its left, the scroll bar at its right."""

_measured = while_same(measured)
_charts = while_same(trend_charts)
_lines = while_same(trend_lines)
_whole_row = while_same(whole_row)


class EvidenceScreen(Overlay):
    """Shows the log as it is now, also while the picture is frozen: rows are written then too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings((action for action in ACTIONS if action.id in _SHARED), read_only=False),
        Binding("enter", "whole", show=False),
        Binding("escape", "back", show=False),
        Binding("q,e", "dismiss", show=False),
    ]
    DEFAULT_CSS = """
    EvidenceScreen #evidence-about, EvidenceScreen #evidence-trend { height: auto; }
    EvidenceScreen #evidence-head { height: 1; background: $panel; }
    EvidenceScreen #evidence-title { height: 1; }
    EvidenceScreen #evidence-row { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    AUTO_FOCUS = "#evidence"
    title_text = "EVIDENCE"

    def __init__(self, store: Store, picture: Callable[[], Picture]) -> None:
        super().__init__(store, picture)
        self.list = EvidenceList(id="evidence")
        self.wanted = ""
        """What the rows are filtered by."""
        self._whole: int | None = None
        """Place of the row that has the screen for itself: one that comes does not push it off."""
        self._about = Lines(id="evidence-about")
        self._trend = Lines(id="evidence-trend")
        self._head = Lines(id="evidence-head")
        self._row_title = Lines(id="evidence-title")
        self._row = Lines(id="evidence-cells")
        self._row_box = Scrolled(self._row, id="evidence-row")

    @property
    def known(self) -> EvidenceLog:
        """What is known of the log; nothing while it is unread."""
        return self._store.state.evidence or _EMPTY_LOG

    @property
    def place(self) -> int | None:
        """Index of the row that is shown whole; None while there is none."""
        return self.list.place if self._whole is None else self._whole

    def content(self) -> Iterable[Widget]:
        yield self._about
        yield self._trend
        yield self._head
        yield self.list
        yield self._row_title
        yield self._row_box

    def facts(self, shown: Picture) -> Line:
        rows, path = self.known.rows, shown.state.watch.evidence or ""
        counted = f"{len(rows)} rows, {len(_measured(rows))} measured"
        if self.wanted:
            counted = f"{self.list.count} of {len(rows)} rows"
        return join(
            counted,
            (f" /{self.wanted}/" if self.wanted else "", "match"),
            (f"  {self.list.waiting} new: G" if self.list.waiting else "", "warn"),
            ("  not frozen" if shown.frozen_for is not None else "", "warn"),
            (f"  {clip(literal(path.rpartition('/')[2]), _NAME)}", "dim"),
        )

    def keys(self) -> tuple[tuple[str, str], ...]:
        if self._whole is not None:
            return (("esc", "back to the rows"), ("↑ ↓ pgup pgdn", "scroll"), ("y", "copy the row"))
        leave = "show all" if self.wanted else "back"
        return (
            ("esc", leave),
            ("enter", "whole row"),
            ("/", "filter"),
            ("y", "copy row"),
            ("G", "newest"),
            ("← →", "shift"),
        )

    def draw(self, shown: Picture, width: int) -> None:  # noqa: ARG002 - the log as it is now
        state, rows = self._store.state, self.known.rows
        self.list.show(rows, matching(rows, self.wanted), why_empty(state, self.wanted))
        self._about.show(doubts(self.known, width))
        self._trend.show(self._trend_lines(rows, width) if rows else [])
        self._head.show([head_line(width)])
        for widget in (self._head, self.list, self._trend):
            widget.display = self._whole is None
        self._show_row(width)

    def _trend_lines(self, rows: tuple[EvidenceRow, ...], width: int) -> list[Line]:
        points = _measured(rows)
        if width >= WIDE and self.app.size.height >= TALL:
            return _charts(points, len(rows), width, CHART_HEIGHT)
        return _lines(points, len(rows), width)

    def _show_row(self, width: int) -> None:
        place = self.place
        self._row_title.display = self._row_box.display = place is not None
        if place is None:
            return
        rows = self.known.rows
        title = f" ROW {place + 1} of {len(rows)} "
        self._row_title.show([((title, "strong"), ("─" * (width - len(title)), "dim"))])
        self._row.show(_whole_row(rows[place], author(self.known, place), width - _MARGIN))

    def on_line_list_moved(self, _message: LineList.Moved) -> None:
        if self._whole is None:
            self._row_box.action_first()
        self.call_after_refresh(self.redraw)

    def on_find_bar_wanted(self, message: FindBar.Wanted) -> None:
        self._filter(message.text)

    def action_cursor(self, steps: int) -> None:
        self.list.move(steps)

    def action_follow(self) -> None:
        self.list.follow_newest()

    def action_top(self) -> None:
        self.list.go_to(0)

    def action_find(self) -> None:
        from vp_tui.ui.find import FindBar  # noqa: PLC0415 - many never filter

        if self._whole is None and not self.query(FindBar):
            self.mount(FindBar(self.list, self.wanted))

    def action_copy(self) -> None:
        if self.place is not None:
            self.app.copy_to_clipboard(format_row(self.known.rows[self.place]))
            note = "row sent to the terminal's clipboard; in tmux this needs `set-clipboard on`"
            self.notify(note, markup=False)

    def action_whole(self) -> None:
        self._show_whole(self.list.place if self._whole is None else None)

    def action_back(self) -> None:
        if self._whole is not None:
            self._show_whole(None)
        elif self.wanted:
            self._filter("")
        else:
            self.dismiss()

    def _filter(self, text: str) -> None:
        found = self.list.place
        if not text and found is not None and found + 1 < len(self.known.rows):
            # What was found stays under the cursor, also where the list followed its matches.
            self.list.go_to(self.list.cursor)
        self.wanted = text
        self.redraw()

    def _show_whole(self, place: int | None) -> None:
        self._whole = place
        self.redraw()
        (self.list if place is None else self._row_box).focus()
