import json
import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.statistics import beta_log_tails, first_count, log_beta, upper95, wilson

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "stats.json").read_text())
BINOMIAL = GOLDEN["binomial"]
COUNTS = st.integers(0, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
IMPOSSIBLE = [(-1, 5), (6, 5), (1, 0), (0, -1), (-2, -1)]
NO_FRACTIONS = [0.0, 1.0, -0.1, 1.1, math.nan]


def test_every_section_of_the_golden_file_is_known() -> None:
    tested_here = {"binomial", "scipy", "zero_fallback_needed"}
    of_no_use_here = {"needed_by_s"}  # of a sample whose size was fixed beforehand
    tested_elsewhere = {"order_stat", "upstream_index", "eprocess_below_p10_beta_.5_9.5"}
    assert set(GOLDEN) == tested_here | tested_elsewhere | of_no_use_here
    assert GOLDEN["zero_fallback_needed"] == {}


@pytest.mark.parametrize("key", BINOMIAL)
def test_the_golden_intervals(key: str) -> None:
    successes, n = map(int, key.split("/"))
    golden = BINOMIAL[key]
    assert set(golden) == {"wilson", "cp", "cp1_upper", "cp1_lower"}
    assert wilson(successes, n) == pytest.approx(golden["wilson"], rel=0, abs=1e-9)
    assert upper95(successes, n) == pytest.approx(golden["cp1_upper"], rel=0, abs=1e-9)


def test_fifteen_clean_missions_do_not_prove_ten_percent() -> None:
    assert f"{upper95(0, 15):.1%}" == "18.1%"


def test_no_missions_say_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert upper95(0, 0) == 1.0


@pytest.mark.parametrize("n", [1, 2, 15, 59, 1000, 10**6, 10**9])
def test_none_and_all_have_exact_ends(n: int) -> None:
    rounding = 1e-15 * n + 1e-12
    assert upper95(0, n) == pytest.approx(-math.expm1(math.log(0.05) / n), rel=rounding)
    assert wilson(0, n)[0] == 0.0
    assert wilson(n, n)[1] == upper95(n, n) == 1.0


@given(COUNTS)
def test_every_interval_holds_the_rate_seen(counts: tuple[int, int]) -> None:
    successes, n = counts
    rate = successes / n if n else 0.5
    slack = 1e-12
    low, high = wilson(*counts)
    assert 0 <= low <= rate + slack
    assert rate - slack <= high <= 1
    assert rate - slack <= upper95(*counts) <= 1


@given(COUNTS, st.floats(0.5, 0.999))
def test_intervals_mirror_when_hits_and_misses_swap(
    counts: tuple[int, int], confidence: float
) -> None:
    successes, n = counts
    low, high = wilson(n - successes, n, confidence)
    mirrored = (1 - high, 1 - low)
    assert wilson(successes, n, confidence) == pytest.approx(mirrored, rel=0, abs=1e-11)


@given(COUNTS, st.floats(0.5, 0.99))
def test_more_confidence_is_a_wider_interval(counts: tuple[int, int], confidence: float) -> None:
    (low, high), (lower, higher) = wilson(*counts, confidence), wilson(*counts, 0.999)
    assert lower <= low + 1e-12
    assert high <= higher + 1e-12


@pytest.mark.parametrize("confidence", [1e-9, 0.5, 1 - 1e-9, 1 - 2**-50])
def test_extreme_confidence_is_still_an_interval(confidence: float) -> None:
    low, high = wilson(3, 20, confidence)
    assert 0 <= low < high <= 1


@pytest.mark.parametrize("n", [20, 333])
def test_bounds_rise_with_hits_and_fall_with_clean_missions(n: int) -> None:
    by_successes = [upper95(s, n) for s in range(n + 1)]
    assert all(one < two for one, two in pairwise(by_successes))
    by_missions = [upper95(3, m) for m in range(3, n)]
    assert all(one > two for one, two in pairwise(by_missions))


@pytest.mark.parametrize("b", [1, 19.5, 20, 1000, 12345.5, 1e6, 1e9])
@pytest.mark.parametrize("a", [1, 2, 15, 20, 25])
def test_the_beta_function_is_a_product_for_whole_numbers(a: int, b: float) -> None:
    product = math.lgamma(a) - math.fsum(math.log(b + i) for i in range(a))
    assert log_beta(a, b) == pytest.approx(product, rel=1e-13, abs=1e-14)
    assert log_beta(b, a) == log_beta(a, b)


def binomial_at_most(successes: int, n: int, rate: float) -> float:
    """Sum up P(X <= successes) without any rounding."""
    p = Fraction(rate)
    return float(
        sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(successes + 1)),
    )


@pytest.mark.parametrize("counts", [(0, 1), (1, 2), (3, 20), (10, 40), (35, 40), (2, 150)])
def test_the_bounds_leave_out_exactly_their_tail(counts: tuple[int, int]) -> None:
    successes, n = counts
    assert binomial_at_most(successes, n, upper95(successes, n)) == pytest.approx(0.05, rel=1e-11)


@pytest.mark.parametrize("start", [0, 1, 59])
@pytest.mark.parametrize("distance", range(20))
def test_the_first_count_is_found(start: int, distance: int) -> None:
    assert first_count(start, lambda count: count >= start + distance) == start + distance


def test_the_first_count_is_found_quickly() -> None:
    asked: list[int] = []

    def holds(count: int) -> bool:
        asked.append(count)
        return count >= 10**9

    assert first_count(7, holds) == 10**9
    assert len(asked) <= 62


@pytest.mark.parametrize("counts", IMPOSSIBLE)
def test_impossible_counts_are_refused(counts: tuple[int, int]) -> None:
    for bound in (wilson, upper95):
        with pytest.raises(ValueError, match="is no count"):
            bound(*counts)


@pytest.mark.parametrize("value", NO_FRACTIONS)
def test_impossible_fractions_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        wilson(1, 2, value)
    with pytest.raises(ValueError, match="strictly between"):
        beta_log_tails(value, 1, 1)


def test_a_beta_function_out_of_reach_says_so() -> None:
    with pytest.raises(ArithmeticError, match="does not converge"):
        beta_log_tails(0.5, 1e15, 1e15)
