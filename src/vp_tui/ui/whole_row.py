"""The whole row as it will be written, over the dialog that writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from vp_tui.ui.dialog import Dialog
from vp_tui.ui.paint import Lines
from vp_tui.ui.record_text import row_lines

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.ui.live import Live


class WholeRow(Dialog[None]):
    """Shows a row to its last character."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "leave", show=False)]
    title_text = "THE ROW, ONE LINE IN THE LOG"
    keys_text = "↑ ↓ scroll  v or esc back"

    def __init__(self, live: Live, row: EvidenceRow) -> None:
        super().__init__(live)
        self._row = row

    def body(self) -> list[Widget]:
        return [VerticalScroll(Lines(id="row"), id="row-scroll")]

    def redraw(self) -> None:
        super().redraw()
        self.query_one("#row", Lines).show(row_lines(self._row, self.room[0] - 1))
