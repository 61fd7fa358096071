"""The dialog that offers to append rows which could not be written when they were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import work
from textual.binding import Binding, BindingType

from vp_tui.domain.text import ELLIPSIS, literal
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import Dialog
from vp_tui.ui.lines.paint import Line, cut, join, plain, wrap_text
from vp_tui.worker.evidence import AppendedRow, WaitingRows

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.worker.evidence import WaitingRow
    from vp_tui.worker.lane_watch import LaneWatch


_FRAME: Final = 4
"""Columns of the box's border and padding."""
_AROUND: Final = 10
"""Lines of the screen that tell something else than the rows."""
_EACH: Final = 4
"""Lines of a row."""
NO_FILE: Final = "only its record is there: vp-tui ended in between, or somebody took the row out"


class WaitingDialog(Dialog[list[AppendedRow]]):
    """Returns the rows that were appended; None when all go on waiting. Nothing is ever dropped."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "append", show=False)]
    title_text = "ROWS THAT ARE NOT IN THE LOG YET"
    keys_text = "enter append them all, with their records   esc later: they go on waiting"

    def __init__(self, lane: LaneWatch, found: WaitingRows) -> None:
        super().__init__(lane)
        self._found = found
        self._told = ""
        self._appended: list[AppendedRow] = []
        self._is_working = False

    def body(self) -> list[Widget]:
        return [Lines(id="told"), Lines(id="rows")]

    def redraw(self) -> None:
        super().redraw()
        width = min(self.app.size.width, 120) - _FRAME
        told = self.query_one("#told", Lines)
        told.display = bool(self._told)
        told.show(wrap_text(f"! {self._told}", width, "warn"))
        room = max((self.app.size.height - _AROUND) // _EACH, 1)
        rows = self._found.rows
        lines = [line for row in rows[:room] for line in _row_lines(row, width)]
        if len(rows) > room:
            lines.append(((f"and {len(rows) - room} more", "dim"),))
        lines += [((f"! {literal(warning)}", "warn"),) for warning in self._found.warnings]
        self.query_one("#rows", Lines).show(cut(line, width) for line in lines)

    def action_leave(self) -> None:
        if not self._is_working:
            self.dismiss(self._appended or None)

    def action_append(self) -> None:
        if not self._is_working:
            self._is_working = True
            self._append()

    @work
    async def _append(self) -> None:
        settled = await self.lane.commands.append_waiting([row.row for row in self._found.rows])
        if isinstance(settled, list):
            self._appended += [one for one in settled if one.problem is None]
            failure = next((one.problem for one in settled if one.problem is not None), None)
        else:
            failure = settled
        self._found = await self.lane.commands.waiting()
        self._is_working = False
        if failure is None:
            self.dismiss(self._appended)
            return
        done = f"{len(self._appended)} appended; " if self._appended else ""
        self._told = f"{done}{failure.reason}; {failure.cure}. What is below goes on waiting"
        self.redraw()


def _row_lines(waiting: WaitingRow, width: int) -> list[Line]:
    """Return what the row says, why it waits, and where it is kept, as _EACH lines."""
    row = waiting.row
    said = [
        plain(f"{literal(row.date)}  {literal(row.window)}"),
        join("  ", (literal(row.decision), "strong")),
    ]
    if waiting.kept_in is None:
        return [*said, plain(f"  {NO_FILE}"), ()]
    because = literal(waiting.because) if waiting.because else "why is not known"
    return [*said, plain(f"  {because}"), ((_end_of(waiting.kept_in, width), "dim"),)]


def _end_of(path: str, width: int) -> str:
    """Return where a row is kept in at most `width` cells: a path's end tells it from others."""
    label = "  kept in "
    room = max(width - len(label), 1)
    return label + (path if len(path) <= room else ELLIPSIS + path[-(room - 1) :])
