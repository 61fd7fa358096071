"""The top of the screen: what is watched, how old each source is, and the lines that matter most.

These two are SAFETY, else the gravest trouble, else verdict and gates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.missions import CoverageState
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.domain.text import clip, clock_z
from vp_tui.state.sources import is_lost
from vp_tui.ui.lines.paint import (
    WORD_SYMBOLS,
    WORD_TONES,
    Line,
    Span,
    age,
    cut,
    flow,
    join,
    spread,
    width_of,
)
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.figures import current_window, is_log_known, numbers
from vp_tui.views.sources import SourceView, SourceWord, StreamsView, source_view, streams_view
from vp_tui.views.troubles import COUNTDOWN, badge, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
    if not assessment.gates.missing:
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


SHOWN: Final = (
    (Source.METRICS, "metrics"),
    (Source.SESSIONS, "sessions"),
    (Source.LOG, "log"),
    (Source.CONTINUITY, "cont"),
)
LANE_AT_LEAST: Final = 8
"""Characters of the lane's name that stay when the line is full."""
COVERAGE_TONES: Final[dict[CoverageState, Tone]] = {
    CoverageState.FULL: "good",
    CoverageState.TRUNCATED: "warn",
    CoverageState.BLIND: "bad",
    CoverageState.NONE: "dim",
}


def header_lines(
    view: View,
    width: int,
    *,
    frozen_for: float | None,
    safety: Sequence[SafetyEntry],
) -> list[Line]:
    """Return the two header lines and the two of what matters most.

    `safety` is what is so now, also while the picture is frozen.
    """
    return [
        _identity(view, width, frozen_for),
        _sources(view, width),
        *verdict_lines(view, width, safety),
    ]


def badge_span(view: View, frozen_for: float | None) -> Span:
    """Return the badge, with how long the picture has been frozen and whether it is read-only."""
    word = badge(view, frozen=frozen_for is not None)
    shown = f" {word} " if frozen_for is None else f" {word} {age(frozen_for)} "
    if view.state.watch.read_only:
        shown += "READ-ONLY "
    return shown, "live" if word == "LIVE" else "alarm"


def _identity(view: View, width: int, frozen_for: float | None) -> Line:
    mode = "RO" if view.state.watch.read_only else "RW"
    right: Line = ((f"{clock_z(view.wall)} {mode}", "strong"),)
    left = join(badge_span(view, frozen_for), "  ", (clip(view.state.watch.name, 32), "gateway"))
    always = join(*(join("  ", span) for span in _always(view)))
    room = width - width_of((*left, *always, *right)) - len("  ") - 1
    left = join(left, "  ", clip(view.state.watch.vp_id, max(room, LANE_AT_LEAST)), always)
    room = width - width_of((*left, *right)) - len("  ") - 1
    told: list[Line] = [((fact, "dim"),) for fact in _facts(view) if len(fact) <= room]
    return spread(join(left, *(join("  ", line) for line in flow(told, room)[:1])), right, width)


def _always(view: View) -> Iterator[Span]:
    """Yield what makes the lane's name yield rather than be left out."""
    for told in _stage(view):
        yield told, "strong"
    if view.state.epoch:
        yield words.epoch(view, "ep"), "dim"
    if view.state.poll_factor > 1:
        yield f"polls 1/{view.state.poll_factor:g}", "dim"
    elif view.state.poll_factor < 1:
        yield "polls x2", "dim"


def _facts(view: View) -> Iterator[str]:
    """Yield what is told where there is room, the most important first."""
    if view.state.health:
        yield view.state.health.dialect
    if view.state.epoch and view.state.boot_at:
        yield f"up {age((view.wall - view.state.boot_at).total_seconds())}"


def _stage(view: View) -> list[str]:
    """Return stage and window in short, nothing while they are unknown.

    An open window tells its source and age; one that is only proposed says so.
    """
    if not is_log_known(view) or not (
        view.state.snapshot or view.state.evidence or view.state.window
    ):
        return []
    window = current_window(view)
    if window.opened_at is None:
        return [f"{window.stage.upper()} {words.short_label(window.label)} proposed"]
    since = words.open_for(view, window)
    since = since.partition("m")[0] + "m" if "m" in since else since  # seconds do not matter
    whose = f"{words.short_label(window.label)} {window.source} {since}"
    return [f"{window.stage.upper()} {whose}"]


def _sources(view: View, width: int) -> Line:
    """Return the sources and the lane; where there is no room, what is seldom asked goes first."""
    parts = [_source(source_view(view, source), name) for source, name in SHOWN]
    streams = streams_view(view)
    parts.insert(2, _part("ws", streams.word, _streams(streams)))
    cover, lane = _coverage(view), _lane(view)
    is_followed = view.state.lane.brake is not None
    told = [part for part in ((lane, cover) if is_followed else (cover, lane)) if part]
    seldom = source_view(view, Source.CONTINUITY)
    if seldom.word is SourceWord.LIVE:
        *parts, continuity = parts
        wanted = [[*parts, *told, continuity], [*parts, *told]]
    else:
        wanted = [[*parts, *told]]
    for shown in wanted:
        if len(lines := flow(shown, width)) == 1:
            return lines[0]
    if len(lines := flow(wanted[-1], width, " ")) == 1:
        return lines[0]
    return spread(flow(wanted[-1], width - 2)[0], (("…", "dim"),), width)


def _coverage(view: View) -> Line:
    figures = numbers(view)
    if figures is None:
        return ()
    text, is_now = words.coverage(figures.coverage), figures.source.is_current
    tone: Tone = COVERAGE_TONES[figures.coverage.state] if is_now else "dim"
    return join("cov ", (text if is_now else f"was {text}", tone))


def _lane(view: View) -> Line:
    """Return the believed mode of the lane; while a change is followed, how far it is proven."""
    if not view.state.sources:
        return ()
    from vp_tui.views.lane import lane_word  # noqa: PLC0415 - not needed for the first frame

    word, brake = lane_word(view), view.state.lane.brake
    if is_lost(view.state):
        return join("lane ", (f"was {word}", "dim"))
    tone: Tone = "dim" if word == "unknown" else "plain"
    if brake is not None:
        tone = "bad" if brake.is_alarming else "warn"
    return join("lane ", (word, tone))


def _streams(streams: StreamsView) -> str:
    if not streams.wanted:
        return "0"
    word = "" if streams.word is SourceWord.LIVE else f" {_word(streams.word)}"
    last = f" {age(streams.age_s)}" if streams.age_s is not None else ""
    return f"{streams.live}/{streams.wanted}{word}{last}"


def _source(view: SourceView, name: str) -> Line:
    if view.word is SourceWord.LIVE:
        return _part(name, view.word, age(view.age_s))
    substitute = f" {view.plane} {age(view.age_s)}" if view.has_substitute else ""
    old = f" {age(view.age_s)}" if view.age_s is not None and not substitute else ""
    return _part(name, view.word, f"{_word(view.word)}{old}{substitute}")


def _part(name: str, word: SourceWord, text: str) -> Line:
    return ((WORD_SYMBOLS[word], WORD_TONES[word]), (f"{name} ", "plain"), (text, WORD_TONES[word]))


def _word(word: SourceWord) -> str:
    short = {SourceWord.UNAUTHORIZED: "401", SourceWord.IDLE: "no data"}
    return short.get(word, str(word).upper())
