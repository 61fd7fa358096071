"""The probe's steps, each with its time and its limit."""

from __future__ import annotations

import pytest
from tests.support.builders import frame, mission, processing, routed, status_frame
from tests.support.recorded import transcript

from vp_tui.domain.lane.probe import (
    DEFAULT_PROMPTS,
    TIMEOUTS_S,
    Fact,
    MissionsSeen,
    Probe,
    ProbeOutcome,
    ProbeStep,
    prompt_for,
    step_probe,
    terms,
    timed_out,
)
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.models import Dialect, Failure, StreamEvent
from vp_tui.domain.runs.turns import is_coding_intent

PROMPT = "Please implement the parser code @fake:mission secs=4"
BEGUN: tuple[Fact, ...] = (
    ProofStep(1.0, ProbeStep.CREATED, "session_p"),
    ProofStep(2.0, ProbeStep.ATTACHED),
    ProofStep(3.0, ProbeStep.EXECUTED),
)
LOST = Failure("the connection broke", "look at the gateway")


def after(*facts: Fact, prompt: str = PROMPT, dialect: Dialect | None = "G1") -> Probe:
    probe = Probe(prompt, dialect, 0.0, awaited_since=0.0, known=frozenset({"old"}))
    for fact in facts:
        probe = step_probe(probe, fact)
    return probe


def heard(name: str, at: float = 4.0) -> list[Fact]:
    """Return the frames of a recorded turn, heard from `at` on."""
    return [StreamEvent(at + event.at, "session_p", event.frame) for event in transcript(name)]


def seen(*missions: tuple[str, str], at: float = 50.0) -> MissionsSeen:
    return MissionsSeen(at, tuple(mission(named, status) for named, status in missions))


def steps_of(probe: Probe) -> list[str]:
    return [each.step for each in probe.steps]


@pytest.mark.parametrize(
    ("name", "status", "outcome"),
    [
        ("b01_ws_mission", "completed", ProbeOutcome.DELEGATED),
        ("c01_ws_fallback", "completed", ProbeOutcome.FELL_BACK),
        ("c03_ws_vp_exception", "completed", ProbeOutcome.FELL_BACK),
        ("c04_ws_both_fail", "failed", ProbeOutcome.FAILED),
        ("c06_ws_fallback_exc", "running", ProbeOutcome.FAILED),
        ("d01_ws_stuck_owner", "running", ProbeOutcome.CUT),
    ],
)
def test_a_delegated_probe_ends_with_its_mission(
    name: str, status: str, outcome: ProbeOutcome
) -> None:
    probe = after(*BEGUN, *heard(name))
    assert probe.outcome is None
    assert probe.awaited is ProbeStep.MISSION
    assert probe.mission_id is not None
    assert step_probe(probe, seen(("other", "completed"))).outcome is None
    probe = step_probe(probe, seen((probe.mission_id, status), ("old", "completed")))
    assert probe.outcome is outcome
    assert steps_of(probe) == list(ProbeStep)
    assert [each.at for each in probe.steps] == sorted(each.at for each in probe.steps)


@pytest.mark.parametrize(
    ("name", "prompt", "outcome"),
    [
        ("c12_ws_force_fallback", PROMPT, ProbeOutcome.PRIMARY),
        ("b13_ws_noncoding", "Write my diary entry", ProbeOutcome.NO_INTENT),
        ("c14_ws_shadow", PROMPT, ProbeOutcome.SHADOW),
        ("p04_ws_bootstrap_fallback", PROMPT, ProbeOutcome.UNSTARTABLE),
    ],
)
def test_a_probe_that_is_not_delegated_has_no_mission(
    name: str, prompt: str, outcome: ProbeOutcome
) -> None:
    probe = after(*BEGUN, *heard(name), prompt=prompt)
    assert probe.outcome is None
    early = step_probe(probe, seen(at=4.5))
    assert early.outcome is None, "asked before it had ended"
    probe = step_probe(probe, seen(("old", "completed")))
    assert probe.outcome is outcome
    assert probe.steps[-1].detail == "none, as none was dispatched"
    assert probe.completed_turn is not None


def test_a_mission_that_no_frame_named_is_found_by_its_prompt() -> None:
    probe = after(*BEGUN, *heard("c12_ws_force_fallback"))
    own = mission("new", objective=PROMPT)
    old = mission("old", objective=PROMPT)
    assert step_probe(probe, MissionsSeen(50.0, (old,))).mission_id is None
    assert step_probe(probe, MissionsSeen(50.0, (own, old))).mission_id == "new"


def test_each_step_is_told_as_it_comes() -> None:
    probe = after(*BEGUN)
    assert (probe.session_id, probe.was_executed) == ("session_p", True)
    assert probe.line == "probe: waits for: routed"
    probe = step_probe(probe, StreamEvent(9.0, "session_p", routed("delegated_to_coder_vp", "m1")))
    probe = step_probe(probe, StreamEvent(9.1, "session_p", processing(PROMPT)))
    assert steps_of(probe)[-1] == "routed"
    assert probe.steps[-1].detail == "delegated_to_coder_vp"
    assert probe.completed_turn is None
    probe = step_probe(probe, StreamEvent(19.5, "session_p", frame("query_complete")))
    assert probe.steps[-1].detail == "10.5 s"


@pytest.mark.parametrize(
    ("facts", "awaited"),
    [
        ((), ProbeStep.CREATED),
        (BEGUN[:1], ProbeStep.ATTACHED),
        (BEGUN[:2], ProbeStep.EXECUTED),
        (BEGUN, ProbeStep.ROUTED),
        ((*BEGUN, StreamEvent(4.0, "session_p", processing(PROMPT))), ProbeStep.COMPLETED),
        ((*BEGUN, *heard("b01_ws_mission")), ProbeStep.MISSION),
    ],
)
def test_every_step_has_its_time_limit(facts: tuple[Fact, ...], awaited: ProbeStep) -> None:
    probe = after(*facts)
    assert probe.awaited is awaited
    assert probe.deadline == probe.awaited_since + TIMEOUTS_S[awaited]
    late = timed_out(probe)
    assert late.outcome is ProbeOutcome.TIMED_OUT
    assert late.reason.startswith(f"{awaited}: not within {TIMEOUTS_S[awaited]:g} s; ")
    assert step_probe(late, StreamEvent(9_999.0, "session_p", frame("query_complete"))) == late


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (status_frame(status="duplicate_turn_ignored"), "ignored it"),
        (status_frame(status="turn_rejected_busy"), "rejected it"),
        (frame("error", "Unknown message type: execute"), "Unknown message type"),
        (frame("query_complete", is_error=True), "before it had begun"),
    ],
)
def test_a_probe_that_the_gateway_refuses_breaks_off(sent: object, words: str) -> None:
    probe = after(*BEGUN, StreamEvent(4.0, "session_p", sent))  # type: ignore[arg-type]  # frames, one and all
    assert probe.outcome is ProbeOutcome.BROKE
    assert words in probe.reason
    assert ProbeStep.ROUTED not in steps_of(probe)


def test_an_error_in_the_middle_of_a_turn_does_not_end_it() -> None:
    probe = after(
        *BEGUN,
        StreamEvent(4.0, "session_p", processing(PROMPT)),
        StreamEvent(5.0, "session_p", frame("error", "vp failed")),
    )
    assert probe.outcome is None


def test_a_loss_after_the_prompt_was_sent_says_that_the_turn_goes_on() -> None:
    assert after(LOST).reason == "the connection broke; look at the gateway"
    assert "its turn goes on" in after(*BEGUN, LOST).reason


@pytest.mark.parametrize("dialect", ["G1", "G2", None])
def test_the_default_prompt_is_delegated_wherever_it_is_sent(dialect: Dialect | None) -> None:
    prompt = prompt_for("", dialect)
    for generation in (dialect,) if dialect else ("G1", "G2"):
        assert is_coding_intent(prompt, generation)
    assert prompt_for("mine", dialect) == "mine"
    assert not any("proves nothing" in line for line in terms(prompt, dialect))


def test_the_terms_tell_a_prompt_that_would_prove_nothing() -> None:
    assert any("proves nothing" in line for line in terms("Write my diary", "G1"))
    assert any("proves nothing" in line for line in terms(DEFAULT_PROMPTS["G1"], "G2"))
    assert any("lock" in line for line in terms(PROMPT, "G1"))
    assert not any("lock" in line for line in terms(PROMPT, "G2"))
