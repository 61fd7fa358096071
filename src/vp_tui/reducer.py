"""State + event -> State. Nothing else changes state, and nothing here asks a clock or a socket."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from itertools import groupby
from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import (
    ContinuityArrived,
    Event,
    EvidenceRead,
    GapFound,
    HealthArrived,
    LinkChanged,
    LinkDropped,
    LogArrived,
    LogDropped,
    PollRateChanged,
    SessionsArrived,
    SnapshotArrived,
    Source,
    SourceFailed,
    StreamEvent,
    StreamState,
    Tick,
    TokensRead,
)
from vp_tui.domain.missions import merge_snapshot, note_stream_fallbacks
from vp_tui.domain.models import Plane
from vp_tui.domain.routing import FALLBACKS, LEASE_DEGRADED, RoutingTally, count_turn
from vp_tui.domain.runs import Run, follow, listed
from vp_tui.state import (
    EVENT_LIMIT,
    LOG_LIMIT,
    LOGS_LIMIT,
    Clock,
    Entry,
    Epoch,
    EvidenceLog,
    Link,
    LogTail,
    SourceStatus,
    State,
    Tone,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.domain.models import Frame, LogChunk

_BAD_KINDS: Final = frozenset({"error", "unreadable"})
_WARN_KINDS: Final = frozenset({"cancelled", "input_required", "auth_required"})
_RESTARTED: Final = "the file begins again"
_DIM_KINDS: Final = frozenset({"thinking", "text", "pong", "heartbeat", "session_info"})


def reduce_all(state: State, events: Iterable[Event]) -> State:
    """Return the state after all events, in order; adjacent stream events go as one batch."""
    for is_stream, batch in groupby(events, key=_is_stream_event):
        if is_stream:
            state = _reduce_streams(state, [e for e in batch if isinstance(e, StreamEvent)])
        else:
            for event in batch:
                state = reduce(state, event)
    return state


def reduce(state: State, event: Event) -> State:
    """Return the state after one event."""
    return _apply(event, state)


def _is_stream_event(event: Event) -> bool:
    return isinstance(event, StreamEvent)


@singledispatch
def _apply(event: Event, _state: State) -> State:
    raise TypeError(f"no rule for {type(event).__name__}")


@_apply.register
def _tick(event: Tick, state: State) -> State:
    return replace(state, clock=Clock(event.at, event.wall))


@_apply.register
def _poll_rate_changed(event: PollRateChanged, state: State) -> State:
    return replace(state, poll_factor=event.factor)


@_apply.register
def _tokens_read(event: TokensRead, state: State) -> State:
    return replace(state, tokens=event.presence)


@_apply.register
def _evidence_read(event: EvidenceRead, state: State) -> State:
    if event.problem is not None:
        known = replace(state.evidence or EvidenceLog(), problem=event.problem)
        state = replace(state, evidence=known)
        return _with_entry(state, event.at, None, "evidence", event.problem, "bad")
    read = EvidenceLog(
        event.rows, event.recorded_ids, event.unreal_ids, event.unreal_windows, problem=None
    )
    return replace(state, evidence=read)


@_apply.register
def _health_arrived(event: HealthArrived, state: State) -> State:
    is_news = state.dialect != event.health.dialect
    state = replace(state, health=event.health)
    if is_news and state.snapshot:
        # What a result's place lets one infer depends on the generation.
        ledger = merge_snapshot(state.ledger, state.snapshot, state.dialect)
        state = replace(state, ledger=ledger)
    return _answered(state, Source.HEALTH, event.at, Plane.OPS)


@_apply.register
def _snapshot_arrived(event: SnapshotArrived, state: State) -> State:
    ledger = merge_snapshot(state.ledger, event.snapshot, state.dialect)
    state = replace(state, snapshot=event.snapshot, ledger=ledger)
    if event.plane is not Plane.OPS:
        # The ops plane goes on refusing: the refusal stays, the substitute has its own age.
        status = state.sources.get(Source.METRICS, SourceStatus())
        status = status._replace(answered_at=event.at, plane=event.plane)
        return _with_source(state, Source.METRICS, status)
    return _answered(state, Source.METRICS, event.at, event.plane)


@_apply.register
def _sessions_arrived(event: SessionsArrived, state: State) -> State:
    sessions = {session.session_id: session for session in event.sessions}
    runs = {
        session_id: listed(
            state.runs.get(session_id) or Run(session_id),
            seq=session.last_event_seq,
            running=session.is_running,
            at=event.at,
        )
        for session_id, session in sessions.items()
        if session.in_memory or session_id in state.runs
    }
    state = replace(state, sessions=sessions, sessions_total=event.total, runs=runs)
    return _answered(state, Source.SESSIONS, event.at, event.plane)


@_apply.register
def _continuity_arrived(event: ContinuityArrived, state: State) -> State:
    stamp = event.continuity.started_at
    state = _answered(
        replace(state, continuity=event.continuity), Source.CONTINUITY, event.at, Plane.OPS
    )
    if state.epoch is None:
        return replace(state, epoch=Epoch(1, stamp))
    if state.epoch.boot_stamp == stamp:
        return state
    number = state.epoch.number + 1
    state = replace(state, epoch=Epoch(number, stamp), routing=RoutingTally())
    text = f"the gateway restarted: epoch {number}, its counters began again"
    return _with_entry(state, event.at, None, "epoch", text, "warn")


@_apply.register
def _log_arrived(event: LogArrived, state: State) -> State:
    grown = _grown(state.logs.get(event.log_id, LogTail()), event.chunk, event.at)
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
    return _with_entry(state, event.at, None, str(Source.LOG), text, "good")


@_apply.register
def _log_dropped(event: LogDropped, state: State) -> State:
    return _without_log(state, event.log_id)


@_apply.register
def _source_failed(event: SourceFailed, state: State) -> State:
    if event.log_id is not None:
        before = state.log_sources.get(event.log_id, SourceStatus())
        state = _with_log(state, event.log_id, _failed(before, event))
        text = f"{event.log_id}: {event.failure.reason}"
    else:
        before = state.sources.get(event.source, SourceStatus())
        state = _with_source(state, event.source, _failed(before, event))
        text = event.failure.reason
    if before.failure == event.failure:
        return state
    return _with_entry(state, event.at, None, str(event.source), text, "bad")


@_apply.register
def _stream_event(event: StreamEvent, state: State) -> State:
    return _reduce_streams(state, (event,))


@_apply.register
def _link_changed(event: LinkChanged, state: State) -> State:
    link = state.links.get(event.session_id) or Link(event.state, event.at)
    is_live = event.state is StreamState.LIVE
    # The reason for a loss stands while vp-tui tries again.
    reason = event.reason or ("" if is_live else link.reason)
    changed = link._replace(state=event.state, since=event.at, reason=reason)
    state = replace(state, links={**state.links, event.session_id: changed})
    if is_live:
        run = state.runs.get(event.session_id) or Run(event.session_id)
        run = run._replace(own_attaches=run.own_attaches + 1)
        return replace(state, runs={**state.runs, event.session_id: run})
    if reason == link.reason:
        return state
    return _with_entry(state, event.at, event.session_id, "link", reason, "warn")


@_apply.register
def _link_dropped(event: LinkDropped, state: State) -> State:
    links = {key: link for key, link in state.links.items() if key != event.session_id}
    return replace(state, links=links)


@_apply.register
def _gap_found(event: GapFound, state: State) -> State:
    links = dict(state.links)
    if link := links.get(event.session_id):
        links[event.session_id] = link._replace(gaps=link.gaps + 1)
    lost = f"{event.lost} frames lost: " if event.lost else ""
    state = replace(state, links=links)
    return _with_entry(state, event.at, event.session_id, "gap", lost + event.reason, "warn")


def _reduce_streams(state: State, events: Sequence[StreamEvent]) -> State:
    """Apply frames of any sessions at once; per session and over all they keep their order."""
    by_session: dict[str, list[StreamEvent]] = {}
    for event in events:
        by_session.setdefault(event.session_id, []).append(event)
    runs, links, routing = dict(state.runs), dict(state.links), state.routing
    for session_id, own in by_session.items():
        runs[session_id], began = follow(runs.get(session_id) or Run(session_id), own)
        for turn, processing in began:
            routing = count_turn(routing, processing, turn.routing, state.dialect)
        if link := links.get(session_id):
            links[session_id] = link._replace(
                frames=link.frames + len(own), last_frame_at=own[-1].at
            )
    fallen = [e.frame.mission_id for e in events if e.frame.routing in FALLBACKS]
    degraded = sum(event.frame.routing == LEASE_DEGRADED for event in events)
    if degraded:
        routing = routing._replace(lease_degraded=routing.lease_degraded + degraded)
    numbers = range(state.entries_seen, state.entries_seen + len(events))
    new = tuple(
        Entry(number, e.at, e.session_id, e.frame.kind, e.frame.text, _tone(e.frame))
        for number, e in zip(numbers[-EVENT_LIMIT:], events[-EVENT_LIMIT:], strict=True)
    )
    return replace(
        state,
        runs=runs,
        links=links,
        routing=routing,
        ledger=note_stream_fallbacks(state.ledger, (m for m in fallen if m)),
        entries=(state.entries + new)[-EVENT_LIMIT:],
        entries_seen=state.entries_seen + len(events),
    )


def _tone(frame: Frame) -> Tone:
    if frame.is_error or frame.kind in _BAD_KINDS:
        return "bad"
    if frame.cancelled or frame.kind in _WARN_KINDS or frame.routing in FALLBACKS:
        return "warn"
    if frame.kind == "query_complete":
        return "good"
    return "dim" if frame.kind in _DIM_KINDS else "plain"


def _with_entry(
    state: State, at: float, session_id: str | None, kind: str, text: str, tone: Tone
) -> State:
    entry = Entry(state.entries_seen, at, session_id, kind, text, tone)
    return replace(
        state,
        entries=(*state.entries, entry)[-EVENT_LIMIT:],
        entries_seen=state.entries_seen + 1,
    )


def _answered(state: State, source: Source, at: float, plane: Plane) -> State:
    recovered = (before := state.sources.get(source)) is not None and before.failure is not None
    state = _with_source(state, source, SourceStatus(answered_at=at, plane=plane))
    if not recovered:
        return state
    return _with_entry(state, at, None, str(source), "answers again", "good")


def _failed(before: SourceStatus, event: SourceFailed) -> SourceStatus:
    return before._replace(failed_at=event.at, failure=event.failure)


def _with_source(state: State, source: Source, status: SourceStatus) -> State:
    return replace(state, sources={**state.sources, source: status})


def _with_log(state: State, log_id: str, status: SourceStatus) -> State:
    state = replace(state, log_sources={**state.log_sources, log_id: status})
    return _with_source(state, Source.LOG, _all_logs(state))


def _without_log(state: State, log_id: str) -> State:
    logs = {key: log for key, log in state.logs.items() if key != log_id}
    statuses = {key: status for key, status in state.log_sources.items() if key != log_id}
    state = replace(state, logs=logs, log_sources=statuses)
    return _with_source(state, Source.LOG, _all_logs(state))


def _all_logs(state: State) -> SourceStatus:
    """Return the status of the log endpoint: the newest answer, and any log's failure."""
    statuses = state.log_sources.values()
    answers = [status.answered_at for status in statuses if status.answered_at is not None]
    failed = [status for status in statuses if status.failure is not None]
    newest = max(failed, key=lambda status: status.failed_at or 0.0, default=SourceStatus())
    return newest._replace(answered_at=max(answers, default=None))


def _grown(log: LogTail, chunk: LogChunk, at: float) -> LogTail:
    """Return the log with a chunk appended, bounded; a mark stands where lines do not follow."""
    kept = log.lines[:-1] if chunk.completes_last else log.lines
    note = chunk.note or (_RESTARTED if chunk.restarted and kept else None)
    lines = (*kept, *((f"-- {note} --",) if note else ()), *chunk.lines)
    dropped = max(len(lines) - LOG_LIMIT, 0)
    grown_at = at if chunk.lines or log.grown_at is None else log.grown_at
    return LogTail(lines[dropped:], log.first + dropped, chunk.size, chunk.file, grown_at)
