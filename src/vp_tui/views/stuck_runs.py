"""State + now -> the runs that hang: what each blocks, the next rung, and what a cancel may hit.

The rungs: look, wait, cancel, follow the cancel, restart. A rung that is useless is never named
as the next one. What a cancel is aimed at is captured when the dialog opens, and checked again
before it is sent. The hung and the cancelled runs are told as the row's word needs them: they
change at most once a second, so that what is made of them is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.rollout.situation import CancelledRun, StuckRun
from vp_tui.domain.runs.cancels import SAME_S, pending
from vp_tui.domain.runs.levels import Level, RunLevel
from vp_tui.domain.text import age, short_id
from vp_tui.state.sources import stuck_after_s
from vp_tui.views.runs import finished_at, run_levels, run_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.domain.models import Dialect
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.domain.runs.run import Run
    from vp_tui.state.state import State
    from vp_tui.views.runs import RunRow


_BEYOND: Final[Mapping[Level | None, str]] = {
    Level.DEAF: "it did not hear the first cancel: a second is useless, only a restart ends it: X",
    Level.ORPHAN: "its turn has ended: only a restart ends what still writes: X",
    Level.LOST: "the session is gone",
}
"""Levels that no cancel reaches any more."""

_ANOTHER: Final = "the run that was shown has ended, another one runs: look at it first"

CANCEL_WAITS: Final[dict[Dialect | None, str]] = {"G1": "5 s", "G2": "10 s", None: "5 to 10 s"}
"""How long a gateway waits for a run to hear a cancel before it clears the counter."""
_NO_LOCK: Final = "blocks nothing: on this gateway (G2) a run holds only its own session's lock"


class Target(NamedTuple):
    """One session's run as it was when somebody decided about it."""

    session_id: str
    level: Level | None
    activity: str
    """In words: what it does, since when, what it holds."""
    waiting: tuple[str, ...]
    """Sessions that wait behind it."""
    blocker: str | None
    """The session that it waits behind."""
    viewers: int
    """Sockets of others."""
    run: Run
    """As it was followed until then."""


def target_of(row: RunRow) -> Target:
    """Return the run of a row as a target."""
    level = row.level
    return Target(
        session_id=row.session.session_id,
        level=level.level,
        activity=level.reason,
        waiting=level.waiting,
        blocker=level.blocker,
        viewers=row.other_viewers,
        run=row.run,
    )


def row_of_session(state: State, now: float, session_id: str | None) -> RunRow | None:
    """Return the session's row, None when it is not listed."""
    rows = run_rows(state, now)
    return next((row for row in rows if row.session.session_id == session_id), None)


def why_no_cancel(state: State, now: float, session_id: str | None) -> str | None:
    """Say why a cancel of this session must not be sent; None: it may.

    The gateway answers every cancel alike, also one of an idle session, and tells all viewers: so
    only a run that can be hit is hit (docs/wire.md, section 6).
    """
    if session_id is None:
        return "no session is selected"
    if session_id == state.lane_log_id:
        return "that is the lane's own directory, not a session: cancel the run that it works for"
    row = row_of_session(state, now, session_id)
    if row is None:
        return f"{session_id} is not listed any more"
    if row.level.level in _BEYOND:
        return _BEYOND[row.level.level]
    if not row.run.is_open:
        return "it runs nothing: there is nothing to cancel"
    return _why_not_again(state, now, row.run)


def _why_not_again(state: State, now: float, run: Run) -> str | None:
    """Say what keeps a run from being cancelled once more: somebody did, and it may yet hear."""
    cancels = (cancel for cancel in state.cancels if cancel.session_id == run.session_id)
    asked = [cancel.at for cancel in cancels if cancel.is_in_flight]
    if asked:
        return f"a cancel of it is on its way, asked for {age(now - asked[-1])} ago"
    if run.pending is not None and now - run.pending.at < SAME_S:
        return f"it was cancelled {age(now - run.pending.at)} ago: wait whether it hears"
    return None


def own_pending(state: State, session_id: str | None) -> Cancel | None:
    """Return the newest cancel of our own of this session whose recovery is awaited."""
    own = (c for c in reversed(pending(state.cancels)) if c.session_id == session_id and c.actor)
    return next(own, None)


def why_changed(target: Target, state: State, now: float) -> str | None:
    """Say what became of the target since it was captured; None: it is still that run."""
    if (why := why_no_cancel(state, now, target.session_id)) is not None:
        return why
    return None if _is_same(target.run, state.runs[target.session_id]) else _ANOTHER


def _is_same(run: Run, now: Run) -> bool:
    """Tell whether it is one turn: nobody heard an end, and what was known of its start stands."""
    began = ((run.running_since, now.running_since), (run.turn.started_at, now.turn.started_at))
    return run.ended_at == now.ended_at and all(one in {None, other} for one, other in began)


def cancellable(state: State, now: float) -> tuple[Target, ...]:
    """Return every run that a cancel can hit, in the order of the screen."""
    return tuple(
        target_of(row)
        for row in run_rows(state, now)
        if why_no_cancel(state, now, row.session.session_id) is None
    )


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
    if row.level.level is not None and row.level.level.is_stuck:
        return f"{when}: new sessions and attaches hang, brake has no effect"
    return f"{when}: other turns, new sessions and attaches wait"


def next_step(state: State, row: RunRow, now: float) -> str:
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
        look = "triage that one" if row.level.is_blocker_stuck else "wait for that one"
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


def stuck_runs_in(state: State, now: float) -> tuple[StuckRun, ...]:
    """Return the stuck and the deaf runs: those that keep most others waiting first."""
    hanging = [
        _stuck_run(state, state.runs[session_id], told, now)
        for session_id, told in run_levels(state, now).items()
        if told.level is not None and told.level.is_stuck
    ]
    return tuple(sorted(hanging, key=lambda run: (-run.waiting, run.session_id)))


def _stuck_run(state: State, run: Run, told: RunLevel, now: float) -> StuckRun:
    silent_s = int(told.silent_s or 0.0)
    return StuckRun(
        run.session_id,
        silent_s,
        is_deaf=told.level is Level.DEAF,
        waiting=len(told.waiting),
        finished_since=_finished_since(state, now - (told.silent_s or 0.0)),
        last_tool=run.turn.tool,
        last_log_line=_last_line(state, run, told),
    )


def cancelled_runs(state: State, window: Window) -> tuple[CancelledRun, ...]:
    """Return the stuck runs that were cancelled in a window, the newest cancel of each."""
    newest = {
        cancel.session_id: cancel
        for cancel in state.cancels
        if cancel.was_stuck and not cancel.is_moot and _is_within(cancel, window, state)
    }
    return tuple(
        CancelledRun(
            session_id,
            _counted(cancel, state),
            finished_since=_finished_since(state, cancel.at),
            is_confirmed=cancel.recovered_at is not None,
        )
        for session_id, cancel in newest.items()
    )


def _counted(cancel: Cancel, state: State) -> int:
    """Return how many runs the session counts; an end that was heard goes before an old listing."""
    if cancel.cleared_at is not None or cancel.ended_at is not None:
        return 0
    session = state.sessions.get(cancel.session_id)
    return session.active_runs if session else 0


def _is_within(cancel: Cancel, window: Window, state: State) -> bool:
    """Tell whether a cancel belongs to the window; one not opened yet has all of them.

    A recovery that is awaited is a fact of now, whenever the window was opened: a proposed one is
    when its first row is written.
    """
    if not cancel.is_over or window.opened_at is None:
        return True
    return state.clock.wall_at(cancel.at) >= window.opened_at


def _finished_since(state: State, at: float) -> bool:
    finished = finished_at(state)
    return finished is not None and finished > at


def _last_line(state: State, run: Run, told: RunLevel) -> str | None:
    """Return the last line of the log that is the run's, as far as that log is watched."""
    log_id = state.lane_log_id if told.owns_lane or run.is_on_lane else run.session_id
    log = state.logs.get(log_id)
    return log.lines[-1] if log and log.lines else None
