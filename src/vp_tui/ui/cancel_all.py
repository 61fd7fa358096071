"""The dialog that stops every run: the list of what it hits, and a word to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.widgets import Input

from vp_tui.selectors import short_id
from vp_tui.targets import why_changed
from vp_tui.ui.cancel import own_cancel, state_line
from vp_tui.ui.dialog import Dialog
from vp_tui.ui.forms import Field, TextLine
from vp_tui.ui.paint import Line, Lines, cut, join, wrapped

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.commands import Commands
    from vp_tui.targets import Target
    from vp_tui.ui.live import Live

WORD: Final = "all runs"
"""To be typed: no key alone stops everything."""
_FRAME: Final = 4


class CancelAllDialog(Dialog[None]):
    """Sends one cancel per listed run, to none that came since."""

    title_text: ClassVar[str] = "STOP EVERY LISTED RUN"
    keys_text: ClassVar[str] = f"type “{WORD}”, then enter  tab reason  esc nothing"

    def __init__(self, live: Live, commands: Commands, targets: tuple[Target, ...]) -> None:
        super().__init__(live)
        self._commands = commands
        self._targets = targets
        self._told = ""
        self._sent_at: float | None = None

    def body(self) -> list[Widget]:
        return [
            Lines(id="told"),
            Lines(id="facts"),
            Field("type", hint=WORD),
            Field("reason", hint="for the gateway, its viewers and the audit"),
            Lines(id="steps"),
        ]

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#type").focus()

    def redraw(self) -> None:
        super().redraw()
        width = self.app.size.width - _FRAME
        told = self.query_one("#told", Lines)
        told.display = bool(self._told)
        told.show(wrapped(f"! {self._told}", width, "warn"))
        self.query_one("#facts", Lines).show(self._hit(width))
        self.query_one("#steps", Lines).show(self._steps(width))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self._sent_at is not None:
            return
        if self.query_one("#type", TextLine).meant != WORD:
            self._told = f"nothing was sent: type “{WORD}” to stop {len(self._targets)} runs"
            self.query_one("#type").focus()
        else:
            self._send()
        self.redraw()

    def _send(self) -> None:
        self._sent_at = self.live.now
        reason = self.query_one("#reason", TextLine).meant
        for target in self._targets:
            why = why_changed(target, self.live.state, self.live.now)
            if why is None:
                self._commands.cancel(target.session_id, reason)
            else:
                self._commands.refused("cancel", target.session_id, reason, why)
        for part in ("#field-type", "#field-reason"):
            self.query_one(part).display = False

    def _hit(self, width: int) -> list[Line]:
        lines = [join((f"this hits {len(self._targets)} runs, and their viewers are told", "warn"))]
        for target in self._targets:
            level = "unknown" if target.level is None else str(target.level)
            who = f"  {short_id(target.session_id):<14}"
            lines.append(cut(join(who, (f"{level:<8}", "warn"), target.doing), width))
        return [*lines, ()]

    def _steps(self, width: int) -> list[Line]:
        if self._sent_at is None:
            return []
        lines: list[Line] = []
        for target in self._targets:
            cancel = own_cancel(self.live.state, target.session_id, self._sent_at)
            if cancel is not None:
                last = state_line(cancel, self.live.now)
                lines.append(cut(join(f"{short_id(target.session_id):<14}", last), width))
        return lines
