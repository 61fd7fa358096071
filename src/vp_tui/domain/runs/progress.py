"""What is seen of all runs together: which go on, which last moved when, and who holds the lock.

All times are vp-tui's own monotonic clock in seconds: the gateway's stamps may be hours off.

On G1 one lock serves all turns: among the runs that the gateway counts one owns it. A run that was
cancelled but whose turn has not ended goes on holding it.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.runs.run import LOST_KEPT_S, NEVER, or_never

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vp_tui.domain.runs.run import Run, RunCancel


LOG_LAG_S: Final = 3.0
"""Lines may be read so long after they were written: younger ones prove nothing of an end."""
WAIT_S: Final = 5.0
"""Seconds after which a run that could have the lock, and sent no frame, is known to wait."""
CLOCKS_S: Final = 2.0
"""A mission's stamps, brought to our own clock, may be so far off."""
AT_ONCE: Final = "a guess: they were first seen running at once"
"""Why none of several runs can be named."""


class ListedRun(NamedTuple):
    """One session as the newest listing has it, and its run as followed since."""

    run: Run
    is_live: bool = False
    """Its socket is open: the end of a turn would be heard."""
    is_whole: bool = False
    """The socket was open since before its turn began, and lost nothing: each frame was heard."""
    has_log: bool = False
    """Its own log is not empty."""
    log_at: float | None = None
    """When its own log last grew while it was watched."""
    mission_at: float | None = None
    """When its mission began, where the gateway links both: G2."""

    @property
    def waits(self) -> bool:
        """Whether on G1 its turn certainly waits for the lock: it would have sent a frame."""
        bound = self.run.frames_at_most
        is_mute = self.is_whole or (bound is not None and bound <= 0)
        return is_mute and self.run.spoke_at is None


class RunsContext(NamedTuple):
    """What all runs have in common."""

    now: float
    has_lock: bool
    """One lock serves all turns: G1."""
    stuck_after_s: float
    lane_log_at: float | None = None
    """When the lane's log last grew while it was watched."""
    finished_at: float | None = None
    """When a mission last ended."""
    has_mission: bool = False
    """A mission may be under way."""
    mission_at: float | None = None
    """When that one began."""
    listed_at: float | None = None
    """When the newest listing came."""
    doubt: str | None = None
    """Why the listing cannot be taken for what is so now, in words; None: it can."""
    is_heard: bool = True
    """Whether sessions are attached to at all."""


class Lock(NamedTuple):
    """Who holds the gateway's lock, and how that is known."""

    holders: tuple[ListedRun, ...]
    """One: that run; several: one of these; none: something that is not listed."""
    guess: str = ""
    """Why it is a guess, in words; "" when it is none."""

    @property
    def owner(self) -> ListedRun | None:
        """The run that holds it; None where none can be named."""
        return self.holders[0] if len(self.holders) == 1 else None


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
    return not (context.has_lock and or_never(context.finished_at) > hit.at + CLOCKS_S)


def unconfirmed(runs: Mapping[str, Run], finished_at: float) -> dict[str, RunCancel]:
    """Return the cancels whose turns are not known to have ended, by session.

    On G1 one has when a mission finished since, as with those that are deaf.
    """
    return {
        session_id: hit
        for session_id, run in runs.items()
        if (hit := run.pending) and run.lost_at is None and finished_at <= hit.at + CLOCKS_S
    }


def is_killed(run: Run, now: float) -> bool:
    """Tell whether a restart ended its turn lately, and no other was heard of it since."""
    at = or_never(run.killed_at)
    return now - at < LOST_KEPT_S and or_never(run.ended_at) <= at


def lock_of(
    busy: Sequence[ListedRun], seen: Sequence[ListedRun], context: RunsContext
) -> Lock | None:
    """Return who holds the lock (docs/rollout.md, section 8); None without a lock or a run.

    A deaf run goes before all others, then the one that was heard last, then one whose own log
    grows, which waiting runs do not, then the one that was first seen running. What only began to
    wait since changes nothing of that, and if those that were seen first wait, all do.
    """
    if not context.has_lock or not busy:
        return None
    if deaf := [one for one in busy if is_deaf(one, context)]:
        return Lock((max(deaf, key=lambda one: or_never(one.run.held_at)),))
    heard = max(busy, key=lambda one: or_never(one.run.spoke_at))
    if heard.run.spoke_at is not None:
        return Lock((heard,))
    able = [one for one in busy if not one.waits]
    if writing := [one for one in able if _grew_since(one)]:
        writer = max(writing, key=lambda one: or_never(one.log_at))
        return Lock((writer,), "a guess: its own log grew last" if len(busy) > 1 else "")
    began_at = min(or_never(one.run.running_since) for one in busy)
    first = [one for one in busy if or_never(one.run.running_since) == began_at]
    if all(one.waits for one in first) and all(_has_waited(one, seen, context) for one in first):
        return Lock(())
    return _first_of(first, context, is_alone=len(busy) == 1)


def _has_waited(one: ListedRun, seen: Iterable[ListedRun], context: RunsContext) -> bool:
    """Tell whether it sent nothing for long although none of the others may have the lock."""
    freed_at = [_freed_at(other.run, one.run) for other in seen if other is not one]
    free_at = max(*freed_at, or_never(context.finished_at), or_never(one.run.running_since))
    as_of = context.now if one.is_whole or context.listed_at is None else context.listed_at
    return as_of - free_at >= WAIT_S


def _first_of(first: Sequence[ListedRun], context: RunsContext, *, is_alone: bool) -> Lock:
    """Return who holds the lock, of the runs that no other was seen before.

    Those that certainly wait are ruled out.
    """
    able = [one for one in first if not one.waits] or first
    began_at = context.mission_at
    if began_at is not None and len(able) > 1:
        # A turn that began after the mission that runs is not the turn of that mission.
        older = [one for one in able if or_never(one.run.idle_at) <= began_at + CLOCKS_S]
        able = older or able
    if is_alone:
        return Lock(tuple(able))
    guess = "a guess: it was first seen running" if len(first) == 1 else "a guess: the others wait"
    return Lock(tuple(able), guess if len(able) == 1 else AT_ONCE)


def _grew_since(one: ListedRun) -> bool:
    """Tell whether its own log grew while it ran: lines of a turn before it were read by then.

    Where its turn before was cancelled, that one's engine may still write.
    """
    is_its_own = one.run.cancel is None
    return is_its_own and or_never(one.log_at) >= or_never(one.run.running_since) + LOG_LAG_S


def lane_owner(
    busy: Iterable[ListedRun], owner: ListedRun | None, context: RunsContext
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
    return owner if owner.run.turn.is_on_lane or may_be_on_lane(owner, context) else None


def may_be_on_lane(one: ListedRun, context: RunsContext) -> bool:
    """Tell whether a run whose beginning nobody saw may be the mission that runs."""
    turn = one.run.turn
    return turn.query is None and turn.routing is None and context.has_mission


def mission_began_at(one: ListedRun, context: RunsContext, *, holds_lock: bool) -> float | None:
    """Return when the mission of a run began, as far as the gateway tells it.

    On G1 the mission that runs is that of the run that has the lock.
    """
    if holds_lock and (one.run.turn.is_on_lane or may_be_on_lane(one, context)):
        return context.mission_at
    return one.mission_at


def is_unwatched(run: Run, moved_at: float) -> bool:
    """Tell whether a run went already when vp-tui began to look, and has not moved since."""
    since = run.running_since
    is_begun = run.idle_at is not None or run.turn.started_at is not None
    return not is_begun and run.spoke_at is None and since is not None and moved_at <= since


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
        signs.append(context.finished_at)
        signs += [_freed_at(other.run, run) for other in seen if other is not one]
    newest = min(max(or_never(at) for at in signs), context.now)
    return context.now if newest == NEVER else newest


def _freed_at(other: Run, run: Run) -> float:
    """Return when another run last held the lock, or may have held it rather than this one.

    One that was not heard and came later only waited: that it left, or was cancelled, frees
    nothing.
    """
    signs = [other.held_at]
    if _came_first(other.left_from, run):
        signs.append(other.left_at)
    if other.spoke_at is not None or _came_first(other.running_since, run):
        signs.append(other.lost_at)
    if (hit := other.cancel) is not None:
        had_it = hit.was_heard or hit.cleared_at is not None or _came_first(hit.counted_from, run)
        signs.append(hit.ended_at if had_it else None)
    return max(map(or_never, signs))


def _came_first(counted_from: float | None, run: Run) -> bool:
    """Tell whether a run that was counted from then on may have had the lock before this one."""
    return run.running_since is None or or_never(counted_from) <= run.running_since


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
            max(or_never(other.run.held_at), or_never(other.run.left_at)) > hit.at
            or (other.run.is_open and context.has_lock)
            for other in seen
            if other is not one
        )
        log_at = None if is_taken else context.lane_log_at
    if log_at is not None and log_at <= hit.ended_at + LOG_LAG_S:
        log_at = None
    newest = max(or_never(hit.wrote_at), or_never(log_at))
    return newest if context.now - newest < context.stuck_after_s else None


def alive_at(run: Run | None) -> float:
    """Return when a run was last known to be what it is now: what ends later is that run.

    Of a run that is not known nothing is told by that.
    """
    if run is None:
        return inf
    return max(map(or_never, (run.ended_at, run.running_since, run.turn.started_at, run.spoke_at)))
