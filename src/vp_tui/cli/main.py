"""The commands. stdout is data, stderr is narration, exit codes are an API.

The module of a command is imported when it runs: `--version` loads neither Textual nor httpx nor
pydantic, and only the commands that draw load Textual.
"""

from __future__ import annotations

import gc
import io
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from vp_tui.cli.arguments import parse
from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import discard, narrate, open_standard_streams, say
from vp_tui.storage.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXIT_USAGE: Final = 2
EXIT_CRASH: Final = 70
EXIT_INTERRUPTED: Final = 130
EXIT_BROKEN_PIPE: Final = 141

_COMMANDS: Final[Mapping[str, str]] = {
    "watch": "watch.watch",
    "demo": "demo.demo",
    "gateway": "demo.gateway",
    "status": "status.status",
    "replay": "replay.replay",
    "bundle": "bundle.bundle",
    "capture": "capture.capture",
    "evidence show": "show.evidence_show",
    "evidence verify": "show.evidence_verify",
    "config show": "show.config_show",
    "config schema": "show.config_schema",
    "doctor": "doctor.diagnosis.doctor",
}
"""The function of each command, which takes its arguments and returns its exit code."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; `argv` defaults to the process's arguments."""
    words = list(sys.argv[1:] if argv is None else argv)
    open_standard_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may lack a character
    try:
        code = _run(words)
        say("", end="")
    except BrokenPipeError:
        discard(sys.stdout)
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (ConfigError, EvidenceError) as error:
        narrate(f"ERROR: {error}")
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001 - a traceback would show more than the operator needs
        from vp_tui.cli.crash import tell_crash  # noqa: PLC0415 - for a bug only

        tell_crash(error, words)
        return EXIT_CRASH
    return code


def _run(words: Sequence[str]) -> int:
    try:
        arguments = parse(words)
    except SystemExit as leaving:  # argparse has said what it has to say
        return leaving.code if isinstance(leaving.code, int) else EXIT_USAGE
    module, _, function = _COMMANDS[arguments.command].rpartition(".")
    command = getattr(import_module(f"vp_tui.cli.{module}"), function)
    if not gc.isenabled():  # it waited until all was loaded, which stays: nothing to search there
        gc.freeze()
        gc.enable()
    code: int = command(arguments)
    return code
