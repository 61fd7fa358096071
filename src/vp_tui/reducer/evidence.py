"""The evidence log, the windows, and the rows that vp-tui writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vp_tui.reducer.entries import with_entry
from vp_tui.state import AUTHORS_KEPT, EvidenceLog

if TYPE_CHECKING:
    from vp_tui.domain.events import EvidenceRead, RowRecorded, WindowsRead
    from vp_tui.state import State


def evidence_read(event: EvidenceRead, state: State) -> State:
    """Take what the log says; one that cannot be read leaves what was known."""
    if event.problem is not None:
        known = (state.evidence or EvidenceLog())._replace(problem=event.problem)
        state = replace(state, evidence=known)
        return with_entry(state, event.at, None, "evidence", event.problem, "bad")
    read = EvidenceLog(
        rows=event.rows,
        recorded_ids=event.recorded_ids,
        unreal_ids=event.unreal_ids,
        unreal_windows=event.unreal_windows,
        authors=event.authors,
        fingerprint=event.fingerprint,
        warnings=event.warnings,
    )
    return replace(state, evidence=read)


def windows_read(event: WindowsRead, state: State) -> State:
    """Take the windows that are kept; opening, editing and closing are told."""
    if event.problem is not None:
        state = replace(state, windows_problem=event.problem)
        return with_entry(state, event.at, None, "window", event.problem, "bad")
    before, state = state.window, replace(state, windows=event.windows, windows_problem=None)
    after = state.window
    if before == after:
        return state
    if after is None:
        text = f"closed: {before.label if before else ''}"
    else:
        text = f"{'changed' if before else 'opened'}: {after.label}, {after.source}"
    return with_entry(state, event.at, None, "window", text, "good")


def row_recorded(event: RowRecorded, state: State) -> State:
    """Add the row that was just written, before the log is read again."""
    log = state.evidence or EvidenceLog()
    unreal = frozenset() if event.is_real else event.mission_ids - log.recorded_ids
    log = log._replace(
        rows=(*log.rows, event.row),
        recorded_ids=log.recorded_ids | event.mission_ids,
        unreal_ids=log.unreal_ids | unreal,
        unreal_windows=log.unreal_windows | ({event.row.window} if not event.is_real else set()),
        authors=(*log.authors, event.author)[-AUTHORS_KEPT:],
        fingerprint=event.fingerprint,
        problem=None,
    )
    text = f"{event.row.decision} for {event.row.window}: line {event.line}"
    return with_entry(replace(state, evidence=log), event.at, None, "recorded", text, "good")
