"""What the dialogs of rows and windows say: data, cells and words of a row; what a window holds.

Of a window also since when it is open, and what closing it means.
"""

from __future__ import annotations

from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rich.cells import chop_cells

from vp_tui.domain.models import Source
from vp_tui.domain.rollout.evidence_row import format_row, marked
from vp_tui.domain.rollout.labels import short_label
from vp_tui.domain.rollout.windows import missions_of
from vp_tui.domain.text import ELLIPSIS, age, clock_z, counted, literal
from vp_tui.domain.vocabulary import Word, p95_cell, rate_cell
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.ui.lines.figure_layouts import side_by_side
from vp_tui.ui.lines.figures import listed_in_brief, no_figures
from vp_tui.ui.lines.header import gate_line
from vp_tui.ui.lines.paint import Line, Span, cut, fit, join, paragraph, plain
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.draft import flags_beside, label_after, rows_of_others
from vp_tui.views.figures import anchor_now, is_log_known, numbers
from vp_tui.views.sources import SourceWord, source_view

if TYPE_CHECKING:
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.views.draft import Draft
    from vp_tui.views.view import View
    from vp_tui.worker.evidence import Preceded, WaitingRow


_MEANINGS: Final[dict[str, str]] = {
    Word.FORCE_FALLBACK: "records only: force it with {brake}",
    Word.SUSTAINED_FORCE_FALLBACK: "records only: force it with {brake}",
    Word.START_SHADOW_WINDOW: "opens the rollout",
}
_MORE: Final = " v = all"
_NO_FILE: Final = "only its record is there: vp-tui ended in between, or somebody took the row out"


def headline(draft: Draft, view: View) -> str:
    """Return the box's title: where the row goes; `state` is the newest."""
    known, log = draft.state.evidence, view.state.evidence
    if log is None:
        told = "not read yet"
    elif log.problem:
        told = "cannot be read"
    else:
        is_same = known is not None and log.fingerprint == known.fingerprint
        changed = "unchanged since read" if is_same else "CHANGED meanwhile"
        told = f"{counted(len(log.rows), 'row')}, {changed}"
    name = PurePath(draft.state.watch.evidence or "").name
    return f"RECORD, {draft.profile} table -> {name} ({told})"


def draft_lines(draft: Draft, view: View, width: int, author: str) -> list[Line]:
    """Return the facts between the window's fields and the words; `state` and `now` are newest."""
    told = {
        "data": _data(draft, view.now),
        "cells": _cells(draft),
        "window": _own(draft),
        "gates": gate_line(draft.assessment.gates, width - 7),
        "others": _others(draft, view, author),
        "why": join((", ".join(draft.suggestion.reasons), "dim")),
    }
    return [cut(join((f"{name:<7}", "dim"), said), width) for name, said in told.items()]


def row_lines(row: EvidenceRow, width: int, limit: int | None = None) -> list[Line]:
    """Return the row as it will be written, on at most `limit` lines (None: on as many as needed).

    They are pieces of the row's one line; where they are not all of it, the last one says so.
    """
    pieces = chop_cells(format_row(row), width)
    if limit is None or len(pieces) <= limit:
        return [plain(piece) for piece in pieces]
    last = fit(pieces[limit - 1] + "…", width - len(_MORE))
    return [*map(plain, pieces[: limit - 1]), join(last, (_MORE, "accent"))]


def after_words(draft: Draft, row: EvidenceRow) -> tuple[str, str]:
    """Return what may become of the window: it stays open, or is closed for the next one."""
    return "keep it open", f"close it, next is {short_label(label_after(draft, row))}"


def word_rows(draft: Draft) -> list[tuple[str, str, Line]]:
    """Return the words to choose from: digit, word and what it means here."""
    return [(digit, word, _meaning(draft, word)) for word, digit in draft.words.items()]


def meanwhile(preceded: Preceded) -> str:
    """Return why a row was not written: one for its window was first, or the log is damaged."""
    if preceded.damage is not None:
        return f"{preceded.damage}: enter writes all the same, esc leaves the log as it is"
    row = preceded.row
    wrote = f"{row.decision} was written for this window at {row.date} meanwhile"
    return f"{wrote}: enter joins in with a row of your own, esc leaves it at that"


def _data(draft: Draft, now: float) -> Line:
    source = source_view(draft.view, Source.METRICS)
    if draft.figures is None:
        return join(("none: ", "bad"), (words.no_metrics(source), "bad"))
    old_s = max(now - draft.view.now, 0.0) + (source.age_s or 0.0)
    coverage, own = words.coverage(draft.figures.coverage), draft.own
    more = f", +{own.new} in the window" if own else ""
    of: Span = (clock_z(draft.taken_at), "strong")
    return join("held as of ", of, f", {age(old_s)} old, {coverage}{more}")


def _cells(draft: Draft) -> Line:
    if draft.figures is None:
        return join(("rate n/a | p95 n/a", "strong"))
    latency, cells = draft.figures.snapshot.latency, draft.figures.cells
    rate, p95 = rate_cell(cells.rate), words.p95(latency.p95_s, latency.count)
    if cells.is_reconstructed:
        rate, p95 = (marked(cell, cells.unknown) for cell in (rate, p95_cell(cells.p95_s)))
    counts = " ".join(listed_in_brief(draft.figures))
    return join("rate ", (rate, "strong"), " | p95 ", (p95, "strong"), f" | {counts}")


def _own(draft: Draft) -> Line:
    own, figures = draft.own, draft.figures
    if own is None or figures is None:
        return join(("unknown", "warn"), ": nothing was measured")
    told = f"{words.fell_back(own.fallback, own.known, bounded=False)}, {own.failed} failed"
    seen = figures.reconstruction
    epoch = f"{words.population(draft.view)}: {words.fell_back(seen.fallbacks, seen.terminal)}"
    return join((told, "strong"), f"   {epoch}")


def _others(draft: Draft, view: View, author: str) -> Line:
    """Say whether somebody else wrote a row for this window, as the log is now."""
    others = rows_of_others(view, draft.window, author)
    if not others:
        return join(("no row of others for this window", "dim"))
    row, who = others[-1]
    return join((f"{who} wrote {row.decision} at {row.date}", "warn"))


def _meaning(draft: Draft, word: str) -> Line:
    if word == draft.suggestion.decision:
        return join(("suggested", "accent"))
    asks = "asks for a reason" if draft.needs_reason(word) else ""
    means = _MEANINGS.get(word, "").format(brake=key_of(draft.state.watch, "brake"))
    return ((", ".join(filter(None, (asks, means))), "dim"),)


def unrecorded(view: View, window: Window) -> int:
    """Return how many missions of the window no record names."""
    recorded = (view.state.evidence or NO_EVIDENCE).recorded_ids
    return len(missions_of(window, view.state.ledger.entries.values()) - recorded)


def opening_words(view: View, proposed: Window, *, from_now: bool) -> list[tuple[str, bool]]:
    """Return what the window would hold, in sentences; True marks those to beware of.

    `from_now` tells whether it would begin empty.
    """
    source, left = source_view(view, Source.METRICS), unrecorded(view, proposed)
    is_known = anchor_now(view) is not None
    holds = "what"
    if is_known:
        holds = "the one mission that" if left == 1 else f"all {left} missions that"
    said = [(f"None is open. The one proposed holds {holds} no record names.", False)]
    if not from_now:
        said.append(("Opened so, it holds these and all that follow.", False))
    elif is_known:
        aside = f"; the {left} stay outside it" if left else ""
        said.append((f"Opened so, it holds what is first seen from now on{aside}.", False))
    else:
        reason = f"The metrics are {source.word}: which missions there are is not known."
        said.append((f"{reason} Opened so, it holds what starts from now on.", True))
    return said


def open_words(view: View, window: Window) -> list[tuple[str, bool]]:
    """Return since when the window is open and what was recorded for it, in sentences."""
    if window.opened_at is None:
        return []
    word = f"recorded so far: {window.decision}" if window.decision else "no row yet"
    said = [(f"It is {words.opened(view, window)}; {word}.", False)]
    if flags := flags_beside(view):
        asked = f"vp-tui was started with {', '.join(map(literal, flags))}: that is another window."
        said.append((f"{asked} Close this one, change it, or leave it and they wait.", True))
    if window.anchor is None:
        unknown = "Which missions there were is not known: it holds what started after that."
        said.append((unknown, True))
    return said


def row_doubts(view: View, window: Window) -> list[tuple[str, bool]]:
    """Return what to beware of with any window, in sentences."""
    said = []
    if not is_log_known(view):
        said.append((f"Label and stage are not known: {words.no_log(view)}.", True))
    if view.state.windows_problem:
        said.append((f"Whether one is open is not known: {view.state.windows_problem}.", True))
    if not window.source.is_real:
        said.append((f"Missions of source {window.source} feed no gate and no guardrail.", True))
    if view.state.watch.stage is not None and view.state.watch.stage is not window.stage:
        said.append((f"--stage {view.state.watch.stage} goes before it on this screen.", True))
    return said


def closing_words(view: View, window: Window) -> str:
    """Return what closing the window without a row means, and how to confirm it."""
    left = unrecorded(view, window)
    some = f"its {left} missions that no record names" if left != 1 else "its one mission"
    then = f" {some} then belong{'s' * (left == 1)} to the window proposed next;" if left else ""
    return f"closing it here writes no row;{then} enter again closes it, esc leaves it open"


def sentences(said: list[tuple[str, bool]], width: int) -> list[Line]:
    """Return sentences as lines of at most `width` cells."""
    told = (
        paragraph(f"! {text}", width, 0, "warn") if is_doubt else paragraph(text, width, 0)
        for text, is_doubt in said
    )
    return [*chain(*told)]


def figure_lines(view: View, window: Window, width: int) -> list[Line]:
    """Return the window's own figures beside the cumulative ones, and whether they are current."""
    view = view.as_if(window)
    figures, source = numbers(view), source_view(view, Source.METRICS)
    if figures is None:
        return no_figures(source, width)
    lines = side_by_side(view, figures, width)
    if source.word is SourceWord.LIVE:
        return lines
    return [*lines, join((f"metrics {words.source_state(source)}", "warn"))]


def waiting_lines(waiting: WaitingRow, width: int) -> list[Line]:
    """Return what the row says, why it waits, and where it is kept, four lines."""
    row = waiting.row
    said = [
        plain(f"{literal(row.date)}  {literal(row.window)}"),
        join("  ", (literal(row.decision), "strong")),
    ]
    if waiting.kept_in is None:
        return [*said, plain(f"  {_NO_FILE}"), ()]
    because = literal(waiting.because) if waiting.because else "why is not known"
    return [*said, plain(f"  {because}"), ((_end_of(waiting.kept_in, width), "dim"),)]


def _end_of(path: str, width: int) -> str:
    """Return where a row is kept in at most `width` cells: a path's end tells it from others."""
    label = "  kept in "
    room = max(width - len(label), 1)
    return label + (path if len(path) <= room else ELLIPSIS + path[-(room - 1) :])
