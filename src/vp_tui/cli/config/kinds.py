"""What a setting is, and the kinds of its values: how each is read from text and written in TOML.

A parser takes the text, whoever gave it, and raises KindError.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from argparse import ArgumentTypeError
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from vp_tui.domain.text import clip, literal
from vp_tui.domain.vocabulary import is_word
from vp_tui.gateway.credentials import Secret, gateway_url
from vp_tui.gateway.errors import InvalidTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from enum import StrEnum


_Value = TypeVar("_Value")
_Value_co = TypeVar("_Value_co", covariant=True)
_Word = TypeVar("_Word", bound="StrEnum")

COLOURS: Final = (
    "red", "orange", "yellow", "green", "cyan", "blue", "purple", "magenta", "white", "grey",
)  # fmt: skip
"""The names of colours; every other one is given as #rrggbb."""
_COLOUR: Final = re.compile(rf"{'|'.join(COLOURS)}|#[0-9a-f]{{6}}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_LONGEST_NUMBER: Final = 10
_SHOWN: Final = 40
_SWITCHED: Final = {"true": True, "1": True, "yes": True, "on": True} | dict.fromkeys(
    ("false", "0", "no", "off"), False
)
_BARE_NUMBER: Final = "a number, without quotes"
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}


class ConfigError(Exception):
    """The settings cannot be used: the message names the cause and the cure, and no secret."""


class KindError(ArgumentTypeError):
    """The value is not of its kind: what is wanted instead, in words that argparse shows too."""


class Kind(NamedTuple, Generic[_Value_co]):
    """A kind of values."""

    parse: Callable[[str], _Value_co]
    toml: str = "a text in quotes"
    """How the file has it, in words."""
    schema: Mapping[str, object] = _TEXT
    """The same as JSON Schema; its `type` decides what the file may have there."""


class Setting(NamedTuple):
    """One setting, as it is declared."""

    kind: Kind[Any]
    help: str
    flag: str
    """"": no flag and no variable gives it."""
    metavar: str
    """"": its flag takes no value."""
    name: str
    """What `config show` calls it; its variable is VP_TUI_ and this."""
    in_file: bool
    secret: str
    """The variable that gives a token unseen; "": it is none."""
    path: tuple[str, ...] = ()
    """Its place in `Settings`, which is its key in the file."""


def setting(
    default: _Value,
    kind: Kind[_Value],
    told: str,
    flag: str = "",
    *,
    name: str = "",
    in_file: bool = True,
    secret: str = "",
) -> _Value:
    """Declare a field of the settings: its default, its kind, its help, its flag as in the help.

    `name` is wanted where it is not its key, with the tables that this stands in. No token may
    stand in the file.
    """
    word, _, metavar = flag.partition(" ")
    declared = Setting(kind, told, word, metavar, name, in_file and not secret, secret)
    taken: _Value = field(default=default, metadata={"setting": declared})
    return taken


def whole(low: int, high: int) -> Kind[int]:
    """Return the whole numbers of that range."""

    def parse(text: str) -> int:
        text = text.strip()
        is_number = text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER
        if is_number and low <= (number := int(text)) <= high:
            return number
        raise KindError(f"a whole number from {low} to {high} is wanted")

    return Kind(parse, _BARE_NUMBER, {"type": "integer", "minimum": low, "maximum": high})


def number(
    low: float, high: float = math.inf, wanted: str = "a number from {} is wanted"
) -> Kind[float]:
    """Return the numbers of that range."""
    is_bounded = math.isfinite(high)
    told = wanted.format(f"{low:g} to {high:g}" if is_bounded else f"{low:g} on")

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if low <= number <= high and math.isfinite(number):
            return number
        raise KindError(told)

    most = {"maximum": high} if is_bounded else {}
    return Kind(parse, _BARE_NUMBER, {"type": "number", "minimum": low, **most})


seconds: Final = partial(number, wanted="seconds from {} are wanted")
"""Returns the durations of that range, in seconds."""


def one_of(words: type[_Word]) -> Kind[_Word]:
    """Return the words of an enumeration."""

    def parse(text: str) -> _Word:
        try:
            return words(text.strip().lower())
        except ValueError:
            raise KindError(f"one of {', '.join(words)} is wanted") from None

    return Kind(parse, schema={**_TEXT, "enum": list(words)})


def _text(
    fits: Callable[[str], object], wanted: str, take: Callable[[str], _Value_co]
) -> Callable[[str], _Value_co]:
    """Return a parser that takes the texts that fit."""

    def parse(text: str) -> _Value_co:
        if fits(text):
            return take(text)
        raise KindError(f"{wanted} is wanted")

    return parse


def _is_visible(text: str) -> bool:
    return bool(text.strip()) and text == text.strip() == literal(text)


def _url(text: str) -> str:
    """Refuse what would leak or be lost: credentials, a query, a fragment."""
    wanted = "http://host:port or https://host is wanted"
    if "@" in text:
        raise KindError(
            f"it holds a user name or password, which would be sent in the place of the gateway's "
            f"tokens; {wanted}, and tokens from UA_OPS_TOKEN and UA_INTERNAL_API_TOKEN"
        )
    if "?" in text or "#" in text or not _is_visible(text):
        raise KindError(wanted)
    try:
        return gateway_url(text)
    except InvalidTarget:
        raise KindError(wanted) from None


def _switch(text: str) -> bool:
    if (switched := _SWITCHED.get(text.strip().lower())) is None:
        raise KindError("true or false is wanted")
    return switched


def _command(text: str) -> tuple[str, ...]:
    arguments = tuple(json.loads(text))
    if arguments and arguments[0].strip() and not any("\0" in each for each in arguments):
        return arguments
    raise KindError("a command is a list of its arguments, the program first")


def _words(text: str) -> tuple[str, ...]:
    words = tuple(json.loads(text))
    for word in words:
        if not is_word(word):
            shown = clip(literal(word), _SHOWN)
            raise KindError(f"words of capitals, digits and “_” are wanted, and “{shown}” is none")
    return words


URL: Final = Kind(_url)
"""Base URLs, without a trailing slash."""
NAME: Final = Kind(_text(_is_visible, "a name of visible characters", str))
WORD: Final = Kind(_text(is_word, "a word of capitals, digits and “_”", str))
PATH: Final = Kind(
    _text(lambda text: text.strip() and "\0" not in text, "the path of a file", Path)
)
"""A relative path is meant in the directory of whoever gives it."""
PROMPT: Final = Kind(_text(str.strip, "a prompt", str.strip))
TOKEN: Final = Kind(_text(_TOKEN.fullmatch, "a token of visible ASCII characters", Secret))
"""Tokens are wrapped so that they show themselves nowhere."""
COLOUR: Final = Kind(
    _text(
        lambda text: _COLOUR.fullmatch(text.strip().lower()),
        f"one of {', '.join(COLOURS)} or #rrggbb",
        lambda text: text.strip().lower(),
    )
)
SWITCH: Final = Kind(_switch, "true or false, without quotes", {"type": "boolean"})
COMMAND: Final = Kind(
    _command,
    "a list of texts in quotes, the program first and then each of its arguments, as "
    '["systemctl", "restart", "gateway"]: no shell reads it',
    {**_TEXTS, "minItems": 1},
)
"""A command runs without a shell; it is given as the JSON list of its arguments."""
WORDS: Final = Kind(_words, 'a list of texts in quotes, as ["HOLD_FOR_REVIEW"]', _TEXTS)
"""Words for the row's decision, given as a JSON list."""


def hint(word: str, known: Iterable[str], otherwise: str, prefix: str = "") -> str:
    """Return the question whether the nearest of `known` was meant, else `otherwise`.

    `prefix` belongs to every one of them and counts for nothing in comparing.
    """
    nearest = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean “{prefix}{literal(nearest[0])}”?" if nearest else otherwise
