"""Writing a row with its record; and keeping it, where that fails, until it can be appended.

Order of a recording: the log's new content is staged (a full disk shows here), the record is
appended and fsynced, then the log is replaced. A crash before the record leaves nothing. A crash
between record and log leaves a record whose row is missing, and a mark beside the log that says so:
the row waits, and whoever appends the next one appends it first. The other order would leave a row
that looks written by hand, and what it was made from would be lost.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.rollout.evidence_row import EvidenceRow, cut_notes, format_row
from vp_tui.domain.text import literal
from vp_tui.storage.atomic import make_private, read_if_there, write_private
from vp_tui.storage.errors import EvidenceError, LogChanged, LogDamaged
from vp_tui.storage.evidence_log import (
    Appended,
    append_row,
    is_interrupted,
    is_recorded,
    read_log,
    resolve,
    unwritten,
)
from vp_tui.storage.locks import LOCK_WAIT_S
from vp_tui.storage.records import append_record, canonical, encoded, sha256
from vp_tui.storage.verification import note_head

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class RecordFacts(NamedTuple):
    """What a row was made from: JSON values, their mappings with text keys only."""

    window: object
    """The window as it is after the row: label, opening, anchor, whether it is open."""
    snapshot: Mapping[str, object] | None
    """What `cells_from_snapshot` takes; None when the gateway gave none."""
    limits: Mapping[str, object]
    thresholds: Mapping[str, object]
    epoch: object
    actor: str
    stage: str
    source: str
    gates: Mapping[str, object]
    suggestion: object
    override_reason: str | None = None
    ended: Sequence[str] | None = None
    """Missions that are new in this row."""
    in_no_window: Sequence[str] | None = None
    """Of these, those that ended in no window."""
    outcomes: Mapping[str, str] | None = None
    """How missions ended: the new ones, and those that the rows before tell otherwise."""
    told: Sequence[Mapping[str, str]] | None = None
    """What happened and the row tells of: `what`, `target` and `at` of each."""


def record_row(
    log: Path,
    row: EvidenceRow,
    facts: RecordFacts,
    *,
    expected: str | None = None,
    despite: str | None = None,
    heads: Path | None = None,
    wait_s: float = LOCK_WAIT_S,
) -> Appended:
    """Append the record of `row`, then `row` to `log`; under one lock, both durable.

    In the directory `heads` it is noted that the record was written here.

    Raises LogChanged, LogDamaged and EvidenceError as `append_row` does; `recorded` of that tells
    whether the record was appended all the same, so that only the row is left to append.
    """
    recorded = False

    def append_facts(path: Path) -> None:
        nonlocal recorded
        line, prev = append_record(path, members.result())
        recorded = True
        if heads is not None:
            note_head(heads, path, row, line, is_first=prev is None)

    # The record takes time to encode: meanwhile the log is read, hashed, written and synced.
    with ThreadPoolExecutor(1) as aside:
        members = aside.submit(_members_of, row, facts)
        try:
            return append_row(
                log,
                row,
                expected=expected,
                despite=despite,
                before_commit=append_facts,
                wait_s=wait_s,
            )
        except EvidenceError as error:
            error.recorded = recorded
            raise


def _members_of(row: EvidenceRow, facts: RecordFacts) -> dict[str, bytes]:
    """Return the record of `row`, encoded, before it is chained and sealed.

    `row` in it is the line as it is written; `notes` are there too when the line has them cut.
    """
    line = format_row(row)
    members = encoded(facts._asdict() | {"row": line, "row_sha256": sha256(line.encode())})
    hashed = None if facts.snapshot is None else sha256(members["snapshot"])
    members["snapshot_sha256"] = canonical(hashed)
    if cut_notes(row.notes) != row.notes:
        members["notes"] = canonical(row.notes)
    return members


_FORMAT: Final = "vp-tui-spooled-row"


@dataclass(frozen=True, slots=True)
class SpooledRow:
    """A row that waits for its log."""

    log: Path
    row: EvidenceRow
    facts: RecordFacts | None
    """None when the row's record is written already."""
    file: Path | None
    """Where it is kept; None for a row that only the last record of the log has."""
    because: str | None = None
    """Why it could not be written, in words; None where that is not known."""
    is_interrupted: bool = False
    """Only the last record has it because vp-tui ended in between: nobody took it out."""

    @property
    def is_missed(self) -> bool:
        """Whether it is certainly to be appended: otherwise somebody perhaps took it out."""
        return self.file is not None or self.is_interrupted

    @property
    def kept_in(self) -> str | None:
        """Its file, as shown."""
        return literal(str(self.file)) if self.file else None


@dataclass(frozen=True, slots=True)
class SpooledRows:
    """The rows that wait for a log, oldest first, and what could not be read, in words."""

    rows: tuple[SpooledRow, ...] = ()
    warnings: tuple[str, ...] = ()
    fingerprint: str | None = None
    """Of the log's rows, none of which is among these; None: they could not be read."""


def record_or_keep(
    spool: Path,
    log: Path,
    row: EvidenceRow,
    facts: RecordFacts,
    *,
    expected: str | None = None,
    despite: str | None = None,
    heads: Path | None = None,
) -> Appended:
    """Record `row` in `log` as `record_row` does; keep it in the directory `spool` if that fails.

    Raises EvidenceError, which tells where the row is kept or that it could not be, and
    LogChanged and LogDamaged, after which nothing is kept: the row is to be decided on again.
    """
    try:
        return record_row(log, row, facts, expected=expected, despite=despite, heads=heads)
    except (LogChanged, LogDamaged):
        raise
    except EvidenceError as error:
        raise kept(spool, log, row, None if error.recorded else facts, error) from error


def kept(
    spool: Path, log: Path, row: EvidenceRow, facts: RecordFacts | None, because: EvidenceError
) -> EvidenceError:
    """Keep `row` as `keep` does, and return the error that tells where. Raises EvidenceError."""
    file = keep(spool, log, row, facts, because=because)
    cure = f"{because.failure.cure}; the row is kept in {literal(str(file))}"
    return EvidenceError(because.failure.reason, cure)


def keep(
    spool: Path, log: Path, row: EvidenceRow, facts: RecordFacts | None, *, because: EvidenceError
) -> Path:
    """Keep `row` in the directory `spool`, in a file of mode 0600; return the file.

    Raises EvidenceError, which then tells of `because` too: the row is nowhere.
    """
    file = spool / f"{time.time_ns():020}-{token_hex(4)}.json"
    kept = {
        "format": _FORMAT,
        "because": str(because),
        "log": str(resolve(log)),
        "row": asdict(row),
        "facts": None if facts is None else facts._asdict(),
    }
    try:
        make_private(spool)
        write_private(file, canonical(kept))
    except OSError as error:
        worse = EvidenceError.of(error, spool)
        reason = f"{because.failure.reason}; nor can the row be kept: {worse.failure.reason}"
        raise EvidenceError(reason, because.failure.cure) from error
    return file


def spooled_rows(spool: Path, log: Path) -> SpooledRows:
    """Return what waits for `log`: in the directory `spool`, and as a record without its row.

    A row that the log has after all, because vp-tui ended before it could drop it, is dropped.
    """
    path = resolve(log)
    rows: list[SpooledRow] = []
    warnings: list[str] = []
    present: set[bytes] = set()
    fingerprint = lost = None
    try:
        table, fingerprint = read_log(path)
        present = {row.raw for row in table.rows}
        lost = unwritten(path)
    except EvidenceError as error:
        warnings.append(str(error))
    for file in sorted(spool.glob("*.json")):
        spooled = _read(file)
        if spooled is None:
            warnings.append(f"{literal(str(file))}: it cannot be read as a kept row")
        elif spooled.log != path:
            continue
        elif format_row(spooled.row).encode() in present:
            drop(spooled)
        else:
            rows.append(spooled)
    if lost is not None and lost not in [spooled.row for spooled in rows]:
        rows.append(SpooledRow(path, lost, None, None, is_interrupted=is_interrupted(path)))
    return SpooledRows(tuple(rows), tuple(warnings), fingerprint)


def append_spooled(
    spooled: SpooledRow, expected: str | None = None, heads: Path | None = None
) -> Appended:
    """Append a row that waited, with its record unless that is written, and drop it.

    Raises LogChanged when the log's rows are not `expected` any more: somebody may have appended
    this one; and EvidenceError when it has to wait on.
    """
    log, row, facts = spooled.log, spooled.row, spooled.facts
    if facts is None or is_recorded(log, format_row(row).encode()):
        appended = append_row(log, row, expected=expected)
    else:
        appended = record_row(log, row, facts, expected=expected, heads=heads)
    drop(spooled)
    return appended


def drop(spooled: SpooledRow) -> None:
    """Forget a row that waited: it is in its log, or is not wanted there. Raises EvidenceError."""
    if spooled.file is not None:
        with EvidenceError.for_os_errors(spooled.file):
            spooled.file.unlink(missing_ok=True)


def _read(file: Path) -> SpooledRow | None:
    try:
        kept = json.loads(read_if_there(file) or b"")
        if kept["format"] != _FORMAT:
            return None
        row = EvidenceRow(**kept["row"])
        facts = None if kept["facts"] is None else RecordFacts(**kept["facts"])
        because = kept.get("because")
        return SpooledRow(Path(kept["log"]), row, facts, file, because and str(because))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
