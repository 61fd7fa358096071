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
from vp_tui.ui.lines.header import assessment_of, gate_line
from vp_tui.ui.lines.paint import (
    Line,
    Span,
    cut,
    fit,
    flow,
    in_a_row,
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
    # While the figures are not current, that is what must be read first.
    last = lines.doubt(figures) or (("GUARDRAILS", "dim"),)
    heading, *told = (
        _columns(row, window, epoch) for row in _rows(view, figures, last, window - 1, epoch - 1)
    )
    told.append(join(_label("turns"), in_a_row(lines.turns(view))))
    return [cut(heading, width), *_card(figures, width, *told)]


def side_by_side(view: View, figures: Numbers, width: int) -> list[Line]:
    """Return the window's and the cumulative figures, without the guardrails."""
    epoch = width - LABEL - WINDOW
    rows = _rows(view, figures, (), WINDOW - 1, epoch - 1)
    heading, *told = (_columns((*row[:3], ()), WINDOW, epoch) for row in rows)
    return [cut(heading, width), *_card(figures, width, *told)]


def _rows(view: View, figures: Numbers, last: Line, room: int, wide: int) -> list[_Row]:
    """Return label, window, epoch and guardrail of each line; the first line are their titles.

    `last` is the guardrails' title, `room` and `wide` are the cells of window and epoch.
    """
    assessment, seen = assessment_of(view), figures.reconstruction
    title: Line = ((words.window_title(assessment.window), "dim"),)
    cumulative = f"{words.epoch(view, EPOCH)} (n={seen.terminal})"
    fallback, p95, missions, events = lines.own_figures(view, figures, room)
    share = lines.share_in(seen.fallbacks, seen.terminal, wide, *lines.agreement(figures))
    *_, revert = lines.auto_revert(assessment.guardrails)
    all_events = plain(words.events(figures.snapshot.event_counts))
    return [
        ("", title, ((cumulative, "dim"),), last),
        ("fallback", fallback, share, lines.rolling(figures.wire)),
        ("reported", (), lines.reported(figures), lines.strip(figures.recent)),
        (
            "p95",
            p95,
            _p95(figures, wide),
            lines.cancel_recovery(assessment.guardrails.cancel_recovery),
        ),
        ("missions", missions, lines.missions(figures, wide), lines.evidence(assessment.target)),
        ("events", events, all_events, revert),
    ]


def _columns(row: _Row, window: int, epoch: int) -> Line:
    label, own, cumulative, guardrail = row
    cells = (pad(cut(cell, w - 1), w) for cell, w in ((own, window), (cumulative, epoch)))
    return join(_label(label), *cells, guardrail)


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
    own, window = assessment.numbers, assessment.window
    if own is None or window is None:
        return _card(figures, width, (("unknown", "warn"),), ((words.no_log(view), "dim"),))
    clean: Line = (("clean", "good"),) if assessment.is_clean else (("not clean", "warn"),)
    if not own.terminal:
        clean = (("none finished: not clean", "dim"),)
    since = f"not opened: {key_of(view.state.watch, 'window')} opens it"
    if window.opened_at is not None:
        since = f"open for {words.open_for(view, window)}"
    names = ("fallback", "p95", "missions", "events")
    told = zip(names, lines.own_figures(view, figures, width - LABEL), strict=True)
    rows = (join(_label(name), line) for name, line in told)
    about = flow([plain(str(window.source)), plain(since)], width)
    return _card(figures, width, *rows, clean, *about)


def epoch_card(view: View, figures: Numbers, width: int, height: int) -> list[Line]:
    """Return the cumulative figures; without room the interval goes, then the events."""
    seen = figures.reconstruction
    rate = join(("reconstructed ", "dim"), (words.reconstructed(figures), "strong"))
    rates = [join(("reported ", "dim"), lines.reported(figures)), rate, *lines.agreement(figures)]
    first, *unseen = lines.turns(view)
    head, turns = flow(rates, width), [join(("turns ", "dim"), first), *flow(unseen, width)]
    middle = [lines.missions(figures, width), plain(words.events(figures.snapshot.event_counts))]
    room = max(height - len(head) - len(turns), 1)
    if figures.bounds is not None and room > len(middle):
        proven = words.interval(*figures.bounds.interval95)
        bound = words.at_most(seen.fallbacks, seen.terminal)
        middle.insert(0, ((f"{proven}, {bound}", "dim"),))
    return _card(figures, width, *head, *middle[:room], *turns)


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
        *lines.auto_revert(assessment.guardrails),
    )


def _card(figures: Numbers, width: int, *told: Line) -> list[Line]:
    return [cut(lines.aged(line, figures), width) for line in told]


def brief_lines(view: View, width: int) -> list[Line]:
    """Return two lines; what is last gives way where the line is full."""
    figures = numbers(view)
    if figures is None:
        word, reason = lines.no_figures(source_view(view, Source.METRICS), width)
        return [join(("fallback ", "dim"), word), cut(reason, width)]
    assessment, wire = assessment_of(view), figures.wire
    own, latency, seen = assessment.numbers, figures.snapshot.latency, figures.reconstruction
    share: Span = ("unknown", "warn")
    if own is not None and assessment.window is not None:
        told = words.share(own.fallback, own.terminal)
        share = (told, "warn" if own.fallback else "strong")
    is_blind = figures.coverage.state is CoverageState.BLIND
    rates: list[Line] = [
        join(("fallback win ", "dim"), share),
        join(("epoch ", "dim"), lines.share_in(seen.fallbacks, seen.terminal, width)),
        (("reported BLIND", "bad"),) if is_blind else (),
        ((words.rolling(wire), "bad" if wire.tripped else "dim"),),
        lines.cancel_recovery(assessment.guardrails.cancel_recovery),
    ]
    others = [
        join(("p95 ", "dim"), lines.p95(latency.p95_s, latency.count, width)),
        join(("missions ", "dim"), lines.missions(figures, width)),
        gate_line(assessment.gates, words.verdict, (" ", "plain")),
    ]
    rates, others = ([lines.aged(part, figures) for part in parts] for parts in (rates, others))
    rates.insert(1, lines.doubt(figures))
    return [flow([part for part in parts if part], width)[0] for parts in (rates, others)]
