"""The assessment explained in full, as lines: what is wrong, the verdict, the window, the traffic.

Gates and guardrails are told by `explain_rules`, the statistics by `explain_proof`. What is not
known is said in words; no line shows a number that stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Source
from vp_tui.domain.text import literal
from vp_tui.ui.lines.explain_proof import coverage_section, lane_section, proof_section
from vp_tui.ui.lines.explain_rules import gates_section, guardrails_section, window_section
from vp_tui.ui.lines.paint import EMPTY, Line, beside, bullet, fact, join, paragraph
from vp_tui.ui.lines.verdict import trouble_line, verdict_of
from vp_tui.views import words
from vp_tui.views.assessment import assess
from vp_tui.views.figures import numbers
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.troubles import Trouble, troubles

if TYPE_CHECKING:
    from vp_tui.domain.rollout.situation import Cause
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.view import View


COLUMN: Final = 78
"""Cells of a line of text: a longer one is hard to read."""
GAP: Final = 2
"""Blanks between two columns, where there is room for both."""


def explanation(view: View, width: int) -> list[Line]:
    """Return all of it in lines of at most `width` cells; in two columns if they fit."""
    column = min(width, COLUMN)
    alarms, verdict = _safety(view, column), _verdict(view, column)
    window, traffic = window_section(view, column), _no_traffic(view, column)
    gates, guardrails = gates_section(view, column), guardrails_section(view, column)
    proof, coverage = proof_section(view, column), coverage_section(view, column)
    lane = lane_section(view, column)
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


def _safety(view: View, width: int) -> list[Line]:
    """Tell every alarm and trouble with what helps: the top of the screen has room for one."""
    lines = [_heading("SAFETY")]
    safety = assess(view).safety
    for alarm in safety:
        key = f" (key {alarm.key})" if alarm.key else ""
        lines += _wrong(Trouble(alarm.alarm, alarm.reason, f"{alarm.cure}{key}"), width)
    told = {alarm.trouble for alarm in safety}
    for trouble in troubles(view):
        if trouble.what not in told:
            lines += _wrong(trouble, width)
    if len(lines) > 1:
        return lines
    if numbers(view) is None:
        return [*lines, *paragraph("no alarm, but nothing is known yet either", width)]
    return [*lines, *paragraph("no alarm and no trouble now", width)]


def _heading(text: str) -> Line:
    return ((text, "accent"),)


def _wrong(trouble: Trouble, width: int) -> list[Line]:
    helps = paragraph(join(("-> ", "dim"), trouble.cure), width, 4) if trouble.cure else []
    return [*paragraph(trouble_line(trouble), width), *helps]


def _verdict(view: View, width: int) -> list[Line]:
    assessment = assess(view)
    lines = [_heading("VERDICT"), *fact("figures", _trust(view), width)]
    if assessment.suggestion is None or assessment.window is None:
        unread = f"unknown: {words.no_log(view)}, and it tells stage and window"
        return [*lines, *fact("word", unread, width)]
    tone, what, why = verdict_of(assessment, assessment.suggestion)
    lines += fact("verdict", join((what, tone), f": {why}"), width)
    lines += fact("row's word", ((assessment.suggestion.decision, "strong"),), width)
    for reason in assessment.suggestion.reasons:
        lines += bullet(reason, width)
    rules = f"profile {view.state.watch.profile}, stage {assessment.window.stage}"
    note = (
        f"The first rule that fits gives the word ({rules}). You confirm it, or overrule it:"
        " a word that allows more asks for a reason. It never hides what SAFETY says."
    )
    return [*lines, *paragraph(note, width, tone="dim")]


def _trust(view: View) -> Line:
    """Say how far the figures may be trusted now."""
    metrics = source_view(view, Source.METRICS)
    if numbers(view) is None:
        return ((f"unknown: {words.no_metrics(metrics)}", "warn"),)
    state = f"metrics {words.source_state(metrics, aged=True)}"
    if metrics.word is SourceWord.LIVE:
        return join(state)
    return ((f"{state}; what follows proves nothing, and only bad news counts", "warn"),)


def _no_traffic(view: View, width: int) -> list[Line]:
    """Say for each cause of a window without missions what speaks for and against it."""
    own = assess(view).numbers
    if own is None or own.new:
        return []
    lines = [_heading("WHY NO TRAFFIC: no mission in the window")]
    for cause in assess(view).causes:
        word, tone = _likelihood(cause)
        lines += fact(word, ((literal(cause.line), tone),), width)
    return lines


def _likelihood(cause: Cause) -> tuple[str, Tone]:
    if cause.is_likely:
        return "likely", "strong"
    return ("unlikely", "dim") if cause.speaks_against else ("open", "plain")
