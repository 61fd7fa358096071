"""The grammar of the command line: which commands there are, and what they take."""

from __future__ import annotations

import argparse
import math
from argparse import SUPPRESS, ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from vp_tui import __version__
from vp_tui.config import SETTINGS
from vp_tui.config_file import hint
from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

SCENARIOS: Final = (
    "tour", "clean", "fault", "failed", "stuck", "deaf", "queued", "blind", "bootstrap", "idle",
    "auth", "outage", "flood",
)  # fmt: skip
"""Named here too, so that parsing loads no simulator."""
SETTLE_S: Final = 2.0
LONGEST_SETTLE_S: Final = 600.0

_PACE: Final = frozenset({"mission_limit", "event_limit", "interval"})
_TOKENS: Final = frozenset({"ops_token", "internal_token"})
_TAKEN: Final[Mapping[str, Collection[str]]] = {"demo": _PACE, "gateway": _TOKENS}
"""The settings that a command takes; one not named here takes all of them and `--config`."""

_DESCRIPTION: Final = """\
Watch a controlled rollout live. Without a command, vp-tui watches the gateway."""
_EPILOG: Final = """\
Each setting is taken from its flag, else from the variable VP_TUI_<SETTING>
(VP_TUI_GATEWAY_URL, VP_TUI_INTERVAL, ...), else from the gateway's table in
$XDG_CONFIG_HOME/vp-tui/config.toml, else it has its default:

    default_gateway = "prod"
    [gateways.prod]
    url = "https://gateway.example"
    ops_token_file = "~/.config/ua/ops"

A token comes from its flag, UA_OPS_TOKEN or UA_INTERNAL_API_TOKEN, its file, or
from .env in the working directory: the first that has it. It is never shown.

examples:
    vp-tui demo                                     see it without a gateway
    vp-tui --gateway-url http://127.0.0.1:8002      watch
    vp-tui --gateway prod --ops-token-file ~/.config/ua/ops
    vp-tui status --json | jq .fallback             one look, for a script
    vp-tui config show                              each setting and its origin

exit codes:
    0    all is well; of status: nothing to do
    1    of status: attention, such as a SAFETY entry, or a source that is down
    2    usage or configuration error; of status: the gateway did not answer
    70   vp-tui crashed; stderr names the report
    130  interrupted; 141: the reader of stdout went away"""
_STATUS_EPILOG: Final = """\
exit codes: 0 nothing to do; 1 attention: a SAFETY entry, a gate FAIL, or a source
that is unauthorized, stale or down while others answer; 2 nothing of the
gateway answered. The status is printed in each case."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command with what it was given."""

    command: str
    """`watch`, `demo`, `gateway`, `status` or `config show`."""
    flags: Mapping[str, str]
    """The settings given, as text."""
    config_file: str | None
    options: Mapping[str, Any]
    """The command's own options; those not given are absent."""


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one safe line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"ERROR: {literal(message)}\nsee `{self.prog} --help`\n")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """End for arguments that nobody knows; only a name is shown: a value may be a secret."""
        flags = [word.partition("=")[0] for word in unknown if word.startswith("-")]
        if not flags:
            self.error(f"unexpected argument: {unknown[0]}")
        nearest = hint(flags[0], self._option_string_actions, "not a flag of this command")
        self.error(f"unknown argument {flags[0]}: {nearest}")


def parse(argv: Sequence[str]) -> Arguments:
    """Return the command that `argv` means. Raises SystemExit for --help, --version and misuse."""
    top, commands = _parsers()
    namespace, unknown = top.parse_known_args(argv)
    given: dict[str, Any] = vars(namespace)
    command = given.pop("command") or "watch"
    if unknown:
        commands[command].refuse(unknown)
    flags = {name: given.pop(name) for name in SETTINGS if name in given}
    config_file = given.pop("config_file", None)
    if command in _TAKEN:
        odd = [SETTINGS[name].flag for name in flags if name not in _TAKEN[command]]
        odd += ["--config"] if config_file is not None else []
        if odd:
            commands[command].error(f"{odd[0]} has no effect on this command")
    given.pop("what", None)
    return Arguments("config show" if command == "config" else command, flags, config_file, given)


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    top = _Parser(
        prog="vp-tui",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"vp-tui {__version__}")
    _add_settings(top)
    adding = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def add(name: str, summary: str, epilog: str | None = None) -> _Parser:
        command: _Parser = adding.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        return command

    commands = {
        "watch": add("watch", "watch the gateway on this terminal (the default)"),
        "demo": add("demo", "start an embedded gateway and watch it; it ends with vp-tui"),
        "gateway": add("gateway", "run the embedded gateway alone, on 127.0.0.1"),
        "status": add("status", "print one look at the gateway", _STATUS_EPILOG),
        "config": add("config", "show the settings"),
    }
    _add_settings(commands["watch"])
    _add_settings(commands["demo"], _PACE)
    _add_scenario(commands["demo"])
    _add_gateway_options(commands["gateway"])
    _add_status_options(commands["status"])
    showing = commands["config"].add_subparsers(dest="what", metavar="show", required=True)
    show = showing.add_parser("show", help="print each setting, its value and its origin")
    _add_settings(show)
    return top, commands


def _add_settings(parser: _Parser, only: Collection[str] = SETTINGS.keys()) -> None:
    """Add the flags of the settings; a default would hide what was given before the command."""
    group = parser.add_argument_group("settings")
    for name, setting in SETTINGS.items():
        if name not in only:
            continue
        if setting.is_switch:
            group.add_argument(setting.flag, dest=name, help=setting.help, **_SWITCHED_ON)
        else:
            group.add_argument(
                setting.flag,
                dest=name,
                help=setting.help,
                metavar=setting.metavar,
                default=SUPPRESS,
            )
    if len(only) == len(SETTINGS):
        group.add_argument(
            "--config",
            dest="config_file",
            metavar="FILE",
            default=SUPPRESS,
            help="read this configuration file",
        )


_SWITCHED_ON: Final[Mapping[str, Any]] = {
    "action": "store_const",
    "const": "true",
    "default": SUPPRESS,
}


def _add_status_options(parser: _Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print the whole status as JSON")
    parser.add_argument(
        "--settle",
        metavar="SECONDS",
        type=_number(0.0, LONGEST_SETTLE_S),
        default=SETTLE_S,
        help="listen so long to streams and logs after the first answers (2)",
    )
    _add_settings(parser)


def _add_scenario(parser: _Parser) -> None:
    parser.add_argument(
        "--scenario",
        metavar="NAME",
        choices=SCENARIOS,
        default=SUPPRESS,
        help=f"what happens there: {', '.join(SCENARIOS)} (tour)",
    )
    parser.add_argument(
        "--speed",
        metavar="X",
        type=_number(0.01, 1000.0),
        default=SUPPRESS,
        help="how much faster than life, 0.01 to 1000 (1)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=SUPPRESS, help="makes the ids repeatable (7)"
    )


def _add_gateway_options(parser: _Parser) -> None:
    parser.add_argument(
        "--port",
        metavar="N",
        type=_whole(0, 65535),
        default=SUPPRESS,
        help="0 takes a free one (0)",
    )
    _add_scenario(parser)
    parser.add_argument(
        "--rate",
        metavar="N",
        type=_number(0.1, 100_000.0),
        default=SUPPRESS,
        help="events per second of the scenario flood (200)",
    )
    parser.add_argument(
        "--sessions",
        metavar="M",
        type=_whole(1, 1000),
        default=SUPPRESS,
        help="sessions of the scenario flood (10)",
    )
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        type=Path,
        default=SUPPRESS,
        help="KEY=VALUE lines with the lane's flags; read again on SIGUSR1, a restart",
    )
    for name, variable in (("ops", "UA_OPS_TOKEN"), ("internal", "UA_INTERNAL_API_TOKEN")):
        parser.add_argument(
            f"--{name}-token",
            metavar="TOKEN",
            default=SUPPRESS,
            help=f"requires this token; visible to others: prefer {variable}",
        )
    parser.add_argument("--exit-with-parent", action="store_true", help=SUPPRESS)


def _whole(low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) <= len(str(high)):
            number = int(text)
            if low <= number <= high:
                return number
        raise ArgumentTypeError(f"a whole number from {low} to {high} is wanted")

    return convert


def _number(low: float, high: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if low <= number <= high:
            return number
        raise ArgumentTypeError(f"a number from {low:g} to {high:g} is wanted")

    return convert
