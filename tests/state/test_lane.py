"""What the reducer keeps of the lane: orders followed to their end, turns, probes and switches."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support import builders

from vp_tui.domain.events import (
    ProbeStepped,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
    SwitchesRead,
    Tick,
)
from vp_tui.domain.lane import probe as probing
from vp_tui.domain.lane.probe import ProbeStep
from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import PROOF_WITHIN_S, Proof, ProofStep
from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Actuation, CommandRun, Switches
from vp_tui.domain.models import Failure, Source, StreamEvent, StreamState
from vp_tui.state.reducer import reduce_all

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.switches import Change
    from vp_tui.domain.models import Frame
    from vp_tui.state.state import State

NEXT_BOOT = "2026-11-22T20:00:03"
DONE = Actuation((), written=True, command=CommandRun(("true",), 0, (), 0.1))
GONE = Failure("connection refused", "is it up?", is_silence=True)


def tick(at: float) -> Tick:
    return Tick(at, builders.NOW + timedelta(seconds=at))


def asked(change: Change = FORCE_FALLBACK, at: float = 1.0) -> SwitchAsked:
    return SwitchAsked(at, change, "ana@laptop", "3 of 20")


def forced(*events: Event) -> State:
    """Return the state after a forced fallback that a restart brought into force at 4.0."""
    begun: list[Event] = [
        builders.healthy(),
        builders.booted(),
        builders.polled(builders.snapshot()),
    ]
    done: list[Event] = [asked(), SwitchActed(2.0, DONE), builders.booted(NEXT_BOOT, 4.0)]
    return builders.state(*begun, *done, *events)


def primary_turn(at: float, query: str = "implement the code") -> list[Event]:
    return [*builders.stream(builders.processing(query), builders.frame("query_complete"), at=at)]


def probe(*frames: Frame, at: float = 10.0) -> list[ProbeStepped]:
    """Return the steps of a probe whose socket heard these frames, a second between two."""
    probe = probing.Probe(
        "implement the code", "G1", at - 2.0, awaited_since=at - 2.0, known=frozenset()
    )
    steps = [ProbeStepped(at - 2.0, probe)]
    facts: list[ProofStep | StreamEvent] = [
        ProofStep(at - 1.5, ProbeStep.CREATED, "session_probe"),
        ProofStep(at - 1.0, ProbeStep.EXECUTED),
    ]
    facts += [StreamEvent(at + n, "session_probe", told) for n, told in enumerate(frames)]
    for fact in facts:
        probe = probing.step_probe(probe, fact)
        steps.append(ProbeStepped(fact.at, probe))
    return steps


class TestChange:
    def test_it_is_followed_from_its_request_to_its_proof(self) -> None:
        seen = forced(*primary_turn(10.0), builders.polled(builders.snapshot(), at=12.0))
        brake = seen.lane.brake
        assert brake is not None
        assert brake.proof is Proof.CONFIRMED
        told = [entry.text for entry in seen.entries if entry.kind == "brake"]
        assert told[0] == "force fallback: requested by ana@laptop: 3 of 20"
        assert told[-1].startswith("force fallback: CONFIRMED")

    def test_what_the_actuator_did_is_kept_until_the_next_change(self) -> None:
        seen = forced()
        assert seen.lane.acted == DONE
        assert reduce_all(seen, [asked(RELEASE, 9.0)]).lane.acted is None

    def test_time_alone_leaves_it_unconfirmed(self) -> None:
        seen = forced(tick(4.0 + PROOF_WITHIN_S))
        assert seen.lane.brake is not None
        assert seen.lane.brake.proof is Proof.UNCONFIRMED


class TestReverted:
    def test_only_a_proof_makes_it(self) -> None:
        assert not forced().lane.is_reverted
        assert not forced(
            *primary_turn(10.0, "buy milk"), builders.polled(builders.snapshot(), at=12.0)
        ).lane.is_reverted
        proven = forced(*primary_turn(10.0), builders.polled(builders.snapshot(), at=12.0))
        assert proven.lane.is_reverted

    def test_a_restart_alone_does_not_end_it(self) -> None:
        proven = forced(*primary_turn(10.0), builders.polled(builders.snapshot(), at=12.0))
        again = reduce_all(proven, [builders.booted("2026-11-22T20:01:00", 60.0)])
        assert again.lane.brake is not None
        assert again.lane.brake.proof is Proof.PENDING
        assert again.lane.is_reverted

    def test_a_delegation_ends_it_whoever_released_the_lane(self) -> None:
        proven = forced(*primary_turn(10.0), builders.polled(builders.snapshot(), at=12.0))
        delegated = builders.stream(
            builders.routed("delegated_to_coder_vp", "m9"),
            builders.frame("query_complete"),
            at=20.0,
        )
        assert not reduce_all(proven, delegated).lane.is_reverted

    def test_a_release_ends_it_once_that_is_proven(self) -> None:
        proven = forced(*primary_turn(10.0), builders.polled(builders.snapshot(), at=12.0))
        released: list[Event] = [
            asked(RELEASE, 20.0),
            SwitchActed(21.0, DONE),
            builders.booted("2026-11-22T20:01:00", 60.0),
        ]
        begun = reduce_all(proven, released)
        assert begun.lane.is_reverted
        delegated = builders.stream(
            builders.routed("delegated_to_coder_vp", "m9"),
            builders.frame("query_complete"),
            at=70.0,
        )
        assert not reduce_all(begun, delegated).lane.is_reverted


class TestProbe:
    def test_its_own_socket_proves_a_change_even_if_no_stream_was_attached(self) -> None:
        heard = probe(builders.processing("implement the code"), builders.frame("query_complete"))
        seen = forced(*heard, builders.polled(builders.snapshot(), at=12.0))
        assert seen.lane.brake is not None
        assert seen.lane.brake.proof is Proof.CONFIRMED
        assert seen.lane.primary is not None
        assert seen.lane.primary.session_id == "session_probe"

    def test_its_turn_is_taken_once(self) -> None:
        prompt = builders.processing("buy milk")
        seen = forced(*probe(prompt, builders.frame("query_complete")))
        assert seen.lane.brake is not None
        assert seen.lane.brake.consistent == 1
        assert seen.lane.probe is not None
        again = reduce_all(seen, [ProbeStepped(30.0, seen.lane.probe)])
        assert again.lane.brake == seen.lane.brake

    def test_its_missions_are_known_as_its_own(self) -> None:
        told = (
            builders.routed("delegated_to_coder_vp", "m-probe"),
            builders.processing(),
            builders.frame("query_complete"),
        )
        assert builders.state(*probe(*told)).lane.probe_missions == {"m-probe"}

    def test_each_step_is_an_entry_and_nothing_twice(self) -> None:
        seen = builders.state(*probe(builders.processing(), builders.frame("query_complete")))
        told = [entry.text for entry in seen.entries if entry.kind == "probe"]
        assert told[0] == "probe: waits for: session created"
        assert len(told) == len(set(told))


class TestRestart:
    def test_it_is_over_in_the_new_epoch(self) -> None:
        seen = builders.state(
            builders.booted(), RestartAsked(1.0, "ana@laptop"), RestartActed(2.0, DONE)
        )
        assert seen.lane.restart is not None
        assert seen.lane.restart.state is RestartState.COMMANDED
        assert seen.lane.restarted == DONE
        back = reduce_all(seen, [builders.booted(NEXT_BOOT, 5.0)])
        assert back.lane.restart is not None
        assert back.lane.restart.state is RestartState.BACK

    def test_a_gateway_that_answers_nothing_is_gone_then_not_back(self) -> None:
        gone = [
            builders.failed(source, GONE, at=3.0) for source in (Source.METRICS, Source.SESSIONS)
        ]
        begun = builders.state(
            builders.booted(), RestartAsked(1.0, "ana@laptop"), RestartActed(2.0, DONE), *gone
        )
        seen = reduce_all(begun, [tick(4.0)])
        assert seen.lane.restart is not None
        assert seen.lane.restart.state is RestartState.GONE
        late = reduce_all(seen, [tick(200.0)])
        assert late.lane.restart is not None
        assert late.lane.restart.state is RestartState.NOT_BACK


class TestTurns:
    def test_a_lost_link_forgets_the_turn_under_way(self) -> None:
        events: list[Event] = [
            builders.healthy(),
            *builders.stream(builders.processing()),
            builders.linked(StreamState.WAITING, at=2.0),
        ]
        seen = builders.state(*events, *builders.stream(builders.frame("query_complete"), at=3.0))
        assert seen.lane.primary is None

    def test_a_turn_of_coding_intent_is_kept_as_the_newest(self) -> None:
        first = builders.stream(
            builders.routed("delegated_to_coder_vp", "m1"), builders.frame("query_complete"), at=1.0
        )
        seen = builders.state(builders.healthy(), *first, *primary_turn(5.0, "buy milk"))
        assert seen.lane.coding is not None
        assert seen.lane.coding.mission_id == "m1"
        assert seen.lane.primary is not None
        assert seen.lane.primary.query == "buy milk"


def test_the_env_file_is_taken_as_it_is_read() -> None:
    read = SwitchesRead(1.0, Switches(forced_fallback=True), builders.NOW)
    assert builders.state(read).lane.switches is not None
    unread = builders.state(read, SwitchesRead(2.0, None, None, "no such file")).lane.switches
    assert unread is not None
    assert (unread.switches, unread.problem) == (None, "no such file")
