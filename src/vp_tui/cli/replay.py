"""`vp-tui replay`: a recording on the screen, or its status as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import narrate, say
from vp_tui.cli.watch import require_terminal, run_app
from vp_tui.domain.text import counted, literal
from vp_tui.storage.errors import RecordingError
from vp_tui.storage.places import places
from vp_tui.storage.recording_files import BUNDLED, RecordedFile
from vp_tui.views.status import exit_code, status_object
from vp_tui.views.view import View
from vp_tui.worker.commands import NetworkThread
from vp_tui.worker.replay import ReplayWatch
from vp_tui.worker.tape import Tape

if TYPE_CHECKING:
    from vp_tui.cli.arguments import Arguments


def replay(arguments: Arguments) -> int:
    """Play recordings on this terminal, or print the status that they end with."""
    options = arguments.options
    is_json = options["json"]
    if not is_json:
        require_terminal(arguments.command)
    paths = [*options["files"], *[BUNDLED] * options["bundled"]]
    if not paths:
        raise ConfigError("name the FILE of a recording, or give --bundled")
    try:
        tape = Tape([RecordedFile(path) for path in paths], is_shown=not is_json)
    except RecordingError as error:
        raise ConfigError(str(error)) from None
    at = tape.ended_at if is_json else tape.began_at
    if (told := options.get("at")) is not None:
        found = tape.at_told(told)
        if found is None:
            raise ConfigError(f"--at {literal(told)}: seconds or a UTC time is wanted, as 02:14")
        at = min(max(found, tape.began_at), tape.ended_at)
    if is_json:
        view = View(tape.state_after(tape.count_at(at)), at)
        say(json.dumps(status_object(view), indent=2))
        _tell_odd(tape)
        return exit_code(view)
    return _on_screen(tape, at, options["speed"])


def _on_screen(tape: Tape, at: float, speed: float) -> int:
    from vp_tui.ui.watch.replay import ReplayScreen  # noqa: PLC0415 - Textual, when it will be drawn

    network = NetworkThread()
    lane = ReplayWatch(tape, network, places(os.environ))
    lane.player.speed = speed
    lane.player.to_moment(at)
    code = run_app(lane, network, screen=lambda _lane, tones: ReplayScreen(lane, tones))
    _tell_odd(tape)
    return code


def _tell_odd(tape: Tape) -> None:
    for odd in tape.odd:
        narrate(f"WARNING: {odd}")
    if tape.lost:
        narrate(f"WARNING: {counted(tape.lost, 'event')} of the watch were not recorded")
