"""Parsing one value of the settings: each parser raises ValueError with what is wanted instead."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from vp_tui.domain.text import clip, literal
from vp_tui.domain.words import is_word
from vp_tui.gateway.addresses import gateway_url
from vp_tui.gateway.auth import Secret
from vp_tui.gateway.errors import InvalidTarget
from vp_tui.paths import anchored

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from pathlib import Path

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
