"""Following a cancel until the gateway has recovered (docs/rollout.md, sections 5 and 9).

An answer is not a recovery, and neither is a counter at 0: a run that does not hear holds the lock
on (docs/rollout.md, fact 7). Recovered means that a later turn completes: of the same session, or,
where one lock serves all (G1), of any. On G2 each session has a lock of its own: what another one
does proves nothing there. Moments are vp-tui's own monotonic clock, seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.runs.run import NEVER, or_never
from vp_tui.domain.text import age

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from vp_tui.domain.models import Failure
    from vp_tui.domain.runs.run import Run, RunCancel


STILL_AFTER_S: Final = 10.0
"""Without a sign of life from the run for so long after its counter was cleared, it is still."""
SAME_S: Final = 30.0
"""A `cancelled` frame so long after our own request is still that request's."""
UNCONFIRMED_AFTER_S: Final = 120.0
"""After so long without a recovery, a cancel is raised as unconfirmed."""
CLOCKS_S: Final = 2.0
"""A mission's stamps, brought to our own clock, may be so far off."""


_MOMENTS: Final = frozenset(
    {"at", "answered_at", "cleared_at", "ended_at", "moved_at", "recovered_at", "restarted_at"}
)
"""Those fields of a cancel that are moments on the monotonic clock."""
_WHO: Final = frozenset({"actor", "reason", "audited"})


class CancelState(StrEnum):
    """How far a cancel has come, in the words of the screen."""

    REQUESTED = "requested"
    UNKNOWN = "whether it was carried out is not known"
    FAILED = "not carried out"
    MISSED = "nothing was cancelled: the turn had ended"
    ANSWERED = "answered"
    CLEARED = "counter cleared, task unconfirmed"
    ENDED = "the run ended, not recovered yet"
    RECOVERED = "recovered"
    UNCONFIRMED = "UNCONFIRMED"
    RESTARTED = "ended by a restart"


class CancelStep(NamedTuple):
    """One step on the way to recovery; `at` is None while it is awaited."""

    name: str
    at: float | None
    detail: str = ""


class Cancel(NamedTuple):
    """One cancel of one session's run, and what was seen since."""

    session_id: str
    at: float
    """When it was asked for, or when its frame came."""
    epoch: int | None
    """The gateway's, at that time."""
    actor: str | None = None
    """Who asked by this vp-tui; None: somebody else did."""
    reason: str = ""
    was_hit: bool = False
    """A turn was under way that it hit."""
    was_stuck: bool = False
    """That turn was stuck, or did not hear it."""
    mission_id: str | None = None
    """That turn's mission, where its stream named it, or it certainly held the lock."""
    answered_at: float | None = None
    task_cancelled: bool | None = None
    """The run unwound while the gateway waited; None: not answered, or not to us."""
    failure: Failure | None = None
    cleared_at: float | None = None
    """`active_runs` was 0 in a listing since."""
    ended_at: float | None = None
    moved_at: float | None = None
    """The run was last seen to move since its counter was cleared."""
    recovered_at: float | None = None
    recovered_by: str = ""
    """Which later turn completed, in words."""
    restarted_at: float | None = None
    audited: tuple[str, ...] = ()
    """Of our own, what the audit was told that it came to."""

    @property
    def who(self) -> str:
        """Who asked, in words."""
        return self.actor or "somebody else"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be awaited."""
        return self.recovered_at is not None or self.is_moot

    @property
    def is_moot(self) -> bool:
        """Whether it was never carried out, hit nothing, or a restart ended the run."""
        return self.is_vain or self.restarted_at is not None

    @property
    def is_vain(self) -> bool:
        """Whether it was never carried out, or hit nothing."""
        return self.is_refused or self.is_missed

    @property
    def is_refused(self) -> bool:
        """Whether it was certainly not carried out."""
        return self.failure is not None and not self.failure.is_uncertain

    @property
    def is_missed(self) -> bool:
        """Whether the turn had ended by itself when it arrived."""
        is_at_rest = self.ended_at is not None or self.cleared_at is not None
        return self.task_cancelled is False and not self.was_hit and is_at_rest

    @property
    def has_hit(self) -> bool:
        """Whether a turn is known to have been cancelled by it."""
        return self.was_hit or self.task_cancelled is True

    @property
    def is_in_flight(self) -> bool:
        """Whether the gateway's answer to us is awaited."""
        return self.actor is not None and self.answered_at is None and self.failure is None

    def state(self, now: float) -> CancelState:
        """Return how far it has come."""
        told = (
            (self.recovered_at is not None, CancelState.RECOVERED),
            (self.restarted_at is not None, CancelState.RESTARTED),
            (self.is_refused, CancelState.FAILED),
            (self.is_missed, CancelState.MISSED),
            (now - self.at >= UNCONFIRMED_AFTER_S, CancelState.UNCONFIRMED),
            (self.ended_at is not None, CancelState.ENDED),
            (self.cleared_at is not None, CancelState.CLEARED),
            (self.answered_at is not None, CancelState.ANSWERED),
            (self.failure is not None, CancelState.UNKNOWN),
        )
        return next((state for holds, state in told if holds), CancelState.REQUESTED)


class CompletedMission(NamedTuple):
    """A mission that completed."""

    mission_id: str
    began_at: float
    at: float
    session_id: str | None = None
    """The session that asked for it, where the gateway links both: G2."""


class RunsObserved(NamedTuple):
    """What is known of all sessions at one moment."""

    runs: Mapping[str, Run]
    running: Collection[str]
    """Sessions that the newest listing counts a run of."""
    listed_at: float | None
    stuck_after_s: float
    has_lock: bool = False
    missions: tuple[CompletedMission, ...] = ()


def observe(cancel: Cancel, now_known: RunsObserved) -> Cancel:
    """Return the cancel after a look at all sessions."""
    if cancel.is_over:
        return cancel
    listed_at, is_counted = now_known.listed_at, cancel.session_id in now_known.running
    if cancel.cleared_at is None and or_never(listed_at) > cancel.at and not is_counted:
        cancel = cancel._replace(cleared_at=listed_at)
    if (run := now_known.runs.get(cancel.session_id)) is not None:
        cancel = _followed(cancel, run, now_known.stuck_after_s)
    for at, by in _later_turns(cancel, now_known):
        return cancel._replace(recovered_at=at, recovered_by=by)
    return cancel


def by_others(cancels: Iterable[Cancel], runs: Iterable[Run], epoch: int | None) -> list[Cancel]:
    """Return the cancels that the runs tell of and nobody follows yet."""
    newest = {cancel.session_id: cancel.at for cancel in cancels if not cancel.is_refused}
    return [
        Cancel(run.session_id, run.cancel.at, epoch)
        for run in runs
        if run.cancel is not None and run.cancel.at > newest.get(run.session_id, NEVER) + SAME_S
    ]


def moved_by(cancel: Cancel, by_s: float) -> Cancel:
    """Return the cancel with its moments on a clock that is ahead by so many seconds."""
    moments = {name: value for name, value in cancel._asdict().items() if name in _MOMENTS}
    return cancel._replace(**{n: at + by_s for n, at in moments.items() if at is not None})


def joined_cancels(
    own: Iterable[Cancel], told: Iterable[Cancel], *, with_actor: bool = False
) -> tuple[Cancel, ...]:
    """Return the cancels that two follow, oldest first; of the same one what either has seen.

    `with_actor` takes from `told` too who asked: who follows a cancel that somebody else asked for
    does not answer for it.
    """
    joined, left_out = list(own), frozenset[str]() if with_actor else _WHO
    for cancel in told:
        same = (place for place, known in enumerate(joined) if _is_same(known, cancel))
        if (place := next(same, None)) is None:
            joined.append(cancel)
            continue
        known = joined[place]
        seen = {n: v for n, v in cancel._asdict().items() if v and n not in left_out}
        news = {name: value for name, value in seen.items() if not getattr(known, name)}
        joined[place] = known._replace(**news)
    return tuple(sorted(joined, key=lambda cancel: cancel.at))


def _is_same(one: Cancel, other: Cancel) -> bool:
    return one.session_id == other.session_id and abs(one.at - other.at) <= SAME_S


def steps(cancel: Cancel, now: float) -> tuple[CancelStep, ...]:
    """Return the steps of docs/rollout.md, section 9, each with its time or still awaited."""
    moved = "" if cancel.moved_at is None else f"it still wrote {age(now - cancel.moved_at)} ago"
    return (
        CancelStep("requested", cancel.at, f"by {cancel.who}: {cancel.reason}".rstrip(": ")),
        CancelStep("answered", cancel.answered_at, _answer(cancel)),
        CancelStep("active_runs 0", cancel.cleared_at),
        CancelStep("sequence still", _still_at(cancel, now), moved),
        CancelStep("a later turn completes", cancel.recovered_at, cancel.recovered_by),
    )


def pending(cancels: Iterable[Cancel]) -> tuple[Cancel, ...]:
    """Return the cancels whose recovery is awaited."""
    return tuple(cancel for cancel in cancels if not cancel.is_over)


def _later_turns(cancel: Cancel, known: RunsObserved) -> Iterator[tuple[float, str]]:
    """Yield when turns completed that prove the recovery, and which they were."""
    for run in known.runs.values():
        completed_at = run.completed_at
        if completed_at is None:
            continue
        if run.session_id == cancel.session_id:
            if cancel.ended_at is not None and completed_at > cancel.ended_at:
                yield completed_at, "a later turn of the same session"
        elif known.has_lock and or_never(run.completed_from) > cancel.at:
            # One that had begun before did not wait behind the cancelled run.
            yield completed_at, f"a later turn of {run.session_id}"
    for mission in known.missions:
        is_proof = known.has_lock or mission.session_id == cancel.session_id
        is_later = mission.began_at > cancel.at + CLOCKS_S
        if is_proof and is_later and mission.mission_id != cancel.mission_id:
            yield mission.at, f"a later mission, {mission.mission_id}"


def _followed(cancel: Cancel, run: Run, stuck_after_s: float) -> Cancel:
    hit = run.cancel
    if hit is not None and _is_of(hit, cancel):
        cancel = cancel._replace(
            was_hit=True,
            was_stuck=cancel.was_stuck or _was_stuck(hit, stuck_after_s),
            mission_id=cancel.mission_id or hit.turn.mission_id,
            ended_at=hit.ended_at if cancel.ended_at is None else cancel.ended_at,
        )
    elif cancel.ended_at is None and or_never(run.ended_at) > cancel.at:
        cancel = cancel._replace(ended_at=run.ended_at)
    quiet_from = cancel.answered_at if cancel.answered_at is not None else cancel.cleared_at
    wrote_at = hit.wrote_at if hit is not None and cancel.was_hit else None
    moved_at = run.progress_at if cancel.ended_at is None else wrote_at
    if quiet_from is not None and moved_at is not None and moved_at > quiet_from:
        cancel = cancel._replace(moved_at=moved_at)
    return cancel


def _is_of(hit: RunCancel, cancel: Cancel) -> bool:
    """Tell whether the turn that was hit is the one that was under way when this was asked for."""
    is_open = hit.ended_at is None or hit.ended_at >= cancel.at
    return is_open and hit.at <= cancel.at + SAME_S


def _was_stuck(hit: RunCancel, stuck_after_s: float) -> bool:
    is_deaf = hit.cleared_at is not None and (hit.ended_at is None or hit.ended_at > hit.cleared_at)
    silent_s = 0.0 if hit.silent_since is None else hit.at - hit.silent_since
    return is_deaf or hit.was_unanswerable or silent_s >= stuck_after_s / 2  # quiet, or stuck


def _still_at(cancel: Cancel, now: float) -> float | None:
    """Return since when the run gives no sign of life; None while that is not known."""
    if cancel.cleared_at is None:
        return None
    since = max(cancel.cleared_at, cancel.moved_at or cancel.cleared_at)
    return since if now - since >= STILL_AFTER_S else None


def _answer(cancel: Cancel) -> str:
    if cancel.failure is not None:
        return cancel.failure.reason
    if cancel.task_cancelled is None:
        return "" if cancel.actor else "to somebody else"
    told = "the run did not hear: deaf" if cancel.was_hit else "nothing ran any more"
    if cancel.task_cancelled:
        told = "the run unwound"
    return f"task_cancelled={str(cancel.task_cancelled).lower()}, {told}"
