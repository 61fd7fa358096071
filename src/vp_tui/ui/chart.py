"""Line charts by plotext, as plain text: they say the same without any colour."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import plotext

from vp_tui.ui.paint import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def chart(spots: Sequence[Spot], width: int, height: int, width_per_label: int = 12) -> list[str]:
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
    ticks = _ticks(shown, min(_TICKS, max(width // width_per_label, 2)))
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
