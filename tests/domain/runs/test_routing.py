import pytest
from tests.support.builders import processing
from tests.support.recorded import transcript

from vp_tui.domain.models import Dialect
from vp_tui.domain.runs.run import Run, follow_run
from vp_tui.domain.runs.turns import RoutingTally, count_turn


def tallied(name: str) -> RoutingTally:
    tally = RoutingTally()
    for turn, sent in follow_run(Run("session_a"), transcript(name))[1]:
        tally = count_turn(tally, sent, turn.routing, "G1")
    return tally


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("b01_ws_mission", RoutingTally(heard=1, coding_turns=1, delegated=1)),
        ("b13_ws_noncoding", RoutingTally(heard=1)),
        ("c01_ws_fallback", RoutingTally(heard=1, coding_turns=1, delegated=1)),
        ("c03_ws_vp_exception", RoutingTally(heard=1, coding_turns=1, delegated=1)),
        ("c12_ws_force_fallback", RoutingTally(1, heard=1, primary=1, unexplained=1)),
        ("c14_ws_shadow", RoutingTally(1, heard=1, primary=1, shadow=1)),
        (
            "p04_ws_bootstrap_fallback",
            RoutingTally(1, heard=1, primary=1, bootstrap=1),
        ),
    ],
)
def test_recorded_turns(name: str, expected: RoutingTally) -> None:
    assert tallied(name) == expected


@pytest.mark.parametrize(("dialect", "coding_turns"), [("G1", 1), ("G2", 0), (None, 1)])
def test_the_generation_decides_what_is_coding(dialect: Dialect | None, coding_turns: int) -> None:
    tally = count_turn(RoutingTally(), processing("write code"), None, dialect)
    assert tally.coding_turns == coding_turns


def test_what_a_g2_keeps_on_the_primary_path_is_not_known_to_be_coding() -> None:
    assert count_turn(RoutingTally(), processing("Codie, write"), None, "G2").coding_turns == 0
    sent = processing("(the wrapper's own prompt)")
    shadowed = count_turn(RoutingTally(), sent, "coder_vp_shadow_mode", "G2")
    assert shadowed == RoutingTally(1, heard=1, primary=1, shadow=1)


def test_a_turn_without_a_query_is_not_counted() -> None:
    assert count_turn(RoutingTally(), processing(None), None, "G1").coding_turns == 0


@pytest.mark.parametrize("routing", ["coder_vp_fallback", "coder_vp_lease_degraded"])
def test_a_turn_first_seen_falling_back_had_been_delegated(routing: str) -> None:
    tally = count_turn(RoutingTally(), processing(), routing, "G1")
    assert tally == RoutingTally(coding_turns=1, delegated=1)


def test_the_external_lane_is_delegation_too() -> None:
    sent = processing("ask codie")
    tally = count_turn(RoutingTally(), sent, "delegated_to_coder_vp_external", "G2")
    assert tally == RoutingTally(heard=1, coding_turns=1, delegated=1)
