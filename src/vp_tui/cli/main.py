"""The commands. stdout is data, stderr is narration, exit codes are an API.

Everything heavy is imported inside the command that needs it: `--version` loads neither Textual nor
httpx nor pydantic, and only the commands that draw load Textual.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vp_tui.cli.arguments import Arguments, parse
from vp_tui.cli.config.file import ConfigError
from vp_tui.cli.config.load import Loaded, from_flags, load, settle, shown_settings
from vp_tui.cli.config.settings import Given, Settings
from vp_tui.domain.text import literal
from vp_tui.gateway.credentials import OPS
from vp_tui.gateway.errors import GatewayError
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.places import Places, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vp_tui.cli.capture.row import CaptureOptions, Unstaged
    from vp_tui.cli.capture.staged import StageCapture
    from vp_tui.simulator.options import SimOptions
    from vp_tui.state.store import Store


EXIT_USAGE: Final = 2
EXIT_CRASH: Final = 70
EXIT_INTERRUPTED: Final = 130
EXIT_BROKEN_PIPE: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; `argv` defaults to the process's arguments."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may lack a character
    try:
        arguments = parse(words)
        code = _COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
    except SystemExit as leaving:  # argparse has said what it has to say
        return leaving.code if isinstance(leaving.code, int) else EXIT_USAGE
    except BrokenPipeError:
        _discard_stdout()
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except (ConfigError, EvidenceError) as error:
        _narrate(f"ERROR: {error}")
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001 - a traceback would show more than the operator needs
        return _crashed(error, words)
    return code


def _watch(arguments: Arguments) -> int:
    _require_terminal(arguments.command)
    return _run_tui(_loaded(arguments).settings, places(os.environ))


def _demo(arguments: Arguments) -> int:
    from vp_tui.simulator.options import SimOptions  # noqa: PLC0415
    from vp_tui.simulator.process import spawn_gateway  # noqa: PLC0415

    _require_terminal(arguments.command)
    options = SimOptions(**arguments.options).with_default_tokens()
    settle(from_flags(arguments.flags, Path.cwd()))  # tells of a bad flag before anything starts
    try:
        gateway = spawn_gateway(options)
    except RuntimeError as error:
        raise ConfigError(literal(str(error))) from error
    # Its missions are made up: they belong in nobody's evidence log.
    with gateway, TemporaryDirectory(prefix="vp-tui-demo-") as scratch:
        settings = _demo_settings(arguments.flags, gateway.url, options, Path(scratch))
        return _run_tui(settings, Places(Path(scratch, "state")), ambient=False)


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


def _gateway(arguments: Arguments) -> int:
    from vp_tui.simulator.options import SimOptions  # noqa: PLC0415
    from vp_tui.simulator.process import run_gateway_command  # noqa: PLC0415

    _narrate_notes(settle(from_flags(arguments.flags, Path.cwd())))
    given = {**arguments.options, **arguments.flags}
    exit_with_parent = given.pop("exit_with_parent")
    options = SimOptions(**given)
    return run_gateway_command(options, exit_with_parent=exit_with_parent)


def _status(arguments: Arguments) -> int:
    import asyncio  # noqa: PLC0415
    import json  # noqa: PLC0415

    from vp_tui.cli.status import look_once, status_text  # noqa: PLC0415
    from vp_tui.views.status import exit_code, status_object  # noqa: PLC0415

    settings = _loaded(arguments).settings
    view = asyncio.run(look_once(settings, arguments.options["settle"]))
    as_json = arguments.options["json"]
    _say(json.dumps(status_object(view), indent=2) if as_json else status_text(view))
    return exit_code(view)


def _config_show(arguments: Arguments) -> int:
    loaded = _loaded(arguments)
    rows = shown_settings(loaded)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    _say("\n".join(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows))
    file = loaded.config_file
    _narrate(f"configuration file: {literal(str(file)) if file else 'none'}")
    return 0


def _doctor(arguments: Arguments) -> int:
    import asyncio  # noqa: PLC0415
    import json  # noqa: PLC0415

    from vp_tui.cli.doctor.diagnosis import as_object, as_text, diagnose  # noqa: PLC0415

    loaded = load(arguments.flags, os.environ, Path.cwd(), arguments.config_file)
    diagnosis = asyncio.run(diagnose(loaded, places(os.environ), os.environ, sys.stdout))
    as_json = arguments.options["json"]
    _say(json.dumps(as_object(diagnosis), indent=2) if as_json else as_text(diagnosis))
    return diagnosis.exit_code


def _capture(arguments: Arguments) -> int:
    from vp_tui.cli.capture.reported import output  # noqa: PLC0415
    from vp_tui.cli.capture.row import CaptureOptions, append  # noqa: PLC0415

    settings = _loaded(arguments).settings
    options, own = CaptureOptions(**arguments.options), places(os.environ)
    if options.probes:
        options = _probed(settings, options, own)
    try:
        seen = _look_to_capture(settings, options, own)
    except GatewayError as error:
        raise ConfigError(_told(error)) from error
    for warning in (*seen.reported.problems, *seen.doubts()):
        _narrate(f"WARNING: {warning}")
    capture = seen.captured(settings, options)
    _say(output(seen.reported, capture.suggestion, capture.row))
    if options.append is not None:
        for line in append(own.spool, options.append, capture.row, capture.facts):
            _narrate(line)
    return 0


def _probed(settings: Settings, options: CaptureOptions, own: Places) -> CaptureOptions:
    """Drive the probes that were asked for. Raises ConfigError when none could be executed."""
    import asyncio  # noqa: PLC0415

    from vp_tui.cli.capture.probes import drive  # noqa: PLC0415

    return asyncio.run(drive(settings, options, own, _narrate))


def _look_to_capture(
    settings: Settings, options: CaptureOptions, own: Places
) -> Unstaged | StageCapture:
    """Look once, as much as the decision takes. Raises GatewayError, ConfigError."""
    import asyncio  # noqa: PLC0415

    if options.stage_rules is None:
        from vp_tui.cli.capture.reported import look_at_metrics  # noqa: PLC0415
        from vp_tui.cli.capture.row import Unstaged  # noqa: PLC0415

        return Unstaged(asyncio.run(look_at_metrics(settings)))
    from vp_tui.cli.capture.staged import look_staged  # noqa: PLC0415
    from vp_tui.domain.vocabulary import Stage  # noqa: PLC0415

    return asyncio.run(look_staged(settings, Stage(options.stage_rules), options, own))


def _told(error: GatewayError) -> str:
    """Return reason and cure; those of a refusal name the token that the ops plane wants."""
    told = f"{error.failure.reason}; {error.failure.cure}"
    return f"{told} (the token is {OPS})" if error.unauthorized and OPS not in told else told


def _evidence_show(arguments: Arguments) -> int:
    import json  # noqa: PLC0415

    from vp_tui.cli.evidence import show, show_text  # noqa: PLC0415

    shown = show(arguments.options["log"])
    if arguments.options["json"]:
        _say(json.dumps(shown, indent=2))
        return 0
    _say(show_text(shown))
    for warning in shown["warnings"]:
        _narrate(f"WARNING: {literal(warning)}")
    return 0


def _evidence_verify(arguments: Arguments) -> int:
    from vp_tui.cli.evidence import verify_report  # noqa: PLC0415

    lines, code = verify_report(arguments.options["log"])
    _say("\n".join(lines))
    return code


_COMMANDS: Final[Mapping[str, Callable[[Arguments], int]]] = {
    "watch": _watch,
    "demo": _demo,
    "gateway": _gateway,
    "status": _status,
    "capture": _capture,
    "evidence show": _evidence_show,
    "evidence verify": _evidence_verify,
    "config show": _config_show,
    "doctor": _doctor,
}


def _run_tui(settings: Settings, places: Places, *, ambient: bool = True) -> int:
    """Watch until the operator leaves. `ambient` lets tokens come from the environment too."""
    # Loading makes many objects and no garbage: collecting would cost a fifth of the time to the
    # first frame. The app collects again once that is on the screen.
    gc.disable()
    from vp_tui.cli.crash import events_noted  # noqa: PLC0415
    from vp_tui.cli.wiring import connect, new_recorder, new_store  # noqa: PLC0415
    from vp_tui.state.store import Mailbox  # noqa: PLC0415
    from vp_tui.ui.app import VpTuiApp  # noqa: PLC0415
    from vp_tui.worker.commands import Commands, NetworkThread  # noqa: PLC0415

    store, mailbox = new_store(settings), Mailbox()
    feeds = partial(connect, settings, mailbox.put, ambient=ambient, places=places, may_revert=True)
    recorder = partial(new_recorder, settings, store, places)
    app = VpTuiApp(store, mailbox, Commands(NetworkThread(feeds), store, recorder, places))
    with events_noted(store):
        try:
            app.run()
        finally:
            _note_pending(store, places)
        if app.crash is not None:
            raise app.crash
    return app.return_code or 0


def _note_pending(store: Store, places: Places) -> None:
    """Audit the cancels whose recovery was still awaited when vp-tui was left."""
    if not store.state.cancels:
        return
    from vp_tui.worker.outcomes import note_left  # noqa: PLC0415

    if problem := note_left(store.state, places.audit):
        _narrate(f"WARNING: {problem.reason}; {problem.cure}")


def _loaded(arguments: Arguments) -> Loaded:
    loaded = load(arguments.flags, os.environ, Path.cwd(), arguments.config_file)
    _narrate_notes(loaded)
    return loaded


def _require_terminal(command: str) -> None:
    for name, stream in (("stdout", sys.stdout), ("stdin", sys.stdin)):
        if not stream.isatty():
            raise ConfigError(
                f"vp-tui {command} draws on a terminal, and {name} is none: "
                "for one look without a terminal use `vp-tui status --json`"
            )


def _narrate_notes(loaded: Loaded) -> None:
    for note in loaded.notes:
        _narrate(f"WARNING: {note}")


def _say(text: str) -> None:
    """Print data. Raises BrokenPipeError, and ConfigError when the place for it is full."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_stdout()
        raise ConfigError(f"stdout cannot be written: {error.strerror}") from error


def _discard_stdout() -> None:
    """Keep what is left in the buffer from failing again when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _narrate(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _crashed(error: Exception, words: Sequence[str]) -> int:
    from vp_tui.cli.crash import crash_report  # noqa: PLC0415

    now = datetime.now(UTC)
    name = type(error).__name__
    try:
        path = crash_report(
            error, argv=words, environ=os.environ, now=now, secrets=_token_values(words)
        )
    except OSError as problem:
        _narrate(f"ERROR: vp-tui crashed ({name}), and no report could be written: {problem}")
    else:
        _narrate(f"ERROR: vp-tui crashed ({name}); the report is {literal(str(path))}")
    return EXIT_CRASH


def _token_values(words: Sequence[str]) -> Iterable[str]:
    """Return the tokens that this command could know, to keep them out of the crash report."""
    values: list[str] = []
    with contextlib.suppress(Exception):  # the bug may be in here
        from vp_tui.cli.wiring import token_values  # noqa: PLC0415

        arguments = parse(words)
        loaded = load(arguments.flags, os.environ, Path.cwd(), arguments.config_file)
        values.extend(token_values(loaded.settings))
    return values
