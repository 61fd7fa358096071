"""Proving a switch by its effect: from "requested" to CONFIRMED (docs/rollout.md, section 9).

No answer of the gateway shows the lane's switches. That one was written, or that a command ended
well, proves nothing; what a turn of known coding intent does after the change proves it. Any other
turn is consistent and no proof, silence is nothing. Times are vp-tui's own monotonic clock in
seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switches import NOT_IN_FORCE
from vp_tui.domain.lane.turn_proof import TurnSays, wants_missions, what_it_says
from vp_tui.domain.text import counted

if TYPE_CHECKING:
    from vp_tui.domain.lane.switches import Actuation, Change
    from vp_tui.domain.lane.turn_proof import CompletedTurn
    from vp_tui.domain.models import Dialect, Failure, Snapshot


PROOF_WITHIN_S: Final = 180.0
"""Without a proof for so long after the change it is UNCONFIRMED, until one comes after all."""
STAMP_SLACK_S: Final = 2.0
"""A mission's start is known to about so much on vp-tui's clock: its stamp and an answer's way."""
_SILENCE: Final = "no turn of coding intent since, and silence proves nothing: probe the lane"


class Proof(StrEnum):
    """How far a change is proven."""

    PENDING = "pending"
    CONFIRMED = "CONFIRMED"
    UNCONFIRMED = "UNCONFIRMED"
    CONTRADICTED = "CONTRADICTED"
    FAILED = "failed"
    """Nothing was changed."""


class ProofStep(NamedTuple):
    """One thing that was done or seen on the way to a proof."""

    at: float
    step: str
    detail: str = ""


class ActuatorEnded(NamedTuple):
    """The actuator has done what it can."""

    at: float
    actuation: Actuation


class EpochSeen(NamedTuple):
    """The gateway told when it booted."""

    at: float
    boot_stamp: str


class TurnEnded(NamedTuple):
    """A turn was heard to end."""

    at: float
    turn: CompletedTurn
    dialect: Dialect | None
    is_probe: bool = False
    """The prompt was vp-tui's own."""


class Dispatched(NamedTuple):
    """One mission of the metrics; `at` is its start on vp-tui's clock, or a little later."""

    at: float
    mission_id: str
    objective: str = ""


class MissionsPolled(NamedTuple):
    """The metrics answered."""

    at: float
    missions: tuple[Dispatched, ...]
    """As `dispatched_in` tells them."""


class TimePassed(NamedTuple):
    """Nothing happened."""

    at: float


Fact = ActuatorEnded | EpochSeen | TurnEnded | MissionsPolled | TimePassed


class Brake(NamedTuple):
    """One change of a switch, from its being asked for on."""

    change: Change
    asked_at: float
    epoch: str | None
    """The gateway's boot stamp that was seen last; None: none yet."""
    steps: tuple[ProofStep, ...]
    proof: Proof = Proof.PENDING
    reason: str = "requested"
    """Why the proof stands as it does."""
    acted_at: float | None = None
    """When the actuator ended, or asked for the operator's hands."""
    needs_restart: bool = False
    """No more than the env file was changed."""
    in_force_at: float | None = None
    """When a gateway was first seen that booted after the change was asked for."""
    within_s: float = PROOF_WITHIN_S
    consistent: int = 0
    """Turns since that prove nothing."""
    waiting: CompletedTurn | None = None
    """The turn that proves it, if the metrics name no mission for it."""

    @property
    def since(self) -> float | None:
        """From when on an effect is to be expected; None: not yet."""
        if self.in_force_at is not None:
            return self.in_force_at
        return None if self.needs_restart else self.acted_at

    @property
    def is_alarming(self) -> bool:
        """Whether missions are dispatched although they must not be."""
        return self.proof is Proof.CONTRADICTED and not wants_missions(self.change)

    @property
    def outcome(self) -> str:
        """How far it is proven, and why."""
        return f"{self.proof}: {self.reason}"

    @property
    def line(self) -> str:
        """The change and its proof, in one line."""
        return f"{self.change.words}: {self.outcome}"


def new_proof(
    change: Change, at: float, epoch: str | None, *, within_s: float = PROOF_WITHIN_S
) -> Brake:
    """Return the proof of a change that is asked for now; `epoch` is the gateway's boot stamp."""
    steps = (ProofStep(at, "requested", change.words),)
    return Brake(change, at, epoch, steps, within_s=within_s)


def step_proof(brake: Brake, fact: Fact) -> Brake:
    """Return the proof after a fact; one that failed is over."""
    if brake.proof is Proof.FAILED:
        return brake
    match fact:
        case ActuatorEnded():
            return _acted(brake, fact.at, fact.actuation)
        case EpochSeen():
            return _epoch(brake, fact.at, fact.boot_stamp)
        case TurnEnded():
            return _turn(brake, fact)
        case MissionsPolled():
            return _missions(brake, fact)
        case TimePassed():
            return _time(brake, fact.at)


def dispatched_in(snapshot: Snapshot, at: float) -> tuple[Dispatched, ...]:
    """Return a snapshot's missions with their starts on the clock of `at`, when it came.

    Both stamps are the gateway's, so that its clock does not matter; one without a start is out.
    """
    return tuple(
        Dispatched(
            at - (snapshot.generated_at - mission.started_at).total_seconds(),
            mission.mission_id,
            mission.objective,
        )
        for mission in snapshot.missions
        if mission.started_at is not None
    )


def _acted(brake: Brake, at: float, done: Actuation) -> Brake:
    brake = brake._replace(acted_at=at, needs_restart=done.needs_restart)
    if done.written:
        brake = _with_step(brake, at, "written", brake.change.line)
    if done.failure is not None:
        return _failed(brake, at, done, done.failure)
    if not done.is_carried_out:
        return _pending(_with_step(brake, at, "by hand"), "waits for the operator's hands")
    if brake.in_force_at is not None:
        return brake
    return _pending(brake, NOT_IN_FORCE if done.needs_restart else "carried out, not proven")


def _failed(brake: Brake, at: float, done: Actuation, failure: Failure) -> Brake:
    """Give up, unless something was done that may have an effect for all that."""
    failed = f"{failure.reason}; {failure.cure}"
    brake = _with_step(brake, at, "failed", failed)
    if done.written or done.command is not None:
        return _pending(brake, f"{failure.reason}: watched for its effect all the same")
    return brake._replace(proof=Proof.FAILED, reason=failed)


def _pending(brake: Brake, reason: str) -> Brake:
    """Set the reason, unless the effect was seen already."""
    return brake._replace(reason=reason) if brake.proof is Proof.PENDING else brake


def _epoch(brake: Brake, at: float, boot_stamp: str) -> Brake:
    """Begin the proof anew in a new epoch: evidence is never pooled across a restart."""
    if boot_stamp == brake.epoch:
        return brake
    if brake.epoch is None:
        return brake._replace(epoch=boot_stamp)
    was_confirmed = brake.proof is Proof.CONFIRMED
    reason = (
        "the gateway restarted since it was proven" if was_confirmed else "in force, not proven"
    )
    brake = _with_step(brake, at, "in force", f"the gateway restarted: new epoch {boot_stamp}")
    return brake._replace(
        epoch=boot_stamp,
        in_force_at=at,
        proof=Proof.PENDING,
        reason=reason,
        consistent=0,
        waiting=None,
    )


def _turn(brake: Brake, fact: TurnEnded) -> Brake:
    turn, since = fact.turn, brake.since
    if since is None or turn.began_at is None or turn.began_at < since:
        return brake
    found, words = what_it_says(brake.change, turn, fact.dialect, is_probe=fact.is_probe)
    if found is TurnSays.PROOF and turn.is_silent:
        return _pending(brake._replace(waiting=turn), f"{words}; its missions are still to be seen")
    if found is TurnSays.PROOF:
        return _proven(brake, fact.at, words)
    if found is TurnSays.AGAINST:
        return _contradicted(brake, fact.at, words)
    brake = brake._replace(consistent=brake.consistent + 1)
    return _pending(brake, f"consistent, not proof: {words}")


def _missions(brake: Brake, fact: MissionsPolled) -> Brake:
    since, turn = brake.since, brake.waiting
    if since is None:
        return brake
    # What was known of before, or lies within the slack, is no news.
    new = [each.mission_id for each in fact.missions if each.at > since + STAMP_SLACK_S]
    if new and wants_missions(brake.change):
        return _proven(brake, fact.at, f"mission {new[0]} was dispatched")
    if new:
        return _contradicted(brake, fact.at, f"mission {new[0]} was dispatched since")
    if turn is None or fact.at < turn.ended_at:
        return brake
    brake = brake._replace(waiting=None)
    if any(_may_be_of(each, turn) for each in fact.missions):
        words = "not proof: a mission with the turn's prompt began at that time"
        return _pending(brake._replace(consistent=brake.consistent + 1), words)
    words = f"a coding turn of {turn.session_id} completed on the primary path, without a mission"
    return _proven(brake, fact.at, words)


def _may_be_of(mission: Dispatched, turn: CompletedTurn) -> bool:
    is_then = turn.began_at is None or mission.at > turn.began_at - STAMP_SLACK_S
    return is_then and mission.objective == turn.query


def _proven(brake: Brake, at: float, words: str) -> Brake:
    if brake.proof is Proof.CONFIRMED:
        return brake
    brake = brake._replace(proof=Proof.CONFIRMED, reason=words, waiting=None)
    return _with_step(brake, at, Proof.CONFIRMED, words)


def _contradicted(brake: Brake, at: float, words: str) -> Brake:
    if brake.proof is Proof.CONTRADICTED:
        return brake
    brake = brake._replace(proof=Proof.CONTRADICTED, reason=words, waiting=None)
    return _with_step(brake, at, Proof.CONTRADICTED, words)


def _time(brake: Brake, at: float) -> Brake:
    seen = (brake.in_force_at, brake.acted_at, brake.asked_at)
    from_when = next(when for when in seen if when is not None)
    if brake.proof is not Proof.PENDING or at - from_when < brake.within_s:
        return brake
    reason = _why_unconfirmed(brake)
    brake = brake._replace(proof=Proof.UNCONFIRMED, reason=reason)
    return _with_step(brake, at, Proof.UNCONFIRMED, reason)


def _why_unconfirmed(brake: Brake) -> str:
    if brake.since is None:
        return NOT_IN_FORCE if brake.needs_restart else "the actuator has not ended"
    if brake.waiting is not None:
        return "a turn stayed on the primary path, and the missions could not be counted"
    if brake.consistent:
        turns = counted(brake.consistent, "turn is", "turns are")
        return f"{turns} consistent and no proof: probe the lane"
    return _SILENCE


def _with_step(brake: Brake, at: float, name: str, detail: str = "") -> Brake:
    return brake._replace(steps=(*brake.steps, ProofStep(at, name, detail)))
