"""Odd values in each field of an answer: each costs itself or its item, and never raises a bug."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from tests.support import builders

from vp_tui.domain.events import ContinuityArrived, HealthArrived
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.gateway.errors import Unreadable
from vp_tui.gateway.frames import UNREADABLE, parse_frame
from vp_tui.gateway.parsing import (
    parse_cancel,
    parse_claims,
    parse_continuity,
    parse_health,
    parse_ops_sessions,
    parse_session_listing,
    parse_tail,
)
from vp_tui.gateway.payloads import as_utc
from vp_tui.ui.lines.header import header_lines
from vp_tui.views.assessment import assess
from vp_tui.views.status import status_object
from vp_tui.views.troubles import troubles
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LANE: Final = "vp.coder.primary"
STAMP: Final = "2026-11-28T01:00:00+00:00"
HUGE: Final = "9" * 401
ODD: Final = (
    *("null", "true", "-1", "1.5", HUGE, f"-{HUGE}", "1e400", "NaN", "Infinity", '"9"'),
    *('""', '"\\u001b[2J\\u0000"', json.dumps("[/x]" * 20_000), "[]", "{}", '[null,7,{"a":[]}]'),
    *("[" * 60 + "]" * 60, '{"code":7,"message":[]}', '"0001-01-01T00:00:00+14:00"'),
    *('"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00"', '"9999-12-31T23:59:59.999999"'),
)
"""As JSON, which has no name for some of them."""
NO_JSON: Final = ('"\\ud800"', "9" * 5_000, "[" * 3_000 + "]" * 3_000)
"""What nobody reads: it costs the answer wherever it is."""

Place = tuple[str | int, ...]


def session(session_id: str) -> dict[str, Any]:
    texts = dict.fromkeys(("owner", "source", "description", "last_activity"), "text")
    counts = dict.fromkeys(("active_connections", "active_runs", "last_event_seq"), 1)
    more = {"terminal_reason": None, "has_run_log": True}
    return {"session_id": session_id, "status": "idle", **texts, **counts, **more}


def of_plane(session_id: str) -> dict[str, Any]:
    return {"session_id": session_id, "user_id": "ana", "metadata": session(session_id)}


def claim(mission_id: str) -> dict[str, Any]:
    payload = {"source_session_id": "session_a"}
    told = {"mission_id": mission_id, "vp_id": LANE, "claim_expires_at": STAMP}
    return {**told, "payload": payload}


class Answer(NamedTuple):
    """A whole answer and its parser."""

    body: dict[str, Any]
    parse: Callable[[bytes], object]
    core: set[str]
    """Fields without which there is no answer; all others cost themselves or their item."""
    items: Callable[[Any], list[str]] | None = None


CONTINUITY: Final = {
    "started_at": STAMP,
    "transport_status": "ok",
    "runtime_status": "ok",
    "alerts": [{"code": "c", "severity": "s", "message": "m"}],
    "ws_attach_failures": 1,
}
TAIL: Final = {"file": "run.log", "size": 9, "truncated": False, "reset": False}
CANCEL: Final = {"session_id": "s", "reason": "r", "run_id": "r", "task_cancelled": True}
ANSWERS: Final = {
    "sessions": Answer(
        {"sessions": [session("a"), session("b")], "total": 2},
        parse_ops_sessions,
        {"sessions"},
        lambda told: [each.session_id for each in told.sessions],
    ),
    "session plane": Answer(
        {"sessions": [of_plane("a"), of_plane("b")]},
        parse_session_listing,
        {"sessions"},
        lambda told: [each.session_id for each in told.sessions],
    ),
    "claims": Answer(
        {"missions": [claim("a"), claim("b")]},
        lambda raw: parse_claims(raw, LANE, builders.NOW),
        {"missions"},
        lambda told: list(told.missions),
    ),
    "health": Answer(
        {"status": "healthy", "timestamp": STAMP, "version": "1", "db_status": "", "db_error": ""},
        lambda raw: parse_health(raw, "Fri, 27 Nov 2026 07:42:10 GMT"),
        {"timestamp"},
    ),
    "continuity": Answer({"metrics": CONTINUITY}, parse_continuity, {"metrics", "started_at"}),
    "log": Answer({**TAIL, "lines": ["a", "b"]}, parse_tail, {*TAIL, "lines"}),
    "cancel": Answer(CANCEL, lambda raw: parse_cancel(raw, 1.0), {"session_id", "task_cancelled"}),
}


def places(told: object, at: Place = ()) -> Iterator[Place]:
    """Yield the place of each value in an answer, and of each item of its lists."""
    if at:
        yield at
    if isinstance(told, dict):
        for name, value in told.items():
            yield from places(value, (*at, name))
    elif isinstance(told, list):
        for place, value in enumerate(told):
            yield from places(value, (*at, place))


def with_odd(body: dict[str, Any], at: Place, odd: str) -> bytes:
    """Return an answer with `odd` at a place."""
    changed: Any = deepcopy(body)
    item = changed
    for name in at[:-1]:
        item = item[name]
    item[at[-1]] = "@"
    return json.dumps(changed).replace('"@"', odd).encode()


@pytest.mark.parametrize("name", ANSWERS)
def test_an_odd_value_costs_itself_or_its_item_and_never_the_source(name: str) -> None:
    answer = ANSWERS[name]
    refused: Counter[str | int] = Counter()
    for at in places(answer.body):
        for odd in ODD:
            try:
                told = answer.parse(with_odd(answer.body, at, odd))
            except Unreadable:
                refused[at[-1]] += 1
                continue
            if answer.items is not None and isinstance(place := at[1 % len(at)], int):
                assert "ba"[place] in answer.items(told), (at, odd)
        for odd in NO_JSON:
            with pytest.raises(Unreadable):
                answer.parse(with_odd(answer.body, at, odd))
    assert set(refused) == answer.core


DATA: Final = {
    **dict.fromkeys(("status", "query", "message", "name", "id", "path", "text", "thinking"), "x"),
    **dict.fromkeys(("routing", "vp_mission_id", "error", "reason", "turn_id", "question"), "x"),
    **dict.fromkeys(("content_preview", "session_id", "kind", "tool_use_id", "source"), "x"),
    **dict.fromkeys(("tool_count", "content_size", "duration_seconds", "tool_calls"), 1),
    "is_error": True,
    "completed": True,
    "cancelled": False,
    "input": {"command": "x"},
    "payload": {"title": "t", "message": "m", "kind": "k", "severity": "error"},
}


@pytest.mark.parametrize(
    "kind",
    [
        *("cancelled", "connected", "error", "input_required", "iteration_end", "query_complete"),
        *("session_info", "status", "system_event", "text", "thinking", "tool_call"),
        *("tool_result", "work_product", "of no kind that is known"),
    ],
)
def test_a_frame_with_an_odd_value_is_a_frame_of_its_kind(kind: str) -> None:
    body = {"type": kind, "data": DATA}
    for at in places(body):
        for odd in ODD:
            frame = parse_frame(with_odd(body, at, odd))
            assert at == ("type",) or frame.kind == kind, (at, odd)
            assert len(frame.text) <= 300
            assert "\x1b" not in f"{frame}"
        for odd in NO_JSON[1:]:
            assert parse_frame(with_odd(body, at, odd)).kind == UNREADABLE


def test_a_total_that_is_no_number_leaves_the_list_open() -> None:
    body = ANSWERS["sessions"].body
    for odd in ('"2"', "true", "[]", "{}", "1.5", "NaN", HUGE):
        assert parse_ops_sessions(with_odd(body, ("total",), odd)).total > 2


def test_a_health_that_cannot_be_read_is_told_and_not_blamed_on_the_database() -> None:
    body = {**ANSWERS["health"].body, "db_status": "connected"}
    health = parse_health(with_odd(body, ("status",), "7"), None)
    view = View(builders.state(HealthArrived(0.0, health)), 1.0)
    (reason,) = [found.reason for found in troubles(view) if found.what == "gateway unhealthy"]
    assert reason == "its status is unreadable"


@pytest.mark.parametrize("name", ["transport_status", "runtime_status", "alerts"])
def test_what_the_suites_gate_judges_is_bad_where_it_cannot_be_read(name: str) -> None:
    good = {"metrics": {**CONTINUITY, "alerts": []}}
    for raw, verdict in (
        (json.dumps(good).encode(), Verdict.INCONCLUSIVE),
        (with_odd(good, ("metrics", name), "7"), Verdict.FAIL),
    ):
        arrived = ContinuityArrived(0.0, parse_continuity(raw))
        gates = assess(View(builders.state(builders.healthy(), arrived), 1.0)).gates
        assert gates.by_name()["G4"].verdict is verdict


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"])
def test_metrics_of_the_first_and_the_last_year_are_shown(stamp: str) -> None:
    told = builders.snapshot()._replace(generated_at=as_utc(datetime.fromisoformat(stamp)))
    taken = (builders.healthy(), builders.booted(), builders.polled(told), builders.listing())
    view = View(builders.state(*taken), 1.0)
    lines = header_lines(view, 120, frozen_for=None, safety=())
    assert any("up " in text for line in lines for text, _tone in line)
    assert json.dumps(status_object(view))
