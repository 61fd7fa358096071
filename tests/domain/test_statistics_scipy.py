"""The statistics against SciPy: over grids, and over what Hypothesis draws."""

import math

import pytest
import scipy  # type: ignore[import-untyped]  # its parts come when they are asked for
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.statistics import (
    beta_log_tails,
    evidence_above,
    evidence_below,
    log_beta,
    slower_p_value,
    upper95,
    wilson,
)

COUNTS = st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CONFIDENCES = st.floats(0.5, 0.999)
RATES = st.floats(0.005, 0.995)
PARAMETERS = [0.5, 1, 1.5, 9.5, 19.5, 20, 20.5, 100, 1000, 12345.5, 1e6]


@given(COUNTS, CONFIDENCES)
def test_the_intervals(counts: tuple[int, int], confidence: float) -> None:
    low, high = scipy.stats.binomtest(*counts).proportion_ci(confidence, "wilson")
    assert wilson(*counts, confidence) == pytest.approx((float(low), float(high)), rel=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 59, 100, 499, 1000, 10**6])
def test_the_one_sided_bounds(n: int) -> None:
    for s in sorted({0, 1, 2, 3, n // 7, n // 2, n - 1, n} & set(range(n + 1))):
        upper = 1.0 if s == n else float(scipy.stats.beta.ppf(0.95, s + 1, n - s))
        assert upper95(s, n) == pytest.approx(upper, rel=1e-10)


@pytest.mark.parametrize("a", PARAMETERS)
@pytest.mark.parametrize("b", PARAMETERS)
def test_the_beta_functions(a: float, b: float) -> None:
    # SciPy takes the difference of two large log-gammas, so that its own error grows with them.
    rounding = 1e-14 * max(a, b) + 1e-12
    assert log_beta(a, b) == pytest.approx(float(scipy.special.betaln(a, b)), rel=0, abs=rounding)
    mean = a / (a + b)
    near = [mean * (1 + by) for by in (-0.9, -0.1, -1e-3, 0.0, 1e-3, 0.1, 0.9)]
    for x in [1e-12, 1e-6, 0.01, 0.1, 0.5, 0.9, 0.99, 1 - 1e-9, *near]:
        if not 0 < x < 1:
            continue
        tails = (float(scipy.special.betainc(a, b, x)), float(scipy.special.betaincc(a, b, x)))
        for log_tail, tail in zip(beta_log_tails(x, a, b), tails, strict=True):
            if tail > 1e-290:  # SciPy has no logarithm of it: smaller ones underflow there
                rel = 1e-11 if max(a, b) <= 1000 else 2e-8
                assert math.exp(log_tail) == pytest.approx(tail, rel=rel)


def log_of_mass(a: float, b: float, p0: float, tail: float) -> float:
    return float(scipy.special.betaln(a, b)) + math.log(tail)


@given(COUNTS, RATES)
def test_the_evidence(counts: tuple[int, int], p0: float) -> None:
    s, n = counts
    likelihood = s * math.log(p0) + (n - s) * math.log1p(-p0)
    for evidence, tail, (a, b) in (
        (evidence_below, scipy.special.betainc, (0.5, 9.5)),
        (evidence_above, scipy.special.betaincc, (1.0, 1.0)),
    ):
        before, after = float(tail(a, b, p0)), float(tail(a + s, b + n - s, p0))
        if after < 1e-290:
            continue
        log_value = log_of_mass(a + s, b + n - s, p0, after) - log_of_mass(a, b, p0, before)
        if log_value - likelihood < 700:
            expected = math.exp(log_value - likelihood)
            assert evidence(s, n, p0) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.floats(0, 500), min_size=2, max_size=34, unique=True), st.data())
def test_mann_whitney_without_ties(pooled: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(pooled) - 1))
    sample, before = pooled[:cut], pooled[cut:]
    exact = scipy.stats.mannwhitneyu(sample, before, alternative="greater", method="exact")
    assert slower_p_value(sample, before) == pytest.approx(float(exact.pvalue), rel=1e-11)


def test_mann_whitney_with_ties_as_the_permutation_test() -> None:
    sample, before = [41.0, 45.0, 45.0, 52.0, 60.0], [38.0, 41.0, 41.0, 45.0, 39.0, 52.0]
    exact = scipy.stats.permutation_test(
        (sample, before),
        lambda one, two: scipy.stats.mannwhitneyu(one, two, method="asymptotic").statistic,
        alternative="greater",
        n_resamples=math.inf,
    )
    assert slower_p_value(sample, before) == pytest.approx(float(exact.pvalue), rel=1e-12)
