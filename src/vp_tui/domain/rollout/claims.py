"""What the finished missions prove, in one value: what docs/rollout.md, section 10, shows.

Rates are fractions, 0 to 1; durations are seconds. Independent missions at a steady rate within
one gateway epoch are assumed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.rollout.gates import SLOW_FRACTION, compare_newest
from vp_tui.domain.rollout.guardrails import ROLLING
from vp_tui.domain.statistics import (
    clean_missions_needed,
    evidence_above,
    evidence_below,
    p95_bound_rank,
    rank_confidence,
    rank_from_top,
    upper95,
    wilson,
)
from vp_tui.domain.vocabulary import FALLBACK_WATCH, GUARDRAIL_RATE, P95_WATCH_S, rate_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.rollout.gates import Comparison


CLAIMS: Final = (GUARDRAIL_RATE, FALLBACK_WATCH)
"""Rates below which the fallback rate is to be proven: the guardrail's and the playbook's."""


class Bounds(NamedTuple):
    """What the finished missions prove of the fallback rate; rates are fractions, 0 to 1."""

    interval95: tuple[float, float]
    """Wilson's, two-sided."""
    upper95: float
    """Clopper-Pearson's, one-sided."""
    needed: int
    """Further clean missions until the rate is proven to be below the guardrail's."""


class Claim(NamedTuple):
    """How far it is proven that the fallback rate is below a limit."""

    limit: float
    evidence: float
    """The e-value: proven from 20 on."""
    needed: int
    """Further clean missions that prove it; 0 when it is proven."""


class Tail(NamedTuple):
    """What the durations prove of the true p95."""

    n: int
    confidence: float
    """How sure it is, 0 to 1, that the p95 shown is not below the true one."""
    bound_rank: int | None
    """Which largest duration bounds it from above, 95% sure; None: none does."""
    bound_s: float | None
    slow: int
    """How many took longer than the p95 that is watched from."""
    slow_evidence: float
    """The e-value of the alarm that more than one in twenty do: raised from 20 on."""
    last_n: int
    """How many the last 20 are."""
    last_s: float
    """Their p95."""


class Claims(NamedTuple):
    """What `n` finished missions prove, of which `fallbacks` fell back."""

    n: int
    fallbacks: int
    interval95: tuple[float, float]
    """Wilson's, two-sided."""
    upper95: float
    """Clopper-Pearson's, one-sided."""
    claims: tuple[Claim, ...]
    tail: Tail | None
    """None without a duration."""
    trend: Comparison | None
    """The newest missions against those before them; None while there are too few."""


@lru_cache(maxsize=8)
def bounds_of(fallbacks: int, n: int) -> Bounds:
    """Return what `fallbacks` among `n` finished missions prove, one at least."""
    needed = clean_missions_needed(fallbacks, n, GUARDRAIL_RATE)
    return Bounds(wilson(fallbacks, n), upper95(fallbacks, n), needed)


class RankFall(NamedTuple):
    """A p95 that fell only because it is another rank from some number of missions on."""

    before_s: float
    at: int

    @property
    def told(self) -> str:
        """What fell and why, in words."""
        return f"fell from {self.before_s:.3f}s at n = {self.at} by its rank: nothing got faster"


def rank_fall(trend: Sequence[float], n: int) -> RankFall | None:
    """Return why a p95 is lower than it was; None: it is not. `trend` is it after each mission.

    The largest durations of a growing number never become smaller, so that only the rank can fall.
    """
    steps = range(len(trend) - 1, 0, -1)
    place = next((place for place in steps if trend[place] < trend[place - 1]), None)
    if place is None or trend[-1] >= trend[place - 1]:
        return None
    return RankFall(trend[place - 1], n - len(trend) + place + 1)


def claims_of(finished: Sequence[LedgerEntry]) -> Claims:
    """Return what the epoch's real finished missions, oldest first, prove."""
    n = sum(entry.is_known for entry in finished)
    fallbacks = sum(entry.fell_back for entry in finished)
    durations = [e.mission.duration_s for e in finished if e.mission.duration_s is not None]
    return Claims(
        n=n,
        fallbacks=fallbacks,
        interval95=wilson(fallbacks, n),
        upper95=upper95(fallbacks, n),
        claims=tuple(
            Claim(
                limit,
                evidence_below(fallbacks, n, limit),
                clean_missions_needed(fallbacks, n, limit),
            )
            for limit in CLAIMS
        ),
        tail=_tail(durations) if durations else None,
        trend=compare_newest(durations),
    )


def _tail(durations: Sequence[float]) -> Tail:
    n, slow = len(durations), sum(duration >= P95_WATCH_S for duration in durations)
    rank, last = p95_bound_rank(n), durations[-ROLLING:]
    return Tail(
        n=n,
        confidence=rank_confidence(n, rank_from_top(n)),
        bound_rank=rank,
        bound_s=None if rank is None else sorted(durations)[-rank],
        slow=slow,
        slow_evidence=evidence_above(slow, n, SLOW_FRACTION),
        last_n=len(last),
        last_s=sorted(last)[-rank_from_top(len(last))],
    )


class Considered(NamedTuple):
    """What the endpoint's rate counts, beside the missions of the reconstructed one."""

    rate: float | None
    running: int
    """Rows that have not ended: they make the rate smaller than it is."""
    finished: int
    fallbacks: int
    """Of the finished, those that it reports to have fallen back."""
    more: int
    """Finished ones that the reconstruction does not count: of an earlier life, or cancelled."""
    fewer: int
    """Missions that the reconstruction counts and the list no longer has."""

    @property
    def is_diluted(self) -> bool:
        """Whether the rate would read otherwise without those that have not ended."""
        own = self.fallbacks / self.finished if self.finished else None
        is_told = self.running and self.rate is not None
        return bool(is_told) and rate_cell(self.rate) != rate_cell(own)

    @property
    def told(self) -> str:
        """What is counted: `0.045 of 44, 40 of them running; 2 of 4 finished`."""
        of = f"{rate_cell(self.rate)} of {self.running + self.finished}"
        return f"{of}, {self.running} of them running; {self.fallbacks} of {self.finished} finished"

    @property
    def difference(self) -> str:
        """Why the two rates are not the same number over the same missions, "" where they are."""
        parts = (
            (self.is_diluted, f"counts {self.running} running"),
            (self.more, f"{self.more} more listed"),
            (self.fewer, f"{self.fewer} no longer listed"),
        )
        return ", ".join(what for is_so, what in parts if is_so)


def considered(snapshot: Snapshot, counted: Iterable[LedgerEntry]) -> Considered:
    """Return what the endpoint's rate counts; `counted` are those of the reconstruction."""
    own = {entry.mission.mission_id for entry in counted}
    listed = {mission.mission_id for mission in snapshot.missions}
    ended = [mission for mission in snapshot.missions if mission.is_terminal]
    return Considered(
        snapshot.fallback.rate,
        len(listed - own) - sum(mission.mission_id not in own for mission in ended),
        sum(mission.is_terminal or mission.mission_id in own for mission in snapshot.missions),
        sum(
            mission.fallback_seen and (mission.is_terminal or mission.mission_id in own)
            for mission in snapshot.missions
        ),
        sum(mission.mission_id not in own for mission in ended),
        len(own - listed),
    )
