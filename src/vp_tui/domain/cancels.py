"""Following a cancel until the gateway has recovered (the rollout's rules, sections 5 and 9).

An answer is not a recovery, and neither is a counter at 0: a run that does not hear holds the lock
on. Recovered means that a later turn completes. Moments are vp-tui's own monotonic clock, seconds.
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vp_tui.domain.models import Failure
    from vp_tui.domain.runs import Run

STILL_AFTER_S: Final = 10.0
"""Without a sign of life from the run for so long after its counter was cleared, it is still."""
SAME_S: Final = 30.0
"""A `cancelled` frame so long after our own request is still that request's."""
UNCONFIRMED_AFTER_S: Final = 120.0
"""After so long without a recovery, a cancel is raised as unconfirmed."""


class CancelState(StrEnum):
    """How far a cancel has come, in the words of the screen."""

    REQUESTED = "requested"
    FAILED = "not sent"
    ANSWERED = "answered"
    CLEARED = "counter cleared, task unconfirmed"
    ENDED = "the run ended, recovery unconfirmed"
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
    was_stuck: bool = False
    """The run was stuck or deaf when it was asked for."""
    answered_at: float | None = None
    task_cancelled: bool | None = None
    """The run unwound while the gateway waited; None: not answered, or not to us."""
    failure: Failure | None = None
    cleared_at: float | None = None
    """`active_runs` was 0 in a listing since."""
    ended_at: float | None = None
    """The cancelled turn ended."""
    moved_at: float | None = None
    """The run was last seen to move since its counter was cleared."""
    recovered_at: float | None = None
    recovered_by: str = ""
    """Which later turn completed, in words."""
    restarted_at: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be awaited."""
        return self.recovered_at is not None or self.is_moot

    @property
    def is_moot(self) -> bool:
        """Whether it was never carried out, or a restart ended the run."""
        certain = self.failure is not None and not self.failure.is_uncertain
        return certain or self.restarted_at is not None

    def state(self, now: float) -> CancelState:
        """Return how far it has come."""
        told = (
            (self.recovered_at is not None, CancelState.RECOVERED),
            (self.restarted_at is not None, CancelState.RESTARTED),
            (self.is_moot, CancelState.FAILED),
            (now - self.at >= UNCONFIRMED_AFTER_S, CancelState.UNCONFIRMED),
            (self.ended_at is not None, CancelState.ENDED),
            (self.cleared_at is not None, CancelState.CLEARED),
            (self.answered_at is not None, CancelState.ANSWERED),
        )
        return next((state for holds, state in told if holds), CancelState.REQUESTED)


class Sighting(NamedTuple):
    """What is known of all sessions at one moment."""

    runs: Mapping[str, Run]
    running: Collection[str]
    """Sessions that the newest listing counts a run of."""
    listed_at: float | None
    """When that listing came."""


def seen(cancel: Cancel, now_known: Sighting) -> Cancel:
    """Return the cancel after a look at all sessions."""
    if cancel.is_over:
        return cancel
    run = now_known.runs.get(cancel.session_id)
    cancel = _counted(cancel, now_known)
    if run is not None:
        cancel = _followed(cancel, run)
    for other in now_known.runs.values():
        if other.session_id == cancel.session_id:
            if cancel.ended_at is not None and _after(other.completed_at, cancel.ended_at):
                return recovered(cancel, other.completed_at, "a later turn of the same session")
        elif _after(other.completed_at, cancel.at):
            return recovered(cancel, other.completed_at, f"a turn of {other.session_id}")
    return cancel


def by_others(cancels: Iterable[Cancel], runs: Iterable[Run], epoch: int | None) -> list[Cancel]:
    """Return the cancels that the runs tell of and nobody follows yet."""
    newest = {cancel.session_id: cancel.at for cancel in cancels}
    return [
        Cancel(run.session_id, run.cancel.at, epoch)
        for run in runs
        if run.cancel is not None and run.cancel.at > newest.get(run.session_id, -inf) + SAME_S
    ]


def recovered(cancel: Cancel, at: float | None, by: str) -> Cancel:
    """Return the cancel as recovered, unless it was before."""
    if cancel.is_over or at is None:
        return cancel
    return cancel._replace(recovered_at=at, recovered_by=by)


def steps(cancel: Cancel, now: float) -> tuple[CancelStep, ...]:
    """Return the steps of section 9, each with its time or still awaited."""
    whose = cancel.actor or "somebody else"
    still_at = _still_at(cancel, now)
    return (
        CancelStep("requested", cancel.at, f"by {whose}: {cancel.reason}".rstrip(": ")),
        CancelStep("answered", cancel.answered_at, _answer(cancel)),
        CancelStep("active_runs 0", cancel.cleared_at, ""),
        CancelStep("sequence still", still_at, _movement(cancel, now)),
        CancelStep("a later turn completes", cancel.recovered_at, cancel.recovered_by),
    )


def pending(cancels: Iterable[Cancel]) -> tuple[Cancel, ...]:
    """Return the cancels whose recovery is awaited."""
    return tuple(cancel for cancel in cancels if not cancel.is_over)


def _counted(cancel: Cancel, now_known: Sighting) -> Cancel:
    listed_at = now_known.listed_at
    is_counted = cancel.session_id in now_known.running
    if cancel.cleared_at is None and _after(listed_at, cancel.at) and not is_counted:
        return cancel._replace(cleared_at=listed_at)
    return cancel


def _followed(cancel: Cancel, run: Run) -> Cancel:
    """Take up what the cancelled run itself did since."""
    hit = run.cancel
    if hit is not None and hit.at >= cancel.at - SAME_S and cancel.ended_at is None:
        cancel = cancel._replace(ended_at=hit.ended_at)
    quiet_from = cancel.answered_at if cancel.answered_at is not None else cancel.cleared_at
    moved = [at for at in (run.progress_at, hit.wrote_at if hit else None) if at is not None]
    if quiet_from is not None and moved and max(moved) > quiet_from:
        cancel = cancel._replace(moved_at=max(moved))
    return cancel


def _after(at: float | None, since: float) -> bool:
    return at is not None and at > since


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
    told = "the run unwound" if cancel.task_cancelled else "the run did not hear: deaf"
    return f"task_cancelled={str(cancel.task_cancelled).lower()}, {told}"


def _movement(cancel: Cancel, now: float) -> str:
    if cancel.moved_at is None:
        return ""
    return f"it still wrote {max(now - cancel.moved_at, 0.0):.0f} s ago"
