"""What is seen of all runs together: which go on, which last moved when, and who holds the lock.

All times are vp-tui's own monotonic clock in seconds: the gateway's stamps may be hours off.

On G1 one lock serves all turns: among the runs that the gateway counts one owns it. A run that was
cancelled but whose turn has not ended goes on holding it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.runs.run import NEVER, or_never

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.domain.runs.run import Run, RunCancel


LOG_LAG_S: Final = 3.0
"""Lines may be read so long after they were written: younger ones prove nothing of an end."""


class ListedRun(NamedTuple):
    """One session as the newest listing has it, and its run as followed since."""

    run: Run
    is_live: bool = False
    """Its socket is open: the end of a turn would be heard."""
    has_log: bool = False
    """Its own log is not empty."""
    log_at: float | None = None
    """When its own log last grew while it was watched."""


class RunsContext(NamedTuple):
    """What all runs have in common."""

    now: float
    has_lock: bool
    """One lock serves all turns: G1."""
    stuck_after_s: float
    lane_log_at: float | None = None
    """When the lane's log last grew while it was watched."""
    finished_at: float | None = None
    has_mission: bool = False
    doubt: str | None = None
    """Why the listing cannot be taken for what is so now, in words; None: it can."""


class Owner(NamedTuple):
    """Who holds the gateway's lock, and how that is known."""

    one: ListedRun
    guess: str = ""
    """Why it is a guess, in words; "" when it is none."""


def is_run_under_way(one: ListedRun, context: RunsContext) -> bool:
    """Tell whether a turn is under way; beside an old listing only where its end would be heard."""
    if is_deaf(one, context):
        return True
    run, hit = one.run, one.run.pending
    is_over = hit is not None and hit.cleared_at is not None and run.running_since is None
    return not is_over and run.is_open and (context.doubt is None or one.is_live)


def is_deaf(one: ListedRun, context: RunsContext) -> bool:
    """Tell whether a cancel cleared the counter, and the turn has not ended.

    On G1 a mission that finished since was its own, or that of a turn that got the lock: the turn
    is over, though nobody heard its end.
    """
    hit = one.run.pending
    if hit is None or hit.cleared_at is None:
        return False
    return not (context.has_lock and or_never(context.finished_at) > hit.at)


def owner_of(busy: Sequence[ListedRun], context: RunsContext) -> Owner | None:
    """Return who holds the lock: a deaf run before all others; None without a lock or a run."""
    if not context.has_lock or not busy:
        return None
    if deaf := [one for one in busy if is_deaf(one, context)]:
        return Owner(max(deaf, key=lambda one: or_never(one.run.held_at)))
    heard = max(busy, key=lambda one: or_never(one.run.spoke_at))
    if len(busy) == 1 or heard.run.spoke_at is not None:
        return Owner(heard)
    return _guessed(busy)


def _guessed(busy: Sequence[ListedRun]) -> Owner:
    """Return who may hold the lock where no frame of a turn under way was heard.

    First come, first served: whoever was seen running later waits, whatever its log and its
    sequence say, which may be of earlier turns.
    """
    first_at = min(or_never(one.run.running_since) for one in busy)
    first = [one for one in busy if or_never(one.run.running_since) == first_at]
    if len(first) == 1:
        return Owner(first[0], "a guess: it was first seen running")
    logged = max(first, key=lambda one: or_never(one.log_at))
    if logged.log_at is not None:
        return Owner(logged, "a guess: its log grew last")
    filled = [one for one in first if one.has_log]
    if len(filled) == 1:
        return Owner(filled[0], "a guess: of their logs only this one has lines")
    most = max(filled or first, key=lambda one: one.run.own_seq or 0)
    return Owner(most, "a guess: it has the most events")


def lane_owner(
    busy: Iterable[ListedRun], owner: Owner | None, context: RunsContext
) -> ListedRun | None:
    """Return the run that the lane is believed to work for, None when there is none.

    On G1 a turn whose beginning nobody saw may be delegated, if it has the lock while a mission
    runs.
    """
    if not context.has_lock:
        delegated = [one for one in busy if one.run.turn.is_on_lane]
        return max(delegated, key=lambda one: or_never(one.run.spoke_at), default=None)
    if owner is None:
        return None
    run = owner.one.run
    may_be = run.turn.query is None and run.turn.routing is None and context.has_mission
    return owner.one if run.turn.is_on_lane or may_be else None


def moved_at(
    one: ListedRun,
    seen: Iterable[ListedRun],
    context: RunsContext,
    *,
    holds_lock: bool,
    owns_lane: bool,
) -> float:
    """Return when a run under way last made progress.

    One that waited for the lock and has not been heard since began to count when it got it.
    """
    run = one.run
    signs = [run.progress_at, one.log_at]
    if owns_lane:
        signs.append(context.lane_log_at)
    if holds_lock and run.spoke_at is None:
        signs += [_freed_at(other.run, run) for other in seen if other is not one]
    newest = max(or_never(at) for at in signs)
    return context.now if newest == NEVER else newest


def _freed_at(other: Run, run: Run) -> float:
    """Return when another run last held the lock, or may have held it rather than this one."""
    signs = [other.held_at, other.lost_at]
    if other.cancel is not None and (other.own_seq or 0) >= (run.own_seq or 0):
        signs.append(other.cancel.ended_at)
    return max(map(or_never, signs))


def wrote_at(
    one: ListedRun, hit: RunCancel, seen: Iterable[ListedRun], context: RunsContext
) -> float | None:
    """Return when the engine of a cancelled turn that has ended last wrote, if it still does.

    None: it is not known to have written since, or is silent for as long as makes a run stuck.
    """
    if hit.ended_at is None or one.run.running_since is not None:
        return None
    log_at = one.log_at
    if hit.turn.is_on_lane:
        # Another turn may have written there since.
        is_taken = any(
            or_never(other.run.held_at) > hit.at or (other.run.is_open and context.has_lock)
            for other in seen
            if other is not one
        )
        log_at = None if is_taken else context.lane_log_at
    if log_at is not None and log_at <= hit.ended_at + LOG_LAG_S:
        log_at = None
    newest = max(or_never(hit.wrote_at), or_never(log_at))
    return newest if context.now - newest < context.stuck_after_s else None
