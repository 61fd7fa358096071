"""What counts and durations prove: intervals, bounds, e-values and ranks.

A rate is a fraction, 0 to 1: `successes` of `n` missions are those in which the watched thing
happened, mostly a fallback. Missions are assumed to be independent, at a steady rate, in one epoch
of the gateway (docs/rollout.md, section 10). Durations are finite numbers in seconds.

- Looked at once: `wilson` is drawn, `upper95` is told.
- Watched all the time: the e-processes `evidence_below` and `evidence_above` are fair bets against
  a hypothesis: while it is true, the chance that one ever reaches 20 is at most 1 in 20, however
  often one looks and whenever one stops.
- The p95 is the gateway's: a rank, not an estimate (docs/rollout.md, fact 5).
- Durations: are the newest missions slower than those before them, and how sure is it that the p95
  shown, a rank, is not below the true one? Neither answer supposes a distribution.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_left, bisect_right, insort
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import IMPOSSIBLE, figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


TAIL_95: Final = 0.05
"""What a one-sided bound of 95% leaves out, as a fraction."""

_STEPS: Final = 100_000
_ROUNDING: Final = 1e-15
_SETTLED: Final = 1e-10
"""Newton doubles the right digits: a step this small leaves an error far below rounding."""
_STIRLING_FROM: Final = 20.0
_STIRLING: Final = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680)


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval for a rate: what is drawn beside it; (0, 1) for no missions.

    `confidence` is two-sided, a fraction. Raises ValueError for impossible counts or fractions.
    """
    check_counts(successes, n)
    check_fraction(confidence)
    if n == 0:
        return 0.0, 1.0
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    failures = n - successes
    middle = (successes + z2 / 2) / (n + z2)
    reach = math.sqrt(z2 * (successes * failures / n + z2 / 4)) / (n + z2)
    return (middle - reach if successes else 0.0), (middle + reach if failures else 1.0)


def upper95(successes: int, n: int) -> float:
    """Return the one-sided 95% Clopper-Pearson upper bound of a rate; 1 for no missions.

    It is `1 - 0.05 ** (1 / n)` for no successes. Raises ValueError for impossible counts.
    """
    check_counts(successes, n)
    return 1.0 if successes == n else _beta_quantile(1 - TAIL_95, successes + 1, n - successes)


def first_count(start: int, holds: Callable[[int], bool]) -> int:
    """Return the first count from `start` on for which `holds`; from there on it must always hold.

    It takes about twice as many calls as the distance has binary digits.
    """
    if holds(start):
        return start
    step = 1
    while not holds(start + step):
        step *= 2
    return bisect_left(range(start + step), x=True, lo=start + step // 2 + 1, key=holds)


def check_counts(successes: int, n: int) -> None:
    """Raise ValueError unless 0 <= `successes` <= `n`."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no count")


def check_fraction(value: float) -> None:
    """Raise ValueError unless `value` is strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{value} is not strictly between 0 and 1")


def log_beta(a: float, b: float) -> float:
    """Return the logarithm of the beta function B(`a`, `b`) for positive arguments."""
    small, large = sorted((a, b))
    if large < _STIRLING_FROM:
        return math.lgamma(small) + math.lgamma(large) - math.lgamma(small + large)
    # The two large log-gammas nearly cancel: Stirling's series gives their difference itself.
    total = small + large
    fall = (large - 0.5) * math.log1p(small / large) + small * (math.log(total) - 1)
    return math.lgamma(small) - fall + _stirling_rest(large) - _stirling_rest(total)


def beta_log_tails(x: float, a: float, b: float) -> tuple[float, float]:
    """Return the logarithms of I_x(a, b), the regularized incomplete beta function, and of 1 - I.

    I is the chance that a beta variable is at most `x`, and that a binomial one of a + b - 1 trials
    at rate `x` is at least `a`. However small a tail is, its logarithm is off by no more than some
    10 ** -12 for `a` and `b` (0.5 or more) in the thousands, 10 ** -9 in the millions. Raises
    ValueError for an `x` not strictly between 0 and 1, and ArithmeticError where 100,000 terms do
    not do (`a` and `b` beyond 10 ** 13).
    """
    check_fraction(x)
    front = _log_front(x, a, b)
    if x <= (a + 1) / (a + b + 2):
        lower = front + math.log(_continued_fraction(x, a, b) / a)
        return lower, math.log(-math.expm1(lower))
    upper = front + math.log(_continued_fraction(1 - x, b, a) / b)
    return math.log(-math.expm1(upper)), upper


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Return the x at which I_x(a, b) is `probability`; `b` is 1 or more.

    Newton's steps for log I over log x: that curve rises and is concave for b >= 1, so from the
    second point on they climb to the root and can neither pass it nor leave the range. A step down
    is rounding, and ends the climb too.
    """
    wanted = math.log(probability)

    def step_from(log_x: float) -> float:
        x = math.exp(log_x)
        reached = beta_log_tails(x, a, b)[0]
        slope = math.exp(_log_front(x, a, b) - reached) / (1 - x)
        return (wanted - reached) / slope

    log_x = math.log(a / (a + b))
    log_x += step_from(log_x)
    while (step := step_from(log_x)) > _SETTLED:
        log_x += step
    return math.exp(log_x + step)


def _log_front(x: float, a: float, b: float) -> float:
    return a * math.log(x) + b * math.log1p(-x) - log_beta(a, b)


def _stirling_rest(z: float) -> float:
    """Return what Stirling's formula leaves out of log-gamma(`z`), for a `z` of 20 or more."""
    return sum(factor / z ** (2 * power + 1) for power, factor in enumerate(_STIRLING))


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Return a * B(a, b) * I_x(a, b) / (x^a (1-x)^b), by Lentz's method.

    For an `x` up to about the mean it converges fast and divides by nothing but positive numbers;
    the terms needed grow with the square root of `a` and `b`.
    """
    c = 1.0
    value = d = 1 / (1 - (a + b) * x / (a + 1))
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            value *= c * d
        if abs(c * d - 1) < _ROUNDING:
            return value
    raise ArithmeticError(f"I_x({a}, {b}) does not converge at {x}")


P95_BOUNDABLE_FROM: Final = 59
"""With fewer missions not even the slowest one bounds the true p95 with 95% confidence."""

_ABOVE_P95: Final = 0.05
"""The fraction of missions that are slower than the true p95."""


def rank_from_top(count: int) -> int:
    """Return which largest of `count` values the p95 is, as the gateway rounds; 1: the maximum."""
    return count - round((count - 1) * 0.95)


def p95_after_each(durations: Sequence[float], last: int) -> tuple[float, ...]:
    """Return the p95 as it stood after each of the `last` newest of `durations` (oldest first)."""
    first = max(len(durations) - last, 0)
    ranked = sorted(durations[:first])
    series = []
    for duration in durations[first:]:
        insort(ranked, duration)
        series.append(ranked[-rank_from_top(len(ranked))])
    return tuple(series)


def ordinal(number: int) -> str:
    """Return a rank as `1st`, `2nd`, `3rd` or `4th`."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number % 10, 'th')}"


def describe_rank(count: int) -> str:
    """Return how the p95 of `count` values reads: `max of 7`, `2nd of 15`."""
    if count < 1 or figure(count) == IMPOSSIBLE:
        return f"rank {IMPOSSIBLE}"
    rank = rank_from_top(count)
    return f"{'max' if rank == 1 else ordinal(rank)} of {count}"


def slower_p_value(sample: Sequence[float], before: Sequence[float]) -> float:
    """Return the exact one-sided Mann-Whitney p, a fraction, that `sample` is slower than `before`.

    It is the share, among all ways to draw as many of the pooled durations as `sample` has, of
    those with at least its rank sum. Equal durations share their mean rank, and as the ways are
    counted with these ranks, p is exact with ties too. Meant for dozens on each side: 10 against
    20 take a fifth of a millisecond, 100 against 100 two seconds. Raises ValueError for an empty
    side.
    """
    if not sample or not before:
        raise ValueError("a comparison needs durations on both sides")
    ranks = _doubled_midranks([*sample, *before])
    ways = math.comb(len(ranks), len(sample))
    return _ways_at_least(sum(ranks[: len(sample)]), ranks, len(sample)) / ways


def slower_by(sample: Sequence[float], before: Sequence[float]) -> float:
    """Return by how many seconds `sample` is slower than `before`: the Hodges-Lehmann shift.

    It is the median of all pairwise differences, negative where `sample` is faster. Raises
    ValueError for an empty side.
    """
    return median(new - old for new in sample for old in before)


def rank_confidence(count: int, rank: int) -> float:
    """Return how sure it is, 0 to 1, that the `rank`th largest of `count` is at least the true p95.

    Rank 1 is the largest. Ties can only make it surer. Raises ValueError for a rank that `count`
    durations do not have.
    """
    if not 1 <= rank <= count:
        raise ValueError(f"{count} durations have no {rank} from the top")
    return math.exp(beta_log_tails(_ABOVE_P95, rank, count - rank + 1)[0])


def p95_bound_rank(count: int) -> int | None:
    """Return which largest of `count` durations bounds the true p95 from above, 95% sure.

    1 is the largest; of several such ranks it is the one nearest to the p95. None below 59
    missions, where no rank does.
    """
    if count < P95_BOUNDABLE_FROM:
        return None
    return first_count(2, lambda rank: rank_confidence(count, rank) < 1 - TAIL_95) - 1


def _doubled_midranks(values: Sequence[float]) -> list[int]:
    """Return twice the rank of each of `values`, the smallest first; equal ones share the mean."""
    ordered = sorted(values)
    return [bisect_left(ordered, each) + bisect_right(ordered, each) + 1 for each in values]


def _ways_at_least(total: int, ranks: Sequence[int], size: int) -> int:
    """Return in how many ways `size` of `ranks` sum up to `total` or more.

    Dynamic programming over the ranks: `drawn[k]` counts the ways to draw k of those seen so far,
    by their sum. The counts of all sums are the digits of one big integer in a base that no count
    can overflow, so that adding a rank to every sum is a single shift.
    """
    width = math.comb(len(ranks), size).bit_length() + 1
    drawn = [1] + [0] * size
    for rank in ranks:
        for k in range(size, 0, -1):
            drawn[k] += drawn[k - 1] << (rank * width)
    # As 10 leaves 1 when divided by 9, a number leaves the sum of its digits.
    return (drawn[size] >> (total * width)) % ((1 << width) - 1)


CLAIM_FROM: Final = 20.0
"""The evidence from which on a claim is made: a false one has a chance of at most 1 in 20."""

_BELOW_A: Final = 0.5
_BELOW_B: Final = 9.5
_LARGEST_LOG: Final = math.log(sys.float_info.max)


def evidence_below(successes: int, n: int, p0: float) -> float:
    """Return the e-value, 0 to infinity, for "the rate is below `p0`": claimed from 20 on.

    The bets are spread over the rates below `p0` by a beta distribution (0.5, 9.5) cut off there.
    Raises ValueError for impossible counts or a `p0` not strictly between 0 and 1.
    """
    return _exp(_log_evidence_below(successes, n, p0))


def evidence_above(successes: int, n: int, p0: float) -> float:
    """Return the e-value, 0 to infinity, of the alarm "the rate is above `p0`": raised from 20 on.

    It is the mirror of `evidence_below`, with the bets spread evenly over the rates above `p0`.
    Raises ValueError for impossible counts or a `p0` not strictly between 0 and 1.
    """
    check_counts(successes, n)
    mass = _log_mass(successes + 1, n - successes + 1, p0)[1]
    return _exp(mass - math.log1p(-p0) - _log_likelihood(successes, n, p0))


def clean_missions_needed(successes: int, n: int, p0: float) -> int:
    """Return after how many further clean missions "the rate is below `p0`" may be claimed.

    It is 0 when the claim holds now. Each clean mission raises the evidence, so that a bisection
    finds the number. Raises ValueError for impossible counts or a `p0` not strictly between 0
    and 1.
    """
    wanted = math.log(CLAIM_FROM)
    return first_count(n, lambda count: _log_evidence_below(successes, count, p0) >= wanted) - n


def _log_evidence_below(successes: int, n: int, p0: float) -> float:
    check_counts(successes, n)
    before = _log_mass(_BELOW_A, _BELOW_B, p0)[0]
    after = _log_mass(_BELOW_A + successes, _BELOW_B + n - successes, p0)[0]
    return after - before - _log_likelihood(successes, n, p0)


def _log_mass(a: float, b: float, p0: float) -> tuple[float, float]:
    """Return the logarithms of the integral of p^(a-1) (1-p)^(b-1) below and above `p0`."""
    whole = log_beta(a, b)
    below, above = beta_log_tails(p0, a, b)
    return whole + below, whole + above


def _log_likelihood(successes: int, n: int, rate: float) -> float:
    return successes * math.log(rate) + (n - successes) * math.log1p(-rate)


def _exp(log_value: float) -> float:
    return math.exp(log_value) if log_value <= _LARGEST_LOG else math.inf
