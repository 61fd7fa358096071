"""What can be set: the settings, how each is given, and how its value is parsed.

A parser raises ValueError with what is wanted instead. The settings are plain dataclasses: they are
read before the first frame, and pydantic's import alone would cost more than `vp-tui config show`
may take.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from vp_tui.domain.text import clip, literal
from vp_tui.domain.vocabulary import Profile, RevertMode, Stage, Traffic, is_word
from vp_tui.gateway.credentials import Secret, gateway_url
from vp_tui.gateway.errors import InvalidTarget
from vp_tui.storage.places import anchored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum


_Word = TypeVar("_Word", bound="StrEnum")

SHORTEST_INTERVAL_S: Final = 0.5
COLOURS: Final = (
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "magenta", "white", "grey",
)  # fmt: skip
"""The names of colours; every other one is given as #rrggbb."""
_HEX_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_SHOWN: Final = 40

_LONGEST_NUMBER: Final = 10
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_SWITCH: Final = {"true": True, "1": True, "yes": True, "on": True} | dict.fromkeys(
    ("false", "0", "no", "off"), False
)


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given: by whom, and the directory that a relative path is meant in."""

    text: str
    origin: str
    base: Path


def gateway_address(given: Given) -> str:
    """Return the base URL without a trailing slash.

    Refuses what would leak or be lost: credentials, a query, a fragment.
    """
    wanted = "http://host:port or https://host is wanted"
    if "@" in given.text:
        raise ValueError(
            f"it holds a user name or password, which would be sent in the place of the gateway's "
            f"tokens; {wanted}, and tokens from UA_OPS_TOKEN and UA_INTERNAL_API_TOKEN"
        )
    if "?" in given.text or "#" in given.text or not _is_visible(given.text):
        raise ValueError(wanted)
    try:
        return gateway_url(given.text)
    except InvalidTarget:
        raise ValueError(wanted) from None


def visible_name(given: Given) -> str:
    """Return the text if every character of it can be seen."""
    if _is_visible(given.text):
        return given.text
    raise ValueError("a name of visible characters is wanted")


def _is_visible(text: str) -> bool:
    return bool(text.strip()) and text == text.strip() == literal(text)


def whole_number(low: int, high: int) -> Callable[[Given], int]:
    """Return a parser of whole numbers in that range."""

    def parse(given: Given) -> int:
        text = given.text.strip()
        is_number = text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER
        if is_number and low <= (number := int(text)) <= high:
            return number
        raise ValueError(f"a whole number from {low} to {high} is wanted")

    return parse


def seconds(low: float, high: float = math.inf) -> Callable[[Given], float]:
    """Return a parser of seconds in that range."""

    def parse(given: Given) -> float:
        try:
            number = float(given.text)
        except ValueError:
            number = math.nan
        if math.isfinite(number) and low <= number <= high:
            return number
        upper = f" to {high:g}" if math.isfinite(high) else " on"
        raise ValueError(f"seconds from {low:g}{upper} are wanted")

    return parse


def file_path(given: Given) -> Path:
    """Return the path, a relative one in the directory it is meant in."""
    if given.text.strip() and "\0" not in given.text:
        return anchored(given.text, given.base)
    raise ValueError("the path of a file is wanted")


def one_of(words: type[_Word]) -> Callable[[Given], _Word]:
    """Return a parser of the words of an enumeration."""

    def parse(given: Given) -> _Word:
        try:
            return words(given.text.strip().lower())
        except ValueError:
            raise ValueError(f"one of {', '.join(words)} is wanted") from None

    return parse


def yes_or_no(given: Given) -> bool:
    """Return the truth value."""
    try:
        return _SWITCH[given.text.strip().lower()]
    except KeyError:
        raise ValueError("true or false is wanted") from None


def token_text(given: Given) -> Secret:
    """Return the token, wrapped so that it shows itself nowhere."""
    if _TOKEN.fullmatch(given.text):
        return Secret(given.text)
    raise ValueError("a token of visible ASCII characters is wanted")


def colour(given: Given) -> str:
    """Return a colour as COLOURS name it or as `#rrggbb`, in small letters."""
    text = given.text.strip().lower()
    if text in COLOURS or _HEX_COLOUR.fullmatch(text):
        return text
    raise ValueError(f"one of {', '.join(COLOURS)} or #rrggbb is wanted")


def prompt(given: Given) -> str:
    """Return what is to be asked, lines and all."""
    if given.text.strip():
        return given.text.strip()
    raise ValueError("a prompt is wanted")


def command(given: Given) -> tuple[str, ...]:
    """Return the arguments of a command that runs without a shell, its program first."""
    arguments = texts(given)
    if arguments and arguments[0].strip() and not any("\0" in each for each in arguments):
        return arguments
    raise ValueError("a command is a list of its arguments, the program first")


def decision_words(given: Given) -> tuple[str, ...]:
    """Return words for the row's decision."""
    words = texts(given)
    for word in words:
        if not is_word(word):
            shown = clip(literal(word), _SHOWN)
            raise ValueError(f"words of capitals, digits and “_” are wanted, and “{shown}” is none")
    return words


def texts(given: Given) -> tuple[str, ...]:
    """Return the texts of a list, which is given as JSON."""
    import json  # noqa: PLC0415 - most settings are no lists

    return tuple(json.loads(given.text))


@dataclass(frozen=True, slots=True)
class Settings:
    """What vp-tui was asked to do; every value has been checked."""

    gateway_url: str = "http://127.0.0.1:8002"
    """Without a trailing slash and without credentials."""
    gateway_name: str = ""
    """The chosen gateway's name in the configuration file; "" when none was chosen."""
    vp_id: str = "vp.coder.primary"
    colour: str = ""
    """Of the gateway's name: one of COLOURS or `#rrggbb`; "" for none of its own."""
    read_only: bool = False
    """Nothing may be changed on the gateway."""
    mission_limit: int = 500
    event_limit: int = 1000
    interval: float = 2.0
    """Seconds between two polls of the metrics."""
    stuck_after: float | None = None
    """Seconds of silence from which on a run is stuck; None: the lane's p95 tells it."""
    evidence: Path | None = Path("evidence_log.md")
    """The evidence log, in the working directory unless told otherwise; None: there is none."""
    profile: Profile = Profile.ROLLOUT
    stage: Stage | None = None
    """None: the evidence log tells it."""
    source: Traffic = Traffic.ORGANIC
    window_label: str = ""
    """Of the window proposed next; "": the evidence log tells it."""
    window_scope: str = ""
    """Of the window proposed next; "": lane, gateway and source."""
    words: tuple[str, ...] = ()
    """Decision words besides those of the rules."""
    continuity_report: Path | None = None
    """JUnit XML of the continuity suites."""
    ops_token_file: Path | None = None
    internal_token_file: Path | None = None
    ca_file: Path | None = None
    allow_insecure: bool = False
    ops_token: Secret | None = None
    internal_token: Secret | None = None
    brake_env_file: Path | None = None
    """The gateway's own, which holds the lane's switches."""
    brake_apply: tuple[str, ...] = ()
    """Forces fallback; as every command here its arguments, () where there is none."""
    brake_release: tuple[str, ...] = ()
    brake_restart: tuple[str, ...] = ()
    brake_timeout_s: float = 60.0
    """Seconds that each of these commands may take."""
    auto_revert: RevertMode = RevertMode.DRY_RUN
    probe_prompt: str = ""
    """"": the prompt that the gateway's generation delegates."""
    alarm_command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting is given. `parse` raises ValueError with what is allowed instead."""

    parse: Callable[[Given], object]
    metavar: str
    help: str
    flag: str = ""
    """"": it is given in the configuration file only."""
    secret: bool = False

    @property
    def is_switch(self) -> bool:
        """Whether its flag takes no value."""
        return not self.metavar


SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType(
    {
        "gateway_url": Setting(gateway_address, "URL", "the gateway", "--gateway-url"),
        "gateway_name": Setting(
            visible_name, "NAME", "a gateway of the configuration file", "--gateway"
        ),
        "vp_id": Setting(visible_name, "ID", "the VP lane", "--vp-id"),
        "colour": Setting(colour, "COLOUR", "of the gateway's name"),
        "read_only": Setting(yes_or_no, "", "send nothing that changes anything", "--read-only"),
        "mission_limit": Setting(
            whole_number(1, 500), "N", "missions in one look, 1 to 500", "--mission-limit"
        ),
        "event_limit": Setting(
            whole_number(1, 1000), "N", "mission events in one look, 1 to 1000", "--event-limit"
        ),
        "interval": Setting(
            seconds(SHORTEST_INTERVAL_S),
            "SECONDS",
            "between two polls of the metrics, 0.5 or more",
            "--interval",
        ),
        "stuck_after": Setting(
            seconds(1),
            "SECONDS",
            "of silence make a run stuck (3 x p95 within 120 to 600)",
            "--stuck-after",
        ),
        "evidence": Setting(
            file_path, "LOG", "the evidence log (evidence_log.md in this directory)", "--evidence"
        ),
        "profile": Setting(
            one_of(Profile), "PROFILE", f"which words: {', '.join(Profile)}", "--profile"
        ),
        "stage": Setting(
            one_of(Stage), "STAGE", f"overrules the log: {', '.join(Stage)}", "--stage"
        ),
        "source": Setting(
            one_of(Traffic), "SOURCE", f"of the window's missions: {', '.join(Traffic)}", "--source"
        ),
        "window_label": Setting(
            visible_name, "TEXT", "of the window proposed next (the log tells it)", "--window-label"
        ),
        "window_scope": Setting(
            visible_name, "TEXT", "of that window (lane, gateway and source)", "--scope"
        ),
        "words": Setting(decision_words, "WORDS", "decision words besides those of the rules"),
        "continuity_report": Setting(file_path, "FILE", "JUnit XML of the continuity suites"),
        "ops_token_file": Setting(
            file_path, "FILE", "holds the token of the ops plane", "--ops-token-file"
        ),
        "internal_token_file": Setting(
            file_path, "FILE", "holds the token of the session plane", "--internal-token-file"
        ),
        "ca_file": Setting(
            file_path, "FILE", "PEM certificates to trust instead of the system's", "--ca-file"
        ),
        "allow_insecure": Setting(
            yes_or_no, "", "send tokens over plain http to another machine", "--allow-insecure"
        ),
        "ops_token": Setting(
            token_text,
            "TOKEN",
            "visible to others: prefer UA_OPS_TOKEN",
            "--ops-token",
            secret=True,
        ),
        "internal_token": Setting(
            token_text,
            "TOKEN",
            "visible to others: prefer UA_INTERNAL_API_TOKEN",
            "--internal-token",
            secret=True,
        ),
        "brake_env_file": Setting(file_path, "FILE", "the gateway's, with the lane's switches"),
        "brake_apply": Setting(command, "COMMAND", "forces fallback"),
        "brake_release": Setting(command, "COMMAND", "ends forced fallback"),
        "brake_restart": Setting(command, "COMMAND", "restarts the gateway"),
        "brake_timeout_s": Setting(seconds(1, 3600), "SECONDS", "that each of them may take"),
        "auto_revert": Setting(
            one_of(RevertMode), "MODE", f"when the trip-wire trips: {', '.join(RevertMode)}"
        ),
        "probe_prompt": Setting(prompt, "PROMPT", "that the lane is probed with"),
        "alarm_command": Setting(command, "COMMAND", "run at each new alarm"),
    }
)
"""Every setting by its field in `Settings`."""
