"""Makers of domain values for tests: plain and healthy unless told otherwise."""

# ruff: noqa: ANN401 - the fields that a test names have the types of the value that is made

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.events import (
    ContinuityArrived,
    HealthArrived,
    LinkChanged,
    LogArrived,
    SessionsArrived,
    SnapshotArrived,
    SourceFailed,
)
from vp_tui.domain.models import (
    Continuity,
    Failure,
    Frame,
    Health,
    LaneSession,
    Latency,
    LogChunk,
    Mission,
    MissionEvent,
    Plane,
    ReportedFallback,
    Session,
    Snapshot,
    Source,
    StreamEvent,
    StreamState,
)
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import State, Watch, initial_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Dialect

NOW: Final = datetime(2026, 11, 23, 2, 0, 0, tzinfo=UTC)
"""The gateway's clock at the moment 0.0 of the monotonic one."""
LANE_DIR: Final = "/srv/gateway/workspaces/vp_coder_primary"
LANE_RESULT: Final = f"workspace://{LANE_DIR}"
ELSEWHERE: Final = "workspace:///srv/gateway/workspaces/session_a"
BOOT: Final = "2026-11-22T19:00:00"
"""An hour before NOW on a gateway in Chicago."""
CHICAGO_S: Final = -21600.0
REFUSED: Final = Failure(
    "401 from the ops plane", "set UA_OPS_TOKEN", unauthorized=True, wants_token=True
)
LOST: Final = Failure("connection refused", "is the gateway up?")


def mission(
    mission_id: str = "m1", status: str = "completed", *, started_s: float = -60.0, **fields: Any
) -> Mission:
    """Return a mission that began `started_s` after NOW; a finished one took 30 s, on the lane."""
    started_at = NOW + timedelta(seconds=started_s)
    is_over = status in {"completed", "failed", "cancelled"}
    values: dict[str, Any] = {
        "objective": "implement it",
        "started_at": started_at,
        "completed_at": started_at + timedelta(seconds=30) if is_over else None,
        "result_ref": LANE_RESULT if status == "completed" else None,
        "duration_s": 30.0 if is_over else None,
        "fallback_seen": False,
    }
    return Mission(mission_id=mission_id, status=status, **(values | fields))


def mission_event(
    mission_id: str = "m1", event_type: str = "vp.mission.dispatched", *, cancelled: bool = False
) -> MissionEvent:
    return MissionEvent(f"{mission_id}-{event_type}", mission_id, event_type, NOW, cancelled)


def mission_events(told: Mission) -> list[MissionEvent]:
    """Return a mission's dispatch and, of one that ended, its end."""
    dispatch = mission_event(told.mission_id)
    if not told.is_terminal:
        return [dispatch]
    return [dispatch, mission_event(told.mission_id, f"vp.mission.{told.status}")]


def snapshot(
    *missions: Mission, events: Sequence[MissionEvent] | None = None, **fields: Any
) -> Snapshot:
    """Return a snapshot of `missions`, newest first, whose events cover them all."""
    if events is None:
        events = [event for m in reversed(missions) for event in mission_events(m)]
    durations = sorted(m.duration_s for m in missions if m.duration_s is not None)
    p95_s = durations[round((len(durations) - 1) * 0.95)] if durations else None
    with_fallback = sum(m.fallback_seen for m in missions)
    rate = with_fallback / len(missions) if missions else 0.0
    values: dict[str, Any] = {
        "generated_at": NOW,
        "vp_id": "vp.coder.primary",
        "lane": LaneSession("vp.coder.primary.session", LANE_DIR, "active", None, None),
        "mission_counts": Counter(m.status for m in missions),
        "event_counts": Counter(event.event_type for event in events),
        "fallback": ReportedFallback(with_fallback, len(missions), rate),
        "latency": Latency(len(durations), p95_s, p95_s, p95_s, p95_s),
        "mission_limit": 500,
        "event_limit": 1000,
    }
    return Snapshot(missions=missions, events=tuple(events), **(values | fields))


def session(session_id: str = "session_a", **fields: Any) -> Session:
    """Return an idle session that is in memory."""
    values: dict[str, Any] = {
        "status": "running" if fields.get("active_runs") else "idle",
        "owner": "owner_primary",
        "source": "chat",
        "description": None,
        "last_activity": None,
        "active_connections": 0,
        "active_runs": 0,
        "last_event_seq": 5,
        "terminal_reason": None,
    }
    return Session(session_id=session_id, **(values | fields))


def on_disk(session_id: str = "session_disk") -> Session:
    return session(session_id, last_event_seq=0)


def frame(kind: str = "text", text: str = "words", **fields: Any) -> Frame:
    return Frame(kind=kind, text=text, size=100, **fields)


def status_frame(**fields: Any) -> Frame:
    return frame("status", **fields)


def processing(query: str | None = "implement the code") -> Frame:
    return status_frame(status="processing", query=query)


def routed(routing: str, mission_id: str | None = None) -> Frame:
    return status_frame(status="a sentence", routing=routing, mission_id=mission_id)


def stream(*frames: Frame, session_id: str = "session_a", at: float = 0.0) -> list[StreamEvent]:
    """Return the frames as events, a second between two."""
    return [StreamEvent(at + index, session_id, sent) for index, sent in enumerate(frames)]


def health(dialect: Dialect = "G1", **fields: Any) -> Health:
    values: dict[str, Any] = {
        "status": "healthy",
        "timestamp": "2026-11-22T20:00:00",
        "version": "1.0.0",
        "db_status": "connected",
        "db_error": None,
        "clock_offset_s": CHICAGO_S if dialect == "G1" else 0.0,
    }
    return Health(dialect=dialect, **(values | fields))


def continuity(started_at: str = BOOT) -> Continuity:
    return Continuity(started_at, "ok", "ok", (), 0)


def healthy(at: float = 0.0, dialect: Dialect = "G1") -> HealthArrived:
    return HealthArrived(at, health(dialect))


def polled(taken: Snapshot, at: float = 0.0, plane: Plane = Plane.OPS) -> SnapshotArrived:
    return SnapshotArrived(at, taken, plane)


def listing(*sessions: Session, at: float = 0.0, plane: Plane = Plane.OPS) -> SessionsArrived:
    return SessionsArrived(at, sessions, len(sessions), plane)


def booted(started_at: str = BOOT, at: float = 0.0) -> ContinuityArrived:
    return ContinuityArrived(at, continuity(started_at))


def logged(*lines: str, log_id: str = "vp_coder_primary", at: float = 0.0, **chunk: Any) -> Event:
    return LogArrived(at, log_id, LogChunk(lines, **chunk))


def failed(
    source: Source = Source.METRICS,
    failure: Failure = LOST,
    *,
    at: float = 0.0,
    log_id: str | None = None,
) -> SourceFailed:
    return SourceFailed(at, source, failure, log_id)


def linked(
    state: StreamState = StreamState.LIVE,
    reason: str = "",
    *,
    session_id: str = "session_a",
    at: float = 0.0,
) -> LinkChanged:
    return LinkChanged(at, session_id, state, reason)


def state(*events: Event, **watch: Any) -> State:
    """Return the state after `events`, at 0.0 on the monotonic clock."""
    named = {"url": "http://127.0.0.1:8002", "name": "here", "vp_id": "vp.coder.primary"}
    return reduce_all(initial_state(Watch(**(named | watch)), at=0.0, wall=NOW), events)
