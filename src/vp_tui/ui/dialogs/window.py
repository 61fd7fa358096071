"""The dialogs behind `w`: open a window, or edit and close the one that is open.

The fields of a window (label, stage, scope and source, on two lines) are shared with the dialog
that records a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from vp_tui.domain.rollout.windows import closed, opened
from vp_tui.domain.text import fold, literal
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.ui.kit.forms import Cycle, Field
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import Dialog
from vp_tui.ui.lines.evidence import (
    closing_words,
    figure_lines,
    known_missions,
    open_words,
    opening_words,
    row_doubts,
    sentences,
)
from vp_tui.ui.lines.paint import wrap_text
from vp_tui.views.actions import key_of
from vp_tui.views.figures import current_window, is_log_known

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.domain.rollout.windows import Window
    from vp_tui.worker.lane_watch import LaneWatch


FROM_NOW: Final = "what comes from now on"
UNRECORDED: Final = "what no record names"
KEEP: Final = "keep it open"
CLOSE: Final = "close it"
Form = tuple["Window", str]
"""The window as edited, and the choice."""
_FRAME: Final = 4
"""Columns of the box's border and padding."""
_ELSEWHERE: Final = (
    "another vp-tui changed the window meanwhile: esc, then {key} shows it as it is now"
)


def window_fields(window: Window, label: str) -> list[Widget]:
    """Return the fields filled in from `window`; the one of its label is called `label`."""
    return [
        Horizontal(
            Field(label, window.label),
            Cycle("stage", [*map(str, Stage)], str(window.stage)),
            classes="row",
        ),
        Horizontal(
            Field("scope", window.scope),
            Cycle("source", [*map(str, Traffic)], str(window.source)),
            classes="row",
        ),
    ]


class WindowDialog(Dialog["Window"]):
    """Returns the window as it is kept; None when nothing was changed.

    A subclass adds one choice, says what that means, and makes of it the window to keep.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "keep", show=False)]
    choice_name: ClassVar[str]
    """What the choice is called."""

    def __init__(self, lane: LaneWatch) -> None:
        super().__init__(lane)
        self._before = lane.live.state.window
        self._shown = self._before or current_window(lane.live.view)
        self._told: tuple[str, Form] | None = None
        """What was said of the form as it was then."""
        self._asked: Form | None = None
        """The form that a question was asked of."""
        self._is_working = False

    def body(self) -> list[Widget]:
        return [
            Lines(id="told"),
            *window_fields(self._shown, "label"),
            Horizontal(self.choice(), classes="row"),
            Lines(id="said"),
            Lines(id="figures"),
        ]

    def choice(self) -> Cycle:
        """Return what there is to choose besides the texts."""
        raise NotImplementedError

    def words(self) -> list[tuple[str, bool]]:
        """Return what is so and what the choice means; True marks what to beware of."""
        raise NotImplementedError

    def result(self) -> Window:
        """Return the window as it would be kept now."""
        raise NotImplementedError

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#label").focus()

    def redraw(self) -> None:
        super().redraw()
        view, width = self.lane.live.view, min(self.app.size.width, 120) - _FRAME
        told = self.told
        if not told and view.state.window != self._before and not self._is_working:
            told = _ELSEWHERE.format(key=key_of(view.state.watch, "window"))
        shown = self.query_one("#told", Lines)
        shown.display = bool(told)
        shown.show(wrap_text(f"! {told}", width, "warn"))
        said = [*self.words(), *row_doubts(view, self.edited)]
        self.query_one("#said", Lines).show(sentences(said, width))
        figures = figure_lines(view, self.result(), width)
        self.query_one("#figures", Lines).show([(), *figures])

    @property
    def edited(self) -> Window:
        """The window with what was typed and chosen."""
        return self._shown._replace(
            label=self._text("label"),
            scope=self._text("scope"),
            stage=Stage(self.query_one("#stage", Cycle).value),
            source=Traffic(self.query_one("#source", Cycle).value),
        )

    def _text(self, name: str) -> str:
        return fold(literal(self.query_one(f"#{name}", Input).value))

    @property
    def form(self) -> Form:
        """All that was typed and chosen."""
        return self.edited, self.query_one(f"#{self.choice_name}", Cycle).value

    @property
    def told(self) -> str:
        """What was said of the form as it is now; "" when nothing was, or it was edited since."""
        return self._told[0] if self._told and self._told[1] == self.form else ""

    @on(Cycle.Changed)
    @on(Input.Changed)
    def _edited(self) -> None:
        self.redraw()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_keep()

    def action_leave(self) -> None:
        if not self._is_working:
            super().action_leave()

    def action_keep(self) -> None:
        if self._is_working:
            return
        if not self.edited.label:
            self.query_one("#label").focus()
            self._tell("a window needs a label: its rows are found by it")
        elif self._asked != self.form and (question := self.question()):
            self._asked = self.form
            self._tell(question)
        elif (kept := self.result()) == self._before:
            self.dismiss(None)
        else:
            self._is_working = True
            self._keep(kept)

    def _tell(self, text: str) -> None:
        self._told = text, self.form
        self.redraw()

    def question(self) -> str:
        """Return what a second enter has to confirm; "": nothing."""
        return ""

    @work
    async def _keep(self, window: Window) -> None:
        failure = await self.lane.commands.change_window(window, self._before)
        self._is_working = False
        if failure is None:
            self.finish(window)
        else:
            self._tell(f"{failure.reason}; {failure.cure}")


class OpenDialog(WindowDialog):
    """Opens the window that is proposed next, as edited."""

    title_text = "BEGIN AN OBSERVATION WINDOW"
    keys_text = "enter open it  tab next field  space next word  esc nothing"
    choice_name = "holds"

    def __init__(self, lane: LaneWatch) -> None:
        super().__init__(lane)
        if not is_log_known(lane.live.view) and not lane.live.state.watch.window_label:
            self._shown = self._shown._replace(label="")

    def choice(self) -> Cycle:
        return Cycle(self.choice_name, [FROM_NOW, UNRECORDED], FROM_NOW)

    def words(self) -> list[tuple[str, bool]]:
        view = self.lane.live.view
        return opening_words(view, self._shown, from_now=self._is_from_now)

    def result(self) -> Window:
        view = self.lane.live.view
        known = known_missions(view) if self._is_from_now else self._shown.anchor
        return opened(self.edited, known, view.wall)

    @property
    def _is_from_now(self) -> bool:
        return self.form[1] == FROM_NOW


class EditDialog(WindowDialog):
    """Changes what the open window says, or closes it without a row."""

    title_text = "THE OPEN WINDOW: WHAT IT SAYS, AND ITS END"
    keys_text = "enter do so  tab next field  space next word  esc nothing"

    choice_name = "then"

    def choice(self) -> Cycle:
        return Cycle(self.choice_name, [KEEP, CLOSE], KEEP)

    def words(self) -> list[tuple[str, bool]]:
        return open_words(self.lane.live.view, self._shown)

    def result(self) -> Window:
        edited, then = self.form
        now = self.lane.live.state.clock.wall_at(self.lane.live.now)
        return closed(edited, now) if then == CLOSE else edited

    def question(self) -> str:
        return "" if self.result().is_open else closing_words(self.lane.live.view, self._shown)
