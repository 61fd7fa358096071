"""The grammar of the command line: which commands there are, and what they take."""

from __future__ import annotations

import argparse
from argparse import SUPPRESS
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from vp_tui import __version__
from vp_tui.cli.config.file import hint
from vp_tui.cli.config.settings import SETTINGS
from vp_tui.cli.options import (
    add_capture_options,
    add_doctor_options,
    add_evidence_log,
    add_gateway_options,
    add_scenario,
    add_status_options,
)
from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


_PACE: Final = frozenset({"mission_limit", "event_limit", "interval", "stuck_after"})
_TOKENS: Final = frozenset({"ops_token", "internal_token"})
_CONFIG: Final = "config_file"
_TAKEN: Final[Mapping[str, Collection[str]]] = {
    "demo": {*_PACE, "read_only"},
    "gateway": _TOKENS,
    "capture": {*SETTINGS, _CONFIG}
    - {"interval", "stuck_after", "internal_token", "internal_token_file"}
    # These it has as options of its own: without --stage it decides as the script did.
    - {"evidence", "profile", "stage", "source", "window_label", "window_scope"},
    "evidence": (),
}
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
    vp-tui capture --append evidence_log.md         one look, as a row of it
    vp-tui evidence verify evidence_log.md          is it what was recorded?
    vp-tui config show                              each setting and its origin
    vp-tui doctor                                   what is wrong, what helps

exit codes:
    0    all is well; of status: nothing to do
    1    of status: attention, such as a SAFETY entry, or a source that is down;
         of evidence verify: a MISMATCH; of doctor: something is wrong
    2    usage or configuration error, a log that cannot be read or written;
         of status, doctor and capture: the gateway did not answer
    70   vp-tui crashed; stderr names the report
    130  interrupted; 141: the reader of stdout went away"""
_STATUS_EPILOG: Final = """\
exit codes: 0 nothing to do; 1 attention: a SAFETY entry, a gate FAIL, or a source
that is unauthorized, stale or down while others answer; 2 nothing of the
gateway answered. The status is printed in each case."""
_CAPTURE_EPILOG: Final = """\
One request to the ops plane. The decision follows from the reported values, as
the capture script had it; a --decision that allows more wants a --note. With
--stage it is the one that the screen would suggest in that stage: from the
missions of this epoch, the gates, and the log's rows and records (two requests
more, for session continuity and health). A row that cannot be written into the
log is kept in $XDG_STATE_HOME/vp-tui/spool: the next --append to that log writes
it first.

exit codes: 0; 2 the gateway gave no metrics, or the row could not be written."""
_DOCTOR_EPILOG: Final = """\
Asks each endpoint of the gateway once, and attaches to one session that is in its
memory. Tokens are named with where they come from, never shown.

exit codes: 0 all is well; 1 something is wrong; 2 nothing of the gateway answered."""
_SHOW_EPILOG: Final = "Scope, refs and notes are in --json only."
_VERIFY_EPILOG: Final = """\
Exit codes: 0 each recorded row is as it was; 1 a MISMATCH; 2 the log cannot be
read. Rows without a record, as those written by hand, are unverified."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """A command with what it was given."""

    command: str
    """`watch`, `demo`, `gateway`, `status`, `capture`, or two words: `config show`."""
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
    config_file = given.pop(_CONFIG, None)
    taken = _TAKEN.get(command, {*SETTINGS, _CONFIG})
    odd = [SETTINGS[name].flag for name in flags if name not in taken]
    odd += ["--config"] if config_file is not None and _CONFIG not in taken else []
    if odd:
        commands[command].error(f"{odd[0]} has no effect on this command")
    what = given.pop("what", None)
    return Arguments(f"{command} {what}" if what else command, flags, config_file, given)


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
        "capture": add("capture", "print the metrics and a row for the log", _CAPTURE_EPILOG),
        "evidence": add("evidence", "show or verify an evidence log"),
        "doctor": add("doctor", "find what is wrong, and what helps", _DOCTOR_EPILOG),
        "config": add("config", "show the settings"),
    }
    _add_settings(commands["watch"])
    _add_settings(commands["demo"], _TAKEN["demo"])
    add_scenario(commands["demo"])
    add_gateway_options(commands["gateway"])
    add_status_options(commands["status"])
    _add_settings(commands["status"])
    add_capture_options(commands["capture"])
    _add_settings(commands["capture"], _TAKEN["capture"])
    _add_evidence_commands(commands["evidence"])
    add_doctor_options(commands["doctor"])
    _add_settings(commands["doctor"])
    showing = commands["config"].add_subparsers(dest="what", metavar="show", required=True)
    show = showing.add_parser("show", help="print each setting, its value and its origin")
    _add_settings(show)
    return top, commands


def _add_evidence_commands(parser: _Parser) -> None:
    adding = parser.add_subparsers(dest="what", metavar="COMMAND", required=True)
    show = adding.add_parser("show", help="print its rows", epilog=_SHOW_EPILOG)
    add_evidence_log(show)
    show.add_argument("--json", action="store_true", help="print whole rows as JSON")
    verify = adding.add_parser(
        "verify", help="compare its rows with what was recorded", epilog=_VERIFY_EPILOG
    )
    add_evidence_log(verify)


def _add_settings(parser: _Parser, only: Collection[str] = (*SETTINGS, _CONFIG)) -> None:
    """Add the flags of the settings; a default would hide what was given before the command."""
    group = parser.add_argument_group("settings")
    for name, setting in SETTINGS.items():
        if name not in only or not setting.flag:
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
    if _CONFIG in only:
        group.add_argument(
            "--config",
            dest=_CONFIG,
            metavar="FILE",
            default=SUPPRESS,
            help="read this configuration file",
        )


_SWITCHED_ON: Final[Mapping[str, Any]] = {
    "action": "store_const",
    "const": "true",
    "default": SUPPRESS,
}
