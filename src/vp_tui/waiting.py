"""Rows that wait for their log, because it could not be written when they were recorded.

Shared by the screen and `vp-tui capture`. Everything here reads and writes files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.text import literal
from vp_tui.storage.errors import EvidenceError, LogChanged
from vp_tui.storage.spool import append_spooled, pending

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.domain.models import Failure

_TRIES: Final = 20
"""How often the log is read again while others write rows."""


class WaitingRow(NamedTuple):
    """A row that is not in its log."""

    row: EvidenceRow
    kept_in: str | None
    """The file that keeps it, as shown; None: only the last record of the log has it."""
    because: str | None
    """Why it could not be written, in words; None where that is not known."""


class Waiting(NamedTuple):
    """All rows that wait for one log, oldest first, and what could not be read, in words."""

    rows: tuple[WaitingRow, ...] = ()
    warnings: tuple[str, ...] = ()


class Settled(NamedTuple):
    """What became of a row that waited."""

    row: EvidenceRow
    line: int | None
    """Number of its line in the log; None: it waits on."""
    problem: Failure | None = None


def waiting(spool: Path, log: Path) -> Waiting:
    """Return what waits for `log`, in the directory `spool` or as a record without its row."""
    try:
        found = pending(spool, log)
    except EvidenceError as error:
        return Waiting(warnings=(str(error),))
    rows = (
        WaitingRow(kept.row, literal(str(kept.file)) if kept.file else None, kept.because)
        for kept in found.rows
    )
    return Waiting(tuple(rows), found.warnings)


def append_waiting(spool: Path, log: Path, rows: Collection[EvidenceRow]) -> Iterator[Settled]:
    """Append those of `rows` that still wait, with their records, oldest first.

    Ends with the first that has to wait on: what keeps it out keeps the others out too. None is
    appended twice, whoever else appends them at the same time. Raises EvidenceError when what
    waits cannot be told.
    """
    while settled := _append_first(spool, log, rows):
        yield settled
        if settled.problem is not None:
            return


def _append_first(spool: Path, log: Path, rows: Collection[EvidenceRow]) -> Settled | None:
    """Append the oldest of `rows` that waits; None when none does."""
    for is_last in (*(False,) * (_TRIES - 1), True):
        found = pending(spool, log)
        kept = next((kept for kept in found.rows if kept.row in rows), None)
        if kept is None:
            return None
        try:
            return Settled(kept.row, append_spooled(kept, found.fingerprint).line)
        except LogChanged as error:  # perhaps by this very row: look again
            if is_last:
                return Settled(kept.row, None, error.failure)
        except EvidenceError as error:
            return Settled(kept.row, None, error.failure)
    return None
