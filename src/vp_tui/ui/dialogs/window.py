"""The dialogs behind `w`: open a window, or edit and close the one that is open.

What they share with those that record a row or waive a gate: the fields of a window (label, stage,
scope and source, on two lines), and that they stay until their work is done.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from vp_tui.domain.rollout.windows import Anchor, closed, opened
from vp_tui.domain.text import fold, literal
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.ui.kit.dialog import Dialog, ResultT
from vp_tui.ui.kit.forms import Cycle, Field
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.lines.evidence import (
    closing_words,
    figure_lines,
    open_words,
    opening_words,
    row_doubts,
    sentences,
)
from vp_tui.ui.lines.paint import paragraph
from vp_tui.views.actions import key_of
from vp_tui.views.figures import anchor_now, current_window, is_log_known
from vp_tui.views.sources import gateway_time

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

    from vp_tui.domain.models import Failure
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.views.view import View
    from vp_tui.worker.lane_watch import LaneWatch


FROM_NOW: Final = "what comes from now on"
UNRECORDED: Final = "what no record names"
KEEP: Final = "keep it open"
CLOSE: Final = "close it"
_SPACE: Final = re.compile("  space [^ ]+ [^ ]+")
Form = tuple["Window", str]
"""The window as edited, and the choice."""
_ELSEWHERE: Final = "another vp-tui changed the window meanwhile"
_OPEN: Final = "a window is open already"
"""Since when, or who opened it, is not known: the windows may have been read just now."""


def window_fields(window: Window, label: str) -> list[Widget]:
    """Return the fields filled in from `window`; the one of its label is called `label`."""
    label_field, scope_field = Field(label, window.label), Field("scope", window.scope)
    return [
        Horizontal(label_field, Cycle("stage", [*Stage], window.stage), classes="row"),
        Horizontal(scope_field, Cycle("source", [*Traffic], window.source), classes="row"),
    ]


def fill_window(dialog: Screen[Any], window: Window, label: str) -> None:
    """Show `window` in the fields of `window_fields`."""
    for name, text in ((label, window.label), ("scope", window.scope)):
        dialog.query_one(f"#{name}", Input).value = text
    stages, sources = list(Stage), list(Traffic)
    dialog.query_one("#stage", Cycle).show(stages, stages.index(window.stage))
    dialog.query_one("#source", Cycle).show(sources, sources.index(window.source))


def has_first_data(was: View, now: View) -> bool:
    """Tell whether metrics or log, of which nothing was known when a dialog was opened, are there.

    What was drawn for want of data is no decision of the engineer's.
    """
    told = (
        (was.state.snapshot, now.state.snapshot),
        (was.state.evidence, now.state.evidence),
    )
    return any(before is None and after is not None for before, after in told)


class WorkDialog(Dialog[ResultT], Generic[ResultT]):
    """Cannot be left while what it was asked for is done; tells why that is not done."""

    said = ""
    is_working = False
    busy_text = "… working: nothing can be left or changed meanwhile"

    @property
    def keys(self) -> str:
        """The keys that work now: none while it works; space only where a word can be turned."""
        if self.is_working:
            return self.busy_text
        is_word = isinstance(self.focused, Cycle)
        return self.keys_text if is_word else _SPACE.sub("", self.keys_text)

    @property
    def acts(self) -> bool:
        return not self.is_working

    def on_descendant_focus(self) -> None:
        self.redraw_if_shown()

    def action_leave(self) -> None:
        if not self.is_working:
            super().action_leave()

    def tell(self, text: str) -> None:
        """Say this from now on, "" for nothing."""
        self.said = text
        self.redraw()
        if text:  # it stands at the top of a box that may have been scrolled
            self.query_one("#dialog").scroll_home(animate=False)

    def tell_failure(self, failure: Failure) -> None:
        self.tell(f"{failure.reason}; {failure.cure}")

    def show_told(self, text: str) -> int:
        """Show this at the top of the box; return how many lines it takes."""
        lines = paragraph(f"! {text}", self.room[0], 0, "warn") if text else []
        self.query_one("#told", Lines).show(lines)
        return len(lines)


class WindowDialog(WorkDialog["Window"]):
    """Returns the window as it is kept; None when nothing was changed.

    A subclass adds one choice, says what that means, and makes of it the window to keep.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "keep", show=False)]
    choice_name: ClassVar[str]
    """What the choice is called."""
    options: ClassVar[tuple[str, str]]
    """What there is to choose besides the texts."""

    def __init__(self, lane: LaneWatch) -> None:
        super().__init__(lane)
        self._before = lane.live.state.window
        self._shown = self._before or current_window(lane.live.view)
        self._told_of: Form | None = None
        """The form that what is said was said of."""
        self._asked: Form | None = None
        """The form that a question was asked of."""

    def body(self) -> list[Widget]:
        return [
            Lines(id="told"),
            *window_fields(self._shown, "label"),
            Horizontal(Cycle(self.choice_name, self.options, self.options[0]), classes="row"),
            Lines(id="said"),
            Lines(id="figures"),
        ]

    def words(self) -> list[tuple[str, bool]]:
        """Return what is so and what the choice means; True marks what to beware of."""
        raise NotImplementedError

    def result(self) -> Window:
        """Return the window as it would be kept now."""
        raise NotImplementedError

    def on_mount(self) -> None:
        # Not a field: a word that somebody types and enters into the wrong pane would be its text.
        self.query_one(f"#{self.choice_name}").focus()

    @on(Cycle.Changed)
    @on(Input.Changed)
    def redraw(self) -> None:
        super().redraw()
        view, width = self.lane.live.view, self.room[0]
        told = self.said if self._told_of == self.form else ""
        if not told and view.state.window != self._before and not self.is_working:
            why = _OPEN if self._before is None else _ELSEWHERE
            told = f"{why}: esc, then {key_of(view.state.watch, 'window')} shows it as it is now"
        self.show_told(told)
        said = [*self.words(), *row_doubts(view, self.edited)]
        self.query_one("#said", Lines).show(sentences(said, width))
        self.query_one("#figures", Lines).show([(), *figure_lines(view, self.result(), width)])

    @property
    def keys(self) -> str:
        if self.is_working or self.edited.label:
            return super().keys
        return f"enter to the label  {super().keys.partition('  ')[2]}"

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

    @on(Input.Submitted)
    def action_keep(self) -> None:
        if self.is_working or not self.is_meant():
            return
        if not self.edited.label:
            self.query_one("#label").focus()
            self.tell("a window needs a label: its rows are found by it")
        elif self._asked != self.form and (question := self.question()):
            self._asked = self.form
            self.tell(question)
        elif (kept := self.result()) == self._before:
            self.dismiss(None)
        else:
            self.is_working = True
            self._keep(kept)

    def tell(self, text: str) -> None:
        """Say this for as long as the form is as it is now."""
        self._told_of = self.form
        super().tell(text)

    def question(self) -> str:
        """Return what a second enter has to confirm; "": nothing."""
        return ""

    @work
    async def _keep(self, window: Window) -> None:
        failure = await self.lane.commands.change_window(window, self._before)
        self.is_working = False
        if failure is None:
            self.finish(window)
        else:
            self.tell_failure(failure)


class OpenDialog(WindowDialog):
    """Opens the window that is proposed next, as edited."""

    title_text = "BEGIN AN OBSERVATION WINDOW"
    keys_text = "enter open it  tab next field  space next word  esc nothing"
    choice_name = "holds"
    options = (FROM_NOW, UNRECORDED)

    def __init__(self, lane: LaneWatch) -> None:
        super().__init__(lane)
        self._drawn = lane.live.view
        self._shown = self._proposed(self._drawn)

    @staticmethod
    def _proposed(view: View) -> Window:
        """Return the next window; the log names it, unless the engineer has."""
        window = current_window(view)
        is_named = is_log_known(view) or bool(view.state.watch.window_label)
        return window if is_named else window._replace(label="")

    def redraw(self) -> None:
        view = self.lane.live.view
        if view.state.window is None and has_first_data(self._drawn, view):
            is_edited = self.edited != self._shown
            self._drawn, self._shown = view, self._proposed(view)
            if not is_edited:
                fill_window(self, self._shown, "label")
        super().redraw()

    def words(self) -> list[tuple[str, bool]]:
        is_from_now = self.form[1] == FROM_NOW
        return opening_words(self.lane.live.view, self._shown, from_now=is_from_now)

    def result(self) -> Window:
        (edited, holds), view = self.form, self.lane.live.view
        proposed = Anchor(self._shown.anchor or frozenset())
        return opened(
            edited, anchor_now(view) if holds == FROM_NOW else proposed, gateway_time(view)
        )


class EditDialog(WindowDialog):
    """Changes what the open window says, or closes it without a row."""

    title_text = "THE OPEN WINDOW: WHAT IT SAYS, AND ITS END"
    keys_text = "enter do so  tab next field  space next word  esc nothing"
    choice_name = "then"
    options = (KEEP, CLOSE)

    def words(self) -> list[tuple[str, bool]]:
        return open_words(self.lane.live.view, self._shown)

    def result(self) -> Window:
        edited, then = self.form
        view = self.lane.live.look()
        return closed(edited, gateway_time(view), anchor_now(view)) if then == CLOSE else edited

    def question(self) -> str:
        return "" if self.result().is_open else closing_words(self.lane.live.view, self._shown)
