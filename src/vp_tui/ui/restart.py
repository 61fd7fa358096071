"""The dialog that restarts the gateway: what that kills, a typed word, then each step of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.widgets import Input

from vp_tui.domain.actuation import RESTART_BY_HAND, Means, shown
from vp_tui.domain.restart import RestartState
from vp_tui.lane_view import why_busy
from vp_tui.sources import streams_view
from vp_tui.ui.dialog import Dialog
from vp_tui.ui.forms import Field, TextLine
from vp_tui.ui.lane_text import acted_lines, running_lines
from vp_tui.ui.paint import EMPTY, Line, Lines, join
from vp_tui.ui.prose import fact, paragraph
from vp_tui.ui.steps import step_lines

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.commands import Commands
    from vp_tui.domain.restart import Restart
    from vp_tui.state import State
    from vp_tui.ui.live import Live
    from vp_tui.ui.tones import Tone

WORD: Final = "restart"
"""To be typed: no key alone kills every run."""
_QUESTION: Final = 2
"""Lines of the fields."""
_STEPS: Final = 6
"""Steps that are shown, the last."""
_TONES: Final[dict[RestartState, Tone]] = {
    RestartState.BACK: "good",
    RestartState.NOT_BACK: "bad",
    RestartState.NOT_RESTARTED: "bad",
    RestartState.FAILED: "bad",
}


class RestartDialog(Dialog[None]):
    """Asks once, acts once, and shows how it goes on for as long as it is open."""

    title_text: ClassVar[str] = "KILL EVERY RUN AND BEGIN A NEW EPOCH"
    keys_text: ClassVar[str] = f"type “{WORD}”, then enter  tab reason  esc nothing more"

    def __init__(self, live: Live, commands: Commands) -> None:
        """Show a restart that is followed; then another one can be asked for."""
        super().__init__(live)
        self._commands = commands
        self._told = ""
        followed = live.state.lane.restart
        self._since = followed.asked_at if followed else None
        self._is_asking = followed is None or live.state.lane.restarted is not None

    def body(self) -> list[Widget]:
        return [
            Lines(id="told"),
            Lines(id="so-far"),
            Lines(id="facts"),
            Field("type", hint=WORD),
            Field("reason", hint="for the audit and the row"),
        ]

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#type").focus()

    def redraw(self) -> None:
        super().redraw()
        width, height = self.room
        told, steps = self.query_one("#told", Lines), self._followed(width)
        told.display = bool(self._told)
        told.show(paragraph(f"! {self._told}", width, 0, "warn"))
        self.query_one("#so-far", Lines).display = bool(steps)
        self.query_one("#so-far", Lines).show(steps)
        for part in ("#field-type", "#field-reason"):
            self.query_one(part).display = self._is_asking
        room = height - len(steps) - len(told.lines) * told.display - _QUESTION
        facts = self._question(width) if self._is_asking else []
        self.query_one("#facts", Lines).show(facts[: max(room, 1)])

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if not self._is_asking:
            return
        state, reason = self.live.state, self.query_one("#reason", TextLine).meant
        if self.query_one("#type", TextLine).meant != WORD:
            self._told = f"nothing was done: type “{WORD}”"
            self.query_one("#type").focus()
        elif (why := why_busy(state)) is not None:
            self._told = why
            self._commands.refused(WORD, state.watch.url, reason, why)
        else:
            self._told, self._is_asking, self._since = "", False, self.live.now
            self._commands.restart(reason)
        self.redraw()

    def _question(self, width: int) -> list[Line]:
        state, now = self.live.state, self.live.now
        command = (state.watch.means or Means()).restart
        lines = running_lines(state, now, width)
        if command:
            return [*fact("runs", ((shown(command), "strong"),), width), *lines]
        none = "no restart command is configured: nothing is done by vp-tui"
        lines += fact("by hand", ((none, "warn"),), width)
        for line in RESTART_BY_HAND:
            lines += fact("", line, width)
        return lines

    def _followed(self, width: int) -> list[Line]:
        state, restart = self.live.state, self.live.state.lane.restart
        if self._since is None:
            return []
        if restart is None or restart.asked_at < self._since:
            return [join("· sending …")]
        done = acted_lines(state.lane.restarted, width) if not self._is_asking else []
        return [*restart_lines(restart, state, self.live.now, width), *done, EMPTY]


def restart_lines(restart: Restart, state: State, now: float, width: int) -> list[Line]:
    """Return the steps of a restart with their times, and how far it has come."""
    is_back = restart.state is RestartState.BACK
    awaited = [] if is_back else ["back in a new epoch, streams attached again"]
    lines = step_lines(restart.steps[-_STEPS:], awaited, state.clock, width)
    tone = _TONES.get(restart.state, "warn")
    reason = f": {restart.reason}" if restart.reason else ""
    lines += paragraph(join((str(restart.state), tone), reason), width, 0)
    if is_back:
        streams = streams_view(state, now)
        lines.append(join(f"streams {streams.live}/{streams.wanted} attached again"))
    return lines
