"""A row of the evidence log: read, written, and its figures as numbers for a trend over windows.

Columns, cells and notes are those of docs/rollout.md, section 7.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.coverage import reconstruct
from vp_tui.domain.missions import terminal_entries
from vp_tui.domain.rollout.markdown_table import (
    TableSpan,
    conflict_markers,
    escape_cell,
    find_table,
    lines_cut_off,
    split_row,
    unescape_cell,
)
from vp_tui.domain.statistics import p95_after_each
from vp_tui.domain.text import counted
from vp_tui.domain.vocabulary import NOT_AVAILABLE, p95_cell, rate_cell

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from vp_tui.domain.missions import Ledger
    from vp_tui.domain.models import Snapshot


HEADING: Final = "Evidence table"
RECONSTRUCTED: Final = "reconstructed"
"""Marks a cell, and names the values in a snapshot, that are vp-tui's own."""
NOTES_LIMIT: Final = 16_000
"""Characters of notes that a row takes; the record beside the log keeps longer ones whole."""
NEW_LOG: Final = f"""\
# Rollout evidence log

## {HEADING}

| Date (UTC) | Window | Scope | Endpoint snapshot refs \
| Fallback rate | p95 latency | Decision | Notes |
|---|---|---|---|---:|---:|---|---|
""".encode()
"""A log without a row."""

_NUMBER: Final = r"\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)"
_RATE: Final = re.compile(_NUMBER + r"\s*(%?)\s*(?:\(.*)?$")
_SECONDS: Final = re.compile(_NUMBER + r"\s*(s|ms)\s*(?:\(.*)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """The eight cells of a row as they are meant, in the table's order, without escapes."""

    date: str
    window: str
    scope: str
    refs: str
    fallback_rate: str
    p95_latency: str
    decision: str
    notes: str


COLUMNS: Final = tuple(field.name for field in fields(EvidenceRow))


@dataclass(frozen=True, slots=True)
class LoggedRow:
    """A row as it is in a log."""

    row: EvidenceRow
    line: int
    """Number of its line in the file, counted from 1."""
    raw: bytes
    """The line as it was written, without its end."""
    warning: str | None = None
    """What is odd about it, in words."""


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """What a log holds; `span` is None when there is no evidence table in it."""

    rows: tuple[LoggedRow, ...] = ()
    span: TableSpan | None = None
    warnings: tuple[str, ...] = ()
    damage: str | None = None
    """Why it is perhaps not the whole table, in words: then no row is written into it unasked."""


def parse_log(
    data: bytes, known: EvidenceTable | None = None, lines_before: int = 0
) -> EvidenceTable:
    """Return the evidence table of the file `data`, whatever else is in it.

    Rows may be written by hand. One that has not eight cells is told in a warning and read as
    well as it can be: with the pipes in its code spans taken as text when that gives eight
    (though a Markdown reader divides there), else with the missing cells empty, or with the
    surplus ones joined to the notes. Bytes that are not UTF-8 read as U+FFFD.

    `known` is the log as it was read before: rows that stayed as they were are not read again.
    `lines_before` are in the file before `data`: the lines' numbers count them.
    """
    span = locate(data)
    if span is None:
        return EvidenceTable(warnings=(f"there is no table of 8 columns under `## {HEADING}`",))
    old = {row.line: row for row in known.rows} if known else {}
    rows = []
    for number, raw in enumerate(span.lines(data), span.first_line + lines_before):
        before = old.get(number)
        rows.append(before if before and before.raw == raw else read_row(raw, number))
    warnings = [f"line {row.line}: {row.warning}" for row in rows if row.warning]
    markers = conflict_markers(data)
    warnings += [
        f"line {number + lines_before}: a conflict marker that a merge left" for number in markers
    ]
    cut_off = "looks like a row, but a blank line or text cuts it off from the table"
    warnings += [
        f"line {number + lines_before}: {cut_off}"
        for number in lines_cut_off(data, span, len(COLUMNS))
    ]
    return EvidenceTable(tuple(rows), span, tuple(warnings), damage_of(data, span, lines_before))


def damage_of(data: bytes, span: TableSpan, lines_before: int = 0) -> str | None:
    """Return why the table in `data` is perhaps not whole, None where nothing speaks for that.

    `lines_before` as for `parse_log`.
    """
    if markers := conflict_markers(data):
        return f"line {markers[0] + lines_before} is a conflict marker: a merge is not decided yet"
    if outside := lines_cut_off(data, span, len(COLUMNS)):
        told = counted(len(outside), "row stands", "rows stand")
        return f"{told} behind the table's end, the first in line {outside[0] + lines_before}"
    return None


def read_row(raw: bytes, number: int = 0) -> LoggedRow:
    """Return the row that the line `raw`, with this number, holds: as `parse_log` reads it."""
    cells, warning = _cells(raw.decode("utf-8", "replace"))
    return LoggedRow(EvidenceRow(*map(unescape_cell, cells)), number, raw, warning)


def locate(data: bytes) -> TableSpan | None:
    """Return where the evidence table is in the file `data`: faster than reading its rows."""
    return find_table(data, HEADING, len(COLUMNS))


def format_row(row: EvidenceRow) -> str:
    """Return `row` as one line of eight cells, its notes cut at `NOTES_LIMIT`."""
    *cells, notes = map(escape_cell, (*astuple(row)[:-1], cut_notes(row.notes)))
    return f"| {' | '.join(cells)} | {notes} |"


def cut_notes(notes: str) -> str:
    """Return at most `NOTES_LIMIT` characters of `notes`, with a mark where they were cut."""
    if len(notes) <= NOTES_LIMIT:
        return notes
    mark = f"… [cut: {len(notes)} characters, the record has them all]"
    return notes[: NOTES_LIMIT - len(mark)] + mark


def cells_from_snapshot(snapshot: Mapping[str, object] | None) -> tuple[str, str]:
    """Return the rate and p95 cells that follow from a recorded snapshot; None when there is none.

    A snapshot is the body of a metrics answer. Where the row shows reconstructed values instead
    of the reported ones, it also has `"reconstructed": {"rate": fraction, "p95_s": seconds}`, or
    one of the two (null is n/a), and `"unknown"` missions where there are some: their cells are
    marked. A reported rate without missions is n/a, and so is whatever is no finite number.
    """
    snapshot = snapshot or {}
    own = _mapping(snapshot, RECONSTRUCTED)
    fallback = _mapping(snapshot, "fallback")
    missions = finite(fallback.get("missions_considered")) or 0
    reported = fallback.get("rate") if missions > 0 else None
    p95_s = _mapping(snapshot, "latency_seconds").get("p95_seconds") if missions > 0 else None
    unknown = int(finite(own.get("unknown")) or 0)
    rate, p95 = (own.get(name) for name in ("rate", "p95_s"))
    return (
        marked(rate_cell(finite(rate)), unknown) if "rate" in own else rate_cell(finite(reported)),
        marked(p95_cell(finite(p95)), unknown) if "p95_s" in own else p95_cell(finite(p95_s)),
    )


class Cells(NamedTuple):
    """What the row says; a rate is a fraction, 0 to 1, None is n/a."""

    rate: float | None
    p95_s: float | None
    is_reconstructed: bool
    unknown: int = 0
    """Ended missions whose outcome is not known: they are in no rate."""


def cells_of(
    taken: Snapshot,
    ledger: Ledger,
    orphaned: Collection[str],
    may_agree: bool,  # noqa: FBT001 - for `View.same`
) -> Cells:
    """Return the reported values where they may and do agree with the ledger's, else the latter.

    Those are over the ended ones among the missions that the endpoint considered, of whatever
    epoch: a restart does not empty the cells.
    """
    listed = {mission.mission_id for mission in taken.missions}
    ended = [e for e in terminal_entries(ledger, None, orphaned) if e.mission.mission_id in listed]
    seen = reconstruct(ended)
    reported = taken.fallback.rate if taken.fallback.considered else None
    timed = [s for e in ended if (s := finite(e.mission.duration_s)) is not None and s >= 0]
    p95_s = next(iter(p95_after_each(timed, 1)), None)
    is_told = taken.latency.p95_s is not None or p95_s is None
    agrees = is_told and not seen.unknown and rate_cell(reported) == rate_cell(seen.rate)
    if may_agree and agrees:
        return Cells(reported, taken.latency.p95_s, is_reconstructed=False)
    return Cells(seen.rate, p95_s, is_reconstructed=True, unknown=seen.unknown)


def _cells(line: str) -> tuple[list[str], str | None]:
    cells = split_row(line)
    wanted = len(COLUMNS)
    if len(cells) == wanted:
        return cells, None
    as_meant = split_row(line, code_spans=True)
    if len(as_meant) == wanted:
        return as_meant, "a `|` in a code span divides cells for Markdown readers: write `\\|`"
    missing = [""] * (wanted - len(cells))
    notes = " | ".join(cells[wanted - 1 :])
    told = f"a row has {wanted} cells, this one has {len(cells)}"
    return [*cells[: wanted - 1], *missing, notes][:wanted], told


def marked(cell: str, unknown: int = 0) -> str:
    """Return a cell of vp-tui's own with its mark, and how many missions it knows nothing of."""
    mark = f"{RECONSTRUCTED}, {unknown} unknown" if unknown else RECONSTRUCTED
    return cell if cell == NOT_AVAILABLE else f"{cell} ({mark})"


def _mapping(outer: Mapping[str, object], key: str) -> Mapping[str, object]:
    inner = outer.get(key)
    return inner if isinstance(inner, Mapping) else {}


def finite(value: object) -> float | None:
    """Return what may be any JSON as a number, None where it is no finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


class RowFigures(NamedTuple):
    """A row that has a figure; one that has none, or none that can be read, is no point at all."""

    number: int
    """Of the row in the log, from 1 on."""
    window: str
    rate: float | None
    """A fraction, 0 to 1."""
    p95_s: float | None


def figures_of_rows(rows: Iterable[EvidenceRow]) -> tuple[RowFigures, ...]:
    """Return the rows with a rate or a p95, in the log's order."""
    read = (
        RowFigures(number, row.window, read_rate(row.fallback_rate), read_seconds(row.p95_latency))
        for number, row in enumerate(rows, 1)
    )
    return tuple(point for point in read if point.rate is not None or point.p95_s is not None)


def read_rate(cell: str) -> float | None:
    """Return the fraction that a rate cell says: `0.000`, `0.167 (reconstructed)`, `12 %`.

    None for `n/a`, for anything else, and for what is no fraction.
    """
    found = _RATE.match(cell)
    if found is None:
        return None
    rate = float(found[1]) / (100 if found[2] else 1)
    return rate if rate <= 1 else None


def read_seconds(cell: str) -> float | None:
    """Return the seconds that a latency cell says: `38.305s`, `38.3 s (reconstructed)`, `350ms`.

    None for `n/a` and for anything else.
    """
    found = _SECONDS.match(cell)
    if found is None:
        return None
    return float(found[1]) / (1000 if found[2].lower() == "ms" else 1)
