"""`vp-tui capture`: probes where they are asked for, one look, the row, and the log."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from vp_tui.cli.capture.probes import drive
from vp_tui.cli.capture.reported import look_at_metrics, output
from vp_tui.cli.capture.row import CaptureOptions, Unstaged, append
from vp_tui.cli.capture.staged import look_staged
from vp_tui.cli.config.errors import ConfigError
from vp_tui.cli.console import narrate, say, told_settings
from vp_tui.domain.vocabulary import Stage
from vp_tui.gateway.credentials import OPS
from vp_tui.gateway.errors import GatewayError
from vp_tui.storage.places import places

if TYPE_CHECKING:
    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.capture.staged import StageCapture
    from vp_tui.cli.config.settings import Settings
    from vp_tui.storage.places import Places


def capture(arguments: Arguments) -> int:
    """Print the figures and the row, and append that; return the exit code.

    Raises ConfigError without an answer of the metrics, and EvidenceError.
    """
    settings = told_settings(arguments).settings
    options, own = CaptureOptions(**arguments.options), places(os.environ)
    if options.probes:
        options = asyncio.run(drive(settings, options, own, narrate))
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
