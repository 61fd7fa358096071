"""Steps with their times: what happened, and what is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.ui.paint import Line, join, plain
from vp_tui.ui.prose import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.domain.brake import ProofStep
    from vp_tui.state import Clock

NAMES: Final = 16
"""Cells of the steps' names, the blank after them included."""


def step_line(
    name: str, detail: str, at: float | None, clock: Clock, width: int, names: int = NAMES
) -> list[Line]:
    """Return one step that happened at `at`, None for one that is awaited, as lines."""
    symbol: Line = (("· ", "dim") if at is None else ("✓ ", "good"),)
    when = "awaited " if at is None else f"{clock.wall_at(at):%H:%M:%S}"
    return wrapped(plain(detail), width, join(symbol, (f"{when}  ", "dim"), f"{name:<{names}}"))


def step_lines(
    steps: Sequence[ProofStep], awaited: Iterable[str], clock: Clock, width: int
) -> list[Line]:
    """Return steps with their times; then what is awaited."""
    lines: list[Line] = []
    for step in steps:
        lines += step_line(step.step, step.detail, step.at, clock, width)
    lines += [join(("· awaited   ", "dim"), (name, "dim")) for name in awaited]
    return lines
