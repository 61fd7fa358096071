"""State + a run -> what it blocks, and the next rung of the ladder, in words.

The rungs: look, wait, cancel, follow the cancel, restart. A rung that is useless is never named
as the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.durations import age
from vp_tui.domain.levels import Level
from vp_tui.fleet import run_rows, stuck_after_s
from vp_tui.selectors import short_id

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect
    from vp_tui.fleet import RunRow
    from vp_tui.state import State

CANCEL_WAITS: Final[dict[Dialect | None, str]] = {"G1": "5 s", "G2": "10 s", None: "5 to 10 s"}
"""How long a gateway waits for a run to hear a cancel before it clears the counter."""
_NO_LOCK: Final = "blocks nothing: on this gateway (G2) a run holds only its own session's lock"


def what_it_blocks(state: State, row: RunRow) -> str:
    """Say what stands still because of this run."""
    level = row.level
    if level.level in {None, Level.LOST}:
        return "what it blocks is unknown"
    if state.dialect is None:
        return "what it blocks is unknown: the gateway has not said its generation"
    if state.dialect == "G2":
        return _NO_LOCK
    if level.holds_lock:
        return _while_it_holds(row)
    return "blocks nothing: it does not have the gateway's lock"


def _while_it_holds(row: RunRow) -> str:
    when = "if it holds the lock, a guess" if row.level.is_guess else "while it holds the lock"
    if row.level.level is not None and row.level.level.hangs:
        return f"{when}: new sessions and attaches hang, brake has no effect"
    return f"{when}: other turns, new sessions and attaches wait"


def next_rung(state: State, row: RunRow, now: float) -> str:
    """Say what to do next about this run; what vp-tui may not do is said to be so."""
    said = _rung(state, row, now)
    if state.watch.read_only and row.is_alarm:
        return f"{said}; this vp-tui is read-only: somebody else must do it"
    return said


def _rung(state: State, row: RunRow, now: float) -> str:
    level = row.level.level
    if level is Level.STUCK:
        return _stuck(state, row, now)
    if level is Level.QUEUED:
        blocker = short_id(row.level.blocker or "")
        look = "triage that one" if row.level.blocker_hangs else "wait for that one"
        return f"cancelling it frees nothing: it waits behind {blocker}, {look}"
    if level is Level.QUIET:
        left_s = stuck_after_s(state) - (row.silent_s or 0.0)
        return f"wait: it counts as stuck in {age(max(left_s, 0.0))}, then c cancel"
    return {
        None: "nothing is known now: mend the source first (5 shows which)",
        Level.DEAF: f"2nd cancel useless -> {_restart(state, now)}",
        Level.LOST: "the session is gone, a cancel reaches nothing: see whether later turns "
        f"complete; if none does -> {_restart(state, now)}",
        Level.ORPHAN: "its turn has ended, a cancel reaches nothing: watch its log; "
        f"only a restart ends it -> {_restart(state, now)}",
        Level.LONG: "it moves: a cancel throws its work away; tell those who wait, or c cancel",
        Level.OK: "nothing to do: it moves",
        Level.IDLE: _idle(state, row),
    }[level]


def _stuck(state: State, row: RunRow, now: float) -> str:
    waits = CANCEL_WAITS[state.dialect]
    if row.run.pending is not None:
        return f"cancelled, {waits} -> deaf? 2nd cancel useless -> {_restart(state, now)}"
    return f"c cancel, {waits} -> deaf? 2nd cancel useless -> {_restart(state, now)}"


def _idle(state: State, row: RunRow) -> str:
    session_id = row.session.session_id
    if any(cancel.session_id == session_id and not cancel.is_over for cancel in state.cancels):
        return "recovery unconfirmed: watch until a later turn completes"
    return "nothing to do: no run"


def _restart(state: State, now: float) -> str:
    kills = sum(row.is_running for row in run_rows(state, now))
    return f"X restart gateway (kills {kills})"
