"""A probe: one coding prompt in a session of its own, followed step by step; and what it costs.

It tells what the lane does when there is no traffic to tell it. It is a turn like any other: it
costs a model's time, holds G1's lock while it runs, and makes a mission, so whoever confirms it is
told that in words. Nothing is ever repeated or cancelled by it: a probe that is given up goes on in
the gateway. Times are vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.lane.turn_proof import heard, is_end
from vp_tui.domain.models import Failure, StreamEvent
from vp_tui.domain.runs.turns import is_coding_intent
from vp_tui.domain.text import fold, literal, took

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.domain.lane.turn_proof import CompletedTurn
    from vp_tui.domain.models import Dialect, Mission


_REFUSALS: Final[Mapping[str, str]] = {
    "turn_rejected_busy": "the gateway rejected it: another turn of its session is under way",
    "turn_in_progress": "the gateway ignored it: it says that this prompt is under way",
    "duplicate_turn_ignored": "the gateway ignored it: the same prompt completed just now",
}

_TASK: Final = "write a Python script hello.py that prints the word hello, and change nothing else"
DEFAULT_PROMPTS: Final[Mapping[Dialect, str]] = {
    "G1": f"Please {_TASK}.",
    "G2": f"Codie, please {_TASK}.",
}
"""G1 delegates by coding words, G2 only what names the lane."""


class ProbeStep(StrEnum):
    """What happens to a probe, in this order."""

    CREATED = "session created"
    ATTACHED = "attached"
    EXECUTED = "executed"
    ROUTED = "routed"
    COMPLETED = "completed"
    MISSION = "mission seen"


TIMEOUTS_S: Final[Mapping[ProbeStep, float]] = {
    ProbeStep.CREATED: 25.0,  # longer than the request's own deadline
    ProbeStep.ATTACHED: 15.0,
    ProbeStep.EXECUTED: 10.0,
    ProbeStep.ROUTED: 120.0,  # it may be queued behind another turn
    ProbeStep.COMPLETED: 600.0,
    ProbeStep.MISSION: 20.0,
}
"""Seconds that each step may take after the one before it."""
_HINTS: Final[Mapping[ProbeStep, str]] = {
    ProbeStep.CREATED: "the gateway's lock may be held; it may create the session later",
    ProbeStep.ATTACHED: "the gateway's lock may be held by another run",
    ProbeStep.EXECUTED: "nothing is known to have been started",
    ProbeStep.ROUTED: "queued behind another run? it goes on by itself, nothing was cancelled",
    ProbeStep.COMPLETED: "it goes on by itself, nothing was cancelled: look at its run",
    ProbeStep.MISSION: "the metrics do not answer, or do not name it",
}


class ProbeOutcome(StrEnum):
    """What came of a probe."""

    DELEGATED = "delegated, done by the lane"
    HANDED_ON = "delegated to a worker, whose mission goes on"
    FELL_BACK = "delegated, fell back to the primary path"
    FAILED = "delegated, failed"
    SHADOW = "kept by shadow mode"
    UNSTARTABLE = "the lane could not start: done by the primary path"
    PRIMARY = "stayed on the primary path without a word: forced fallback, or the lane is off"
    NO_INTENT = "stayed on the primary path: the prompt is none that is delegated"
    CUT = "did not complete"
    TIMED_OUT = "timed out"
    BROKE = "broke off"


class MissionsSeen(NamedTuple):
    """The metrics answered."""

    at: float
    missions: tuple[Mission, ...]


Fact = ProofStep | StreamEvent | MissionsSeen | Failure
"""What is told to a probe; of its steps those that the socket cannot show, CREATED with its id."""


class Probe(NamedTuple):
    """One probe, from its being asked for on."""

    prompt: str
    dialect: Dialect | None
    began_at: float
    awaited: ProbeStep = ProbeStep.CREATED
    awaited_since: float = 0.0
    steps: tuple[ProofStep, ...] = ()
    session_id: str | None = None
    turn: CompletedTurn | None = None
    """Its turn, under way until it is COMPLETED."""
    mission_id: str | None = None
    outcome: ProbeOutcome | None = None
    """None while it is under way."""
    reason: str = ""
    """Why it came to nothing, in words; "" otherwise."""
    known: frozenset[str] | None = None
    """Missions that were there before; None when nobody could tell."""
    timeouts_s: Mapping[ProbeStep, float] = TIMEOUTS_S

    @property
    def is_over(self) -> bool:
        """Whether nothing more is awaited."""
        return self.outcome is not None

    @property
    def was_executed(self) -> bool:
        """Whether the prompt was sent; it may have been when the time to send it was over."""
        return any(each.step == ProbeStep.EXECUTED for each in self.steps)

    @property
    def completed_turn(self) -> CompletedTurn | None:
        """Its turn once it has ended, as a fact for what it may prove."""
        is_there = any(each.step == ProbeStep.COMPLETED for each in self.steps)
        return self.turn if is_there else None

    @property
    def deadline(self) -> float:
        """When the step that is awaited is given up."""
        return self.awaited_since + self.timeouts_s[self.awaited]

    @property
    def standing(self) -> str:
        """What it waits for, or what came of it and why."""
        if self.outcome is None:
            return f"waits for: {self.awaited}"
        return f"{self.outcome}{': ' if self.reason else ''}{self.reason}"

    @property
    def line(self) -> str:
        """Where it stands, in one line."""
        return f"probe: {self.standing}"


def step_probe(probe: Probe, fact: Fact) -> Probe:
    """Return the probe after a fact; one that is over stays as it is."""
    if probe.is_over:
        return probe
    match fact:
        case ProofStep():
            return _reached(probe, fact)
        case StreamEvent():
            return _heard(probe, fact)
        case MissionsSeen():
            return _missions(probe, fact)
        case Failure():
            after = "its turn goes on unheard" if probe.was_executed else fact.cure
            return _ended(probe, ProbeOutcome.BROKE, f"{fact.reason}; {after}")


def _reached(probe: Probe, reached: ProofStep) -> Probe:
    if reached.step == ProbeStep.CREATED:
        probe = probe._replace(session_id=reached.detail)
    order = tuple(ProbeStep)
    following = order[min(order.index(reached.step) + 1, len(order) - 1)]
    return probe._replace(
        awaited=following, awaited_since=reached.at, steps=(*probe.steps, reached)
    )


def _heard(probe: Probe, event: StreamEvent) -> Probe:
    at, frame = event.at, event.frame
    if probe.session_id is None or probe.completed_turn is not None:
        return probe
    if (refused := _REFUSALS.get(frame.status or "")) is not None:
        return _ended(probe, ProbeOutcome.BROKE, refused)
    if frame.kind == "error" and probe.turn is None:
        return _ended(probe, ProbeOutcome.BROKE, f"the gateway says: {frame.text}")
    turn = heard(probe.turn, event)
    if turn is None:
        return probe
    began_at = turn.began_at
    if began_at is None:
        return _ended(probe, ProbeOutcome.BROKE, "the gateway ended it before it had begun")
    if probe.awaited is ProbeStep.ROUTED:
        probe = _reached(probe, ProofStep(at, ProbeStep.ROUTED, turn.routing or "primary path"))
    if turn.query is not None and probe.dialect == "G2":
        # It may say its wrapper's prompt instead of what was sent.
        turn = turn._replace(query=probe.prompt)
    probe = probe._replace(turn=turn, mission_id=turn.mission_id)
    if is_end(frame):
        lasted = took(at - began_at)
        detail = lasted if turn.completed else f"cancelled or failed after {lasted}"
        probe = _reached(probe, ProofStep(at, ProbeStep.COMPLETED, detail))
    return probe


def _missions(probe: Probe, fact: MissionsSeen) -> Probe:
    at, turn = fact.at, probe.completed_turn
    if turn is None or at < turn.ended_at:
        return probe
    mission = next((mission for mission in fact.missions if _is_its_own(mission, probe)), None)
    if mission is not None:
        lasted = "" if mission.duration_s is None else f", {took(mission.duration_s)}"
        detail = f"{mission.mission_id} {mission.status}{lasted}"
        probe = probe._replace(mission_id=mission.mission_id)
    elif turn.is_delegated:
        return probe
    else:
        detail = "none, as none was dispatched"
    outcome = _outcome(probe, turn, mission)
    return _ended(_reached(probe, ProofStep(at, ProbeStep.MISSION, detail)), outcome)


def _is_its_own(mission: Mission, probe: Probe) -> bool:
    """Tell whether the mission is this probe's: by its id, else by being new and its prompt."""
    if probe.mission_id is not None:
        return mission.mission_id == probe.mission_id
    is_new = probe.known is not None and mission.mission_id not in probe.known
    return is_new and mission.objective == literal(fold(probe.prompt))


def _outcome(probe: Probe, turn: CompletedTurn, mission: Mission | None) -> ProbeOutcome:
    has_failed = turn.fell_back and not turn.completed
    if mission is not None and (mission.status == "failed" or has_failed):
        return ProbeOutcome.FAILED
    if not turn.completed:
        return ProbeOutcome.CUT
    if mission is not None:
        done = ProbeOutcome.DELEGATED if mission.is_terminal else ProbeOutcome.HANDED_ON
        return ProbeOutcome.FELL_BACK if turn.fell_back else done
    if turn.is_shadowed:
        return ProbeOutcome.SHADOW
    if turn.is_unstartable:
        return ProbeOutcome.UNSTARTABLE
    is_known_intent = probe.dialect is None or is_coding_intent(probe.prompt, probe.dialect)
    return ProbeOutcome.PRIMARY if is_known_intent else ProbeOutcome.NO_INTENT


def timed_out(probe: Probe) -> Probe:
    """Return a probe that is given up at its deadline."""
    limit = f"{probe.timeouts_s[probe.awaited]:g} s"
    reason = f"{probe.awaited}: not within {limit}; {_HINTS[probe.awaited]}"
    return _ended(probe, ProbeOutcome.TIMED_OUT, reason)


def _ended(probe: Probe, outcome: ProbeOutcome, reason: str = "") -> Probe:
    return probe._replace(outcome=outcome, reason=reason)


def prompt_for(configured: str, dialect: Dialect | None) -> str:
    """Return the prompt to be sent: the configured one, else one that the gateway delegates."""
    return configured or DEFAULT_PROMPTS[dialect or "G2"]  # both delegate what names the lane


def terms(prompt: str, dialect: Dialect | None) -> tuple[str, ...]:
    """Return what a probe costs and does, a line each."""
    lines = [
        "It runs one turn of the model in a session of its own, as a user's would.",
        "If the lane takes it, it makes a mission, and that counts as source `probe`.",
    ]
    if dialect != "G2":
        lines.append("On v1 it holds the gateway's lock while it runs: other turns wait for it.")
    lines.append("It is never repeated or cancelled by itself, and its session stays there.")
    if dialect is not None and not is_coding_intent(prompt, dialect):
        lines.append(f"A v{dialect[1:]} gateway does not delegate this prompt: it proves nothing.")
    return tuple(lines)
