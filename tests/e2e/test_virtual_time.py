"""Time that a test moves: what a watch knows after minutes of it, and that two of them are one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support import virtual_time
from tests.support.virtual_watch import VirtualWatch, virtual_watch

from vp_tui.domain.models import Source, StreamState
from vp_tui.simulator.options import SimOptions
from vp_tui.views.sources import SourceWord, source_view

HOUR_S = 3600.0


def words(watch: VirtualWatch) -> dict[Source, SourceWord]:
    view = watch.view
    return {source: source_view(view, source).word for source in Source}


@virtual_time.on_virtual_time
async def test_a_restart_is_seen_and_the_sockets_come_back() -> None:
    async with virtual_watch(SimOptions(scenario="clean")) as watch:
        await watch.passes(60)
        epoch = watch.state.continuity
        await watch.driver.restart()
        await watch.until(lambda state: state.continuity != epoch and state.links)
        await watch.passes(60)
        assert set(words(watch).values()) == {SourceWord.LIVE}
        assert StreamState.LIVE in {link.state for link in watch.state.links.values()}


def test_two_runs_of_a_scenario_are_one() -> None:
    assert played("tour") == played("tour")


def played(scenario: str) -> list[Any]:
    """Play ten minutes, four times as fast, and return all that was seen and is known then."""

    async def play() -> list[Any]:
        async with virtual_watch(SimOptions(scenario=scenario, speed=4.0)) as watch:
            await watch.passes(150)
            state = watch.state
            missions = [(key, e.mission.status) for key, e in state.ledger.entries.items()]
            entries = [(entry.at, entry.kind, entry.text) for entry in state.entries]
            answered = [(source, known.answered_at) for source, known in state.sources.items()]
            return [missions, entries, answered, state.links, watch.rung]

    return virtual_time.run_virtually(play())


@virtual_time.on_virtual_time
async def test_a_timer_of_an_hour_fires_without_waiting() -> None:
    loop, order = virtual_time.virtual_loop(), list[str]()
    loop.call_later(2 * HOUR_S, order.append, "late")
    loop.call_later(HOUR_S, order.append, "early")
    await asyncio.sleep(2 * HOUR_S + 1)
    assert order == ["early", "late"]
    assert loop.time() == virtual_time.STARTS_AT + 2 * HOUR_S + 1


@virtual_time.on_virtual_time
async def test_a_deadline_passes_and_work_for_a_thread_is_done_in_its_turn() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(HOUR_S):
            await asyncio.Event().wait()
    assert await asyncio.to_thread(int, "7") == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await asyncio.to_thread(int, "x")
    assert virtual_time.virtual_loop().time() == virtual_time.STARTS_AT + HOUR_S


def test_waiting_for_what_cannot_come_is_an_error_and_no_hang() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(virtual_time.NothingWillHappenError):
        virtual_time.run_virtually(wait())
