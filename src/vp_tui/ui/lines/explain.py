"""The assessment explained in full, as lines: what is wrong, the verdict, the window, the traffic.

What the missions prove, and how far the figures may be trusted, stand at its end; gates and
guardrails are told by `explain_rules`. What is not known is said in words; no line shows a number
that stands for it.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.claims import claims_of, rank_fall
from vp_tui.domain.rollout.gates import (
    COMPARED,
    LOOKS,
    SLOW_FRACTION,
    SLOWER_P,
    SLOWER_SHIFT_S,
)
from vp_tui.domain.statistics import CLAIM_FROM, P95_BOUNDABLE_FROM, ordinal, rank_from_top
from vp_tui.domain.text import age, counted
from vp_tui.domain.vocabulary import P95_WATCH_S, interval, percent
from vp_tui.ui.lines.explain_rules import (
    changes_section,
    gates_section,
    guardrails_section,
    no_traffic_section,
    window_section,
)
from vp_tui.ui.lines.figures import agreement, reported, unknown
from vp_tui.ui.lines.header import trouble_line, verdict_of
from vp_tui.ui.lines.lane import PROOF_TONES, mode_lines, primary_lines, switches_lines
from vp_tui.ui.lines.paint import (
    COVERAGE_TONES,
    EMPTY,
    Line,
    bullet,
    fact,
    facts,
    heading,
    join,
    pad,
    paragraph,
    plain,
)
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.lane import turns_ran, turns_told, unseen_turns
from vp_tui.views.sources import SourceWord, Trouble, source_view
from vp_tui.views.troubles import troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vp_tui.domain.rollout.claims import Claim, Claims, Tail
    from vp_tui.domain.rollout.gates import Comparison
    from vp_tui.ui.lines.paint import Span
    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


_ASSUMED: Final = (
    "independent missions at a steady rate, within one life (epoch) of the gateway. Nothing is"
    " pooled across a restart."
)
_PEEKING: Final = (
    "an interval or bound is good for one look. E-values stay good at every look: a false claim"
    " has a chance of at most 1 in 20, however often one looks. The guardrail does not: in 100"
    " missions at a true 3% it trips in about one case of five."
)
_COVERAGE: Final = {
    CoverageState.FULL: "every mission's dispatch is among the events: the reported rate is whole",
    CoverageState.TRUNCATED: (
        "the event window is full or lacks missions: fallbacks of older ones may be missing"
    ),
    CoverageState.BLIND: (
        "the newest mission is not among the events: the reported rate is history and reads 0.000"
        " whatever happens. Gates go by the outcomes that are known otherwise"
    ),
}
_KEYS: Final = "these keys act on the watch screen: esc first"
_NOTE = (
    "No answer of the gateway shows the lane's switches: the newest effect that was seen in this"
    " epoch decides, and the env file only where none was. A turn of coding intent that stays on"
    " the primary path without a mission proves a forced fallback; silence proves nothing."
)


COLUMN: Final = 78
"""Cells of a line of text: a longer one is hard to read."""
GAP: Final = 2
"""Blanks between two columns, where there is room for both."""


def explanation(view: View, width: int) -> list[Line]:
    """Return all of it in lines of at most `width` cells; in two columns if they fit."""
    column = min(width, COLUMN)
    top = (_safety, _verdict, changes_section, window_section, no_traffic_section, _lane)
    if width < 2 * COLUMN + GAP:
        below = (gates_section, guardrails_section, _proof, _coverage)
        return _apart(view, column, *top, *below)
    left = _apart(view, column, *top, guardrails_section, _coverage)
    return beside(left, _apart(view, column, gates_section, _proof), COLUMN, GAP)


def _apart(view: View, width: int, *sections: Callable[[View, int], list[Line]]) -> list[Line]:
    """Return the sections that have lines, an empty one between two."""
    told = (section(view, width) for section in sections)
    return [line for lines in told if lines for line in (EMPTY, *lines)][1:]


def _proof(view: View, width: int) -> list[Line]:
    """Return what the figures prove of the rate and of the p95."""
    figures = numbers(view)
    told = unknown(view, width) if figures is None else facts(_proven(view, figures), width)
    terms = {"assumed": _ASSUMED, "peeking": _PEEKING}
    return [heading("STATISTICS"), *told, *facts(terms.items(), width, "dim")]


def _coverage(view: View, width: int) -> list[Line]:
    """Return how much of the missions the reported rate can see, and what it never sees."""
    if (figures := numbers(view)) is None:
        now = unknown(view, width)
    else:
        is_old = "" if figures.source.is_current else " when last seen"
        seen = figures.coverage
        known = words.share(seen.known, seen.considered)
        told = (seen.state.upper(), COVERAGE_TONES[seen.state])
        now = fact("now", join(told, f", outcomes known {known}{is_old}"), width)
    meanings = facts(((state.upper(), text) for state, text in _COVERAGE.items()), width, "dim")
    return [heading("COVERAGE"), *now, *meanings, *_turns(view, width)]


def _turns(view: View, width: int) -> list[Line]:
    """Return how many turns ran, at least, and what was heard of how they were routed."""
    told, turns = turns_told(view), turns_ran(view)
    lines = fact("turns", ", ".join(told), width)
    if turns.ran and not turns.heard:
        return lines
    unseen = ". ".join([*unseen_turns(view), "Under forced fallback no frame tells of the lane"])
    return [*lines, *fact("", unseen, width)]


def _proven(view: View, figures: Numbers) -> Iterator[tuple[str, str | Line]]:
    proof, latency = view.same(claims_of, figures.real), figures.snapshot.latency
    population = words.population(view)
    yield from _rates(figures, population)
    if figures.under_way:
        each = (f"{one} {age(age_s)}" for one, age_s in figures.under_way)
        yield "running", ", ".join(each)
    yield from _claims(proof, figures)
    yield "p95", f"of {population}: {_rank(figures.p95_s, figures.timed)}"
    if (fall := rank_fall(figures.p95_trend, figures.timed)) is not None:
        yield "", f"it {fall.told}"
    if slow := words.fallen_for(figures):
        yield "fell back", f"{slow}, with both paths in each"
    if (latency.p95_s, latency.count) != (figures.p95_s, figures.timed):
        yield "p95 listed", f"{words.p95(latency.p95_s, latency.count)}, of all that is listed"
    if tail := proof.tail:
        yield "p95 newest", f"of the last {tail.last_n}: {words.p95(tail.last_s, tail.last_n)}"
        yield "true p95", _bound(tail)
        yield f">= {P95_WATCH_S:g} s", _slow(tail)
    yield "trend", _trend(proof.trend)


def _rates(figures: Numbers, population: str) -> Iterator[tuple[str, str | Line]]:
    yield "reported", join(reported(figures), ", over all that is listed, running ones too")
    yield "finished", f"{words.reconstructed(figures)} of {population}, reconstructed"
    yield "", "by events, results' places (v1), streams and earlier polls together"
    for told in agreement(figures):
        yield "compared", told


def _claims(proof: Claims, figures: Numbers) -> Iterator[tuple[str, str | Line]]:
    if len(figures.recent) != proof.n:
        others = len(figures.recent) - proof.n
        yield "left out", f"{others} finished of synthetic or fault-injected windows"
    if not proof.n:
        yield "interval", "n/a: no finished mission proves anything"
        return
    low, high = proof.interval95
    share = words.share(proof.fallbacks, proof.n)
    yield "interval", f"{interval(low, high)} (Wilson, 95%, two-sided) for {share}"
    bound = words.at_most(proof.fallbacks, proof.n)
    yield "", f"{bound} (Clopper-Pearson, 95%, one-sided): only higher rates are ruled out"
    for claim in proof.claims:
        yield f"< {percent(claim.limit)}", _claim(claim)


def _claim(claim: Claim) -> Line:
    told = f"E {claim.evidence:.3g} of {CLAIM_FROM:g}"
    if not claim.needed:
        return join(("proven", "good"), f": {told}")
    more = counted(claim.needed, "more clean mission proves", "more clean missions prove")
    return join(f"not proven: {told}; {more} it")


def _rank(seconds: float | None, timed: int) -> str:
    """Say in words which rank the p95 is, and when the next mission changes the rank."""
    if seconds is None or not timed:
        return words.p95(None, 0)
    rank, count = rank_from_top(timed), timed
    while rank_from_top(count) == rank:
        count += 1
    return (
        f"{words.p95(seconds, timed)}: a rank, not an estimate. From {count} on it is"
        f" the {_largest(rank + 1)}, and falls though nothing got faster"
    )


def _largest(rank: int) -> str:
    return "largest" if rank == 1 else f"{ordinal(rank)} largest"


def _bound(tail: Tail) -> str:
    shown = f"{percent(tail.confidence)} sure that it is not above the p95 shown"
    if tail.bound_rank is None or tail.bound_s is None:
        return f"{shown}; n {tail.n} < {P95_BOUNDABLE_FROM}: not even the slowest one bounds it"
    return f"{shown}; the {_largest(tail.bound_rank)}, {tail.bound_s:.3f}s, bounds it (95% sure)"


def _slow(tail: Tail) -> str:
    alarm = "raised" if tail.slow_evidence >= CLAIM_FROM else "not raised"
    return (
        f"{tail.slow} of {tail.n}; the alarm that more than {percent(SLOW_FRACTION)} do is {alarm}:"
        f" E {tail.slow_evidence:.3g} of {CLAIM_FROM:g}"
    )


def _trend(trend: Comparison | None) -> str | Line:
    if trend is None:
        of = f"the last {COMPARED[0]} with the {COMPARED[1]} before"
        return f"n/a: to compare {of}, {LOOKS[0]} have to be timed"
    way = "slower" if trend.shift_s >= 0 else "faster"
    seen = (
        f"at the newest look the last {trend.newest} were {abs(trend.shift_s):.1f} s {way}"
        f" than the {trend.before}"
        f" before (Hodges-Lehmann), p {trend.p:.2g} (Mann-Whitney, exact)"
    )
    if trend.is_slower:
        return join(("slower", "warn"), f": {seen}")
    return f"{seen}: not shown to slow (p < {SLOWER_P:g} and more than {SLOWER_SHIFT_S:g} s)"


def _lane(view: View, width: int) -> list[Line]:
    """Return the lane's mode, the switches, the primary path, and each order with its result."""
    return [
        heading("LANE"),
        *mode_lines(view, width),
        *switches_lines(view, width),
        *primary_lines(view, width),
        *facts(_orders(view), width),
        *paragraph(_NOTE, width, tone="dim"),
    ]


def _orders(view: View) -> Iterator[tuple[str, Line]]:
    def asked(since: float) -> Span:
        return f", asked {words.ago(view, since)}", "dim"

    lane = view.state.lane
    if (brake := lane.brake) is not None:
        yield "brake", ((brake.line, PROOF_TONES[brake.proof]), asked(brake.asked_at))
    if (restart := lane.restart) is not None:
        yield "restart", join(restart.outcome, asked(restart.asked_at))
    if (probe := lane.probe) is not None:
        yield "probe", join(probe.standing, asked(probe.began_at))


def _safety(view: View, width: int) -> list[Line]:
    """Tell every alarm and trouble with what helps: the top of the screen has room for one."""
    lines, safety = [heading("SAFETY")], assess(view).safety
    for alarm in safety:
        key = f"[{alarm.key}] " if alarm.key and f"[{alarm.key}]" not in alarm.cure else ""
        lines += _wrong(view, Trouble(alarm.alarm, alarm.reason, f"{key}{alarm.cure}"), width)
    told = {alarm.trouble for alarm in safety}
    for trouble in troubles(view):
        if trouble.what not in told:
            lines += _wrong(view, trouble, width)
    if len(lines) > 1:
        has_key = any("[" in text for line in lines for text, _tone in line)
        return [*lines, *(paragraph(_KEYS, width, tone="dim") if has_key else ())]
    known = "no alarm, but nothing is known yet either"
    if numbers(view) is not None:
        known = "no alarm and no trouble now"
    return [*lines, *paragraph(known, width)]


def _wrong(view: View, trouble: Trouble, width: int) -> list[Line]:
    cure = trouble.cure.removeprefix(f"[{key_of(view.state.watch, 'explain')}] ")  # it led here
    helps = paragraph(join(("-> ", "dim"), cure), width, 4) if cure else []
    return [*paragraph(trouble_line(trouble), width), *helps]


def _verdict(view: View, width: int) -> list[Line]:
    assessment = assess(view)
    lines = [heading("VERDICT"), *fact("figures", _trust(view), width)]
    if assessment.suggestion is None or assessment.window is None:
        unread = f"unknown: {words.no_log(view)}, and it tells stage and window"
        return [*lines, *fact("word", unread, width)]
    tone, told, why = verdict_of(assessment, assessment.suggestion)
    said = join((told, tone), f": {why}")
    reasons = assessment.suggestion.reasons
    if not told:
        not_proven = f"not proven: {', '.join(assessment.gates.not_proven)}"
        said = plain(not_proven)
        reasons = tuple(reason for reason in reasons if reason != not_proven)
    rules = f"profile {view.state.watch.profile}, stage {assessment.window.stage}"
    note = (
        f"The first rule that fits gives the word ({rules}). You confirm it, or overrule it:"
        " a word that allows more asks for a reason. It never hides what SAFETY says."
    )
    return [
        *lines,
        *fact("verdict", said, width),
        *fact("word", join("may be recorded: ", (assessment.suggestion.decision, "strong")), width),
        *(line for reason in reasons for line in bullet(reason, width)),
        *paragraph(note, width, tone="dim"),
    ]


def _trust(view: View) -> Line:
    """Say how far the figures may be trusted now."""
    metrics = source_view(view, Source.METRICS)
    if numbers(view) is None:
        return ((f"unknown: {words.no_metrics(metrics)}", "warn"),)
    state = f"metrics {words.source_state(metrics, aged=True)}"
    if metrics.word is SourceWord.LIVE:
        return join(state)
    return ((f"{state}; what follows proves nothing, and only bad news counts", "warn"),)


def beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: int) -> list[Line]:
    """Return two columns of `width` cells each, `gap` blanks between them."""
    pairs = zip_longest(left, right, fillvalue=EMPTY)
    return [join(pad(one, width), " " * gap, other) if other else one for one, other in pairs]
