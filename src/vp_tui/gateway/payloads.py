"""The shapes of the gateway's answers (docs/wire.md, sections 3 to 10), as pydantic models.

Only fields that are used are named; others pass. Optional is what may be absent or null on either
generation. What is shown passes `literal`, once, by its very type. A field has the name that it has
in the value of `domain/models` that the payload becomes, and its name on the wire as an alias.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isnan, nan
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from vp_tui.domain.text import clip, fold, literal

PROSE_LIMIT: Final = 4_000
"""Characters kept of prompts and error texts, which the gateway does not bound."""
MOST_ITEMS: Final = 10_000
"""Of one list. The gateway sends 5,000 at most, but for the sessions of the session plane."""
_ENDLESS_S: Final = 1e300
_MOST: Final = 2**63
RECONCILED: Final = "stale_running_reconciled"
"""Reason in the payload of a row that G2 ended because nothing moved it any more."""


def _prose(text: str) -> str:
    """Fold before `literal`: a description is the folded prompt, and the two are compared."""
    return clip(literal(fold(text)), PROSE_LIMIT)


def as_utc(stamp: datetime) -> datetime:
    """Return an aware stamp in UTC; one without an offset is read as if it were UTC.

    Raises ValueError for one that UTC cannot tell.
    """
    if stamp.tzinfo is None:
        return stamp.replace(tzinfo=UTC)
    try:
        return stamp.astimezone(UTC)
    except OverflowError:
        raise ValueError("date out of range") from None


def date_of(header: str | None) -> datetime | None:
    """Return what a Date header says, in UTC; None where it says nothing."""
    try:
        return as_utc(parsedate_to_datetime(header or ""))
    except (ValueError, OverflowError):
        return None


def _text(text: object) -> object:
    """Take what is no text for none: nothing is judged by it."""
    return text if isinstance(text, str) else None


def _word(text: object) -> object:
    """Take what is no text for a word that is no good one: it is judged."""
    return text if isinstance(text, str) else "unreadable"


def _listed(told: object) -> object:
    """Take what is no list for one of what it is."""
    return told if isinstance(told, list) else [told]


Text = Annotated[str, AfterValidator(literal)]
Word = Annotated[Text, BeforeValidator(_word)]
Prose = Annotated[str, AfterValidator(_prose)]
Stamp = Annotated[datetime, AfterValidator(as_utc)]
Note = Annotated[Text | None, BeforeValidator(_text)]
ProseNote = Annotated[Prose | None, BeforeValidator(_text)]
Name = Annotated[Note, AfterValidator(lambda text: text or "unknown")]
Whole = Annotated[int, AfterValidator(lambda number: max(min(number, _MOST), -_MOST))]
"""Larger numbers are impossible as well, and can be reckoned with."""
Count = Annotated[Whole | None, AfterValidator(lambda number: number or 0)]


def _else(number: int) -> BeforeValidator:
    """Take what is no whole number for `number`."""
    return BeforeValidator(lambda told: told if type(told) in {int, type(None)} else number)


def _few(told: object) -> object:
    if isinstance(told, dict) and len(told) > MOST_ITEMS:
        raise ValueError(f"more than {MOST_ITEMS} items")
    return told


Item = TypeVar("Item")
Items = Annotated[list[Item], Field(max_length=MOST_ITEMS)]
"""What comes after MOST_ITEMS is not looked at: what is wrong with millions would fill memory."""
Counts = Annotated[dict[Text, Whole], BeforeValidator(_few)]


class Payload(BaseModel):
    """What all answers share: no coercion of types, no NaN, no input in error texts."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, hide_input_in_errors=True)


class HealthPayload(Payload):
    """GET /api/v1/health."""

    status: Word
    timestamp: Text
    version: Note = None
    db_status: Note = None
    db_error: ProseNote = None


class LanePayload(Payload):
    """The `session` of the metrics; `stale_reason` is of G2."""

    session_id: Text
    workspace_dir: Text
    status: Text
    last_error: Prose | None = None
    stale_reason: Text | None = None


def _duration(seconds: object) -> float | None:
    """Take what is no number for none that can be: it is told, and left out of every p95."""
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        return seconds if abs(seconds) < _ENDLESS_S else nan
    return None if seconds is None else nan


Seconds = Annotated[float | None, BeforeValidator(_duration)]
"""What is no number costs itself and not its item."""


class MissionPayload(Payload):
    """One of `recent_missions`; what is odd about what is not judged by costs only that."""

    mission_id: Text
    status: Text
    objective: Annotated[ProseNote, AfterValidator(lambda text: text or "")] = ""
    started_at: Stamp | None = None
    completed_at: Stamp | None = None
    result_ref: Note = None
    duration_s: Seconds = Field(None, alias="duration_seconds", allow_inf_nan=True)
    fallback_seen: bool = False


def is_cancelled(payload: object) -> bool:
    """Tell whether an event's payload says that somebody, or the gateway, ended the mission."""
    return isinstance(payload, dict) and (
        payload.get("cancelled") is True or payload.get("reason") == RECONCILED
    )


def was_clean(payload: object) -> bool:
    """Tell whether an event's payload says that its mission had not fallen back before."""
    return isinstance(payload, dict) and payload.get("failed_before_fallback") is True


class EventPayload(Payload):
    """One of `recent_events`; the payload is any JSON."""

    event_id: Text
    mission_id: Text
    event_type: Text
    created_at: Stamp | None = None
    payload: Any = None


def _rate(fraction: object) -> object:
    """Take what is no finite number for none: it costs itself and not the answer."""
    told = _duration(fraction)
    return None if told is None or isnan(told) else told


class FallbackPayload(Payload):
    """`fallback` of the metrics; `rate` is a fraction, None where there is no number."""

    with_fallback: Whole = Field(alias="missions_with_fallback")
    considered: Whole = Field(alias="missions_considered")
    rate: Annotated[float | None, BeforeValidator(_rate)] = None


class LatencyPayload(Payload):
    """`latency_seconds` of the metrics."""

    count: Whole
    avg_s: Seconds = Field(None, alias="avg_seconds", allow_inf_nan=True)
    p50_s: Seconds = Field(None, alias="p50_seconds", allow_inf_nan=True)
    p95_s: Seconds = Field(None, alias="p95_seconds", allow_inf_nan=True)
    max_s: Seconds = Field(None, alias="max_seconds", allow_inf_nan=True)


class MetricsPayload(Payload):
    """GET /api/v1/ops/metrics/coder-vp."""

    generated_at: Stamp
    vp_id: Text
    lane: LanePayload | None = Field(None, alias="session")
    mission_counts: Counts
    event_counts: Counts
    fallback: FallbackPayload
    latency: LatencyPayload = Field(alias="latency_seconds")
    missions: Items[MissionPayload] = Field(alias="recent_missions")
    events: Items[EventPayload] = Field(alias="recent_events")


class DashboardPayload(Payload):
    """GET /api/v1/dashboard/metrics/coder-vp."""

    status: Text
    detail: Prose | None = None
    metrics: MetricsPayload | None = None


def _source_session(payload: object) -> str | None:
    told = payload.get("source_session_id") if isinstance(payload, dict) else None
    return literal(told) or None if isinstance(told, str) else None


class ClaimPayload(Payload):
    """One of the missions of GET /api/v1/ops/vp/missions (docs/wire.md, section 16)."""

    mission_id: Text
    vp_id: Text
    expires_at: Stamp | None = Field(None, alias="claim_expires_at")
    session_id: Annotated[Any, AfterValidator(_source_session)] = Field(None, alias="payload")


class ClaimsPayload(Payload):
    """GET /api/v1/ops/vp/missions."""

    missions: Items[ClaimPayload]


class SessionPayload(Payload):
    """A session the gateway has no runtime data of may lack the counters: then nothing runs."""

    session_id: Text
    status: Text
    owner: Name = "unknown"
    source: Name = "unknown"
    description: ProseNote = None
    last_activity: Note = None
    active_connections: Count = 0
    active_runs: Count = 0
    last_event_seq: Count = 0
    terminal_reason: Note = None
    has_log: Annotated[bool | None, AfterValidator(bool)] = Field(
        default=False, alias="has_run_log"
    )


class OpsSessionsPayload(Payload):
    """GET /api/v1/ops/sessions."""

    sessions: Items[SessionPayload]
    total: Annotated[Whole | None, _else(_MOST)] = None
    """An impossible one does not let the list be taken for whole."""


def _of_plane(item: object) -> object:
    """Return one session of the session plane as an item of the ops listing: its `metadata` is."""
    if not isinstance(item, dict) or not isinstance(inner := item.get("metadata") or {}, dict):
        return item
    outer = {"session_id": item.get("session_id"), "owner": item.get("user_id")}
    return {**outer, "status": item.get("status", "unknown"), **inner}


class PlaneSessionsPayload(Payload):
    """GET /api/v1/sessions."""

    sessions: Items[Annotated[SessionPayload, BeforeValidator(_of_plane)]]


class AlertPayload(Payload):
    """One of the alerts of session-continuity."""

    code: Text
    severity: Text = ""
    message: Prose = ""


def _odd_alert(alert: object, parse: ValidatorFunctionWrapHandler) -> object:
    """Take an alert that cannot be read for one all the same: it is bad news."""
    try:
        return parse(alert)
    except ValidationError:
        return AlertPayload(code="unreadable")


class ContinuityPayload(Payload):
    """The `metrics` of session-continuity."""

    started_at: Text
    transport_status: Word
    runtime_status: Word
    alerts: Annotated[
        Items[Annotated[AlertPayload, WrapValidator(_odd_alert)]], BeforeValidator(_listed)
    ] = Field(default_factory=list)
    attach_failures: Annotated[Count, _else(0)] = Field(0, alias="ws_attach_failures")
    """Of none, no alert is taken for vp-tui's own doing."""


class ContinuityAnswerPayload(Payload):
    """GET /api/v1/ops/metrics/session-continuity."""

    metrics: ContinuityPayload


def _raw_line(line: object) -> str:
    return line if isinstance(line, str) else f"-- no text: {line!r} --"


class TailPayload(Payload):
    """GET /api/v1/ops/logs/tail; the lines stay raw, for `log_tail` compares them."""

    file: Text
    size: Whole
    lines: Items[Annotated[str, BeforeValidator(_raw_line)]]
    truncated: bool
    reset: bool


class CreatedPayload(Payload):
    """POST /api/v1/sessions."""

    session_id: Text


class CancelPayload(Payload):
    """POST /api/v1/ops/sessions/{id}/cancel; `run_id` is null on G1."""

    session_id: Text
    reason: Annotated[ProseNote, AfterValidator(lambda text: text or "")] = ""
    run_id: Note = None
    task_cancelled: bool
