"""A watch and its gateway in one event loop, on virtual time: an hour of a scenario in seconds.

Everything is real but the clocks and the wire: the gateway's application, the HTTP client, the
socket's shell, the feeds, mailbox, store and alarms.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from tests.support.memory_wire import MemoryDoor
from tests.support.virtual_time import virtual_loop

from vp_tui.cli.config.settings import Settings
from vp_tui.cli.wiring import Surroundings, new_store
from vp_tui.cli.workers import connect
from vp_tui.gateway.credentials import gateway_id
from vp_tui.simulator.driver import SimDriver
from vp_tui.simulator.options import SimClock
from vp_tui.simulator.process import playing
from vp_tui.state.store import Mailbox, Store, pump
from vp_tui.storage.places import Places
from vp_tui.storage.recording import Writer
from vp_tui.storage.recording_files import Header
from vp_tui.views.view import Live, View
from vp_tui.worker.lookout import Lookout
from vp_tui.worker.recording import WATCH, Medium, Recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime

    from vp_tui.domain.events import Heard
    from vp_tui.domain.lane.switches import Change
    from vp_tui.domain.runs.alarms import Alarm
    from vp_tui.simulator.options import SimOptions
    from vp_tui.state.state import State
    from vp_tui.worker.feeds import Feeds

TICK_S: Final = 1.0
"""Between two looks for alarms, as on the screen."""
PATIENCE_S: Final = 6 * 3600.0
"""Virtual seconds after which what was not seen is not seen any more."""


class NoHands:
    """Lets the lookout look: nothing is changed, audited or run."""

    def change_switch(self, change: Change, reason: str) -> None: ...
    def note(self, action: str, reason: str, result: str) -> None: ...
    def keep_heard(self, heard: Heard) -> None: ...
    def note_once(self, action: str, reason: str, result: str, since: datetime) -> None: ...
    def ring(self, alarms: tuple[Alarm, ...]) -> None: ...


@dataclass
class VirtualWatch:
    """A watch without a screen, and the gateway that it watches."""

    store: Store
    feeds: Feeds
    driver: SimDriver
    door: MemoryDoor
    places: Places
    rung: list[Alarm]
    """The alarms that rang, oldest first."""
    live: Live

    @property
    def state(self) -> State:
        return self.store.state

    @property
    def view(self) -> View:
        """What is so at this moment."""
        return self.live.look()

    @property
    def now(self) -> float:
        """Seconds on the clock of the watch."""
        return virtual_loop().time()

    @property
    def wall(self) -> datetime:
        return virtual_loop().wall()

    async def passes(self, seconds: float) -> None:
        """Let so much time pass."""
        await asyncio.sleep(seconds)

    async def until(self, holds: Callable[[State], object]) -> None:
        """Let time pass until the store has published a state of which `holds`."""
        seen = asyncio.Event()
        unsubscribe = self.store.subscribe(lambda state: seen.set() if holds(state) else None)
        try:
            if not holds(self.state):
                async with asyncio.timeout(PATIENCE_S):
                    await seen.wait()
        except TimeoutError:
            raise AssertionError([entry.text for entry in self.state.entries[-50:]]) from None
        finally:
            unsubscribe()

    def knows_all_missions(self, state: State) -> bool:
        """Tell whether the newest missions of the watch are the gateway's, each with its end."""
        limit = state.watch.mission_limit
        known = {key: entry.mission.status for key, entry in state.ledger.entries.items()}
        newest = self.driver.gateway.ledger.missions[-limit:]
        return all(known.get(mission.mission_id) == mission.status for mission in newest)

    async def tick(self) -> None:
        """Let the state grow older once a second, and look for alarms, for ever."""
        lookout = Lookout(self.live, NoHands(), virtual_loop().wall)
        while True:
            await asyncio.sleep(TICK_S)
            self.rung += lookout.look()


@asynccontextmanager
async def virtual_watch(
    options: SimOptions,
    **given: Any,  # noqa: ANN401 - fields of Settings
) -> AsyncIterator[VirtualWatch]:
    """Watch a gateway that plays `options.scenario`. A crash on either side is raised."""
    loop = virtual_loop()
    door = MemoryDoor(loop.wall)
    driver = SimDriver(options, door=door, clock=virtual_clock(options))
    async with playing(driver), watching(driver, door, door.url, **given) as watch:
        yield watch


def virtual_clock(options: SimOptions) -> SimClock:
    """Return the clock of a gateway on virtual time."""
    utc = virtual_loop().wall
    return SimClock(speed=options.speed, zone=options.zone, utc=utc, dialect=options.dialect)


@asynccontextmanager
async def watching(
    driver: SimDriver,
    door: MemoryDoor | None,
    url: str,
    **given: Any,  # noqa: ANN401 - fields of Settings
) -> AsyncIterator[VirtualWatch]:
    """Watch a gateway at a URL, through the door's memory or, without one, over the network."""
    loop = virtual_loop()
    chance = random.Random(driver.options.seed)  # noqa: S311 - repeatable by design
    around = Surroundings(loop.time, loop.wall, chance)
    if door is not None:
        around = around._replace(transport=door.transport, opener=door.opener)
    settings = Settings(url=url, **given)
    with TemporaryDirectory(prefix="vp-tui-watch-") as home:
        store, mailbox, places = new_store(settings, around), Mailbox(), Places(Path(home))
        async with asyncio.TaskGroup() as tasks:
            feeds = connect(settings, mailbox.put, ambient=False, places=places, around=around)
            live = Live(store, loop.time)
            passed = door or MemoryDoor(loop.wall)
            watch = VirtualWatch(store, feeds, driver, passed, places, [], live)
            running = [
                tasks.create_task(feeds.run()),
                tasks.create_task(pump(mailbox, store)),
                tasks.create_task(watch.tick()),
            ]
            yield watch
            for task in running:
                task.cancel()


async def recorded_watch(
    options: SimOptions,
    home: Path,
    play: Callable[[VirtualWatch], Awaitable[None]],
    **given: Any,  # noqa: ANN401 - fields of Settings
) -> State:
    """Record a watch into `home` while `play` lasts; return the state that it ends with."""
    async with virtual_watch(options, **given) as watch:
        (at0, wall), watched, writer = watch.state.clock, watch.state.watch, Writer(tuple)
        gateway, told = gateway_id(watched.url), WATCH.encode(watched)
        header = Header(gateway, watched.vp_id, wall, at0, part=1, repeats=0, settings=told)
        medium = Medium(home, header, 2**30, lambda: writer, virtual_loop().wall)
        recording = Recording(medium, watch.store.apply, raised)
        watch.store.on_taken = recording.take
        await play(watch)
        recording.write(writer)
        watch.store.on_taken = None
        return watch.state


def minutes(count: int) -> Callable[[VirtualWatch], Awaitable[None]]:
    """Return what lets so many minutes pass."""
    return lambda watch: watch.passes(60.0 * count)


def raised(error: Exception) -> str:
    """Raise it: nothing that fails goes on in a test."""
    raise error
