"""A box over the watch screen. What is wrong stays in view above it, and esc leaves nothing behind.

Guardrails and alarms go on in a dialog: its first lines are the watch screen's, drawn anew with
every state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from vp_tui.assessment import assess
from vp_tui.ui.header import header_lines
from vp_tui.ui.paint import Line, Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from vp_tui.ui.live import Live

ResultT = TypeVar("ResultT")
MAX_WIDTH: Final = 120
"""Columns of the box, as in the stylesheet."""
ROOMY: Final = 30
"""Lines of the terminal from which on the header is as whole as the watch screen's."""
_FRAME: Final = (4, 3)
"""Columns of border and padding; lines of border and keys."""


class Dialog(ModalScreen[ResultT | None], Generic[ResultT]):
    """Base of the dialogs. A subclass gives title, keys and body, and draws in `redraw`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]
    title_text: ClassVar[str]
    """What it does, in other words than its keys."""
    keys_text: ClassVar[str] = "esc nothing"

    def __init__(self, live: Live) -> None:
        super().__init__()
        self.live = live

    def compose(self) -> ComposeResult:
        yield Lines(id="dialog-header")
        with Vertical(id="dialog") as box:
            box.border_title = self.title_text
            yield from self.body()
        keys = Lines(id="dialog-keys")
        keys.show([((f" {self.keys_text}", "dim"),)])
        yield keys

    def body(self) -> list[Widget]:
        """Return what is in the box."""
        raise NotImplementedError

    @property
    def room(self) -> tuple[int, int]:
        """Columns and lines that there are inside the box."""
        width, height = self.app.size
        return min(width, MAX_WIDTH) - _FRAME[0], height - _FRAME[1] - len(self._top())

    def on_mount(self) -> None:
        self._unsubscribe = self.live.store.subscribe(lambda _state: self.redraw_if_shown())
        self.redraw()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        self.redraw_if_shown()

    def on_screen_resume(self) -> None:
        self.redraw_if_shown()

    def redraw_if_shown(self) -> None:
        """Draw, unless it is closed already or another dialog is over it."""
        if self.is_current and self.query("#dialog"):
            self.redraw()

    def redraw(self) -> None:
        """Draw what follows from the newest state."""
        self.query_one("#dialog-header", Lines).show(self._top())

    def action_leave(self) -> None:
        self.dismiss(None)

    def _top(self) -> list[Line]:
        """Return who and when and, if anything is wrong, what."""
        state, now = self.live.state, self.live.now
        safety = assess(state, now).safety if state.sources else ()
        lines = header_lines(state, now, self.app.size.width, frozen_for=None, safety=safety)
        return lines if self.app.size.height >= ROOMY else [lines[0], lines[2]]
