"""The sockets of the sessions with what they tell, and the tails of the logs."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.mode import LaneMode, mode_by_silence
from vp_tui.domain.missions import note_stream_fallbacks, note_witnessed
from vp_tui.domain.models import Plane, Source, StreamState
from vp_tui.domain.runs.cancels import pending
from vp_tui.domain.runs.run import Run, follow_run, released
from vp_tui.domain.runs.turns import (
    DELEGATED_HERE,
    FALLBACKS,
    LEASE_DEGRADED,
    count_turn,
    is_aside,
    step_turn,
)
from vp_tui.domain.text import counted
from vp_tui.state.state import (
    EVENT_LIMIT,
    GROWTH_LIMIT,
    LOG_LIMIT,
    LOGS_LIMIT,
    Entry,
    Growth,
    Link,
    LogTail,
    SourceStatus,
    signs_of,
    with_entry,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vp_tui.domain import events
    from vp_tui.domain.models import Frame, LogChunk, StreamEvent
    from vp_tui.domain.runs.turns import Silence, Turn
    from vp_tui.state.state import State, Tone


_BAD_KINDS: Final = frozenset({"error", "unreadable"})
_WARN_KINDS: Final = frozenset({"cancelled", "input_required", "auth_required"})
_TELLING: Final = frozenset({"status", "query_complete", "system_event"})
"""Kinds of frames that may begin or end a turn."""
_DIM_KINDS: Final = frozenset({"thinking", "text", "pong", "heartbeat", "session_info"})

_SILENCES: Final[Mapping[LaneMode, Silence]] = {
    LaneMode.FORCED_FALLBACK: "forced",
    LaneMode.DISABLED: "disabled",
}
"""Modes in which a coding turn is kept from the lane without a word."""
_RESTARTED: Final = "the file begins again"

LATE_TIMES: Final = 2
"""Usual times between two answers after which the newest one is stale."""
SLOW_TIMES: Final = 1.5
"""Intervals between two answers from which on they come slowly."""
SLOW_FADES_S: Final = 60.0
"""In so many seconds what is remembered of a slow answer is halved."""
SLOWEST_S: Final = 15.0
"""Answers that are further apart were not asked for in between, as on a machine that slept."""


def link_changed(event: events.LinkChanged, state: State) -> State:
    """Note where a socket stands; the reason of a loss is told once."""
    link = state.links.get(event.session_id) or Link(event.state, event.at)
    is_live = event.state is StreamState.LIVE
    # The reason for a loss stands while vp-tui tries again.
    reason = event.reason or ("" if is_live else link.reason)
    changed = link._replace(state=event.state, since=event.at, reason=reason)
    state = replace(
        state,
        cut_at=event.at if link.is_live and not is_live else state.cut_at,
        links={**state.links, event.session_id: changed},
        failed_attaches=state.failed_attaches + event.is_failed_attach,
    )
    if is_live:
        run = state.runs.get(event.session_id) or Run(event.session_id)
        run = run._replace(own_attaches=run.own_attaches + 1)
        return replace(state, runs={**state.runs, event.session_id: run})
    if reason == link.reason:
        return state
    return with_entry(state, event.at, event.session_id, "link", reason, "warn")


def link_dropped(event: events.LinkDropped, state: State) -> State:
    """Forget a socket that is no longer wanted."""
    links = {key: link for key, link in state.links.items() if key != event.session_id}
    cut = state.links.get(event.session_id)
    was_live = cut is not None and cut.is_live
    return replace(state, links=links, cut_at=event.at if was_live else state.cut_at)


def gap_found(event: events.GapFound, state: State) -> State:
    """Say that frames were lost."""
    if link := state.links.get(event.session_id):
        gapped = link._replace(gaps=link.gaps + 1, gap_at=event.at)
        state = replace(state, links={**state.links, event.session_id: gapped})
    lost = f"{counted(event.lost, 'frame')} lost: " if event.lost else ""
    return with_entry(state, event.at, event.session_id, "gap", lost + event.reason, "warn")


def segments(state: State, frames: Sequence[StreamEvent]) -> list[Sequence[StreamEvent]]:
    """Return the frames as batches.

    Where a cancel is followed, they are cut after each frame that may begin or end a turn.
    """
    if not pending(state.cancels) and not any(map(_is_cancel, frames)):
        return [frames]
    cuts = (
        place
        for place, event in enumerate(frames, 1)
        if event.frame.kind in _TELLING or _is_cancel(event)
    )
    edges = sorted({0, *cuts, len(frames)})
    return [frames[start:end] for start, end in pairwise(edges)]


def stream_events(state: State, frames: Sequence[StreamEvent]) -> State:
    """Apply frames of any sessions at once; per session and over all they keep their order."""
    runs, links, routing = dict(state.runs), dict(state.links), state.routing
    hit = {session_id for session_id, run in runs.items() if run.pending}
    witnessed = set[str]()
    keeps_order = bool(hit) or any(map(_is_cancel, frames))
    for session_id, own in _in_groups(frames, keeps_order=keeps_order):
        before = runs.get(session_id) or Run(session_id)
        after, began = follow_run(before, own)
        witnessed |= _witnessed(before.turn, own, links.get(session_id))
        runs[session_id] = _with_own_log(after, before, state)
        routing = routing._replace(ran=routing.ran + after.turns - before.turns)
        for turn, processing in began:
            seen = processing, turn.routing, state.dialect
            routing = count_turn(routing, *seen, _silence(state))
        if link := links.get(session_id):
            links[session_id] = link._replace(
                frames=link.frames + len(own), last_frame_at=own[-1].at
            )
        if after.pending:
            hit.add(session_id)
        if hit and state.dialect == "G1":
            runs |= _released([runs[other] for other in hit - {session_id}], own)
    fallen = [e.frame.mission_id for e in frames if e.frame.routing in FALLBACKS]
    degraded = sum(event.frame.routing == LEASE_DEGRADED for event in frames)
    routing = routing._replace(lease_degraded=routing.lease_degraded + degraded)
    numbers = range(state.entries_seen, state.entries_seen + len(frames))
    new = tuple(
        Entry(number, e.at, e.session_id, e.frame.kind, e.frame.text, _tone(e.frame))
        for number, e in zip(numbers[-EVENT_LIMIT:], frames[-EVENT_LIMIT:], strict=True)
    )
    return replace(
        state,
        runs=runs,
        links=links,
        routing=routing,
        ledger=note_stream_fallbacks(
            note_witnessed(state.ledger, witnessed), (m for m in fallen if m)
        ),
        entries=(state.entries + new)[-EVENT_LIMIT:],
        entries_seen=state.entries_seen + len(frames),
    )


def _witnessed(turn: Turn, frames: Sequence[StreamEvent], link: Link | None) -> set[str]:
    """Return the missions whose dispatch and end were heard on one socket without a break.

    A turn that a worker outlives says nothing of its mission's end; nor does one with an error.
    """
    if link is None or link.gaps or not any(e.frame.kind == "query_complete" for e in frames):
        return set()
    found = set[str]()
    for event in frames:
        if event.frame.kind == "query_complete" and turn.mission_id and not event.frame.cancelled:
            began_at, kinds = turn.started_at, {mark.kind for mark in turn.marks}
            is_whole = began_at is not None and link.is_live and link.since <= began_at
            is_clean = not turn.cancelled and "error" not in kinds
            if is_whole and is_clean and turn.routing == DELEGATED_HERE:
                found.add(turn.mission_id)
        turn = step_turn(turn, event.frame, event.at)
    return found


def _silence(state: State) -> Silence:
    """Tell why a turn that begins now and stays outside the lane without a word would do so."""
    mode, _why = mode_by_silence(signs_of(state.lane, state.snapshot, state.boot_at))
    return _SILENCES.get(mode, "unexplained")


def _with_own_log(run: Run, before: Run, state: State) -> Run:
    """Let a cancel that has just hit know that the run's log grew, if that was its newest sign."""
    hit = run.cancel
    if hit is None or (before.cancel is not None and before.cancel.at == hit.at):
        return run
    log_id = state.lane_log_id if run.turn.is_on_lane else run.session_id
    grown_at = state.logs_grown.get(log_id)
    if grown_at is None or (hit.silent_since is not None and hit.silent_since >= grown_at):
        return run
    return run._replace(cancel=hit._replace(silent_since=grown_at))


def _in_groups(
    frames: Sequence[StreamEvent], *, keeps_order: bool
) -> Iterable[tuple[str, Sequence[StreamEvent]]]:
    """Return the frames by session, or those of one session that follow one another.

    The order matters while a cancel is pending: on G1 another turn's progress ends it.
    """
    if keeps_order:
        groups = groupby(frames, key=attrgetter("session_id"))
        return [(session_id, list(own)) for session_id, own in groups]
    by_session: dict[str, list[StreamEvent]] = {}
    for event in frames:
        by_session.setdefault(event.session_id, []).append(event)
    return by_session.items()


def _is_cancel(event: StreamEvent) -> bool:
    frame = event.frame
    return frame.cancelled or frame.kind == "cancelled" or frame.status == "turn_cancelled"


def _released(others: Iterable[Run], frames: Sequence[StreamEvent]) -> dict[str, Run]:
    """Return the runs whose cancelled turn must be over: another session's makes progress."""
    found = {}
    for run in others:
        if (hit := run.pending) is not None:
            after = (e.at for e in frames if e.at > hit.at and not is_aside(e.frame))
            if (at := next(after, None)) is not None:
                found[run.session_id] = released(run, at)
    return found


def _tone(frame: Frame) -> Tone:
    if frame.is_error or frame.kind in _BAD_KINDS:
        return "bad"
    if frame.cancelled or frame.kind in _WARN_KINDS or frame.routing in FALLBACKS:
        return "warn"
    if frame.kind == "query_complete":
        return "good"
    return "dim" if frame.kind in _DIM_KINDS else "plain"


def is_late(status: SourceStatus, now: float, interval_s: float) -> bool:
    """Tell whether a source's newest answer is too old: twice what is usual between two."""
    usual_s = max(interval_s, status.slow_s)
    return status.answered_at is not None and now - status.answered_at > LATE_TIMES * usual_s


def answered(
    before: SourceStatus,
    at: float,
    interval_s: float,
    plane: Plane = Plane.OPS,
    old_s: float = 0.0,
) -> SourceStatus:
    """Return the status after an answer of a source that is asked every `interval_s`.

    A slow answer is remembered for a while, so that the next one is not missed too soon. One with
    content that was `old_s` old may be older than what is known: that stays as new as it is.
    """
    slow_s = before.slow_s
    if before.arrived_at is not None and before.failure is None:
        apart_s = at - before.arrived_at
        is_own = apart_s <= max(SLOWEST_S, SLOW_TIMES * interval_s)
        slow_s = max(slow_s * 0.5 ** (apart_s / SLOW_FADES_S), apart_s * is_own)
    slow_s *= slow_s > SLOW_TIMES * interval_s
    told_at = at - old_s if before.answered_at is None else max(at - old_s, before.answered_at)
    return SourceStatus(answered_at=told_at, plane=plane, slow_s=slow_s, old_s=at - told_at)


def log_arrived(event: events.LogArrived, state: State) -> State:
    """Add the new lines; the log least recently grown leaves when there are too many."""
    known, chunk = state.logs.get(event.log_id), event.chunk
    grown = _grown(known or LogTail(read_since=event.at), chunk, event.at)
    if known is not None and chunk.lines and not chunk.restarted:
        growth = Growth(event.at, len(chunk.lines) - chunk.completes_last)
        grown = grown._replace(growth=(*grown.growth, growth)[-GROWTH_LIMIT:])
        state = replace(state, logs_grown={**state.logs_grown, event.log_id: event.at})
    before = state.log_sources.get(event.log_id, SourceStatus())
    interval_s = state.watch.intervals[Source.LOG] * state.poll_factor
    status = answered(before, event.at, interval_s, old_s=event.old_s)
    state = _with_log(state, event.log_id, status)
    state = replace(state, logs={**state.logs, event.log_id: grown})
    if len(state.logs) > LOGS_LIMIT:
        oldest = min(state.logs, key=lambda log_id: state.logs[log_id].grown_at or 0.0)
        state = without_log(state, oldest)
    if before.failure is None:
        return state
    text = f"{event.log_id} answers again"
    return with_entry(state, event.at, None, str(Source.LOG), text, "good")


def log_failed(event: events.SourceFailed, log_id: str, state: State) -> State:
    """Note why this log brought nothing; the same failure again is no news."""
    before = state.log_sources.get(log_id, SourceStatus())
    failed = before._replace(failed_at=event.at, failure=event.failure)
    state = _with_log(state, log_id, failed)
    if before.failure == event.failure:
        return state
    text = f"{log_id}: {event.failure.reason}"
    return with_entry(state, event.at, None, str(event.source), text, "bad")


def _with_log(state: State, log_id: str, status: SourceStatus) -> State:
    return _with_all_logs(replace(state, log_sources={**state.log_sources, log_id: status}))


def without_log(state: State, log_id: str) -> State:
    """Forget a log."""
    logs = {key: log for key, log in state.logs.items() if key != log_id}
    statuses = {key: status for key, status in state.log_sources.items() if key != log_id}
    return _with_all_logs(replace(state, logs=logs, log_sources=statuses))


def _with_all_logs(state: State) -> State:
    """Set the status of the log endpoint: the newest answer, and what fails of it.

    While the lane's log answers, another one that does not is that session's own matter: a G2 has
    sessions whose log it cannot read (docs/wire.md, section 18).
    """
    statuses = state.log_sources.values()
    answers = [status for status in statuses if status.answered_at is not None]
    told = max(answers, key=lambda status: status.answered_at or 0.0, default=SourceStatus())
    lane = state.log_sources.get(state.lane_log_id, SourceStatus())
    is_answering = lane.answered_at is not None and lane.failure is None
    failed = [] if is_answering else [each for each in statuses if each.failure is not None]
    newest = max(failed, key=lambda status: status.failed_at or 0.0, default=SourceStatus())
    slow_s = max((status.slow_s for status in statuses), default=0.0)
    status = newest._replace(answered_at=told.answered_at, slow_s=slow_s, old_s=told.old_s)
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
