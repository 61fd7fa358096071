"""Probes of the embedded gateway: what each kind of lane does with one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from vp_tui.domain.lane.probe import DEFAULT_PROMPTS, TIMEOUTS_S, Probe, ProbeOutcome, ProbeStep
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.errors import Unreachable
from vp_tui.gateway.orders import DEADLINE_S, Orders
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.simulator.conftest import Bench, BenchMaker

    from vp_tui.domain.models import Mission

CODE = "Please write code @fake:{} secs=1"
FAST = dict.fromkeys(ProbeStep, 20.0)


@asynccontextmanager
async def probing(
    bench: Bench,
    *,
    token: str = "internal-secret",  # noqa: S107 - the demo's own
    timeouts_s: Mapping[ProbeStep, float] = FAST,
) -> AsyncIterator[Prober]:
    sources = TokenSources(ops_flag="ops-secret", internal_flag=token)
    credentials = Credentials(sources, base_url=bench.driver.url)
    credentials.read()
    client = GatewayClient(bench.driver.url, "vp.coder.primary", credentials)

    async def missions() -> tuple[Mission, ...]:
        return (await client.metrics()).missions

    orders = Orders(bench.driver.url, credentials)
    try:
        yield Prober(orders, missions, poll_s=0.01, timeouts_s=timeouts_s)
    finally:
        await client.aclose()


async def probed(
    bench: Bench,
    prompt: str = CODE.format("mission"),
    **options: Any,  # noqa: ANN401 - as above
) -> list[Probe]:
    async with probing(bench, **options) as prober:
        return [probe async for probe in prober.run(prompt, "G1")]


def steps_of(probe: Probe) -> list[str]:
    return [each.step for each in probe.steps]


async def test_a_clean_lane_takes_the_default_prompt(bench: Bench) -> None:
    *_, probe = told = await probed(bench, DEFAULT_PROMPTS["G1"])
    assert probe.outcome is ProbeOutcome.DELEGATED
    assert steps_of(probe) == list(ProbeStep)
    assert [len(each.steps) for each in told] == sorted(len(each.steps) for each in told)
    (mission,) = bench.driver.gateway.ledger.missions
    assert probe.mission_id == mission.mission_id


@pytest.mark.parametrize(
    ("marker", "outcome"),
    [
        ("vp_error", ProbeOutcome.FELL_BACK),
        ("vp_exc", ProbeOutcome.FELL_BACK),
        ("both_fail", ProbeOutcome.FAILED),
        ("fallback_exc", ProbeOutcome.FAILED),
    ],
)
async def test_a_lane_that_errs(bench: Bench, marker: str, outcome: ProbeOutcome) -> None:
    assert (await probed(bench, CODE.format(marker)))[-1].outcome is outcome


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("UA_CODER_VP_FORCE_FALLBACK=1", ProbeOutcome.PRIMARY),
        ("UA_ENABLE_CODER_VP=0", ProbeOutcome.PRIMARY),
        ("UA_CODER_VP_SHADOW_MODE=1", ProbeOutcome.SHADOW),
        ("UA_CODER_VP_FORCE_FALLBACK=0 # not now", ProbeOutcome.DELEGATED),
    ],
)
async def test_the_switches_of_the_env_file_show_by_the_probe(
    make_bench: BenchMaker, tmp_path: Path, line: str, outcome: ProbeOutcome
) -> None:
    env = tmp_path / ".env"
    await asyncio.to_thread(env.write_text, f"{line}\n")
    async with make_bench(env_file=env) as bench:
        assert (await probed(bench))[-1].outcome is outcome


async def test_a_lane_that_cannot_start(bench: Bench) -> None:
    bench.driver.break_lane("vp adapter initialize failure")
    assert (await probed(bench))[-1].outcome is ProbeOutcome.UNSTARTABLE


async def test_a_prompt_without_coding_intent_proves_nothing(bench: Bench) -> None:
    probe = (await probed(bench, "Write my diary @fake:mission secs=1"))[-1]
    assert probe.outcome is ProbeOutcome.NO_INTENT


async def test_a_probe_that_hangs_is_given_up_and_goes_on(bench: Bench) -> None:
    limits = {**FAST, ProbeStep.COMPLETED: 0.05}
    probe = (await probed(bench, CODE.format("hang"), timeouts_s=limits))[-1]
    assert probe.outcome is ProbeOutcome.TIMED_OUT
    assert probe.session_id is not None
    assert (await bench.session(probe.session_id))["active_runs"] == 1
    session = bench.driver.gateway.sessions[probe.session_id]
    await bench.eventually(lambda: not session.sockets)


async def test_a_probe_behind_a_held_lock_cannot_even_make_its_session(bench: Bench) -> None:
    session_id = await bench.create()
    async with bench.attached(session_id) as viewer:
        await viewer.send("execute", user_input=CODE.format("hang"))
        await viewer.until("tool_call")
        probe = (await probed(bench, timeouts_s={**FAST, ProbeStep.CREATED: 0.05}))[-1]
    assert probe.outcome is ProbeOutcome.TIMED_OUT
    assert not probe.was_executed
    assert "the gateway's lock may be held" in probe.reason


async def test_a_rejected_token_is_told(bench: Bench) -> None:
    probe = (await probed(bench, token="wrong"))[-1]
    assert probe.outcome is ProbeOutcome.BROKE
    assert "UA_INTERNAL_API_TOKEN from command line was rejected" in probe.reason


async def test_nothing_more_is_sent_while_nobody_sees_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with probing(bench) as prober:
        create = prober.orders.create_session

        async def hung() -> str:
            prober.unseen = "the terminal {} hung"
            return await create()

        monkeypatch.setattr(prober.orders, "create_session", hung)
        for done in ([ProbeStep.CREATED], []):
            *_, probe = [each async for each in prober.run(CODE.format("mission"), "G1")]
            assert probe.outcome is ProbeOutcome.BROKE
            assert "held back: the terminal was hung" in probe.reason
            assert steps_of(probe) == done
    assert len(bench.driver.gateway.sessions) == 1
    assert not bench.driver.gateway.ledger.missions


async def test_a_gateway_that_restarts_in_the_middle_is_told(bench: Bench) -> None:
    async with probing(bench) as prober:
        async for probe in prober.run(CODE.format("hang"), "G1"):
            if probe.awaited is ProbeStep.COMPLETED and not probe.is_over:
                await bench.driver.restart()
    assert probe.outcome is ProbeOutcome.BROKE
    assert "goes on unheard" in probe.reason


async def test_metrics_that_do_not_answer_leave_the_mission_unseen(bench: Bench) -> None:
    async def refuse() -> tuple[Mission, ...]:
        raise Unreachable("down", "is it up?")

    async with probing(bench, timeouts_s={**FAST, ProbeStep.MISSION: 0.05}) as prober:
        prober.missions = refuse
        *_, probe = [each async for each in prober.run(CODE.format("mission"), "G1")]
    assert probe.outcome is ProbeOutcome.TIMED_OUT
    assert probe.completed_turn is not None
    assert probe.reason.startswith("mission seen: not within")


async def test_whoever_asks_slowly_does_not_stall_the_run(bench: Bench) -> None:
    async with probing(bench) as prober:
        async for probe in prober.run(CODE.format("mission"), "G1"):
            if probe.awaited is ProbeStep.ROUTED and probe.session_id is not None:
                session = bench.driver.gateway.sessions[probe.session_id]
                await bench.eventually(lambda: bool(session.completed))  # noqa: B023 - used here
    assert probe.outcome is ProbeOutcome.DELEGATED


def test_the_session_is_waited_for_as_long_as_its_request_lasts() -> None:
    assert TIMEOUTS_S[ProbeStep.CREATED] > DEADLINE_S
