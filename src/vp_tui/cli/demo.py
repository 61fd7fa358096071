"""`vp-tui demo` and `vp-tui gateway`: the embedded gateway, watched or alone."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from vp_tui.cli import watch
from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.config.load import from_flags, settle
from vp_tui.cli.config.settings import Given
from vp_tui.cli.console import narrate_notes
from vp_tui.domain.text import literal
from vp_tui.simulator import process
from vp_tui.simulator.options import SimOptions
from vp_tui.storage.places import Places

if TYPE_CHECKING:
    from vp_tui.cli.arguments import Arguments


def demo(arguments: Arguments) -> int:
    """Watch an embedded gateway, which ends with vp-tui; return the exit code."""
    watch.require_terminal(arguments.command)
    options = SimOptions(**arguments.options).with_default_tokens()
    flags = from_flags(arguments.flags, Path.cwd())
    settle(flags)  # tells of a bad flag before anything starts
    try:
        gateway = process.spawn_gateway(options)
    except RuntimeError as error:
        raise ConfigError(literal(str(error))) from error
    with gateway, TemporaryDirectory(prefix="vp-tui-demo-") as scratch:
        # No other gateway's URL, tokens or evidence: its missions are made up.
        own = {
            "gateway_url": gateway.url,
            "gateway_name": f"demo {options.scenario}",
            "ops_token": options.ops_token,
            "internal_token": options.internal_token,
            "evidence": "evidence_log.md",
        }
        given = {name: Given(text, "demo", Path(scratch)) for name, text in own.items() if text}
        settings = settle(flags | given).settings
        return watch.run_tui(settings, Places(Path(scratch, "state")), ambient=False)


def gateway(arguments: Arguments) -> int:
    """Run the embedded gateway to its end; return the exit code."""
    narrate_notes(settle(from_flags(arguments.flags, Path.cwd())))
    given = {**arguments.options, **arguments.flags}
    exit_with_parent = given.pop("exit_with_parent")
    return process.run_gateway_command(SimOptions(**given), exit_with_parent=exit_with_parent)
