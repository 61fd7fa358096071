"""What the recording dialog says of the row: its data, cells, window, gates, and each word."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rich.cells import chop_cells

from vp_tui.cells import cells_of
from vp_tui.domain.events import Source
from vp_tui.domain.evidence import format_row, p95_cell, rate_cell
from vp_tui.domain.labels import short_label
from vp_tui.domain.latency import describe_rank
from vp_tui.domain.words import Word
from vp_tui.drafting import label_after, rows_of_others
from vp_tui.sources import SourceWord, source_view
from vp_tui.ui.paint import Line, Span, age, cut, fit, join, plain
from vp_tui.ui.verdict import gate_line

if TYPE_CHECKING:
    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.drafting import Draft
    from vp_tui.recorder import Preceded
    from vp_tui.state import State

_MEANINGS: Final[dict[str, str]] = {
    Word.FORCE_FALLBACK: "records only: the brake is F",
    Word.SUSTAINED_FORCE_FALLBACK: "records only: the brake is F",
    Word.START_SHADOW_WINDOW: "opens the rollout",
}
_MORE: Final = " v = all"


def headline(drafted: Draft, state: State) -> str:
    """Return the box's title: where the row goes; `state` is the newest."""
    known, log = drafted.state.evidence, state.evidence
    if log is None:
        told = "not read yet"
    elif log.problem:
        told = "cannot be read"
    else:
        is_same = known is not None and log.fingerprint == known.fingerprint
        told = f"{len(log.rows)} rows, {'unchanged since read' if is_same else 'CHANGED meanwhile'}"
    return f"RECORD -> {PurePath(drafted.state.watch.evidence or '').name} ({told})"


def draft_lines(drafted: Draft, state: State, now: float, width: int, author: str) -> list[Line]:
    """Return the facts between the window's fields and the words; `state` and `now` are newest."""
    lines = [
        _label("data", _data(drafted, now)),
        _label("cells", _cells(drafted)),
        _label("window", _own(drafted)),
        _label("gates", gate_line(drafted.made.gates)),
        _label("others", _others(drafted, state, author)),
        _label("why", join((", ".join(drafted.suggestion.reasons), "dim"))),
    ]
    return [cut(line, width) for line in lines]


def row_lines(row: EvidenceRow, width: int, limit: int | None = None) -> list[Line]:
    """Return the row as it will be written, on at most `limit` lines (None: on as many as needed).

    They are pieces of the row's one line; where they are not all of it, the last one says so.
    """
    pieces = chop_cells(format_row(row), width)
    if limit is None or len(pieces) <= limit:
        return [plain(piece) for piece in pieces]
    last = fit(pieces[limit - 1] + "…", width - len(_MORE))
    return [*map(plain, pieces[: limit - 1]), join(last, (_MORE, "accent"))]


def after_words(drafted: Draft, row: EvidenceRow) -> tuple[str, str]:
    """Return what may become of the window: it stays open, or is closed for the next one."""
    return "keep it open", f"close it, next is {short_label(label_after(drafted, row))}"


def word_rows(drafted: Draft) -> list[tuple[str, Line]]:
    """Return the words to choose from, each with what it means here."""
    return [(word, _meaning(drafted, word)) for word in drafted.words]


def meanwhile(preceded: Preceded) -> str:
    """Return why a row was not written: somebody wrote one for its window first."""
    row = preceded.row
    wrote = f"{row.decision} was written for this window at {row.date} meanwhile"
    return f"{wrote}: enter joins in with a row of your own, esc leaves it at that"


def _label(name: str, said: Line) -> Line:
    return join((f"{name:<7}", "dim"), said)


def _data(drafted: Draft, now: float) -> Line:
    view = source_view(drafted.state, Source.METRICS, drafted.now)
    if drafted.figures is None:
        reason = f": {view.failure.reason}" if view.failure else ""
        known = "have not answered yet" if view.word is SourceWord.IDLE else f"are {view.word}"
        return join((f"none, the metrics {known}", "bad"), reason)
    old_s = max(now - drafted.now, 0.0) + (view.age_s or 0.0)
    coverage, own = drafted.figures.coverage.state.upper(), drafted.own
    more = f", +{own.new} in the window" if own else ""
    of: Span = (f"{drafted.taken_at:%H:%M:%SZ}", "strong")
    return join("held as of ", of, f", {age(old_s)} old, coverage {coverage}{more}")


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


def _own(drafted: Draft) -> Line:
    own, figures = drafted.own, drafted.figures
    if own is None or figures is None:
        return join(("unknown", "warn"), ": nothing was measured")
    fallen: Span = (f"{own.fallback}/{own.terminal} fell back, {own.failed} failed", "strong")
    if figures.bounds is None:
        return join(fallen)
    seen = figures.reconstruction
    upper = f"<={figures.bounds.upper95:.1%}"
    return join(fallen, f"   epoch {seen.fallbacks}/{seen.terminal} {upper}")


def _others(drafted: Draft, state: State, author: str) -> Line:
    """Say whether somebody else wrote a row for this window, as the log is now."""
    others = rows_of_others(state, drafted.window, author)
    if not others:
        return join(("no row of others for this window", "dim"))
    row, who = others[-1]
    return join((f"{who} wrote {row.decision} at {row.date}", "warn"))


def _meaning(drafted: Draft, word: str) -> Line:
    if word == drafted.suggestion.decision:
        return join(("suggested", "accent"))
    asks = "asks for a reason" if drafted.needs_reason(word) else ""
    parts = [part for part in (asks, _MEANINGS.get(word)) if part]
    return ((", ".join(parts), "dim"),)
