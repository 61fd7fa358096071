"""Following a cancel until the gateway has recovered (the rollout's rules, sections 5 and 9).

An answer is not a recovery, and neither is a counter at 0: a run that does not hear holds the lock
on. Recovered means that a later turn completes. Moments are vp-tui's own monotonic clock, seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.models import Failure

STILL_AFTER_S: Final = 10.0
"""Without a sign of life from the run for so long after its counter was cleared, it is still."""
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
        if self.recovered_at is not None:
            return CancelState.RECOVERED
        if self.restarted_at is not None:
            return CancelState.RESTARTED
        if self.is_moot:
            return CancelState.FAILED
        if now - self.at >= UNCONFIRMED_AFTER_S:
            return CancelState.UNCONFIRMED
        if self.ended_at is not None:
            return CancelState.ENDED
        if self.cleared_at is not None:
            return CancelState.CLEARED
        return CancelState.REQUESTED if self.answered_at is None else CancelState.ANSWERED


class Sighting(NamedTuple):
    """What is known of a session at one moment, as far as it bears on a cancel."""

    session_id: str
    is_listed: bool
    """The session is in the newest listing, which came after the cancel."""
    active_runs: int
    ended_at: float | None
    """When its last turn that was heard ended."""
    ended_cancelled: bool
    """That turn was cancelled."""
    progress_at: float | None


def seen(cancel: Cancel, sightings: Iterable[Sighting], listed_at: float | None) -> Cancel:
    """Return the cancel after a look at all sessions; `listed_at` is the newest listing's time."""
    if cancel.is_over:
        return cancel
    for sighting in sightings:
        if sighting.session_id == cancel.session_id:
            cancel = _seen_itself(cancel, sighting, listed_at)
        elif _completed_after(sighting, cancel.at):
            cancel = recovered(cancel, sighting.ended_at, f"a turn of {sighting.session_id}")
    return cancel


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


def _seen_itself(cancel: Cancel, sighting: Sighting, listed_at: float | None) -> Cancel:
    if cancel.cleared_at is None and listed_at is not None and listed_at > cancel.at:
        if not sighting.active_runs:
            cancel = cancel._replace(cleared_at=listed_at)
    ended_at = sighting.ended_at
    if ended_at is not None and ended_at > cancel.at:
        if cancel.ended_at is None:
            cancel = cancel._replace(ended_at=ended_at)
        elif ended_at > cancel.ended_at and not sighting.ended_cancelled:
            return recovered(cancel, ended_at, "a later turn of the same session")
    moved = sighting.progress_at
    quiet_from = cancel.answered_at if cancel.answered_at is not None else cancel.cleared_at
    if moved is not None and quiet_from is not None and moved > quiet_from:
        cancel = cancel._replace(moved_at=moved)
    return cancel


def _completed_after(sighting: Sighting, at: float) -> bool:
    ended_at = sighting.ended_at
    return ended_at is not None and ended_at > at and not sighting.ended_cancelled


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
