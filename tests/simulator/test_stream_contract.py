"""Streams run as the recorded ones did, frame by frame."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import websockets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulator.conftest import Bench, BenchMaker

    Load = Callable[[str], list[dict[str, Any]]]
    AsText = Callable[..., str]


def prompt_of(frames: list[dict[str, Any]]) -> str:
    query = next(f["data"]["query"] for f in frames if f["data"].get("status") == "processing")
    assert isinstance(query, str)
    return query


async def check_stream(bench: Bench, frames: list[dict[str, Any]], as_text: AsText) -> None:
    async with bench.attached(await bench.create()) as viewer:
        await viewer.send("execute", user_input=prompt_of(frames))
        ours = await viewer.collect(len(frames))
    assert as_text(ours, bench.driver.workspaces) == as_text(frames)


@pytest.mark.parametrize("name", ["b01", "b13", "c01", "c03", "c04", "c06"])
async def test_turns(bench: Bench, transcript: Load, as_text: AsText, name: str) -> None:
    await check_stream(bench, transcript(name), as_text)


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("c12", "UA_CODER_VP_FORCE_FALLBACK=1"),
        ("c12", "UA_ENABLE_CODER_VP=0"),
        ("c14", "UA_CODER_VP_SHADOW_MODE='true'"),
        ("b01", "UA_CODER_VP_FORCE_FALLBACK=1\nUA_DISABLE_CODER_VP_FORCE_FALLBACK=1"),
    ],
)
async def test_lane_flags_are_read_on_a_restart_only(
    make_bench: BenchMaker, transcript: Load, as_text: AsText, tmp_path: Path, name: str, flags: str
) -> None:
    env_file = tmp_path / "gateway.env"
    async with make_bench(env_file=env_file) as bench:
        env_file.write_text(f"# flags\n{flags}\n", encoding="utf-8")
        await check_stream(bench, transcript("b01"), as_text)
        await bench.driver.restart()
        await check_stream(bench, transcript(name), as_text)


async def test_a_lane_that_cannot_start(bench: Bench, transcript: Load, as_text: AsText) -> None:
    bench.driver.break_lane("vp adapter initialize failure")
    await check_stream(bench, transcript("p04"), as_text)


async def test_a_stuck_run_its_viewers_and_the_queue_behind_it(
    bench: Bench, transcript: Load, as_text: AsText
) -> None:
    victim_id, session_id = await bench.create(), await bench.create()
    async with bench.attached(session_id) as owner, bench.attached(victim_id) as victim:
        await owner.send("execute", user_input=prompt_of(transcript("d01")))
        await owner.until("tool_call")
        await victim.send("execute", user_input=prompt_of(transcript("d05")))
        async with bench.attached(session_id) as second:
            await second.until("connected")
            await bench.eventually(lambda: bool(bench.driver.gateway.sessions[victim_id].turn))
            assert (await bench.session(victim_id))["status"] == "running"
            await bench.cancel(session_id, "stuck [red]x[/red]")
            tail = await second.collect(5)
        root = bench.driver.workspaces
        stuck = await owner.collect(len(transcript("d01")))
        assert as_text(stuck, root) == as_text(transcript("d01"))
        assert [frame["type"] for frame in tail] == [
            "connected", "status", "query_complete", "cancelled", "system_event",
        ]  # fmt: skip
        queued = await victim.collect(len(transcript("d05")))
        assert as_text(queued, root) == as_text(transcript("d05"))


async def test_a_run_that_is_deaf_to_cancel(
    make_bench: BenchMaker, transcript: Load, as_text: AsText
) -> None:
    frames = transcript("e1")
    # Deaf for 12 / 12 = 1 s, while two cancels give up after 0.1 s each.
    async with make_bench(speed=12.0) as bench:
        session_id = await bench.create()
        async with bench.attached(session_id) as viewer:
            await viewer.send("execute", user_input=prompt_of(frames))
            await viewer.until("text")
            for reason in ("stuck", "again"):
                answer = await bench.cancel(session_id, reason)
                assert answer["task_cancelled"] is False
                item = await bench.session(session_id)
                assert (item["status"], item["active_runs"]) == ("idle", 0)
            assert bench.driver.gateway.turns._lock.locked()
            ours = await viewer.collect(len(frames))
        assert as_text(ours, bench.driver.workspaces) == as_text(frames)


async def test_a_deaf_run_may_complete_after_all(bench: Bench) -> None:
    prompt = "Please implement code @fake:hang_swallow hold=12 then=finish"
    session_id = await bench.create()
    turn = bench.driver.execute(session_id, prompt)
    await bench.eventually(lambda: bench.driver.gateway.sessions[session_id].last_event_seq > 3)
    await bench.driver.cancel(session_id, "stuck")
    await turn.ended.wait()
    assert [m.status for m in bench.driver.gateway.ledger.missions] == ["completed"]


@pytest.mark.parametrize("headers", [{}, {"x-ua-internal-token": "wrong"}])
async def test_a_handshake_without_the_token(bench: Bench, headers: dict[str, str]) -> None:
    url = f"{bench.driver.url.replace('http', 'ws')}/api/v1/sessions/session_x/stream"
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(url, additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 403
    assert not refused.value.response.body


async def test_bad_and_unknown_ids(bench: Bench) -> None:
    with pytest.raises(websockets.InvalidStatus):
        async with bench.attached("-bad"):
            pass
    async with bench.attached("session_nope") as viewer:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await viewer.until("connected")
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4004, "Session not found")


@pytest.mark.parametrize("name", ["r01", "r02"])
async def test_what_the_gateway_does_not_take(
    bench: Bench, transcript: Load, as_text: AsText, name: str
) -> None:
    sent = {"r01": ("execute", {"text": "Please implement the parser code"}), "r02": ("ping", {})}
    kind, data = sent[name]
    session_id = await bench.create()
    async with bench.attached(session_id) as viewer:
        await viewer.send(kind, **data)
        ours = await viewer.collect(2)
    assert as_text(ours, bench.driver.workspaces) == as_text(transcript(name))
    assert bench.driver.gateway.sessions[session_id].turn is None


@pytest.mark.parametrize("data", [{}, {"query": "write code"}, {"user_input": " "}, ["write"]])
async def test_a_prompt_under_any_other_key_is_none(bench: Bench, data: object) -> None:
    async with bench.attached(await bench.create()) as viewer:
        await viewer.socket.send(json.dumps({"type": "execute", "data": data}))
        assert (await viewer.until("error"))["data"] == {"message": "Empty user_input"}
    assert bench.driver.gateway.ledger.missions == []


async def test_pings_and_binary_frames_are_errors(bench: Bench) -> None:
    async with bench.attached(await bench.create()) as viewer:
        await viewer.send("ping")
        error = await viewer.until("error")
        assert error["data"] == {"message": "Unknown message type: ping"}
        await viewer.socket.send("not json")
        await viewer.until("error")
        await viewer.socket.send(b"binary")
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await viewer.until("never")
        assert closed.value.rcvd is None


async def test_duplicates_and_busy_sessions(bench: Bench) -> None:
    session_id = await bench.create()
    async with bench.attached(session_id) as viewer:
        await viewer.run("Please write code dup @fake:mission secs=1")
        await viewer.send("execute", user_input="Please write code dup @fake:mission secs=1")
        await viewer.until("status", status="duplicate_turn_ignored")
        await viewer.until("query_complete")
        await viewer.send("execute", user_input="Please write code @fake:hang")
        await viewer.until("tool_call")
        await viewer.send("execute", user_input="Please write code @fake:hang")
        await viewer.until("status", status="turn_in_progress")
        await viewer.send("execute", user_input="Another one")
        busy = await viewer.until("status", status="turn_rejected_busy")
        assert busy["data"]["active_turn_id"].startswith("turn_")
        await viewer.send("cancel")
        await viewer.until("cancelled")
    counts = (await bench.get("/api/v1/ops/metrics/session-continuity"))["metrics"]
    assert counts["duplicate_turn_prevention_count"] == 2
    assert counts["turn_busy_rejected"] == 1


async def test_the_lock_freezes_creating_resuming_and_attaching(bench: Bench) -> None:
    stuck_id = await bench.create()
    bench.driver.write_log("session_19990101_000000_diskonly", "line\n")
    turn = bench.driver.execute(stuck_id, "Please write code @fake:hang")
    await bench.eventually(lambda: bool(bench.driver.gateway.ledger.missions))
    path = "/api/v1/sessions/session_19990101_000000_diskonly"
    async with bench.attached("session_nope") as unknown:
        waiting = [asyncio.ensure_future(work) for work in (bench.create(), bench.get(path))]
        stuck_runs = asyncio.ensure_future(unknown.until("connected"))
        await bench.eventually(lambda: len(bench.driver.gateway.turns._lock._waiters or ()) == 3)
        assert not any(task.done() for task in (*waiting, stuck_runs))
        await bench.cancel(stuck_id)
        await turn.ended.wait()
        created, resumed = await asyncio.gather(*waiting)
        with pytest.raises(websockets.ConnectionClosed):
            await stuck_runs
    assert resumed["user_id"] == "user_universal"
    assert created in bench.driver.gateway.sessions


async def test_a_restart_closes_sockets_with_1012(bench: Bench) -> None:
    session_id = await bench.create()
    async with bench.attached(session_id) as viewer:
        await viewer.send("execute", user_input="Please write code @fake:hang")
        await viewer.until("tool_call")
        await bench.driver.restart()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await viewer.until("status", status="turn_cancelled")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert (await bench.session(session_id))["last_event_seq"] == 0
