"""The log tail with all its traps, as recorded."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.conftest import Bench, Recording

    Load = Callable[[str], Recording]
    AsText = Callable[..., str]

OPS = {"x-ua-ops-token": "ops-secret"}
TAIL = "/api/v1/ops/logs/tail"
DISK_ONLY = "session_19990101_000000_diskonly"
THOUSAND_LINES = "".join(f"line {number}\n" for number in range(1000))


SLICES = {
    "g11": THOUSAND_LINES,
    "g12": THOUSAND_LINES,
    "g13": THOUSAND_LINES,
    "g19": THOUSAND_LINES,
    "g20": "short\nrestarted\n",
    "g22": "whole\npart",
    "g23": "whole\npartial-rest\nnext\n",
}


async def test_slices(bench: Bench, recorded: Load, as_text: AsText) -> None:
    for name, content in SLICES.items():
        (bench.driver.workspaces / DISK_ONLY / "run.log").unlink(missing_ok=True)
        bench.driver.write_log(DISK_ONLY, content)
        recording = recorded(name)
        answer = await bench.ask(recording)
        assert as_text(answer.json(), bench.driver.workspaces) == as_text(recording.body)


async def test_a_delegated_run_logs_to_the_lane(
    bench: Bench, recorded: Load, as_text: AsText
) -> None:
    session_id = await bench.create()
    prompt = "Please implement code @fake:orphan secs=5"
    bench.driver.execute(session_id, prompt)
    lane_log = bench.driver.workspaces / "vp_coder_primary" / "run.log"
    await bench.eventually(lambda: bench.driver.gateway.sessions[session_id].last_event_seq > 4)
    assert (await bench.cancel(session_id))["task_cancelled"] is True
    own = recorded("g01")
    answer = await bench.ask(own, session_20261122_193458_043b78ea=session_id)
    assert answer.json() == own.body
    await bench.eventually(lambda: "orphan step 5" in lane_log.read_text(encoding="utf-8"))
    lane = recorded("g02")
    ours = (await bench.ask(lane)).json()
    same_place = {**lane.body, "cursor": ours["cursor"], "size": ours["size"]}
    assert as_text(ours, bench.driver.workspaces) == as_text(same_place)


async def test_a_primary_run_logs_to_its_session(
    bench: Bench, recorded: Load, as_text: AsText
) -> None:
    recording = recorded("g03")
    session_id = await bench.run("Write my diary entry for today @fake:mission secs=2")
    answer = await bench.ask(recording, session_20261122_193436_a5eac32d=session_id)
    assert as_text(answer.json(), bench.driver.workspaces) == as_text(recording.body)


REFUSALS = {
    "session_id=-bad": "Invalid session id format",
    "": "session_id or path required",
    "path=../etc/passwd": "Log path must remain under UA_WORKSPACES_DIR",
}


@pytest.mark.asyncio(loop_scope="module")
async def test_refusals(read_bench: Bench) -> None:
    for query, detail in REFUSALS.items():
        answer = await read_bench.client.get(f"{TAIL}?{query}", headers=OPS)
        assert (answer.status_code, answer.json()) == (400, {"detail": detail})


@pytest.mark.asyncio(loop_scope="module")
async def test_a_path_may_be_missing_and_is_then_absolute(read_bench: Bench) -> None:
    answer = await read_bench.get(f"{TAIL}?path=nowhere/run.log")
    assert answer["file"] == str(read_bench.driver.workspaces / "nowhere" / "run.log")
    assert answer["lines"] == []


async def test_a_directory_is_a_server_error_and_a_lost_connection(bench: Bench) -> None:
    await bench.create()
    answer = await bench.client.get(f"{TAIL}?path=.", headers=OPS)
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["content-type"].startswith("text/plain")
    with contextlib.suppress(httpx.ReadError, httpx.RemoteProtocolError):
        await bench.client.get(f"{TAIL}?session_id=x", headers=OPS)


def tail(bench: Bench, **query: object) -> Any:  # noqa: ANN401 - an awaitable of JSON
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return bench.get(f"{TAIL}?session_id={DISK_ONLY}&{words}")


async def test_limits_are_clamped_and_bytes_are_bytes(bench: Bench) -> None:
    bench.driver.write_log(DISK_ONLY, "größe\r\n\x1b[31mrot\n")
    assert (await tail(bench, limit=0))["lines"] == ["\x1b[31mrot"]
    assert (await tail(bench, max_bytes=-1))["lines"] == []
    whole = await tail(bench, cursor=-5)
    assert whole["lines"] == ["größe\r", "\x1b[31mrot"]
    assert whole["size"] == len("größe\r\n\x1b[31mrot\n".encode())
    # Three bytes in, the cursor splits "ö": the rest of the line is lost.
    assert (await tail(bench, cursor=3))["lines"] == ["\x1b[31mrot"]


async def test_one_line_longer_than_max_bytes_hides_itself(bench: Bench) -> None:
    bench.driver.write_log(DISK_ONLY, "x" * 300 + "\n")
    answer = await tail(bench, cursor=0, max_bytes=100)
    assert (answer["lines"], answer["truncated"], answer["reset"]) == ([], True, True)
