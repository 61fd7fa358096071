"""What counts prove about a rate when they are looked at once (the rollout's rules, section 10).

A rate is the fraction, 0 to 1, of `n` missions in which something happened, mostly a fallback:
`successes` of them, in the statistician's word. Independent missions at a steady rate are assumed.
What may be claimed while watching all the time is another question: see `sequential`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TAIL_95: Final = 0.05
"""What a one-sided bound of 95 % leaves out, as a fraction."""

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


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided Clopper-Pearson interval for a rate; (0, 1) for no missions.

    `confidence` is a fraction. Raises ValueError for impossible counts or fractions.
    """
    check_fraction(confidence)
    tail = (1 - confidence) / 2
    return _lower(successes, n, tail), _upper(successes, n, tail)


def upper95(successes: int, n: int) -> float:
    """Return the one-sided 95 % Clopper-Pearson upper bound of a rate; 1 for no missions.

    It is `1 - 0.05 ** (1 / n)` for no successes. Raises ValueError for impossible counts.
    """
    return _upper(successes, n, TAIL_95)


def lower95(successes: int, n: int) -> float:
    """Return the one-sided 95 % Clopper-Pearson lower bound of a rate; 0 for no missions.

    Raises ValueError for impossible counts.
    """
    return _lower(successes, n, TAIL_95)


def missions_needed(successes: int, target: float) -> int:
    """Return the smallest n at which `upper95(successes, n)` is below `target`, a fraction.

    This holds for a sample whose size was fixed beforehand; for continuous watching see
    `sequential.clean_missions_needed`. Raises ValueError for a negative count or a `target`
    that is not strictly between 0 and 1.
    """
    check_counts(successes, successes)
    check_fraction(target)

    def proves(n: int) -> bool:
        return beta_log_tails(target, successes + 1, n - successes)[1] < math.log(TAIL_95)

    return first_count(successes + 1, proves)


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
        return lower, _log_of_rest(lower)
    upper = front + math.log(_continued_fraction(1 - x, b, a) / b)
    return _log_of_rest(upper), upper


def _upper(successes: int, n: int, tail: float) -> float:
    check_counts(successes, n)
    return 1.0 if successes == n else _beta_quantile(1 - tail, successes + 1, n - successes)


def _lower(successes: int, n: int, tail: float) -> float:
    check_counts(successes, n)
    return 0.0 if successes == 0 else _beta_quantile(tail, successes, n - successes + 1)


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


def _log_of_rest(log_tail: float) -> float:
    """Return log(1 - tail)."""
    return math.log(-math.expm1(log_tail))


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
