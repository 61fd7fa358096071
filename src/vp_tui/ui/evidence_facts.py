"""What the evidence screen says of the log as a whole, and which rows a filter leaves."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from vp_tui.domain.evidence import COLUMNS
from vp_tui.domain.text import literal
from vp_tui.selectors import while_same
from vp_tui.ui.paint import Line, cut, join
from vp_tui.ui.prose import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.state import EvidenceLog, State

WARNINGS: Final = 2
"""Lines of what is odd about the log's rows, at most."""
_cells: Final = attrgetter(*COLUMNS)


@while_same
def matching(rows: tuple[EvidenceRow, ...], wanted: str) -> Sequence[int]:
    """Return the places of the rows of which a cell contains `wanted`, whatever the case."""
    if not wanted:
        return range(len(rows))
    folded = wanted.casefold()
    return tuple(
        place
        for place, row in enumerate(rows)
        if any(folded in cell.casefold() for cell in _cells(row))
    )


def why_empty(state: State, wanted: str) -> str:
    """Return what stands in an empty list."""
    if state.watch.evidence is None:
        return " no evidence log is named: use --evidence LOG, or evidence in config.toml"
    if state.evidence is None:
        return " the evidence log is being read …"
    if state.evidence.rows and wanted:
        return f" no row matches /{wanted}/: esc shows all"
    if state.evidence.problem:
        return " no row is known: the log cannot be read"
    return " the log has no row yet"


def doubts(log: EvidenceLog, width: int) -> list[Line]:
    """Return in lines why the log cannot be read, and what is odd about its rows."""
    lines: list[Line] = []
    if log.problem:
        cure = "the rows are those read before" if log.rows else "it is tried again by itself"
        lines += wrapped(join(("! ", "bad"), literal(log.problem), f": {cure}"), width)
    for number, warning in enumerate(log.warnings[:WARNINGS], 1):
        hidden = len(log.warnings) - WARNINGS if number == WARNINGS else 0
        more = f" (+{hidden} more: vp-tui evidence show LOG)" if hidden > 0 else ""
        text = join(("! ", "warn"), literal(warning))
        lines.append(join(cut(text, width - len(more)), (more, "warn")))
    return lines


def author(log: EvidenceLog, place: int) -> str | None:
    """Return in words who recorded the row at `place`; None where only newer ones are known of."""
    index = place - (len(log.rows) - len(log.authors))
    if index < 0:
        return None
    author = log.authors[index]
    return f"recorded by {literal(author)}" if author else "no record beside the log"
