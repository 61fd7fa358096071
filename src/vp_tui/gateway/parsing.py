"""Answers of the gateway's endpoints: from bytes to domain values.

Fields, statuses and event types that are not known pass. What makes an answer meaningless (no
mission list, a text where a number belongs) is Unreadable, with the place of the fault in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from pydantic import ValidationError

from vp_tui.domain.models import (
    CancelAnswer,
    Continuity,
    ContinuityAlert,
    Health,
    LaneSession,
    Latency,
    Mission,
    MissionEvent,
    ReportedFallback,
    Session,
    Snapshot,
    TailAnswer,
)
from vp_tui.domain.text import clip, literal
from vp_tui.gateway.credentials import is_session_id
from vp_tui.gateway.errors import ServerFailed, Unreadable
from vp_tui.gateway.payloads import (
    CancelPayload,
    ContinuityAnswerPayload,
    CreatedPayload,
    DashboardPayload,
    HealthPayload,
    LanePayload,
    MetricsPayload,
    MissionPayload,
    OpsSessionsPayload,
    Payload,
    PlaneSessionsPayload,
    SessionPayload,
    TailPayload,
    as_utc,
)

_FAULT_LIMIT: Final = 200

Model = TypeVar("Model", bound=Payload)


@dataclass(frozen=True, slots=True)
class SessionListing:
    """Sessions in the gateway's order; `total` counts those past the limit too."""

    sessions: tuple[Session, ...]
    total: int


def parse_health(body: bytes, date_header: str | None) -> Health:
    """Return a health answer; `date_header` is the Date of the same answer.

    Raises Unreadable.
    """
    answer = _parse(HealthPayload, body, "health")
    try:
        stamp = datetime.fromisoformat(answer.timestamp)
        offset_s = _offset_s(as_utc(stamp), date_header)
    except ValueError:
        raise _unreadable("health", "timestamp: not a date and time") from None
    return Health(
        status=answer.status,
        timestamp=answer.timestamp,
        version=answer.version,
        db_status=answer.db_status,
        db_error=answer.db_error,
        dialect="G1" if stamp.tzinfo is None else "G2",
        clock_offset_s=offset_s,
    )


def parse_metrics(body: bytes, mission_limit: int, event_limit: int) -> Snapshot:
    """Return an answer of the ops metrics that was asked with these limits.

    Raises Unreadable.
    """
    return _snapshot(_parse(MetricsPayload, body, "metrics"), mission_limit, event_limit)


def parse_dashboard_metrics(body: bytes, mission_limit: int, event_limit: int) -> Snapshot:
    """Return an answer of the dashboard's metrics, which wrap those of the ops plane.

    Raises Unreadable, and ServerFailed where the gateway says that it has none.
    """
    answer = _parse(DashboardPayload, body, "dashboard metrics")
    if answer.metrics is None:
        raise ServerFailed(
            f"dashboard metrics {answer.status}: {answer.detail or 'no detail'}",
            "see the gateway's own log",
        )
    return _snapshot(answer.metrics, mission_limit, event_limit)


def parse_ops_sessions(body: bytes) -> SessionListing:
    """Return an answer of the ops listing. Raises Unreadable."""
    answer = _parse(OpsSessionsPayload, body, "session listing")
    sessions = tuple(_session(item) for item in answer.sessions)
    return SessionListing(sessions, len(sessions) if answer.total is None else answer.total)


def parse_session_listing(body: bytes) -> SessionListing:
    """Return an answer of the session plane, whose items are in `metadata`. Raises Unreadable."""
    answer = _parse(PlaneSessionsPayload, body, "session listing")
    sessions = []
    for number, item in enumerate(answer.sessions):
        outer = {"session_id": item.session_id, "status": item.status, "owner": item.user_id}
        try:
            inner = SessionPayload.model_validate({**outer, **(item.metadata or {})})
        except ValidationError as error:
            fault = f"sessions[{number}].metadata.{_fault(error)}"
            raise _unreadable("session listing", fault) from None
        sessions.append(_session(inner))
    return SessionListing(tuple(sessions), len(sessions))


def parse_continuity(body: bytes) -> Continuity:
    """Return an answer of session-continuity. Raises Unreadable."""
    metrics = _parse(ContinuityAnswerPayload, body, "session continuity").metrics
    return Continuity(
        started_at=metrics.started_at,
        transport_status=metrics.transport_status,
        runtime_status=metrics.runtime_status,
        alerts=tuple(ContinuityAlert(a.code, a.severity, a.message) for a in metrics.alerts),
        attach_failures=metrics.ws_attach_failures,
    )


def parse_tail(body: bytes) -> TailAnswer:
    """Return an answer of the log tail, its lines raw. Raises Unreadable."""
    answer = _parse(TailPayload, body, "log tail")
    return TailAnswer(answer.file, answer.size, tuple(answer.lines), answer.truncated, answer.reset)


def parse_created(body: bytes) -> str:
    """Return the id of a session that was made. Raises Unreadable."""
    session_id = _parse(CreatedPayload, body, "session").session_id
    if not is_session_id(session_id):
        raise _unreadable("session", "session_id: not an id")
    return session_id


def parse_cancel(body: bytes, took_s: float) -> CancelAnswer:
    """Return an answer to a cancel that came after `took_s` seconds. Raises Unreadable."""
    answer = _parse(CancelPayload, body, "cancel")
    return CancelAnswer(
        answer.session_id, answer.reason, answer.task_cancelled, answer.run_id, took_s
    )


def _snapshot(metrics: MetricsPayload, mission_limit: int, event_limit: int) -> Snapshot:
    lane, fallback, latency = metrics.session, metrics.fallback, metrics.latency_seconds
    return Snapshot(
        generated_at=metrics.generated_at,
        vp_id=metrics.vp_id,
        lane=None if lane is None else _lane(lane),
        mission_counts=metrics.mission_counts,
        event_counts=metrics.event_counts,
        fallback=ReportedFallback(
            fallback.missions_with_fallback, fallback.missions_considered, fallback.rate
        ),
        latency=Latency(
            latency.count,
            latency.avg_seconds,
            latency.p50_seconds,
            latency.p95_seconds,
            latency.max_seconds,
        ),
        missions=tuple(_mission(mission) for mission in metrics.recent_missions),
        events=tuple(
            MissionEvent(e.event_id, e.mission_id, e.event_type, e.created_at, e.cancelled)
            for e in metrics.recent_events
        ),
        mission_limit=mission_limit,
        event_limit=event_limit,
    )


def _lane(lane: LanePayload) -> LaneSession:
    return LaneSession(
        lane.session_id, lane.workspace_dir, lane.status, lane.last_error, lane.stale_reason
    )


def _mission(mission: MissionPayload) -> Mission:
    return Mission(
        mission.mission_id,
        mission.status,
        mission.objective,
        mission.started_at,
        mission.completed_at,
        mission.result_ref,
        mission.duration_seconds,
        mission.fallback_seen,
    )


def _session(item: SessionPayload) -> Session:
    return Session(
        item.session_id,
        item.status,
        item.owner or "unknown",
        item.source or "unknown",
        item.description,
        item.last_activity,
        item.active_connections or 0,
        item.active_runs or 0,
        item.last_event_seq or 0,
        item.terminal_reason,
        bool(item.has_run_log),
    )


def _offset_s(stamp: datetime, date_header: str | None) -> float | None:
    """Return stamp minus Date in whole seconds: the header has no fraction, so neither counts."""
    try:
        date = as_utc(parsedate_to_datetime(date_header or ""))
    except ValueError:
        return None
    return (stamp.replace(microsecond=0) - date).total_seconds()


def _parse(model: type[Model], body: bytes, what: str) -> Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        fault = "a web page, not JSON" if body.lstrip()[:1] == b"<" else _fault(error)
        raise _unreadable(what, fault) from None


def _fault(error: ValidationError) -> str:
    """Return the first fault as `recent_missions[3].status: input should be a valid string`."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
    told = clip(literal(path.removeprefix(".")), _FAULT_LIMIT)
    message = clip(literal(first["msg"]), _FAULT_LIMIT)
    message = message[:1].lower() + message[1:]
    return f"{told}: {message}" if told else message


def _unreadable(what: str, fault: str) -> Unreadable:
    return Unreadable(
        f"unreadable {what} answer: {fault}", "is this the gateway's URL and version?"
    )
