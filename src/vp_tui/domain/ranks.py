"""What the order of durations proves (the rollout's rules, sections 4 and 10).

Two questions are answered: are the newest missions slower than those before them, and how sure is
it that the p95 shown, a rank, is not below the true one? Neither answer supposes a distribution.
Durations are finite numbers in seconds, independent of each other.
"""

from __future__ import annotations

import math
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Final

from vp_tui.domain.latency import rank_from_top
from vp_tui.domain.stats import TAIL_95, beta_log_tails, first_count

if TYPE_CHECKING:
    from collections.abc import Sequence

P95_BOUNDABLE_FROM: Final = 59
"""With fewer missions not even the slowest one bounds the true p95 with 95 % confidence."""

_ABOVE_P95: Final = 0.05
"""The fraction of missions that are slower than the true p95."""


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
    if not sample or not before:
        raise ValueError("a comparison needs durations on both sides")
    return median(new - old for new in sample for old in before)


def rank_confidence(count: int, rank: int) -> float:
    """Return how sure it is, 0 to 1, that the `rank`th largest of `count` is at least the true p95.

    Rank 1 is the largest. Ties can only make it surer. Raises ValueError for a rank that `count`
    durations do not have.
    """
    if not 1 <= rank <= count:
        raise ValueError(f"{count} durations have no {rank} from the top")
    return math.exp(beta_log_tails(_ABOVE_P95, rank, count - rank + 1)[0])


def p95_confidence(count: int) -> float:
    """Return how sure it is, 0 to 1, that the p95 shown for `count` missions is not below the true.

    Raises ValueError for no missions.
    """
    return rank_confidence(count, rank_from_top(count))


def p95_bound_rank(count: int) -> int | None:
    """Return which largest of `count` durations bounds the true p95 from above, 95 % sure.

    1 is the largest; of several such ranks it is the one nearest to the p95. None below 59
    missions, where no rank does.
    """
    if count < P95_BOUNDABLE_FROM:
        return None
    return first_count(2, lambda rank: rank_confidence(count, rank) < 1 - TAIL_95) - 1


def _doubled_midranks(values: Sequence[float]) -> list[int]:
    """Return twice the rank of each of `values`, the smallest first; equal ones share the mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0] * len(values)
    below = 0
    for _, equals in groupby(order, key=values.__getitem__):
        places = list(equals)
        for place in places:
            ranks[place] = 2 * below + len(places) + 1
        below += len(places)
    return ranks


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
