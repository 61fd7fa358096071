"""The assessment explained in full, as lines: what is wrong, the verdict, the window, the traffic.

Gates and guardrails are told by `explain_rules`, the statistics by `explain_proof`. What is not
known is said in words; no line shows a number that stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Source
from vp_tui.domain.text import literal
from vp_tui.ui.lines.explain_proof import (
    ExplainedFacts,
    coverage_section,
    lane_section,
    proof_section,
)
from vp_tui.ui.lines.explain_rules import gates_section, guardrails_section, window_section
from vp_tui.ui.lines.paint import EMPTY, Line, age, beside, bullet, fact, join, paragraph
from vp_tui.ui.lines.verdict import verdict_of
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.troubles import troubles

if TYPE_CHECKING:
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import View


COLUMN: Final = 78
"""Cells of a line of text: a longer one is hard to read."""
GAP: Final = 2
"""Blanks between two columns, where there is room for both."""


def explanation(view: View, width: int) -> list[Line]:
    """Return all of it as of `now`, in lines of at most `width` cells; in two columns if they fit.

    `now` is the monotonic clock in seconds.
    """
    metrics = source_view(view, Source.METRICS)
    facts = ExplainedFacts(view, assess(view), numbers(view), metrics)
    column = min(width, COLUMN)
    alarms, verdict = _safety(facts, column), _verdict(facts, column)
    window, traffic = window_section(facts, column), _no_traffic(facts, column)
    gates, guardrails = gates_section(facts, column), guardrails_section(facts, column)
    proof, coverage = proof_section(facts, column), coverage_section(facts, column)
    lane = lane_section(facts, column)
    if width < 2 * COLUMN + GAP:
        return _apart(alarms, verdict, window, traffic, lane, gates, guardrails, proof, coverage)
    left = _apart(alarms, verdict, window, traffic, lane, guardrails, coverage)
    return beside(left, _apart(gates, proof), COLUMN, GAP)


def _apart(*sections: list[Line]) -> list[Line]:
    """Return the sections that have lines, an empty one between two."""
    lines: list[Line] = []
    for section in sections:
        if section:
            lines += [EMPTY, *section] if lines else section
    return lines


def _safety(facts: ExplainedFacts, width: int) -> list[Line]:
    """Tell every alarm and trouble with what helps: the top of the screen has room for one."""
    lines = [_heading("SAFETY")]
    for alarm in facts.assessment.safety:
        key = f" (key {alarm.key})" if alarm.key else ""
        lines += _wrong(alarm.alarm, alarm.reason, f"{alarm.cure}{key}", "bad", width)
    told = {alarm.trouble for alarm in facts.assessment.safety}
    for trouble in troubles(facts.view):
        if trouble.what not in told:
            tone: Tone = "bad" if trouble.is_grave else "warn"
            lines += _wrong(trouble.what, trouble.reason, trouble.cure, tone, width)
    if len(lines) > 1:
        return lines
    if facts.figures is None:
        return [*lines, *paragraph("no alarm, but nothing is known yet either", width)]
    return [*lines, *paragraph("no alarm and no trouble now", width)]


def _heading(text: str) -> Line:
    return ((text, "accent"),)


def _wrong(what: str, reason: str, cure: str, tone: Tone, width: int) -> list[Line]:
    told = join(("! ", tone), (what, tone), f": {reason}" if reason else "")
    helps = paragraph(join(("-> ", "dim"), cure), width, 4) if cure else []
    return [*paragraph(told, width), *helps]


def _verdict(facts: ExplainedFacts, width: int) -> list[Line]:
    assessment = facts.assessment
    lines = [_heading("VERDICT"), *fact("figures", _trust(facts), width)]
    if assessment.suggestion is None or assessment.window is None:
        return [*lines, *fact("word", _unread(facts.view), width)]
    tone, what, why = verdict_of(assessment, assessment.suggestion)
    lines += fact("verdict", join((what, tone), f": {why}"), width)
    lines += fact("row's word", ((assessment.suggestion.decision, "strong"),), width)
    for reason in assessment.suggestion.reasons:
        lines += bullet(reason, width)
    rules = f"profile {facts.view.state.watch.profile}, stage {assessment.window.stage}"
    note = (
        f"The first rule that fits gives the word ({rules}). You confirm it, or overrule it:"
        " a word that allows more asks for a reason. It never hides what SAFETY says."
    )
    return [*lines, *paragraph(note, width, tone="dim")]


def _trust(facts: ExplainedFacts) -> Line:
    """Say how far the figures may be trusted now."""
    metrics = facts.metrics
    if facts.figures is None:
        return ((facts.unknown, "warn"),)
    if metrics.word is SourceWord.LIVE:
        return join(f"metrics live, {age(metrics.age_s)} old")
    stands_in = f", from the {metrics.plane} plane" if metrics.has_substitute else ""
    old = f"metrics {metrics.word}: what follows is {age(metrics.age_s)} old{stands_in}"
    return ((f"{old}; it proves nothing, and only bad news counts", "warn"),)


def _unread(view: View) -> str:
    problem = view.state.evidence.problem if view.state.evidence else None
    if problem:
        return f"unknown: the evidence log cannot be read: {problem}"
    return "unknown: the evidence log is not read yet, and it tells stage and window"


def _no_traffic(facts: ExplainedFacts, width: int) -> list[Line]:
    """Say for each cause of a window without missions what speaks for and against it."""
    own = facts.assessment.numbers
    if own is None or own.new:
        return []
    lines = [_heading("WHY NO TRAFFIC: no mission in the window")]
    for cause in facts.assessment.causes:
        word, tone = _likelihood(is_likely=cause.is_likely, is_denied=bool(cause.speaks_against))
        lines += fact(word, ((literal(cause.line), tone),), width)
    return lines


def _likelihood(*, is_likely: bool, is_denied: bool) -> tuple[str, Tone]:
    if is_likely:
        return "likely", "strong"
    return ("unlikely", "dim") if is_denied else ("open", "plain")
