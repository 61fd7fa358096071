"""The keys that open dialogs: those of the evidence, and those that change something.

The evidence keys record at once or with a decision, keep the window, and hand over. What changes
the gateway is asked first, and what must not be done is audited.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Failure
from vp_tui.domain.text import literal
from vp_tui.ui.dialogs.follow import FollowDialog, Question
from vp_tui.ui.dialogs.orders import (
    CancelAllQuestion,
    CancelQuestion,
    ProbeQuestion,
    RestartQuestion,
    SwitchQuestion,
)
from vp_tui.ui.dialogs.record import RecordDialog, WaitingDialog
from vp_tui.ui.dialogs.window import EditDialog, OpenDialog
from vp_tui.ui.lines.evidence import meanwhile
from vp_tui.views.actions import key_of
from vp_tui.views.draft import Choice, draft_row, why_ask
from vp_tui.views.lane import followed_change, why_no_change
from vp_tui.views.stuck_runs import (
    cancellable,
    own_pending,
    row_of_session,
    target_of,
    why_no_cancel,
)
from vp_tui.worker.evidence import Outcome, Preceded, Written

if TYPE_CHECKING:
    from textual.screen import Screen

    from vp_tui.domain.lane.switches import Change
    from vp_tui.domain.rollout.verdicts import Waiver
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.worker.evidence import AppendedRow, WaitingRows
    from vp_tui.worker.lane_watch import LaneWatch


ERROR_S: Final = 20.0
"""Seconds that a failure to write stays in view."""
NO_LOG: Final = (
    "there is no evidence log: name one with --evidence, or as evidence = … in the config"
)


class EvidenceDialogs:
    """The evidence keys of one screen. One row is written at a time, however often a key is hit."""

    def __init__(self, screen: Screen[None], lane: LaneWatch) -> None:
        self._screen = screen
        self._lane = lane
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
        draft = draft_row(self._lane.live.view)
        if why := why_ask(draft, self._lane.commands.recorder.author):
            return why
        outcome = await self._lane.commands.record(draft, Choice(draft.suggestion.decision))
        if isinstance(outcome, Preceded):
            return meanwhile(outcome)
        self._tell(outcome)
        return None

    def record(self, why: str | None = None) -> None:
        """Open the dialog; `why` tells what it is opened for in place of a row written at once."""
        if not self._is_writing and self._may_write():
            dialog = RecordDialog(self._lane, why)
            self._screen.app.push_screen(dialog, self._tell)

    def window(self) -> None:
        """Open the dialog that opens a window, or edits and closes the one that is open."""
        kind = OpenDialog if self._lane.live.state.window is None else EditDialog
        self._screen.app.push_screen(kind(self._lane), self._window_told)

    def _window_told(self, window: Window | None) -> None:
        if window is not None:
            now = "is open" if window.is_open else "is closed: no row was written"
            self._screen.notify(f"{window.label} {now}", title="window", markup=False)

    def waive(self) -> None:
        """Open the dialog that waives a gate of the open window."""
        from vp_tui.ui.dialogs.waive import WaiveDialog  # noqa: PLC0415 - many never waive a gate

        window = self._lane.live.state.window
        if window is None:
            key = key_of(self._lane.live.state.watch, "window")
            text = f"no window is open to waive a gate for: open one with {key} first"
            self._screen.notify(text, severity="warning", markup=False)
            return
        dialog = WaiveDialog(self._lane, window)
        self._screen.app.push_screen(dialog, self._waived)

    def _waived(self, waiver: Waiver | None) -> None:
        if waiver is not None:
            text = f"{waiver.gate} is waived, it was {waiver.was}"
            self._screen.notify(text, title="waiver", markup=False)

    def offer(self, found: WaitingRows, *, asked: bool) -> None:
        """Offer to append the rows that wait; `asked` tells whether somebody wants to know."""
        if found.rows and (asked or self._screen.app.screen is self._screen):
            dialog = WaitingDialog(self._lane, found)
            self._screen.app.push_screen(dialog, self._appended)
        elif found.rows:
            key = key_of(self._lane.live.state.watch, "waiting")
            text = f"{len(found.rows)} recorded and not in the log yet: {key} shows them"
            self._screen.notify(text, title="rows wait", severity="warning", markup=False)
        elif asked:
            text = "; ".join(found.warnings) or "no row waits for the log"
            self._screen.notify(text, markup=False)

    def _appended(self, settled: list[AppendedRow] | None) -> None:
        if settled:
            lines = ", ".join(str(one.line) for one in settled)
            text = f"{len(settled)} appended: line {lines}"
            self._screen.notify(text, title="rows that waited", markup=False)
        elif settled is not None:
            self._screen.notify("somebody else appended them meanwhile", markup=False)

    def _may_write(self) -> bool:
        if not self._lane.commands.recorder.has_log:
            self._screen.notify(NO_LOG, severity="warning", markup=False)
        return self._lane.commands.recorder.has_log

    def _tell(self, outcome: Outcome | None) -> None:
        if isinstance(outcome, Written):
            self._screen.notify(_said(outcome), title="row recorded", markup=False)
            if problem := outcome.problem:
                self._fail("the window could not be kept", problem)
        elif isinstance(outcome, Failure):
            self._fail("NOT in the log", outcome)

    async def hand_over(self) -> None:
        """Copy the handover text, and write it to a file of its own."""
        from vp_tui.views.handover import handover  # noqa: PLC0415 - many never hand over

        view = self._lane.live.view
        text = handover(view, self._lane.commands.actor)
        self._screen.app.copy_to_clipboard(text)
        kept = await self._lane.commands.keep_handover(text, view.wall)
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


class OrderDialogs:
    """The danger keys of one screen."""

    def __init__(self, screen: Screen[None], lane: LaneWatch) -> None:
        self._screen = screen
        self._lane = lane

    def cancel(self, session_id: str | None) -> None:
        """Open the dialog for the session's run; where there is nothing to hit, say why.

        One that was cancelled already has the dialog show what comes of it.
        """
        view = self._lane.live.view
        row = row_of_session(view, session_id)
        if (why := why_no_cancel(view, session_id)) is not None or row is None:
            self._refuse("cancel", session_id or "", why or "it is not listed")
        followed = own_pending(view, session_id) if why else None
        if row is not None and (why is None or followed is not None):
            self._ask(CancelQuestion(target_of(row), followed))

    def cancel_all(self) -> None:
        """Open the dialog for all runs that can be hit."""
        targets = cancellable(self._lane.live.view)
        if not targets:
            self._refuse("cancel all", "", "nothing runs that a cancel could hit")
            return
        self._ask(CancelAllQuestion(targets))

    def change(self, change: Change) -> None:
        """Open the dialog for a switch of the lane; where it cannot be set, say why.

        One that is followed is shown, whatever else can be done now.
        """
        view = self._lane.live.view
        why = why_no_change(view, change)
        if why is not None and followed_change(view, change) is None:
            self._refuse(change.words, view.state.watch.url, why)
            return
        self._ask(SwitchQuestion(change, view.state.watch.vp_id))

    def probe(self) -> None:
        """Open the dialog of the probe: the one under way, the last one, or the first."""
        self._ask(ProbeQuestion())

    def restart(self) -> None:
        """Open the dialog that restarts the gateway, or shows how a restart goes on."""
        self._ask(RestartQuestion())

    def _ask(self, question: Question) -> None:
        self._screen.app.push_screen(FollowDialog(self._lane, question))

    def _refuse(self, action: str, target: str, why: str) -> None:
        self._lane.commands.refused(action, target, "", why)
        self._screen.notify(why, title=f"no {action}", severity="warning", markup=False)
