"""Each scenario starts and comes to what it is there to show."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway
from vp_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.conftest import Bench, BenchMaker

METRICS = "/api/v1/ops/metrics/coder-vp?mission_limit=500&event_limit=1000"

Metrics = dict[str, Any]


def counted(metrics: Metrics, status: str) -> int:
    count: int = metrics["mission_counts"].get(status, 0)
    return count


async def until_metrics(bench: Bench, holds: Callable[[Metrics], bool]) -> Metrics:
    async with asyncio.timeout(PATIENCE_S):
        while not holds(metrics := await bench.get(METRICS)):  # noqa: ASYNC110 - a poll
            await asyncio.sleep(0.02)
    result: Metrics = metrics
    return result


@pytest.mark.parametrize(
    ("scenario", "speed", "reached"),
    [
        ("tour", 60, lambda m: m["fallback"]["missions_with_fallback"] and counted(m, "running")),
        ("clean", 150, lambda m: counted(m, "completed") > 20),
        ("fault", 150, lambda m: m["fallback"]["missions_with_fallback"] >= 2),
        ("failed", 150, lambda m: counted(m, "failed") >= 1 and counted(m, "completed") > 9),
        ("stuck", 60, lambda m: counted(m, "running") == 1),
        ("deaf", 60, lambda m: counted(m, "running") == 1),
        ("queued", 200, lambda m: counted(m, "completed") > 10),
        ("bootstrap", 150, lambda m: m["session_event_counts"]["vp.session.resumed"] > 10),
        ("auth", 60, lambda m: counted(m, "completed") > 18),
    ],
)
@pytest.mark.parametrize("dialect", ["G1", "G2"])
async def test_it_comes_to_its_point(
    make_bench: BenchMaker,
    scenario: str,
    speed: float,
    reached: Callable[[Metrics], bool],
    dialect: str,
) -> None:
    async with make_bench(scenario=scenario, speed=speed, dialect=dialect) as bench:
        if (scenario, dialect) == ("bootstrap", "G2"):
            sessions = bench.driver.gateway.sessions.values
            await bench.eventually(lambda: any(session.completed for session in sessions()))
            reached = _has_only_its_past
        await until_metrics(bench, reached)


def _has_only_its_past(metrics: Metrics) -> bool:
    """Tell whether no mission was made besides the past ones."""
    return len(metrics["recent_missions"]) == 9


def test_all_scenarios_have_a_test_here() -> None:
    assert set(SCENARIOS) == {
        "tour", "clean", "fault", "failed", "stuck", "deaf", "queued", "blind", "bootstrap",
        "idle", "auth", "outage", "flood",
    }  # fmt: skip


async def test_a_demo_has_substance_at_once(make_bench: BenchMaker) -> None:
    async with make_bench(scenario="tour", speed=1.0) as bench:
        metrics = await bench.get(METRICS)
        sessions = (await bench.get("/api/v1/ops/sessions"))["sessions"]
        log = await bench.get("/api/v1/ops/logs/tail?session_id=vp_coder_primary")
    assert counted(metrics, "completed") >= 5
    assert 20 <= metrics["latency_seconds"]["p95_seconds"] <= 40
    assert metrics["mission_counts"]["running"] == 1
    assert [item["status"] for item in sessions].count("running") == 1
    assert any("USER" in line for line in log["lines"])
    missions = [mission["started_at"] for mission in metrics["recent_missions"]]
    assert missions == sorted(missions, reverse=True)


async def test_blind_fallbacks_are_in_no_answer(make_bench: BenchMaker) -> None:
    async with make_bench(scenario="blind", speed=60) as bench:
        elsewhere = "session_"
        metrics = await until_metrics(
            bench,
            lambda m: any(elsewhere in (row["result_ref"] or "") for row in m["recent_missions"]),
        )
    assert len(metrics["recent_events"]) == 1000
    assert metrics["fallback"]["rate"] == 0.0
    assert len(metrics["recent_missions"]) == 500


async def test_idle_has_no_missions(bench: Bench) -> None:
    assert (await bench.get(METRICS))["session"] is None


async def test_stuck_runs_end_when_somebody_cancels(make_bench: BenchMaker) -> None:
    async with make_bench(scenario="stuck", speed=60) as bench:
        await bench.eventually(lambda: len(running(bench)) == 3)
        holder = running(bench)[0]
        await bench.eventually(
            lambda: bench.driver.gateway.sessions[holder].last_event_type == "tool_call"
        )
        assert (await bench.cancel(holder))["task_cancelled"] is True
        await bench.eventually(lambda: len(bench.driver.gateway.ledger.missions) > 12)


def running(bench: Bench) -> list[str]:
    sessions = bench.driver.gateway.sessions.values()
    return [session.session_id for session in sessions if session.active_runs]


async def test_traffic_goes_on_after_a_restart(make_bench: BenchMaker) -> None:
    async with make_bench(scenario="clean", speed=60) as bench:
        await bench.driver.restart()
        ledger = bench.driver.gateway.ledger
        before = len(ledger.missions)
        await bench.eventually(lambda: len(ledger.missions) > before + 1)
        assert ledger.missions[-3].run_id != ledger.missions[-1].run_id


async def test_outages_come_and_go(make_bench: BenchMaker) -> None:
    async with make_bench(scenario="outage", speed=30) as bench:
        up = bench.driver.up
        for expected in (False, True):
            await bench.eventually(lambda: up.is_set() is expected)  # noqa: B023 - awaited at once
        missions = bench.driver.gateway.ledger.missions
        await bench.eventually(lambda: [m.status for m in missions].count("completed") > 9)


async def test_an_outage_refuses_connections_and_keeps_the_epoch(bench: Bench) -> None:
    path = "/api/v1/ops/metrics/session-continuity"
    before = (await bench.get(path))["metrics"]["started_at"]
    await bench.driver.stop_listening()
    with pytest.raises(httpx.ConnectError):
        await bench.client.get("/api/v1/health")
    await bench.driver.listen()
    assert (await bench.get(path))["metrics"]["started_at"] == before


async def test_a_flood_reaches_every_session(make_bench: BenchMaker) -> None:
    async with make_bench(scenario="flood", rate=2000.0, sessions=4) as bench:
        await bench.eventually(lambda: len(running(bench)) == 4)
        async with bench.attached(running(bench)[3]) as viewer:
            frames = await viewer.collect(50)
    assert [frame["type"] for frame in frames[:2]] == ["connected", "text"]


async def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for _ in range(2):
        async with running_gateway(SimOptions(scenario="clean", seed=3)) as driver:
            stories.append([row.objective for row in driver.gateway.ledger.missions])
    assert stories[0] == stories[1]
