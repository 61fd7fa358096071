"""vp-tui's orders against the embedded gateway: what is answered, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.errors import NotFound, Unauthorized
from vp_tui.gateway.orders import Orders

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.simulator.conftest import Bench, BenchMaker

    from vp_tui.simulator.sessions import SimSession


def orders_for(bench: Bench, token: str = "ops-secret") -> Orders:  # noqa: S107 - the demo's own
    credentials = Credentials(TokenSources(ops_flag=token), base_url=bench.driver.url)
    credentials.read()
    return Orders(bench.driver.url, credentials)


def running(sessions: Iterable[SimSession]) -> list[SimSession]:
    """Return the sessions whose turn is on its way, as they were made."""
    return [session for session in sessions if session.active_runs]


async def test_a_stuck_run_unwinds_and_its_viewer_sees_the_reason(bench: Bench) -> None:
    session_id = await bench.create()
    async with bench.attached(session_id) as viewer:
        await viewer.send("execute", user_input="Please write code @fake:hang")
        await viewer.until("tool_call")
        answer = await orders_for(bench).cancel(session_id, "stuck in npm")
        assert (answer.session_id, answer.reason) == (session_id, "stuck in npm")
        assert (answer.task_cancelled, answer.run_id) == (True, None)
        await viewer.until("cancelled", reason="stuck in npm")
    assert (await bench.session(session_id))["active_runs"] == 0


async def test_the_scenario_stuck_goes_on_when_its_run_is_cancelled(
    make_bench: BenchMaker,
) -> None:
    async with make_bench(scenario="stuck") as bench:
        sessions = bench.driver.gateway.sessions
        await bench.eventually(lambda: len(running(sessions.values())) == 3)
        stuck, *queued = running(sessions.values())
        assert (await orders_for(bench).cancel(stuck.session_id, "")).task_cancelled
        await bench.eventually(lambda: not any(session.active_runs for session in queued))


async def test_a_deaf_run_answers_like_an_idle_session_and_its_victims_wait_on(
    make_bench: BenchMaker,
) -> None:
    async with make_bench(scenario="deaf") as bench:
        log = bench.driver.workspaces / "vp_coder_primary/run.log"
        await bench.eventually(lambda: log.exists() and "deaf to cancel" in log.read_text())
        sessions = bench.driver.gateway.sessions
        await bench.eventually(lambda: len(running(sessions.values())) == 3)
        deaf, *victims = running(sessions.values())
        turn = deaf.turn
        assert turn is not None
        for reason in ("stuck", "again"):
            assert not (await orders_for(bench).cancel(deaf.session_id, reason)).task_cancelled
            assert deaf.active_runs == 0
            assert not turn.ended.is_set()
            assert all(victim.active_runs for victim in victims)


async def test_an_idle_session_answers_as_if_something_had_been_asked(bench: Bench) -> None:
    answer = await orders_for(bench).cancel(await bench.create(), " ")
    assert (answer.task_cancelled, answer.reason) == (False, "Cancelled from ops panel")


async def test_an_unknown_session_and_a_wrong_token_are_told(bench: Bench) -> None:
    session_id = await bench.create()
    with pytest.raises(NotFound, match="Session not found"):
        await orders_for(bench).cancel("session_nope", "x")
    with pytest.raises(Unauthorized, match="UA_OPS_TOKEN from command line was rejected"):
        await orders_for(bench, "wrong").cancel(session_id, "x")
