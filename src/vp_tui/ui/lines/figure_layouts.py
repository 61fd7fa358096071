"""The figures in columns, as cards or in two lines: window, epoch and guardrails side by side.

Columns are for few lines, cards for a terminal with room, two lines for where something else needs
their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.missions import CoverageState
from vp_tui.domain.models import Source
from vp_tui.domain.text import counted
from vp_tui.ui.lines import figures as lines
from vp_tui.ui.lines.header import assessment_of, gate_words
from vp_tui.ui.lines.paint import (
    Line,
    Span,
    cut,
    fit,
    flow,
    join,
    pad,
    plain,
    sparkline,
    width_of,
)
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.figures import numbers
from vp_tui.views.sources import source_view

if TYPE_CHECKING:
    from vp_tui.domain.rollout.windows import WindowNumbers
    from vp_tui.views.assessment import Assessment
    from vp_tui.views.figures import Numbers
    from vp_tui.views.view import View


LINES: Final = 7
EPOCH: Final = "EPOCH "
WINDOW: Final = 18
"""Columns of the window's own figures at 80 columns, one of them blank."""
GUARDRAILS: Final = 26
"""Columns of the guardrails at 80 columns."""
_USUAL: Final = 80
_SHARE: Final = 4
"""Window and guardrails get one column more for every so many above the usual ones."""
_Row = tuple[str, Line, Line, Line]

LABEL: Final = 9
"""Columns of the labels in the window's card."""


def dense_lines(view: View, width: int) -> list[Line]:
    """Return LINES lines."""
    figures = numbers(view)
    if figures is None:
        word, reason = lines.no_figures(source_view(view, Source.METRICS), width - LABEL)
        return [join(_label("fallback"), word), join(_label(""), reason), *[()] * (LINES - 2)]
    more = max(width - _USUAL, 0) // _SHARE
    window, guardrails = WINDOW + more, GUARDRAILS + more
    epoch = width - LABEL - window - guardrails
    rows = [_columns(row, window, epoch) for row in _rows(view, figures, window - 1, epoch - 1)]
    turns = join(_label("turns"), _in_a_row(lines.turns(view)))
    told = [lines.aged(line, figures) for line in (*rows, turns)]
    # While the figures are not current, that is what must be read first.
    last = lines.doubt(figures) or (("GUARDRAILS", "dim"),)
    heading = _heading(view, figures, last)
    return [cut(line, width) for line in (_columns(heading, window, epoch), *told)]


def side_by_side(view: View, figures: Numbers, width: int) -> list[Line]:
    """Return the window's and the cumulative figures, without the guardrails."""
    epoch = width - LABEL - WINDOW
    rows = [(*row[:3], ()) for row in _rows(view, figures, WINDOW - 1, epoch - 1)]
    told = [lines.aged(_columns(row, WINDOW, epoch), figures) for row in rows]
    heading = _columns(_heading(view, figures, ()), WINDOW, epoch)
    return [cut(line, width) for line in (heading, *told)]


def own_numbers(assessment: Assessment) -> WindowNumbers | None:
    """Return the window's own figures; None while the window is unknown."""
    return None if assessment.window is None else assessment.numbers


def _in_a_row(parts: list[Line]) -> Line:
    return join(*parts[:1], *(join("  ", part) for part in parts[1:]))


def _heading(view: View, figures: Numbers, last: Line) -> _Row:
    """Return the columns' titles."""
    epoch = f"{words.epoch(view, EPOCH)} (n={figures.reconstruction.terminal})"
    window = words.window_title(assessment_of(view).window)
    return "", ((window, "dim"),), ((epoch, "dim"),), last


def _rows(view: View, figures: Numbers, room: int, wide: int) -> list[_Row]:
    """Return label, window, epoch and guardrail of each line.

    `room` and `wide` are the cells of window and epoch.
    """
    assessment = assessment_of(view)
    own, recovery = own_numbers(assessment), assessment.guardrails.cancel_recovery
    target = lines.evidence(assessment.target)
    *_, revert = lines.auto_revert(assessment)
    events = plain(words.events(figures.snapshot.event_counts))
    fallback = lines.reconstructed(figures, wide, *lines.agreement(figures))
    return [
        ("fallback", lines.own_fallback(own, room), fallback, lines.rolling(figures.wire)),
        ("reported", (), lines.reported(figures), lines.strip(figures.recent)),
        ("p95", lines.own_p95(own, room), _p95(figures, wide), lines.cancel_recovery(recovery)),
        ("missions", lines.own_missions(own), lines.missions(figures, wide), target),
        ("events", lines.own_events(view, figures, room), events, revert),
    ]


def _columns(row: _Row, window: int, epoch: int) -> Line:
    label, own, cumulative, guardrail = row
    return join(_label(label), _cell(own, window), _cell(cumulative, epoch), guardrail)


def _cell(painted: Line, width: int) -> Line:
    return pad(cut(painted, width - 1), width)


def _label(text: str) -> Line:
    return ((fit(text, LABEL), "dim"),)


def _p95(figures: Numbers, room: int) -> Line:
    """Return the p95, its spread where that fits, and its trend in what is left."""
    latency = figures.snapshot.latency
    told, spread = lines.p95(latency.p95_s, latency.count, room), words.median_and_max(latency)
    if spread and width_of(told) + len(spread) + lines.TREND_MIN + 4 <= room:
        told = join(told, (f"  {spread}", "dim"))
    return join(told, " ", lines.trend("", figures.p95_trend, room - width_of(told) - 1))


def window_card(view: View, figures: Numbers, width: int) -> list[Line]:
    """Return the window's own figures, and what kind of window it is."""
    assessment = assessment_of(view)
    own, window = own_numbers(assessment), assessment.window
    if own is None or window is None:
        return _card(figures, width, (("unknown", "warn"),), ((words.no_log(view), "dim"),))
    clean: Line = (("clean", "good"),) if assessment.is_clean else (("not clean", "warn"),)
    if not own.terminal:
        clean = (("none finished: not clean", "dim"),)
    open_for = words.open_for(view, window)
    key = key_of(view.state.watch, "window")
    since = f"open for {open_for}" if open_for else f"not opened: {key} opens it"
    room = width - LABEL
    return _card(
        figures,
        width,
        join(_label("fallback"), lines.own_fallback(own, room)),
        join(_label("p95"), lines.own_p95(own, room)),
        join(_label("missions"), lines.own_missions(own)),
        join(_label("events"), lines.own_events(view, figures, room)),
        clean,
        *flow([plain(str(window.source)), plain(since)], width),
    )


def epoch_card(view: View, figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the cumulative figures; without room the interval goes, then the events."""
    rate = join(("reconstructed ", "dim"), (words.reconstructed(figures), "strong"))
    rates = [join(("reported ", "dim"), lines.reported(figures)), rate, *lines.agreement(figures)]
    interval = lines.interval(figures)
    missions = lines.missions(figures, width)
    events = plain(words.events(figures.snapshot.event_counts))
    first, *unseen = lines.turns(view)
    told: list[Line] = []
    for middle in ((interval, missions, events), (missions, events), (missions,)):
        told = [
            *flow(rates, width),
            *(line for line in middle if line),
            join(("turns ", "dim"), first),
            *flow(unseen, width),
        ]
        if len(told) <= height:
            break
    return _card(figures, width, *told)


def latency_card(figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the p95, its spread, its trend, and each mission's time."""
    latency = figures.snapshot.latency
    head = flow(
        [
            lines.p95(latency.p95_s, latency.count, width),
            ((words.median_and_max(latency), "dim"),),
            lines.trend("p95  ", figures.p95_trend, width),
        ],
        width,
    )
    durations = [e.mission.duration_s for e in figures.recent if e.mission.duration_s is not None]
    rows = sparkline(durations, width - 5, max(height - len(head), 1)) if durations else []
    each: list[Line] = [
        (("each " if n == len(rows) - 1 else "     ", "dim"), (row, "dim"))
        for n, row in enumerate(rows)
    ]
    return _card(figures, width, *head, *each)


def guardrails_card(view: View, figures: Numbers, width: int) -> list[Line]:
    """Return how the three guardrails stand, and who reverts."""
    assessment = assessment_of(view)
    wire = assessment.wire
    leaves_in = counted(wire.oldest_leaves_in or 0, "mission")
    oldest: Line = ((f"the oldest leaves in {leaves_in}", "dim"),)
    return _card(
        figures,
        width,
        lines.strip(figures.recent),
        lines.rolling(figures.wire),
        *([oldest] if wire.oldest_leaves_in else []),
        lines.cancel_recovery(assessment.guardrails.cancel_recovery),
        lines.evidence(assessment.target),
        *lines.auto_revert(assessment),
    )


def _card(figures: Numbers, width: int, *told: Line) -> list[Line]:
    return [cut(lines.aged(line, figures), width) for line in told]


def brief_lines(view: View, width: int) -> list[Line]:
    """Return two lines; what is last gives way where the line is full."""
    figures = numbers(view)
    if figures is None:
        word, reason = lines.no_figures(source_view(view, Source.METRICS), width)
        return [join(("fallback ", "dim"), word), cut(reason, width)]
    assessment, latency = assessment_of(view), figures.snapshot.latency
    own, wire = own_numbers(assessment), figures.wire
    share: Span = ("unknown", "warn")
    if own is not None:
        told = words.share(own.fallback, own.terminal)
        share = (told, "warn" if own.fallback else "strong")
    is_blind = figures.coverage.state is CoverageState.BLIND
    rates: list[Line] = [
        join(("fallback win ", "dim"), share),
        join(("epoch ", "dim"), lines.reconstructed(figures, width)),
        (("reported BLIND", "bad"),) if is_blind else (),
        ((words.rolling(wire), "bad" if wire.tripped else "dim"),),
        lines.cancel_recovery(assessment.guardrails.cancel_recovery),
    ]
    others = [
        join(("p95 ", "dim"), lines.p95(latency.p95_s, latency.count, width)),
        join(("missions ", "dim"), lines.missions(figures, width)),
        gate_words(assessment.gates),
    ]
    rates, others = ([lines.aged(part, figures) for part in parts] for parts in (rates, others))
    rates.insert(1, lines.doubt(figures))
    return [flow([part for part in parts if part], width)[0] for parts in (rates, others)]
