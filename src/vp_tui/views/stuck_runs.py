"""State + now -> the runs that hang: what each blocks, the next rung, and what a cancel may hit.

The rungs: look, wait, cancel, follow the cancel, restart. A rung that is useless is never named
as the next one. What a cancel is aimed at is captured when the dialog opens, and checked again
before it is sent. The hung and the cancelled runs are told as the row's word needs them: they
change at most once a second, so that what is made of them is kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from vp_tui.domain.rollout.labels import moment
from vp_tui.domain.rollout.situation import CancelledRun, StuckRun
from vp_tui.domain.rollout.windows import CANCEL
from vp_tui.domain.runs.cancels import SAME_S, Cancel, pending
from vp_tui.domain.runs.levels import Level, RunLevel, either
from vp_tui.domain.text import age, clock_z, short_id
from vp_tui.state.operator import stuck_after_s
from vp_tui.views.actions import key_of
from vp_tui.views.figures import lane_log
from vp_tui.views.runs import finished_at, is_told_by_rival, run_levels, run_rows
from vp_tui.views.sources import is_cancel_refused, on_its_clock, on_our_clock, read_again
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vp_tui.domain.models import Dialect
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.runs.run import Run
    from vp_tui.views.runs import RunRow


_SAME: Final = timedelta(seconds=5)
"""A cancel and what a record says of it are so close together at most."""
_BEYOND: Final[Mapping[Level | None, str]] = {
    Level.DEAF: "it did not hear the first cancel: a second is useless, only a restart ends it: "
    "{key}",
    Level.ORPHAN: "its turn has ended: only a restart ends what still writes: {key}",
    Level.LOST: "the session is gone",
}
"""Levels that no cancel reaches any more; `key` restarts the gateway."""

CANCEL_WAITS: Final[dict[Dialect | None, str]] = {"G1": "5 s", "G2": "10 s", None: "5 to 10 s"}
"""How long a gateway waits for a run to hear a cancel before it clears the counter."""


def row_of_session(view: View, session_id: str | None) -> RunRow | None:
    """Return the session's row, None when it is not listed."""
    rows = run_rows(view)
    return next((row for row in rows if row.session.session_id == session_id), None)


def why_no_cancel(view: View, session_id: str | None) -> str | None:
    """Say why a cancel of this session must not be sent; None: it may.

    The gateway answers every cancel alike, also one of an idle session, and tells all viewers: so
    only a run that can be hit is hit (docs/wire.md, section 6).
    """
    if session_id is None:
        return _why_refused(view) or "no session is selected"
    if session_id == view.state.lane_log_id:
        return "that is the lane's own directory, not a session: cancel the run that it works for"
    if (row := row_of_session(view, session_id)) is None:
        return f"{session_id} is not listed any more"
    if row.level.level in _BEYOND:
        return _BEYOND[row.level.level].format(key=key_of(view.state.watch, "restart"))
    if not row.run.is_open:
        return "it runs nothing: there is nothing to cancel"
    return _why_refused(view) or _why_not_again(view, row.run)


def _why_refused(view: View) -> str | None:
    """Say that the gateway would refuse a cancel, whatever it is of."""
    if not is_cancel_refused(view):
        return None
    return f"{read_again(view)}: with that which there is a cancel gets a 401"


def _why_not_again(view: View, run: Run) -> str | None:
    """Say what keeps a run from being cancelled once more: somebody did, and it may yet hear."""
    cancels = cancels_of(view, run.session_id)
    if (asked := next((c for c in cancels if c.is_in_flight), None)) is not None:
        return f"a cancel of it is on its way, asked for {age(view.now - asked.at)} ago"
    if run.pending is not None and view.now - run.pending.at < SAME_S:
        return f"it was cancelled {age(view.now - run.pending.at)} ago: wait whether it hears"
    return None


def cancels_of(view: View, session_id: str | None) -> Iterator[Cancel]:
    """Return the cancels of this session that are followed, the newest first."""
    return (c for c in reversed(view.state.cancels) if c.session_id == session_id)


def own_pending(view: View, session_id: str | None) -> Cancel | None:
    """Return the newest cancel of our own of this session whose recovery is awaited."""
    return next((c for c in cancels_of(view, session_id) if c.actor and not c.is_over), None)


def own_cancel(view: View, session_id: str, since: float) -> Cancel | None:
    """Return the cancel of this session that was sent at `since` or later, or was on its way."""
    own = (c for c in cancels_of(view, session_id) if c.actor is not None)
    return next((c for c in own if c.at >= since or c.is_in_flight), None)


def why_changed(target: RunRow, view: View) -> str | None:
    """Say what became of the target since it was captured; None: it is still that run."""
    session_id = target.session.session_id
    if (why := why_no_cancel(view, session_id)) is not None:
        return why
    if _is_same(target.run, view.state.runs[session_id]):
        return None
    return "the run that was shown has ended, another one runs: look at it first"


def as_it_is(target: RunRow, view: View) -> RunRow | None:
    """Return how the captured run does now; None: it is over, or not listed any more."""
    row = row_of_session(view, target.session.session_id)
    return row if row and row.run.is_open and _is_same(target.run, row.run) else None


def _is_same(run: Run, now: Run) -> bool:
    """Tell whether it is one turn: nobody heard an end, and what was known of its start stands."""
    began = ((run.running_since, now.running_since), (run.turn.started_at, now.turn.started_at))
    return run.ended_at == now.ended_at and all(one in {None, other} for one, other in began)


def cancellable(view: View) -> tuple[RunRow, ...]:
    """Return every run that a cancel can hit, in the order of the screen."""
    rows = run_rows(view)
    return tuple(row for row in rows if why_no_cancel(view, row.session.session_id) is None)


def what_it_blocks(view: View, row: RunRow) -> str:
    """Say what stands still because of this run."""
    level = row.level
    if row.run.killed_at is not None and level.level is Level.LOST:
        return "blocks nothing: the restart ended it"
    if level.level is Level.LOST or (level.level is None and not level.is_unjudged):
        return "what it blocks is unknown"
    if view.state.dialect is None:
        return "what it blocks is unknown: the gateway has not said its generation"
    if view.state.dialect == "G2":
        return "blocks nothing: on this gateway (v2) a run holds only its own session's lock"
    if level.holds_lock or level.rivals:
        return _while_it_holds(row)
    return "blocks nothing: it does not have the gateway's lock"


def _while_it_holds(row: RunRow) -> str:
    when = "if it holds the lock, a guess" if row.level.is_guess else "while it holds the lock"
    if row.level.level is not None and row.level.level.is_stuck:
        return f"{when}: new sessions and attaches hang, brake has no effect"
    return f"{when}: other turns, new sessions and attaches wait"


def next_step(view: View, row: RunRow) -> str:
    """Say what to do next about this run; what vp-tui may not do is said to be so."""
    said = _rung(view, row)
    if view.state.watch.read_only and row.is_alarm:
        return f"{said}; this vp-tui is read-only: somebody else must do it"
    return said


def _rung(view: View, row: RunRow) -> str:
    level = row.level.level
    cancel, links = key_of(view.state.watch, "cancel"), key_of(view.state.watch, "links")
    if level is Level.STUCK:
        return _stuck(view, row)
    if level is Level.LOST and row.run.killed_at is not None:
        return "nothing to cancel: start it again, where it is still wanted"
    if row.level.is_unjudged or row.level.is_old:
        left_s = stuck_after_s(view.state) - (row.silent_s or 0.0)
        return f"watch: it counts as stuck in {age(left_s)}, unless it moves"
    if level is Level.QUEUED:
        look = "triage that one" if row.level.is_blocker_stuck else "wait for that one"
        if row.level.is_behind_unlisted:
            look = f"wait; if no turn completes -> {_restart(view)}"
        return f"cancelling it frees nothing: it waits behind {row.level.behind(short_id)}, {look}"
    if level is Level.QUIET:
        left_s = stuck_after_s(view.state) - (row.silent_s or 0.0)
        return f"wait: it counts as stuck in {age(left_s)}, then {cancel} cancel"
    return {
        None: f"nothing is known now: mend the source first ({links} shows which)",
        Level.DEAF: f"2nd cancel useless -> {_restart(view)}",
        Level.LOST: "the session is gone, a cancel reaches nothing: see whether later turns "
        f"complete; if none does -> {_restart(view)}",
        Level.ORPHAN: "its turn has ended, a cancel reaches nothing: watch its log; "
        f"only a restart ends it -> {_restart(view)}",
        Level.LONG: "it moves: a cancel throws its work away; "
        f"tell those who wait, or {cancel} cancel",
        Level.OK: "nothing to do: it moves",
        Level.IDLE: _idle(view, row),
    }[level]


def _stuck(view: View, row: RunRow) -> str:
    asked = "cancelled" if row.run.pending else f"{key_of(view.state.watch, 'cancel')} cancel"
    if is_cancel_refused(view):
        asked = f"{key_of(view.state.watch, 'read-tokens')} read tokens, {asked}"
    waits = CANCEL_WAITS[view.state.dialect]
    if row.level.rivals:
        which = f"{either(row.level.rivals, short_id)} hangs, the others wait"
        return f"{which}: see whose log is the older, then {asked}"
    return f"{asked}, {waits} -> deaf? 2nd cancel useless -> {_restart(view)}"


def _idle(view: View, row: RunRow) -> str:
    if pending(cancels_of(view, row.session.session_id)):
        return "not recovered yet: watch until a later turn completes"
    return "nothing to do: no run"


def _restart(view: View) -> str:
    kills = sum(row.is_running for row in run_rows(view))
    return f"{key_of(view.state.watch, 'restart')} restart gateway (kills {kills})"


@fact
def stuck_runs_in(view: View) -> tuple[StuckRun, ...]:
    """Return the stuck and the deaf runs: those that keep most others waiting first."""
    levels = run_levels(view)
    hanging = [
        _stuck_run(view, view.state.runs[session_id], told)
        for session_id, told in levels.items()
        if told.level is not None and told.level.is_stuck
        if not is_told_by_rival(told, session_id, levels)
    ]
    hanging += _unlisted(view)
    return tuple(sorted(hanging, key=lambda run: (-run.waiting, run.session_id)))


def _unlisted(view: View) -> Iterator[StuckRun]:
    """Yield that turns wait for too long for a lock that nothing holds that is listed."""
    waits = [told for told in run_levels(view).values() if told.is_behind_unlisted]
    silent_s = max((told.silent_s or 0.0 for told in waits), default=0.0)
    if silent_s >= stuck_after_s(view.state):
        is_over = _finished_since(view, view.now - silent_s)
        yield StuckRun("", int(silent_s), waiting=len(waits), finished_since=is_over)


def _stuck_run(view: View, run: Run, told: RunLevel) -> StuckRun:
    silent_s = int(told.silent_s or 0.0)
    return StuckRun(
        run.session_id,
        silent_s,
        is_deaf=told.level is Level.DEAF,
        rivals=told.rivals,
        is_guess=told.is_guess,
        waiting=len(told.waiting) + max(len(told.rivals) - 1, 0),
        finished_since=_finished_since(view, view.now - (told.silent_s or 0.0)),
        last_tool=run.turn.tool,
        last_log_line=_last_line(view, run, told),
    )


def cancelled_runs(view: View, window: Window) -> tuple[CancelledRun, ...]:
    """Return the stuck runs that were cancelled in a window, the newest cancel of each.

    Until that one's counter is back, the newest whose counter was goes before it: it is still true.
    """
    newest: dict[str, tuple[CancelledRun, ...]] = {}
    for cancel in view.state.cancels:
        if cancel.was_stuck and not cancel.is_vain and _is_within(cancel, window, view):
            run = _cancelled_run(cancel, view)
            before = () if run.active_runs == 0 else newest.get(run.session_id, ())
            cleared = tuple(one for one in before if one.active_runs == 0)
            newest[run.session_id] = (*cleared, run)
    return tuple(run for runs in newest.values() for run in runs)


def _cancelled_run(cancel: Cancel, view: View) -> CancelledRun:
    at = _recovered(cancel, view)
    return CancelledRun(
        cancel.session_id,
        _counted(cancel, view),
        recovered=clock_z(at) if at else None,
        dated=clock_z(on_its_clock(view, at)) if at else None,
        is_told=_is_told(cancel, view),
        at=view.wall_at(cancel.at),
    )


def _recovered(cancel: Cancel, view: View) -> datetime | None:
    """Return when a later turn completed, on our own clock; None: that is not proven yet.

    A restart ends the run, and proves nothing: a mission that finished after it does.
    """
    at = cancel.recovered_at
    if at is None and cancel.restarted_at is not None:
        finished = finished_at(view)
        at = finished if finished is not None and finished > cancel.restarted_at else None
    return None if at is None else view.wall_at(at)


def _is_told(cancel: Cancel, view: View) -> bool:
    """Tell whether a row that was written after it tells of a cancel.

    Its record lists it; a row without a record tells it by its word.
    """
    log, at = lane_log(view), view.wall_at(cancel.at)
    if any(
        one.what == CANCEL and one.target == cancel.session_id and abs(one.at - at) <= _SAME
        for one in log.told
    ):
        return True
    newest = zip(reversed(log.rows), reversed(log.authors), strict=False)
    by_hand = takewhile(lambda told: (moment(told[0]) or at) >= at, newest)
    return any(row.decision.startswith("PARTIAL_") and who is None for row, who in by_hand)


def _counted(cancel: Cancel, view: View) -> int:
    """Return how many runs the session counts; an end that was heard goes before an old listing.

    What it counts after that, or after a later turn completed, is another run.
    """
    ends = (cancel.restarted_at, cancel.cleared_at, cancel.ended_at, cancel.recovered_at)
    if any(end is not None for end in ends):
        return 0
    session = view.state.sessions.get(cancel.session_id)
    return session.active_runs if session else 0


def _is_within(cancel: Cancel, window: Window, view: View) -> bool:
    """Tell whether a cancel belongs to the window; one not opened yet has all of them.

    A recovery that is awaited is a fact of now, whenever the window was opened: a proposed one is
    when its first row is written.
    """
    if not cancel.is_over or window.opened_at is None:
        return True
    return view.wall_at(cancel.at) >= on_our_clock(view, window.opened_at)


def _finished_since(view: View, at: float) -> bool:
    finished = finished_at(view)
    return finished is not None and finished > at


def _last_line(view: View, run: Run, told: RunLevel) -> str | None:
    """Return the last line of the log that is the run's, as far as that log is watched."""
    log_id = view.state.lane_log_id if told.owns_lane or run.turn.is_on_lane else run.session_id
    log = view.state.logs.get(log_id)
    return log.lines[-1] if log and log.lines else None
