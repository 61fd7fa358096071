"""Hours on virtual time, of every scenario and of a wire that breaks: no crash, nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx
import pytest
from tests.support.virtual_time import STARTS_AT, run_virtually
from tests.support.virtual_watch import virtual_watch

from vp_tui.domain.models import Source, StreamState
from vp_tui.domain.runs.levels import Level
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.scenarios import SCENARIOS
from vp_tui.views.runs import run_rows
from vp_tui.views.sources import SourceWord, source_view

if TYPE_CHECKING:
    from random import Random

    from tests.support.virtual_watch import VirtualWatch

MINUTE_S: Final = 60.0
HEALS_AFTER_S: Final = 30.0
"""For so long the wire is well again in the end: the longest back-off is over."""
SKIPPED: Final = frozenset({"auth", "flood"})
"""What wants tokens, and what is a bench of its own."""
SHARE: Final = 0.2
"""Of requests that come to nothing."""


def run(count: int, chance: Random) -> dict[str, int]:
    played = [name for name in SCENARIOS if name not in SKIPPED]
    missions = [run_virtually(_hours(name, count, chance)) for name in played]
    return {"scenarios": len(played), "missions": sum(missions)}


def run_lanes(count: int, _chance: Random) -> dict[str, int]:
    """Watch what has to be known after any time at all, at length."""
    lanes = (_quiet_lane, _run_that_nobody_cancels, _gateway_that_comes_and_goes)
    for lane in lanes:
        run_virtually(lane(count))
    return {"lanes": len(lanes)}


def run_with_faults(count: int, chance: Random) -> dict[str, int]:
    return run_virtually(_with_faults(count, chance))


async def _hours(scenario: str, minutes: int, chance: Random) -> int:
    options = SimOptions(scenario=scenario, seed=chance.getrandbits(32))
    async with virtual_watch(options) as watch:
        await watch.passes(minutes * MINUTE_S)
        await watch.until(watch.knows_all_missions)
        return len(watch.state.ledger.entries)


async def _quiet_lane(minutes: int) -> None:
    async with virtual_watch(SimOptions(scenario="clean")) as watch:
        began = watch.wall
        await watch.passes(minutes * MINUTE_S)
        assert watch.now == STARTS_AT + minutes * MINUTE_S
        assert (watch.wall - began).total_seconds() == minutes * MINUTE_S
        await watch.until(watch.knows_all_missions)
        assert len(watch.state.ledger.entries) > 3 * minutes
        assert not any(entry.fell_back for entry in watch.state.ledger.entries.values())
        _all_live(watch)
        assert {link.state for link in watch.state.links.values()} == {StreamState.LIVE}
        assert watch.rung == []


async def _run_that_nobody_cancels(minutes: int) -> None:
    async with virtual_watch(SimOptions(scenario="stuck")) as watch:
        await watch.passes(minutes * MINUTE_S)
        assert _levels(watch).count(Level.STUCK) == 1
        assert _levels(watch).count(Level.QUEUED) == 2
        (rung,) = watch.rung
        assert rung.key.kind == "stuck run"
        assert rung.raised_at - rung.since == pytest.approx(120, abs=2)
        _all_live(watch)
        await watch.driver.stop("cleo", "enough")
        await watch.until(lambda _: Level.STUCK not in _levels(watch))


async def _gateway_that_comes_and_goes(minutes: int) -> None:
    async with virtual_watch(SimOptions(scenario="outage")) as watch:
        await watch.passes(minutes * MINUTE_S)
        lost = [alarm for alarm in watch.rung if alarm.key.kind == "gateway lost"]
        assert len(lost) == len(watch.rung)
        assert len(lost) == minutes * 60 // 28  # 20 s there, 8 s away
        await watch.until(watch.knows_all_missions)


def _levels(watch: VirtualWatch) -> list[Level | None]:
    return [row.level.level for row in run_rows(watch.view)]


async def _with_faults(minutes: int, chance: Random) -> dict[str, int]:
    options = SimOptions(scenario="clean", seed=chance.getrandbits(32))
    async with virtual_watch(options) as watch:
        broken = 0

        def breaks(_request: httpx.Request) -> Exception | httpx.Response | None:
            nonlocal broken
            if chance.random() >= SHARE:
                return None
            broken += 1
            return chance.choice(_faults())

        watch.door.breaks = breaks
        for _ in range(minutes):
            await watch.passes(MINUTE_S)
            watch.door.drop_sockets()
        watch.door.breaks = lambda _: None
        await watch.passes(HEALS_AFTER_S)
        await watch.until(watch.knows_all_missions)
        _all_live(watch)
        return {"requests_broken": broken, "missions": len(watch.state.ledger.entries)}


def _faults() -> list[Exception | httpx.Response]:
    return [
        httpx.ConnectError("no route"),
        httpx.ReadError("reset"),
        httpx.Response(500, text="Internal Server Error"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"metrics": None, "sessions": [None]}),
    ]


def _all_live(watch: VirtualWatch) -> None:
    view = watch.view
    words = {source: source_view(view, source).word for source in Source}
    assert set(words.values()) == {SourceWord.LIVE}, words
