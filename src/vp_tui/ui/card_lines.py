"""What the cards say, each in so many columns and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.ui import numbers as words
from vp_tui.ui.paint import Line, age, cut, flow, join, plain, sparkline

if TYPE_CHECKING:
    from vp_tui.domain.windows import Window
    from vp_tui.ui.compared import Compared

LABEL: Final = 9
"""Columns of the labels in the window's card."""


def window_card(shown: Compared, now: float, width: int) -> list[Line]:
    """Return the window's own figures, and what kind of window it is."""
    own, window = shown.own, shown.made.window
    if own is None or window is None:
        unknown = "the evidence log is not read yet"
        return _card(shown, width, (("unknown", "warn"),), ((unknown, "dim"),))
    is_clean = shown.made.is_clean
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
        return [plain(str(window.source)), plain("not opened: w opens it")]
    open_s = (shown.state.clock.wall_at(now) - window.opened_at).total_seconds()
    return [plain(str(window.source)), plain(f"open for {age(max(open_s, 0.0))}")]


def epoch_card(shown: Compared, width: int, height: int) -> list[Line]:
    """Return the cumulative figures; without room the interval goes, then the events."""
    figures, state = shown.figures, shown.state
    rates = flow(
        [
            join(("reported ", "dim"), words.reported(figures)),
            join(("reconstructed ", "dim"), words.reconstructed(figures)),
            *words.standing(figures),
        ],
        width,
    )
    interval, missions = words.interval(figures), words.missions(figures, width)
    events = words.events(figures.snapshot.event_counts)
    turns = [words.routing(state), *flow(words.unseen(state), width)]
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
    figures, made = shown.figures, shown.made
    leaves = made.wire.oldest_leaves_in
    oldest: list[Line] = [((f"the oldest leaves in {leaves}", "dim"),)] if leaves else []
    return _card(
        shown,
        width,
        words.strip(figures.recent),
        words.rolling(figures),
        *oldest,
        words.cancel_recovery(made.guardrails.cancel_recovery),
        words.evidence(made.target),
        *words.auto_revert(made.guardrails),
    )


def _card(shown: Compared, width: int, *lines: Line) -> list[Line]:
    return [cut(words.aged(line, shown.figures), width) for line in lines]
