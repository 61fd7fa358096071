"""The top of the screen: what is watched, how old each source is, and the lines that matter most.

These two are SAFETY, else the gravest trouble, else verdict and gates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import GATE_TITLES, Verdict
from vp_tui.domain.text import age, clip, clock_z
from vp_tui.domain.vocabulary import Traffic
from vp_tui.state.sources import is_lost
from vp_tui.ui.lines.paint import (
    COVERAGE_TONES,
    VERDICT_TONES,
    WORD_SYMBOLS,
    WORD_TONES,
    Line,
    Span,
    cut,
    flow,
    in_a_row,
    join,
    plain,
    shorten,
    spread,
    whole_ones,
    width_of,
    with_cure,
)
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.figures import current_window, is_log_known, numbers
from vp_tui.views.lane import lane_word
from vp_tui.views.sources import SourceWord, source_view, streams_view
from vp_tui.views.troubles import COUNTDOWN, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vp_tui.domain.rollout.decisions import Suggestion
    from vp_tui.domain.rollout.verdicts import Gates
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.assessment import Assessment
    from vp_tui.views.sources import SourceView, StreamsView, Trouble
    from vp_tui.views.troubles import SafetyEntry
    from vp_tui.views.view import View


_ASKED: Final = {
    Source.METRICS: "metrics",
    Source.SESSIONS: "sessions",
    Source.LOG: "log",
    Source.CONTINUITY: "continuity",
}
"""Sources that are told of, by the names that they have here."""


def verdict_lines(view: View, width: int, safety: Sequence[SafetyEntry]) -> list[Line]:
    """Return what the operator must know first, and what helps or how the gates stand."""
    found = troubles(view)
    if safety:
        return _safety(safety, found, view, width)
    if found:
        cure = join(("  -> ", "dim"), found[0].cure)
        below = spread(cure, _more(len(found) - 1, view), width)
        return [shorten(trouble_line(found[0]), width), below]
    silent = [s for s in _ASKED if source_view(view, s).word is SourceWord.IDLE]
    if silent:
        asked = "" if len(silent) == len(_ASKED) else f" for {', '.join(silent)}"
        return [cut(join(("· ", "dim"), f"asking {view.state.watch.url}{asked} …"), width), ()]
    assessment = assessment_of(view)
    gates = gate_line(assessment.gates, width - len("  "))
    return [_verdict(view, assessment, width), join("  ", gates)]


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
    hidden = len(others) + len(rest) - 1
    if not others and not (rest and rest[0].is_grave and not first.trouble):
        below = spread(join(("  -> ", "dim"), first.cure), _more(hidden + 1, view), width)
        return [alarm_line(first, width), below]
    second = _alarm(others[0]) if others else trouble_line(rest[0])
    cure = (others or rest)[0].cure
    above = with_cure(_alarm(first), first.cure, (), width)
    return [above, with_cure(second, cure, _more(hidden, view), width)]


def alarm_line(alarm: SafetyEntry, width: int) -> Line:
    """Return an alarm in one line; what stops a countdown stays, whatever else is cut."""
    if alarm.alarm != COUNTDOWN:
        return shorten(_alarm(alarm), width)
    return spread(_alarm(alarm), ((alarm.cure, "warn"),), width)


def _alarm(alarm: SafetyEntry) -> Line:
    head = alarm.head or f"SAFETY {alarm.alarm}"
    return join(("! ", "bad"), (head, "bad"), f": {alarm.reason}")


def trouble_line(trouble: Trouble) -> Line:
    """Return a trouble and why it is one."""
    tone: Tone = "bad" if trouble.is_grave else "warn"
    reason = f": {trouble.reason}" if trouble.reason else ""
    return join(("! ", tone), (trouble.what, tone), reason)


def _more(hidden: int, view: View) -> Line:
    told = f"+{hidden} more: [{key_of(view.state.watch, 'links')}]"
    return ((told, "warn"),) if hidden else ()


def _verdict(view: View, assessment: Assessment, width: int) -> Line:
    """Say what to do in words, and which word the rules suggest for the row."""
    suggestion = assessment.suggestion
    if suggestion is None:
        unknown = f"{words.no_log(view)}: stage and window are unknown"
        return cut(join(("· ", "dim"), unknown), width)
    key = key_of(view.state.watch, "record-now")
    may, decision = "may be recorded ", f"{suggestion.decision} [{key}]"
    if len(f"> {may}{decision}") > width:
        may = "may record "
    word = join((may, "dim"), (decision, "strong"))
    tone, told, why = verdict_of(assessment, suggestion)
    if told:
        return spread(join((f"> {told}", tone), f": {why}"), word, width)
    if not assessment.is_clean:
        return cut(join(("> ", tone), word, f": {why}"), width)
    line, right = join(("> ", tone), word), join(("not proven:", "dim"))
    is_whole = width_of(line) + width_of(right) < width
    return spread(line, right, width) if is_whole else cut(line, width)  # the word goes last


def verdict_of(assessment: Assessment, suggestion: Suggestion) -> tuple[Tone, str, str]:
    """Return what the gates say, "" while they neither prove nor refuse, and why."""
    gates = assessment.gates
    if not gates.missing:
        return "good", "PROMOTION RECOMMENDED", "all four gates PASS"
    if gates.failing:
        return "bad", "NO PROMOTION", gates.failing[0]
    return "good" if assessment.is_clean else "warn", "", suggestion.reasons[0]


def gate_line(gates: Gates, width: int) -> Line:
    """Return the four gates by name, each with its verdict or what it lacks.

    Where there is no room for all, those go that pass.
    """
    line: Line = ()
    for unsaid, between, has_passed in (
        ("", " | ", True),
        (" more", " | ", True),
        (" more", " | ", False),
        (" more", ", ", False),
    ):
        parts = (
            join(
                f"{GATE_TITLES[name]} ",
                (gate.told.removesuffix(unsaid), VERDICT_TONES[gate.verdict]),
            )
            for name, gate in gates.by_name().items()
            if has_passed or gate.verdict is not Verdict.PASS
        )
        shorter = in_a_row(parts, (between, "dim"))
        line = shorter or line
        if width_of(line) <= width:
            return line
    return cut(_in_names(gates), width)


def _in_names(gates: Gates) -> Line:
    """Return what the gates lack by their names alone; what is more than not proven as it is."""
    by_name = {GATE_TITLES[name]: gate for name, gate in gates.by_name().items()}
    lacking = [name for name, gate in by_name.items() if gate.verdict is Verdict.INCONCLUSIVE]
    told = [
        join(f"{name} ", (gate.told, VERDICT_TONES[gate.verdict]))
        for name, gate in by_name.items()
        if gate.verdict not in {Verdict.INCONCLUSIVE, Verdict.PASS}
    ]
    unproven = [plain(f"not proven: {', '.join(lacking)}")] if lacking else []
    return in_a_row((*told, *unproven), ", ")


_BADGE_TONES: Final[dict[str, Tone]] = {"LIVE": "live", "CONNECTING": "strong"}
"""Red is for trouble."""
FULL: Final = 100
"""Columns from which on nothing is abbreviated."""
LANE_AT_LEAST: Final = 8
"""Characters of the lane's name that say which one it is; with less room it is left out."""


def header_lines(
    view: View, width: int, *, frozen_for: float | None, safety: Sequence[SafetyEntry]
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
    watch, word = view.state.watch, "CONNECTING" if frozen_for is None else "FROZEN+CONNECTING"
    if view.state.sources or watch.is_replay:
        from vp_tui.views.lookout import badge  # noqa: PLC0415 - not needed for the first frame

        word = badge(view, frozen=frozen_for is not None)
    held = "" if frozen_for is None else f"{age(frozen_for)} "
    mode = f"{view.state.story} " if watch.is_replay else "READ-ONLY " * watch.read_only
    return f" {word} {held}{mode}", _BADGE_TONES.get(word, "alarm")


def _identity(view: View, width: int, frozen_for: float | None) -> Line:
    mode = "RO" if view.state.watch.read_only else "RW"
    right: Line = ((f"{clock_z(view.wall)} {mode}", "strong"),)
    name: Span = (clip(view.state.watch.name, 32), "gateway")
    head, room = in_a_row((badge_span(view, frozen_for), name)), width - width_of(right) - 1
    always = whole_ones(tuple(_always(view, width)), room - width_of(head) - len("  "))
    parts = [head, always] if always else [head]
    if (left := room - width_of(in_a_row((*parts, "")))) >= LANE_AT_LEAST:
        parts.insert(1, plain(clip(view.state.watch.vp_id, left)))
        left = room - width_of(in_a_row((*parts, "")))
    told: list[Line] = [((fact, "dim"),) for fact in _facts(view) if len(fact) <= left]
    parts += flow(told, left)[: always[-1:] != ((" …", "plain"),)]
    return spread(in_a_row(parts), right, width)


def _always(view: View, width: int) -> Iterator[Line]:
    """Yield what makes the lane's name yield rather than be left out: stage and window first.

    An open window tells its source and age; one that is only proposed says so.
    """
    state, window = view.state, current_window(view)
    if is_log_known(view) and (state.snapshot or state.evidence or state.window):
        told = " proposed"
        if window.opened_at is not None:
            minutes, unit, _seconds = words.open_for(view, window).partition("m")
            source = f" {window.source}" if window.source is not Traffic.ORGANIC else ""
            told = f"{source}, {minutes}{unit}"
        yield ((f"stage {window.stage}", "strong"),)
        yield (f"window {words.window_name(window)}", "strong"), (told, "strong")
    if view.state.epoch and width >= FULL:
        yield ((words.epoch(view), "dim"),)
    if (factor := view.state.poll_factor) != 1:
        times, how = f"{max(factor, 1 / factor):g}x", "slower" if factor > 1 else "faster"
        yield ((f"polls {times} {how}", "dim"),)


def _facts(view: View) -> Iterator[str]:
    """Yield what is told where there is room, the most important first."""
    if view.state.health:
        yield words.generation(view.state.health)
    if view.state.boot_at and source_view(view, Source.CONTINUITY).word is SourceWord.LIVE:
        yield f"up {words.time_since(view, view.state.boot_at)}"


def _sources(view: View, width: int) -> Line:
    """Return the sources and the lane; where there is no room, what is seldom asked goes first."""
    streams = streams_view(view)
    is_full = width >= FULL
    polled = [
        _source(source_view(view, source), name, is_full=is_full) for source, name in _ASKED.items()
    ]
    *parts, continuity = polled
    parts.insert(2, _part("streams", streams.word, _streams(streams, is_full=is_full)))
    told = [part for part in (_coverage(view, is_full=is_full), _lane(view)) if part]
    if view.state.lane.brake is not None:
        told.reverse()
    if source_view(view, Source.CONTINUITY).word is SourceWord.LIVE:
        shown = [*parts, *told]
        wanted = [([*shown, continuity], "  "), (shown, "  "), (shown, " ")]
    else:
        shown = [*parts, continuity, *told]
        wanted = [(shown, "  "), (shown, " ")]
    for some, between in wanted:
        if len(lines := flow(some, width, between)) == 1:
            return lines[0]
    for part in parts[::-1]:  # of the sources those that are as they should be give way
        if part[0][1] == WORD_TONES[SourceWord.LIVE] and len(flow(shown, width - 2, " ")) > 1:
            shown.remove(part)
    return spread(flow(shown, width - 2, " ")[0], (("…", "dim"),), width)


def _coverage(view: View, *, is_full: bool) -> Line:
    figures = numbers(view)
    if figures is None:
        return ()
    is_current = figures.source.is_current
    text = words.coverage(figures.coverage, short=not (is_full and is_current))
    if not is_current:
        return ((f"was {text}", "dim"),)
    return ((text, COVERAGE_TONES[figures.coverage.state]),)


def _lane(view: View) -> Line:
    """Return the believed mode of the lane; while a change is followed, how far it is proven."""
    if not view.state.sources:
        return ()
    word, brake = lane_word(view), view.state.lane.brake
    if is_lost(view.state):
        return join("lane ", (f"was {word}", "dim"))
    tone: Tone = "dim" if word == "unknown" else "plain"
    if brake is not None or word == "cannot start":
        tone = "warn" if brake is not None and not brake.is_alarming else "bad"
    return join("lane ", (word, tone))


def _streams(streams: StreamsView, *, is_full: bool) -> str:
    if not streams.wanted:
        return "0"
    word = "" if streams.word is SourceWord.LIVE else f" {_word(streams.word, is_full=is_full)}"
    last = f" {age(streams.age_s)}" if streams.age_s is not None else ""
    return f"{streams.live}/{streams.wanted}{word}{last}"


def _source(view: SourceView, name: str, *, is_full: bool) -> Line:
    if view.word is SourceWord.LIVE:
        return _part(name, view.word, age(view.age_s))
    substitute = f" {view.plane} {age(view.age_s)}" if view.has_substitute else ""
    old = f" {age(view.age_s)}" if view.age_s is not None and not substitute else ""
    return _part(name, view.word, f"{_word(view.word, is_full=is_full)}{old}{substitute}")


def _part(name: str, word: SourceWord, text: str) -> Line:
    return ((WORD_SYMBOLS[word], WORD_TONES[word]), (f"{name} ", "plain"), (text, WORD_TONES[word]))


def _word(word: SourceWord, *, is_full: bool) -> str:
    told = words.source_word(word, short=not is_full)
    return told if word is SourceWord.IDLE else told.upper()
