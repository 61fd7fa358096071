"""Lies that were told of a probe: what it is told by an embedded gateway, and by the recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.recorded import WIRE

from vp_tui.domain.lane.probe import DEFAULT_PROMPTS, Probe, ProbeOutcome, ProbeStep, step_probe
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.lane.switches import FORCE_FALLBACK
from vp_tui.domain.lane.turn_proof import what_it_says
from vp_tui.domain.models import StreamEvent
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import Credentials, TokenSources
from vp_tui.gateway.frames import parse_frame
from vp_tui.gateway.orders import Orders
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect, Mission


@pytest.mark.parametrize(
    ("dialect", "more", "outcome"),
    [
        pytest.param("G1", "", ProbeOutcome.DELEGATED, id="a working lane refused every probe"),
        pytest.param("G2", "", ProbeOutcome.DELEGATED, id="a lane of August did so too"),
        pytest.param(
            "G2",
            " @fake:mission secs=9999 external=1",
            ProbeOutcome.HANDED_ON,
            id="a mission that a worker had yet to do was done",
        ),
    ],
)
async def test_what_a_probe_comes_to(dialect: Dialect, more: str, outcome: ProbeOutcome) -> None:
    """The prompt went under a key that no gateway reads, and the embedded one read it."""
    options = SimOptions(scenario="idle", speed=60.0, dialect=dialect)
    async with running_gateway(options) as driver:
        credentials = Credentials(TokenSources(), base_url=driver.url)
        credentials.read()
        client = GatewayClient(driver.url, "vp.coder.primary", credentials)

        async def missions() -> tuple[Mission, ...]:
            return (await client.metrics()).missions

        prober = Prober(Orders(driver.url, credentials), missions, poll_s=0.01)
        *_, probe = [each async for each in prober.run(DEFAULT_PROMPTS[dialect] + more, dialect)]
        await client.aclose()
    assert probe.outcome is outcome


def test_a_probe_that_forced_fallback_kept_was_said_to_have_no_coding_intent_on_a_g2() -> None:
    steps = (ProbeStep.CREATED, ProbeStep.ATTACHED, ProbeStep.EXECUTED)
    probe = Probe(DEFAULT_PROMPTS["G2"], "G2", 0.0, known=frozenset())
    for at, step in enumerate(steps):
        probe = step_probe(probe, ProofStep(float(at), step, "session_a"))
    for told in (
        builders.processing("(the wrapper's own prompt)"),
        builders.frame("query_complete"),
    ):
        probe = step_probe(probe, StreamEvent(5.0, "session_a", told))
    turn = probe.completed_turn
    assert turn is not None
    assert what_it_says(FORCE_FALLBACK, turn, "G2", is_probe=True)[0] is True


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
