"""The two lines that matter most: SAFETY, else the gravest trouble, else verdict and gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.ui.lines.paint import Line, Span, cut, flow, join, spread
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.sources import SourceWord, source_view
from vp_tui.views.troubles import COUNTDOWN, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vp_tui.domain.rollout.decisions import Suggestion
    from vp_tui.domain.rollout.verdicts import GateResult, Gates
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.assessment import Assessment
    from vp_tui.views.troubles import SafetyEntry, Trouble
    from vp_tui.views.view import View


_ASKED: Final = (Source.METRICS, Source.SESSIONS, Source.LOG, Source.CONTINUITY)
VERDICT_TONES: Final[dict[Verdict, Tone]] = {
    Verdict.PASS: "good",
    Verdict.WATCH: "warn",
    Verdict.FAIL: "bad",
    Verdict.INCONCLUSIVE: "plain",
    Verdict.UNKNOWN: "warn",
    Verdict.WAIVED: "warn",
}


def verdict_lines(view: View, width: int, safety: Sequence[SafetyEntry]) -> list[Line]:
    """Return what the operator must know first, and what helps or how the gates stand."""
    found = troubles(view)
    if safety:
        return _safety(safety, found, view, width)
    if found:
        return _troubles(found, view, width)
    silent = [s for s in _ASKED if source_view(view, s).word is SourceWord.IDLE]
    if silent:
        asked = "" if len(silent) == len(_ASKED) else f" for {', '.join(silent)}"
        return [cut(join(("· ", "dim"), f"asking {view.state.watch.url}{asked} …"), width), ()]
    assessment = assessment_of(view)
    return [_verdict(view, assessment, width), _gates(assessment, width)]


def assessment_of(view: View) -> Assessment:
    """Return what the rules make of what is known: the first frame does without."""
    from vp_tui.views.assessment import assess  # noqa: PLC0415 - not needed for the first frame

    return assess(view)


def _safety(
    safety: Sequence[SafetyEntry], found: Sequence[Trouble], view: View, width: int
) -> list[Line]:
    """Return the first alarm, and below it the next thing that is wrong, else what helps."""
    first, *others = safety
    told = {alarm.trouble for alarm in safety}
    rest = [trouble for trouble in found if trouble.what not in told]
    below = join(("  -> ", "dim"), first.cure)
    hidden = len(others) + len(rest)
    if others:
        below = alarm_line(others[0], width)
        hidden -= 1
    elif rest and rest[0].is_grave and not first.trouble:
        below = trouble_line(rest[0])
        hidden -= 1
    return [alarm_line(first, width), spread(below, _more(hidden, view), width)]


def alarm_line(alarm: SafetyEntry, width: int) -> Line:
    """Return an alarm in one line; what stops a countdown stays, whatever else is cut."""
    head = alarm.head or f"SAFETY {alarm.alarm}"
    told = join(("! ", "bad"), (head, "bad"), f": {alarm.reason}")
    if alarm.alarm != COUNTDOWN:
        return cut(told, width)
    return spread(told, ((alarm.cure, "warn"),), width)


def trouble_line(trouble: Trouble) -> Line:
    """Return a trouble and why it is one."""
    tone: Tone = "bad" if trouble.is_grave else "warn"
    reason = f": {trouble.reason}" if trouble.reason else ""
    return join(("! ", tone), (trouble.what, tone), reason)


def _troubles(found: Sequence[Trouble], view: View, width: int) -> list[Line]:
    worst = found[0]
    cure = join(("  -> ", "dim"), worst.cure)
    return [cut(trouble_line(worst), width), spread(cure, _more(len(found) - 1, view), width)]


def _more(hidden: int, view: View) -> Line:
    told = f"+{hidden} more: {key_of(view.state.watch, 'links')}"
    return ((told, "warn"),) if hidden else (("", "plain"),)


def _verdict(view: View, assessment: Assessment, width: int) -> Line:
    """Say what to do in words, and which word the rules suggest for the row."""
    if assessment.suggestion is None:
        return cut(
            join(("· ", "dim"), f"{words.no_log(view)}: stage and window are unknown"), width
        )
    tone, what, why = verdict_of(assessment, assessment.suggestion)
    left = join(("> ", tone), (what, tone), f": {why}")
    return spread(
        left, join(("suggests ", "dim"), (assessment.suggestion.decision, "strong")), width
    )


def verdict_of(assessment: Assessment, suggestion: Suggestion) -> tuple[Tone, str, str]:
    """Return what to do, in words, and why; the tone repeats it."""
    if assessment.gates.promotion.recommended:
        return "good", "PROMOTION RECOMMENDED", "all four gates PASS"
    if assessment.gates.failing:
        return "bad", "NO PROMOTION", assessment.gates.failing[0]
    if assessment.is_clean and assessment.numbers:
        return "good", "KEEP WATCHING", f"{assessment.numbers.terminal} clean is not proof"
    return "warn", "KEEP WATCHING", suggestion.reasons[0]


def _gates(assessment: Assessment, width: int) -> Line:
    """Return each gate with what it lacks and, where it fits, the evidence recorded."""
    parts = [join("  ", gate_line(assessment.gates))]
    if assessment.target:
        parts.append(((words.evidence_target(assessment.target, short=True), "dim"),))
    return flow(parts, width)[0]


def gate_line(gates: Gates) -> Line:
    """Return the four gates, each with what it lacks."""
    return _joined(gates, (" | ", "dim"), words.gate)


def gate_words(gates: Gates) -> Line:
    """Return the four gates' verdicts, without what they lack."""
    return _joined(gates, (" ", "plain"), words.verdict)


def _joined(gates: Gates, between: Span, told: Callable[[GateResult], str]) -> Line:
    parts: list[Line] = [
        join(f"{name} ", (told(gate), VERDICT_TONES[gate.verdict]))
        for name, gate in gates.by_name().items()
    ]
    return join(*parts[:1], *(join(between, part) for part in parts[1:]))
