"""The embedded gateway: a faithful G1 in one process, on the loopback interface only."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from vp_tui.simulator.driver import Driver
from vp_tui.simulator.host import Host
from vp_tui.simulator.options import SimulatorOptions
from vp_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ["SimulatorOptions", "running_gateway", "serve"]


@contextlib.asynccontextmanager
async def running_gateway(options: SimulatorOptions) -> AsyncIterator[Driver]:
    """Run a gateway and its scenario beside the caller; both end with the context.

    If the scenario crashed, the end of the context raises its exception.
    """
    async with _running(options) as (_, driver, _):
        yield driver


async def serve(
    options: SimulatorOptions,
    *,
    on_ready: Callable[[str], None],
    handle_signals: bool = False,
    stop: asyncio.Event | None = None,
) -> None:
    """Run a gateway until it is cancelled, signalled or `stop` is set.

    `on_ready` gets the base URL when the gateway listens. With `handle_signals` SIGUSR1 restarts
    it, and SIGHUP, SIGTERM and SIGINT end it.
    """
    stop = stop or asyncio.Event()
    async with _running(options) as (host, driver, scenario), asyncio.TaskGroup() as tasks:
        if handle_signals:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGUSR1, lambda: tasks.create_task(host.restart()))
            for ending in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(ending, stop.set)
        scenario.add_done_callback(lambda _: stop.set())
        on_ready(driver.url)
        await stop.wait()


@contextlib.asynccontextmanager
async def _running(
    options: SimulatorOptions,
) -> AsyncIterator[tuple[Host, Driver, asyncio.Task[None]]]:
    host = Host(options.with_default_tokens())
    driver = Driver(host)
    try:
        await host.listen()
        scenario = asyncio.create_task(_play(options.scenario, driver))
        await asyncio.sleep(0)  # lets the scenario lay its ground before anybody looks
        try:
            yield host, driver, scenario
        finally:
            scenario.cancel()
            await asyncio.wait({scenario})
    finally:
        await host.close()
    if not scenario.cancelled():
        scenario.result()


async def _play(scenario: str, driver: Driver) -> None:
    """Play the scenario and then nothing: the task ends by itself only when it crashes."""
    await SCENARIOS[scenario](driver)
    await asyncio.Event().wait()
