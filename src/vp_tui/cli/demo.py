"""`vp-tui demo` and `vp-tui gateway`: the embedded gateway, watched or alone.

The demo brings what an operator would have configured: an env file, what restarts the gateway, and
in the scenario `auth` files with tokens. All of it is scratch, and gone with the demo.
"""

from __future__ import annotations

import json
from functools import partial
from itertools import chain
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vp_tui.cli import watch
from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.config.load import from_flags, settle
from vp_tui.cli.config.settings import Given
from vp_tui.cli.console import narrate_notes
from vp_tui.cli.wiring import watch_of
from vp_tui.domain.text import literal
from vp_tui.simulator import process
from vp_tui.simulator.options import SimOptions
from vp_tui.storage.places import Places, here
from vp_tui.views.actions import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings


EXPIRED: Final = "expired"
"""What the scratch file of the ops token holds at first: the demo's gateway refuses it."""
STUCK_AFTER_S: Final = 20
"""Of silence make a run stuck in the scenarios that show it."""
_ENV: Final = """\
# The demo's gateway reads this when it starts.
UA_ENABLE_CODER_VP=1
"""


def demo(arguments: Arguments) -> int:
    """Watch an embedded gateway, which ends with vp-tui; return the exit code."""
    watch.require_terminal(arguments.command)
    flags = from_flags(arguments.flags, here())
    settle(flags)  # tells of a bad flag before anything starts
    with TemporaryDirectory(prefix="vp-tui-demo-") as scratch:
        env_file = Path(scratch, "gateway.env")
        env_file.write_text(_ENV)
        options = SimOptions(**arguments.options, env_file=env_file).with_default_tokens()
        with _spawned(options) as gateway:
            own = own_settings(options, gateway, Path(scratch))
            given = {name: Given(text, "demo", Path(scratch)) for name, text in own.items()}
            settings = settle({**_usual(options, Path(scratch)), **flags, **given}).settings
            story = chain(_first_told(options, settings), gateway.story())
            places = Places(Path(scratch, "state"))
            gone = partial(rmtree, scratch, ignore_errors=True)
            return watch.run_tui(settings, places, ambient=False, story=story, at_end=gone)


def _usual(options: SimOptions, scratch: Path) -> dict[str, Given]:
    """Return what a flag may have otherwise: where runs hang, nobody wants to wait for long."""
    if options.scenario not in {"stuck", "deaf"}:
        return {}
    return {"stuck_after": Given(str(STUCK_AFTER_S), "demo", scratch)}


def _spawned(options: SimOptions) -> process.SimProcess:
    try:
        return process.spawn_gateway(options)
    except RuntimeError as error:
        raise ConfigError(literal(str(error))) from error


def own_settings(options: SimOptions, gateway: process.SimProcess, scratch: Path) -> dict[str, str]:
    """Return the demo's settings: no other gateway's URL, tokens, hands or evidence."""
    restart = json.dumps(["sh", "-c", f"kill -USR1 {gateway.pid}"])
    own = {
        "gateway_url": gateway.url,
        "gateway_name": f"demo {options.scenario}",
        "evidence": "evidence_log.md",
        "brake_env_file": str(options.env_file),
        "brake_apply": restart,
        "brake_release": restart,
        "brake_restart": restart,
    }
    if options.ops_token and options.internal_token:
        tokens = {"ops_token": EXPIRED, "internal_token": options.internal_token}
        for name, token in tokens.items():
            file = scratch / name
            file.touch(mode=0o600)
            file.write_text(f"{token}\n")
            own[f"{name}_file"] = str(file)
    return own


def _first_told(options: SimOptions, settings: Settings) -> Iterator[str]:
    """Yield what only this side of the demo knows: how a refused token is mended."""
    if settings.ops_token_file is not None:
        key = key_of(watch_of(settings), "read-tokens")
        yield f"[{key}] after: echo {options.ops_token} > {settings.ops_token_file}"


def gateway(arguments: Arguments) -> int:
    """Run the embedded gateway to its end; return the exit code."""
    narrate_notes(settle(from_flags(arguments.flags, here())))
    given = {**arguments.options, **arguments.flags}
    exit_with_parent = given.pop("exit_with_parent")
    return process.run_gateway_command(SimOptions(**given), exit_with_parent=exit_with_parent)
