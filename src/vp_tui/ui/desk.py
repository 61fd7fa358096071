"""What the evidence keys do: record at once, record with a decision, open and close the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.drafting import Choice, draft, why_ask
from vp_tui.recorder import Outcome, Preceded, Refused, Written
from vp_tui.ui.record import RecordDialog

if TYPE_CHECKING:
    from textual.screen import Screen

    from vp_tui.commands import Commands
    from vp_tui.ui.live import Live

ERROR_S = 20.0
"""Seconds that a failure to write stays in view."""
NO_LOG = "there is no evidence log: name one with --evidence"


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
            await self._record_now()
        finally:
            self._is_writing = False

    async def _record_now(self) -> None:
        drafted = draft(self._live.state, self._live.now)
        why = why_ask(drafted, self._commands.recorder.author)
        if why is None:
            choice = Choice(drafted.suggestion.decision)
            outcome = await self._commands.record(drafted, choice)
            if not isinstance(outcome, Preceded):
                self._told(outcome)
                return
            row = outcome.row
            why = f"somebody else wrote {row.decision} for this window at {row.date}"
        self.record(why)

    def record(self, why: str | None = None) -> None:
        """Open the dialog; `why` tells what it is opened for in place of a row written at once."""
        if self._may_write():
            dialog = RecordDialog(self._live, self._commands, why)
            self._screen.app.push_screen(dialog, self._told)

    def _may_write(self) -> bool:
        if not self._commands.recorder.has_log:
            self._screen.notify(NO_LOG, severity="warning", markup=False)
        return self._commands.recorder.has_log

    def _told(self, outcome: Outcome | None) -> None:
        if isinstance(outcome, Written):
            what = "stays open" if outcome.window.is_open else "is closed"
            row = outcome.row
            text = f"line {outcome.line} of {outcome.log}: {row.decision}; {row.window} {what}"
            self._screen.notify(text, title="row recorded", markup=False)
            if problem := outcome.problem:
                text = f"the window could not be kept: {problem.reason}; {problem.cure}"
                self._screen.notify(text, severity="error", timeout=ERROR_S, markup=False)
        elif isinstance(outcome, Refused):
            text = f"{outcome.failure.reason}; {outcome.failure.cure}"
            title = "NOT in the log"
            self._screen.notify(text, title=title, severity="error", timeout=ERROR_S, markup=False)
