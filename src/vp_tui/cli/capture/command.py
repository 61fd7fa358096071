"""`vp-tui capture`: probes where they are asked for, one look, the row, and the log.

`--probes N` is its own confirmation. A probe is never repeated or cancelled; after one that was
given up no further one is sent, as it would queue behind it.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vp_tui.cli.capture.reported import look_at_metrics, output
from vp_tui.cli.capture.row import CaptureOptions, Unstaged, append
from vp_tui.cli.capture.staged import look_staged
from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import narrate, say, told_settings
from vp_tui.cli.wiring import credentials_of
from vp_tui.cli.workers import order_runner, orders_of
from vp_tui.domain.events import AuditFailed, ProbeStepped
from vp_tui.domain.lane.probe import ProbeOutcome, prompt_for
from vp_tui.domain.models import OPS
from vp_tui.domain.orders import RunProbe
from vp_tui.domain.text import took
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.transport import TlsContext
from vp_tui.storage.places import places

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.capture.staged import StageCapture
    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.models import Dialect
    from vp_tui.storage.places import Places


_REASON: Final = "vp-tui capture --probes"
_GIVEN_UP: Final = frozenset({ProbeOutcome.TIMED_OUT, ProbeOutcome.BROKE})


def capture(arguments: Arguments) -> int:
    """Print the figures and the row, and append that; return the exit code.

    Raises ConfigError without an answer of the metrics, and EvidenceError.
    """
    settings = told_settings(arguments).settings
    options, own = CaptureOptions(**arguments.options), places(os.environ)
    if options.probes:
        options = asyncio.run(_drive(settings, options, own, narrate))
    try:
        seen = asyncio.run(_look(settings, options, own))
    except GatewayError as error:
        raise ConfigError(_told(error)) from error
    for warning in (*seen.reported.problems, *seen.doubts()):
        narrate(f"WARNING: {warning}")
    captured = seen.captured(settings, options)
    say(output(seen.reported, captured.suggestion, captured.row))
    if options.append is not None:
        for line in append(own.spool, options.append, captured.row, captured.facts):
            narrate(line)
    return 0


async def _look(
    settings: Settings, options: CaptureOptions, own: Places
) -> Unstaged | StageCapture:
    """Look once, as much as the decision takes. Raises GatewayError, ConfigError."""
    if options.stage_rules is None:
        return Unstaged(await look_at_metrics(settings))
    return await look_staged(settings, Stage(options.stage_rules), options, own)


def _told(error: GatewayError) -> str:
    """Return reason and cure; those of a refusal name the token that the ops plane wants."""
    told = f"{error.failure.reason}; {error.failure.cure}"
    return f"{told} (the token is {OPS})" if error.unauthorized and OPS not in told else told


async def _drive(
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
    narration = _Narration(options.probes, narrate)
    runner = order_runner(settings, client, orders, places, narration.hear)
    try:
        dialect = await _dialect(client)
        prompt = prompt_for(settings.probe.prompt, dialect)
        for left in range(options.probes, 0, -1):
            if narration.was_given_up:
                narrate(f"WARNING: {left} further probes are not sent")
                break
            await runner.carry_out(RunProbe(prompt, dialect, _REASON))
    finally:
        await client.aclose()
    probes = narration.probes
    if not any(probe.was_executed for probe in probes):
        raise ConfigError(f"no probe could be executed: {probes[-1].reason}")
    return replace(options, traffic=options.traffic or Traffic.PROBE, probed=_told_of(probes))


class _Narration:
    """Narrates each step of each probe, with the seconds since it began; and keeps the probes."""

    def __init__(self, count: int, narrate: Callable[[str], None]) -> None:
        self._count = count
        self._narrate = narrate
        self.probes: list[Probe] = []
        """Each as it was told last."""

    @property
    def was_given_up(self) -> bool:
        """Whether the last probe was: a further one would queue behind it."""
        return bool(self.probes) and self.probes[-1].outcome in _GIVEN_UP

    def hear(self, event: Event) -> None:
        """Narrate what is told of a probe; that it cannot be audited is told, and stops nothing."""
        if isinstance(event, ProbeStepped):
            self._stepped(event.probe)
        elif isinstance(event, AuditFailed):
            failure = event.failure
            self._narrate(f"WARNING: not in the audit: {failure.reason}; {failure.cure}")

    def _stepped(self, probe: Probe) -> None:
        is_next = not self.probes or self.probes[-1].is_over
        told = 0 if is_next else len(self.probes.pop().steps)
        self.probes.append(probe)
        name = f"probe {len(self.probes)} of {self._count}"
        for each in probe.steps[told:]:
            detail = f": {each.detail}" if each.detail else ""
            self._narrate(f"{name}: {each.step}{detail} ({took(each.at - probe.began_at)})")
        if probe.is_over:
            warning = "WARNING: " if probe.outcome in _GIVEN_UP else ""
            reason = f": {probe.reason}" if probe.reason else ""
            self._narrate(f"{warning}{name}: {probe.outcome}{reason}")


async def _dialect(client: GatewayClient) -> Dialect | None:
    try:
        return (await client.health()).dialect
    except GatewayError:
        return None


def _told_of(probes: list[Probe]) -> str:
    """Return the probes for the row's notes: how many were delegated, and what became of each."""
    executed = [probe for probe in probes if probe.was_executed]
    delegated = sum(probe.turn is not None and probe.turn.is_delegated for probe in executed)
    fates = ", ".join(sorted({str(probe.outcome) for probe in executed}))
    return f"{delegated} of {len(executed)} probes delegated ({fates})"
