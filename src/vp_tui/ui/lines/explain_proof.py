"""The explanation's proofs: what the finished missions prove and do not, and what the lane does.

Each comes with why it is believed: the coverage of the events, the evidence for the lane's mode,
what was done to the lane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.missions import CoverageState, ordinal, rank_from_top
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.claims import claims_of
from vp_tui.domain.rollout.gates import (
    COMPARED,
    COMPARED_FROM,
    SLOW_FRACTION,
    SLOWER_P,
    SLOWER_SHIFT_S,
)
from vp_tui.domain.statistics import CLAIM_FROM, P95_BOUNDABLE_FROM
from vp_tui.domain.text import counted
from vp_tui.domain.vocabulary import P95_WATCH_S, percent
from vp_tui.ui.lines.figures import agreement, reported
from vp_tui.ui.lines.header import COVERAGE_TONES
from vp_tui.ui.lines.lane import PROOF_TONES, mode_lines, primary_lines, switches_lines
from vp_tui.ui.lines.paint import Line, fact, join, paragraph
from vp_tui.views import words
from vp_tui.views.figures import numbers
from vp_tui.views.sources import listened, source_view

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.models import Latency
    from vp_tui.domain.rollout.claims import Claim, Claims, Tail
    from vp_tui.domain.rollout.gates import Comparison
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


_ASSUMED: Final = (
    "independent missions at a steady rate, within one life (epoch) of the gateway. Nothing is"
    " pooled across a restart."
)
_PEEKING: Final = (
    "an interval or bound is good for one look. E-values stay good at every look: a false claim"
    " has a chance of at most 1 in 20, however often one looks. The guardrail does not: in 100"
    " missions at a true 3 % it trips in about one case of five."
)
_COVERAGE: Final = {
    CoverageState.FULL: "every mission's dispatch is among the events: the reported rate is whole",
    CoverageState.TRUNCATED: (
        "the event window is full or lacks missions: fallbacks of older ones may be missing"
    ),
    CoverageState.BLIND: (
        "the newest mission is not among the events: the reported rate is history and reads 0.000"
        " whatever happens. No gate passes on it"
    ),
}
_NOTE = (
    "No answer of the gateway shows the lane's switches: the newest effect that was seen in this"
    " epoch decides, and the env file only where none was. A turn of coding intent that stays on"
    " the primary path without a mission proves a forced fallback; silence proves nothing."
)


def proof_section(view: View, width: int) -> list[Line]:
    """Return what the figures prove of the rate and of the p95."""
    lines: list[Line] = [(("STATISTICS", "accent"),)]
    figures = numbers(view)
    if figures is None:
        lines += unknown(view, width)
    else:
        proof = view.same(claims_of, figures.real)
        told = (*_rates(figures), *_claims(proof, figures), *_latency(figures, proof))
        for name, text in told:
            lines += fact(name, text, width)
    lines += fact("assumed", ((_ASSUMED, "dim"),), width)
    return [*lines, *fact("peeking", ((_PEEKING, "dim"),), width)]


def coverage_section(view: View, width: int) -> list[Line]:
    """Return how much of the missions the reported rate can see, and what it never sees."""
    lines: list[Line] = [(("COVERAGE", "accent"),)]
    figures = numbers(view)
    if figures is None:
        lines += unknown(view, width)
    else:
        is_old = "" if figures.source.is_current else " when last seen"
        told = (words.coverage(figures.coverage), COVERAGE_TONES[figures.coverage.state])
        lines += fact("now", join(told, f" missions{is_old}"), width)
    for meant, text in _COVERAGE.items():
        lines += fact(meant.upper(), ((text, "dim"),), width)
    lines += fact("turns", words.routing(view), width)
    if not listened(view):
        return lines
    unseen = ", ".join(words.unseen(view.state.routing))
    return [*lines, *fact("unseen", f"{unseen}. Forced fallback says nothing at all", width)]


def unknown(view: View, width: int) -> list[Line]:
    """Say why there are no figures."""
    reason = words.no_metrics(source_view(view, Source.METRICS))
    return paragraph(f"unknown: {reason}", width, tone="warn")


def _rates(figures: Numbers) -> Iterable[tuple[str, str | Line]]:
    yield "reported", join(reported(figures), ", over all considered, running ones too")
    yield "reconstr.", f"{words.reconstructed(figures)}, over those finished in this epoch"
    yield "", "by events, results' places (G1), streams and earlier polls together"
    for told in agreement(figures):
        yield "compared", told


def _claims(proof: Claims, figures: Numbers) -> Iterable[tuple[str, str | Line]]:
    if len(figures.recent) != proof.n:
        others = len(figures.recent) - proof.n
        yield "left out", f"{others} finished of synthetic or fault-injected windows"
    if not proof.n:
        yield "interval", "n/a: no finished mission proves anything"
        return
    low, high = proof.interval95
    share = words.share(proof.fallbacks, proof.n)
    yield "interval", f"{words.interval(low, high)} (Wilson, 95 %, two-sided) for {share}"
    bound = words.at_most(proof.fallbacks, proof.n)
    yield "", f"{bound} (Clopper-Pearson, 95 %, one-sided): only higher rates are ruled out"
    for claim in proof.claims:
        yield f"< {percent(claim.limit)}", _claim(claim)


def _claim(claim: Claim) -> Line:
    told = f"E {claim.evidence:.3g} of {CLAIM_FROM:g}"
    if not claim.needed:
        return join(("proven", "good"), f": {told}")
    more = counted(claim.needed, "more clean mission proves", "more clean missions prove")
    return join(f"not proven: {told}; {more} it")


def _latency(figures: Numbers, proof: Claims) -> Iterable[tuple[str, str | Line]]:
    latency = figures.snapshot.latency
    yield "p95", _rank(latency)
    if proof.tail is not None:
        yield "true p95", _bound(proof.tail)
        yield f"> {P95_WATCH_S:g} s", _slow(proof.tail)
    yield "trend", _trend(proof.trend)


def _rank(latency: Latency) -> str:
    """Say in words which rank the p95 is, and when the next mission changes the rank."""
    if latency.p95_s is None or not latency.count:
        return words.p95(None, 0)
    rank = rank_from_top(latency.count)
    count = latency.count
    while rank_from_top(count) == rank:
        count += 1
    return (
        f"{words.p95(latency.p95_s, latency.count)}: a rank, not an estimate. From {count} on it is"
        f" the {_largest(rank + 1)}, and falls though nothing got faster"
    )


def _largest(rank: int) -> str:
    return "largest" if rank == 1 else f"{ordinal(rank)} largest"


def _bound(tail: Tail) -> str:
    shown = f"{percent(tail.confidence)} sure that it is not above the p95 shown"
    if tail.bound_rank is None or tail.bound_s is None:
        return f"{shown}; n {tail.n} < {P95_BOUNDABLE_FROM}: not even the slowest one bounds it"
    return f"{shown}; the {_largest(tail.bound_rank)}, {tail.bound_s:.3f}s, bounds it (95 % sure)"


def _slow(tail: Tail) -> str:
    alarm = "raised" if tail.slow_evidence >= CLAIM_FROM else "not raised"
    return (
        f"{tail.slow} of {tail.n}; the alarm that more than {percent(SLOW_FRACTION)} do is {alarm}:"
        f" E {tail.slow_evidence:.3g} of {CLAIM_FROM:g}"
    )


def _trend(trend: Comparison | None) -> str | Line:
    if trend is None:
        of = f"the last {COMPARED[0]} with the {COMPARED[1]} before"
        return f"n/a: to compare {of}, each side needs {COMPARED_FROM}"
    way = "slower" if trend.shift_s >= 0 else "faster"
    seen = (
        f"the last {trend.newest} are {abs(trend.shift_s):.1f} s {way} than the {trend.before}"
        f" before (Hodges-Lehmann), p {trend.p:.2g} (Mann-Whitney, exact)"
    )
    if trend.is_slower:
        return join(("slower", "warn"), f": {seen}")
    return f"{seen}: not shown to slow (p < {SLOWER_P:g} and more than {SLOWER_SHIFT_S:g} s)"


def lane_section(view: View, width: int) -> list[Line]:
    """Return the lane's mode, the switches, the primary path, and each order with its result."""
    lines: list[Line] = [(("LANE", "accent"),)]
    lines += mode_lines(view, width)
    lines += switches_lines(view, width)
    lines += primary_lines(view, width)
    for name, told, tone, since in _orders(view):
        when = f", asked {words.ago(view, since)}"
        lines += fact(name, join((told, tone), (when, "dim")), width)
    return [*lines, *paragraph(_NOTE, width, tone="dim")]


def _orders(view: View) -> list[tuple[str, str, Tone, float]]:
    lane = view.state.lane
    found: list[tuple[str, str, Tone, float]] = []
    if (brake := lane.brake) is not None:
        found.append(("brake", brake.line, PROOF_TONES[brake.proof], brake.asked_at))
    if (restart := lane.restart) is not None:
        found.append(("restart", restart.outcome, "plain", restart.asked_at))
    if (probe := lane.probe) is not None:
        found.append(("probe", probe.standing, "plain", probe.began_at))
    return found
