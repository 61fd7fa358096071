import json
import math
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.statistics import (
    P95_BOUNDABLE_FROM,
    p95_bound_rank,
    rank_confidence,
    rank_from_top,
    slower_by,
    slower_p_value,
)
from vp_tui.simulator.ops import _nearest_rank

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "stats.json").read_text())
ORDER_STAT, UPSTREAM_INDEX = GOLDEN["order_stat"], GOLDEN["upstream_index"]
SIDES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=6)
"""Few values, so that most draws have ties."""


@pytest.mark.parametrize("key", ORDER_STAT)
def test_the_golden_confidence_in_the_p95(key: str) -> None:
    count, golden = int(key), ORDER_STAT[key]
    assert set(golden) == {"upstream_rank", "conf_ge_true_p95", "max_conf"}
    rank = rank_from_top(count)
    assert golden["upstream_rank"] == count - rank + 1
    assert rank_confidence(count, 1) == pytest.approx(golden["max_conf"], rel=0, abs=5.1e-7)
    shown = pytest.approx(golden["conf_ge_true_p95"], rel=0, abs=5.1e-7)
    assert rank_confidence(count, rank) == shown


@pytest.mark.parametrize("key", UPSTREAM_INDEX)
def test_the_golden_indices_of_p50_and_p95(key: str) -> None:
    count = int(key)
    places = range(count)
    golden = UPSTREAM_INDEX[key]
    assert [_nearest_rank(places, 0.50), _nearest_rank(places, 0.95)] == golden
    assert count - rank_from_top(count) == golden[1]


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_the_confidence_in_a_rank_is_a_binomial_tail(drawn: tuple[int, int]) -> None:
    count, rank = drawn
    slower = range(rank, count + 1)
    tail = math.fsum(math.comb(count, k) * 0.05**k * 0.95 ** (count - k) for k in slower)
    assert rank_confidence(count, rank) == pytest.approx(tail, rel=1e-10)


def test_from_59_missions_on_the_p95_can_be_bounded() -> None:
    assert P95_BOUNDABLE_FROM == 59
    assert rank_confidence(58, 1) < 0.95 <= rank_confidence(59, 1)
    assert (p95_bound_rank(58), p95_bound_rank(59)) == (None, 1)


@pytest.mark.parametrize("count", [*range(59, 130), 499, 1000, 5000])
def test_the_bound_is_the_closest_rank_that_is_sure_enough(count: int) -> None:
    rank = p95_bound_rank(count)
    assert rank is not None
    assert rank_confidence(count, rank) >= 0.95 > rank_confidence(count, rank + 1)
    assert rank <= rank_from_top(count)


@pytest.mark.parametrize(("count", "rank"), [(0, 1), (5, 0), (5, 6), (5, -1)])
def test_ranks_that_do_not_exist_are_refused(count: int, rank: int) -> None:
    with pytest.raises(ValueError, match="from the top"):
        rank_confidence(count, rank)


def test_no_missions_have_no_p95() -> None:
    assert p95_bound_rank(0) is None
    with pytest.raises(ValueError, match="0 durations"):
        rank_confidence(0, rank_from_top(0))


def doubled_wins(sample: tuple[float, ...], before: list[float]) -> int:
    """Return Mann-Whitney's U, twice: pairs in which the sample is slower, ties being half."""
    return sum(2 * (new > old) + (new == old) for new in sample for old in before)


def p_by_enumeration(sample: list[float], before: list[float]) -> float:
    pooled = sample + before
    seen = doubled_wins(tuple(sample), before)
    draws = list(combinations(range(len(pooled)), len(sample)))
    as_slow = 0
    for chosen in draws:
        others = [value for place, value in enumerate(pooled) if place not in chosen]
        as_slow += doubled_wins(tuple(pooled[place] for place in chosen), others) >= seen
    return as_slow / len(draws)


@given(SIDES, SIDES)
def test_p_is_the_share_of_all_draws_at_least_as_slow(
    sample: list[float], before: list[float]
) -> None:
    p = slower_p_value(sample, before)
    assert p == p_by_enumeration(sample, before)
    assert 1 / math.comb(len(sample) + len(before), len(sample)) <= p <= 1


@given(SIDES, SIDES)
def test_both_directions_share_the_draws_as_slow_as_seen(
    sample: list[float], before: list[float]
) -> None:
    assert slower_p_value(sample, before) + slower_p_value(before, sample) >= 1


@given(SIDES, SIDES)
def test_neither_order_nor_scale_counts(sample: list[float], before: list[float]) -> None:
    p = slower_p_value(sample, before)
    assert slower_p_value(sample[::-1], sorted(before)) == p
    assert slower_p_value([math.exp(v) for v in sample], [math.exp(v) for v in before]) == p


def test_the_slowest_of_all_draws_is_one_of_them() -> None:
    slow, fast = [float(n) for n in range(50, 60)], [float(n) for n in range(20)]
    assert slower_p_value(slow, fast) == 1 / math.comb(30, 10)
    assert slower_p_value(fast, slow) == 1.0


def test_equal_durations_prove_nothing() -> None:
    assert slower_p_value([5.0] * 10, [5.0] * 20) == 1.0
    assert slower_p_value([5.0] * 20, [5.0] * 10) == 1.0


@given(SIDES, SIDES, st.integers(-100, 100))
def test_the_shift_follows_the_sample(sample: list[float], before: list[float], by: int) -> None:
    shift = slower_by(sample, before)
    assert slower_by([value + by for value in sample], before) == shift + by
    assert slower_by(before, sample) == -shift


def test_the_shift_is_the_median_difference() -> None:
    assert slower_by([40.0, 50.0, 61.0], [38.0, 45.0]) == 8.5
    assert slower_by([7.5], [2.5]) == 5.0


@pytest.mark.parametrize(("sample", "before"), [([], [1.0]), ([1.0], []), ([], [])])
def test_an_empty_side_is_refused(sample: list[float], before: list[float]) -> None:
    for function in (slower_p_value, slower_by):
        with pytest.raises(ValueError, match=r"both sides|no median for empty data"):
            function(sample, before)
