"""What a cancel is aimed at: captured when the dialog opens, checked again before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.levels import Level
from vp_tui.fleet import run_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.fleet import RunRow
    from vp_tui.state import State


_BEYOND: Final[Mapping[Level | None, str]] = {
    Level.DEAF: "it did not hear the first cancel: a second is useless, only a restart ends it",
    Level.ORPHAN: "its turn has ended: only a restart ends what still writes",
    Level.LOST: "the session is gone",
}
"""Levels that no cancel reaches any more."""


class Target(NamedTuple):
    """One session's run as it was when somebody decided about it."""

    session_id: str
    level: Level | None
    doing: str
    """In words: what it does, since when, what it holds."""
    waiting: tuple[str, ...]
    """Sessions that wait behind it."""
    blocker: str | None
    """The session that it waits behind."""
    viewers: int
    """Sockets of others."""
    running_since: float | None
    turn_started_at: float | None


def target_of(row: RunRow) -> Target:
    """Return the run of a row as a target."""
    level = row.level
    return Target(
        session_id=row.session.session_id,
        level=level.level,
        doing=level.reason,
        waiting=level.waiting,
        blocker=level.blocker,
        viewers=row.other_viewers,
        running_since=row.run.running_since,
        turn_started_at=row.run.turn.started_at,
    )


def row_of_session(state: State, now: float, session_id: str | None) -> RunRow | None:
    """Return the session's row, None when it is not listed."""
    rows = run_rows(state, now)
    return next((row for row in rows if row.session.session_id == session_id), None)


def why_no_cancel(state: State, now: float, session_id: str | None) -> str | None:
    """Say why a cancel of this session must not be sent; None: it may.

    The gateway answers every cancel alike, also one of an idle session, and tells all viewers: so
    only a run that can be hit is hit (the wire contract, section 6).
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
    return None if row.session.is_running else "it runs nothing: there is nothing to cancel"


def why_changed(target: Target, state: State, now: float) -> str | None:
    """Say what became of the target since it was captured; None: it is still that run."""
    if (why := why_no_cancel(state, now, target.session_id)) is not None:
        return why
    run = state.runs[target.session_id]
    is_same = run.running_since == target.running_since
    if is_same and run.turn.started_at in {target.turn_started_at, None}:
        return None
    return "the run that was shown has ended, another one runs: look at it first"


def cancellable(state: State, now: float) -> tuple[Target, ...]:
    """Return every run that a cancel can hit, in the order of the screen."""
    return tuple(
        target_of(row)
        for row in run_rows(state, now)
        if why_no_cancel(state, now, row.session.session_id) is None
    )
