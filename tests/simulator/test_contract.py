"""The embedded gateway answers as the recorded one did, to the order of the keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.conftest import Bench, BenchMaker, Recording

    Load = Callable[[str], Recording]
    AsText = Callable[..., str]

MATRIX = Path(__file__).parents[1] / "wire" / "a10_auth_matrix.json"
PATHS = {
    "ops": "/api/v1/ops/sessions",
    "opsmetrics": "/api/v1/ops/metrics/coder-vp",
    "session": "/api/v1/sessions",
    "dashboard": "/api/v1/dashboard/metrics/coder-vp",
    "health": "/api/v1/health",
}
OPS_HEADER, INTERNAL_HEADER = "x-ua-ops-token", "x-ua-internal-token"
HEADERS = {
    "none": {},
    "wrong_ops": {OPS_HEADER: "wrong"},
    "ops_hdr_ops": {OPS_HEADER: "ops-secret"},
    "bearer_ops": {"authorization": "Bearer ops-secret"},
    "bearer_internal": {"authorization": "Bearer internal-secret"},
    "int_hdr_internal": {INTERNAL_HEADER: "internal-secret"},
    "ops_hdr_internal": {OPS_HEADER: "internal-secret"},
    "both_proper": {OPS_HEADER: "ops-secret", INTERNAL_HEADER: "internal-secret"},
    "bearer_internal_plus_ops_hdr": {
        "authorization": "Bearer internal-secret",
        OPS_HEADER: "ops-secret",
    },
    "bearer_ops_plus_int_hdr": {
        "authorization": "Bearer ops-secret",
        INTERNAL_HEADER: "internal-secret",
    },
}


async def check(bench: Bench, recording: Recording, as_text: AsText, **replaced: str) -> None:
    answer = await bench.ask(recording, **replaced)
    assert answer.status_code == recording.status_code
    assert as_text(answer.json(), bench.driver.workspaces) == as_text(recording.body)


FRESH = "a01 a02 a03 a04 a05 a06 a07 a10_401_ops a10_401_session a11b b09 d12"


async def test_a_fresh_gateway(bench: Bench, recorded: Load, as_text: AsText) -> None:
    for name in FRESH.split():
        await check(bench, recorded(name), as_text)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_auth_matrix(read_bench: Bench) -> None:
    matrix: dict[str, list[Any]] = json.loads(MATRIX.read_text(encoding="utf-8"))
    answers = {}
    for case in matrix:
        plane, headers = case.split(" / ")
        response = await read_bench.client.get(PATHS[plane], headers=HEADERS[headers])
        ok = response.status_code == 200
        answers[case] = [response.status_code, "ok" if ok else response.json()]
    assert answers == matrix


@pytest.mark.parametrize(
    ("tokens", "ops", "session"),
    [
        ({"ops_token": None, "internal_token": None}, 200, 200),
        ({"ops_token": None, "internal_token": "internal-secret"}, 200, 401),
        ({"ops_token": "ops-secret", "internal_token": None}, 401, 401),
    ],
)
async def test_a_plane_without_a_token(
    make_bench: BenchMaker, tokens: dict[str, str | None], ops: int, session: int
) -> None:
    async with make_bench(**tokens) as bench:
        assert (await bench.client.get(PATHS["ops"])).status_code == ops
        assert (await bench.client.get(PATHS["session"])).status_code == session
        if tokens["internal_token"] is None:
            headers = {OPS_HEADER: "ops-secret"}
            assert (await bench.client.get(PATHS["session"], headers=headers)).status_code == 200


async def test_two_missions_and_an_empty_session(
    bench: Bench, recorded: Load, as_text: AsText
) -> None:
    first = await bench.run("Please implement the parser code @fake:mission secs=4")
    await bench.run("Please write code to refactor it @fake:mission secs=1")
    creation = recorded("b03")
    answer = await bench.client.post("/api/v1/sessions", headers=creation.headers, json={})
    assert as_text(answer.json(), bench.driver.workspaces) == as_text(creation.body)
    for name in ("b04", "b05", "b06", "b07", "b11"):
        await check(bench, recorded(name), as_text)
    await check(bench, recorded("b08"), as_text, session_20261122_193429_4556ec26=first)


async def replay(bench: Bench, missions: list[dict[str, Any]], done: int = 0) -> str:
    """Bring about recorded missions after the first `done`; returns the last one's session.

    What runs is cancelled before, and the last mission is left running if the recording says so.
    """
    session_id = ""
    rows = bench.driver.gateway.ledger.missions
    for running in [s for s in bench.driver.gateway.sessions.values() if s.active_runs]:
        await bench.driver.cancel(running.session_id, "stuck")
    for number, mission in enumerate(missions[done:], done + 1):
        session_id = await bench.create()
        turn = bench.driver.execute(session_id, mission["objective"])
        await bench.eventually(lambda: len(rows) == number)  # noqa: B023 - awaited at once
        last = number == len(missions)
        if last and mission["status"] == "running":
            break
        if "hang" in mission["objective"] or "orphan" in mission["objective"]:
            await bench.driver.cancel(session_id, "stuck")
        await turn.ended.wait()
    return session_id


async def test_metrics_of_all_kinds_of_missions(
    bench: Bench, recorded: Load, as_text: AsText
) -> None:
    done, events = 0, bench.driver.gateway.ledger.events
    for name in ("c02", "c05", "c07", "c13", "d02", "d09"):
        recording = recorded(name)
        missions = recording.body["recent_missions"][::-1]
        await replay(bench, missions, done)
        done, known = len(missions), len(recording.body["recent_events"])
        await bench.eventually(lambda: len(events) == known)  # noqa: B023 - awaited at once
        await check(bench, recording, as_text)


async def test_rows_that_a_restart_left_running(
    bench: Bench, recorded: Load, as_text: AsText
) -> None:
    recording = recorded("i01")
    missions = recording.body["recent_missions"][::-1]
    session_id = await replay(bench, missions)
    before = await bench.get("/api/v1/ops/metrics/session-continuity")
    await bench.driver.restart()
    await check(bench, recording, as_text)
    after = await bench.get("/api/v1/ops/metrics/session-continuity")
    assert after["metrics"]["started_at"] > before["metrics"]["started_at"]
    recorded_id = {"session_20261122_193634_6e554490": session_id}
    await check(bench, recorded("i02"), as_text, **recorded_id)
    async with bench.attached(session_id) as viewer:
        await viewer.until("connected")
    await bench.eventually(lambda: not bench.driver.gateway.sessions[session_id].sockets)
    await check(bench, recorded("i04"), as_text, **recorded_id)


async def test_a_bootstrap_failure_makes_no_mission(
    bench: Bench, recorded: Load, as_text: AsText
) -> None:
    bench.driver.break_lane("vp adapter initialize failure")
    await bench.run("Please write code @fake:mission secs=1")
    await check(bench, recorded("p05"), as_text)


async def test_the_blind_spot(bench: Bench, recorded: Load, as_text: AsText) -> None:
    session_id = await bench.create()
    for number in range(110):
        turn = bench.driver.execute(session_id, f"Please write code {number} @fake:notrace")
        await turn.ended.wait()
    await bench.run("Please fix this bug in code @fake:vp_error secs=1")
    for name in ("q01_blindspot_default", "q01_blindspot_1000"):
        await check(bench, recorded(name), as_text)


@pytest.mark.asyncio(loop_scope="module")
async def test_session_continuity(read_bench: Bench, recorded: Load, as_text: AsText) -> None:
    await check(read_bench, recorded("k01"), as_text)


async def test_cancels(bench: Bench, recorded: Load, as_text: AsText) -> None:
    session_id = await bench.create()
    for name, status_code in (("d08", 200), ("d11", 200)):
        if name == "d08":
            bench.driver.execute(session_id, "Please implement code that hangs @fake:hang")
            await bench.eventually(lambda: bool(bench.driver.gateway.ledger.missions))
        recording = recorded(name)
        answer = await bench.cancel(session_id, recording.body["reason"] if name == "d08" else None)
        assert as_text(answer) == as_text(recording.body)
        assert recording.status_code == status_code
    await check(bench, recorded("d16"), as_text, session_20261122_193458_043b78ea=session_id)


async def test_a_running_session(bench: Bench, recorded: Load, as_text: AsText) -> None:
    session_id = await bench.create()
    async with bench.attached(session_id) as viewer:
        await viewer.send("execute", user_input="Please implement code that hangs @fake:hang")
        await viewer.until("tool_call")
        replaced = {"session_20261122_193458_043b78ea": session_id}
        await check(bench, recorded("d03"), as_text, **replaced)
