"""Two lanes that are watched in one process: real gateways, feeds and files, one network thread."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.cli.config.settings import Settings
from vp_tui.cli.watch import lane_watch
from vp_tui.domain.rollout.windows import opened
from vp_tui.domain.runs.levels import Level
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.places import Places
from vp_tui.storage.windows import read_windows
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.figures import current_window
from vp_tui.views.runs import run_levels
from vp_tui.worker.commands import NetworkThread
from vp_tui.worker.evidence import Written, evidence_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vp_tui.domain.orders import ActionRecord
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.simulator.driver import SimDriver
    from vp_tui.state.state import State
    from vp_tui.worker.lane_watch import LaneWatch

SOON_S: Final = 2.0
NEVER_S: Final = 100_000.0
"""Of silence, after which a run is stuck."""


@dataclass
class Watched:
    """A lane, the gateway that it is of, and the files that are its own."""

    lane: LaneWatch
    driver: SimDriver
    log: Path
    places: Places

    @property
    def state(self) -> State:
        return self.lane.store.state

    @property
    def sessions(self) -> set[str]:
        """The sessions that the store knows, without the lane's own directory."""
        return self.state.sessions.keys() - {self.state.lane_log_id}

    @property
    def running(self) -> list[str]:
        """The sessions that run on the gateway, the one that has the lock first."""
        sessions = self.driver.gateway.sessions.values()
        return [session.session_id for session in sessions if session.active_runs]

    @property
    def knows_that_one_hangs(self) -> bool:
        """Whether all run that wait for it, and the lane knows of them."""
        known = run_levels(self.lane.live.view).keys()
        return len(self.running) == 3 and known >= set(self.running)

    @property
    def stuck(self) -> list[str]:
        """The sessions whose alarm says that they are stuck."""
        kind = f"{Level.STUCK} run"
        return [alarm.key.subject for alarm in self.state.alarms if alarm.key.kind == kind]

    @property
    def windows(self) -> tuple[Window, ...]:
        """What the lane's file of windows has."""
        files = evidence_files(self.places, self.log, self.state.watch)
        return read_windows(files.windows)


class Two:
    """A run hangs on both. `here` calls it stuck soon, `there` never does."""

    def __init__(self, here: Watched, there: Watched) -> None:
        self.here, self.there = here, there
        self.crashes: list[BaseException] = []

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait, while both lanes look for alarms."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self.here.lane.lookout.look()
                self.there.lane.lookout.look()
                await asyncio.sleep(0.02)

    async def hang(self) -> str:
        """Wait until a run hangs on both, and both lanes know; return the one `here`."""
        await self.until(lambda: self.here.knows_that_one_hangs)
        await self.until(lambda: self.there.knows_that_one_hangs)
        hanging, *_waiting = self.here.running
        await self.until(lambda: hanging in self.here.stuck)
        return hanging

    @property
    def audit(self) -> list[ActionRecord]:
        return list(newest_actions(self.here.places.audit, 50).records)


@asynccontextmanager
async def two_lanes(home: Path) -> AsyncIterator[Two]:
    network, places = NetworkThread(), Places(home / "own")

    def watched(name: str, driver: SimDriver, **given: Any) -> Watched:  # noqa: ANN401 - fields of Settings
        log = home / f"{name}.md"
        settings = Settings(url=driver.url, evidence=log, interval=0.5, **given)
        return Watched(lane_watch(settings, places, network, ambient=False), driver, log, places)

    async with (
        running_gateway(SimOptions("stuck", speed=20.0, seed=1)) as here,
        running_gateway(SimOptions("stuck", speed=20.0, seed=2)) as there,
    ):
        two = Two(
            watched("here", here, stuck_after=SOON_S),
            watched("there", there, stuck_after=NEVER_S),
        )
        pumps = [asyncio.create_task(one.lane.pump()) for one in (two.here, two.there)]
        for lane in (two.here.lane, two.there.lane):
            lane.lookout.audit_outcomes(lane.commands.keep)
        network.start(two.crashes.append)
        try:
            yield two
        finally:
            await asyncio.to_thread(network.stop)  # the gateways go on meanwhile
            for pump in pumps:
                pump.cancel()
        assert two.crashes == []


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with two_lanes(tmp_path) as two:
        yield two


async def test_each_store_knows_its_own_gateway_by_feeds_on_one_thread(two: Two) -> None:
    await two.until(lambda: two.here.sessions and two.there.sessions)
    for one in (two.here, two.there):
        assert one.state.watch.url == one.driver.url
        assert one.sessions <= one.driver.gateway.sessions.keys()
    assert not two.here.sessions & two.there.sessions
    on: list[threading.Thread] = []
    for one in (two.here, two.there):
        one.lane.commands.feeds.call(lambda _feeds: on.append(threading.current_thread()))
    await two.until(lambda: len(on) == 2)
    assert on[0] is on[1] is not threading.current_thread()


async def test_an_alarm_is_of_the_lane_that_raised_it(two: Two) -> None:
    stuck = await two.hang()
    assert stuck in two.here.running
    assert two.there.stuck == []
    assert two.here.lane.commands.acknowledge() == len(two.here.state.alarms)
    assert all(alarm.acknowledged for alarm in two.here.state.alarms)
    assert not any(alarm.acknowledged for alarm in two.there.state.alarms)


async def test_an_order_reaches_the_gateway_of_its_lane_alone(two: Two) -> None:
    stuck = await two.hang()
    theirs = two.there.running
    two.here.lane.commands.cancel(stuck, "stuck")
    await two.until(lambda: [c for c in two.here.state.cancels if c.recovered_at is not None])
    assert two.there.running == theirs
    assert two.there.state.cancels == ()
    await two.until(lambda: len(two.audit) == 2)
    assert [(told.target, told.gateway) for told in two.audit] == [
        (stuck, two.here.state.watch.id)
    ] * 2


async def test_audit_lines_name_the_gateway_of_their_lane(two: Two) -> None:
    for one in (two.here, two.there):
        one.lane.commands.note("waive", "a drill", "done")
    await two.until(lambda: len(two.audit) == 2)
    assert {told.gateway for told in two.audit} == {
        one.state.watch.id for one in (two.here, two.there)
    }


async def test_windows_and_rows_are_written_where_their_lane_has_them(two: Two) -> None:
    await two.until(lambda: two.here.state.snapshot and two.there.state.snapshot)
    view = two.here.lane.live.look()
    window = opened(current_window(view), None, view.state.clock.wall_at(view.now))
    assert await two.here.lane.commands.change_window(window, None) is None
    # What the file said before may have been on its way.
    await two.until(lambda: two.here.state.window == window)
    assert two.here.windows == (window,)
    draft = draft_row(two.here.lane.live.look())
    outcome = await two.here.lane.commands.record(draft, Choice("HOLD_SHADOW"))
    assert isinstance(outcome, Written)
    assert [logged.row for logged in read_log(two.here.log)[0].rows] == [outcome.row]
    await two.until(lambda: two.here.state.evidence and two.here.state.evidence.rows)
    assert two.there.state.window is None
    assert two.there.windows == ()
    assert not two.there.log.exists()
    assert not (two.there.state.evidence and two.there.state.evidence.rows)
