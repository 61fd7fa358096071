from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vp_tui.domain.text import literal
from vp_tui.gateway import parsing as wire
from vp_tui.gateway.errors import GatewayError, ServerFailed, Unreadable
from vp_tui.gateway.payloads import PROSE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.models import Snapshot

DATE = "Mon, 23 Nov 2026 01:34:29 GMT"


def health(**changes: object) -> bytes:
    answer = {"status": "healthy", "timestamp": "2026-11-22T19:34:29.964770", **changes}
    return json.dumps(answer).encode()


def mission(**changes: object) -> dict[str, Any]:
    return {
        "mission_id": "vp-mission-1",
        "status": "completed",
        "objective": "fix it",
        "run_id": "r",
        "started_at": "2026-11-23T01:34:34+00:00",
        "completed_at": None,
        "updated_at": "2026-11-23T01:34:35+00:00",
        "result_ref": None,
        "duration_seconds": None,
        "fallback_seen": False,
        **changes,
    }


def event(**changes: object) -> dict[str, Any]:
    return {
        "event_id": "e",
        "mission_id": "vp-mission-1",
        "vp_id": "vp.coder.primary",
        "event_type": "vp.mission.dispatched",
        "payload": None,
        "created_at": "2026-11-23T01:34:34+00:00",
        **changes,
    }


def metrics(**changes: object) -> dict[str, Any]:
    return {
        "generated_at": "2026-11-23T01:34:35.953497+00:00",
        "vp_id": "vp.coder.primary",
        "session": None,
        "mission_counts": {},
        "event_counts": {},
        "fallback": {"missions_with_fallback": 0, "missions_considered": 0, "rate": 0.0},
        "latency_seconds": {"count": 0, "p95_seconds": None},
        "recent_missions": [],
        "recent_events": [],
        **changes,
    }


def parse(**changes: object) -> Snapshot:
    return wire.parse_metrics(json.dumps(metrics(**changes)).encode(), 500, 1000)


def session(**changes: object) -> dict[str, Any]:
    return {
        "session_id": "session_1",
        "status": "idle",
        "owner": "owner_primary",
        "source": "chat",
        "last_activity": "2026-11-22T19:34:35.946014",
        "active_connections": 0,
        "active_runs": 1,
        "last_event_seq": 22,
        **changes,
    }


def listing(*items: dict[str, Any], **changes: object) -> wire.SessionListing:
    answer = {"sessions": items, "total": 9, **changes}
    return wire.parse_ops_sessions(json.dumps(answer).encode())


@pytest.mark.parametrize(
    ("timestamp", "date", "dialect", "offset_s"),
    [
        ("2026-11-22T19:34:29.964770", DATE, "G1", -21_600),
        ("2026-11-23T01:34:29", DATE, "G1", 0),
        ("2026-11-23T01:34:29.964770+00:00", DATE, "G2", 0),
        ("2026-11-23T01:34:31Z", DATE, "G2", 2),
        ("2026-11-22T19:34:29-06:00", DATE, "G2", 0),
        ("2026-11-22T19:34:29", None, "G1", None),
        ("2026-11-22T19:34:29", "yesterday", "G1", None),
    ],
)
def test_the_stamp_of_health_tells_generation_and_zone(
    timestamp: str, date: str | None, dialect: str, offset_s: float | None
) -> None:
    found = wire.parse_health(health(timestamp=timestamp), date)
    assert (found.dialect, found.clock_offset_s) == (dialect, offset_s)
    assert found.timestamp == timestamp


@pytest.mark.parametrize("timestamp", ["soon", "", 5, None, "0001-01-01T00:00:00+14:00"])
def test_health_without_a_stamp_is_unreadable(timestamp: object) -> None:
    with pytest.raises(Unreadable, match="timestamp"):
        wire.parse_health(health(timestamp=timestamp), DATE)


def test_health_of_g2_may_hold_more() -> None:
    found = wire.parse_health(health(runtime_path="/x", observability={"a": [1]}), DATE)
    assert (found.version, found.db_status, found.db_error) == (None, None, None)


@pytest.mark.parametrize(
    "stamp",
    ["2026-11-23T01:34:34+00:00", "2026-11-23T01:34:34", "2026-11-22T19:34:34-06:00"],
)
def test_mission_stamps_are_utc_however_they_are_sent(stamp: str) -> None:
    (found,) = parse(recent_missions=[mission(started_at=stamp)]).missions
    assert found.started_at == datetime(2026, 11, 23, 1, 34, 34, tzinfo=UTC)
    assert found.started_at.tzinfo is UTC


def test_a_lane_of_g2_tells_why_it_is_stale() -> None:
    row = {
        "session_id": "s",
        "workspace_dir": "/srv/vp_coder_primary",
        "status": "active",
        "stale": True,
        "stale_reason": "heartbeat_timeout",
        "effective_status": "stale",
    }
    lane = parse(session=row).lane
    assert lane is not None
    assert (lane.status, lane.stale_reason, lane.log_id) == (
        "active", "heartbeat_timeout", "vp_coder_primary",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "cancelled"),
    [
        ({"cancelled": True, "failed_before_fallback": True}, True),
        ({"reason": "stale_running_reconciled"}, True),
        ({"cancelled": False}, False),
        ({"reason": ["odd"]}, False),
        (None, False),
        ("text", False),
        ([1, 2], False),
    ],
)
def test_a_payload_of_any_json_may_say_cancelled(payload: object, *, cancelled: bool) -> None:
    (found,) = parse(recent_events=[event(payload=payload)]).events
    assert found.cancelled is cancelled
    assert found.was_clean is (payload == {"cancelled": True, "failed_before_fallback": True})


def test_unknown_words_pass() -> None:
    found = parse(
        recent_missions=[mission(status="queued", new=1)],
        recent_events=[event(event_type="vp.dispatch.held")],
        mission_counts={"queued": 1},
        shiny={"new": True},
    )
    assert found.missions[0].status == "queued"
    assert found.events[0].event_type == "vp.dispatch.held"


def test_outside_text_is_made_safe() -> None:
    found = parse(
        recent_missions=[mission(objective="a\x1b[31m\n b" + "x" * 9_000)],
        mission_counts={"run\x07ning": 1},
    )
    assert found.missions[0].objective.startswith("a␛[31m bxx")
    assert len(found.missions[0].objective) == PROSE_LIMIT
    assert found.mission_counts == {"run␇ning": 1}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"recent_missions": None}, "recent_missions:"),
        ({"recent_missions": 2 * [mission(mission_id=7)]}, "recent_missions[0].mission_id:"),
        ({"recent_missions": 2 * [mission(started_at="soon")]}, "recent_missions[0].started_at:"),
        ({"recent_events": {}}, "recent_events:"),
        ({"mission_counts": {"running": "3", "failed": None}}, "mission_counts.running:"),
        ({"mission_counts": {"\x1b": None, "failed": None}}, "mission_counts.␛:"),
        ({"generated_at": None}, "generated_at:"),
        ({"fallback": {"rate": "high"}}, "fallback.missions_with_fallback: field required"),
    ],
)
def test_a_meaningless_answer_names_the_place(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(**changes)
    reason = caught.value.failure.reason
    assert f"unreadable metrics answer: {place}" in reason
    assert literal(reason) == reason


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html><body>Bad gateway</body></html>", "a web page, not JSON"),
        (b'{"generated_at": "2026', "invalid JSON: EOF"),
        (b"", "invalid JSON: EOF"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'{"vp_id": "\xff"}', "invalid JSON"),
        (json.dumps(metrics(fallback={"rate": float("nan")})).encode(), "fallback"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_what_is_no_answer_says_why(body: bytes, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        wire.parse_metrics(body, 500, 1000)
    assert why in caught.value.failure.reason


def test_metrics_of_the_dashboard_are_unwrapped() -> None:
    body = json.dumps({"status": "ok", "metrics": metrics()}).encode()
    assert wire.parse_dashboard_metrics(body, 500, 1000) == parse()


def test_a_dashboard_without_metrics_says_why() -> None:
    body = b'{"status": "unavailable", "detail": "Runtime DB not\\ninitialized", "metrics": null}'
    with pytest.raises(ServerFailed) as caught:
        wire.parse_dashboard_metrics(body, 500, 1000)
    reason = caught.value.failure.reason
    assert reason == "dashboard metrics unavailable: Runtime DB not initialized"


def test_a_session_without_runtime_data_is_not_in_memory() -> None:
    (found,) = listing({"session_id": "s", "status": "active", "active_runs": None}).sessions
    assert not found.in_memory
    assert (found.owner, found.source) == ("unknown", "unknown")


def test_the_listing_keeps_order_and_total() -> None:
    found = listing(session(session_id="b"), session(session_id="a", has_checkpoint=True))
    assert [s.session_id for s in found.sessions] == ["b", "a"]
    assert found.total == 9
    assert listing(session(), total=None).total == 1


def test_the_session_plane_holds_the_items_in_metadata() -> None:
    outer = {"session_id": "session_1", "workspace_dir": "/w", "status": "x", "user_id": "o"}
    plain = {**outer, "session_id": "two\x07"}
    body = json.dumps({"sessions": [{**outer, "metadata": session()}, plain]}).encode()
    first, second = wire.parse_session_listing(body).sessions
    assert first == listing(session()).sessions[0]
    assert (second.session_id, second.owner, second.in_memory) == ("two␇", "o", False)


def test_a_fault_in_metadata_is_named() -> None:
    item = {"session_id": "s", "metadata": session(active_runs="1")}
    with pytest.raises(Unreadable, match=r"sessions\[0\].active_runs"):
        wire.parse_session_listing(json.dumps({"sessions": 2 * [item]}).encode())


def test_continuity_needs_the_boot_only() -> None:
    body = {
        "metrics": {
            "started_at": "2026-11-22T20:15:00.786033",
            "transport_status": "degraded",
            "runtime_status": "ok",
            "ws_attach_failures": 4,
            "alerts": [{"code": "attach_failures_high", "severity": "warning", "message": "m"}],
        }
    }
    found = wire.parse_continuity(json.dumps(body).encode())
    assert (found.transport_status, found.attach_failures) == ("degraded", 4)
    assert [alert.code for alert in found.alerts] == ["attach_failures_high"]


def test_log_lines_stay_raw() -> None:
    body = {"file": "/r\x1b", "cursor": 4, "size": 4, "lines": ["\x1b[2J\r"]}
    found = wire.parse_tail(json.dumps({**body, "truncated": False, "reset": True}).encode())
    assert (found.file, found.lines, found.reset) == ("/r␛", ("\x1b[2J\r",), True)


PARSERS: list[Callable[[bytes], object]] = [
    lambda body: wire.parse_health(body, DATE),
    lambda body: wire.parse_metrics(body, 1, 1),
    lambda body: wire.parse_dashboard_metrics(body, 1, 1),
    wire.parse_ops_sessions,
    wire.parse_session_listing,
    wire.parse_continuity,
    wire.parse_tail,
    lambda body: wire.parse_claims(body, "vp.coder.primary", datetime.now(UTC)),
    wire.parse_created,
    lambda body: wire.parse_cancel(body, 0.1),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "sessions",
                    "metadata",
                    "metrics",
                    "status",
                    "timestamp",
                    "lines",
                    "missions",
                    "mission_id",
                    "session_id",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(PARSERS), JSON.map(json.dumps).map(str.encode) | st.binary())
def test_any_body_is_read_or_refused(parser: Callable[[bytes], object], body: bytes) -> None:
    with suppress(GatewayError):
        parser(body)
