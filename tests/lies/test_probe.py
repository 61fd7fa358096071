"""Lies that were told of a probe: what it is told by an embedded gateway, and by the recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.support.recorded import WIRE

from vp_tui.domain.lane.probe import DEFAULT_PROMPTS, Probe, ProbeOutcome, step_probe
from vp_tui.domain.models import StreamEvent
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.orders import Orders
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from vp_tui.domain.models import Mission


async def test_a_working_lane_was_said_to_refuse_every_probe() -> None:
    """The prompt went under a key that no gateway reads, and the embedded one read it."""
    async with running_gateway(SimOptions(scenario="idle", speed=60.0)) as driver:
        credentials = Credentials(TokenSources(), base_url=driver.url)
        credentials.read()
        client = GatewayClient(driver.url, "vp.coder.primary", credentials)

        async def missions() -> tuple[Mission, ...]:
            return (await client.metrics()).missions

        prober = Prober(Orders(driver.url, credentials), missions, poll_s=0.01)
        *_, probe = [each async for each in prober.run(DEFAULT_PROMPTS["G1"], "G1")]
        await client.aclose()
    assert probe.outcome is ProbeOutcome.DELEGATED


@pytest.mark.parametrize(
    "name", ["r01_ws_execute_without_user_input", "g2/f01_execute_without_user_input"]
)
def test_a_refused_prompt_is_told_in_the_gateways_words(name: str) -> None:
    probe = Probe("write code", None, 0.0, session_id="session_a")
    for line in (WIRE / f"{name}.jsonl").read_text().splitlines():
        record = json.loads(line)
        if "msg" in record:
            frame = parse_frame(json.dumps(record["msg"]))
            probe = step_probe(probe, StreamEvent(record["_t"], "session_a", frame))
    assert probe.outcome is ProbeOutcome.BROKE
    assert "Empty user_input" in probe.reason
