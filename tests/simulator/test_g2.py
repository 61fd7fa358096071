"""As a G2 the embedded gateway answers as the recorded one did: the same keys, the same kinds."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.support.recorded import WIRE

from vp_tui.domain.runs.turns import is_coding_intent
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.simulator.database import CLAIM, STALE_AFTER
from vp_tui.simulator.options import SimClock
from vp_tui.simulator.sessions import SimSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.websockets import WebSocket
    from tests.simulator.conftest import Bench, BenchMaker

OPS = {"x-ua-ops-token": "ops-secret"}
INTERNAL = {"x-ua-internal-token": "internal-secret"}
FREE = {"runtime_tools", "metadata", "goal_satisfaction", "payload", "execution_runtime"}
"""What these hold is not compared."""
CODE = "Codie, please write code @fake:{} secs=1"


@pytest.fixture
async def g2(make_bench: BenchMaker) -> AsyncIterator[Bench]:
    async with make_bench(dialect="G2") as bench:
        yield bench


def kinds_of(value: object) -> object:
    """Return the keys and kinds of a value; of a list those of its first member."""
    match value:
        case dict():
            return {
                key: "free" if key in FREE else kinds_of(each)
                for key, each in sorted(value.items())
                if not key.endswith("_counts")
            }
        case list():
            return [kinds_of(each) for each in value[:1]]
        case str():
            is_stamp = len(value) > 19 and value[10] == "T" and value[4] == "-"
            return ("aware" if value.endswith("+00:00") else "naive") if is_stamp else "text"
        case int() | float():
            return "number"
    return value


def recorded(name: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(next((WIRE / "g2").glob(f"{name}*.json")).read_text())


def transcript(name: str) -> list[dict[str, Any]]:
    lines = next((WIRE / "g2").glob(f"{name}*.jsonl")).read_text().splitlines()
    return [line["msg"] for line in map(json.loads, lines) if "msg" in line]


async def check(bench: Bench, name: str, path: str | None = None) -> Any:  # noqa: ANN401
    recording = recorded(name)
    target = path or recording["request"].split(" ")[1]
    headers = OPS if recording["request_headers"] else {}
    answer = await bench.client.get(target, headers=headers)
    assert answer.status_code == recording["status_code"]
    assert kinds_of(answer.json()) == kinds_of(recording["body"])
    return answer.json()


@pytest.mark.parametrize("name", ["a01", "a02", "d01", "d02", "b07", "e02"])
async def test_a_fresh_gateway(g2: Bench, name: str) -> None:
    await check(g2, name)


async def test_listings_and_metrics_after_a_worker_has_done_a_mission(g2: Bench) -> None:
    session_id = await g2.run("Codie, please write code @fake:mission secs=1 external=1")
    missions = g2.driver.gateway.ledger.missions
    await g2.eventually(lambda: missions[0].status == "completed")
    await check(g2, "b06")
    await check(g2, "c01")
    await check(g2, "c04", f"/api/v1/ops/sessions/{session_id}")
    continuity = (await g2.get("/api/v1/ops/metrics/session-continuity"))["metrics"]
    assert kinds_of(continuity["started_at"]) == "aware"
    body = await g2.get("/api/v1/ops/vp/missions?vp_id=vp.coder.primary&limit=20")
    ours, theirs = body["missions"][0], recorded("b04")["body"]["missions"][-1]
    assert kinds_of({**ours, "worker_id": None}) == kinds_of(theirs)
    assert ours["payload"]["source_session_id"] == session_id
    metrics = await g2.get("/api/v1/ops/metrics/coder-vp")
    body = recorded("b01")["body"]
    done = {**body, "recent_missions": body["recent_missions"][-1:]}
    assert kinds_of(metrics) == kinds_of(done)
    told = [each["event_type"] for each in metrics["recent_events"]]
    assert told == ["vp.mission.dispatched", "vp.mission.started", "vp.mission.completed"]


@pytest.mark.parametrize(
    ("name", "kind", "data"),
    [("f01", "execute", {"text": "Write my diary"}), ("f02", "ping", {})],
)
async def test_what_it_answers_to_a_wrong_key_and_to_a_ping(
    g2: Bench, name: str, kind: str, data: dict[str, str]
) -> None:
    frames = transcript(name)
    async with g2.attached(await g2.create()) as viewer:
        await viewer.send(kind, **data)
        ours = await viewer.collect(len(frames))
    assert kinds_of({"all": ours[1:]}) == kinds_of({"all": frames[1:]})
    assert [kinds_of(f) for f in ours] == [kinds_of(f) for f in frames]


async def test_a_chat_turn_tells_the_wrappers_prompt(g2: Bench) -> None:
    theirs = transcript("f03")
    async with g2.attached(await g2.create()) as viewer:
        await viewer.run("Write my diary entry for today @fake:mission secs=2")
    ours = viewer.frames
    for kind in ("connected", "session_info", "iteration_end", "query_complete", "system_event"):
        mine, real = (next(f for f in frames if f["type"] == kind) for frames in (ours, theirs))
        assert kinds_of(mine) == kinds_of(real), kind
    (processing,) = (f for f in ours if f["data"].get("status") == "processing")
    assert not is_coding_intent(processing["data"]["query"], "G2")
    assert "diary" not in processing["data"]["query"]


async def test_a_viewer_that_comes_again_is_told_of_the_turn_under_way(g2: Bench) -> None:
    session_id, theirs = await g2.create(), transcript("f05")
    g2.driver.execute(session_id, "Write my diary @fake:hang")
    async with g2.attached(session_id) as viewer:
        await viewer.until("status", status="processing")
        answer = await g2.cancel(session_id, "stuck")
        await viewer.until("system_event")
    assert [kinds_of(f) for f in viewer.frames if f["type"] != "system_event"] == [
        kinds_of(f) for f in theirs if f["type"] != "system_event"
    ]
    assert kinds_of(answer) == kinds_of(recorded("g01")["body"])
    assert kinds_of(await g2.cancel(session_id)) == kinds_of(recorded("g02")["body"])


class Deaf:
    """A viewer's socket that takes nothing."""

    async def send_text(self, _text: str) -> None:
        await asyncio.Event().wait()


async def test_a_viewer_that_does_not_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vp_tui.simulator.sessions.SEND_TIMEOUT_S", 0.0)
    session = SimSession("session_a", "/w/session_a", SimClock(), "G2")
    session.sockets.append(cast("WebSocket", Deaf()))
    await session.broadcast("text", {})
    assert (session.sockets, session.last_event_seq) == ([], 1)


async def test_a_cancelled_mission_counts_as_fallen_back_and_failed(g2: Bench) -> None:
    session_id = await g2.create()
    turn = g2.driver.execute(session_id, CODE.format("hang"))
    ledger = g2.driver.gateway.ledger
    await g2.eventually(lambda: bool(ledger.missions))
    await g2.cancel(session_id)
    await turn.ended.wait()
    kinds = [event["event_type"] for event in ledger.events]
    assert kinds == ["vp.mission.dispatched", "vp.mission.fallback", "vp.mission.failed"]
    assert ledger.events[-1]["payload"] == {"cancelled": True, "failed_before_fallback": True}
    assert ledger.missions[0].status == "failed"


async def test_a_stuck_run_holds_up_no_other_session(g2: Bench) -> None:
    stuck = await g2.create()
    g2.driver.execute(stuck, CODE.format("hang"))
    other = await g2.run(CODE.format("mission"))
    statuses = [mission.status for mission in g2.driver.gateway.ledger.missions]
    assert statuses == ["running", "completed"]
    assert (await g2.session(stuck))["status"] == "running"
    async with g2.attached(other) as viewer:
        await viewer.until("connected")
        assert (await g2.session(other))["status"] == "active"


async def test_a_mission_whose_worker_died_is_given_up_when_its_claim_has_ended(g2: Bench) -> None:
    await g2.run("Codie, please write code @fake:hang external=1")
    gateway, (mission,) = g2.driver.gateway, g2.driver.gateway.ledger.missions
    await g2.eventually(lambda: mission.status == "running")
    later = gateway.clock.now() + CLAIM + timedelta(seconds=1)
    gateway.ledger.reconciled_at = None
    gateway.ledger.reconcile(gateway.clock.now())
    assert mission.status == "running"
    gateway.ledger.reconciled_at = None
    gateway.ledger.reconcile(later)
    assert mission.status == "failed"
    payload = gateway.ledger.events[-1]["payload"]
    assert isinstance(payload, dict)
    assert payload["reason"] == "stale_running_reconciled"


async def test_a_row_that_a_restart_killed_is_given_up_after_a_while(g2: Bench) -> None:
    g2.driver.execute(await g2.create(), CODE.format("hang"))
    ledger = g2.driver.gateway.ledger
    await g2.eventually(lambda: bool(ledger.missions))
    await g2.driver.restart()
    assert ledger.missions[0].status == "running"
    ledger.reconciled_at = None
    ledger.reconcile(g2.driver.clock.now() + STALE_AFTER + timedelta(seconds=1))
    assert ledger.missions[0].status == "failed"


async def test_the_ops_token_opens_the_session_plane_but_one_like_a_jwt_opens_nothing(
    make_bench: BenchMaker,
) -> None:
    async with make_bench(dialect="G2") as bench:
        assert (await bench.client.get("/api/v1/sessions", headers=OPS)).status_code == 200
        assert (await bench.client.get("/api/v1/sessions", headers=INTERNAL)).status_code == 200
    async with make_bench(dialect="G2", ops_token="aaa.bbb.ccc") as bench:
        refused = await bench.client.get(
            "/api/v1/ops/sessions", headers={"x-ua-ops-token": "aaa.bbb.ccc"}
        )
        assert (refused.status_code, refused.json()) == (401, recorded("d03")["body"])


async def test_vp_tui_takes_it_for_a_g2_and_reads_its_claims(g2: Bench) -> None:
    session_id = await g2.run("Codie, please write code @fake:mission secs=60 external=1")
    (mission,) = g2.driver.gateway.ledger.missions
    await g2.eventually(lambda: mission.status == "running")
    sources = TokenSources(ops_flag="ops-secret", internal_flag="internal-secret")
    credentials = Credentials(sources, base_url=g2.driver.url)
    credentials.read()
    client = GatewayClient(g2.driver.url, "vp.coder.primary", credentials)
    assert (await client.health()).dialect == "G2"
    snapshot = await client.metrics()
    claims = await client.claims(snapshot.generated_at)
    await client.aclose()
    claim = claims.missions[snapshot.missions[0].mission_id]
    assert claim.session_id == session_id
    assert claim.expires_at is not None
    assert claim.expires_at > snapshot.generated_at


async def test_the_bulk_cancel_sweeps_in_a_session_that_is_only_watched(g2: Bench) -> None:
    watched, _unwatched = [await g2.create() for _ in range(2)]
    async with g2.attached(watched) as viewer:
        await viewer.until("connected")
        url, headers = "/api/v1/ops/sessions/cancel", {"x-ua-ops-token": "ops-secret"}
        answer = await g2.client.post(url, headers=headers, json={})
    assert answer.json()["sessions_cancelled"] == [watched]


@pytest.mark.parametrize("name", ["workspace_dir", "session_id", "codebase_root"])
async def test_what_a_new_session_is_told_has_to_be_text(g2: Bench, name: str) -> None:
    wrong = await g2.client.post("/api/v1/sessions", json={name: 7}, headers=INTERNAL)
    (field,) = wrong.json()["error"]["extra"]["fields"]
    assert (wrong.status_code, field["loc"]) == (422, ["body", name])


async def test_a_new_session_may_be_named_by_who_makes_it(g2: Bench) -> None:
    url = "/api/v1/sessions"
    made = await g2.client.post(url, json={"session_id": "mine_1"}, headers=INTERNAL)
    odd = await g2.client.post(url, json={"session_id": "../mine"}, headers=INTERNAL)
    assert (made.json()["session_id"], odd.status_code) == ("mine_1", 400)


async def test_a_daemon_that_idled_is_cancelled_without_a_notification(g2: Bench) -> None:
    session_id = await g2.create()
    async with g2.attached(session_id) as viewer:
        for reason in ("daemon_idle_timeout: 900 s", "enough"):
            url = f"/api/v1/ops/sessions/{session_id}/cancel"
            await g2.client.post(url, json={"reason": reason}, headers=OPS)
        heard = await viewer.until("system_event")
    assert heard["data"]["payload"]["message"] == "enough"


async def test_it_signs_no_ops_token(g2: Bench) -> None:
    assert (await g2.client.post("/auth/ops-token", json={})).status_code == 503


async def test_a_workers_mission_is_cancelled_when_its_worker_looks(g2: Bench) -> None:
    await g2.run("Codie, please write code @fake:mission secs=120 external=1")
    (mission,) = g2.driver.gateway.ledger.missions
    await g2.eventually(lambda: mission.status == "running")
    url = f"/api/v1/ops/vp/missions/{mission.mission_id}/cancel"
    for _ in range(2):
        told = (await g2.client.post(url, json={}, headers=OPS)).json()
        assert (told["status"], told["mission"]["cancel_requested"]) == ("cancel_requested", 1)
        assert told["mission"]["status"] == "running"
    await g2.eventually(lambda: mission.status == "cancelled")
    gone = await g2.client.post(url, json={}, headers=OPS)
    told = gone.json()["detail"]
    assert (gone.status_code, told) == (404, "Mission not found or not cancellable")
    assert (await g2.client.post(url, headers=OPS)).status_code == 422
