"""How each session's run does: the levels of docs/rollout.md, section 8, each with its reason.

On G1 the runs that wait for the lock are queued: silence is no fault of theirs. On G2 no run waits
for another, so nothing is called queued there (docs/rollout.md, fact 13).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.runs.progress import (
    ListedRun,
    Lock,
    RunsContext,
    is_deaf,
    is_killed,
    is_run_under_way,
    is_unwatched,
    lane_owner,
    lock_of,
    may_be_on_lane,
    mission_began_at,
    moved_at,
    wrote_at,
)
from vp_tui.domain.text import age, clip, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vp_tui.domain.runs.run import Run


NAMED: Final = 4
"""Of the sessions of which it is one; a hundred names say less than their number."""
STUCK_AFTER_S: Final = 120.0
STUCK_AFTER_AT_MOST_S: Final = 600.0
P95_TIMES: Final = 3
LONG_S: Final = 30 * 60.0
UNLISTED: Final = "something not listed (a session being created or resumed)"
"""What holds the lock while all runs wait for it."""
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
    ORPHAN = "orphaned"
    """Cancelled, and its turn has ended, yet its engine goes on writing."""
    LOST = "lost"

    @property
    def is_alarm(self) -> bool:
        """Whether somebody has to look at it."""
        return self in {Level.STUCK, Level.DEAF, Level.LOST}

    @property
    def is_stuck(self) -> bool:
        """Whether the run keeps what it holds and does nothing."""
        return self in {Level.STUCK, Level.DEAF}


class RunLevel(NamedTuple):
    """The level of one run, and why. Times on the monotonic clock."""

    level: Level | None
    """None: nothing that is known now tells it, or it ran already when vp-tui began to look."""
    reason: str
    silent_s: float | None = None
    """Since it last made progress."""
    since: float | None = None
    """From when on it was so: silent, cancelled, gone."""
    blocker: str | None = None
    """The session that it waits behind; None for a queued run: see `behind`."""
    rivals: tuple[str, ...] = ()
    """Sessions of which one holds the lock, none of them known to: this one, or it waits behind."""
    is_blocker_stuck: bool = False
    waiting: tuple[str, ...] = ()
    holds_lock: bool = False
    is_guess: bool = False
    """Who holds the lock is inferred."""
    is_certain: bool = True
    """The listing is current; else only the live streams speak."""
    owns_lane: bool = False
    """It is believed to be the run whose mission the lane works on."""
    is_unwatched: bool = False
    """It went already when vp-tui began to look, and has not been seen to move since."""
    age_s: float | None = None
    """Of its mission, while it is unwatched: how long the run is known to go on at least."""

    @property
    def is_unjudged(self) -> bool:
        """Whether it was listed too short a time ago to tell how it does."""
        return self.level is None and self.is_unwatched

    @property
    def hinders_clean(self) -> bool:
        """Whether it may hang for all that is known: of unknown age, or older than the limit."""
        return self.is_old or (self.is_unjudged and self.age_s is None)

    @property
    def is_old(self) -> bool:
        """Whether only its age, and no silence that was watched, says that it may hang."""
        return self.level is Level.QUIET and self.is_unwatched

    @property
    def is_behind_unlisted(self) -> bool:
        """Whether it waits for a lock that nothing holds that is listed."""
        return self.level is Level.QUEUED and self.blocker is None and not self.rivals

    def behind(self, name: Callable[[str], str] = str) -> str:
        """Return whom a queued run waits behind, each session as `name` calls it."""
        if self.blocker is not None:
            return name(self.blocker)
        return either(self.rivals, name) or UNLISTED


def either(sessions: Sequence[str], name: Callable[[str], str] = str) -> str:
    """Return sessions of which it is one: `a or b`; of many the first ones and their number."""
    others = len(sessions) - NAMED
    more = [f"one of {counted(others, 'other')}"] if others > 0 else []
    return " or ".join([*map(name, sessions[:NAMED]), *more])


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
    lock = lock_of(busy, seen, context)
    holders = lock.holders if lock else ()
    lane = lane_owner(busy, lock.owner if lock else None, context)
    queue = [one for one in busy if lock and one not in holders and not is_deaf(one, context)]
    waiting = tuple(one.run.session_id for one in queue)
    for one in (one for one in busy if one.run.session_id not in waiting):
        found[one.run.session_id] = _of_active(
            one, seen, context, lock, waiting, is_lane=one is lane
        )
    if lock:
        ahead = [found[one.run.session_id] for one in holders]
        found.update({one.run.session_id: _queued(one, lock, ahead, context) for one in queue})
    return found


def _of_active(
    one: ListedRun,
    seen: tuple[ListedRun, ...],
    context: RunsContext,
    lock: Lock | None,
    waiting: tuple[str, ...],
    *,
    is_lane: bool,
) -> RunLevel:
    """Return the level of a run that is not known to wait."""
    holders = lock.holders if lock else ()
    holds, contends = one in holders, one in holders and len(holders) > 1
    on_lane = is_lane or (contends and may_be_on_lane(one, context))
    since = moved_at(one, seen, context, holds_lock=holds, owns_lane=on_lane)
    began_at = mission_began_at(one, context, holds_lock=holds)
    base = RunLevel(
        None,
        "",
        max(context.now - since, 0.0),
        since,
        waiting=waiting if holds else (),
        rivals=tuple(each.run.session_id for each in holders) if contends else (),
        holds_lock=holds and not contends,
        is_guess=bool(lock and holds and lock.guess),
        is_certain=context.doubt is None,
        owns_lane=is_lane,
    )
    if is_unwatched(one.run, since):
        age_s = None if began_at is None else max(context.now - began_at, base.silent_s or 0.0)
        base = base._replace(is_unwatched=True, age_s=age_s)
    judge = _deaf if is_deaf(one, context) else _moving
    told = judge(one.run, base, context)
    return told._replace(reason=_with(told.reason, _lock(base, lock), context.doubt))


def _at_rest(one: ListedRun, seen: tuple[ListedRun, ...], context: RunsContext) -> RunLevel:
    """Return the level of a session without a turn under way, as far as is known."""
    run = one.run
    if run.lost_at is not None:
        gone = f"the session is gone since {age(context.now - run.lost_at)}, while it ran"
        return RunLevel(Level.LOST, gone, since=run.lost_at)
    if run.killed_at is not None and is_killed(run, context.now):
        gone = f"a restart of the gateway ended it {age(context.now - run.killed_at)} ago"
        return RunLevel(Level.LOST, f"{gone}, while it ran", since=run.killed_at)
    hit = run.cancel
    if hit is not None and (last := wrote_at(one, hit, seen, context)) is not None:
        silent_s = max(context.now - last, 0.0)
        since, last_words = age(context.now - hit.at), age(silent_s)
        reason = f"cancelled {since} ago, yet its engine wrote {last_words} ago"
        return RunLevel(Level.ORPHAN, _with(reason, context.doubt), silent_s, hit.at)
    if context.doubt is None:
        return RunLevel(Level.IDLE, "no run")
    if one.is_live and not run.is_open:
        return RunLevel(Level.IDLE, f"no run is heard; {context.doubt}", is_certain=False)
    return RunLevel(None, context.doubt, is_certain=False)


def _moving(run: Run, base: RunLevel, context: RunsContext) -> RunLevel:
    """Return the level of a run that is counted and does not wait for the lock."""
    silent_s, limit_s = base.silent_s or 0.0, context.stuck_after_s
    if run.is_unanswerable or silent_s >= limit_s:
        level = Level.STUCK
    elif silent_s >= limit_s / 2:
        level, base = Level.QUIET, base._replace(is_unwatched=False)
    elif base.is_unwatched and (base.rivals or base.age_s is None or base.age_s >= limit_s / 2):
        return _by_age(base, limit_s)
    elif base.waiting and _runs_for(run, context.now) > LONG_S:
        level = Level.LONG
    elif not context.is_heard:
        return base._replace(reason="whether it moves is unknown: streams were not looked at")
    else:
        level = Level.OK
    return base._replace(level=level, reason=_activity(run, level, silent_s, context.now))


def _by_age(base: RunLevel, limit_s: float) -> RunLevel:
    """Return the level of a run that went before, of which nothing was watched for long."""
    watched = f"watched for {age(base.silent_s or 0.0)}"
    if base.age_s is None:
        reason = f"it ran already when vp-tui began to look, {watched}"
        return base._replace(reason=reason)
    reason = f"running since at least {age(base.age_s)}, {watched}"
    level = Level.QUIET if base.age_s >= limit_s else None
    return base._replace(level=level, reason=reason)


def _deaf(run: Run, base: RunLevel, context: RunsContext) -> RunLevel:
    since = context.now if run.pending is None else run.pending.at
    reason = (
        f"cancelled {age(context.now - since)} ago: counter cleared, task unconfirmed, "
        "its turn has not ended"
    )
    return base._replace(level=Level.DEAF, reason=reason, since=since)


def _queued(
    one: ListedRun, lock: Lock, ahead: Sequence[RunLevel], context: RunsContext
) -> RunLevel:
    run, owner = one.run, lock.owner
    is_stuck = bool(ahead) and all(told.level and told.level.is_stuck for told in ahead)
    silent_s = None if run.progress_at is None else max(context.now - run.progress_at, 0.0)
    level = RunLevel(
        Level.QUEUED,
        "",
        silent_s,
        run.running_since,
        blocker=owner.run.session_id if owner else None,
        rivals=() if owner else tuple(each.run.session_id for each in lock.holders),
        is_blocker_stuck=is_stuck,
        is_guess=bool(lock.guess),
        is_certain=context.doubt is None,
    )
    state = f", which is {ahead[0].level}" if is_stuck else ""
    reason = _with(f"queued behind {level.behind()}{state}", lock.guess, context.doubt)
    return level._replace(reason=reason)


def _with(reason: str, *more: str | None) -> str:
    return "; ".join(filter(None, (reason, *more)))


def _activity(run: Run, level: Level, silent_s: float, now: float) -> str:
    """Say what the run does, and for how long it has not moved."""
    silent = f"no progress for {age(silent_s)}" if level in {Level.QUIET, Level.STUCK} else ""
    runs = f"runs for {age(_runs_for(run, now))}" if level is Level.LONG else ""
    tool = run.turn.open_tools[-1] if run.turn.open_tools else None
    tool_use = f"in tool {tool.name} for {age(now - tool.at)}" if tool else ""
    hit = run.pending
    cancelled = f"cancelled {age(now - hit.at)} ago, still counted" if hit else ""
    parts = (silent, runs, _question(run), tool_use, cancelled)
    return ", ".join(filter(None, parts)) or f"silent for {age(silent_s)}"


def _question(run: Run) -> str:
    if run.question is None:
        return ""
    asked = f"“{clip(run.question, QUESTION_LIMIT)}”"
    if run.is_unanswerable:
        return f"asks {asked} on the lane, where nobody can answer"
    return f"waits for an answer to {asked}"


def _lock(level: RunLevel, lock: Lock | None) -> str:
    if lock is None or not (level.holds_lock or level.rivals):
        return ""
    wait = waiting_behind(len(level.waiting))
    if level.rivals:
        speaks = (f"{one.run.session_id} ({_evidence(one)})" for one in lock.holders)
        return f"the gateway lock is held by {' or '.join(speaks)}, {wait} ({lock.guess})"
    return f"holds the gateway lock, {wait}" + (f" ({lock.guess})" if lock.guess else "")


def _evidence(one: ListedRun) -> str:
    """Say what speaks for a run that may hold the lock."""
    events = one.run.own_seq or 0
    lines = "its log has lines" if one.has_log else "its log has no lines"
    return f"{lines}, {counted(max(events, 0), 'event')}"


def waiting_behind(number: int) -> str:
    """Return how many turns wait behind a run."""
    if not number:
        return "no turn waits behind it"
    return f"{counted(number, 'turn')} wait{'s' * (number == 1)} behind it"


def began_at(run: Run) -> float | None:
    """Return when its turn began, or where that was not seen, when vp-tui first saw it running."""
    return run.running_since if run.turn.started_at is None else run.turn.started_at


def _runs_for(run: Run, now: float) -> float:
    began = began_at(run)
    return 0.0 if began is None else now - began
