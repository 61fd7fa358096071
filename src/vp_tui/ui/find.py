"""The input that filters a table or searches a log, over the footer while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from vp_tui.ui.logs import NO_MATCH, LogList
from vp_tui.ui.paint import Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from vp_tui.ui.lines import LineList


class FindBar(Horizontal):
    """Acts on its list at each letter. Enter keeps what was found, esc shows all again."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    class Wanted(Message):
        """The list is to be filtered by `text`, or searched for it; "" shows all."""

        def __init__(self, target: LineList, text: str) -> None:
            super().__init__()
            self.target = target
            self.text = text

    def __init__(self, target: LineList, text: str) -> None:
        super().__init__(id="find-bar")
        self._target = target
        self._text = text

    def compose(self) -> ComposeResult:
        label = Lines(id="find-label")
        verb = "search" if isinstance(self._target, LogList) else "filter"
        label.show([((f" {verb} {self._target.id}: ", "accent"),)])
        yield label
        yield Input(self._text, id="find", compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_descendant_blur(self) -> None:
        """Leave with the focus, else the bar would stay over the footer and `/` be dead."""
        if self.is_attached:
            self.remove()

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        self.post_message(self.Wanted(self._target, message.value))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        target, text = self._target, message.value
        # What is wanted may still be on its way to the list.
        if isinstance(target, LogList) and text:
            target.search(text)
            if not target.go_to_match(-1):
                self.notify(NO_MATCH, severity="warning", markup=False)
        self._close()

    def action_leave(self) -> None:
        self.post_message(self.Wanted(self._target, ""))
        self._close()

    def _close(self) -> None:
        self._target.focus()
        self.remove()
