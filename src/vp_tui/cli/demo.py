"""`vp-tui demo` and `vp-tui gateway`: the embedded gateway, watched or alone."""

from __future__ import annotations

from dataclasses import replace
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
    from collections.abc import Mapping

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings


def demo(arguments: Arguments) -> int:
    """Watch an embedded gateway, which ends with vp-tui; return the exit code."""
    watch.require_terminal(arguments.command)
    options = SimOptions(**arguments.options).with_default_tokens()
    settle(from_flags(arguments.flags, Path.cwd()))  # tells of a bad flag before anything starts
    try:
        gateway = process.spawn_gateway(options)
    except RuntimeError as error:
        raise ConfigError(literal(str(error))) from error
    # Its missions are made up: they belong in nobody's evidence log.
    with gateway, TemporaryDirectory(prefix="vp-tui-demo-") as scratch:
        settings = _demo_settings(arguments.flags, gateway.url, options, Path(scratch))
        return watch.run_tui(settings, Places(Path(scratch, "state")), ambient=False)


def _demo_settings(
    flags: Mapping[str, str], url: str, options: SimOptions, scratch: Path
) -> Settings:
    """Return the settings for a gateway of our own: no other gateway's URL, tokens or evidence."""
    own = {
        "gateway_url": url,
        "gateway_name": f"demo {options.scenario}",
        "ops_token": options.ops_token,
        "internal_token": options.internal_token,
    }
    cwd = Path.cwd()
    given = {name: Given(text, "demo", cwd) for name, text in own.items() if text is not None}
    settled = settle(from_flags(flags, cwd) | given).settings
    return replace(settled, evidence=scratch / "evidence_log.md")


def gateway(arguments: Arguments) -> int:
    """Run the embedded gateway to its end; return the exit code."""
    narrate_notes(settle(from_flags(arguments.flags, Path.cwd())))
    given = {**arguments.options, **arguments.flags}
    exit_with_parent = given.pop("exit_with_parent")
    return process.run_gateway_command(SimOptions(**given), exit_with_parent=exit_with_parent)
