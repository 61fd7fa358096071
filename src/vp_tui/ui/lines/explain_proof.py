"""The explanation's proofs: what the finished missions prove and do not, and what the lane does.

Each comes with why it is believed: the coverage of the events, the evidence for the lane's mode,
what was done to the lane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions import CoverageState, ordinal, rank_from_top
from vp_tui.domain.rollout.claims import claims_of
from vp_tui.domain.rollout.gates import (
    COMPARED,
    COMPARED_FROM,
    SLOW_FRACTION,
    SLOWER_P,
    SLOWER_SHIFT_S,
)
from vp_tui.domain.statistics import CLAIM_FROM, P95_BOUNDABLE_FROM
from vp_tui.domain.text import age
from vp_tui.domain.vocabulary import P95_WATCH_S, percent
from vp_tui.ui.lines.lane import PROOF_TONES, mode_lines, primary_lines, switches_lines
from vp_tui.ui.lines.paint import Line, fact, join, paragraph
from vp_tui.views.sources import listened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.domain.models import Latency
    from vp_tui.domain.rollout.claims import Claim, Claims, Tail
    from vp_tui.domain.rollout.gates import Comparison
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.assessment import Assessment
    from vp_tui.views.figures import Numbers
    from vp_tui.views.sources import SourceView
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
_COVERAGE_TONES: Final[dict[CoverageState, Tone]] = {
    CoverageState.FULL: "good",
    CoverageState.TRUNCATED: "warn",
    CoverageState.BLIND: "bad",
    CoverageState.NONE: "dim",
}


_NOTE = (
    "No answer of the gateway shows the lane's switches: the newest effect that was seen in this"
    " epoch decides, and the env file only where none was. A turn of coding intent that stays on"
    " the primary path without a mission proves a forced fallback; silence proves nothing."
)


class ExplainedFacts(NamedTuple):
    """What is explained: a state, what is known of it, and what the rules make of it."""

    view: View
    assessment: Assessment
    figures: Numbers | None
    metrics: SourceView

    @property
    def unknown(self) -> str:
        """Why there are no figures, in words."""
        if self.metrics.failure is not None:
            return f"unknown: {self.metrics.failure.reason}"
        return "unknown: the metrics have not answered yet"


def proof_section(facts: ExplainedFacts, width: int) -> list[Line]:
    """Return what the figures prove of the rate and of the p95."""
    lines: list[Line] = [(("STATISTICS", "accent"),)]
    figures = facts.figures
    if figures is None:
        lines += paragraph(facts.unknown, width, tone="warn")
    else:
        proof = facts.view.same(claims_of, figures.real)
        told = (*_rates(figures), *_claims(proof, figures), *_latency(figures, proof))
        for name, text in told:
            lines += fact(name, text, width)
    lines += fact("assumed", ((_ASSUMED, "dim"),), width)
    return [*lines, *fact("peeking", ((_PEEKING, "dim"),), width)]


def coverage_section(facts: ExplainedFacts, width: int) -> list[Line]:
    """Return how much of the missions the reported rate can see, and what it never sees."""
    lines: list[Line] = [(("COVERAGE", "accent"),)]
    if facts.figures is None:
        lines += paragraph(facts.unknown, width, tone="warn")
    else:
        state, covered, considered = facts.figures.coverage
        counted = f" {covered} of {considered} missions" if considered else ""
        is_old = "" if facts.figures.source.is_current else " when last seen"
        word = join((state.upper(), _COVERAGE_TONES[state]), f"{counted}{is_old}")
        lines += fact("now", word, width)
    for meant, text in _COVERAGE.items():
        lines += fact(meant.upper(), ((text, "dim"),), width)
    tally = facts.view.state.routing
    if not listened(facts.view):
        return [*lines, *fact("unseen", (("unknown: no stream was heard", "warn"),), width)]
    seen = (
        f"{tally.bootstrap} bootstrap failures, {tally.shadow} kept by shadow mode,"
        f" {tally.unexplained} unexplained, of {tally.coding_turns} coding turns heard: they make"
        " no mission. Forced fallback says nothing at all"
    )
    return [*lines, *fact("unseen", seen, width)]


def _rates(figures: Numbers) -> Iterable[tuple[str, str | Line]]:
    fallback, seen = figures.snapshot.fallback, figures.reconstruction
    reported = "n/a: no mission is considered, and 0/0 is not 0"
    if figures.reported_rate is not None:
        counted = f"{fallback.with_fallback} of {fallback.considered} considered"
        reported = f"{figures.reported_rate:.3f}, {counted}, running ones among them"
    if figures.coverage.state is CoverageState.BLIND:
        yield "reported", join(("BLIND", "bad"), f": it says {reported}")
    else:
        yield "reported", reported
    if seen.rate is None:
        yield "reconstr.", "n/a: no mission finished in this epoch"
    else:
        inferred = f", {seen.inferred} by inference alone" if seen.inferred else ""
        counted = f"{seen.fallbacks} of {seen.terminal} finished{inferred}"
        yield "reconstr.", f"{seen.rate:.3f}, {counted}"
    yield "", "by events, results' places (G1), streams and earlier polls together"
    if figures.unreported:
        yield "differ", join((f"{figures.unreported:+d} that are not reported", "bad"))
    else:
        yield "agree", "no fallback is known that is not reported"


def _claims(proof: Claims, figures: Numbers) -> Iterable[tuple[str, str | Line]]:
    if len(figures.recent) != proof.n:
        others = len(figures.recent) - proof.n
        yield "left out", f"{others} finished of synthetic or fault-injected windows"
    if not proof.n:
        yield "interval", "n/a: no finished mission proves anything"
        return
    low, high = proof.interval95
    counted = f"{proof.fallbacks} of {proof.n}"
    yield "interval", f"{percent(low)} to {percent(high)} (Wilson, 95 %, two-sided) for {counted}"
    bound = percent(proof.upper95)
    yield "at most", f"{bound} (Clopper-Pearson, 95 %, one-sided): only higher rates are ruled out"
    for claim in proof.claims:
        yield f"< {percent(claim.limit)}", _claim(claim)


def _claim(claim: Claim) -> Line:
    counted = f"E {claim.evidence:.3g} of {CLAIM_FROM:g}"
    if not claim.needed:
        return join(("proven", "good"), f": {counted}")
    return join(f"not proven: {counted}; {claim.needed} more clean missions prove it")


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
        return "n/a: no mission with a duration"
    rank = rank_from_top(latency.count)
    count = latency.count
    while rank_from_top(count) == rank:
        count += 1
    return (
        f"{latency.p95_s:.3f}s is the {_largest(rank)} of {latency.count} durations: a rank, not an"
        f" estimate. From {count} on it is the {_largest(rank + 1)}, and falls though nothing got"
        " faster"
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


def lane_section(facts: ExplainedFacts, width: int) -> list[Line]:
    """Return the lane's mode, the switches, the primary path, and each order with its result."""
    view = facts.view
    lines: list[Line] = [(("LANE", "accent"),)]
    lines += mode_lines(view, width)
    lines += switches_lines(view, width)
    lines += primary_lines(view, width)
    for name, told, tone, since in _orders(facts):
        when = f", asked {age(max(view.now - since, 0.0))} ago"
        lines += fact(name, join((told, tone), (when, "dim")), width)
    return [*lines, *paragraph(_NOTE, width, tone="dim")]


def _orders(facts: ExplainedFacts) -> list[tuple[str, str, Tone, float]]:
    lane = facts.view.state.lane
    found: list[tuple[str, str, Tone, float]] = []
    if (brake := lane.brake) is not None:
        found.append(("brake", brake.line, PROOF_TONES[brake.proof], brake.asked_at))
    if (restart := lane.restart) is not None:
        found.append(("restart", restart.outcome, "plain", restart.asked_at))
    if (probe := lane.probe) is not None:
        found.append(("probe", probe.standing, "plain", probe.began_at))
    return found
