import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.statistics import (
    CLAIM_FROM,
    clean_missions_needed,
    evidence_above,
    evidence_below,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "stats.json").read_text())
BELOW_TEN_PERCENT = GOLDEN["eprocess_below_p10_beta_.5_9.5"]
COUNTS = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
RATES = st.floats(0.01, 0.9)
LOOKS = 200
"""Missions for which the chance of a false claim, watched after each of them, is added up."""


@pytest.mark.parametrize("key", BELOW_TEN_PERCENT)
def test_the_golden_evidence(key: str) -> None:
    successes, n = map(int, key.split("/"))
    golden = BELOW_TEN_PERCENT[key]
    assert evidence_below(successes, n, 0.10) == pytest.approx(golden, rel=0, abs=5.1e-7)


@pytest.mark.parametrize(("p0", "totals"), [(0.10, [35, 63, 85, 105]), (0.05, [72, 130, 174, 213])])
def test_the_missions_that_the_rules_name(p0: float, totals: list[int]) -> None:
    assert [clean_missions_needed(s, s, p0) + s for s in range(4)] == totals


def test_missions_already_seen_count() -> None:
    assert clean_missions_needed(0, 15, 0.10) == 20
    assert [clean_missions_needed(0, n, 0.10) for n in (0, 34, 35, 36)] == [35, 1, 0, 0]


@pytest.mark.parametrize(("successes", "golden"), [(3, 0.236), (7, 26.8)])
def test_the_alarms_that_the_rules_name(successes: int, golden: float) -> None:
    digits = 3 if golden < 1 else 1
    assert round(evidence_above(successes, 20, 0.10), digits) == golden


@pytest.mark.parametrize("evidence", [evidence_below, evidence_above])
def test_before_the_first_mission_nothing_is_known(
    evidence: Callable[[int, int, float], float],
) -> None:
    assert evidence(0, 0, 0.1) == pytest.approx(1.0, rel=1e-14)


@given(COUNTS, RATES)
def test_the_bets_are_fair_where_the_hypothesis_ends(counts: tuple[int, int], p0: float) -> None:
    successes, n = counts
    for evidence in (evidence_below, evidence_above):
        now = evidence(successes, n, p0)
        hit, miss = evidence(successes + 1, n + 1, p0), evidence(successes, n + 1, p0)
        if math.isfinite(hit + miss):
            assert p0 * hit + (1 - p0) * miss == pytest.approx(now, rel=1e-9)


@given(COUNTS, RATES)
def test_a_clean_mission_speaks_for_a_low_rate_and_a_hit_against(
    counts: tuple[int, int], p0: float
) -> None:
    successes, n = counts
    assert evidence_below(successes, n + 1, p0) >= evidence_below(successes, n, p0)
    assert evidence_below(successes + 1, n + 1, p0) <= evidence_below(successes, n, p0)
    assert evidence_above(successes, n + 1, p0) <= evidence_above(successes, n, p0)
    assert evidence_above(successes + 1, n + 1, p0) >= evidence_above(successes, n, p0)


@given(COUNTS, st.floats(0.02, 0.5))
def test_the_claim_holds_after_the_missions_needed_and_not_before(
    counts: tuple[int, int], p0: float
) -> None:
    successes, n = counts
    needed = clean_missions_needed(successes, n, p0)
    slack = 1 + 1e-9
    assert evidence_below(successes, n + needed, p0) * slack >= CLAIM_FROM
    if needed:
        assert evidence_below(successes, n + needed - 1, p0) < CLAIM_FROM * slack


def test_hits_need_more_missions_and_a_lower_target_too() -> None:
    needed = [clean_missions_needed(s, s, 0.10) for s in range(40)]
    assert all(one < two for one, two in pairwise(needed))
    by_target = [clean_missions_needed(2, 30, p0) for p0 in (0.5, 0.2, 0.1, 0.05, 0.01, 1e-4)]
    assert by_target == sorted(by_target)


def chance_of_a_false_claim(rate: float, claimed: Callable[[int, int], bool]) -> float:
    """Add up, mission by mission, the chance of ever having claimed something."""
    running, stopped = {0: 1.0}, 0.0
    for n in range(1, LOOKS + 1):
        after: dict[int, float] = {}
        for successes, chance in running.items():
            after[successes] = after.get(successes, 0.0) + chance * (1 - rate)
            after[successes + 1] = after.get(successes + 1, 0.0) + chance * rate
        stopped += sum(after.pop(s) for s in list(after) if claimed(s, n))
        running = {s: chance for s, chance in after.items() if chance > 1e-12}
    return stopped


@pytest.mark.parametrize("p0", [0.05, 0.10, 0.20])
def test_looking_after_every_mission_costs_at_most_one_false_claim_in_twenty(p0: float) -> None:
    totals = [clean_missions_needed(s, s, p0) + s for s in range(LOOKS + 1)]
    false_claim = chance_of_a_false_claim(p0, lambda s, n: n >= totals[s])
    assert 0.005 < false_claim <= 0.05
    assert chance_of_a_false_claim(p0 * 1.5, lambda s, n: n >= totals[s]) < false_claim
    false_alarm = chance_of_a_false_claim(p0, lambda s, n: evidence_above(s, n, p0) >= CLAIM_FROM)
    assert 0.005 < false_alarm <= 0.05


def test_evidence_beyond_the_floats_is_infinite_and_still_counted() -> None:
    assert evidence_below(0, 10**6, 0.10) == math.inf
    assert evidence_above(10**6, 10**6, 0.10) == math.inf
    assert evidence_above(0, 10**6, 0.10) == pytest.approx(1 / (10**6 + 1), rel=1e-9)
    assert clean_missions_needed(0, 10**6, 0.10) == 0
    assert clean_missions_needed(0, 0, 1e-6) == pytest.approx(35e5, rel=0.1)


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5), (1, 0), (0, -1)])
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    for function in (evidence_below, evidence_above, clean_missions_needed):
        with pytest.raises(ValueError, match="is no count"):
            function(*counts, 0.1)


@pytest.mark.parametrize("p0", [0.0, 1.0, -0.1, 1.1, math.nan])
def test_impossible_rates_are_refused(p0: float) -> None:
    for function in (evidence_below, evidence_above, clean_missions_needed):
        with pytest.raises(ValueError, match="strictly between"):
            function(0, 5, p0)
