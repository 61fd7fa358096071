"""Fallback rate and p95 by window: two lines where there is little room, two charts on a large one.

A row without a figure is no point: n/a is not 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.evidence import NOT_AVAILABLE, p95_cell, rate_cell
from vp_tui.domain.labels import short_label
from vp_tui.domain.text import clip, literal
from vp_tui.ui.paint import Line, cut, fit, join, sparkline, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vp_tui.domain.measured import Measured

_NAME: Final = 6
_LABEL: Final = 8
"""Characters of a window's name under a chart."""
_GAP: Final = 2


class _Series(NamedTuple):
    """One figure of the rows that have it."""

    name: str
    title: str
    points: Sequence[Measured]
    values: Sequence[float]
    written: Callable[[float | None], str]


def trend_lines(points: Sequence[Measured], total: int, width: int) -> list[Line]:
    """Return a line each for rate and p95; `total` is how many rows there are."""
    return [_compact(series, total, width) for series in _both(points)]


def trend_charts(points: Sequence[Measured], total: int, width: int, height: int) -> list[Line]:
    """Return two charts side by side in `height` lines, under a line that says what they draw."""
    column = (width - _GAP) // 2
    drawn = [_chart(series, total, column, height - 1) for series in _both(points)]
    return [join(left, " " * _GAP, right) for left, right in zip(*drawn, strict=True)]


def _both(points: Sequence[Measured]) -> tuple[_Series, _Series]:
    rated = [(point, point.rate) for point in points if point.rate is not None]
    timed = [(point, point.p95_s) for point in points if point.p95_s is not None]
    return (
        _Series("rate", "FALLBACK RATE", *_split(rated), rate_cell),
        _Series("p95", "P95 LATENCY", *_split(timed), p95_cell),
    )


def _split(pairs: Sequence[tuple[Measured, float]]) -> tuple[list[Measured], list[float]]:
    return [point for point, _value in pairs], [value for _point, value in pairs]


def _compact(series: _Series, total: int, width: int) -> Line:
    name: Line = ((fit(series.name, _NAME), "dim"),)
    if not series.values:
        return join(name, f"{NOT_AVAILABLE}: none of {total} rows has one")
    newest = join((f"{series.written(series.values[-1])} ", "strong"))
    said = f" {_range(series)}, {_counted(series, total)}"
    room = width - width_of(name) - width_of(newest) - len(said)
    return cut(
        join(name, newest, (sparkline(series.values, room)[0], "accent"), (said, "dim")), width
    )


def _chart(series: _Series, total: int, width: int, height: int) -> list[Line]:
    """Return exactly one line more than `height`, each `width` cells wide."""
    said = f"{series.title}  {_range(series)}, {_counted(series, total)}"
    if not series.values:
        said = f"{series.title}  {NOT_AVAILABLE}: none of {total} rows has one"
    title: Line = ((fit(said, width), "dim"),)
    if not series.values:
        return [title, *((((" " * width), "plain"),) for _ in range(height))]
    from vp_tui.ui.chart import Spot, chart  # noqa: PLC0415 - plotext takes 30 ms to import

    spots = [
        Spot(point.number, clip(literal(short_label(point.window)), _LABEL), value)
        for point, value in zip(series.points, series.values, strict=True)
    ]
    lines = chart(spots, width, height)
    lines += [" " * width] * (height - len(lines))
    return [title, *(((line, "plain"),) for line in lines)]


def _range(series: _Series) -> str:
    if not series.values:
        return ""
    return f"min {series.written(min(series.values))} max {series.written(max(series.values))}"


def _counted(series: _Series, total: int) -> str:
    return f"{len(series.values)} of {total} rows"
