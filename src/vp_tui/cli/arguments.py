"""The grammar of the command line: which commands there are, and what they take."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from vp_tui import __version__
from vp_tui.cli.config.kinds import WORD, hint, number, whole
from vp_tui.cli.config.settings import SETTINGS
from vp_tui.domain.text import literal
from vp_tui.domain.vocabulary import Profile, Stage, Traffic

if TYPE_CHECKING:
    from argparse import _ActionsContainer as _Group
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence


SCENARIOS: Final = (
    "tour", "clean", "fault", "failed", "stuck", "deaf", "queued", "blind", "bootstrap", "idle",
    "auth", "outage", "flood",
)  # fmt: skip
"""Named here too, so that parsing loads no simulator."""
_PACE: Final = frozenset({"mission_limit", "event_limit", "interval", "stuck_after"})
_RECORDING: Final = frozenset({"record", "redact"})
_CONFIG: Final = "config_file"
_AS_WRITTEN: Final[Mapping[str, Any]] = {
    "formatter_class": RawDescriptionHelpFormatter,
    "allow_abbrev": False,
}
_EVERYTHING: Final = frozenset({*SETTINGS, _CONFIG})
_TAKEN: Final[Mapping[str, Collection[str]]] = {
    "demo": {*_PACE, *_RECORDING, "read_only"},
    "gateway": {name for name, setting in SETTINGS.items() if setting.secret},
    **dict.fromkeys(("status", "doctor", "bundle"), _EVERYTHING - _RECORDING),
    "capture": _EVERYTHING
    - _RECORDING
    - {"interval", "stuck_after", "internal_token", "internal_token_file"}
    # These it has as options of its own: without --stage it decides as the script did.
    - {"evidence", "profile", "stage", "source", "window_label", "window_scope"},
    **dict.fromkeys(("replay", "evidence show", "evidence verify", "config schema"), ()),
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
It attaches to the sessions in memory, which moves the last_event_seq and the
last_activity of each: in a cron job, --no-streams leaves them alone. No run is heard
then: what only a stream tells is null.

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
_REPLAY_EPILOG: Final = """\
Every watch is recorded into $XDG_STATE_HOME/vp-tui/recordings, unless it has
--no-record. A recording is shown as it was seen, by the rules that this vp-tui has;
nothing on the screen acts. ? names the keys that go through time.

exit codes: with --json as of status, at that moment; 2 it is no recording."""
_BUNDLE_EPILOG: Final = """\
What doctor tells, the lane's newest recordings and the newest crash reports, without
tokens. Prompts and logs may be in it: look through it before you send it."""
_SHOW_EPILOG: Final = "Scope, refs and notes are in --json only."
_VERIFY_EPILOG: Final = """\
Exit codes: 0 each recorded row is as it was; 1 a MISMATCH; 2 the log cannot be
read. Rows without a record, as those written by hand, are unverified."""


class _Option(NamedTuple):
    """An option of a command."""

    flag: str
    """As in the help: with the word for its value."""
    help: str
    takes: Callable[[str], Any] | tuple[str, ...] = str
    """What reads its value, or its choices; bool: it has none."""
    dest: str | None = None
    """None: as the flag."""
    default: object = SUPPRESS
    """SUPPRESS: it is absent where it is not given."""


def _mode(text: str) -> str:
    """Return the one way to ask there is. Raises ArgumentTypeError for the script's other one."""
    if text == "http":
        return text
    why = "http is the only one"
    if text == "direct":
        why = (
            "direct ran inside the gateway, on its database, which vp-tui never opens: ask by http"
        )
    raise ArgumentTypeError(why)


_SCENARIO: Final = (
    _Option("--scenario NAME", f"what happens there: {', '.join(SCENARIOS)} (tour)", SCENARIOS),
    _Option("--dialect D", "which generation it is, of February or of August (G1)", ("G1", "G2")),
    _Option("--speed X", "how much faster than life, 0.01 to 1000 (1)", number(0.01, 1000.0).parse),
    _Option("--seed N", "makes the ids repeatable (7)", int),
)
_GATEWAY: Final = (
    _Option("--port N", "0 takes a free one (0)", whole(0, 65535).parse),
    *_SCENARIO,
    _Option(
        "--rate N", "events per second of the scenario flood (200)", number(0.1, 100_000.0).parse
    ),
    _Option("--sessions M", "sessions of the scenario flood (10)", whole(1, 1000).parse),
    _Option(
        "--env-file FILE",
        "KEY=VALUE lines with the lane's flags; read again on SIGUSR1, a restart",
        Path,
    ),
    _Option("--ops-token TOKEN", f"requires this token; {SETTINGS['ops_token'].help}"),
    _Option("--internal-token TOKEN", f"requires this token; {SETTINGS['internal_token'].help}"),
    _Option("--exit-with-parent", SUPPRESS, bool, default=False),
)
_STATUS: Final = (
    _Option("--json", "print the whole status as JSON", bool, default=False),
    _Option(
        "--settle SECONDS",
        "listen so long to streams and logs after the first answers (2)",
        number(0.0, 600.0).parse,
        default=2.0,
    ),
    _Option("--no-streams", "attach to no session: leave no trace in any", bool, default=False),
)
_REPLAY: Final = (
    _Option(
        "--speed X", "how much faster than it was (1)", number(0.01, 1000.0).parse, default=1.0
    ),
    _Option("--at T", "begin there: seconds from the beginning, or a UTC time, as 02:14"),
    _Option("--json", "print the status there, or at the end, as JSON", bool, default=False),
    _Option("--bundled", "play the night on call that vp-tui brings along", bool, default=False),
)
_ROW: Final = (
    _Option(
        "--window-label TEXT",
        "the window (the log's next, else “Shadow window”)",
        dest="window",
    ),
    _Option("--scope TEXT", "the scope (lane, gateway and source)"),
    _Option("--ref TEXT", "where the numbers come from (endpoint and limits)"),
    _Option("--note TEXT", "your words; wanted with a decision that allows more"),
    _Option("--decision WORD", "the row's word instead of the assessment's", WORD.parse),
    _Option(
        "--source",
        f"whose traffic it is: {', '.join(Traffic)} (organic; with --probes probe)",
        tuple(map(str, Traffic)),
        "traffic",
    ),
    _Option(
        "--probes N",
        "run N coding prompts first, one after the other, each in a session of its own: the"
        " configured one, else one that is delegated; the source is then probe",
        whole(1, 20).parse,
    ),
    _Option("--append LOG", "write the row into this log", Path),
    _Option("--mode http", "how to ask; there is no other", _mode),
)
"""What the capture script, which `capture` replaces, takes for its row, and more."""
_RATE, _P95_S = number(0.0, 1.0).parse, number(0.0, 1_000_000.0).parse
_ASSESSMENT: Final = (
    _Option(
        "--stage",
        f"decide by the rules of this stage, as the screen does: {', '.join(Stage)}",
        tuple(map(str, Stage)),
        "stage_rules",
    ),
    _Option(
        "--assessment-profile",
        "the rules that give the decision: rollout or sustained (rollout)",
        tuple(map(str, Profile)),
        "assessment",
    ),
    _Option("--min-missions N", "fewer are no traffic (1)", whole(0, 1_000_000).parse),
    _Option("--max-fallback-watch N", "rate to watch from (0.05)", _RATE, "fallback_watch"),
    _Option("--max-fallback-critical N", "critical rate (0.2)", _RATE, "fallback_critical"),
    _Option("--max-p95-watch-seconds N", "p95 to watch from (45)", _P95_S, "p95_watch_s"),
    _Option("--max-p95-critical-seconds N", "critical p95 (90)", _P95_S, "p95_critical_s"),
)


class Arguments(NamedTuple):
    """A command with what it was given."""

    command: str
    """`watch`, `demo`, `gateway`, `status`, `capture`, or two words: `config show`."""
    flags: Mapping[str, str]
    """The settings given, as text."""
    config_file: str | None
    options: Mapping[str, Any]
    """The command's own options; those not given are absent."""


class _Parser(ArgumentParser):
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
    what = given.pop("what", None)
    name = f"{command} {what}" if what else command
    taken = _TAKEN.get(name, _EVERYTHING)
    odd = [SETTINGS[name].flag for name in flags if name not in taken]
    odd += ["--config"] if config_file is not None and _CONFIG not in taken else []
    if odd:
        commands[command].error(f"{odd[0]} has no effect on this command")
    return Arguments(name, flags, config_file, given)


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    top = _Parser(prog="vp-tui", description=_DESCRIPTION, epilog=_EPILOG, **_AS_WRITTEN)
    top.add_argument("--version", action="version", version=f"vp-tui {__version__}")
    _add_settings(top)
    adding = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def add(name: str, summary: str, epilog: str | None = None) -> _Parser:
        described = f"{summary[0].upper()}{summary[1:]}."
        return adding.add_parser(
            name, help=summary, description=described, epilog=epilog, **_AS_WRITTEN
        )

    _add_settings(add("watch", "watch the gateway on this terminal (the default)"))
    demo = add("demo", "start an embedded gateway and watch it; it ends with vp-tui")
    _add_settings(demo, _TAKEN["demo"])
    _add_options(demo, _SCENARIO)
    _add_options(add("gateway", "run the embedded gateway alone, on 127.0.0.1"), _GATEWAY)
    status = add("status", "print one look at the gateway", _STATUS_EPILOG)
    _add_options(status, _STATUS)
    _add_settings(status)
    replay = add("replay", "play recordings of a watch again", _REPLAY_EPILOG)
    replay.add_argument(
        "files", metavar="FILE", type=Path, nargs="*", help="the parts of one watch's recording"
    )
    _add_options(replay, _REPLAY)
    capture = add("capture", "print the metrics and a row for the log", _CAPTURE_EPILOG)
    _add_options(capture.add_argument_group("row"), _ROW)
    _add_options(capture.add_argument_group("assessment"), _ASSESSMENT)
    _add_settings(capture, _TAKEN["capture"])
    evidence = add("evidence", "show or verify an evidence log")
    logs = evidence.add_subparsers(dest="what", metavar="COMMAND", required=True)
    show = logs.add_parser("show", help="print its rows", epilog=_SHOW_EPILOG)
    told = "compare its rows with what was recorded"
    for each in (show, logs.add_parser("verify", help=told, epilog=_VERIFY_EPILOG)):
        each.add_argument("log", metavar="LOG", type=Path, help="the evidence log, a Markdown file")
    _add_options(show, [_Option("--json", "print whole rows as JSON", bool, default=False)])
    doctor = add("doctor", "find what is wrong, and what helps", _DOCTOR_EPILOG)
    _add_options(doctor, [_Option("--json", "print the diagnosis as JSON", bool, default=False)])
    _add_settings(doctor)
    bundle = add("bundle", "write one file for a bug report", _BUNDLE_EPILOG)
    told = "where to; it must not be there (vp-tui-bundle-TIME.tar.gz)"
    bundle.add_argument("file", metavar="FILE", type=Path, nargs="?", help=told)
    _add_settings(bundle)
    config = add("config", "show the settings, or what can be set")
    shown = config.add_subparsers(dest="what", metavar="show|schema", required=True)
    _add_settings(shown.add_parser("show", help="print each setting, its value and its origin"))
    shown.add_parser("schema", help="print the JSON Schema of the configuration file")
    return top, adding.choices


def _add_settings(parser: _Parser, only: Collection[str] = _EVERYTHING) -> None:
    """Add the flags of the settings; a default would hide what was given before the command."""
    flags = [
        _Option(f"{setting.flag} {setting.metavar}".rstrip(), setting.help, dest=name)
        for name, setting in SETTINGS.items()
        if name in only and setting.flag
    ]
    if _CONFIG in only:
        flags.append(_Option("--config FILE", "read this configuration file", dest=_CONFIG))
    _add_options(parser.add_argument_group("settings"), flags)


def _add_options(group: _Group, options: Iterable[_Option]) -> None:
    for flag, told, takes, dest, default in options:
        word, _, metavar = flag.partition(" ")
        how: dict[str, Any] = {"type": takes, "metavar": metavar}
        if isinstance(takes, tuple):
            how = {"choices": takes, "metavar": metavar or None}
        elif takes is bool:
            how = {"action": "store_true"}
        elif not metavar:
            how = {"action": "store_const", "const": str(not flag.startswith("--no-")).lower()}
        group.add_argument(word, help=told, dest=dest, default=default, **how)
