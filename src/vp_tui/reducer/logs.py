"""The tails of the logs, and how their endpoint does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import Source
from vp_tui.reducer.entries import with_entry
from vp_tui.state import GROWTH_LIMIT, LOG_LIMIT, LOGS_LIMIT, Growth, LogTail, SourceStatus

if TYPE_CHECKING:
    from vp_tui.domain.events import LogArrived, LogDropped, SourceFailed
    from vp_tui.domain.models import LogChunk
    from vp_tui.state import State

_RESTARTED: Final = "the file begins again"


def log_arrived(event: LogArrived, state: State) -> State:
    """Add the new lines; the log least recently grown leaves when there are too many."""
    known, chunk = state.logs.get(event.log_id), event.chunk
    grown = _grown(known or LogTail(read_since=event.at), chunk, event.at)
    if known is not None and chunk.lines and not chunk.restarted:
        growth = Growth(event.at, len(chunk.lines) - chunk.completes_last)
        grown = grown._replace(growth=(*grown.growth, growth)[-GROWTH_LIMIT:])
        state = replace(state, logs_grown={**state.logs_grown, event.log_id: event.at})
    before = state.log_sources.get(event.log_id, SourceStatus())
    state = _with_log(state, event.log_id, SourceStatus(answered_at=event.at))
    state = replace(state, logs={**state.logs, event.log_id: grown})
    if len(state.logs) > LOGS_LIMIT:
        state = _without_log(
            state, min(state.logs, key=lambda log_id: state.logs[log_id].grown_at or 0.0)
        )
    if before.failure is None:
        return state
    text = f"{event.log_id} answers again"
    return with_entry(state, event.at, None, str(Source.LOG), text, "good")


def log_dropped(event: LogDropped, state: State) -> State:
    """Forget a log that is no longer tailed."""
    return _without_log(state, event.log_id)


def log_failed(event: SourceFailed, log_id: str, state: State) -> State:
    """Note why this log brought nothing; the same failure again is no news."""
    before = state.log_sources.get(log_id, SourceStatus())
    state = _with_log(state, log_id, before.failing(event.at, event.failure))
    if before.failure == event.failure:
        return state
    text = f"{log_id}: {event.failure.reason}"
    return with_entry(state, event.at, None, str(event.source), text, "bad")


def _with_log(state: State, log_id: str, status: SourceStatus) -> State:
    return _with_all_logs(replace(state, log_sources={**state.log_sources, log_id: status}))


def _without_log(state: State, log_id: str) -> State:
    logs = {key: log for key, log in state.logs.items() if key != log_id}
    statuses = {key: status for key, status in state.log_sources.items() if key != log_id}
    return _with_all_logs(replace(state, logs=logs, log_sources=statuses))


def _with_all_logs(state: State) -> State:
    """Set the status of the log endpoint: the newest answer, and any log's failure."""
    statuses = state.log_sources.values()
    answers = [status.answered_at for status in statuses if status.answered_at is not None]
    failed = [status for status in statuses if status.failure is not None]
    newest = max(failed, key=lambda status: status.failed_at or 0.0, default=SourceStatus())
    status = newest._replace(answered_at=max(answers, default=None))
    return replace(state, sources={**state.sources, Source.LOG: status})


def _grown(log: LogTail, chunk: LogChunk, at: float) -> LogTail:
    """Return the log with a chunk appended, bounded; a mark stands where lines do not follow."""
    kept = log.lines[:-1] if chunk.completes_last else log.lines
    note = chunk.note or (_RESTARTED if chunk.restarted and kept else None)
    lines = (*kept, *((f"-- {note} --",) if note else ()), *chunk.lines)
    dropped = max(len(lines) - LOG_LIMIT, 0)
    return log._replace(
        lines=lines[dropped:],
        first=log.first + dropped,
        size=chunk.size,
        file=chunk.file,
        grown_at=at if chunk.lines or log.grown_at is None else log.grown_at,
    )
