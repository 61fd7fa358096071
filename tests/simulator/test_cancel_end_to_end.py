"""Cancelling through the real screen: keys, network thread, embedded gateway, audit."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.keyboard import UnhurriedKeyboard
from tests.support.patience import PATIENCE_S

from vp_tui.cli.config.settings import Settings
from vp_tui.cli.watch import lane_watch
from vp_tui.domain.runs.cancels import CancelState
from vp_tui.gateway.credentials import Secret
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.places import Places
from vp_tui.ui.app import VpTuiApp
from vp_tui.ui.dialogs.follow import FollowDialog
from vp_tui.ui.watch.screen import WatchScreen
from vp_tui.views.stuck_runs import row_of_session
from vp_tui.worker.commands import NetworkThread
from vp_tui.worker.lookout import LEFT, note_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.simulator.conftest import Bench, BenchMaker
    from textual.pilot import Pilot

    from vp_tui.domain.orders import ActionRecord
    from vp_tui.state.state import State


class Desk:
    """An operator's vp-tui on a gateway."""

    def __init__(self, bench: Bench, own: Path) -> None:
        settings = Settings(
            url=bench.driver.url,
            ops_token=Secret("ops-secret"),
            internal_token=Secret("internal-secret"),
            evidence=None,
            interval=0.5,
        )
        self.places = Places(own)
        network = NetworkThread()
        self.lane = lane_watch(settings, self.places, network, ambient=False)
        self.app = VpTuiApp(self.lane, network)
        self.app.keyboard = UnhurriedKeyboard()
        self.pilot: Pilot[None]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with self.app.run_test(size=(100, 40)) as self.pilot:
            yield

    @property
    def state(self) -> State:
        return self.lane.live.state

    @property
    def audit(self) -> list[ActionRecord]:
        return list(newest_actions(self.places.audit, 50).records)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.pilot.pause(0.02)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def cancel(self, session_id: str) -> None:
        """Put the cursor on the session's run, and answer the dialog with yes."""
        watch = next(s for s in self.app.screen_stack if isinstance(s, WatchScreen))
        await self.until(lambda: row_of_session(self.lane.live.look(), session_id))
        await self.press("1", "slash", *session_id[-8:], "enter")
        await self.until(lambda: watch.board.selected == session_id)
        await self.press("c")
        await self.until(lambda: isinstance(self.app.screen, FollowDialog))
        await self.press("right", "enter", "enter")


def owner_and_victims(bench: Bench) -> list[str]:
    """Return the sessions that run, the one that has the lock first."""
    sessions = bench.driver.gateway.sessions.values()
    return [session.session_id for session in sessions if session.active_runs]


async def test_a_stuck_run_is_cancelled_once_and_called_recovered_by_a_later_turn(
    make_bench: BenchMaker, tmp_path: Path
) -> None:
    async with make_bench(scenario="stuck") as bench:
        await bench.eventually(lambda: len(owner_and_victims(bench)) == 3)
        stuck, *_victims = owner_and_victims(bench)
        desk = Desk(bench, tmp_path / "own")
        async with desk.at_work():
            await desk.cancel(stuck)
            await desk.until(lambda: [c for c in desk.state.cancels if c.recovered_at is not None])
            (cancel,) = [c for c in desk.state.cancels if c.actor is not None]
            assert cancel.session_id == stuck
            assert cancel.task_cancelled
            assert cancel.ended_at is not None
            assert cancel.recovered_at is not None
            assert cancel.recovered_at > cancel.ended_at
            await desk.until(lambda: len(desk.audit) == 2)
            sent, followed = desk.audit
            assert (sent.action, sent.target) == ("cancel", stuck)
            assert sent.result == "task_cancelled=true, not recovered yet"
            assert (followed.action, followed.result) == ("cancel recovery", "recovered")
            await desk.until(lambda: desk.state.audit and len(desk.state.audit.records) == 2)


async def test_a_deaf_run_is_never_called_recovered_and_is_not_cancelled_twice(
    make_bench: BenchMaker, tmp_path: Path
) -> None:
    # Deaf for a minute and a half of the gateway's time: long enough to look at it.
    async with make_bench(scenario="deaf", speed=5.0) as bench:
        log = bench.driver.workspaces / "vp_coder_primary/run.log"
        await bench.eventually(lambda: log.exists() and "deaf to cancel" in log.read_text())
        await bench.eventually(lambda: len(owner_and_victims(bench)) == 3)
        deaf, *_victims = owner_and_victims(bench)
        desk = Desk(bench, tmp_path / "own")
        async with desk.at_work():
            await desk.cancel(deaf)
            await desk.until(lambda: desk.state.cancels and desk.state.cancels[0].cleared_at)
            (cancel,) = desk.state.cancels
            assert cancel.task_cancelled is False
            assert cancel.state(cancel.at + 60.0) is CancelState.CLEARED
            await desk.press("escape", "c")
            await desk.until(lambda: len(desk.audit) == 2)
            sent, refused = desk.audit
            assert sent.result == "task_cancelled=false, not recovered yet"
            assert refused.target == deaf
            assert "a second is useless" in refused.result
        note_left(desk.state, desk.places.audit)
        assert desk.audit[-1].result == LEFT
