from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vp_tui.domain.models import Frame
from vp_tui.domain.text import literal
from vp_tui.gateway.frames import QUERY_LIMIT, TEXT_LIMIT, parse_frame


def frame(kind: str, **data: object) -> Frame:
    return parse_frame(json.dumps({"type": kind, "data": data, "timestamp": "…"}).encode())


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("tool_call", {"name": "Bash", "input": {"command": "pytest -q"}}, "Bash pytest -q"),
        ("tool_call", {"name": "Edit", "input": {"n": 1, "path": "src/x.py"}}, "Edit src/x.py"),
        ("tool_call", {"name": "Odd", "input": {"n": 1, "what": "this"}}, "Odd this"),
        ("tool_call", {"name": "Raw", "input": "text"}, "Raw text"),
        ("tool_call", {"input": None}, "tool"),
        ("tool_result", {"is_error": False, "content_size": 812}, "ok 812 B"),
        (
            "tool_result",
            {"is_error": True, "content_size": 81200, "content_preview": "no\nsuch"},
            "ERROR 81,200 B no such",
        ),
        ("tool_result", {}, "ok"),
        (
            "status",
            {"routing": "coder_vp_fallback", "vp_mission_id": "vp-mission-0123456789abcdef"},
            "coder_vp_fallback abcdef",
        ),
        (
            "status",
            {"routing": "coder_vp_bootstrap_fallback", "error": "boom"},
            "coder_vp_bootstrap_fallback: boom",
        ),
        (
            "status",
            {
                "routing": "coder_vp_fallback",
                "vp_mission_id": "vp-mission-0123456789abcdef",
                "error": "vp-mission-0123456789abcdef broke",
            },
            "coder_vp_fallback: vp-mission-0123456789abcdef broke",
        ),
        ("status", {"status": "processing", "query": "fix\n it"}, "processing: fix it"),
        ("status", {"status": "tools_complete", "tool_count": 3}, "tools_complete, 3 tools"),
        ("status", {"status": "turn_cancelled", "message": "Done."}, "turn_cancelled: Done."),
        ("status", {"level": "INFO"}, "level=INFO"),
        ("thinking", {"thinking": "I\n should"}, "I should"),
        ("text", {"text": "Step 1"}, "Step 1"),
        ("error", {"message": "it broke"}, "it broke"),
        ("error", {"code": 7}, "code=7"),
        ("query_complete", {"turn_id": "t"}, "turn done"),
        ("query_complete", {"cancelled": True}, "turn cancelled"),
        ("query_complete", {"completed": False}, "turn ended, not completed"),
        (
            "system_event",
            {"payload": {"title": "Mission Completed", "message": "well"}},
            "Mission Completed: well",
        ),
        ("system_event", {"event_id": "e"}, "event_id=e"),
        (
            "iteration_end",
            {"status": "complete", "duration_seconds": 4.16, "tool_calls": 3},
            "complete 4.2 s, 3 tools",
        ),
        ("work_product", {"path": "report.html"}, "report.html"),
        ("input_required", {"question": "which?"}, "which?"),
        ("cancelled", {"reason": "stuck"}, "run cancelled: stuck"),
        ("connected", {"session_id": "s1"}, "attached to s1"),
        ("session_info", {"session_id": "vp_coder_primary"}, "vp_coder_primary"),
        ("pong", {}, "pong"),
        ("new", {"a": 1, "b": 0.5, "c": True, "d": [1], "e": None}, "a=1 b=0.5 c=yes"),
    ],
)
def test_each_kind_has_one_line(kind: str, data: dict[str, Any], text: str) -> None:
    assert frame(kind, **data).text == text


def test_the_fields_of_a_routing_frame() -> None:
    found = frame(
        "status", status="Delegated.", routing="delegated_to_coder_vp", vp_mission_id="m-1"
    )
    assert (found.status, found.routing, found.mission_id) == (
        "Delegated.", "delegated_to_coder_vp", "m-1",
    )  # fmt: skip


def test_the_fields_of_tool_frames() -> None:
    call = frame("tool_call", name="Bash", id="toolu_1", input={})
    assert (call.tool, call.tool_use_id) == ("Bash", "toolu_1")
    result = frame("tool_result", tool_use_id="toolu_1", is_error=True)
    assert (result.tool_use_id, result.is_error) == ("toolu_1", True)


def test_the_kind_of_a_notification_is_its_status() -> None:
    notice = {"kind": "assistance_needed", "severity": "error"}
    found = frame("system_event", type="notification", payload=notice)
    assert (found.status, found.is_error) == ("assistance_needed", True)


def test_a_reattach_of_g2_names_the_turn() -> None:
    found = frame("status", status="processing", turn_id="turn_1", message="Reattached.")
    assert (found.turn_id, found.query, found.text) == (
        "turn_1", None, "processing: Reattached.",
    )  # fmt: skip


def test_a_prompt_is_folded_and_bounded() -> None:
    query = frame("status", status="processing", query="write\n code " * 4_000).query
    assert query is not None
    assert query.startswith("write code write")
    assert len(query) == QUERY_LIMIT


def test_of_a_huge_frame_only_a_line_is_kept() -> None:
    raw = json.dumps({"type": "text", "data": {"text": "x" * 2_000_000}}).encode()
    found = parse_frame(raw)
    assert (found.size, len(found.text)) == (len(raw), TEXT_LIMIT)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not an object"),
        (b'{"data": {}}', "an object without a type"),
        (b'{"type": 7}', "an object without a type"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not"),
    ],
)
def test_what_is_no_frame_is_an_unreadable_one(raw: bytes, text: str) -> None:
    found = parse_frame(raw)
    assert (found.kind, found.is_error, found.size) == ("unreadable", True, len(raw))
    assert found.text.startswith(text)


def test_a_lone_surrogate_spoils_nothing() -> None:
    assert (
        parse_frame(b'{"type": "text", "data": {"text": "a\\ud800"}}').text == "a\u2039U+D800\u203a"
    )


@pytest.mark.parametrize("data", ["text", 3, [1], None, True])
def test_data_of_any_type_passes(data: object) -> None:
    assert parse_frame(json.dumps({"type": "odd", "data": data})).kind == "odd"


KINDS = st.sampled_from(
    ["status", "tool_call", "tool_result", "system_event", "query_complete", "iteration_end"]
)
KEYS = st.sampled_from(
    [
        "status", "routing", "vp_mission_id", "query", "error", "message", "input", "name", "id",
        "payload", "title", "kind", "is_error", "content_size", "content_preview", "tool_count",
        "duration_seconds", "tool_calls", "cancelled",
    ]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(KINDS | st.text(max_size=10), st.dictionaries(KEYS | st.text(max_size=5), JSON, max_size=6))
@example("error", {"message": "\x1b]0;title\x07\u202e\ue000\ufe0f"})
@example("iteration_end", {"duration_seconds": float("nan"), "tool_calls": 10**400})
def test_any_object_gives_clean_short_lines(kind: str, data: dict[str, Any]) -> None:
    found = parse_frame(json.dumps({"type": kind, "data": data}))
    texts = [value for value in (getattr(found, name) for name in Frame._fields) if value]
    assert all(literal(text) == text for text in texts if isinstance(text, str))
    assert 0 < len(found.text) <= TEXT_LIMIT


@given(st.binary() | st.text())
def test_nothing_raises(raw: bytes | str) -> None:
    assert parse_frame(raw).text
