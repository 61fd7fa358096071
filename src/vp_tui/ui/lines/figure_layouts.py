"""The figures in columns, as cards or in two lines: window, epoch and guardrails side by side.

Columns are for few lines, cards for a terminal with room, two lines for where something else needs
their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.models import Source
from vp_tui.domain.text import counted
from vp_tui.domain.vocabulary import interval
from vp_tui.ui.lines import figures as lines
from vp_tui.ui.lines.header import assessment_of, gate_line
from vp_tui.ui.lines.paint import (
    Line,
    Span,
    Tone,
    cut,
    fit,
    flow,
    in_a_row,
    join,
    pad,
    plain,
    width_of,
    wrap_line,
)
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.figures import numbers
from vp_tui.views.sources import source_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


LINES: Final = 7
WORDS: Final = 100
"""Columns from which on nothing is abbreviated."""
USUAL: Final = 80
"""Columns from which on the cumulative figures have a column of their own."""
LABEL: Final = 10
"""Columns of the labels."""
WINDOW: Final = 19
"""Columns of the window's own figures, one of them blank."""
GUARDRAILS: Final = 26
"""Columns of the guardrails."""
TITLE: Final = 18
"""Columns that the title of a proposed window takes, one of them blank."""
TRIPS: Final = 22
"""Columns of the guardrail that matters most."""
_SHARE: Final = 4
"""Window and guardrails get one column more for every so many above the usual ones."""
_GIVES_WAY: Final = ("events", "turns", "reported", "missions", "p95")
"""Rows in the order in which they go where lines are few."""
CHART_MIN: Final = 3
"""Lines below which a chart says nothing."""
_TURNS: Final = 50
"""Cells of a card from which on it has room for a line of all that is said of turns."""
_Row = tuple[str, Line, Line]


def dense_lines(view: View, width: int, height: int = LINES) -> list[Line]:
    """Return up to `height` lines: window, epoch and guardrails side by side; narrow: one below.

    Where lines are few whole rows go, the guardrails' last ones too.
    """
    figures = numbers(view)
    if figures is None:
        word, reason = lines.no_figures(source_view(view, Source.METRICS), width - LABEL)
        told = [join(_label("fallback"), word), join(_label(""), reason)]
        return told[:height]
    more = max(width - USUAL, 0) // _SHARE
    window, last = WINDOW + more, GUARDRAILS + more
    if width < USUAL:
        window, last = _shared(width - LABEL)
    epoch = max(width - LABEL - window - last, 0)
    rows = _rows(view, figures, window - 1, epoch - 1, short=width < WORDS)
    below = {"turns": in_a_row(_turns(view, width - LABEL))}
    if not epoch:
        rows = [row for row in rows if row[0] != "reported"]
        below = {"epoch": _epoch(view, figures, width - LABEL), **below}
    for name in _GIVES_WAY:
        if 1 + len(rows) + len(below) > height:
            below.pop(name, None)
            rows = [row for row in rows if row[0] != name]
    # While the figures are not current, that is what must be read first.
    title = lines.doubt(figures) or (("GUARDRAILS", "dim"),)
    cells = [title, *_guardrails(view, figures, last, len(rows))]
    heading, *told = (
        join(_columns(row, window, epoch), cell)
        for row, cell in zip((_titles(view, figures), *rows), cells, strict=True)
    )
    told += [join(_label(name), line) for name, line in below.items()]
    return [cut(heading, width), *_aged(figures, width, told)][:height]


def _shared(room: int) -> tuple[int, int]:
    """Return the columns of window and guardrails where there is no room for the epoch's."""
    window = room - GUARDRAILS
    if window < WINDOW:
        window = max(room * WINDOW // (WINDOW + GUARDRAILS), min(TITLE, room - TRIPS))
    return window, room - window


def side_by_side(view: View, figures: Numbers, width: int) -> list[Line]:
    """Return the window's and the cumulative figures, without the guardrails."""
    epoch = width - LABEL - WINDOW
    rows = _rows(view, figures, WINDOW - 1, epoch - 1, short=width < WORDS)
    heading, *told = (_columns(row, WINDOW, epoch) for row in (_titles(view, figures), *rows))
    return [cut(heading, width), *_aged(figures, width, told)]


def _titles(view: View, figures: Numbers) -> _Row:
    own, epoch = words.window_title(assessment_of(view).window), words.epoch_title(view, figures)
    return "", ((own, "dim"),), ((epoch, "dim"),)


def _rows(view: View, figures: Numbers, room: int, wide: int, *, short: bool) -> list[_Row]:
    """Return label, window and epoch of each line; `room` and `wide` are the cells of these two."""
    seen = figures.reconstruction
    fallback, p95, missions, events = lines.own_figures(view, figures, room, short=short)
    return [
        ("fallback", fallback, lines.share_in(seen.fallbacks, seen.terminal, wide)),
        ("reported", (), lines.compared(figures, wide)),
        ("p95", p95, _p95(figures, wide)),
        ("missions", missions, lines.missions(figures, wide, short=short)),
        ("events", events, lines.listed_events(figures, wide)),
    ]


def _guardrails(view: View, figures: Numbers, room: int, height: int) -> list[Line]:
    """Return the guardrails, what matters most first; the marks only where there is a line more."""
    assessment = assessment_of(view)
    *_, revert = lines.auto_revert(assessment.guardrails)
    told = [
        lines.rolling(figures.wire, room),
        lines.cancel_recovery(assessment.guardrails.cancel_recovery),
        lines.evidence(assessment.target, room),
        revert,
    ]
    if height > len(told):
        told.insert(1, lines.strip(figures.recent))
    return [*told, *[()] * (height - len(told))][:height]


def _epoch(view: View, figures: Numbers, room: int) -> Line:
    """Return the cumulative figures in one line, for a terminal without a column for them."""
    seen = figures.reconstruction
    number = words.epoch_title(view, figures).lower().removeprefix("epoch ")
    share = join((f"{number}: ", "dim"), lines.share_in(seen.fallbacks, seen.terminal, room))
    rate = join(("reported ", "dim"), lines.compared(figures, room))
    return flow([share, rate, _p95(figures, room)], room)[0]


def _turns(view: View, room: int) -> list[Line]:
    """Return how turns were routed; in fewer words, then fewer of them, where cells are few."""
    forms = [lines.turns(view), lines.turns(view, short=True)]
    fits = (form for form in forms if width_of(in_a_row(form)) <= room)
    return [next((in_a_row(form) for form in fits), flow(forms[-1], room)[0])]


def _columns(row: _Row, window: int, epoch: int) -> Line:
    label, own, cumulative = row
    cells = ((own, window), (cumulative, epoch)) if epoch else ((own, window),)
    return join(_label(label), *(pad(cut(cell, room - 1), room) for cell, room in cells))


def _label(text: str) -> Line:
    return ((fit(text, LABEL), "dim"),)


def _p95(figures: Numbers, room: int) -> Line:
    """Return the epoch's p95, its spread where that fits, and its trend in what is left."""
    told, spread = lines.p95(figures.p95_s, figures.timed, room), lines.spread_of(figures)
    if spread and width_of(told) + len(spread) + lines.TREND_MIN + 4 <= room:
        told = join(told, (f"  {spread}", "dim"))
    return join(told, " ", lines.trend("", figures.p95_trend, room - width_of(told) - 1))


def window_card(view: View, figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the window's own figures, and what kind of window it is; events give way."""
    assessment = assessment_of(view)
    own, window = assessment.numbers, assessment.window
    if own is None or window is None:
        return _card(figures, width, height, [(("unknown", "warn"),), plain(words.no_log(view))])
    claim = "clean" if figures.source.is_current else "clean when last seen"
    clean: Line = ((claim, "good"),) if assessment.is_clean else (("not clean", "warn"),)
    if not own.terminal:
        clean = (("none finished: not clean", "dim"),)
    since = f"not opened: [{key_of(view.state.watch, 'window')}] open it"
    if window.opened_at is not None:
        since = f"open for {words.open_for(view, window)}"
    fallback, *_rest = lines.own_figures(view, figures, width - len("fallback "))
    p95 = lines.p95(own.p95_s, own.timed, width - len("p95 "))
    head = [join(("fallback ", "dim"), fallback), join(("p95 ", "dim"), p95)]
    tone: Tone = "bad" if own.failed else "plain"
    counts = words.mission_counts(own.completed, own.failed, own.running).split(", ")
    head += flow([((told, tone),) for told in counts], width)
    about = [clean, *flow([plain(str(window.source)), plain(since)], width)]
    first, *others = words.events(lines.own_events(view, figures, window))[: lines.OWN_EVENTS]
    events = flow([join(("events ", "dim"), first), *map(plain, others)], width)
    return _card(figures, width, height, [*head, *events, *about], gives_way=events[::-1])


def epoch_card(view: View, figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the cumulative figures; without room the events go, then the interval."""
    seen = figures.reconstruction
    rate = join(("reconstructed ", "dim"), (words.reconstructed(figures), "strong"))
    reported = join(("reported ", "dim"), lines.reported(figures))
    if figures.reported_rate is not None:
        reported = join(reported, (" listed", "dim"))
    head = flow([reported, rate, *lines.agreement(figures)], width)
    first, *unseen = lines.turns(view, is_brief=width < _TURNS)
    turns = [join(("turns ", "dim"), first), *unseen]
    missions = lines.mission_fields(figures, width)
    proven: list[Line] = []
    if figures.bounds is not None:
        between = interval(*figures.bounds.interval95)
        bound = words.at_most(seen.fallbacks, seen.terminal)
        proven = [((f"{between}, {bound}", "dim"),)]
    kinds = words.events(figures.snapshot.event_counts)
    events = flow([join(("events listed: ", "dim"), kinds[0]), *map(plain, kinds[1:])], width)
    told = [*head, *proven, *missions, *events, *turns]
    return _card(figures, width, height, told, gives_way=[*events[::-1], *proven])


def latency_card(_view: View, figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the p95, its spread, its trend, and each mission's time over an axis."""
    head = flow(
        [
            lines.p95(figures.p95_s, figures.timed, width),
            ((lines.spread_of(figures), "dim"),),
            lines.trend("p95 ", figures.p95_trend, width),
        ],
        width,
    )
    return _card(figures, width, height, [*head, *_chart(figures, width, height - len(head))])


def _chart(figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the times of the newest missions as bars from zero up, with their axis."""
    durations = [e.mission.duration_s for e in figures.recent if e.mission.duration_s is not None]
    if not durations or height < CHART_MIN:
        return []
    wide = max(len(f"{max(durations):.0f}s"), len("0s")) + 1
    shown = durations[-(width - wide) :]
    rows = lines.sparkline(shown, width - wide, height - 1)
    labels = [f"{max(shown):.0f}s", *[""] * (len(rows) - 2), "0s"]
    bars: list[Line] = [
        ((f"{label:>{wide - 1}} ", "dim"), (row, "dim"))
        for label, row in zip(labels, rows, strict=True)
    ]
    told = counted(len(shown), "mission")
    axis = lines.fields([" " * wide + told, "newest right"], width, ", ")
    return [*bars, ((axis, "dim"),)]


def guardrails_card(view: View, figures: Numbers, width: int, height: int) -> list[Line]:
    """Return how the three guardrails stand, and who reverts; when the oldest leaves gives way."""
    assessment = assessment_of(view)
    wire = assessment.wire
    leaves_in = counted(wire.oldest_leaves_in or 0, "mission")
    oldest: Line = ((f"the oldest leaves in {leaves_in}", "dim"),)
    told = [
        lines.strip(figures.recent),
        lines.rolling(figures.wire, width),
        *([oldest] if wire.oldest_leaves_in else []),
        lines.cancel_recovery(assessment.guardrails.cancel_recovery),
        ((words.evidence_target(assessment.target, short=True), "dim"),),
        *lines.auto_revert(assessment.guardrails),
    ]
    return _card(figures, width, height, told, gives_way=[oldest])


def _card(
    figures: Numbers, width: int, height: int, told: list[Line], gives_way: Sequence[Line] = ()
) -> list[Line]:
    """Return lines of a card: long ones are wrapped, and cut only where no line gives way."""
    for line in gives_way:
        if line in told and sum(len(_wrapped(one, width)) for one in told) > height:
            told.remove(line)
    shown: list[Line] = []
    for number, line in enumerate(told):
        left = height - len(shown) - len(told[number + 1 :])
        wrapped = _wrapped(line, width)
        if len(wrapped) > left > 0:
            wrapped = [*wrapped[: left - 1], join(*wrapped[left - 1 :])]
        shown += wrapped
    return _aged(figures, width, shown[:height])


def _wrapped(line: Line, width: int) -> list[Line]:
    return wrap_line(line, width) if width_of(line) > width else [line]


def _aged(figures: Numbers, width: int, told: Sequence[Line]) -> list[Line]:
    return [cut(lines.aged(line, figures), width) for line in told]


def brief_lines(view: View, width: int) -> list[Line]:
    """Return two lines; what is last gives way where the line is full, bounds before that."""
    figures = numbers(view)
    if figures is None:
        word, reason = lines.no_figures(source_view(view, Source.METRICS), width)
        return [join(("fallback ", "dim"), word), cut(reason, width)]
    assessment, wire = assessment_of(view), figures.wire
    own, seen = assessment.numbers, figures.reconstruction
    share: Span = ("unknown", "warn")
    if own is not None and assessment.window is not None:
        told = words.share(own.fallback, own.known)
        share = (told, "warn" if own.fallback else "strong")
    is_blind = figures.coverage.state is CoverageState.BLIND
    epoch: Span = (f"{words.population(view)}: ", "dim")
    others = [
        join(("p95 ", "dim"), lines.p95(figures.p95_s, figures.timed, width)),
        lines.missions(figures, width // 2, short=width < WORDS),
        gate_line(assessment.gates, width),
    ]
    for room in (width, 0):  # without room for the bound it goes
        rates: list[Line] = [
            join(("fallback window ", "dim"), share),
            lines.doubt(figures),  # before all that is not known now
            join(epoch, lines.share_in(seen.fallbacks, seen.terminal, room)),
            (("reported BLIND", "bad"),) if is_blind else (),
            lines.rolling(wire, room or GUARDRAILS),
            lines.cancel_recovery(assessment.guardrails.cancel_recovery),
        ]
        if width_of(in_a_row(filter(None, rates))) <= width:
            break
    rates, others = ([lines.aged(part, figures) for part in parts] for parts in (rates, others))
    rates[1] = lines.doubt(figures)
    return [flow([part for part in parts if part], width)[0] for parts in (rates, others)]
