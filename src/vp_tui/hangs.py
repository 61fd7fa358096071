"""State + now -> the runs that hang and those that were cancelled, as the row's word needs them.

Nothing here changes more often than once a second, so that what is made of it is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.levels import Level, RunLevel
from vp_tui.domain.situation import CancelledRun, HungRun
from vp_tui.fleet import finished_at, run_levels

if TYPE_CHECKING:
    from vp_tui.domain.cancels import Cancel
    from vp_tui.domain.runs import Run
    from vp_tui.domain.windows import Window
    from vp_tui.state import State


def hung_runs(state: State, now: float) -> tuple[HungRun, ...]:
    """Return the stuck and the deaf runs: those that keep most others waiting first."""
    hanging = [
        _hung(state, state.runs[session_id], told, now)
        for session_id, told in run_levels(state, now).items()
        if told.level is not None and told.level.hangs
    ]
    return tuple(sorted(hanging, key=lambda run: (-run.waiting, run.session_id)))


def _hung(state: State, run: Run, told: RunLevel, now: float) -> HungRun:
    silent_s = int(told.silent_s or 0.0)
    return HungRun(
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
