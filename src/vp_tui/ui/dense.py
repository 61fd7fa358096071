"""The figures where lines are few: the window, the epoch and the guardrails in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.ui import numbers as words
from vp_tui.ui.paint import Line, cut, fit, flow, join, pad, width_of

if TYPE_CHECKING:
    from vp_tui.selectors import Numbers
    from vp_tui.sources import SourceView
    from vp_tui.ui.compared import Compared

LINES: Final = 7
LABEL: Final = 9
WINDOW: Final = 18
"""Columns of the window's own figures at 80 columns, one of them blank."""
GUARDRAILS: Final = 26
"""Columns of the guardrails at 80 columns."""
_USUAL: Final = 80
_SHARE: Final = 4
"""Window and guardrails get one column more for every so many above the usual ones."""
_Row = tuple[str, Line, Line, Line]


def dense_lines(shown: Compared | None, source: SourceView, width: int) -> list[Line]:
    """Return LINES lines; `source` is the metrics' state without figures."""
    if shown is None:
        word, reason = words.no_figures(source, width - LABEL)
        return [join(_label("fallback"), word), join(_label(""), reason), *[()] * (LINES - 2)]
    more = max(width - _USUAL, 0) // _SHARE
    window, guardrails = WINDOW + more, GUARDRAILS + more
    epoch = width - LABEL - window - guardrails
    rows = [_columns(row, window, epoch) for row in _rows(shown, window - 1, epoch - 1)]
    turns = join(_label("turns"), flow_of([words.routing(shown.state), *words.unseen(shown.state)]))
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
    figures, own, made = shown.figures, shown.own, shown.made
    *_, revert = words.auto_revert(made.guardrails)
    return [
        ("fallback", words.own_fallback(own), _fallback(figures, wide), words.rolling(figures)),
        ("reported", (), words.reported(figures), words.strip(figures.recent)),
        (
            "p95",
            words.own_p95(own),
            _p95(figures, wide),
            words.cancel_recovery(made.guardrails.cancel_recovery),
        ),
        (
            "missions",
            words.own_missions(own),
            words.missions(figures, wide),
            words.evidence(made.target),
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
