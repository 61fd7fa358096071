"""The figures in columns, as cards or in two lines: window, epoch and guardrails side by side.

Columns are for few lines, cards for a terminal with room, two lines for where something else needs
their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.missions import CoverageState
from vp_tui.ui.lines import figures as words
from vp_tui.ui.lines.paint import Line, age, cut, fit, flow, join, pad, plain, sparkline, width_of
from vp_tui.ui.lines.verdict import gate_words
from vp_tui.views.actions import key_of

if TYPE_CHECKING:
    from vp_tui.domain.rollout.guardrails import TripWire
    from vp_tui.domain.rollout.windows import Window, WindowNumbers
    from vp_tui.ui.lines.figures import Compared
    from vp_tui.views.figures import Numbers
    from vp_tui.views.sources import SourceView


LINES: Final = 7
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


def dense_lines(shown: Compared | None, source: SourceView, width: int) -> list[Line]:
    """Return LINES lines; `source` is the metrics' state without figures."""
    if shown is None:
        word, reason = words.no_figures(source, width - LABEL)
        return [join(_label("fallback"), word), join(_label(""), reason), *[()] * (LINES - 2)]
    more = max(width - _USUAL, 0) // _SHARE
    window, guardrails = WINDOW + more, GUARDRAILS + more
    epoch = width - LABEL - window - guardrails
    rows = [_columns(row, window, epoch) for row in _rows(shown, window - 1, epoch - 1)]
    turns = join(_label("turns"), flow_of([words.routing(shown.view), *words.unseen(shown.view)]))
    lines = [words.aged(line, shown.figures) for line in (*rows, turns)]
    # While the figures are not current, that is what must be read first.
    last = words.doubt(shown.figures) or (("GUARDRAILS", "dim"),)
    return [cut(line, width) for line in (_heading(shown, window, epoch, last), *lines)]


def side_by_side(shown: Compared, width: int) -> list[Line]:
    """Return the window's and the cumulative figures, without the guardrails."""
    epoch = width - LABEL - WINDOW
    rows = [(*row[:3], ()) for row in _rows(shown, WINDOW - 1, epoch - 1)]
    lines = [words.aged(_columns(row, WINDOW, epoch), shown.figures) for row in rows]
    return [cut(line, width) for line in (_heading(shown, WINDOW, epoch, ()), *lines)]


def flow_of(parts: list[Line]) -> Line:
    """Return the parts on one line."""
    return join(*parts[:1], *(join("  ", part) for part in parts[1:]))


def _heading(shown: Compared, window: int, epoch: int, last: Line) -> Line:
    """Return the columns' titles."""
    epoch_title = f"{shown.epoch_title} (n={shown.figures.reconstruction.terminal})"
    titles: _Row = ("", ((shown.window_title, "dim"),), ((epoch_title, "dim"),), last)
    return _columns(titles, window, epoch)


def _rows(shown: Compared, room: int, wide: int) -> list[_Row]:
    """Return label, window, epoch and guardrail of each line.

    `room` and `wide` are the cells of window and epoch.
    """
    figures, own, assessment = shown.figures, shown.own, shown.assessment
    *_, revert = words.auto_revert(assessment.guardrails)
    return [
        ("fallback", words.own_fallback(own), _fallback(figures, wide), words.rolling(figures)),
        ("reported", (), words.reported_words(figures), words.strip(figures.recent)),
        (
            "p95",
            words.own_p95(own),
            _p95(figures, wide),
            words.cancel_recovery_words(assessment.guardrails.cancel_recovery),
        ),
        (
            "missions",
            words.own_missions(own),
            words.missions(figures, wide),
            words.evidence(assessment.target),
        ),
        (
            "events",
            words.own_events(shown.events, room) if own else (),
            words.events(figures.snapshot.event_counts),
            revert,
        ),
    ]


def _columns(row: _Row, window: int, epoch: int) -> Line:
    label, own, cumulative, guardrail = row
    return join(_label(label), _cell(own, window), _cell(cumulative, epoch), guardrail)


def _cell(painted: Line, width: int) -> Line:
    return pad(cut(painted, width - 1), width)


def _label(text: str) -> Line:
    return ((fit(text, LABEL), "dim"),)


def _fallback(figures: Numbers, room: int) -> Line:
    """Return the reconstructed rate and how it stands to the reported one.

    Without room the fraction goes, then the bound.
    """
    first, *others = words.standing(figures) or [()]
    told: Line = ()
    for rate, bound in ((True, True), (False, True), (False, False)):
        told = join(words.reconstructed(figures, rate=rate, bound=bound), " ", first)
        if width_of(told) <= room:
            break
    return flow([told, *others], room, " ")[0]


def _p95(figures: Numbers, room: int) -> Line:
    """Return the p95, its spread where that fits, and its trend in what is left."""
    told = words.p95(figures)
    spread = words.spread_of(figures)
    if spread and width_of(told) + width_of(spread) + words.TREND_MIN + 4 <= room:
        told = join(told, "  ", spread)
    return join(told, " ", words.trend("", figures.p95_trend, room - width_of(told) - 1))


def window_card(shown: Compared, now: float, width: int) -> list[Line]:
    """Return the window's own figures, and what kind of window it is."""
    own, window = shown.own, shown.assessment.window
    if own is None or window is None:
        unknown = "the evidence log is not read yet"
        return _card(shown, width, (("unknown", "warn"),), ((unknown, "dim"),))
    is_clean = shown.assessment.is_clean
    clean: Line = (("clean", "good"),) if is_clean else (("not clean", "warn"),)
    if not own.terminal:
        clean = (("none finished: not clean", "dim"),)
    return _card(
        shown,
        width,
        join(("fallback ", "dim"), words.own_fallback(own)),
        join(("p95      ", "dim"), words.own_p95(own)),
        join(("missions ", "dim"), words.own_missions(own)),
        join(("events   ", "dim"), words.own_events(shown.events, width - LABEL)),
        clean,
        *flow(_kind(shown, window, now), width),
    )


def _kind(shown: Compared, window: Window, now: float) -> list[Line]:
    if window.opened_at is None:
        key = key_of(shown.view.state.watch, "window")
        return [plain(str(window.source)), plain(f"not opened: {key} opens it")]
    open_s = (shown.view.state.clock.wall_at(now) - window.opened_at).total_seconds()
    return [plain(str(window.source)), plain(f"open for {age(max(open_s, 0.0))}")]


def epoch_card(shown: Compared, width: int, height: int) -> list[Line]:
    """Return the cumulative figures; without room the interval goes, then the events."""
    view, figures = shown.view, shown.figures
    rates = flow(
        [
            join(("reported ", "dim"), words.reported_words(figures)),
            join(("reconstructed ", "dim"), words.reconstructed(figures)),
            *words.standing(figures),
        ],
        width,
    )
    interval, missions = words.interval(figures), words.missions(figures, width)
    events = words.events(figures.snapshot.event_counts)
    turns = [words.routing(view), *flow(words.unseen(view), width)]
    lines: list[Line] = []
    for middle in ((interval, missions, events), (missions, events), (missions,)):
        lines = [*rates, *(line for line in middle if line), *turns]
        if len(lines) <= height:
            break
    return _card(shown, width, *lines)


def latency_card(shown: Compared, width: int, height: int) -> list[Line]:
    """Return the p95, its spread, its trend, and each mission's time."""
    figures = shown.figures
    trend = words.trend("p95  ", figures.p95_trend, width)
    head = flow([words.p95(figures), words.spread_of(figures), trend], width)
    durations = [e.mission.duration_s for e in figures.recent if e.mission.duration_s is not None]
    rows = sparkline(durations, width - 5, max(height - len(head), 1)) if durations else []
    each: list[Line] = [
        (("each " if n == len(rows) - 1 else "     ", "dim"), (row, "dim"))
        for n, row in enumerate(rows)
    ]
    return _card(shown, width, *head, *each)


def guardrails_card(shown: Compared, width: int) -> list[Line]:
    """Return how the three guardrails stand, and who reverts."""
    figures, assessment = shown.figures, shown.assessment
    leaves = assessment.wire.oldest_leaves_in
    oldest: list[Line] = [((f"the oldest leaves in {leaves}", "dim"),)] if leaves else []
    return _card(
        shown,
        width,
        words.strip(figures.recent),
        words.rolling(figures),
        *oldest,
        words.cancel_recovery_words(assessment.guardrails.cancel_recovery),
        words.evidence(assessment.target),
        *words.auto_revert(assessment.guardrails),
    )


def _card(shown: Compared, width: int, *lines: Line) -> list[Line]:
    return [cut(words.aged(line, shown.figures), width) for line in lines]


def brief_lines(shown: Compared | None, source: SourceView, width: int) -> list[Line]:
    """Return two lines; `source` is the metrics' state without figures.

    What is last gives way where the line is full.
    """
    if shown is None:
        word, reason = words.no_figures(source, width)
        return [join(("fallback ", "dim"), word), cut(reason, width)]
    figures, assessment = shown.figures, shown.assessment
    is_blind = figures.coverage.state is CoverageState.BLIND
    rates = [
        join(("fallback win ", "dim"), _own(shown.own)),
        join(("epoch ", "dim"), words.reconstructed(figures, rate=False, bound=True)),
        (("reported BLIND", "bad"),) if is_blind else (),
        _rolling(figures.wire),
        words.cancel_recovery_words(assessment.guardrails.cancel_recovery),
    ]
    others = [
        join(("p95 ", "dim"), words.p95(figures)),
        join(("missions ", "dim"), words.missions(figures, width)),
        gate_words(assessment.gates),
    ]
    rates, others = ([words.aged(part, figures) for part in parts] for parts in (rates, others))
    rates.insert(1, words.doubt(figures))
    return [flow([part for part in parts if part], width)[0] for parts in (rates, others)]


def _own(own: WindowNumbers | None) -> Line:
    if own is None:
        return (("unknown", "warn"),)
    return ((f"{own.fallback}/{own.terminal}", "warn" if own.fallback else "strong"),)


def _rolling(wire: TripWire) -> Line:
    count = f"rolling {wire.fallbacks}/{wire.terminal}"
    return ((f"{count} TRIPPED", "bad"),) if wire.tripped else ((count, "dim"),)
