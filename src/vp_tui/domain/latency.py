"""The p95 as the gateway reckons it: a rank, not an estimate (docs/rollout.md, fact 5)."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    rank = rank_from_top(count)
    return f"{'max' if rank == 1 else ordinal(rank)} of {count}"
