"""The window explained: what it is, what it holds, and its figures beside the cumulative ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.latency import p95_after_each
from vp_tui.domain.stages import Stage
from vp_tui.domain.stats import upper95
from vp_tui.domain.text import literal
from vp_tui.domain.thresholds import percent
from vp_tui.ui.paint import EMPTY, Line, age, fit, join
from vp_tui.ui.prose import NAMES, fact, paragraph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vp_tui.domain.windows import Window, WindowNumbers
    from vp_tui.selectors import Numbers
    from vp_tui.ui.explanation import Facts

_CELL: Final = 20
"""Cells of one column of figures, at most."""
_NONE: Final = "n/a"


def window_section(facts: Facts, width: int) -> list[Line]:
    """Return what the window is, and its figures beside those of the epoch and the gateway."""
    window = facts.made.window
    if window is None:
        unknown = "unknown: the evidence log that tells it is not read"
        return [(("WINDOW", "accent"),), *paragraph(unknown, width, tone="warn")]
    lines: list[Line] = [(("WINDOW ", "accent"), (literal(window.label), "strong"))]
    for name, text in _nature(facts, window):
        lines += fact(name, text, width)
    if facts.figures is None or facts.made.numbers is None:
        return [*lines, *fact("figures", ((facts.unknown, "warn"),), width)]
    size = min((width - NAMES) // 3, _CELL)
    table = _table(facts.made.numbers, facts.figures, _epoch_name(facts), size)
    note = (
        "The gateway's figures are cumulative and count running missions too. Gates and guardrails"
        " count the epoch; traffic and clean are the window's."
    )
    return [*lines, EMPTY, *table, *paragraph(note, width, tone="dim")]


def _nature(facts: Facts, window: Window) -> Iterable[tuple[str, str]]:
    watch = facts.state.watch
    asked = " (asked for with --stage)" if watch.stage is not None else ""
    if window.stage is Stage.REVERTED and not asked:
        asked = " (the forced fallback is proven)"
    feeds = "feeds gates and guardrails" if window.source.is_real else "feeds no gate or guardrail"
    yield "stage", f"{window.stage}{asked}"
    yield "source", f"{window.source}: {feeds}"
    yield "scope", literal(window.scope)
    yield "opened", _opened(facts, window)
    yield "holds", _anchor(window)
    if window.decision is not None:
        yield "last word", literal(window.decision)
    clean = {True: "yes", False: "no", None: "unknown"}
    yield "clean", clean[facts.made.is_clean]


def _opened(facts: Facts, window: Window) -> str:
    if window.opened_at is None:
        return "not opened: it is the one proposed next"
    passed = facts.state.clock.wall_at(facts.now) - window.opened_at
    for_so_long = age(max(passed.total_seconds(), 0.0))
    return f"{window.opened_at:%Y-%m-%d %H:%M:%S}Z, {for_so_long} ago"


def _anchor(window: Window) -> str:
    """Say which missions are the window's."""
    known = 0 if window.anchor is None else len(window.anchor)
    missions = f"{known} mission{'s' * (known != 1)}"
    if window.opened_at is None:
        if not known:
            return "all missions known: no record beside the log names one"
        return f"all missions but the {missions} that records beside the log name"
    if window.anchor is None:
        return "missions started after the opening: the gateway did not answer then"
    return f"missions first seen, or started, after the opening: {missions} were known then"


def _epoch_name(facts: Facts) -> str:
    return f"epoch {facts.state.epoch.number}" if facts.state.epoch else "epoch (unknown)"


def _table(own: WindowNumbers, figures: Numbers, epoch: str, size: int) -> list[Line]:
    """Return the figures of the window, of the epoch and of the gateway, side by side."""
    seen, counts = figures.reconstruction, figures.snapshot.mission_counts
    failed = sum(entry.mission.status == "failed" for entry in figures.recent)
    running = max(counts.get("running", 0) - figures.orphans, 0)
    reported, latency = figures.snapshot.fallback, figures.snapshot.latency
    durations = [e.mission.duration_s for e in figures.recent if e.mission.duration_s is not None]
    p95 = p95_after_each(durations, 1)
    rows: Sequence[tuple[str, str, str, str]] = (
        ("finished", str(own.terminal), str(seen.terminal), f"{reported.considered} considered"),
        ("completed", str(own.completed), str(seen.terminal - failed), _count(counts, "completed")),
        ("failed", str(own.failed), str(failed), _count(counts, "failed")),
        ("running", str(own.running), str(running), _count(counts, "running")),
        (
            "fell back",
            _share(own.fallback, own.terminal),
            _share(seen.fallbacks, seen.terminal),
            _share(reported.with_fallback, reported.considered),
        ),
        (
            "at most",
            _bound(own.fallback, own.terminal),
            _bound(seen.fallbacks, seen.terminal),
            "",
        ),
        ("p95", _seconds(own.p95_s), _seconds(p95[0] if p95 else None), _seconds(latency.p95_s)),
    )
    head = join(" " * NAMES, *((fit(name, size), "dim") for name in ("window", epoch, "gateway")))
    return [head, *(_row(size, *row) for row in rows)]


def _row(size: int, name: str, *cells: str) -> Line:
    return join("  ", (fit(name, NAMES - 2), "dim"), *(fit(cell, size) for cell in cells))


def _count(counts: Mapping[str, int], status: str) -> str:
    return str(counts.get(status, 0))


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.3f})" if whole else f"{_NONE} (none)"


def _bound(part: int, whole: int) -> str:
    return percent(upper95(part, whole)) if whole else _NONE


def _seconds(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}s"
