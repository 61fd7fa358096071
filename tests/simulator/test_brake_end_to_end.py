"""The brake on a real process: an env file, SIGUSR1 as its restart, and probes for the proof."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from vp_tui.domain.lane import restart as restarting
from vp_tui.domain.lane import switch_proof as braking
from vp_tui.domain.lane.probe import ProbeOutcome
from vp_tui.domain.lane.restart import RESTART_WITHIN_S, RestartState
from vp_tui.domain.lane.switch_proof import (
    PROOF_WITHIN_S,
    Brake,
    Proof,
)
from vp_tui.domain.lane.switches import FORCE_FALLBACK, NOT_IN_FORCE, RELEASE, Change, Means, Switch
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.orders import Orders
from vp_tui.worker.actuator import Actuator
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.models import Mission
    from vp_tui.simulator.process import SimProcess

SHADOW_ON = Change(Switch.SHADOW, on=True)


class Hands:
    """What an operator's vp-tui does: looks, probes, and feeds what it sees to the proof."""

    def __init__(self, client: GatewayClient, prober: Prober) -> None:
        self.client = client
        self._prober = prober
        self._number = itertools.count()

    async def boot(self) -> str:
        return (await self.client.continuity()).started_at

    async def new_boot(self, before: str) -> str:
        """Return another boot stamp once it is there; the test's time limit is the deadline."""
        while True:
            try:
                if (stamp := await self.boot()) != before:
                    return stamp
            except GatewayError:
                await asyncio.sleep(0.01)

    async def gone(self) -> None:
        """Wait until nothing answers any more."""
        while True:
            try:
                await self.client.health()
            except GatewayError as error:
                if error.failure.is_silence:
                    return

    async def probe(self) -> Probe:
        prompt = f"Please write code, no. {next(self._number)} @fake:mission secs=1"
        *_, probe = [each async for each in self._prober.run(prompt, "G1")]
        return probe

    async def prove(self, brake: Brake) -> tuple[Brake, Probe]:
        """Probe the lane, and return what the proof makes of it."""
        probe = await self.probe()
        assert probe.completed_turn is not None
        turn = probe.completed_turn
        brake = braking.turn_ended(brake, turn, "G1", is_probe=True)
        snapshot = await self.client.metrics()
        return braking.missions_polled(brake, time.monotonic(), snapshot), probe


@asynccontextmanager
async def hands_on(gateway: SimProcess) -> AsyncIterator[Hands]:
    credentials = Credentials(TokenSources(), base_url=gateway.url)
    client = GatewayClient(gateway.url, "vp.coder.primary", credentials)

    async def missions() -> tuple[Mission, ...]:
        return (await client.metrics()).missions

    try:
        yield Hands(client, Prober(Orders(gateway.url, credentials), missions, poll_s=0.01))
    finally:
        await client.aclose()


def signalled(gateway: SimProcess, name: str = "USR1") -> tuple[str, ...]:
    return ("kill", f"-{name}", str(gateway.pid))


async def changed(
    hands: Hands, actuator: Actuator, change: Change, *, restarts: bool = True
) -> Brake:
    """Return the proof of a change that was carried out, and read at a restart."""
    before = await hands.boot()
    brake = braking.new_proof(change, time.monotonic(), before)
    done = await actuator.change(change)
    brake = braking.acted(brake, time.monotonic(), done)
    if not restarts:
        return brake
    boot_stamp = await hands.new_boot(before)
    return braking.booted(brake, time.monotonic(), boot_stamp)


async def test_brake_and_release_are_proven_by_probes(gateway: SimProcess, env: Path) -> None:
    command = signalled(gateway)
    actuator = Actuator(Means(str(env), apply=command, release=command))
    async with hands_on(gateway) as hands:
        assert (await hands.probe()).outcome is ProbeOutcome.DELEGATED
        brake, probe = await hands.prove(await changed(hands, actuator, FORCE_FALLBACK))
        assert (brake.proof, probe.outcome) == (Proof.CONFIRMED, ProbeOutcome.PRIMARY)
        steps = [each.step for each in brake.steps]
        assert steps == ["requested", "written", "in force", "CONFIRMED"]
        brake, probe = await hands.prove(await changed(hands, actuator, RELEASE))
        assert (brake.proof, probe.outcome) == (Proof.CONFIRMED, ProbeOutcome.DELEGATED)


async def test_an_env_file_alone_waits_for_the_restart(gateway: SimProcess, env: Path) -> None:
    actuator = Actuator(Means(str(env), restart=signalled(gateway)))
    async with hands_on(gateway) as hands:
        before = await hands.boot()
        brake = await changed(hands, actuator, SHADOW_ON, restarts=False)
        brake, probe = await hands.prove(brake)
        assert (brake.proof, probe.outcome) == (Proof.PENDING, ProbeOutcome.DELEGATED)
        assert brake.reason == NOT_IN_FORCE
        assert (await actuator.restart()).is_carried_out
        boot_stamp = await hands.new_boot(before)
        brake = braking.booted(brake, time.monotonic(), boot_stamp)
        brake, probe = await hands.prove(brake)
        assert (brake.proof, probe.outcome) == (Proof.CONFIRMED, ProbeOutcome.SHADOW)


async def test_an_actuator_that_does_nothing_is_contradicted(
    gateway: SimProcess, env: Path
) -> None:
    async with hands_on(gateway) as hands:
        actuator = Actuator(Means(str(env), apply=("true",)))
        brake = await changed(hands, actuator, FORCE_FALLBACK, restarts=False)
        brake, _ = await hands.prove(brake)
        assert brake.is_alarming
        assert "was delegated as mission" in brake.reason


@pytest.mark.parametrize("command", [("false",), ("sleep", "600"), ("/nowhere/restart",)])
async def test_an_actuator_that_fails_or_hangs_leaves_it_unconfirmed(
    gateway: SimProcess, env: Path, command: tuple[str, ...]
) -> None:
    async with hands_on(gateway) as hands:
        actuator = Actuator(Means(str(env), apply=command), 0.2)
        brake = await changed(hands, actuator, FORCE_FALLBACK, restarts=False)
        brake, _ = await hands.prove(brake)
        assert (brake.proof, brake.is_alarming) == (Proof.PENDING, False)
        late = braking.time_passed(brake, time.monotonic() + PROOF_WITHIN_S)
        assert (late.proof, late.reason) == (Proof.UNCONFIRMED, NOT_IN_FORCE)


async def test_a_restart_is_over_in_the_new_epoch(gateway: SimProcess) -> None:
    async with hands_on(gateway) as hands:
        before = await hands.boot()
        restart = restarting.new_restart(time.monotonic(), before)
        done = await Actuator(Means(restart=signalled(gateway))).restart()
        restart = restarting.acted(restart, time.monotonic(), done)
        boot_stamp = await hands.new_boot(before)
        restart = restarting.booted(restart, time.monotonic(), boot_stamp)
        assert restart.state is RestartState.BACK


async def test_a_gateway_that_does_not_come_back_is_told(gateway: SimProcess) -> None:
    async with hands_on(gateway) as hands:
        restart = restarting.new_restart(time.monotonic(), await hands.boot())
        done = await Actuator(Means(restart=signalled(gateway, "TERM"))).restart()
        restart = restarting.acted(restart, time.monotonic(), done)
        await hands.gone()
        restart = restarting.looked(restart, time.monotonic(), is_gone=True)
        late = restarting.time_passed(restart, time.monotonic() + RESTART_WITHIN_S)
        assert late.state is RestartState.NOT_BACK
