"""`vp-tui watch`: what is checked before anything is drawn, and the way to the screen."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from vp_tui.cli.config.errors import ConfigError
from vp_tui.cli.console import told_settings
from vp_tui.storage.places import places

if TYPE_CHECKING:
    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings
    from vp_tui.storage.places import Places


def watch(arguments: Arguments) -> int:
    """Watch the gateway; return the exit code."""
    require_terminal(arguments.command)
    return run_tui(told_settings(arguments).settings, places(os.environ))


def require_terminal(command: str) -> None:
    """Raise ConfigError where a command cannot draw."""
    for name, stream in (("stdout", sys.stdout), ("stdin", sys.stdin)):
        if not stream.isatty():
            raise ConfigError(
                f"vp-tui {command} draws on a terminal, and {name} is none: "
                "for one look without a terminal use `vp-tui status --json`"
            )


def run_tui(settings: Settings, places: Places, *, ambient: bool = True) -> int:
    """Watch until the operator leaves. `ambient` lets tokens come from the environment too."""
    # Loading makes many objects and no garbage: collecting would cost a fifth of the time to the
    # first frame. The app collects again once that is on the screen.
    gc.disable()
    from vp_tui.cli.tui import show_screen  # noqa: PLC0415 - Textual, when it will be drawn

    return show_screen(settings, places, ambient=ambient)
