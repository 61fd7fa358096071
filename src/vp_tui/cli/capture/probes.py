"""`vp-tui capture --probes N`: drives a window's traffic before it looks, one probe at a time.

The flag is the confirmation. A probe is never repeated or cancelled; after one that was given up no
further one is sent, as it would queue behind it.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from vp_tui.cli.config.errors import ConfigError
from vp_tui.cli.wiring import credentials_of
from vp_tui.cli.workers import orders_of
from vp_tui.domain.audit import ActionRecord
from vp_tui.domain.lane.probe import Probe, ProbeOutcome, prompt_for
from vp_tui.domain.vocabulary import Traffic
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.transport import TlsContext
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.errors import AuditError
from vp_tui.storage.places import actor
from vp_tui.worker.orders import PROBE, probe_steps
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.cli.capture.row import CaptureOptions
    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.models import Dialect, Mission
    from vp_tui.gateway.orders import Orders
    from vp_tui.storage.places import Places


_REASON: Final = "vp-tui capture --probes"
_GIVEN_UP: Final = frozenset({ProbeOutcome.TIMED_OUT, ProbeOutcome.BROKE})


async def drive(
    settings: Settings, options: CaptureOptions, places: Places, narrate: Callable[[str], None]
) -> CaptureOptions:
    """Run `options.probes` probes and return the options for what is captured then.

    Raises ConfigError in read-only mode, and when not one of them could be executed.
    """
    credentials = credentials_of(settings, ambient=True)
    for problem in credentials.read().problems:
        narrate(f"WARNING: {problem}")
    tls = TlsContext(settings.url, settings.ca_file)
    orders = orders_of(settings, credentials, tls)
    if orders is None:
        raise ConfigError(
            "read-only: --probes would run turns on the gateway: leave one of them out"
        )
    client = GatewayClient(settings.url, settings.vp_id, credentials, tls=tls)
    try:
        probes = await _drive(client, orders, settings, options.probes, places.audit, narrate)
    finally:
        await client.aclose()
    if not any(probe.was_executed for probe in probes):
        raise ConfigError(f"no probe could be executed: {probes[-1].reason}")
    return replace(options, traffic=options.traffic or Traffic.PROBE, probed=_told(probes))


async def _drive(
    client: GatewayClient,
    orders: Orders,
    settings: Settings,
    count: int,
    audit: Path,
    narrate: Callable[[str], None],
) -> list[Probe]:
    async def missions() -> tuple[Mission, ...]:
        return (await client.metrics()).missions

    dialect = await _dialect(client)
    prompt = prompt_for(settings.probe.prompt, dialect)
    prober, probes = Prober(orders, missions), list[Probe]()
    while len(probes) < count:
        name = f"probe {len(probes) + 1} of {count}"
        probe = await _probe(prober, prompt, dialect, name, narrate)
        probes.append(probe)
        _audit(audit, settings.url, probe, narrate)
        if probe.outcome in _GIVEN_UP and len(probes) < count:
            narrate(f"WARNING: {count - len(probes)} further probes are not sent")
            break
    return probes


async def _dialect(client: GatewayClient) -> Dialect | None:
    try:
        return (await client.health()).dialect
    except GatewayError:
        return None


async def _probe(
    prober: Prober, prompt: str, dialect: Dialect | None, name: str, narrate: Callable[[str], None]
) -> Probe:
    """Run one probe and narrate each of its steps, with the seconds since it began."""
    told = 0
    async with aclosing(prober.run(prompt, dialect)) as probes:
        async for probe in probes:
            for each in probe.steps[told:]:
                detail = f": {each.detail}" if each.detail else ""
                narrate(f"{name}: {each.step}{detail} ({each.at - probe.began_at:.1f} s)")
            told = len(probe.steps)
    warning = "WARNING: " if probe.outcome in _GIVEN_UP else ""
    narrate(f"{warning}{name}: {probe.outcome}{': ' if probe.reason else ''}{probe.reason}")
    return probe


def _audit(path: Path, target: str, probe: Probe, narrate: Callable[[str], None]) -> None:
    """Write the probe down; that this cannot be done is told, and stops nothing."""
    wall, now = datetime.now(UTC), time.monotonic()
    steps = probe_steps(probe, now, wall)
    began = wall - timedelta(seconds=now - probe.began_at)
    named = probe.session_id or target
    record = ActionRecord(began, actor(), PROBE, named, _REASON, steps, str(probe.outcome))
    try:
        append_action(path, record)
    except AuditError as error:
        narrate(f"WARNING: not in the audit: {error}")


def _told(probes: list[Probe]) -> str:
    """Return the probes for the row's notes: how many were delegated, and what became of each."""
    executed = [probe for probe in probes if probe.was_executed]
    delegated = sum(probe.turn is not None and probe.turn.is_delegated for probe in executed)
    fates = ", ".join(sorted({str(probe.outcome) for probe in executed}))
    return f"{delegated} of {len(executed)} probes delegated ({fates})"
