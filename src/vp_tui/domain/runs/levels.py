"""How each session's run does: the levels of docs/rollout.md, section 8, each with its reason.

On G1 the runs that wait for the lock are queued: silence is no fault of theirs. On G2 no run waits
for another, so nothing is called queued there (docs/rollout.md, fact 13).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.runs.progress import (
    ListedRun,
    Owner,
    RunsContext,
    is_deaf,
    is_run_under_way,
    lane_owner,
    moved_at,
    owner_of,
    wrote_at,
)
from vp_tui.domain.text import age, clip, counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.runs.run import Run


STUCK_AFTER_S: Final = 120.0
STUCK_AFTER_AT_MOST_S: Final = 600.0
P95_TIMES: Final = 3
LONG_S: Final = 30 * 60.0
QUESTION_LIMIT: Final = 60
"""Characters of a question in a reason."""


class Level(StrEnum):
    """How a session's run does."""

    IDLE = "idle"
    OK = "ok"
    LONG = "long"
    """It makes progress, but takes long while others wait."""
    QUIET = "quiet"
    STUCK = "stuck"
    QUEUED = "queued"
    DEAF = "deaf"
    """Cancelled and no longer counted, but its turn has not ended."""
    ORPHAN = "orphan"
    """Cancelled, and its turn has ended, yet its engine goes on writing."""
    LOST = "lost"
    """The session is gone."""

    @property
    def is_alarm(self) -> bool:
        """Whether somebody has to look at it."""
        return self in _ALARMS

    @property
    def is_stuck(self) -> bool:
        """Whether the run keeps what it holds and does nothing."""
        return self in _HANGING


_ALARMS: Final = frozenset({Level.STUCK, Level.DEAF, Level.LOST})
_HANGING: Final = frozenset({Level.STUCK, Level.DEAF})


class RunLevel(NamedTuple):
    """The level of one run, and why. Times on the monotonic clock."""

    level: Level | None
    """None: nothing that is known now tells it."""
    reason: str
    silent_s: float | None = None
    """Since it last made progress."""
    since: float | None = None
    """From when on it was so: silent, cancelled, gone."""
    blocker: str | None = None
    """The session that it waits behind."""
    is_blocker_stuck: bool = False
    waiting: tuple[str, ...] = ()
    """The sessions that wait behind it."""
    holds_lock: bool = False
    is_guess: bool = False
    """Who holds the lock is inferred."""
    is_certain: bool = True
    """The listing is current; else only the live streams speak."""
    owns_lane: bool = False
    """It is believed to be the run whose mission the lane works on."""


class _Case(NamedTuple):
    """A run under way, and whom it keeps waiting."""

    one: ListedRun
    owner: Owner | None
    """None: it holds no lock."""
    waiting: tuple[str, ...]
    moved_at: float
    owns_lane: bool
    context: RunsContext

    @property
    def silent_s(self) -> float:
        return max(self.context.now - self.moved_at, 0.0)


def stuck_after(asked_s: float | None, p95_s: float | None) -> float:
    """Return the seconds of silence from which on a run is stuck; one that was asked for stands."""
    if asked_s is not None:
        return asked_s
    return max(STUCK_AFTER_S, min(P95_TIMES * (p95_s or 0.0), STUCK_AFTER_AT_MOST_S))


def levels(sessions: Iterable[ListedRun], context: RunsContext) -> dict[str, RunLevel]:
    """Return the level of each session, by its id."""
    seen = tuple(sessions)
    found: dict[str, RunLevel] = {}
    busy: list[ListedRun] = []
    for one in seen:
        if one.run.lost_at is None and is_run_under_way(one, context):
            busy.append(one)
        else:
            found[one.run.session_id] = _at_rest(one, seen, context)
    owner = owner_of(busy, context)
    lane = lane_owner(busy, owner, context)
    queue = [one for one in busy if _waits(one, owner, context)]
    waiting = tuple(one.run.session_id for one in queue)
    for one in (one for one in busy if not _waits(one, owner, context)):
        holds = owner if owner and one is owner.one else None
        on_lane = one is lane
        since = moved_at(one, seen, context, holds_lock=holds is not None, owns_lane=on_lane)
        case = _Case(one, holds, waiting if holds else (), since, on_lane, context)
        found[one.run.session_id] = _deaf(case) if is_deaf(one, context) else _moving(case)
    if owner:
        ahead = found[owner.one.run.session_id]
        found.update({one.run.session_id: _queued(one, owner, ahead, context) for one in queue})
    return found


def _waits(one: ListedRun, owner: Owner | None, context: RunsContext) -> bool:
    return owner is not None and one is not owner.one and not is_deaf(one, context)


def _at_rest(one: ListedRun, seen: tuple[ListedRun, ...], context: RunsContext) -> RunLevel:
    """Return the level of a session without a turn under way, as far as is known."""
    run = one.run
    if run.lost_at is not None:
        gone = f"the session is gone since {age(context.now - run.lost_at)}, while it ran"
        return RunLevel(Level.LOST, gone, since=run.lost_at)
    hit = run.cancel
    if hit is not None and (last := wrote_at(one, hit, seen, context)) is not None:
        silent_s = max(context.now - last, 0.0)
        since, last_words = age(context.now - hit.at), age(silent_s)
        reason = f"cancelled {since} ago, yet its engine wrote {last_words} ago"
        return RunLevel(Level.ORPHAN, _with(reason, context.doubt), silent_s, hit.at)
    if context.doubt is None:
        return _IDLE
    if one.is_live and not run.is_open:
        return RunLevel(Level.IDLE, f"no run is heard; {context.doubt}", is_certain=False)
    return RunLevel(None, context.doubt, is_certain=False)


_IDLE: Final = RunLevel(Level.IDLE, "no run")


def _moving(case: _Case) -> RunLevel:
    """Return the level of a run that is counted and does not wait for the lock."""
    run, limit_s = case.one.run, case.context.stuck_after_s
    if run.is_unanswerable or case.silent_s >= limit_s:
        level = Level.STUCK
    elif case.silent_s >= limit_s / 2:
        level = Level.QUIET
    elif case.waiting and _runs_for(run, case.context.now) > LONG_S:
        level = Level.LONG
    else:
        level = Level.OK
    return _told(case, level, _activity(case, level), case.moved_at)


def _deaf(case: _Case) -> RunLevel:
    hit = case.one.run.pending
    since = case.context.now if hit is None else hit.at
    reason = (
        f"cancelled {age(case.context.now - since)} ago: counter cleared, task unconfirmed, "
        "its turn has not ended"
    )
    return _told(case, Level.DEAF, reason, since)


def _told(case: _Case, level: Level, reason: str, since: float) -> RunLevel:
    return RunLevel(
        level,
        _with(reason, _lock(case), case.context.doubt),
        case.silent_s,
        since,
        waiting=case.waiting,
        holds_lock=case.owner is not None,
        is_guess=bool(case.owner and case.owner.guess),
        is_certain=case.context.doubt is None,
        owns_lane=case.owns_lane,
    )


def _queued(one: ListedRun, owner: Owner, ahead: RunLevel, context: RunsContext) -> RunLevel:
    run, blocker = one.run, owner.one.run.session_id
    is_stuck = ahead.level is not None and ahead.level.is_stuck
    state = f", which is {ahead.level}" if is_stuck else ""
    silent_s = None if run.progress_at is None else max(context.now - run.progress_at, 0.0)
    return RunLevel(
        Level.QUEUED,
        _with(f"queued behind {blocker}{state}", owner.guess, context.doubt),
        silent_s,
        run.running_since,
        blocker=blocker,
        is_blocker_stuck=is_stuck,
        is_guess=bool(owner.guess),
        is_certain=context.doubt is None,
    )


def _with(reason: str, *more: str | None) -> str:
    return "; ".join(part for part in (reason, *more) if part)


def _activity(case: _Case, level: Level) -> str:
    """Say what the run does, and for how long it has not moved."""
    run, now = case.one.run, case.context.now
    silent = f"no progress for {age(case.silent_s)}" if level in {Level.QUIET, Level.STUCK} else ""
    runs = f"runs for {age(_runs_for(run, now))}" if level is Level.LONG else ""
    tool = run.turn.open_tools[-1] if run.turn.open_tools else None
    tool_use = f"in tool {tool.name} for {age(now - tool.at)}" if tool else ""
    parts = [part for part in (silent, runs, _question(run), tool_use, _cancel(run, now)) if part]
    return ", ".join(parts) or f"silent for {age(case.silent_s)}"


def _question(run: Run) -> str:
    if run.question is None:
        return ""
    asked = f"“{clip(run.question, QUESTION_LIMIT)}”"
    if run.is_unanswerable:
        return f"asks {asked} on the lane, where nobody can answer"
    return f"waits for an answer to {asked}"


def _cancel(run: Run, now: float) -> str:
    return f"cancelled {age(now - run.pending.at)} ago, still counted" if run.pending else ""


def _lock(case: _Case) -> str:
    if case.owner is None:
        return ""
    wait = waiting_behind(len(case.waiting))
    guess = f" ({case.owner.guess})" if case.owner.guess else ""
    return f"holds the gateway lock, {wait}{guess}"


def waiting_behind(number: int) -> str:
    """Return how many turns wait behind a run."""
    if not number:
        return "no turn waits behind it"
    return f"{counted(number, 'turn')} wait{'s' * (number == 1)} behind it"


def _runs_for(run: Run, now: float) -> float:
    began = run.running_since if run.turn.started_at is None else run.turn.started_at
    return 0.0 if began is None else now - began
