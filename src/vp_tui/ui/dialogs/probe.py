"""The dialog of the probe: what one costs, then each of its steps with its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on

from vp_tui.domain.lane.probe import ProbeOutcome, ProbeStep, prompt_for, terms
from vp_tui.domain.text import literal, short_id
from vp_tui.ui.kit.forms import Buttons
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import Dialog
from vp_tui.ui.lines.lane import mode_lines
from vp_tui.ui.lines.paint import EMPTY, Line, age, bullet, fact, join, paragraph, step_lines

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.domain.lane.probe import Probe
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import Live, View
    from vp_tui.worker.commands import Commands


NOT_NOW: Final = "Not now"
RUN: Final = "Run one turn"
_QUESTION: Final = 2
"""Lines of the answers."""
_TONES: Final[dict[ProbeOutcome, Tone]] = {
    ProbeOutcome.DELEGATED: "good",
    ProbeOutcome.TIMED_OUT: "bad",
    ProbeOutcome.BROKE: "bad",
    ProbeOutcome.FAILED: "bad",
}


class ProbeDialog(Dialog[None]):
    """Asks once, runs one probe, and shows it; closing it ends nothing."""

    title_text: ClassVar[str] = "PROBE THE LANE"
    keys_text: ClassVar[str] = "arrows choose  enter answer  esc close: a probe goes on"

    def __init__(self, live: Live, commands: Commands) -> None:
        """Show the probe under way, or the last one; then another one can be asked for."""
        super().__init__(live)
        self._commands = commands
        self._told = ""
        self._asked_at: float | None = None

    def body(self) -> list[Widget]:
        return [Lines(id="told"), Lines(id="so-far"), Lines(id="facts"), Buttons(NOT_NOW, RUN)]

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Buttons).focus()

    @property
    def _is_asking(self) -> bool:
        return self._asked_at is None and not is_under_way(self.live.view)

    def redraw(self) -> None:
        super().redraw()
        width, height = self.room
        told, steps = self.query_one("#told", Lines), self._shown(width)
        told.display = bool(self._told)
        told.show(paragraph(f"! {self._told}", width, 0, "warn"))
        self.query_one("#so-far", Lines).display = bool(steps)
        self.query_one("#so-far", Lines).show(steps)
        is_asking = self._is_asking
        self.query_one(Buttons).display = is_asking
        room = height - len(steps) - len(told.lines) * told.display - _QUESTION
        facts = self._question(width) if is_asking else []
        self.query_one("#facts", Lines).show(facts[: max(room, 1)])

    @on(Buttons.Pressed)
    def _answered(self, message: Buttons.Pressed) -> None:
        if message.answer == NOT_NOW:
            self.dismiss(None)
        elif is_under_way(self.live.view):
            self._told = "another probe is under way: there is never more than one"
            self._commands.refused("probe", self.live.state.watch.url, "", self._told)
            self.redraw()
        elif self._asked_at is None:
            self._asked_at = self.live.now
            self._commands.probe()
            self.redraw()

    def _question(self, width: int) -> list[Line]:
        view = self.live.view
        prompt = prompt_for(view.state.watch.probe_prompt, view.state.dialect)
        lines = [
            *mode_lines(view, width),
            *fact("prompt", literal(prompt), width),
        ]
        for term in terms(prompt, view.state.dialect):
            lines += bullet(term, width)
        return lines

    def _shown(self, width: int) -> list[Line]:
        """Return the probe under way, or the last one."""
        view, probe = self.live.view, self.live.view.state.lane.probe
        is_old = probe is None or (self._asked_at is not None and probe.began_at < self._asked_at)
        if probe is None or is_old:
            return [] if self._asked_at is None else [join("· asking the metrics first …")]
        return [*probe_lines(probe, view, width), EMPTY]


def is_under_way(view: View) -> bool:
    """Tell whether a probe of ours runs."""
    return view.state.lane.probe is not None and not view.state.lane.probe.is_over


def probe_lines(probe: Probe, view: View, width: int) -> list[Line]:
    """Return the steps of a probe with their times, what is awaited, and what came of it."""
    began = f"{view.state.clock.wall_at(probe.began_at):%H:%M:%SZ}"
    whose = f" in {short_id(probe.session_id)}" if probe.session_id else ""
    head = join(("probe", "strong"), f" of {began}{whose}")
    awaited = [] if probe.is_over else [_awaited(probe, view.now), *_later(probe)]
    lines = [head, *step_lines(probe.steps, awaited, view.state.clock, width)]
    if probe.outcome is not None:
        tone = _TONES.get(probe.outcome, "warn")
        reason = f": {probe.reason}" if probe.reason else ""
        lines += paragraph(join((str(probe.outcome), tone), reason), width, 0)
    return lines


def _awaited(probe: Probe, now: float) -> str:
    """Return the step that is awaited, since when, and when it is given up."""
    waits_s = max(now - probe.awaited_since, 0.0)
    left_s = max(probe.deadline - now, 0.0)
    return f"{probe.awaited}  for {age(waits_s)}, given up in {age(left_s)}"


def _later(probe: Probe) -> list[str]:
    order = tuple(ProbeStep)
    return [str(step) for step in order[order.index(probe.awaited) + 1 :]]
