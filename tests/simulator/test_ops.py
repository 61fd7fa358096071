"""Quirks of the ops plane that no recording shows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.simulator.conftest import Bench

OPS = {"x-ua-ops-token": "ops-secret"}
SESSIONS = "/api/v1/ops/sessions"


async def listed(bench: Bench, query: str) -> list[str]:
    return [item["session_id"] for item in (await bench.get(f"{SESSIONS}?{query}"))["sessions"]]


async def test_limits_slice_as_python_does_and_filters_match(bench: Bench) -> None:
    made = [await bench.create() for _ in range(3)]
    bench.driver.write_log("tg_42", "hello\n")
    bench.driver.execute(made[0], "Please write code @fake:hang")
    await bench.eventually(lambda: bool(bench.driver.gateway.ledger.missions))
    everything = await listed(bench, "")
    assert await listed(bench, "limit=-1") == everything[:-1]
    assert await listed(bench, "limit=2&offset=1") == everything[1:3]
    for status in ("active", "running"):
        assert await listed(bench, f"status={status}") == [made[0]]
    assert await listed(bench, "status=nonsense") == []
    assert await listed(bench, "source=telegram") == ["tg_42"]
    assert set(await listed(bench, "owner=owner_primary")) == set(made)
    assert await listed(bench, "memory_mode=other") == []


async def test_listing_orders_by_what_was_made_or_finished_last(bench: Bench) -> None:
    first, second = await bench.create(), await bench.create()
    assert await listed(bench, "") == [second, first]
    await bench.run("Tell me a story @fake:mission secs=1", first)
    assert await listed(bench, "") == [first, second]


INVALID_BODIES = {
    "": "missing",
    "null": "missing",
    "{": "json_invalid",
    "5": "model_attributes_type",
    '{"reason": 5}': "string_type",
}


@pytest.mark.asyncio(loop_scope="module")
async def test_bodies_are_checked_before_tokens(read_bench: Bench) -> None:
    for body, kind in INVALID_BODIES.items():
        answer = await read_bench.client.post(f"{SESSIONS}/x/cancel", content=body)
        assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, kind)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_of_another_content_type_was_taken_for_json(read_bench: Bench) -> None:
    url = f"{SESSIONS}/x/cancel"
    headers = {**OPS, "content-type": "text/plain"}
    answer = await read_bench.client.post(url, content="{}", headers=headers)
    (error,) = answer.json()["detail"]
    assert (answer.status_code, error["type"], error["input"]) == (
        422, "model_attributes_type", "{}",
    )  # fmt: skip
    answer = await read_bench.client.post(url, content=b'{"a":"\xff"}', headers=OPS)
    assert answer.status_code == 400
    assert answer.json() == {"detail": "There was an error parsing the body"}


@pytest.mark.asyncio(loop_scope="module")
async def test_methods_that_are_not_there_were_answered(read_bench: Bench) -> None:
    for method in ("HEAD", "DELETE"):
        answer = await read_bench.client.request(method, "/api/v1/health", headers=OPS)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json() == {"detail": "Method Not Allowed"}


@pytest.mark.asyncio(loop_scope="module")
async def test_strange_ids_in_the_path(read_bench: Bench) -> None:
    for path, status_code in ((f"{SESSIONS}/-x", 400), (f"{SESSIONS}/a%2Fb", 404)):
        answer = await read_bench.client.get(path, headers=OPS)
        assert answer.status_code == status_code
    assert answer.json() == {"detail": "Not Found"}
    twice = await read_bench.client.post(f"{SESSIONS}//cancel", headers=OPS, json={})
    assert twice.status_code == 404


async def test_cancelling_what_does_not_run_is_told_to_its_viewers_too(bench: Bench) -> None:
    bench.driver.write_log("vp_coder_primary", "line\n")
    for session_id in (await bench.create(), "vp_coder_primary"):
        before = (await bench.session(session_id))["last_event_seq"]
        assert (await bench.cancel(session_id, "  "))["task_cancelled"] is False
        assert (await bench.session(session_id))["last_event_seq"] == before + 2


async def test_the_bulk_cancel_takes_running_and_queued_sessions(bench: Bench) -> None:
    *running, _idle = [await bench.create() for _ in range(3)]
    for session_id in running:
        bench.driver.execute(session_id, f"Please write code {session_id} @fake:hang")
    await bench.eventually(lambda: bool(bench.driver.gateway.ledger.missions))
    answer = await bench.client.post(f"{SESSIONS}/cancel", headers=OPS, json={})
    assert answer.json() == {
        "status": "cancel_requested",
        "reason": "Cancelled from ops panel",
        "sessions_considered": 2,
        "sessions_cancelled": running,
    }
    assert await listed(bench, "status=running") == []


MARKERS = {"input_required": "input_required", "drip secs=4": "text", "unknown": "iteration_end"}


async def test_other_markers(bench: Bench) -> None:
    for marker, shown in MARKERS.items():
        async with bench.attached(await bench.create()) as viewer:
            await viewer.send("execute", user_input=f"Please write code @fake:{marker}")
            await viewer.until(shown)
            await viewer.send("input_response", input_id="x", text="staging")
            await viewer.send("cancel", reason="enough")
            await viewer.until("cancelled", reason="enough")


async def test_failed_attaches_raise_an_alert(bench: Bench) -> None:
    for _ in range(3):
        async with bench.attached("session_nope") as viewer, asyncio.timeout(PATIENCE_S):
            await viewer.socket.wait_closed()
    metrics: dict[str, Any] = (await bench.get("/api/v1/ops/metrics/session-continuity"))["metrics"]
    codes = [alert["code"] for alert in metrics["alerts"]]
    assert codes == ["resume_failures_high", "attach_failures_high"]
    assert metrics["transport_status"] == "degraded"
    assert metrics["window"]["attach_success_rate"] == 0.0
