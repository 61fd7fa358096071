"""Proving a switch by its effect, and by nothing less."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.support.builders import NOW, mission, snapshot
from tests.support.recorded import transcript

from vp_tui.domain.lane.switch_proof import (
    PROOF_WITHIN_S,
    STAMP_SLACK_S,
    Brake,
    Proof,
    acted,
    begun_in,
    booted,
    missions_polled,
    new_proof,
    time_passed,
    turn_ended,
)
from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    RELEASE,
    Actuation,
    Change,
    CommandRun,
    Switch,
)
from vp_tui.domain.models import Failure
from vp_tui.state.lane import follow_turns

if TYPE_CHECKING:
    from vp_tui.domain.lane.turn_proof import CompletedTurn
    from vp_tui.domain.models import Dialect

Fact = Callable[[Brake], Brake]

OLD, NEW = "2026-11-22T19:00:00", "2026-11-22T20:00:10"
SHADOW_ON, SHADOW_OFF = Change(Switch.SHADOW, on=True), Change(Switch.SHADOW, on=False)
LANE_ON, LANE_OFF = Change(Switch.LANE, on=True), Change(Switch.LANE, on=False)
FAILED = Failure("exit code 3", "its output says why")
RUN = CommandRun(("restart",), 0, (), 0.1)
WRITTEN = Actuation((), written=True)
COMMANDED = Actuation((), written=True, command=RUN)
BY_HAND = Actuation((), by_hand=("put the line there",))


def after(*facts: Fact, change: Change = FORCE_FALLBACK, epoch: str | None = OLD) -> Brake:
    """Return the proof of a change that was asked for at 0.0."""
    brake = new_proof(change, 0.0, epoch)
    for fact in facts:
        brake = fact(brake)
    return brake


def ended(at: float, done: Actuation) -> Fact:
    return partial(acted, at=at, done=done)


def boot(at: float, boot_stamp: str) -> Fact:
    return partial(booted, at=at, boot_stamp=boot_stamp)


def passed(at: float) -> Fact:
    return partial(time_passed, at=at)


def in_force(change: Change = FORCE_FALLBACK) -> Brake:
    """Return the proof of a change that was written, and read at a restart at 10.0."""
    return after(ended(1.0, COMMANDED), boot(10.0, NEW), change=change)


def turn(name: str = "c12_ws_force_fallback", *, at: float = 20.0) -> CompletedTurn:
    """Return a recorded turn, heard to begin at `at`."""
    shifted = [event._replace(at=event.at + at) for event in transcript(name)]
    return follow_turns({}, shifted)[1][0]


def heard(
    name: str = "c12_ws_force_fallback",
    *,
    at: float = 20.0,
    dialect: Dialect | None = "G1",
    is_probe: bool = False,
) -> Fact:
    return partial(turn_ended, turn=turn(name, at=at), dialect=dialect, is_probe=is_probe)


def polled(*starts: float, at: float = 30.0, prompt: str | None = None) -> Fact:
    """Return metrics with missions that began at these times."""
    objective = prompt or turn().query
    missions = [
        mission(f"m{n}", started_s=start - at, objective=objective)
        for n, start in enumerate(starts)
    ]
    return partial(missions_polled, at=at, snapshot=snapshot(*missions))


def steps_of(brake: Brake) -> list[str]:
    return [each.step for each in brake.steps]


def test_a_coding_turn_without_a_mission_after_the_restart_confirms_the_brake() -> None:
    brake = heard()(in_force())
    assert brake.proof is Proof.PENDING
    brake = polled(-100.0, 9.0)(brake)
    assert brake.proof is Proof.CONFIRMED
    assert "completed on the primary path, without a mission" in brake.reason
    assert steps_of(brake) == ["requested", "written", "in force", "CONFIRMED"]
    assert passed(9_999.0)(brake).proof is Proof.CONFIRMED


def test_the_same_frames_without_coding_intent_are_consistent_and_no_proof() -> None:
    brake = in_force()
    for fact in (heard("b13_ws_noncoding"), polled()):
        brake = fact(brake)
    assert brake.proof is Proof.PENDING
    assert brake.reason.startswith("consistent, not proof: ")
    late = passed(10.0 + PROOF_WITHIN_S)(brake)
    assert late.proof is Proof.UNCONFIRMED
    assert late.reason == "1 turn is consistent and no proof: probe the lane"


def test_silence_is_nothing() -> None:
    brake = in_force()
    for at in (30.0, 60.0, 90.0):
        brake = polled(at=at)(brake)
    assert passed(10.0 + PROOF_WITHIN_S - 1)(brake).proof is Proof.PENDING
    late = passed(10.0 + PROOF_WITHIN_S)(brake)
    assert late.proof is Proof.UNCONFIRMED
    assert "silence proves nothing" in late.reason
    assert steps_of(passed(9_999.0)(late)) == steps_of(late)


def test_a_late_proof_still_counts() -> None:
    brake = passed(1_000.0)(in_force())
    for fact in (heard(at=2_000.0), polled(at=2_010.0)):
        brake = fact(brake)
    assert brake.proof is Proof.CONFIRMED


def test_a_turn_counts_only_when_the_metrics_were_asked_after_it() -> None:
    brake = polled(at=20.5)(heard(at=20.0)(in_force()))
    assert brake.proof is Proof.PENDING
    late = passed(1_000.0)(brake)
    assert "the missions could not be counted" in late.reason


def test_a_written_file_is_not_in_force_before_a_restart() -> None:
    brake = after(ended(1.0, WRITTEN), heard(), polled(25.0))
    assert (brake.proof, brake.since) == (Proof.PENDING, None)
    assert "not in force until the gateway restarts" in brake.reason
    late = passed(1.0 + PROOF_WITHIN_S)(brake)
    assert (late.proof, late.is_alarming) == (Proof.UNCONFIRMED, False)
    assert "not in force until the gateway restarts" in late.reason
    brake = boot(200.0, NEW)(late)
    for fact in (heard(at=210.0), polled(at=220.0)):
        brake = fact(brake)
    assert brake.proof is Proof.CONFIRMED


def test_a_turn_that_began_before_the_change_proves_nothing() -> None:
    brake = polled()(heard(at=9.5)(in_force()))
    assert brake.proof is Proof.PENDING
    unheard = turn()._replace(began_at=None)
    assert (
        polled()(partial(turn_ended, turn=unheard, dialect="G1")(in_force())).proof is Proof.PENDING
    )


@pytest.mark.parametrize(
    "name", ["b01_ws_mission", "c01_ws_fallback", "p04_ws_bootstrap_fallback", "c14_ws_shadow"]
)
def test_any_routing_while_forced_is_a_contradiction(name: str) -> None:
    brake = heard(name)(in_force())
    assert brake.proof is Proof.CONTRADICTED
    assert brake.is_alarming
    assert passed(9_999.0)(brake).proof is Proof.CONTRADICTED


def test_a_mission_while_forced_is_a_contradiction_also_after_the_proof() -> None:
    proven = polled()(heard()(in_force()))
    brake = polled(40.0, at=41.0)(proven)
    assert brake.is_alarming
    assert brake.reason == "mission m0 was dispatched since"
    assert steps_of(polled(40.0, at=43.0)(brake)) == steps_of(brake)


def test_a_mission_of_the_last_moment_before_is_no_contradiction_and_spoils_a_proof() -> None:
    just = 10.0 + STAMP_SLACK_S
    assert polled(just)(in_force()).proof is Proof.PENDING
    brake = polled(just)(heard(at=11.0)(in_force()))
    assert brake.proof is Proof.PENDING
    assert "a mission with the turn's prompt" in brake.reason
    another = polled(just, prompt="of somebody else")
    brake = another(heard(at=11.0)(in_force()))
    assert brake.proof is Proof.CONFIRMED


def test_a_restart_after_the_proof_asks_for_a_new_one() -> None:
    brake = polled()(heard()(in_force()))
    brake = boot(50.0, "2026-11-22T21:00:00")(brake)
    assert (brake.proof, brake.since) == (Proof.PENDING, 50.0)
    assert "restarted since it was proven" in brake.reason


def test_a_restart_that_comes_late_takes_the_contradiction_back() -> None:
    brake = after(ended(1.0, COMMANDED), polled(5.0, at=6.0))
    assert brake.is_alarming
    assert boot(7.0, NEW)(brake).proof is Proof.PENDING


def test_the_restart_may_be_seen_before_the_command_has_ended() -> None:
    brake = after(boot(3.0, NEW), ended(4.0, COMMANDED))
    assert (brake.since, brake.reason) == (3.0, "in force, not proven")


def test_what_was_written_came_before_the_boot_that_read_it_whose_stamp_is_cut_to_seconds() -> None:
    for facts in ((ended(1.0, WRITTEN), boot(0.4, NEW)), (boot(0.4, NEW), ended(1.0, WRITTEN))):
        brake = after(*facts)
        assert [step.step for step in brake.steps] == ["requested", "written", "in force"]


def test_an_epoch_that_was_never_known_before_is_not_a_new_one() -> None:
    brake = after(ended(1.0, WRITTEN), boot(2.0, NEW), epoch=None)
    assert brake.in_force_at is None
    assert boot(3.0, NEW)(brake).in_force_at is None
    assert boot(4.0, "later")(brake).in_force_at == 4.0


def test_a_command_alone_is_proven_without_a_restart() -> None:
    done = Actuation((), command=RUN)
    brake = after(ended(1.0, done), heard(), polled())
    assert brake.proof is Proof.CONFIRMED


def test_by_hand_it_is_watched_for_its_effect_all_the_same() -> None:
    brake = after(ended(1.0, BY_HAND))
    assert (brake.proof, brake.reason) == (Proof.PENDING, "waits for the operator's hands")
    for fact in (boot(10.0, NEW), heard(), polled()):
        brake = fact(brake)
    assert brake.proof is Proof.CONFIRMED


def test_an_actuator_that_changed_nothing_has_failed() -> None:
    brake = after(ended(1.0, Actuation((), FAILED)), heard(), polled())
    assert brake.proof is Proof.FAILED
    assert brake.reason == "exit code 3; its output says why"


def test_a_command_that_failed_is_watched_for_its_effect_all_the_same() -> None:
    failed = RUN._replace(exit_code=3, failure=FAILED)
    brake = after(ended(1.0, Actuation((), FAILED, written=True, command=failed)))
    assert (brake.proof, brake.since) == (Proof.PENDING, None)
    assert brake.reason.startswith("exit code 3: watched")
    brake = after(ended(1.0, Actuation((), FAILED, command=failed)), heard(), polled())
    assert brake.proof is Proof.CONFIRMED


def test_a_turn_of_an_unknown_generation_proves_nothing() -> None:
    brake = polled()(heard(dialect=None)(in_force()))
    assert brake.proof is Proof.PENDING


def test_on_g2_only_the_own_probe_proves_a_silence() -> None:
    codie = turn()._replace(query="codie, write the parser")
    for is_probe, proof in ((False, Proof.PENDING), (True, Proof.CONFIRMED)):
        brake = partial(turn_ended, turn=codie, dialect="G2", is_probe=is_probe)(in_force())
        assert polled()(brake).proof is proof


def test_a_cancelled_turn_proves_nothing() -> None:
    cut = turn()._replace(completed=False)
    assert polled()(partial(turn_ended, turn=cut, dialect="G1")(in_force())).proof is Proof.PENDING


@pytest.mark.parametrize(
    ("change", "name", "proof"),
    [
        (RELEASE, "b01_ws_mission", Proof.CONFIRMED),
        (RELEASE, "c01_ws_fallback", Proof.CONFIRMED),
        (RELEASE, "p04_ws_bootstrap_fallback", Proof.CONFIRMED),
        (RELEASE, "c14_ws_shadow", Proof.CONFIRMED),
        (RELEASE, "c12_ws_force_fallback", Proof.CONTRADICTED),
        (RELEASE, "b13_ws_noncoding", Proof.PENDING),
        (SHADOW_ON, "c14_ws_shadow", Proof.CONFIRMED),
        (SHADOW_ON, "b01_ws_mission", Proof.CONTRADICTED),
        (SHADOW_ON, "c12_ws_force_fallback", Proof.PENDING),
        (SHADOW_OFF, "b01_ws_mission", Proof.CONFIRMED),
        (SHADOW_OFF, "c14_ws_shadow", Proof.CONTRADICTED),
        (SHADOW_OFF, "c12_ws_force_fallback", Proof.PENDING),
        (LANE_ON, "b01_ws_mission", Proof.CONFIRMED),
        (LANE_ON, "c14_ws_shadow", Proof.CONFIRMED),
        (LANE_ON, "c12_ws_force_fallback", Proof.CONTRADICTED),
        (LANE_OFF, "c12_ws_force_fallback", Proof.CONFIRMED),
        (LANE_OFF, "b01_ws_mission", Proof.CONTRADICTED),
    ],
)
def test_what_recorded_turns_say_about_each_change(change: Change, name: str, proof: Proof) -> None:
    brake = polled()(heard(name)(in_force(change)))
    assert brake.proof is proof
    assert brake.is_alarming == (
        proof is Proof.CONTRADICTED and change in {FORCE_FALLBACK, LANE_OFF, SHADOW_ON}
    )


def test_a_mission_proves_a_release() -> None:
    brake = polled(20.0)(in_force(RELEASE))
    assert brake.proof is Proof.CONFIRMED
    assert "mission m0 was dispatched" in brake.line


def test_a_missions_start_is_told_on_our_own_clock_however_far_off_the_gateways_is() -> None:
    late = datetime(2031, 1, 1, tzinfo=UTC)
    taken = snapshot(
        mission("old", started_s=-60.0)._replace(started_at=late - timedelta(seconds=60)),
        mission("queued", "queued")._replace(started_at=None),
        generated_at=late,
    )
    assert [(at, each.mission_id) for at, each in begun_in(taken, 100.0)] == [(40.0, "old")]
    taken = snapshot(mission(started_s=-5.0), generated_at=NOW)
    assert [(at, each.mission_id) for at, each in begun_in(taken, 7.0)] == [(2.0, "m1")]
