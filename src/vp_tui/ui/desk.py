"""What the evidence keys do: record at once or with a decision, keep the window, hand over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal
from vp_tui.drafting import Choice, draft, why_ask
from vp_tui.recorder import Outcome, Preceded, Refused, Written
from vp_tui.ui.record import RecordDialog
from vp_tui.ui.record_text import meanwhile
from vp_tui.ui.waiting import WaitingDialog
from vp_tui.ui.window import EditDialog, OpenDialog

if TYPE_CHECKING:
    from textual.screen import Screen

    from vp_tui.commands import Commands
    from vp_tui.domain.models import Failure
    from vp_tui.domain.waivers import Waiver
    from vp_tui.domain.windows import Window
    from vp_tui.ui.live import Live
    from vp_tui.waiting import Settled, Waiting

ERROR_S: Final = 20.0
"""Seconds that a failure to write stays in view."""
NO_LOG: Final = (
    "there is no evidence log: name one with --evidence, or as evidence = … in the config"
)

NO_WINDOW: Final = "no window is open to waive a gate for: open one with w first"


class Desk:
    """The evidence keys of one screen. One row is written at a time, however often a key is hit."""

    def __init__(self, screen: Screen[None], live: Live, commands: Commands) -> None:
        self._screen = screen
        self._live = live
        self._commands = commands
        self._is_writing = False

    async def record_now(self) -> None:
        """Write the row with the suggestion; where that must not be done unasked, ask."""
        if self._is_writing or not self._may_write():
            return
        self._is_writing = True
        try:
            why = await self._record_now()
        finally:
            self._is_writing = False
        if why is not None:
            self.record(why)

    async def _record_now(self) -> str | None:
        """Return why the row was not written and is to be looked at; None: it was dealt with."""
        drafted = draft(self._live.state, self._live.now)
        if why := why_ask(drafted, self._commands.recorder.author):
            return why
        outcome = await self._commands.record(drafted, Choice(drafted.suggestion.decision))
        if isinstance(outcome, Preceded):
            return meanwhile(outcome)
        self._tell(outcome)
        return None

    def record(self, why: str | None = None) -> None:
        """Open the dialog; `why` tells what it is opened for in place of a row written at once."""
        if not self._is_writing and self._may_write():
            dialog = RecordDialog(self._live, self._commands, why)
            self._screen.app.push_screen(dialog, self._tell)

    def window(self) -> None:
        """Open the dialog that opens a window, or edits and closes the one that is open."""
        kind = OpenDialog if self._live.state.window is None else EditDialog
        self._screen.app.push_screen(kind(self._live, self._commands), self._window_told)

    def _window_told(self, window: Window | None) -> None:
        if window is not None:
            now = "is open" if window.is_open else "is closed: no row was written"
            self._screen.notify(f"{window.label} {now}", title="window", markup=False)

    def waive(self) -> None:
        """Open the dialog that waives a gate of the open window."""
        from vp_tui.ui.waive import WaiveDialog  # noqa: PLC0415 - many never waive a gate

        window = self._live.state.window
        if window is None:
            self._screen.notify(NO_WINDOW, severity="warning", markup=False)
            return
        dialog = WaiveDialog(self._live, self._commands, window)
        self._screen.app.push_screen(dialog, self._waived)

    def _waived(self, waiver: Waiver | None) -> None:
        if waiver is not None:
            text = f"{waiver.gate} is waived, it was {waiver.was}"
            self._screen.notify(text, title="waiver", markup=False)

    def offer(self, found: Waiting, *, asked: bool) -> None:
        """Offer to append the rows that wait; `asked` tells whether somebody wants to know."""
        if found.rows and (asked or self._screen.app.screen is self._screen):
            dialog = WaitingDialog(self._live, self._commands, found)
            self._screen.app.push_screen(dialog, self._appended)
        elif found.rows:
            text = f"{len(found.rows)} recorded and not in the log yet: W shows them"
            self._screen.notify(text, title="rows wait", severity="warning", markup=False)
        elif asked:
            text = "; ".join(found.warnings) or "no row waits for the log"
            self._screen.notify(text, markup=False)

    def _appended(self, settled: list[Settled] | None) -> None:
        if settled:
            lines = ", ".join(str(one.line) for one in settled)
            text = f"{len(settled)} appended: line {lines}"
            self._screen.notify(text, title="rows that waited", markup=False)
        elif settled is not None:
            self._screen.notify("somebody else appended them meanwhile", markup=False)

    def _may_write(self) -> bool:
        if not self._commands.recorder.has_log:
            self._screen.notify(NO_LOG, severity="warning", markup=False)
        return self._commands.recorder.has_log

    def _tell(self, outcome: Outcome | None) -> None:
        if isinstance(outcome, Written):
            self._screen.notify(_said(outcome), title="row recorded", markup=False)
            if problem := outcome.problem:
                self._fail("the window could not be kept", problem)
        elif isinstance(outcome, Refused):
            self._fail("NOT in the log", outcome.failure)

    async def hand_over(self) -> None:
        """Copy the handover text, and write it to a file of its own."""
        from vp_tui.handover import handover  # noqa: PLC0415 - many never hand over

        state, now = self._live.state, self._live.now
        text = handover(state, now, self._commands.actor)
        self._screen.app.copy_to_clipboard(text)
        kept = await self._commands.keep_handover(text, state.clock.wall_at(now))
        if isinstance(kept, Path):
            said = f"written to {kept} and sent to the terminal's clipboard"
            self._screen.notify(literal(said), title="handover", markup=False)
        else:
            self._fail("the handover is in the clipboard only", kept)

    def _fail(self, title: str, failure: Failure) -> None:
        self._screen.notify(
            literal(f"{failure.reason}; {failure.cure}"),
            title=title,
            severity="error",
            timeout=ERROR_S,
            markup=False,
        )


def _said(written: Written) -> str:
    """Return what the row says and where it is."""
    row = written.row
    after = "stays open" if written.window.is_open else "is closed"
    cells = f"rate {row.fallback_rate}, p95 {row.p95_latency}"
    text = f"line {written.line} of {written.log}: {row.decision}, {cells}; {row.window} {after}"
    return literal(text)
