"""Fallback rate and p95 by window: two lines where there is little room, two charts on a large one.

A row without a figure is no point: n/a is not 0. The charts are plotext's, as plain text: they say
the same without any colour.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import plotext

from vp_tui.domain.rollout.labels import short_label
from vp_tui.domain.text import clip, counted, literal
from vp_tui.domain.vocabulary import NOT_AVAILABLE, p95_cell, rate_cell
from vp_tui.ui.lines.figures import sparkline
from vp_tui.ui.lines.paint import Line, cut, fit, join, plain, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vp_tui.domain.rollout.evidence_row import RowFigures


_NAME: Final = 6
_LABEL: Final = 12
"""Characters of a window's name under a chart."""
_GAP: Final = 2

_STYLE: Final = re.compile("\x1b\\[[0-9;]*m")
_LINE: Final = "·"
"""What joins two values: fonts without braille are about."""
_APART: Final = 2
"""Cells that a value wants for itself to be marked."""
_TICKS: Final = 6
"""Labels under a chart at most: more run into each other."""


class Spot(NamedTuple):
    """One value, and where it stands: its place from left to right, and what that is called."""

    place: int
    name: str
    value: float


class _Series(NamedTuple):
    """One figure of the rows that have it."""

    name: str
    title: str
    spots: list[Spot]
    written: Callable[[float | None], str]

    def said(self, total: int) -> str:
        """Return its range, and how many of `total` rows have it; n/a where none has."""
        rows = counted(total, "row")
        if not self.spots:
            return f"{NOT_AVAILABLE}: none of {rows} has one"
        values = [spot.value for spot in self.spots]
        low, high = self.written(min(values)), self.written(max(values))
        return f"min {low} max {high}, {len(values)} of {rows}"


def trend_lines(points: Sequence[RowFigures], total: int, width: int) -> list[Line]:
    """Return a line each for rate and p95; `total` is how many rows there are."""
    return [_compact(series, total, width) for series in _both(points)]


def trend_charts(points: Sequence[RowFigures], total: int, width: int, height: int) -> list[Line]:
    """Return two charts side by side in `height` lines, under a line that says what they draw."""
    column = (width - _GAP) // 2
    drawn = [_chart(series, total, column, height - 1) for series in _both(points)]
    return [join(left, " " * _GAP, right) for left, right in zip(*drawn, strict=True)]


def _both(points: Sequence[RowFigures]) -> tuple[_Series, _Series]:
    named = [(p, clip(literal(short_label(p.window)), _LABEL)) for p in points]
    rates = [Spot(p.number, name, p.rate) for p, name in named if p.rate is not None]
    p95s = [Spot(p.number, name, p.p95_s) for p, name in named if p.p95_s is not None]
    return (
        _Series("rate", "FALLBACK RATE", rates, rate_cell),
        _Series("p95", "P95 LATENCY", p95s, p95_cell),
    )


def _compact(series: _Series, total: int, width: int) -> Line:
    name: Line = ((fit(series.name, _NAME), "dim"),)
    if not series.spots:
        return join(name, series.said(total))
    values = [spot.value for spot in series.spots]
    newest, said = f"{series.written(values[-1])} ", f" {series.said(total)}"
    room = width - width_of(name) - len(newest) - len(said)
    drawn = sparkline(values, room)[0]
    return cut(join(name, (newest, "strong"), (drawn, "accent"), (said, "dim")), width)


def _chart(series: _Series, total: int, width: int, height: int) -> list[Line]:
    """Return exactly one line more than `height`, each `width` cells wide."""
    title: Line = ((fit(f"{series.title}  {series.said(total)}", width), "dim"),)
    lines = chart(series.spots, width, height) if series.spots else []
    lines += [" " * width] * (height - len(lines))
    return [title, *map(plain, lines)]


def chart(spots: Sequence[Spot], width: int, height: int) -> list[str]:
    """Return `height` lines of `width` cells that draw the values over their places, from zero up.

    Only neighbours are joined: between two values with a place left out nothing is known. Where
    there are more values than columns, each shows the largest of those that it stands for.
    """
    shown, step = _thinned(spots, max(width, 1))
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    for run in _runs(shown, step):
        plotext.plot([s.place for s in run], [s.value for s in run], marker=_LINE)
    if len(shown) <= width // _APART:
        plotext.scatter([s.place for s in shown], [s.value for s in shown], marker="o")
    plotext.ylim(0, max((spot.value for spot in shown), default=0.0) or 1.0)
    ticks = _ticks(shown, min(_TICKS, max(width // _LABEL, 2)))
    plotext.xticks([spot.place for spot in ticks], [spot.name for spot in ticks])
    lines = _STYLE.sub("", plotext.build()).splitlines()
    return [fit(line, width) for line in lines[:height]]


def _thinned(spots: Sequence[Spot], limit: int) -> tuple[list[Spot], int]:
    """Return at most `limit` values, each the largest of a group, and the size of the groups."""
    size = -(-len(spots) // limit) or 1
    groups = (spots[start : start + size] for start in range(0, len(spots), size))
    return [max(group, key=lambda spot: spot.value) for group in groups], size


def _runs(spots: Sequence[Spot], step: int) -> list[list[Spot]]:
    """Divide the values where a place is left out; `step` of them are one dot."""
    runs: list[list[Spot]] = []
    for spot in spots:
        if runs and (step > 1 or spot.place == runs[-1][-1].place + 1):
            runs[-1].append(spot)
        else:
            runs.append([spot])
    return runs


def _ticks(spots: Sequence[Spot], count: int) -> list[Spot]:
    """Return `count` of the values, the first and the last among them."""
    if len(spots) <= count:
        return list(spots)
    steps = count - 1
    return [spots[round(step * (len(spots) - 1) / steps)] for step in range(count)]
