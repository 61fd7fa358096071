"""Brake, probe and restart through the real feeds, on a gateway that is a process of its own."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.cli.config.settings import BrakeSettings, Settings
from vp_tui.cli.wiring import new_store
from vp_tui.cli.workers import connect
from vp_tui.domain.events import Tick
from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.lane.probe import ProbeOutcome
from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Switches
from vp_tui.domain.models import StreamState
from vp_tui.domain.orders import CancelRun, RestartGateway, RunProbe, SetSwitch
from vp_tui.domain.runs.cancels import CancelState
from vp_tui.state.store import Mailbox, Store, pump
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.places import Places
from vp_tui.views.lane import lane_mode
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vp_tui.domain.lane.restart import Restart
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.simulator.process import SimProcess
    from vp_tui.state.state import State
    from vp_tui.worker.feeds import Feeds

NUMBERS = itertools.count()
"""A mission with the same prompt shortly before could be the probe's own."""


@dataclass
class Desk:
    """A vp-tui without its screen."""

    store: Store
    feeds: Feeds
    audit: Path

    @property
    def state(self) -> State:
        return self.store.state

    @property
    def brake(self) -> Brake:
        assert self.state.lane.brake is not None
        return self.state.lane.brake

    @property
    def restart(self) -> Restart:
        assert self.state.lane.restart is not None
        return self.state.lane.restart

    async def until(self, holds: Callable[[State], object]) -> None:
        """Wait until the store has published a state of which `holds`."""
        seen = asyncio.Event()

        def look(state: State) -> None:
            if holds(state):
                seen.set()

        unsubscribe = self.store.subscribe(look)
        look(self.state)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await seen.wait()
        except TimeoutError:
            raise AssertionError(
                [*(e.text for e in self.state.entries), self.results(), self.state.lane.probe]
            ) from None
        finally:
            unsubscribe()

    async def probe(self) -> None:
        """Probe the lane to its end."""
        before = self.state.lane.probe
        prompt = f"Please write code, no. {next(NUMBERS)} @fake:mission secs=1"
        self.feeds.order(RunProbe(prompt, "G1"))
        await self.until(
            lambda state: (
                (probe := state.lane.probe) is not None
                and probe.is_over
                and (before is None or probe.began_at != before.began_at)
            )
        )

    def results(self) -> dict[str, str]:
        return {record.action: record.result for record in newest_actions(self.audit, 50).records}


@asynccontextmanager
async def desk(
    gateway: SimProcess,
    tmp_path: Path,
    env: Path,
    *,
    apply: tuple[str, ...] = (),
    restart: tuple[str, ...] = (),
    timeout_s: float = 60.0,
) -> AsyncIterator[Desk]:
    settings = Settings(
        url=gateway.url,
        brake=BrakeSettings(env, apply, release=apply, restart=restart, timeout_s=timeout_s),
    )
    store, mailbox, places = new_store(settings), Mailbox(), Places(tmp_path / "own")
    feeds = connect(settings, mailbox.put, ambient=False, places=places)
    desk = Desk(store, feeds, places.audit)
    works = (feeds.run(), pump(mailbox, store), _ticks(store))
    tasks = [asyncio.create_task(work) for work in works]
    await desk.until(lambda state: state.epoch and state.snapshot and state.lane.switches)
    try:
        yield desk
    finally:
        assert not any(task.done() for task in tasks), "a feed ended by itself"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def signalled(gateway: SimProcess, name: str = "USR1") -> tuple[str, ...]:
    return ("kill", f"-{name}", str(gateway.pid))


async def test_brake_and_release_are_in_force_and_proven_by_probes(
    gateway: SimProcess, tmp_path: Path, env: Path
) -> None:
    async with desk(gateway, tmp_path, env, apply=signalled(gateway)) as here:
        await here.probe()
        await here.until(lambda state: lane_mode(View(state, 0.0)).mode is LaneMode.DELEGATING)
        here.feeds.order(SetSwitch(FORCE_FALLBACK, "3 of 20 fell back"))
        await here.until(lambda state: state.lane.brake and state.lane.brake.in_force_at)
        assert here.brake.proof is Proof.PENDING
        await here.probe()
        await here.until(lambda _state: here.brake.proof is Proof.CONFIRMED)
        steps = [each.step for each in here.brake.steps]
        assert steps == ["requested", "written", "in force", "CONFIRMED"]
        assert lane_mode(View(here.state, 0.0)).mode is LaneMode.FORCED_FALLBACK
        assert here.state.lane.is_reverted
        seen = here.state.lane.switches
        assert seen is not None
        assert seen.switches == Switches(forced_fallback=True, lane=True)

        here.feeds.order(SetSwitch(RELEASE, "mended"))
        await here.until(lambda _state: here.brake.change == RELEASE and here.brake.in_force_at)
        await here.probe()
        await here.until(lambda _state: here.brake.proof is Proof.CONFIRMED)
        assert lane_mode(View(here.state, 0.0)).mode is LaneMode.DELEGATING
        assert not here.state.lane.is_reverted
        assert len(here.state.lane.probe_missions) == 2
        assert here.results()["force fallback"] == "carried out, effect unconfirmed"


async def test_an_actuator_that_does_nothing_is_contradicted_by_the_next_mission(
    gateway: SimProcess, tmp_path: Path, env: Path
) -> None:
    async with desk(gateway, tmp_path, env, apply=("true",)) as here:
        here.feeds.order(SetSwitch(FORCE_FALLBACK, ""))
        await here.until(lambda state: state.lane.acted)
        await here.probe()
        await here.until(lambda _state: here.brake.is_alarming)
        assert lane_mode(View(here.state, 0.0)).mode is LaneMode.DELEGATING


@pytest.mark.parametrize(
    ("command", "told"),
    [(("false",), "exit code 1"), (("sleep", "600"), "it did not end within 0.2 s")],
)
async def test_an_actuator_that_fails_or_hangs_is_told_and_proves_nothing(
    gateway: SimProcess, tmp_path: Path, env: Path, command: tuple[str, ...], told: str
) -> None:
    async with desk(gateway, tmp_path, env, apply=command, timeout_s=0.2) as here:
        here.feeds.order(SetSwitch(FORCE_FALLBACK, ""))
        await here.until(lambda state: state.lane.acted)
        await here.probe()
        acted = here.state.lane.acted
        assert acted is not None
        assert acted.failure is not None
        assert acted.failure.reason.startswith(told)
        assert (here.brake.proof, here.brake.is_alarming) == (Proof.PENDING, False)
        await here.until(lambda state: state.audit and state.audit.records)
        assert here.results()["force fallback"].startswith(f"failed: {told}")


async def test_a_restart_is_over_when_the_gateway_is_back_and_the_streams_attach_again(
    gateway: SimProcess, tmp_path: Path, env: Path
) -> None:
    async with desk(gateway, tmp_path, env, restart=signalled(gateway)) as here:
        here.feeds.order(RestartGateway("deaf run"))
        await here.until(
            lambda state: state.lane.restart and state.epoch and state.epoch.number > 1
        )
        assert here.restart.state is RestartState.BACK
        await here.probe()
        probe = here.state.lane.probe
        assert probe is not None
        await here.until(lambda state: _is_live(state, probe.session_id))


async def test_a_gateway_that_does_not_come_back_is_gone(
    gateway: SimProcess, tmp_path: Path, env: Path
) -> None:
    async with desk(gateway, tmp_path, env, restart=signalled(gateway, "TERM")) as here:
        here.feeds.order(RestartGateway(""))
        await here.until(lambda state: state.lane.restarted)
        await here.until(lambda _state: here.restart.state is RestartState.GONE)


async def test_a_restart_in_the_middle_of_a_cancel_ends_both(
    gateway: SimProcess, tmp_path: Path, env: Path
) -> None:
    async with desk(gateway, tmp_path, env, restart=signalled(gateway)) as here:
        here.feeds.order(RunProbe("Please write code @fake:hang_swallow", "G1"))
        await here.until(lambda state: any(s.is_running for s in state.sessions.values()))
        probe = here.state.lane.probe
        assert probe is not None
        session_id = probe.session_id
        assert session_id is not None
        here.feeds.order(CancelRun(session_id, "deaf"))
        await here.until(lambda state: state.cancels)
        here.feeds.order(RestartGateway("it does not hear"))
        await here.until(lambda state: state.lane.restart)
        await here.until(lambda _state: here.restart.state is RestartState.BACK)
        (cancel,) = here.state.cancels
        assert cancel.state(cancel.at) is CancelState.RESTARTED
        await here.until(lambda state: state.lane.probe and state.lane.probe.is_over)
        assert here.state.lane.probe is not None
        assert here.state.lane.probe.outcome is ProbeOutcome.BROKE
        await here.until(lambda state: state.audit and len(state.audit.records) == 3)
        assert here.results()["restart"] == "carried out, effect unconfirmed"


def _is_live(state: State, session_id: str | None) -> bool:
    link = state.links.get(session_id or "")
    return link is not None and link.state is StreamState.LIVE


async def _ticks(store: Store) -> None:
    """Let time pass for what is followed, as the screen does once a second."""
    while True:
        store.apply(Tick(time.monotonic(), datetime.now(UTC)))
        await asyncio.sleep(0.05)
