"""A day of watching on virtual time, with restarts: nothing is kept that is not bounded."""

from __future__ import annotations

import asyncio
import gc
import threading
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support.virtual_time import run_virtually
from tests.support.virtual_watch import virtual_watch

from vp_tui.simulator.options import SimOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.support.virtual_watch import VirtualWatch

    from vp_tui.domain.events import Event

BOOT_S: Final = 432.0
"""Between two restarts: 200 in 24 h."""
LOOKS: Final = 20
"""A second apart: a request under way is no leak."""
FILLS: Final = 0.25
"""Of the boots, in which what is bounded fills up."""
GROWTH_MB: Final = 5.0
GATEWAY_KEEPS: Final = 1_500
"""Rows and events: the gateway of the test is no part of what is measured."""


class Held(NamedTuple):
    """What the process holds; `megabytes` resident, after everything unused was collected."""

    tasks: int
    threads: int
    descriptors: int
    sockets: int
    megabytes: float


def run(count: int, chance: Random) -> dict[str, int | float]:
    return run_virtually(_boots(count, SimOptions(scenario="clean", seed=chance.getrandbits(32))))


async def _boots(count: int, options: SimOptions) -> dict[str, int | float]:
    """Watch so many boots; raise AssertionError when more is held than in the first ones."""
    async with virtual_watch(options) as watch:
        events, held = 0, []

        def taken(batch: Sequence[Event]) -> None:
            nonlocal events
            events += len(batch)

        watch.store.on_taken = taken
        for is_away in islice(cycle((False, True)), count):
            await watch.passes(BOOT_S - LOOKS)
            held.append(await _held(watch))
            _forget_the_past(watch)
            if is_away:  # for longer than the watch believes it
                await watch.driver.outage(20.0)
            await watch.driver.restart()
        filling = held[: int(count * FILLS) or 1]
        most, last = Held(*map(max, zip(*filling, strict=True))), held[-1]
        assert all(late <= early for late, early in zip(last[:4], most, strict=False)), (most, last)
        grown_mb = last.megabytes - most.megabytes
        assert grown_mb <= GROWTH_MB, (most, last)
        figures = {"events": events, "restarts": count, "grown_mb": round(grown_mb, 1)}
        return figures | last._asdict()


async def _held(watch: VirtualWatch) -> Held:
    """Return the least that was held at any of some looks."""
    looks = []
    for _ in range(LOOKS):
        await watch.passes(1.0)
        looks.append((sum(map(_is_ours, asyncio.all_tasks())), watch.door.sockets))
    tasks, sockets = (min(counted) for counted in zip(*looks, strict=True))
    return _of_the_process(tasks, sockets)


def _of_the_process(tasks: int, sockets: int) -> Held:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return Held(tasks, threading.active_count(), descriptors, sockets, pages * 4096 / 2**20)


def _is_ours(task: asyncio.Task[object]) -> bool:
    """Tell whether a task is the watch's: how many the gateway has depends on who works there."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is None or "/simulator/" not in code.co_filename


def _forget_the_past(watch: VirtualWatch) -> None:
    ledger = watch.driver.gateway.ledger
    for rows in (ledger.missions, ledger.events, ledger.session_events):
        del rows[:-GATEWAY_KEEPS]
