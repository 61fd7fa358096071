"""What a cancel is aimed at: captured when the dialog opens, checked again before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.cancels import SAME_S, pending
from vp_tui.domain.durations import age
from vp_tui.domain.levels import Level
from vp_tui.fleet import run_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.domain.cancels import Cancel
    from vp_tui.domain.runs import Run
    from vp_tui.fleet import RunRow
    from vp_tui.state import State


_BEYOND: Final[Mapping[Level | None, str]] = {
    Level.DEAF: "it did not hear the first cancel: a second is useless, only a restart ends it: X",
    Level.ORPHAN: "its turn has ended: only a restart ends what still writes: X",
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
    run: Run
    """As it was followed until then."""


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
        run=row.run,
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


_ANOTHER: Final = "the run that was shown has ended, another one runs: look at it first"


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
