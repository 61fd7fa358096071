"""Proving a switch by its effect: from "requested" to CONFIRMED (docs/rollout.md, section 9).

No answer of the gateway shows the lane's switches. That one was written, or that a command ended
well, proves nothing; what a turn of known coding intent does after the change proves it. Any other
turn is consistent and no proof, silence is nothing. Times are vp-tui's own monotonic clock in
seconds.
"""

from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switches import NOT_IN_FORCE
from vp_tui.domain.lane.turn_proof import wants_missions, what_it_says
from vp_tui.domain.text import counted

if TYPE_CHECKING:
    from vp_tui.domain.lane.switches import Actuation, Change
    from vp_tui.domain.lane.turn_proof import CompletedTurn
    from vp_tui.domain.models import Dialect, Mission, Snapshot


PROOF_WITHIN_S: Final = 180.0
"""Without a proof for so long after the change it is UNCONFIRMED, until one comes after all."""
STAMP_SLACK_S: Final = 2.0
"""A mission's start is known to about so much on vp-tui's clock: its stamp and an answer's way."""


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
    is_by_hand: bool = False
    """Nothing carries it out but the operator, who did not say yet that it is done."""
    in_force_at: float | None = None
    """When a gateway was first seen that booted after the change was asked for."""
    consistent: int = 0
    """Turns since that prove nothing."""
    waiting: CompletedTurn | None = None
    """The turn that proves it, if the metrics name no mission for it."""

    @property
    def since(self) -> float | None:
        """From when on an effect is to be expected; None: not yet."""
        if self.in_force_at is not None:
            return self.in_force_at
        return None if self.needs_restart or self.is_by_hand else self.acted_at

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


def new_proof(change: Change, at: float, epoch: str | None) -> Brake:
    """Return the proof of a change that is asked for now; `epoch` is the gateway's boot stamp."""
    return Brake(change, at, epoch, (ProofStep(at, "requested", change.words),))


def acted(brake: Brake, at: float, done: Actuation) -> Brake:
    """Return the proof after the actuator has done what it can."""
    brake = brake._replace(acted_at=at, needs_restart=done.needs_restart, is_by_hand=False)
    if done.written:
        written_at = _written_at(done, at)
        if brake.in_force_at is not None and written_at - brake.in_force_at <= STAMP_SLACK_S:
            written_at = min(written_at, brake.in_force_at)
        brake = _with_step(brake, written_at, "written", brake.change.line)
    if (failure := done.failure) is not None:
        failed = f"{failure.reason}; {failure.cure}"
        brake = _with_step(brake, at, "failed", failed)
        if not done.written and done.command is None:
            return brake._replace(proof=Proof.FAILED, reason=failed)
        return _pending(brake, f"{failure.reason}: watched for its effect all the same")
    if not done.is_carried_out:
        brake = _with_step(brake._replace(is_by_hand=True), at, "by hand")
        return _pending(brake, "waits for the operator's hands")
    if done.by_word:
        brake = _with_step(brake, at, "done by hand", "says the operator")
    if brake.in_force_at is not None:
        return brake
    how = "done by hand" if done.by_word else "carried out"
    return _pending(brake, NOT_IN_FORCE if done.needs_restart else f"{how}, not proven")


def _written_at(done: Actuation, at: float) -> float:
    """Return when the env file was written, of what had ended by `at`: a command takes its time."""
    written = next((step.at for step in done.steps if step.step == "written"), None)
    if written is None:
        return at
    return at - (done.steps[-1].at - written).total_seconds()


def _pending(brake: Brake, reason: str) -> Brake:
    """Set the reason, unless the effect was seen already."""
    return brake._replace(reason=reason) if brake.proof is Proof.PENDING else brake


def booted(brake: Brake, at: float, boot_stamp: str) -> Brake:
    """Return the proof after the gateway told that it booted, `at` by its stamp.

    It begins anew in a new epoch: evidence is never pooled across a restart. One that was over
    before the change was asked for has nothing of it.
    """
    if brake.proof is Proof.FAILED or boot_stamp == brake.epoch:
        return brake
    if brake.epoch is None or at < brake.asked_at - STAMP_SLACK_S:
        return brake._replace(epoch=boot_stamp)
    written_at = max((step.at for step in brake.steps if step.step == "written"), default=at)
    at = max(at, brake.asked_at, written_at if written_at - at <= STAMP_SLACK_S else at)
    step, reason = "in force", "in force, not proven"
    if brake.is_by_hand:  # whether the line stood there by then is not known
        step, reason = "restarted", "the gateway restarted since, not proven"
    if brake.proof is Proof.CONFIRMED:
        reason = "the gateway restarted since it was proven"
    brake = _with_step(brake, at, step, f"the gateway restarted: new epoch {boot_stamp}")
    return brake._replace(
        epoch=boot_stamp,
        in_force_at=at,
        proof=Proof.PENDING,
        reason=reason,
        consistent=0,
        waiting=None,
    )


def turn_ended(
    brake: Brake, turn: CompletedTurn, dialect: Dialect | None, *, is_probe: bool = False
) -> Brake:
    """Return the proof after a turn was heard to end; `is_probe`: its prompt was vp-tui's own."""
    since = None if brake.proof is Proof.FAILED else brake.since
    if since is None or turn.began_at is None or turn.began_at < since:
        return brake
    proves, words = what_it_says(brake.change, turn, dialect, is_probe=is_probe)
    if proves is None:
        return _consistent(brake, f"consistent, not proof: {words}")
    if proves and turn.routing is None:
        return _pending(brake._replace(waiting=turn), f"{words}; its missions are still to be seen")
    proof = Proof.CONFIRMED if proves else Proof.CONTRADICTED
    return _settled(brake, turn.ended_at, proof, words)


def missions_polled(brake: Brake, at: float, snapshot: Snapshot) -> Brake:
    """Return the proof after the metrics answered."""
    since, turn = brake.since, brake.waiting
    if since is None or brake.proof is Proof.FAILED:
        return brake
    begun = begun_in(snapshot, at)
    # What was known of before, or lies within the slack, is no news.
    new = next((each for each in begun if each[0] > since + STAMP_SLACK_S), None)
    if new is not None:
        began_at, words = min(new[0], at), f"mission {new[1].mission_id} was dispatched"
        if wants_missions(brake.change):
            return _settled(brake, began_at, Proof.CONFIRMED, words)
        return _settled(brake, began_at, Proof.CONTRADICTED, f"{words} since")
    if turn is None or at < turn.ended_at:
        return brake
    brake = brake._replace(waiting=None)
    then = -inf if turn.began_at is None else turn.began_at - STAMP_SLACK_S
    if any(began_at > then and each.objective == turn.query for began_at, each in begun):
        return _consistent(brake, "not proof: a mission with the turn's prompt began at that time")
    words = f"a coding turn of {turn.session_id} completed on the primary path, without a mission"
    return _settled(brake, turn.ended_at, Proof.CONFIRMED, words)


def time_passed(brake: Brake, at: float) -> Brake:
    """Return the proof after nothing happened."""
    seen = (brake.in_force_at, brake.acted_at, brake.asked_at)
    from_when = next(when for when in seen if when is not None)
    waits = brake.is_by_hand and brake.since is None
    if brake.proof is not Proof.PENDING or waits or at - from_when < PROOF_WITHIN_S:
        return brake
    reason = _why_unconfirmed(brake)
    brake = brake._replace(proof=Proof.UNCONFIRMED, reason=reason)
    return _with_step(brake, at, Proof.UNCONFIRMED, reason)


def begun_in(snapshot: Snapshot, at: float) -> list[tuple[float, Mission]]:
    """Return a snapshot's missions, each with its start on the clock of `at`, when it came.

    Both stamps are the gateway's, so that its clock does not matter; one without a start is out.
    """
    return [
        (at - (snapshot.generated_at - mission.started_at).total_seconds(), mission)
        for mission in snapshot.missions
        if mission.started_at is not None
    ]


def _settled(brake: Brake, at: float, proof: Proof, words: str) -> Brake:
    if brake.proof is proof:
        return brake
    brake = brake._replace(proof=proof, reason=words, waiting=None)
    return _with_step(brake, at, proof, words)


def _consistent(brake: Brake, reason: str) -> Brake:
    """Count a turn that proves nothing."""
    return _pending(brake._replace(consistent=brake.consistent + 1), reason)


def _why_unconfirmed(brake: Brake) -> str:
    if brake.since is None:
        return NOT_IN_FORCE if brake.needs_restart else "the actuator has not ended"
    if brake.waiting is not None:
        return "a turn stayed on the primary path, and the missions could not be counted"
    if brake.consistent:
        turns = counted(brake.consistent, "turn is", "turns are")
        return f"{turns} consistent and no proof: probe the lane"
    return "no turn of coding intent since, and silence proves nothing: probe the lane"


def _with_step(brake: Brake, at: float, name: str, detail: str = "") -> Brake:
    """Add a step in its place; at the same moment what was written came before what it is for."""
    steps = (*brake.steps, ProofStep(at, name, detail))
    return brake._replace(
        steps=tuple(sorted(steps, key=lambda one: (one.at, _FIRST.get(one.step, 3))))
    )


_FIRST: Final = {"requested": 0, "written": 1, "in force": 2, "restarted": 2}
