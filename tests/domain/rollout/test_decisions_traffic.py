import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.rollout.situation import Cause, LaneFacts, causes_of_no_traffic, likely
from vp_tui.domain.runs.turns import RoutingTally

LANE_OFF = "lane off (UA_ENABLE_CODER_VP)"
FORCED = "forced fallback (UA_CODER_VP_FORCE_FALLBACK)"
SHADOW = "shadow mode (UA_CODER_VP_SHADOW_MODE)"
NO_INTENT, QUEUED, BOOTSTRAP = "no coding intent", "queued behind a stuck run", "bootstrap failures"


def causes(facts: LaneFacts) -> dict[str, Cause]:
    return {cause.name: cause for cause in causes_of_no_traffic(facts)}


def suspects(facts: LaneFacts) -> set[str]:
    return {cause.name for cause in causes_of_no_traffic(facts) if cause.is_likely}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (LaneFacts(), set()),
        (LaneFacts(RoutingTally()), {NO_INTENT}),
        (LaneFacts(RoutingTally(), has_session=False), {NO_INTENT, LANE_OFF}),
        (
            LaneFacts(RoutingTally(coding_turns=2, primary=2, unexplained=2), has_session=True),
            {LANE_OFF, FORCED},
        ),
        (
            LaneFacts(RoutingTally(coding_turns=2, primary=2, shadow=2), has_session=True),
            {SHADOW},
        ),
        (
            LaneFacts(RoutingTally(coding_turns=2, primary=2, bootstrap=2)),
            {BOOTSTRAP},
        ),
        (LaneFacts(RoutingTally(coding_turns=1, delegated=1), blocked_by="session_a"), {QUEUED}),
        (LaneFacts(last_error="no such runtime"), {BOOTSTRAP}),
    ],
)
def test_what_is_likely(facts: LaneFacts, expected: set[str]) -> None:
    assert suspects(facts) == expected


def test_what_speaks_against() -> None:
    delegated = causes(LaneFacts(RoutingTally(coding_turns=3, delegated=3), has_session=True))
    assert delegated[LANE_OFF].speaks_against == ("3 turns delegated",)
    assert delegated[FORCED].speaks_against == ("3 turns delegated",)
    assert "no coding turn said so" in delegated[SHADOW].speaks_against
    assert delegated[NO_INTENT].speaks_against == ("3 turns of coding intent",)
    assert delegated[BOOTSTRAP].speaks_against == ("no coding turn said so",)


def test_a_run_that_nobody_judged_is_not_said_to_be_fine() -> None:
    assert causes(LaneFacts())[QUEUED].speaks_against == ()
    assert causes(LaneFacts(runs_are_judged=True))[QUEUED].speaks_against == ("no run is stuck",)


def test_the_line_has_both_sides() -> None:
    found = causes(LaneFacts(RoutingTally(coding_turns=1, primary=1, unexplained=1)))
    assert found[LANE_OFF].line == (
        "lane off (UA_ENABLE_CODER_VP)?"
        " for: 1 coding turn stayed on the primary path without a word"
    )
    assert Cause("x", (), ()).line == "x? nothing seen either way"
    assert Cause("x", ("a", "b"), ("c",)).line == "x? for: a, b; against: c"


def test_the_lines_of_the_likely_causes() -> None:
    found = causes_of_no_traffic(LaneFacts(RoutingTally()))
    assert likely(found) == ("no coding intent? for: the streams heard none",)


@given(
    st.builds(
        RoutingTally,
        coding_turns=st.integers(0, 3),
        delegated=st.integers(0, 2),
        bootstrap=st.integers(0, 2),
        shadow=st.integers(0, 2),
        unexplained=st.integers(0, 2),
    )
    | st.none()
)
def test_every_cause_is_judged_once_likely_ones_first(tally: RoutingTally | None) -> None:
    found = causes_of_no_traffic(LaneFacts(tally))
    assert {cause.name for cause in found} == {
        LANE_OFF, FORCED, SHADOW, NO_INTENT, QUEUED, BOOTSTRAP,
    }  # fmt: skip
    likelihoods = [cause.is_likely for cause in found]
    assert likelihoods == sorted(likelihoods, reverse=True)
