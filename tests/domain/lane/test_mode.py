"""What the lane is believed to do, and on what evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.builders import mission, snapshot
from tests.support.recorded import transcript

from vp_tui.domain.lane.mode import Belief, LaneMode, LaneSigns, believed_mode
from vp_tui.domain.lane.switch_proof import (
    Brake,
    acted,
    booted,
    missions_polled,
    new_proof,
)
from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    Actuation,
    Change,
    CommandRun,
    Switch,
    Switches,
)
from vp_tui.state.lane import follow_turns

if TYPE_CHECKING:
    from vp_tui.domain.lane.turn_proof import CompletedTurn

LANE_OFF = Change(Switch.LANE, on=False)
ON = Switches(lane=True)
FORCED = Switches(forced_fallback=True, lane=True)


def turn(name: str, at: float = 20.0) -> CompletedTurn:
    shifted = [event._replace(at=event.at + at) for event in transcript(name)]
    return follow_turns({}, shifted)[1][0]


def in_force(change: Change = FORCE_FALLBACK) -> Brake:
    done = Actuation((), written=True, command=CommandRun(("r",), 0, (), 0.1))
    brake = acted(new_proof(change, 0.0, "old"), 1.0, done)
    return booted(brake, 10.0, "new")


def written() -> Brake:
    brake = new_proof(FORCE_FALLBACK, 0.0, "old")
    return acted(brake, 1.0, Actuation((), written=True))


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("b01_ws_mission", LaneMode.DELEGATING),
        ("c01_ws_fallback", LaneMode.DELEGATING),
        ("p04_ws_bootstrap_fallback", LaneMode.CANNOT_START),
        ("c14_ws_shadow", LaneMode.SHADOW),
        ("c12_ws_force_fallback", LaneMode.UNKNOWN),
    ],
)
def test_the_newest_coding_turn_tells_it(name: str, mode: LaneMode) -> None:
    heard = turn(name)
    belief = believed_mode(LaneSigns(heard))
    assert (belief.mode, belief.at) == (mode, heard.ended_at)
    assert "session_a" in belief.evidence


@pytest.mark.parametrize(
    ("signs", "mode", "why"),
    [
        (LaneSigns(brake=in_force()), LaneMode.FORCED_FALLBACK, "fallback was forced before"),
        (LaneSigns(brake=in_force(LANE_OFF)), LaneMode.DISABLED, "switched off before"),
        (LaneSigns(switches=FORCED), LaneMode.FORCED_FALLBACK, "env file forces fallback"),
        (
            LaneSigns(switches=FORCED, are_switches_read=False),
            LaneMode.UNKNOWN,
            "forced fallback, or the lane is off",
        ),
        (LaneSigns(switches=Switches(lane=False)), LaneMode.DISABLED, "has the lane off"),
        (LaneSigns(switches=ON, had_session=False), LaneMode.DISABLED, "never had a session"),
        (LaneSigns(brake=written()), LaneMode.UNKNOWN, "forced fallback, or the lane is off"),
    ],
)
def test_silence_is_told_apart_by_what_else_is_known(
    signs: LaneSigns, mode: LaneMode, why: str
) -> None:
    belief = believed_mode(signs._replace(turn=turn("c12_ws_force_fallback")))
    assert belief.mode is mode
    assert why in belief.evidence


def test_the_newer_effect_wins() -> None:
    shadowed = turn("c14_ws_shadow", at=20.0)
    newer = LaneSigns(shadowed, mission=("m1", 30.0))
    assert believed_mode(newer) == Belief(LaneMode.DELEGATING, "mission m1 was dispatched", 30.0)
    assert believed_mode(LaneSigns(shadowed, mission=("m1", 5.0))).mode is LaneMode.SHADOW


def test_what_is_from_before_the_last_change_is_no_evidence() -> None:
    before = LaneSigns(turn("b01_ws_mission", at=2.0), ("m1", 11.0), brake=in_force())
    assert believed_mode(before).mode is LaneMode.UNKNOWN
    read = before._replace(switches=FORCED, are_switches_read=True)
    assert believed_mode(read).mode is LaneMode.FORCED_FALLBACK


def test_a_contradicted_brake_explains_no_silence() -> None:
    brake = missions_polled(in_force(), 30.0, snapshot(mission(started_s=-1.0)))
    signs = LaneSigns(turn("c12_ws_force_fallback", at=40.0), brake=brake)
    assert believed_mode(signs).mode is LaneMode.UNKNOWN


@pytest.mark.parametrize(
    ("switches", "mode"),
    [
        (ON, LaneMode.UNKNOWN),
        (FORCED, LaneMode.FORCED_FALLBACK),
        (Switches(shadow=True, lane=True), LaneMode.SHADOW),
        (Switches(shadow=True, lane=False), LaneMode.DISABLED),
        (Switches(forced_fallback=True, lane=False), LaneMode.FORCED_FALLBACK),
        (
            Switches(True, lane=True, masked=frozenset({Switch.FORCED_FALLBACK})),
            LaneMode.UNKNOWN,
        ),
        (Switches(), LaneMode.UNKNOWN),
    ],
)
def test_without_an_effect_the_file_tells_it_if_the_gateway_has_read_it(
    switches: Switches, mode: LaneMode
) -> None:
    assert believed_mode(LaneSigns(switches=switches, are_switches_read=True)).mode is mode
    for unread in (False, None):
        signs = LaneSigns(switches=switches, are_switches_read=unread)
        assert believed_mode(signs).mode is LaneMode.UNKNOWN


def test_a_written_switch_is_not_what_the_gateway_does() -> None:
    belief = believed_mode(LaneSigns(switches=FORCED, are_switches_read=True, brake=written()))
    assert belief.mode is LaneMode.UNKNOWN
    assert "has not restarted" in belief.evidence


def test_without_anything_nobody_knows() -> None:
    belief = believed_mode(LaneSigns())
    assert (belief.mode, belief.at) == (LaneMode.UNKNOWN, None)
