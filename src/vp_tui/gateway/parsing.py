"""Answers of the gateway's endpoints: from bytes to domain values.

Fields, statuses and event types that are not known pass. What makes an answer meaningless (no
mission list, a text where a number belongs) is Unreadable, with the place of the fault in words.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from functools import reduce
from operator import getitem
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from vp_tui.domain.models import (
    CancelAnswer,
    Continuity,
    ContinuityAlert,
    Health,
    LaneSession,
    Latency,
    Mission,
    MissionClaim,
    MissionClaims,
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
    ClaimsPayload,
    ContinuityAnswerPayload,
    CreatedPayload,
    DashboardPayload,
    EventPayload,
    HealthPayload,
    MetricsPayload,
    OpsSessionsPayload,
    Payload,
    PlaneSessionsPayload,
    SessionPayload,
    TailPayload,
    as_utc,
    date_of,
    is_cancelled,
    was_clean,
)

if TYPE_CHECKING:
    from collections.abc import Callable


_FAULT_LIMIT: Final = 200
_LISTS: Final = frozenset(
    {"recent_missions", "recent_events", "sessions", "missions", "mission_counts", "event_counts"}
)
"""Lists and tables of which one item that cannot be read costs that item, not the answer."""
_LANE: Final = "session"
"""The lane's own row, which can be left out likewise."""

Model = TypeVar("Model", bound=Payload)
Value = TypeVar("Value")


class SessionListing(NamedTuple):
    """Sessions in the gateway's order; `total` counts those past the limit too."""

    sessions: tuple[Session, ...]
    total: int
    odd: int = 0
    """Sessions of this answer that could not be read: they are left out."""
    old_s: float = 0.0
    """How many seconds old it was when it arrived; 0 when it was new."""

    @property
    def read(self) -> int:
        """How many items were in it, those that could not be read too."""
        return len(self.sessions) + self.odd


def parse_health(body: bytes, date_header: str | None) -> Health:
    """Return a health answer; `date_header` is the Date of the same answer. Raises Unreadable."""
    answer = _parse(HealthPayload, body, "health")
    try:
        stamp = datetime.fromisoformat(answer.timestamp)
        offset_s = _offset_s(as_utc(stamp), date_header)
    except ValueError:
        raise _unreadable("health", "timestamp: not a date and time") from None
    dialect = "G1" if stamp.tzinfo is None else "G2"
    return _value(Health, answer, dialect=dialect, clock_offset_s=offset_s)


def parse_metrics(body: bytes, mission_limit: int, event_limit: int) -> Snapshot:
    """Return an answer of the ops metrics, asked with these limits. Raises Unreadable."""
    metrics, odd = _parse_listed(MetricsPayload, body, "metrics")
    return _snapshot(metrics, odd, mission_limit, event_limit)


def parse_dashboard_metrics(body: bytes, mission_limit: int, event_limit: int) -> Snapshot:
    """Return an answer of the dashboard's metrics, which wrap those of the ops plane.

    Raises Unreadable, and ServerFailed where the gateway says that it has none.
    """
    answer, odd = _parse_listed(DashboardPayload, body, "dashboard metrics")
    if answer.metrics is None:
        raise ServerFailed(
            f"dashboard metrics {answer.status}: {answer.detail or 'no detail'}",
            "see the gateway's own log",
        )
    return _snapshot(answer.metrics, odd, mission_limit, event_limit)


def parse_ops_sessions(body: bytes) -> SessionListing:
    """Return an answer of the ops listing. Raises Unreadable."""
    answer, odd = _parse_listed(OpsSessionsPayload, body, "session listing")
    return _listing(answer.sessions, odd.total(), answer.total)


def parse_session_listing(body: bytes) -> SessionListing:
    """Return an answer of the session plane, whose items are in `metadata`. Raises Unreadable."""
    answer, odd = _parse_listed(PlaneSessionsPayload, body, "session listing")
    return _listing(answer.sessions, odd.total())


def _listing(items: list[SessionPayload], odd: int, total: int | None = None) -> SessionListing:
    """Return a listing in which no session comes twice: of two with one id the first counts.

    One that was left out counts in the total, so that the list is not taken for whole.
    """
    sessions = {item.session_id: _value(Session, item) for item in reversed(items)}
    odd += len(items) - len(sessions)
    total = len(sessions) + odd if total is None else total
    return SessionListing(tuple(reversed(sessions.values())), total, odd)


def parse_claims(body: bytes, vp_id: str, as_of: datetime) -> MissionClaims:
    """Return what is said of this lane's missions, not before `as_of`. Raises Unreadable."""
    answer, odd = _parse_listed(ClaimsPayload, body, "missions")
    claims = {
        told.mission_id: MissionClaim(told.mission_id, told.expires_at, told.session_id)
        for told in reversed(answer.missions)
        if told.vp_id == vp_id
    }
    return MissionClaims(as_of, claims, odd.total())


def parse_continuity(body: bytes) -> Continuity:
    """Return an answer of session-continuity. Raises Unreadable."""
    metrics = _parse(ContinuityAnswerPayload, body, "session continuity").metrics
    alerts = tuple(_value(ContinuityAlert, alert) for alert in metrics.alerts)
    return _value(Continuity, metrics, alerts=alerts)


def parse_tail(body: bytes) -> TailAnswer:
    """Return an answer of the log tail, its lines raw. Raises Unreadable."""
    answer = _parse(TailPayload, body, "log tail")
    return _value(TailAnswer, answer, lines=tuple(answer.lines))


def parse_created(body: bytes) -> str:
    """Return the id of a session that was made. Raises Unreadable."""
    session_id = _parse(CreatedPayload, body, "session").session_id
    if not is_session_id(session_id):
        raise _unreadable("session", "session_id: not an id")
    return session_id


def parse_cancel(body: bytes, took_s: float) -> CancelAnswer:
    """Return an answer to a cancel that came after `took_s` seconds. Raises Unreadable."""
    return _value(CancelAnswer, _parse(CancelPayload, body, "cancel"), took_s=took_s)


def _snapshot(
    metrics: MetricsPayload, odd: Counter[str], mission_limit: int, event_limit: int
) -> Snapshot:
    missions = {told.mission_id: _value(Mission, told) for told in reversed(metrics.missions)}
    twice = len(metrics.missions) - len(missions)
    odd_missions = odd.pop("recent_missions", 0)
    return _value(
        Snapshot,
        metrics,
        lane=metrics.lane and _value(LaneSession, metrics.lane),
        fallback=_value(ReportedFallback, metrics.fallback),
        latency=_value(Latency, metrics.latency),
        missions=tuple(reversed(missions.values())),
        events=tuple(map(_event, metrics.events)),
        mission_limit=mission_limit,
        event_limit=event_limit,
        odd_items=odd.total() + twice,
        is_lane_odd="session" in odd,
        odd_missions=odd_missions,
    )


def _value(kind: Callable[..., Value], payload: Payload, **more: object) -> Value:
    """Return the domain value that has the payload's fields, but for those given besides."""
    return kind(**{**vars(payload), **more})


def _event(event: EventPayload) -> MissionEvent:
    told, payload = vars(event), event.payload
    kept = {name: told[name] for name in told if name != "payload"}
    return MissionEvent(**kept, cancelled=is_cancelled(payload), was_clean=was_clean(payload))


def _offset_s(stamp: datetime, date_header: str | None) -> float | None:
    """Return stamp minus Date in whole seconds: the header has no fraction, so neither counts."""
    date = date_of(date_header)
    return None if date is None else (stamp.replace(microsecond=0) - date).total_seconds()


def _parse_listed(model: type[Model], body: bytes, what: str) -> tuple[Model, Counter[str]]:
    """Return the answer without the items that cannot be read, and how many each list had of them.

    Raises Unreadable, also where a list has no item that can be read: it has another shape then,
    unless it has a single one.
    """
    try:
        return model.model_validate_json(body), Counter()
    except ValidationError as error:
        odd = {_item_at(fault["loc"]) for fault in error.errors(include_input=False)}
    told = _parse(model, _without(odd, body), what)
    return told, Counter(_name_of(place) for place in odd if place is not None)


def _item_at(fault: tuple[int | str, ...]) -> tuple[int | str, ...] | None:
    """Return the place of the item in which a fault is; None: it is in none to be left out."""
    for depth, name in enumerate(fault):
        if name == _LANE:
            return fault[: depth + 1]
        if name in _LISTS and depth + 1 < len(fault):
            return fault[: depth + 2]
    return None


def _name_of(place: tuple[int | str, ...]) -> str:
    """Return the name of the list that an item is in, or its own where it is in none."""
    return str(place[-1] if place[-1] == _LANE else place[-2])


def _without(odd: set[tuple[int | str, ...] | None], body: bytes) -> bytes:
    """Return an answer without the items at these places, or as it is where that does not help."""
    places = [place for place in odd if place is not None]
    if len(places) < len(odd):
        return body
    try:
        answer = json.loads(body)
    except ValueError:  # a number with thousands of digits, say
        return body
    for path in {place[:-1] for place in places}:
        listed = reduce(getitem, path, answer)
        out = {place[-1] for place in places if place[:-1] == path}
        if 1 < len(listed) == len(out):
            return body
        for place in sorted(out, reverse=True):
            del listed[place]
    return json.dumps(answer).encode()


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
