"""What each row was made from, kept beside the log and checked against it.

Order of a recording: the log's new content is staged (a full disk shows here), the record is
appended and fsynced, then the log is replaced. A crash before the record leaves nothing. A crash
between record and log leaves a record whose row is missing: `verify` names it, and `unwritten`
gives the row back to be appended. The other order would leave a row that looks written by hand,
and what it was made from would be lost.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from vp_tui.domain.rollout.evidence_row import EvidenceRow, cut_notes, format_row, read_row
from vp_tui.storage.errors import EvidenceError, as_evidence_error
from vp_tui.storage.evidence_log import Appended, Fingerprint, append_row, read_log, resolve
from vp_tui.storage.locks import LOCK_WAIT_S
from vp_tui.storage.records import (
    Record,
    append_record,
    canonical,
    encoded,
    last_line,
    lines_of,
    parse_record,
    records_path,
    sealed,
    sha256,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What a row was made from: JSON values, their mappings with text keys only."""

    window: str
    """Label of the window; a row's own may say more."""
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


def record_row(
    log: Path,
    row: EvidenceRow,
    facts: RecordFacts,
    *,
    expected: Fingerprint | None = None,
    wait_s: float = LOCK_WAIT_S,
) -> Appended:
    """Append the record of `row`, then `row` to `log`; under one lock, both durable.

    Raises LogChanged and EvidenceError as `append_row` does; its `recorded` tells whether the
    record was appended all the same, so that only the row is left to append.
    """
    recorded = False

    def append_facts(path: Path) -> None:
        nonlocal recorded
        append_record(path, members.result())
        recorded = True

    # The record takes time to encode: meanwhile the log is read, hashed, written and synced.
    with ThreadPoolExecutor(1) as aside:
        members = aside.submit(members_of, row, facts)
        try:
            return append_row(
                log, row, expected=expected, before_commit=append_facts, wait_s=wait_s
            )
        except EvidenceError as error:
            error.recorded = recorded
            raise


def members_of(row: EvidenceRow, facts: RecordFacts) -> dict[str, bytes]:
    """Return the record of `row`, encoded, before it is chained and sealed.

    `row` in it is the line as it is written; `notes` are there too when the line has them cut.
    """
    line = format_row(row)
    members = encoded(as_json(facts) | {"row": line, "row_sha256": sha256(line.encode())})
    hashed = None if facts.snapshot is None else sha256(members["snapshot"])
    members["snapshot_sha256"] = canonical(hashed)
    if cut_notes(row.notes) != row.notes:
        members["notes"] = canonical(row.notes)
    return members


def as_json(facts: RecordFacts) -> Record:
    """Return `facts` as a JSON object: `Facts(**object)` has them back."""
    return {field.name: getattr(facts, field.name) for field in fields(RecordFacts)}


def is_recorded(log: Path, row: bytes) -> bool:
    """Tell whether a record of the line `row` is among those of `log`. Raises EvidenceError."""
    path = records_path(resolve(log))
    mark = f'"row_sha256":"{sha256(row)}"'.encode()
    try:
        return any(mark in line for line in lines_of(path))
    except OSError as error:
        raise as_evidence_error(error, path) from error


def unwritten(log: Path) -> EvidenceRow | None:
    """Return the row of the last record when the log has not got it: vp-tui ended in between.

    A row of the same date and window that has no record counts as it, changed by hand. Raises
    EvidenceError.
    """
    path = resolve(log)
    try:
        line = last_line(records_path(path))
    except OSError as error:
        raise as_evidence_error(error, records_path(path)) from error
    record = parse_record(line) if line else None
    if record is None or sealed(encoded(record)) != line or not isinstance(record.get("row"), str):
        return None
    raw = record["row"].encode()
    row = read_row(raw).row
    table, _ = read_log(path)
    for old in table.rows:
        alike = (old.row.date, old.row.window) == (row.date, row.window)
        if old.raw == raw or (alike and not is_recorded(path, old.raw)):
            return None
    return replace(row, notes=record.get("notes", row.notes))
