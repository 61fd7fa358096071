"""Writes evidence: a row with its record, and its window; and appends rows that wait for their log.

Shared by the screen and `vp-tui capture`. A row waits when its log could not be written as it was
recorded. Everything slow happens on a thread; what came of it is told to the store as events, then
returned.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.events import RowRecorded, RowsPreceded, WindowsRead
from vp_tui.domain.models import Failure
from vp_tui.domain.rollout.labels import is_same_window, places_that_count
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.storage.errors import EvidenceError, LogChanged, LogDamaged
from vp_tui.storage.evidence_log import NO_ROWS, read_log, resolve
from vp_tui.storage.places import actor
from vp_tui.storage.rows import (
    RecordFacts,
    SpooledRow,
    SpooledRows,
    append_spooled,
    record_or_keep,
    spooled_rows,
)
from vp_tui.storage.windows import keep_heard, keep_window, take_over, windows_file
from vp_tui.views.evidence_row import facts_of, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from vp_tui.domain.events import Heard
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.windows import Told, Window
    from vp_tui.state.state import Watch
    from vp_tui.state.store import Store
    from vp_tui.storage.evidence_log import Appended
    from vp_tui.storage.places import Places
    from vp_tui.views.draft import Choice, Draft


_TRIES: Final = 20
"""How often a row is tried while others write rows of other windows; then it is written."""
# As the ui, which knows no storage, calls them.
WaitingRow = SpooledRow
WaitingRows = SpooledRows


class AppendedRow(NamedTuple):
    """What became of a row that waited."""

    row: EvidenceRow
    line: int | None
    """Number of its line in the log; None: it waits on."""
    problem: Failure | None = None


def waiting_rows(spool: Path, log: Path) -> WaitingRows:
    """Return what waits for `log`, in the directory `spool` or as a record without its row."""
    try:
        return spooled_rows(spool, log)
    except EvidenceError as error:
        return WaitingRows(warnings=(str(error),))


def append_waiting(
    spool: Path, log: Path, rows: Collection[EvidenceRow], heads: Path | None = None
) -> Iterator[AppendedRow]:
    """Append those of `rows` that still wait, with their records, oldest first.

    Ends with the first that has to wait on: what keeps it out keeps the others out too. None is
    appended twice, whoever else appends them at the same time. Raises EvidenceError when what
    waits cannot be told.
    """
    while settled := _append_first(spool, log, rows, heads):
        yield settled
        if settled.problem is not None:
            return


def _append_first(
    spool: Path, log: Path, rows: Collection[EvidenceRow], heads: Path | None
) -> AppendedRow | None:
    """Append the oldest of `rows` that waits; None when none does."""
    for tries_left in reversed(range(_TRIES)):
        found = spooled_rows(spool, log)
        kept = next((kept for kept in found.rows if kept.row in rows), None)
        if kept is None:
            return None
        try:
            return AppendedRow(kept.row, append_spooled(kept, found.fingerprint, heads).line)
        except EvidenceError as error:
            # The log was perhaps changed by this very row: look again.
            if not (tries_left and isinstance(error, LogChanged)):
                return AppendedRow(kept.row, None, error.failure)
    return None


def written_words(row: EvidenceRow, line: int, log: str) -> str:
    """Return what the audit says of a row that was written."""
    return f"{row.decision}, line {line} of {log}"


class Written(NamedTuple):
    """The row is on disk."""

    row: EvidenceRow
    line: int
    log: str
    """Name of the log's file."""
    window: Window
    """As it is after the row."""
    problem: Failure | None
    """Why the window could not be kept, in words; None: it could."""

    @property
    def told(self) -> str:
        """What the audit says of it."""
        return written_words(self.row, self.line, self.log)


class Preceded(NamedTuple):
    """Somebody else wrote a row for this window first, or the log is damaged: nothing was written.

    The next try joins them, unless there is yet another one.
    """

    row: EvidenceRow
    damage: str | None = None
    """What is wrong with the log: a choice `despite` it is written."""

    @property
    def told(self) -> str:
        """Nothing: nothing was written."""
        return ""


Outcome = Written | Preceded | Failure
"""A failure tells where the row is kept that could not be written, or that it is not."""


@dataclass(frozen=True, slots=True)
class EvidenceFiles:
    """Where evidence is written."""

    log: Path | None
    """None: there is no evidence log."""
    spool: Path
    """Directory of rows that wait for their log."""
    windows: Path
    """File of the open window."""
    heads: Path | None = None
    """Directory where it is noted what was recorded here; None: nowhere."""


def evidence_files(places: Places, log: Path | None, watch: Watch) -> EvidenceFiles:
    """Return where the evidence of what is watched is written.

    The windows that were kept when the URL named the gateway are those of its name now.
    """
    watched = (watch.vp_id, str(resolve(log)) if log else "")
    windows = windows_file(places.windows, watch.id or watch.url, *watched)
    take_over(windows_file(places.windows, watch.url, *watched), windows)
    return EvidenceFiles(log, places.spool, windows, places.heads)


def new_recorder(log: Path | None, store: Store, places: Places) -> Recorder:
    """Return what writes the evidence of what `store` watches, in our user's name."""
    return Recorder(evidence_files(places, log, store.state.watch), store, actor())


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes rows and windows of one watch; `author` is who it does it for."""

    files: EvidenceFiles
    store: Store
    author: str
    clock: Callable[[], float] = time.monotonic

    @property
    def has_log(self) -> bool:
        """Whether there is a log to write to."""
        return self.files.log is not None

    async def record(self, draft: Draft, choice: Choice) -> Outcome:
        """Write the row, unless somebody else wrote one for its window that was not shown yet.

        The row is on disk when this returns, and the store knows it. The caller has seen to it
        that there is a log.
        """
        row = row_of(draft, choice)
        facts = RecordFacts(**facts_of(draft, choice, self.author))
        try:
            shown = self.store.state.rows_preceding
            appended = await asyncio.to_thread(
                self._append, draft, row, facts, shown, choice.despite
            )
        except LogDamaged as error:
            return Preceded(row, error.damage)
        except EvidenceError as error:
            return error.failure
        if isinstance(appended, RowsPreceded):
            self.store.apply(appended)
            return Preceded(appended.rows[-1])
        self._tell(draft, row, appended, draft.tells(choice))
        # The window stays open or is closed, as the word or the engineer has it.
        window = draft.window_after(choice)
        problem = await self.change_window(window, draft.state.window)
        return Written(row, appended.line, appended.path.name, window, problem)

    async def change_window(self, window: Window, before: Window | None) -> Failure | None:
        """Keep the window as it is now: opened, edited or closed. Return why it could not be.

        `before` is the open window as it was known; None: none was open.
        """
        try:
            kept = await asyncio.to_thread(keep_window, self.files.windows, window, before)
        except EvidenceError as error:
            return error.failure
        self.store.apply(WindowsRead(self.clock(), kept))
        return None

    def keep_heard(self, heard: Heard) -> str | None:
        """Keep what was heard beside the windows; return why it could not be.

        Blocks on the disk.
        """
        try:
            keep_heard(self.files.windows, heard)
        except EvidenceError as error:
            return str(error)
        return None

    async def waiting(self) -> WaitingRows:
        """Return the rows that wait for the log; none where there is no log."""
        if self.files.log is None:
            return WaitingRows()
        return await asyncio.to_thread(waiting_rows, self.files.spool, self.files.log)

    async def append_waiting(self, rows: Collection[EvidenceRow]) -> list[AppendedRow] | Failure:
        """Append those of `rows` that still wait; return what became of each, or what failed."""
        try:
            appended = append_waiting(self.files.spool, self._log, rows, self.files.heads)
            return await asyncio.to_thread(list, appended)
        except EvidenceError as error:
            return error.failure

    def _append(
        self,
        draft: Draft,
        row: EvidenceRow,
        facts: RecordFacts,
        shown: frozenset[EvidenceRow],
        despite: str | None,
    ) -> Appended | RowsPreceded:
        """Append the row if the log has the rows that it was decided on, or more of others'.

        What others wrote for its window stands in its way, unless it is in `shown`; so does what is
        wrong with the log, unless that is `despite`.
        """
        log, files = self._log, self.files
        record = partial(
            record_or_keep, files.spool, log, row, facts, despite=despite, heads=files.heads
        )
        known = draft.state.evidence or NO_EVIDENCE
        seen = {*known.rows, *shown}
        expected = None if known.problem is not None else known.fingerprint or NO_ROWS
        for _ in range(_TRIES):
            if expected is None:
                with suppress(EvidenceError):  # it cannot be written either: told, and kept, below
                    table, expected = read_log(log)
                    rows = [logged.row for logged in table.rows]
                    own = (rows[n] for n in places_that_count(rows, draft.state.watch.vp_id))
                    preceding = tuple(
                        other
                        for other in own
                        if is_same_window(other.window, row.window) and other not in seen
                    )
                    if preceding:
                        return RowsPreceded(self.clock(), preceding)
            try:
                return record(expected=expected)
            except LogChanged:
                expected = None
        return record()

    def _tell(
        self, draft: Draft, row: EvidenceRow, appended: Appended, told: tuple[Told, ...]
    ) -> None:
        ends = draft.ends
        event = RowRecorded(
            self.clock(),
            row,
            appended.line,
            frozenset(end.mission_id for end in ends),
            draft.window.source.is_real,
            self.author,
            appended.fingerprint,
            ends,
            told,
        )
        self.store.apply(event)

    @property
    def _log(self) -> Path:
        if self.files.log is None:
            raise AssertionError("there is no evidence log to write to")
        return self.files.log
