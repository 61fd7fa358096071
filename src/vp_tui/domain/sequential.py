"""What may be claimed about a rate watched all the time (the rollout's rules, section 10).

The e-processes here are fair bets against a hypothesis: while it is true, the chance that their
value ever reaches 20 is at most 1 in 20, however often one looks and whenever one stops. Rates are
fractions, 0 to 1; `successes` of `n` missions are those in which the watched thing happened, in
most uses a fallback. Independent missions at a steady rate are assumed, in one gateway epoch.
"""

from __future__ import annotations

import math
import sys
from typing import Final

from vp_tui.domain.stats import beta_log_tails, check_counts, check_fraction, first_count, log_beta

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
    check_counts(successes, n)
    check_fraction(p0)
    return _exp(_log_evidence_below(successes, n, p0))


def evidence_above(successes: int, n: int, p0: float) -> float:
    """Return the e-value, 0 to infinity, of the alarm "the rate is above `p0`": raised from 20 on.

    It is the mirror of `evidence_below`, with the bets spread evenly over the rates above `p0`.
    Raises ValueError for impossible counts or a `p0` not strictly between 0 and 1.
    """
    check_counts(successes, n)
    check_fraction(p0)
    mass = _log_mass(successes + 1, n - successes + 1, p0)[1]
    return _exp(mass - math.log1p(-p0) - _log_likelihood(successes, n, p0))


def clean_missions_needed(successes: int, n: int, p0: float) -> int:
    """Return after how many further clean missions "the rate is below `p0`" may be claimed.

    It is 0 when the claim holds now. Each clean mission raises the evidence, so that a bisection
    finds the number. Raises ValueError for impossible counts or a `p0` not strictly between 0
    and 1.
    """
    check_counts(successes, n)
    check_fraction(p0)
    wanted = math.log(CLAIM_FROM)
    return first_count(n, lambda count: _log_evidence_below(successes, count, p0) >= wanted) - n


def _log_evidence_below(successes: int, n: int, p0: float) -> float:
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
