"""The keys that open dialogs: those of the evidence, and those that change something.

The evidence keys record at once or with a decision, keep the window, and hand over. What changes
the gateway is asked first, and what must not be done is audited.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Failure, Source
from vp_tui.domain.rollout.verdicts import GATE_TITLES
from vp_tui.domain.runs.levels import Level, either
from vp_tui.domain.text import counted, literal, short_id
from vp_tui.ui.dialogs.follow import FollowDialog, Question
from vp_tui.ui.dialogs.orders import (
    CancelAllQuestion,
    CancelQuestion,
    ProbeQuestion,
    RestartQuestion,
    SwitchQuestion,
    WhichRunDialog,
)
from vp_tui.ui.dialogs.record import RecordDialog, WaitingDialog
from vp_tui.ui.dialogs.waive import WaiveDialog
from vp_tui.ui.dialogs.window import EditDialog, OpenDialog
from vp_tui.ui.kit.overlays import STAYS
from vp_tui.ui.lines.evidence import meanwhile
from vp_tui.views.actions import key_of
from vp_tui.views.draft import Choice, draft_row, why_ask
from vp_tui.views.handover import handover
from vp_tui.views.lane import followed_change, why_no_change
from vp_tui.views.runs import run_rows
from vp_tui.views.stuck_runs import cancellable, own_pending, row_of_session, why_no_cancel
from vp_tui.worker.evidence import Outcome, Preceded, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vp_tui.domain.lane.switches import Change
    from vp_tui.domain.rollout.verdicts import Waiver
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.ui.watch.board import Board
    from vp_tui.worker.evidence import AppendedRow


REST_S: Final = 5.0
"""Seconds at least between a row and one that is written at once."""
NO_LOG: Final = (
    "there is no evidence log: name one with --evidence, or as evidence = … in the config"
)


async def record_now(board: Board) -> None:
    """Write the row with the suggestion; where that must not be done unasked, ask."""
    held, board.held_word = board.held_word, None
    if board.is_writing or not _may_write(board):
        return
    if why := _why_rests(board):
        board.notify(why, severity="warning", markup=False)
        return
    commands, draft = board.lane.commands, draft_row(board.lane.live.view)
    why = why_ask(draft, commands.recorder.author)
    if held is not None and held != (word := draft.suggestion.decision):
        why = why or f"{word} is new: it was {held or 'another word'} a moment ago"
    if why:
        record(board, why)
        return
    board.is_writing = True
    try:
        outcome = await commands.record(draft, Choice(draft.suggestion.decision))
    finally:
        board.is_writing = False
    if isinstance(outcome, Preceded):
        record(board, meanwhile(outcome), outcome.damage)
    else:
        _recorded(board, outcome)


def _why_rests(board: Board) -> str | None:
    """Return why no row is written at once so soon after another one, None where one may be."""
    if board.written_at is None:
        return None
    age_s = board.lane.live.now - board.written_at
    metrics = board.lane.live.state.sources.get(Source.METRICS)
    polled = () if metrics is None else (metrics.arrived_at, metrics.failed_at)
    if age_s >= REST_S and any(at is not None and at > board.written_at for at in polled):
        return None
    key = key_of(board.lane.live.state.watch, "record-now")
    return f"[{key}] rests until the next poll: a row was written {age_s:.0f} s ago"


def record(board: Board, why: str = "", despite: str | None = None) -> None:
    """Open the dialog; `why` tells what it is opened for in place of a row written at once.

    `despite` is what is wrong with the log and was shown with that.
    """
    if not board.is_writing and _may_write(board):
        board.app.push_screen(RecordDialog(board.lane, why, despite), partial(_recorded, board))


def _may_write(board: Board) -> bool:
    has_log = board.lane.commands.recorder.has_log
    if not has_log:
        board.notify(NO_LOG, severity="warning", markup=False)
    return has_log


def _recorded(board: Board, outcome: Outcome | None) -> None:
    if isinstance(outcome, Written):
        board.written_at = board.lane.live.now
        row = outcome.row
        after = "stays open" if outcome.window.is_open else "is closed"
        cells = f"rate {row.fallback_rate}, p95 {row.p95_latency}"
        where = f"line {outcome.line} of {outcome.log}"
        said = f"{where}: {row.decision}, {cells}; {row.window} {after}"
        if problem := outcome.problem:
            title = "row recorded, but the window could not be kept"
            told = literal(f"{problem.reason}; {problem.cure}; {said}")
            board.notify(told, title=title, severity="error", timeout=STAYS, markup=False)
        else:
            board.footer.end()
            board.notify(literal(said), title="row recorded", markup=False)
    elif isinstance(outcome, Failure):
        _fail(board, "NOT in the log", outcome)


def window(board: Board) -> None:
    """Open the dialog that opens a window, or edits and closes the one that is open."""
    kind = OpenDialog if board.lane.live.state.window is None else EditDialog
    board.app.push_screen(kind(board.lane), partial(_kept, board))


def _kept(board: Board, kept: Window | None) -> None:
    if kept is not None:
        now = "is open" if kept.is_open else "is closed: no row was written"
        board.notify(f"{kept.label} {now}", title="window", markup=False)


def waive(board: Board) -> None:
    """Open the dialog that waives a gate of the open window."""
    opened = board.lane.live.state.window
    if opened is None:
        key = key_of(board.lane.live.state.watch, "window")
        text = f"[{key}] open one first: no window is open to waive a gate for"
        board.notify(text, severity="warning", markup=False)
        return
    board.app.push_screen(WaiveDialog(board.lane, opened), partial(_waived, board))


def _waived(board: Board, waiver: Waiver | None) -> None:
    if waiver is not None:
        text = f"{GATE_TITLES[waiver.gate]} is waived, it was {waiver.was}"
        board.notify(text, title="waiver", markup=False)


async def offer_waiting(board: Board, *, asked: bool) -> None:
    """Offer to append the rows that wait for the log; `asked`: somebody wants to know of none."""
    found = await board.lane.commands.waiting()
    if found.rows and (asked or board.app.screen is board.screen):
        board.app.push_screen(WaitingDialog(board.lane, found), partial(_appended, board))
    elif found.rows:
        key = key_of(board.lane.live.state.watch, "waiting")
        rows = counted(len(found.rows), "row")
        text = f"[{key}] shows {rows} recorded and not in the log yet"
        board.notify(text, title="rows wait", severity="warning", markup=False)
    elif asked:
        board.notify("; ".join(found.warnings) or "no row waits for the log", markup=False)


def _appended(board: Board, settled: list[AppendedRow] | None) -> None:
    if settled:
        lines = ", ".join(str(one.line) for one in settled)
        text = f"{len(settled)} appended: line {lines}"
        board.notify(text, title="rows that waited", markup=False)
    elif settled is not None:
        board.notify("somebody else appended them meanwhile", markup=False)


async def hand_over(board: Board) -> None:
    """Copy the handover text, and write it to a file of its own."""
    view = board.lane.live.view
    text = handover(view, board.lane.commands.actor)
    board.app.copy_to_clipboard(text)
    kept = await board.lane.commands.keep_handover(text, view.wall)
    if isinstance(kept, Path):
        said = f"written to {kept} and sent to the terminal's clipboard"
        board.notify(literal(said), title="handover", markup=False)
    else:
        _fail(board, "the handover is in the clipboard only", kept)


def _fail(board: Board, title: str, failure: Failure) -> None:
    told = literal(f"{failure.reason}; {failure.cure}")
    board.notify(told, title=title, severity="error", timeout=STAYS, markup=False)


def cancel(board: Board) -> None:
    """Open the dialog for the selected run; where there is nothing to hit, say why.

    It asks which is meant while nobody knows which of several has the lock, and while an alarm is
    on another run than the cursor: not where the operator has the cursor's looked at.
    """
    view, selected, shown = board.lane.live.view, board.selected, board.looked_at
    row = row_of_session(view, selected)
    alarms = [one.session.session_id for one in run_rows(view) if one.level.level is Level.STUCK]
    if shown is not None and shown != selected:
        alarms = [shown]
    if row is None or board.triage_choice.is_asked:
        when_meant(board, _cancel)
    elif row.level.rivals:
        told = f"{either(row.level.rivals, short_id)} holds the lock: which of them is not known."
        _ask_which(board, told, (*row.level.rivals, row.session.session_id), _cancel)
    elif alarms and not row.is_alarm:
        alarm, cursor = short_id(alarms[0]), short_id(row.session.session_id)
        told = f"The alarm is on {alarm}, the cursor is on {cursor}."
        _ask_which(board, told, (alarms[0], row.session.session_id), _cancel)
    else:
        when_meant(board, _cancel)


def when_meant(board: Board, do: Callable[[Board, str | None], None]) -> None:
    """Do something to the cursor's run; ask which one is meant where it has only just jumped."""
    now, *before = board.runs.list.meant or (None,)
    if now is None or not before:
        do(board, now)
        return
    took = f"An alarm of {short_id(now)} has just taken the cursor from {short_id(before[0])}."
    _ask_which(board, took, (now, *before), do)


def _ask_which(
    board: Board, told: str, sessions: Iterable[str], do: Callable[[Board, str | None], None]
) -> None:
    dialog = WhichRunDialog(board.lane, told, tuple(dict.fromkeys(sessions)))
    board.app.push_screen(dialog, lambda meant: do(board, meant) if meant else None)


def _cancel(board: Board, session_id: str | None) -> None:
    """Ask whether to cancel a run; one that was cancelled already has shown what comes of it."""
    view = board.lane.live.view
    row, why = row_of_session(view, session_id), why_no_cancel(view, session_id)
    if why is not None:
        _refuse(board, "cancel", session_id or "", why)
    followed = own_pending(view, session_id) if why is not None else None
    if row is not None and (why is None or followed is not None):
        _ask(board, CancelQuestion(row, followed))


def cancel_all(board: Board) -> None:
    """Open the dialog for all runs that can be hit."""
    if targets := cancellable(board.lane.live.view):
        _ask(board, CancelAllQuestion(targets))
    else:
        _refuse(board, "cancel all", "", "nothing runs that a cancel could hit")


def change_switch(change: Change, board: Board) -> None:
    """Open the dialog for a switch of the lane; where it cannot be set, say why.

    One that is followed is shown, whatever else can be done now.
    """
    view = board.lane.live.view
    why = why_no_change(view, change)
    if why is not None and followed_change(view, change) is None:
        _refuse(board, change.words, view.state.watch.url, why)
    else:
        _ask(board, SwitchQuestion(change, view))


def probe(board: Board) -> None:
    """Open the dialog of the probe: the one under way, the last one, or the first."""
    _ask(board, ProbeQuestion(board.lane.live.view))


def restart(board: Board) -> None:
    """Open the dialog that restarts the gateway, or shows how a restart goes on."""
    _ask(board, RestartQuestion(board.lane.live.view))


def _ask(board: Board, question: Question) -> None:
    board.app.push_screen(FollowDialog(board.lane, question))


def _refuse(board: Board, action: str, target: str, why: str) -> None:
    board.lane.commands.refused(action, target, "", why)
    board.notify(why, title=f"no {action}", severity="warning", markup=False)
