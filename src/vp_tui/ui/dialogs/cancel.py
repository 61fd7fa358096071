"""The dialogs that stop one run or every run: what is hit, then what comes of it.

One run's steps are shown until a later turn completes; for all of them a word is to be typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.widgets import Input

from vp_tui.domain.runs.cancels import Cancel, CancelState, steps
from vp_tui.domain.runs.levels import Level
from vp_tui.domain.text import short_id
from vp_tui.ui.kit.forms import Buttons, Field, TextLine
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import Dialog
from vp_tui.ui.lines.paint import Line, cut, join, step_line, wrap_line, wrap_text
from vp_tui.views.stuck_runs import why_changed

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.stuck_runs import Target
    from vp_tui.views.view import Live, View
    from vp_tui.worker.commands import Commands


KEEP: Final = "Keep running"
CANCEL: Final = "Cancel run"
_FRAME: Final = 4
_NAMES: Final = 24
"""Cells of the steps' names."""
_STATE_TONES: Final[dict[CancelState, Tone]] = {
    CancelState.RECOVERED: "good",
    CancelState.RESTARTED: "good",
    CancelState.FAILED: "bad",
    CancelState.UNCONFIRMED: "bad",
}

WORD: Final = "all runs"
"""To be typed: no key alone stops everything."""


class CancelDialog(Dialog[None]):
    """Asks once, sends once, and then shows what comes of it for as long as it is open."""

    title_text: ClassVar[str] = "STOP A RUN"
    keys_text: ClassVar[str] = "arrows choose  enter answer  tab reason  esc nothing"

    def __init__(
        self, live: Live, commands: Commands, target: Target, followed: Cancel | None = None
    ) -> None:
        """`followed` was sent before: nothing is asked, what comes of it is shown."""
        super().__init__(live)
        self._commands = commands
        self._target = target
        self._told = ""
        self._sent_at = followed.at if followed else None

    def body(self) -> list[Widget]:
        return [
            Lines(id="told"),
            Lines(id="facts"),
            Field("reason", hint="for the gateway, its viewers and the audit"),
            Buttons(KEEP, CANCEL),
            Lines(id="steps"),
        ]

    def on_mount(self) -> None:
        if self._sent_at is not None:
            self._hide_question()
        super().on_mount()
        self.query_one(Buttons).focus()

    def redraw(self) -> None:
        super().redraw()
        width = self.app.size.width - _FRAME
        told = self.query_one("#told", Lines)
        told.display = bool(self._told)
        told.show(wrap_text(f"! {self._told}", width, "warn"))
        self.query_one("#facts", Lines).show(target_lines(self._target, width))
        self.query_one("#steps", Lines).show(self._steps(width))

    @on(Input.Submitted)
    def _reason_given(self) -> None:
        self.query_one(Buttons).focus()

    @on(Buttons.Pressed)
    def _answered(self, message: Buttons.Pressed) -> None:
        if message.answer == KEEP:
            self.dismiss(None)
        elif self._sent_at is None:
            self._send()

    def _send(self) -> None:
        reason = self.query_one("#reason", TextLine).meant
        why = why_changed(self._target, self.live.view)
        if why is not None:
            self._commands.refused("cancel", self._target.session_id, reason, why)
            self._told = why
        else:
            self._sent_at = self.live.now
            self._commands.cancel(self._target.session_id, reason)
            self._hide_question()
        self.redraw()

    def _hide_question(self) -> None:
        for part in ("#field-reason", "#buttons"):
            self.query_one(part).display = False

    def _steps(self, width: int) -> list[Line]:
        if self._sent_at is None:
            return []
        cancel = own_cancel(self.live.view, self._target.session_id, self._sent_at)
        if cancel is None:
            return [join("· sending …")]
        return cancel_lines(cancel, self.live.view, width)


def own_cancel(view: View, session_id: str, since: float) -> Cancel | None:
    """Return the cancel of this session that was sent at `since` or later, or was on its way."""
    own = (
        c
        for c in reversed(view.state.cancels)
        if c.session_id == session_id and c.actor is not None
    )
    return next((c for c in own if c.at >= since or c.is_in_flight), None)


def target_lines(target: Target, width: int) -> list[Line]:
    """Return what is hit, what it does, and what it blocks."""
    level = "unknown" if target.level is None else str(target.level).upper()
    viewers = f"{target.viewers} other viewers are told" if target.viewers else "no other viewer"
    lines = [
        join((f"{short_id(target.session_id)} ", "strong"), (level, "warn"), f"  {viewers}"),
        *wrap_text(target.session_id, width, "dim"),
        *wrap_text(target.activity, width),
    ]
    if target.blocker:
        frees = f"it waits behind {short_id(target.blocker)}: cancelling it frees nothing"
        lines += wrap_text(frees, width, "warn")
    if target.waiting:
        names = ", ".join(short_id(session_id) for session_id in target.waiting)
        lines += wrap_text(f"waiting behind it: {names}", width, "warn")
    if target.level not in {Level.STUCK, Level.DEAF}:
        lines += wrap_text("it is not stuck: what it has done so far is lost", width, "warn")
    lines.append(())
    return lines


def cancel_lines(cancel: Cancel, view: View, width: int) -> list[Line]:
    """Return the steps of a cancel with their times, and what it has come to."""
    lines: list[Line] = []
    for step in steps(cancel, view.now):
        lines += step_line(step.name, step.detail, step.at, view.state.clock, width, _NAMES)
    return [*lines, *wrap_line(state_line(cancel, view.now), width)]


def state_line(cancel: Cancel, now: float) -> Line:
    """Return what a cancel has come to, and what it means."""
    how = cancel.state(now)
    return join((str(how), _STATE_TONES.get(how, "warn")), f": {_next(how)}")


def _next(how: CancelState) -> str:
    """Return the next rung of the ladder, in words."""
    return {
        CancelState.RECOVERED: "a later turn completed",
        CancelState.RESTARTED: "the gateway began anew, the run with it",
        CancelState.FAILED: "nothing was sent, or the gateway refused it",
        CancelState.MISSED: "look at what runs now",
        CancelState.UNKNOWN: "look whether it still runs; it is followed all the same",
        CancelState.UNCONFIRMED: "no later turn completed: watch, or X restarts the gateway",
    }.get(how, "not recovered before a later turn completes")


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
        told.show(wrap_text(f"! {self._told}", width, "warn"))
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
            why = why_changed(target, self.live.view)
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
            lines.append(cut(join(who, (f"{level:<8}", "warn"), target.activity), width))
        return [*lines, ()]

    def _steps(self, width: int) -> list[Line]:
        if self._sent_at is None:
            return []
        lines: list[Line] = []
        for target in self._targets:
            cancel = own_cancel(self.live.view, target.session_id, self._sent_at)
            if cancel is not None:
                last = state_line(cancel, self.live.now)
                lines.append(cut(join(f"{short_id(target.session_id):<14}", last), width))
        return lines
