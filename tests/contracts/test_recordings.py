"""Every recorded answer and frame of a real gateway goes through the parser meant for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vp_tui.domain.models import Frame, Plane
from vp_tui.domain.text import literal
from vp_tui.gateway import errors
from vp_tui.gateway import parsing as wire
from vp_tui.gateway.errors import Asked, refusal
from vp_tui.gateway.frames import parse_frame

if TYPE_CHECKING:
    from collections.abc import Callable

WIRE = Path(__file__).parents[1] / "wire"
RECORDINGS = sorted(str(p.relative_to(WIRE)) for p in WIRE.rglob("*") if p.is_file())
"""By their names below `tests/wire`; those in `g2` are of a G2."""

Recording = dict[str, Any]


def _bytes(body: object) -> bytes:
    return json.dumps(body).encode()


def _check_health(recording: Recording) -> None:
    health = wire.parse_health(_bytes(recording["body"]), recording["headers"]["date"])
    is_aware = recording["body"]["timestamp"].endswith("+00:00")
    expected = ("G2", 0.0) if is_aware else ("G1", -6 * 3600)
    assert (health.dialect, health.clock_offset_s) == expected


def _check_metrics(recording: Recording) -> None:
    body = recording["body"]
    snapshot = wire.parse_metrics(_bytes(body), 50, 200)
    assert len(snapshot.missions) == len(body["recent_missions"])
    assert len(snapshot.events) == len(body["recent_events"])
    assert dict(snapshot.mission_counts) == body["mission_counts"]
    assert snapshot.fallback.rate == body["fallback"]["rate"]
    assert snapshot.latency.p95_s == body["latency_seconds"]["p95_seconds"]
    assert (snapshot.lane is None) == (body["session"] is None)


def _check_dashboard(recording: Recording) -> None:
    snapshot = wire.parse_dashboard_metrics(_bytes(recording["body"]), 20, 100)
    assert len(snapshot.missions) == len(recording["body"]["metrics"]["recent_missions"])


def _check_ops_sessions(recording: Recording) -> None:
    listing = wire.parse_ops_sessions(_bytes(recording["body"]))
    assert listing.total == recording["body"]["total"]
    assert [s.session_id for s in listing.sessions] == [
        item["session_id"] for item in recording["body"]["sessions"]
    ]


def _check_one_session(recording: Recording) -> None:
    item = recording["body"]["session"]
    (session,) = wire.parse_ops_sessions(_bytes({"sessions": [item], "total": 1})).sessions
    assert session.in_memory == any(
        item[key] for key in ("active_runs", "active_connections", "last_event_seq")
    )


def _check_session_plane(recording: Recording) -> None:
    listing = wire.parse_session_listing(_bytes(recording["body"]))
    inner = [item["metadata"] for item in recording["body"]["sessions"]]
    assert listing == wire.parse_ops_sessions(_bytes({"sessions": inner}))


def _check_tail(recording: Recording) -> None:
    answer = wire.parse_tail(_bytes(recording["body"]))
    assert list(answer.lines) == recording["body"]["lines"]
    assert answer.size == recording["body"]["cursor"]


def _check_continuity(recording: Recording) -> None:
    continuity = wire.parse_continuity(_bytes(recording["body"]))
    assert continuity.started_at == recording["body"]["metrics"]["started_at"]


def _check_refusal(recording: Recording) -> None:
    path = recording["request"].partition(" ")[2]
    error = refusal(
        Asked(path, "gateway:8002", Plane.OPS), recording["status_code"], _bytes(recording["body"])
    )
    kinds = {401: errors.TokenRefused, 404: errors.NotFound, 500: errors.ServerFailed}
    assert type(error) is kinds.get(recording["status_code"], errors.Rejected)
    assert literal(error.failure.reason) == error.failure.reason


def _check_command(recording: Recording) -> None:
    """Answers to what changes the gateway are not this layer's; they must only be told apart."""
    assert recording["request"].startswith("POST ")


def _check_claims(recording: Recording) -> None:
    told = {each["mission_id"]: each for each in recording["body"]["missions"]}
    claims = wire.parse_claims(_bytes(recording["body"]), "vp.coder.primary", datetime.now(UTC))
    assert set(claims.missions) == set(told)
    for claim in claims.missions.values():
        assert claim.session_id == told[claim.mission_id]["payload"]["source_session_id"]


def _check_unasked(recording: Recording) -> None:
    """Answers that vp-tui does not ask for; they are here for the embedded gateway's sake."""
    assert recording["status_code"] == 200


def _check_auth_matrix(recording: Recording) -> None:
    assert {status for status, _ in recording.values()} == {200, 401}


def _check_frame(message: object) -> Frame:
    raw = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    frame = parse_frame(raw.encode())
    assert frame == parse_frame(raw)
    assert frame.size == len(raw.encode())
    assert frame.kind != "unreadable"
    assert frame.text
    assert frame.text == literal(frame.text)
    return frame


def _check_socket(recording: Recording) -> None:
    frames = [_check_frame(message["msg"]) for message in recording["messages"]]
    assert not frames or frames[0].kind == "connected"


READERS: dict[str, Callable[[Recording], None]] = {
    "GET /api/v1/health": _check_health,
    "GET /api/v1/ops/metrics/coder-vp": _check_metrics,
    "GET /api/v1/dashboard/metrics/coder-vp": _check_dashboard,
    "GET /api/v1/ops/metrics/session-continuity": _check_continuity,
    "GET /api/v1/ops/sessions": _check_ops_sessions,
    "GET /api/v1/sessions": _check_session_plane,
    "GET /api/v1/ops/logs/tail": _check_tail,
    "GET /api/v1/version": _check_unasked,
    "GET /api/v1/ops/metrics/vp": _check_unasked,
    "GET /api/v1/ops/vp/missions": _check_claims,
    "GET /api/v1/ops/vp/sessions": _check_unasked,
}


def _reader(recording: Recording) -> Callable[[Recording], None]:
    """Return the check of a recording; raise KeyError for one that nobody reads."""
    if "messages" in recording:
        return _check_socket
    if "ops / none" in recording:
        return _check_auth_matrix
    if recording["status_code"] != 200:
        return _check_refusal
    request = recording["request"].partition("?")[0]
    if request.startswith("POST "):
        return _check_command
    if request.startswith("GET /api/v1/ops/sessions/"):
        return _check_one_session
    return READERS[request]


@pytest.mark.parametrize("name", [name for name in RECORDINGS if name.endswith(".json")])
def test_answer(name: str) -> None:
    recording: Recording = json.loads((WIRE / name).read_text())
    _reader(recording)(recording)


@pytest.mark.parametrize("name", [name for name in RECORDINGS if name.endswith(".jsonl")])
def test_transcript(name: str) -> None:
    lines = (json.loads(line) for line in (WIRE / name).read_text().splitlines())
    frames = [_check_frame(line["msg"]) for line in lines if "msg" in line]
    assert [frame.kind for frame in frames].count("connected") <= 1


def test_no_recording_is_left_out() -> None:
    assert RECORDINGS
    assert {Path(name).suffix for name in RECORDINGS} == {".json", ".jsonl"}
