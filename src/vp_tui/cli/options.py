"""What each command takes besides the settings."""

from __future__ import annotations

import math
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vp_tui.domain.vocabulary import is_word

if TYPE_CHECKING:
    from collections.abc import Callable


SCENARIOS: Final = (
    "tour", "clean", "fault", "failed", "stuck", "deaf", "queued", "blind", "bootstrap", "idle",
    "auth", "outage", "flood",
)  # fmt: skip
"""Named here too, so that parsing loads no simulator."""
SETTLE_S: Final = 2.0
LONGEST_SETTLE_S: Final = 600.0
PROFILES: Final = ("rollout", "sustained")
SOURCES: Final = ("organic", "probe", "synthetic", "fault-injected")
STAGES: Final = ("shadow", "limited", "broadened", "sustained", "reverted", "blocked")
"""Named here too, as the scenarios, for parsing loads no rules."""
MOST_PROBES: Final = 20
_MOST_MISSIONS: Final = 1_000_000
_MOST_SECONDS: Final = 1_000_000.0


def add_status_options(parser: ArgumentParser) -> None:
    """Add what `status` takes."""
    parser.add_argument("--json", action="store_true", help="print the whole status as JSON")
    parser.add_argument(
        "--settle",
        metavar="SECONDS",
        type=number(0.0, LONGEST_SETTLE_S),
        default=SETTLE_S,
        help="listen so long to streams and logs after the first answers (2)",
    )


def add_doctor_options(parser: ArgumentParser) -> None:
    """Add what `doctor` takes."""
    parser.add_argument("--json", action="store_true", help="print the diagnosis as JSON")


def add_scenario(parser: ArgumentParser) -> None:
    """Add what chooses the embedded gateway's story."""
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
        type=number(0.01, 1000.0),
        default=SUPPRESS,
        help="how much faster than life, 0.01 to 1000 (1)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=SUPPRESS, help="makes the ids repeatable (7)"
    )


def add_gateway_options(parser: ArgumentParser) -> None:
    """Add what `gateway` takes."""
    parser.add_argument(
        "--port",
        metavar="N",
        type=whole(0, 65535),
        default=SUPPRESS,
        help="0 takes a free one (0)",
    )
    add_scenario(parser)
    parser.add_argument(
        "--rate",
        metavar="N",
        type=number(0.1, 100_000.0),
        default=SUPPRESS,
        help="events per second of the scenario flood (200)",
    )
    parser.add_argument(
        "--sessions",
        metavar="M",
        type=whole(1, 1000),
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


def add_evidence_log(parser: ArgumentParser) -> None:
    """Add the log that `evidence` reads."""
    parser.add_argument("log", metavar="LOG", type=Path, help="the evidence log, a Markdown file")


def add_capture_options(parser: ArgumentParser) -> None:
    """Add the flags of the capture script that `capture` replaces, and its own."""
    _add_row_options(parser)
    group = parser.add_argument_group("assessment")
    group.add_argument(
        "--stage",
        dest="stage_rules",
        choices=STAGES,
        default=SUPPRESS,
        help=f"decide by the rules of this stage, as the screen does: {', '.join(STAGES)}",
    )
    group.add_argument(
        "--assessment-profile",
        dest="assessment",
        choices=PROFILES,
        default=SUPPRESS,
        help="the rules that give the decision: rollout or sustained (rollout)",
    )
    for flag, name, kind, what in (
        ("--min-missions", "min_missions", whole(0, _MOST_MISSIONS), "fewer are no traffic (1)"),
        ("--max-fallback-watch", "fallback_watch", number(0, 1), "rate to watch from (0.05)"),
        ("--max-fallback-critical", "fallback_critical", number(0, 1), "critical rate (0.2)"),
        ("--max-p95-watch-seconds", "p95_watch_s", _SECONDS, "p95 to watch from (45)"),
        ("--max-p95-critical-seconds", "p95_critical_s", _SECONDS, "critical p95 (90)"),
    ):
        group.add_argument(flag, dest=name, metavar="N", type=kind, default=SUPPRESS, help=what)


def _add_row_options(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("row")
    for flag, dest, metavar, what in (
        ("--window-label", "window", "TEXT", "the window (the log's next, else “Shadow window”)"),
        ("--scope", "scope", "TEXT", "the scope (lane, gateway and source)"),
        ("--ref", "ref", "TEXT", "where the numbers come from (endpoint and limits)"),
        ("--note", "note", "TEXT", "your words; wanted with a decision that allows more"),
    ):
        group.add_argument(flag, dest=dest, metavar=metavar, default=SUPPRESS, help=what)
    group.add_argument(
        "--decision",
        metavar="WORD",
        type=_word,
        default=SUPPRESS,
        help="the row's word instead of the assessment's",
    )
    group.add_argument(
        "--source",
        dest="traffic",
        choices=SOURCES,
        default=SUPPRESS,
        help=f"whose traffic it is: {', '.join(SOURCES)} (organic; with --probes probe)",
    )
    group.add_argument(
        "--probes",
        metavar="N",
        type=whole(1, MOST_PROBES),
        default=SUPPRESS,
        help="run N coding prompts first, one after the other, each in a session of its own: the"
        " configured one, else one that is delegated; the source is then probe",
    )
    group.add_argument(
        "--append", metavar="LOG", type=Path, default=SUPPRESS, help="write the row into this log"
    )
    group.add_argument(
        "--mode", choices=("http",), default=SUPPRESS, help="how to ask; there is no other"
    )


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers in that range."""

    def convert(text: str) -> int:
        if text.isascii() and text.isdecimal() and len(text) <= len(str(high)):
            number = int(text)
            if low <= number <= high:
                return number
        raise ArgumentTypeError(f"a whole number from {low} to {high} is wanted")

    return convert


def number(low: float, high: float) -> Callable[[str], float]:
    """Return a parser of numbers in that range."""

    def convert(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if low <= number <= high:
            return number
        raise ArgumentTypeError(f"a number from {low:g} to {high:g} is wanted")

    return convert


def _word(text: str) -> str:
    if is_word(text):
        return text
    raise ArgumentTypeError("a word of capitals, digits and “_” is wanted")


_SECONDS: Final = number(0.0, _MOST_SECONDS)
