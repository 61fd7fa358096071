"""The dialogs that set a switch of the lane or restart the gateway: what it takes, then each step.

A switch is followed to its proof. What a restart kills is told, and a word is to be typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.widgets import Input

from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    RELEASE,
    RESTART_BY_HAND,
    Change,
    Means,
    Switch,
    plan_for,
    shown,
)
from vp_tui.ui.kit.forms import Buttons, Field, TextLine
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import Dialog
from vp_tui.ui.lines.lane import (
    acted_lines,
    mode_lines,
    plan_lines,
    primary_lines,
    proof_line,
    running_lines,
    switches_lines,
)
from vp_tui.ui.lines.paint import EMPTY, Line, age, fact, join, paragraph, step_lines
from vp_tui.views.lane import why_busy, why_no_change
from vp_tui.views.sources import streams_view

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.domain.lane.restart import Restart
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import Live, View
    from vp_tui.worker.commands import Commands


NOT_NOW: Final = "Not now"
FORCE: Final = "Force fallback now"
_TITLES: Final[dict[Change, str]] = {
    FORCE_FALLBACK: "THE BRAKE: EVERY TURN TO THE PRIMARY PATH",
    RELEASE: "THE BRAKE: LET THE LANE HAVE TURNS AGAIN",
    Change(Switch.SHADOW, on=True): "BACK TO WATCHING ONLY: THE LANE GETS NO TURN",
    Change(Switch.SHADOW, on=False): "FROM WATCHING TO DELEGATING",
    Change(Switch.LANE, on=True): "THE LANE ITSELF: IN SERVICE",
    Change(Switch.LANE, on=False): "THE LANE ITSELF: OUT OF SERVICE",
}
_ANSWERS: Final[dict[Change, str]] = {
    FORCE_FALLBACK: FORCE,
    Change(Switch.SHADOW, on=True): "Shadow mode on",
    Change(Switch.SHADOW, on=False): "Shadow mode off",
}
"""Of changes that one answer confirms; for the others the lane's name is typed."""

_STEPS: Final = 6
"""Steps that are shown, the last."""
_QUESTION: Final = 3
"""Lines of the reason and the answers."""

WORD: Final = "restart"
"""To be typed: no key alone kills every run."""
_RESTART_QUESTION: Final = 2
"""Lines of the fields."""
_TONES: Final[dict[RestartState, Tone]] = {
    RestartState.BACK: "good",
    RestartState.NOT_BACK: "bad",
    RestartState.NOT_RESTARTED: "bad",
    RestartState.FAILED: "bad",
}


class BrakeDialog(Dialog[None]):
    """Asks once, acts once, and shows what comes of it for as long as it is open."""

    title_text: ClassVar[str] = "THE LANE"
    keys_text: ClassVar[str] = "arrows choose  enter answer  tab reason  esc nothing more"

    def __init__(self, live: Live, commands: Commands, change: Change) -> None:
        """Show the change of that kind that is followed; then another one can be asked for."""
        super().__init__(live)
        self._commands = commands
        self._change = change
        self._told = ""
        followed = followed_change(live.view, change)
        self._since = followed.asked_at if followed else None
        self._is_asking = followed is None or live.state.lane.acted is not None

    def body(self) -> list[Widget]:
        answer = _ANSWERS.get(self._change)
        confirm = Buttons(NOT_NOW, answer) if answer else Field("type", hint=self._word)
        return [
            Lines(id="told"),
            Lines(id="so-far"),
            Lines(id="facts"),
            Field("reason", hint="for the audit and the row"),
            confirm,
        ]

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#dialog").border_title = _TITLES[self._change]
        self._confirm.focus()

    @property
    def _word(self) -> str:
        return self.live.state.watch.vp_id

    @property
    def _confirm(self) -> Widget:
        return self.query_one("#buttons" if self._change in _ANSWERS else "#type")

    def redraw(self) -> None:
        super().redraw()
        width, height = self.room
        told = self.query_one("#told", Lines)
        told.display = bool(self._told)
        told.show(paragraph(f"! {self._told}", width, 0, "warn"))
        steps = self._followed(width)
        self.query_one("#so-far", Lines).show(steps)
        self.query_one("#so-far", Lines).display = bool(steps)
        for part in (self.query_one("#field-reason"), self._confirm_row):
            part.display = self._is_asking
        taken = len(steps) + len(told.lines) * told.display + _QUESTION
        facts = self._facts(width, is_short=bool(steps)) if self._is_asking else []
        self.query_one("#facts", Lines).show(facts[: max(height - taken, 1)])

    @property
    def _confirm_row(self) -> Widget:
        return self.query_one("#buttons" if self._change in _ANSWERS else "#field-type")

    @on(Input.Submitted, "#reason")
    def _reason_given(self) -> None:
        self._confirm.focus()

    @on(Input.Submitted, "#type")
    def _word_given(self, message: Input.Submitted) -> None:
        if not self._is_asking:
            return
        if message.value.strip() == self._word:
            self._send()
        else:
            self._told = f"nothing was changed: type {self._word}"
            self.redraw()

    @on(Buttons.Pressed)
    def _answered(self, message: Buttons.Pressed) -> None:
        if message.answer == NOT_NOW:
            self.dismiss(None)
        elif self._is_asking:
            self._send()

    def _send(self) -> None:
        reason = self.query_one("#reason", TextLine).meant
        why = why_no_change(self.live.view, self._change)
        if why is not None:
            url = self.live.state.watch.url
            self._commands.refused(self._change.words, url, reason, why)
            self._told = why
        else:
            self._told, self._is_asking, self._since = "", False, self.live.now
            self._commands.change_switch(self._change, reason)
        self.redraw()

    def _facts(self, width: int, *, is_short: bool) -> list[Line]:
        view = self.live.view
        plan = plan_for(self._change, view.state.watch.means or Means())
        head: list[Line] = []
        if not is_short:
            head = [*mode_lines(view, width), *switches_lines(view, width)]
            head += primary_lines(view, width) if self._change == FORCE_FALLBACK else []
        lines = [*head, *plan_lines(plan, self._change, width)]
        if plan.command:
            lines += running_lines(view, width, if_it="if the command restarts it, ")
        return lines

    def _followed(self, width: int) -> list[Line]:
        """Return how the change goes on; nothing where none was asked for."""
        if self._since is None:
            return []
        view = self.live.view
        brake = followed_change(view, self._change, self._since)
        if brake is None:
            return [join("· sending …")]
        done = acted_lines(view.state.lane.acted, width) if not self._is_asking else []
        return [
            *mode_lines(view, width),
            *step_lines(brake.steps[-_STEPS:], _awaited(brake, view), view.state.clock, width),
            *proof_line(brake, width),
            *paragraph(_next(brake, view), width, 0, "accent"),
            *done,
            EMPTY,
        ]


def followed_change(view: View, change: Change, since: float | None = None) -> Brake | None:
    """Return the change of that kind that is followed; of `since`, also one that failed."""
    brake = view.state.lane.brake
    if brake is None or brake.change != change:
        return None
    if since is not None:
        return brake if brake.asked_at >= since else None
    return None if brake.proof is Proof.FAILED else brake


def _awaited(brake: Brake, view: View) -> list[str]:
    """Return the steps that are still to come."""
    if brake.proof is Proof.FAILED:
        return []
    means = view.state.watch.means
    wanted = ["written"] if means is not None and means.env_file else []
    seen = {step.step for step in brake.steps}
    proof = [] if brake.proof in {Proof.CONFIRMED, Proof.CONTRADICTED} else [str(Proof.CONFIRMED)]
    return [name for name in (*wanted, "in force") if name not in seen] + proof


def _next(brake: Brake, view: View) -> str:
    """Return what helps next."""
    if view.state.lane.acted is None:
        return f"the actuator is at work: {age(max(view.now - brake.asked_at, 0.0))}"
    if brake.proof is Proof.FAILED:
        return "nothing was changed"
    if brake.proof is Proof.CONFIRMED:
        return "r records it; stage reverted is proposed" if brake.change == FORCE_FALLBACK else ""
    if brake.proof is Proof.CONTRADICTED:
        return "look at what the gateway was started with; X restarts it"
    if brake.since is None:
        return "X restarts the gateway: only then it is in force"
    return "P probes the lane: a turn of coding intent is the proof"


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
        room = height - len(steps) - len(told.lines) * told.display - _RESTART_QUESTION
        facts = self._question(width) if self._is_asking else []
        self.query_one("#facts", Lines).show(facts[: max(room, 1)])

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if not self._is_asking:
            return
        view, reason = self.live.view, self.query_one("#reason", TextLine).meant
        if self.query_one("#type", TextLine).meant != WORD:
            self._told = f"nothing was done: type “{WORD}”"
            self.query_one("#type").focus()
        elif (why := why_busy(view)) is not None:
            self._told = why
            self._commands.refused(WORD, view.state.watch.url, reason, why)
        else:
            self._told, self._is_asking, self._since = "", False, self.live.now
            self._commands.restart(reason)
        self.redraw()

    def _question(self, width: int) -> list[Line]:
        view = self.live.view
        command = (view.state.watch.means or Means()).restart
        lines = running_lines(view, width)
        if command:
            return [*fact("runs", ((shown(command), "strong"),), width), *lines]
        none = "no restart command is configured: nothing is done by vp-tui"
        lines += fact("by hand", ((none, "warn"),), width)
        for line in RESTART_BY_HAND:
            lines += fact("", line, width)
        return lines

    def _followed(self, width: int) -> list[Line]:
        view, restart = self.live.view, self.live.view.state.lane.restart
        if self._since is None:
            return []
        if restart is None or restart.asked_at < self._since:
            return [join("· sending …")]
        done = acted_lines(view.state.lane.restarted, width) if not self._is_asking else []
        return [*restart_lines(restart, view, width), *done, EMPTY]


def restart_lines(restart: Restart, view: View, width: int) -> list[Line]:
    """Return the steps of a restart with their times, and how far it has come."""
    is_back = restart.state is RestartState.BACK
    awaited = [] if is_back else ["back in a new epoch, streams attached again"]
    lines = step_lines(restart.steps[-_STEPS:], awaited, view.state.clock, width)
    tone = _TONES.get(restart.state, "warn")
    reason = f": {restart.reason}" if restart.reason else ""
    lines += paragraph(join((str(restart.state), tone), reason), width, 0)
    if is_back:
        streams = streams_view(view)
        lines.append(join(f"streams {streams.live}/{streams.wanted} attached again"))
    return lines
