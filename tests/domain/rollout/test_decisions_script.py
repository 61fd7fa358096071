import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.rollout.decisions import script_decision
from vp_tui.domain.vocabulary import Profile, Thresholds, Word

HOLD, READY = Word.HOLD_SHADOW, Word.READY_FOR_LIMITED_COHORT_PILOT
NO_TRAFFIC, WATCH = Word.SUSTAINED_MONITOR_NO_TRAFFIC, Word.SUSTAINED_WATCH
FORCE, HEALTHY = Word.SUSTAINED_FORCE_FALLBACK, Word.SUSTAINED_DEFAULT_ON_HEALTHY


@pytest.mark.parametrize(
    ("considered", "rate", "p95_s", "rollout", "sustained"),
    [
        (0, 0.0, None, HOLD, NO_TRAFFIC),
        (0, None, None, HOLD, NO_TRAFFIC),
        (5, None, 30.0, HOLD, WATCH),
        (5, 0.0, None, HOLD, WATCH),
        (5, 0.0, 30.0, READY, HEALTHY),
        (1, 0.0499, 30.0, READY, HEALTHY),
        (20, 0.05, 30.0, HOLD, WATCH),
        (20, 0.1999, 30.0, HOLD, WATCH),
        (20, 0.20, 30.0, HOLD, FORCE),
        (20, 0.2499, 30.0, HOLD, FORCE),
        (20, 0.25, None, HOLD, FORCE),
        (5, 0.0, 44.999, READY, HEALTHY),
        (5, 0.0, 45.0, READY, WATCH),
        (5, 0.0, 89.999, READY, WATCH),
        (5, 0.0, 90.0, READY, FORCE),
        (20, 0.10, 100.0, HOLD, WATCH),
    ],
)
def test_the_script_decides_as_it_did(
    considered: int, rate: float | None, p95_s: float | None, rollout: Word, sustained: Word
) -> None:
    assert (
        script_decision(Profile.ROLLOUT, considered, rate, p95_s, Thresholds()).decision == rollout
    )
    assert (
        script_decision(Profile.SUSTAINED, considered, rate, p95_s, Thresholds()).decision
        == sustained
    )


def test_the_flags_move_the_limits() -> None:
    limits = Thresholds(
        min_missions=3,
        fallback_watch=0.3,
        fallback_critical=0.5,
        p95_watch_s=60.0,
        p95_critical_s=120.0,
    )
    assert script_decision(Profile.ROLLOUT, 2, 0.0, 30.0, limits).decision == HOLD
    assert script_decision(Profile.SUSTAINED, 2, 0.0, 30.0, limits).decision == NO_TRAFFIC
    assert script_decision(Profile.ROLLOUT, 3, 0.29, 30.0, limits).decision == READY
    assert script_decision(Profile.SUSTAINED, 3, 0.49, 30.0, limits).decision == WATCH
    assert script_decision(Profile.SUSTAINED, 3, 0.0, 59.9, limits).decision == HEALTHY
    assert script_decision(Profile.SUSTAINED, 3, 0.0, 60.0, limits).decision == WATCH
    assert script_decision(Profile.SUSTAINED, 3, 0.0, 120.0, limits).decision == FORCE


@given(
    st.sampled_from(Profile),
    st.integers(0, 5),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 200),
)
def test_the_script_always_decides_and_says_why(
    profile: Profile, considered: int, rate: float | None, p95_s: float | None
) -> None:
    suggestion = script_decision(profile, considered, rate, p95_s, Thresholds())
    assert suggestion.decision in set(Word)
    assert all(suggestion.reasons)
    assert suggestion.reasons


def test_a_reason_counts_one_mission_in_the_singular() -> None:
    limits = Thresholds(min_missions=3)
    assert script_decision(Profile.ROLLOUT, 1, 0.0, 30.0, limits).reasons == ("1 mission < 3",)
    assert script_decision(Profile.ROLLOUT, 2, 0.0, 30.0, limits).reasons == ("2 missions < 3",)
