"""The dialog "record window with decision": the row as it will be written, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from vp_tui.domain.evidence import format_row
from vp_tui.domain.stages import Stage, Traffic
from vp_tui.drafting import Choice, draft, row_of
from vp_tui.recorder import Outcome, Preceded
from vp_tui.ui.dialog import Dialog
from vp_tui.ui.forms import Choices, Cycle, Field
from vp_tui.ui.paint import Lines, plain, wrapped
from vp_tui.ui.record_text import draft_lines, headline, word_rows

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.commands import Commands
    from vp_tui.domain.windows import Window
    from vp_tui.ui.live import Live

KEEP: Final = "keep it open"
CLOSE: Final = "close it"
ANOTHER: Final = "another word…"
ROOMY: Final = 28
"""Lines from which on all words are in view at once."""
_FRAME: Final = 4
"""Columns of the box's border and padding."""


class RecordDialog(Dialog[Outcome]):
    """Returns what came of writing; None when nothing was written.

    The data is that of the moment it was opened: what is edited changes the window, never the
    figures.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "write", show=False),
        Binding("0", "another", show=False),
        Binding("v", "whole", show=False),
    ]
    title_text = "RECORD WINDOW WITH DECISION"
    keys_text = "enter write row  tab next  1-9 decision  0 another  v whole row  esc nothing"

    def __init__(self, live: Live, commands: Commands, why: str | None = None) -> None:
        super().__init__(live)
        self._commands = commands
        self._told = why or ""
        self._draft = draft(live.state, live.now)
        self._is_whole = False
        self._is_writing = False

    def body(self) -> list[Widget]:
        window = self._draft.window
        return [
            Lines(id="told"),
            Horizontal(
                Field("window", window.label),
                Cycle("stage", [*map(str, Stage)], str(window.stage)),
                classes="row",
            ),
            Horizontal(
                Field("scope", window.scope),
                Cycle("source", [*map(str, Traffic)], str(window.source)),
                classes="row",
            ),
            Lines(id="facts"),
            Choices(id="decision"),
            Field("word", hint="in capitals: A_WORD_OF_YOUR_OWN"),
            Field("reason", hint="asked only when the word allows more than is suggested"),
            Field("note"),
            Horizontal(
                Cycle("after", [KEEP, CLOSE], CLOSE),
                Cycle("unknowns", ["in the notes", "left out"], "in the notes"),
                classes="row",
            ),
            Lines(id="preview"),
        ]

    def on_mount(self) -> None:
        self.query_one("#field-word").display = False
        self._offer()
        super().on_mount()
        self.query_one("#decision").focus()

    def redraw(self) -> None:
        super().redraw()
        width = self.app.size.width - _FRAME
        told = self.query_one("#told", Lines)
        told.display = bool(self._told)
        told.show(wrapped(f"! {self._told}", width, "warn"))
        self.query_one("#dialog").border_title = headline(self._draft)
        facts = draft_lines(self._draft, self.live.now, width, self._commands.recorder.author)
        self.query_one("#facts", Lines).show(facts)
        self.query_one("#field-reason").display = self._draft.needs_reason(self.decision)
        self.query_one("#decision").styles.max_height = 9 if self.app.size.height >= ROOMY else 6
        self.set_class(self._is_whole, "-whole")
        self._preview(width)

    def _preview(self, width: int) -> None:
        text = format_row(row_of(self._draft, self.choice))
        if self._is_whole:
            parts = [plain(text[i : i + width]) for i in range(0, len(text), width)]
        else:
            parts = [plain(text[: width - 1] + "…")]
        self.query_one("#preview", Lines).show(parts)

    @property
    def choice(self) -> Choice:
        """What the engineer decided so far."""
        after = self.query_one("#after", Cycle).value
        return Choice(
            decision=self.decision,
            reason=self._text("reason"),
            note=self._text("note"),
            keep=after == KEEP,
            with_unknowns=self.query_one("#unknowns", Cycle).value == "in the notes",
        )

    @property
    def decision(self) -> str:
        """The chosen word, or the one that was typed."""
        chosen = self.query_one("#decision", Choices).value
        return self._text("word") if chosen == ANOTHER else chosen

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _offer(self, wanted: str | None = None) -> None:
        """Offer the words again: the suggestion may have changed with the window."""
        rows = [*word_rows(self._draft), (ANOTHER, ())]
        choices = self.query_one("#decision", Choices)
        choices.show(rows, wanted or self._draft.suggestion.decision)
        self._word_changed()

    @on(Choices.Changed)
    def _word_changed(self) -> None:
        chosen = self.query_one("#decision", Choices).value
        self.query_one("#field-word").display = chosen == ANOTHER
        stays = self._draft.stays_open(Choice(self.decision))
        self.query_one("#after", Cycle).show([KEEP, CLOSE], KEEP if stays else CLOSE)
        self.call_after_refresh(self.redraw_if_shown)

    @on(Cycle.Changed)
    @on(Input.Changed)
    def _edited(self) -> None:
        suggested = self._draft.suggestion.decision
        self._draft = draft(self._draft.state, self._draft.now, self._edited_window())
        if self._draft.suggestion.decision != suggested:
            is_own = self.query_one("#decision", Choices).value != suggested
            self._offer(self.query_one("#decision", Choices).value if is_own else None)
        self.redraw()

    def _edited_window(self) -> Window:
        return self._draft.window._replace(
            label=self._text("window"),
            scope=self._text("scope"),
            stage=Stage(self.query_one("#stage", Cycle).value),
            source=Traffic(self.query_one("#source", Cycle).value),
        )

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_write()

    def action_another(self) -> None:
        self.query_one("#decision", Choices).action_move(99)
        self.call_after_refresh(self.query_one("#word").focus)

    def action_whole(self) -> None:
        self._is_whole = not self._is_whole
        self.redraw()

    def action_write(self) -> None:
        if self._is_writing:
            return
        if missing := self._missing():
            name, self._told = missing
            self.query_one(f"#{name}").focus()
            self.redraw()
            return
        self._is_writing = True
        self._write()

    def _missing(self) -> tuple[str, str] | None:
        """Return the field that must be filled in first, and why."""
        if not self._text("window"):
            return "window", "the row needs the label of its window"
        if not self.decision:
            return "word", "the row needs a decision: type the word"
        if self._draft.needs_reason(self.decision) and not self._text("reason"):
            allowed = f"{self.decision} allows more than {self._draft.suggestion.decision}"
            return "reason", f"{allowed}, which follows from what was seen: say why"
        return None

    @work
    async def _write(self) -> None:
        outcome = await self._commands.record(self._draft, self.choice)
        self._is_writing = False
        if not isinstance(outcome, Preceded):
            self.dismiss(outcome)
            return
        self._told = (
            f"somebody else wrote {outcome.row.decision} for this window at {outcome.row.date}: "
            "enter joins in with a row of your own, esc leaves it at theirs"
        )
        self._draft = draft(self.live.state, self.live.now, self._edited_window())
        self._offer(self.query_one("#decision", Choices).value)
        self.redraw()
