"""The dialog "record window with decision", and the one for rows that could not be written then."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input

from vp_tui.domain.rollout.windows import default_scope
from vp_tui.domain.text import literal
from vp_tui.domain.vocabulary import Stage, Traffic, is_word
from vp_tui.ui.dialogs.window import WorkDialog, fill_window, has_first_data, window_fields
from vp_tui.ui.kit.dialog import Dialog
from vp_tui.ui.kit.forms import Choices, Cycle, Cycles, Field, TextLine
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import heading
from vp_tui.ui.lines.evidence import (
    after_words,
    draft_lines,
    headline,
    meanwhile,
    row_lines,
    waiting_lines,
    word_rows,
)
from vp_tui.ui.lines.paint import first_lines, shorten
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import actions_in_window, row_of
from vp_tui.worker.evidence import AppendedRow, Outcome, Preceded, WaitingRows

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.views.view import View
    from vp_tui.worker.lane_watch import LaneWatch


ANOTHER: Final = "another word…"
TOLD: Final = "in the notes"
LEFT_OUT: Final = "left out"
FIXED_LINES: Final = 3
"""Window and stage, scope and source, note."""
FEWEST_WORDS: Final = 3  # lines of the list of words at least, while it has not the focus


class RecordDialog(WorkDialog[Outcome]):
    """Returns what came of writing; None when nothing was written.

    The data is that of the moment it was opened, or of the first answer where there was none yet:
    what is edited changes the window, never the figures.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "write", show=False),
        Binding("v", "whole", show=False),
    ]
    title_text = "RECORD"
    keys_text = "enter write row  tab next  digits decision  v whole row  esc nothing"

    def __init__(self, lane: LaneWatch, why: str = "", despite: str | None = None) -> None:
        super().__init__(lane)
        self.said = why
        self._draft = draft_row(lane.live.view)
        self._proposed = self._draft.window
        self._keep: bool | None = None
        """Whether the window stays open; None: as the word has it."""
        self._despite = despite

    def body(self) -> list[Widget]:
        return [
            Lines(id="told"),
            *window_fields(self._draft.window, "window"),
            Lines(id="facts"),
            Choices(id="decision"),
            Field("word", hint="A_WORD_OF_YOUR_OWN"),
            Field("reason", hint="asked only when the word allows more than is suggested"),
            Field("note"),
            Cycles(Cycle("after", ["", ""], ""), Cycle("unknowns", [TOLD, LEFT_OUT], TOLD)),
            Horizontal(Cycle("actions", [TOLD, LEFT_OUT], TOLD), id="attached", classes="row"),
            Lines(id="preview"),
        ]

    def on_mount(self) -> None:
        self._offer(self._draft.suggestion.decision)
        self.query_one("#decision").focus()

    @property
    def choice(self) -> Choice:
        """What the engineer decided so far."""
        return Choice(
            decision=self.decision,
            reason=self._text("reason"),
            note=self._text("note"),
            keep=self._keep,
            with_unknowns=self.query_one("#unknowns", Cycle).value == TOLD,
            with_actions=self.query_one("#actions", Cycle).value == TOLD,
            despite=self._despite,
        )

    @property
    def decision(self) -> str:
        """The chosen word, or the one that was typed."""
        return self._text("word").upper() if self._chosen == ANOTHER else self._chosen

    @property
    def _chosen(self) -> str:
        return self.query_one("#decision", Choices).value

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", TextLine).meant

    @property
    def keys(self) -> str:
        if self.is_working:
            return self.busy_text
        missing = self._missing()
        enter = f"enter to the {missing[0]}" if missing else "enter write row"
        if self.query_one("#decision").has_focus:
            return self.keys_text.replace("enter write row", enter)
        is_text = isinstance(self.focused, TextLine)
        whole = "" if is_text else "space next word  v whole row  "
        return f"{enter}  tab next  {whole}esc nothing"

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        if self.focused is not None:  # the list has grown or shrunk since Textual scrolled to it
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def redraw(self) -> None:
        super().redraw()
        columns, lines = self.room
        view, author = self.lane.live.view, self.lane.commands.recorder.author
        if not self.is_working and has_first_data(self._draft.view, view):
            self._begin_anew(view)
        self.query_one("#dialog").border_title = heading(headline(self._draft, view))
        asked = {
            "#field-word": self._chosen == ANOTHER,
            "#field-reason": self._draft.needs_reason(self.decision),
            "#attached": bool(actions_in_window(self._draft)),
        }
        for name, is_shown in asked.items():
            self.query_one(name).display = is_shown
        # All words are in view while the list has the focus: the facts give way, then the box
        # scrolls. Otherwise the words give way to the facts.
        words, row = self.query_one("#decision", Choices), self._row
        place = 0 if self._draft.stays_open(self.choice) else 1
        self.query_one("#after", Cycle).show(after_words(self._draft, row), place)
        fixed = FIXED_LINES + self.query_one(Cycles).lay_out(columns) + sum(asked.values())
        room = lines - fixed - self.show_told(self.said)
        facts = draft_lines(self._draft, view, columns, author)
        if words.has_focus:
            height = words.count
            facts = first_lines(facts, room - height - 1, columns)
        else:
            height = max(min(room - len(facts) - 1, words.count), FEWEST_WORDS)
        words.styles.height = height
        self.query_one("#facts", Lines).show(facts)
        self.query_one("#preview", Lines).show(
            row_lines(row, columns, max(room - height - len(facts), 1))
        )

    @property
    def _row(self) -> EvidenceRow:
        return row_of(self._draft, self.choice)

    def _offer(self, value: str) -> None:
        """Offer the words again: the suggestion may have changed with the window."""
        rows = [*word_rows(self._draft), ("0", ANOTHER, ())]
        self.query_one("#decision", Choices).show(rows, value)

    @on(Choices.Changed)
    def _chose(self, message: Choices.Changed) -> None:
        self._keep = None
        self.redraw()
        if message.by_digit and self._chosen == ANOTHER:
            self.query_one("#word").focus()

    @on(Cycle.Changed, "#after")
    def _kept(self, message: Cycle.Changed) -> None:
        self._keep = message.cycle.place == 0

    @on(Input.Changed, "#word")
    def _worded(self) -> None:
        self._keep = None

    @on(Cycle.Changed)
    @on(Input.Changed)
    def _edited(self) -> None:
        self._take(self._draft.view.as_if(self._edited_window()))
        self.redraw()

    def _take(self, view: View) -> None:
        """Draft the row of this view; the suggested word, where it is chosen, follows."""
        suggested = self._draft.suggestion.decision
        self._draft = draft_row(view)
        if self._draft.suggestion.decision != suggested:
            followed = self._chosen == suggested
            self._offer(self._draft.suggestion.decision if followed else self._chosen)

    def _begin_anew(self, view: View) -> None:
        """Take up the first data; a window that was edited stays as it is."""
        edited = self._edited_window()
        if edited != self._proposed:
            self._take(view.as_if(edited))
            return
        self._take(view)
        self._proposed = self._draft.window
        fill_window(self, self._proposed, "window")

    def _edited_window(self) -> Window:
        """Return the window as it reads now; a scope that nobody named follows the source."""
        window, watch = self._draft.window, self._draft.state.watch
        source = Traffic(self.query_one("#source", Cycle).value)
        old, new = (default_scope(watch.vp_id, watch.name, s) for s in (window.source, source))
        if source is not window.source and self._text("scope") == old:
            self.query_one("#scope", TextLine).value = new
        return window._replace(
            label=self._text("window"),
            scope=self._text("scope"),
            stage=Stage(self.query_one("#stage", Cycle).value),
            source=source,
        )

    def action_whole(self) -> None:
        self.app.push_screen(WholeRow(self.lane, self._row))

    @on(Input.Submitted)
    def action_write(self) -> None:
        if self.is_working or not self.is_meant():
            return
        if missing := self._missing():
            name, why = missing
            self.tell(why)
            self.query_one(f"#{name}").focus()
            return
        self.is_working = True
        self._write()

    def _missing(self) -> tuple[str, str] | None:
        """Return the field that must be filled in first, and why."""
        decision = self.decision
        if not self._text("window"):
            return "window", "the row needs the label of its window"
        if not is_word(decision):
            return "word", "the decision is a word of letters, digits and “_”"
        if self._draft.needs_reason(decision) and not self._text("reason"):
            allowed = f"{decision} allows more than {self._draft.suggestion.decision}"
            return "reason", f"{allowed}, which is suggested: say why"
        return None

    @work
    async def _write(self) -> None:
        try:
            outcome = await self.lane.commands.record(self._draft, self.choice)
        finally:
            self.is_working = False
        if not isinstance(outcome, Preceded):
            self.finish(outcome)
            return
        self._despite = outcome.damage or self._despite
        self._draft = draft_row(self.lane.live.view.as_if(self._edited_window()))
        self._offer(self._chosen)
        self.tell(meanwhile(outcome))


class WholeRow(Dialog[None]):
    """Shows a row to its last character."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("v", "leave", show=False)]
    title_text = "THE ROW, ONE LINE IN THE LOG"
    keys_text = "↑ ↓ scroll  v or esc back"

    def __init__(self, lane: LaneWatch, row: EvidenceRow) -> None:
        super().__init__(lane)
        self._row = row

    @property
    def acts(self) -> bool:
        return False

    def body(self) -> list[Widget]:
        return [VerticalScroll(Lines(id="row"), id="row-scroll")]

    def redraw(self) -> None:
        super().redraw()
        self.query_one("#row", Lines).show(row_lines(self._row, self.room[0] - 1))


_AROUND: Final = 10
"""Lines of the screen that tell something else than the rows."""
_EACH: Final = 4
"""Lines of a row."""


class WaitingDialog(WorkDialog[list[AppendedRow]]):
    """Returns the rows that were appended; None when all go on waiting. Nothing is ever dropped."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "append", show=False)]
    title_text = "ROWS THAT ARE NOT IN THE LOG YET"
    keys_text = "enter append them all, with their records   esc later: they go on waiting"

    def __init__(self, lane: LaneWatch, found: WaitingRows) -> None:
        super().__init__(lane)
        self._found = found
        self._appended: list[AppendedRow] = []

    def body(self) -> list[Widget]:
        return [Lines(id="told"), Lines(id="rows")]

    def redraw(self) -> None:
        super().redraw()
        width = self.room[0]
        self.show_told(self.said)
        room = max((self.app.size.height - _AROUND) // _EACH, 1)
        rows = self._found.rows
        lines = [line for row in rows[:room] for line in waiting_lines(row, width)]
        if len(rows) > room:
            lines.append(((f"and {len(rows) - room} more", "dim"),))
        lines += [((f"! {literal(warning)}", "warn"),) for warning in self._found.warnings]
        self.query_one("#rows", Lines).show(shorten(line, width) for line in lines)

    def action_leave(self) -> None:
        if not self.is_working:
            self.dismiss(self._appended or None)

    def action_append(self) -> None:
        if not self.is_working and self.is_meant():
            self.is_working = True
            self._append()

    @work
    async def _append(self) -> None:
        settled = await self.lane.commands.append_waiting([row.row for row in self._found.rows])
        if isinstance(settled, list):
            self._appended += [one for one in settled if one.problem is None]
            failure = next((one.problem for one in settled if one.problem is not None), None)
        else:
            failure = settled
        self._found = await self.lane.commands.waiting()
        self.is_working = False
        if failure is None:
            self.finish(self._appended)
            return
        done = f"{len(self._appended)} appended; " if self._appended else ""
        self.tell(f"{done}{failure.reason}; {failure.cure}. What is below goes on waiting")
