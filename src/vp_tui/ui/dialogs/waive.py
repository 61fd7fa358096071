"""The dialog that sets a gate aside for the open window: which one, what it says, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from vp_tui.domain.rollout.verdicts import (
    GATE_NAMES,
    GATE_TITLES,
    Verdict,
    Waiver,
    why_not_waived,
    with_waiver,
)
from vp_tui.domain.text import fold, literal
from vp_tui.ui.dialogs.window import WorkDialog
from vp_tui.ui.kit.forms import Cycle, Field, TextLine
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.lines.explain_rules import gate_lines
from vp_tui.ui.lines.paint import paragraph
from vp_tui.views.assessment import assess

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.domain.rollout.verdicts import GateResult
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.worker.lane_watch import LaneWatch


MEANING: Final = (
    "A waived gate is no PASS: promotion stays “not yet”, guardrails and SAFETY stay as they are."
    " It holds for this verdict, its limit and this window; the row says who waived it and why."
)
_ELSEWHERE: Final = "the window was closed, or another one opened, meanwhile: esc leaves it"


class WaiveDialog(WorkDialog[Waiver]):
    """Returns the waiver once it is kept; None when nothing was waived."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "waive", show=False)]
    title_text = "SET A GATE ASIDE FOR THIS WINDOW"
    keys_text = "enter waive it  tab next field  space next gate  esc nothing"

    def __init__(self, lane: LaneWatch, window: Window) -> None:
        """Ask for a waiver of `window`, the open one."""
        super().__init__(lane)
        self._window = window
        self._seen: tuple[str, Verdict, str] | None = None
        """The gate, and what it said when it was chosen: a change since then is told first."""

    def body(self) -> list[Widget]:
        gates = assess(self.lane.live.view).gates.by_name()
        settled = {Verdict.PASS, Verdict.WAIVED}
        first = next((name for name in gates if gates[name].verdict not in settled), GATE_NAMES[0])
        titles = tuple(GATE_TITLES.values())
        return [
            Lines(id="told"),
            Horizontal(Cycle("gate", titles, GATE_TITLES[first]), classes="row"),
            Field("reason", hint="why it may be set aside: for the row and the audit"),
            Lines(id="facts"),
        ]

    @property
    def keys(self) -> str:
        """What is waived without a reason is refused, so enter is named once there is one."""
        reason = self.query_one("#reason", TextLine)
        if self.is_working or reason.meant:
            return super().keys
        if reason.has_focus:
            return super().keys.replace("enter waive it", "type why")
        return super().keys.replace("enter waive it  tab next field", "tab, then type why")

    def on_mount(self) -> None:
        self._seen = self._now
        # Not the field: a word that was typed and entered into the wrong pane would be a reason.
        self.query_one("#gate").focus()

    def redraw(self) -> None:
        super().redraw()
        width, _height = self.room
        self.show_told(self.said)
        meaning = paragraph(f"{self._window.label}. {MEANING}", width, 0, "dim")
        self.query_one("#facts", Lines).show(
            [*gate_lines(self._chosen, self._gate, width), *meaning]
        )

    @property
    def _chosen(self) -> str:
        return GATE_NAMES[self.query_one("#gate", Cycle).place]

    @property
    def _gate(self) -> GateResult:
        """The chosen gate, as it stands now."""
        return assess(self.lane.live.view).gates.by_name()[self._chosen]

    @property
    def _now(self) -> tuple[str, Verdict, str]:
        """The chosen gate, what it says and by which limit."""
        return self._chosen, self._gate.verdict, self._gate.threshold

    @on(Cycle.Changed)
    def _turned(self) -> None:
        self._seen = self._now
        self.tell("")

    @on(Input.Changed)
    def _typed(self) -> None:
        self.tell("")

    @on(Input.Submitted)
    def action_waive(self) -> None:
        if self.is_working or not self.is_meant():
            return
        why = fold(literal(self.query_one("#reason", TextLine).meant))
        if (refused := self._why_not(why)) is not None:
            self.tell(refused)
            return
        self.is_working = True
        who, wall = self.lane.commands.recorder.author, self.lane.live.view.wall
        gate = self._gate
        self._keep(Waiver(self._chosen, who, why, wall, gate.verdict, gate.threshold))

    def _why_not(self, why: str) -> str | None:
        """Return why nothing can be waived now, None when it can."""
        window = self.lane.live.state.window
        if window is None or window.opened_at != self._window.opened_at:
            return _ELSEWHERE
        if not why:
            return "a waiver needs a reason: it goes into the row"
        seen, self._seen = self._seen, self._now
        if seen != self._seen:
            now = f"{GATE_TITLES[self._chosen]} changed to {self._gate.verdict}"
            if seen is not None and seen[:2] == self._now[:2]:
                now = f"{GATE_TITLES[self._chosen]} is {self._gate.verdict} by another limit"
            return f"{now} meanwhile: enter again waives that"
        tripped = assess(self.lane.live.view).wire.tripped
        return why_not_waived(self._chosen, self._gate, tripped=tripped)

    @work
    async def _keep(self, waiver: Waiver) -> None:
        before = self.lane.live.state.window or self._window
        window = before._replace(waivers=with_waiver(before.waivers, waiver))
        failure = await self.lane.commands.change_window(window, before)
        self.is_working = False
        if failure is None:
            told = f"was {waiver.was}, in {window.label}"
            self.lane.commands.note(f"waive {GATE_TITLES[waiver.gate]}", waiver.why, told)
            self.finish(waiver)
        else:
            self.tell_failure(failure)
