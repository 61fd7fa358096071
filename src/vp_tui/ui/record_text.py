"""What the recording dialog says of the row: its data, cells, window, gates, and each word."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from vp_tui.cells import cells_of
from vp_tui.domain.events import Source
from vp_tui.domain.evidence import p95_cell, rate_cell
from vp_tui.domain.latency import describe_rank
from vp_tui.domain.words import Word
from vp_tui.drafting import rows_of_others
from vp_tui.sources import source_view
from vp_tui.ui.paint import Line, age, cut, join
from vp_tui.ui.verdict import gate_line

if TYPE_CHECKING:
    from vp_tui.domain.windows import WindowNumbers
    from vp_tui.drafting import Draft
    from vp_tui.selectors import Numbers

_MEANINGS: Final = {
    Word.FORCE_FALLBACK: "records only: it brakes nothing",
    Word.SUSTAINED_FORCE_FALLBACK: "records only: it brakes nothing",
    Word.START_SHADOW_WINDOW: "opens the rollout",
}


def headline(drafted: Draft) -> str:
    """Return the box's title: where the row goes."""
    evidence = drafted.state.watch.evidence
    log = drafted.state.evidence
    rows = len(log.rows) if log else 0
    known = "cannot be read" if log and log.problem else f"{rows} rows"
    return f"RECORD -> {PurePath(evidence or '').name} ({known})"


def draft_lines(drafted: Draft, now: float, width: int, author: str) -> list[Line]:
    """Return the facts between the window's fields and the words."""
    lines = [
        _label("data", _data(drafted, now)),
        _label("cells", _cells(drafted)),
        _label("window", _own(drafted.made.numbers, drafted.figures)),
        _label("gates", gate_line(drafted.made.gates)),
        _label("others", _others(drafted, author)),
    ]
    return [cut(line, width) for line in lines]


def word_rows(drafted: Draft) -> list[tuple[str, Line]]:
    """Return the words to choose from, each with what it means here."""
    return [(word, _meaning(drafted, word)) for word in drafted.words]


def _label(name: str, said: Line) -> Line:
    return join((f"{name:<7}", "dim"), said)


def _data(drafted: Draft, now: float) -> Line:
    view = source_view(drafted.state, Source.METRICS, drafted.now)
    old_s = max(now - drafted.now, 0.0) + (view.age_s or 0.0)
    old = f"{drafted.taken_at:%H:%M:%SZ}, {age(old_s)} old"
    if drafted.figures is None:
        reason = f": {view.failure.reason}" if view.failure else ""
        return join((f"none: the metrics are {view.word}", "bad"), reason)
    coverage = drafted.figures.coverage
    own = drafted.made.numbers
    more = f", +{own.new} missions in the window" if own else ""
    return join(f"held from {old}, coverage {coverage.state.upper()}{more}")


def _cells(drafted: Draft) -> Line:
    if drafted.figures is None:
        return join(("rate n/a | p95 n/a", "strong"))
    taken, cells = drafted.figures.snapshot, cells_of(drafted.figures)
    mark = " (reconstructed)" if cells.is_reconstructed else ""
    rank = (
        ""
        if cells.is_reconstructed or not taken.latency.count
        else f" {describe_rank(taken.latency.count)}"
    )
    counts = " ".join(f"{name}:{number}" for name, number in taken.mission_counts.items())
    return join(
        "rate ",
        (rate_cell(cells.rate) + mark, "strong"),
        " | p95 ",
        (p95_cell(cells.p95_s) + mark, "strong"),
        (rank, "dim"),
        f" | {counts or 'no missions'}",
    )


def _own(own: WindowNumbers | None, figures: Numbers | None) -> Line:
    if own is None:
        return join(("unknown", "warn"), ": no metrics yet")
    fallen = f"{own.fallback}/{own.terminal} fell back, {own.failed} failed"
    if figures is None or figures.bounds is None:
        return join((fallen, "strong"))
    seen = figures.reconstruction
    return join(
        (fallen, "strong"),
        f"   epoch {seen.fallbacks}/{seen.terminal} <={figures.bounds.upper95:.1%}",
    )


def _others(drafted: Draft, author: str) -> Line:
    others = rows_of_others(drafted.state, drafted.window, author)
    if not others:
        return join(("no row of others for this window", "dim"))
    row, who = others[-1]
    return join((f"{who} wrote {row.decision} at {row.date}", "warn"))


def _meaning(drafted: Draft, word: str) -> Line:
    if word == drafted.suggestion.decision:
        return join(("suggested: ", "accent"), drafted.suggestion.reasons[0])
    parts = [_MEANINGS.get(Word(word), "")] if word in set(Word) else []
    if drafted.needs_reason(word):
        parts.append("asks for a reason")
    return ((", ".join(part for part in parts if part), "dim"),)
