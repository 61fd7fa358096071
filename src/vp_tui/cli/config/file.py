"""The configuration file: TOML that names gateways. Its mistakes are told with file and line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class ConfigKey(NamedTuple):
    """A key of the file: the setting that it is, and what TOML value it takes."""

    setting: str
    kind: Kind = "text"


Kind = Literal["text", "switch", "number", "command", "words"]
Keys: TypeAlias = "Mapping[str, ConfigKey | Keys]"
"""The keys of a table; a key with keys of its own is a table in it."""

GATEWAY_KEYS: Final[Keys] = {
    "url": ConfigKey("gateway_url"),
    "vp_id": ConfigKey("vp_id"),
    "colour": ConfigKey("colour"),
    "read_only": ConfigKey("read_only", "switch"),
    "ops_token_file": ConfigKey("ops_token_file"),
    "internal_token_file": ConfigKey("internal_token_file"),
    "ca_file": ConfigKey("ca_file"),
    "evidence": ConfigKey("evidence"),
    "profile": ConfigKey("profile"),
    "words": ConfigKey("words", "words"),
    "continuity_report": ConfigKey("continuity_report"),
    "brake": {
        "env_file": ConfigKey("brake_env_file"),
        "apply": ConfigKey("brake_apply", "command"),
        "release": ConfigKey("brake_release", "command"),
        "restart": ConfigKey("brake_restart", "command"),
        "timeout_s": ConfigKey("brake_timeout_s", "number"),
        "auto_revert": ConfigKey("auto_revert"),
    },
    "probe": {"prompt": ConfigKey("probe_prompt")},
}
"""The keys of a `[gateways.NAME]` table."""
TOP_KEYS: Final[Keys] = {"alarm": {"command": ConfigKey("alarm_command", "command")}}
"""The tables that hold whichever gateway is watched."""

_TOP_KEYS: Final = ("default_gateway", "gateways", *TOP_KEYS)
_WANTED: Final[Mapping[Kind, str]] = {
    "text": "a text in quotes",
    "switch": "true or false, without quotes",
    "number": "a number, without quotes",
    "command": "a list of texts in quotes, the program first and then each of its arguments, as "
    '["systemctl", "restart", "gateway"]: no shell reads it',
    "words": 'a list of texts in quotes, as ["HOLD_FOR_REVIEW"]',
}
_HEADER: Final = re.compile(r"\s*\[\[?([^]]*)]")
_ASSIGNMENT: Final = re.compile(r"\s*((?:[\w.\s-]|\"[^\"]*\"|'[^']*')+?)\s*=")
_KEY_PART: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[\w-]+")
_ERROR_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)")


class ConfigError(Exception):
    """The settings cannot be used: the message names the cause and the cure, and no secret."""


class Value(NamedTuple):
    """A value as text (a list as JSON), and where it stands as `FILE:LINE`."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class GatewayTable:
    """One `[gateways.NAME]` with the tables in it: its values by setting."""

    name: str
    origin: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What the file says; one that does not exist says nothing."""

    path: Path
    gateways: Mapping[str, GatewayTable]
    default: str | None = None
    common: Mapping[str, Value] = field(default_factory=dict)
    """Values of the tables that belong to no gateway, by setting."""

    def named(self, name: str, origin: str) -> GatewayTable:
        """Return the gateway of that name; `origin` tells who names it. Raises ConfigError."""
        if table := self.gateways.get(name):
            return table
        raise ConfigError(
            f"{origin}: {literal(str(self.path))} has no gateway “{literal(name)}”: "
            + hint(name, self.gateways, f"add a [gateways.{literal(name)}] table with its url")
        )


def read_config_file(path: Path) -> ConfigFile:
    """Read the file whole and check every key and type. Raises ConfigError, FileNotFoundError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{literal(str(path))} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{literal(str(path))} is not UTF-8 text") from None
    import tomllib  # noqa: PLC0415 - most starts have no configuration file

    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_error(path, text, str(error))) from None
    return _Reading(path, text.splitlines()).file(content)


def hint(word: str, known: Iterable[str], otherwise: str, prefix: str = "") -> str:
    """Return the question whether the nearest of `known` was meant, else `otherwise`.

    `prefix` belongs to every one of them and counts for nothing in comparing.
    """
    import difflib  # noqa: PLC0415 - wanted only for a mistake

    nearest = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean “{prefix}{literal(nearest[0])}”?" if nearest else otherwise


def _syntax_error(path: Path, text: str, message: str) -> str:
    found = _ERROR_LINE.search(message)
    line = int(found[1]) if found else text.count("\n") + 1
    reason = _ERROR_LINE.sub("", message).removesuffix(" (at end of document)")
    return f"{literal(str(path))}:{line}: not TOML: {literal(reason)}"


class _Reading:
    """One reading of a file: checks values and finds the lines where they stand."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self._path = path
        self._lines = lines

    def file(self, content: Mapping[str, object]) -> ConfigFile:
        self._check_keys((), content, _TOP_KEYS)
        gateways = self._table(("gateways",), content.get("gateways", {}))
        default = content.get("default_gateway")
        common = {key: value for key, value in content.items() if key in TOP_KEYS}
        file = ConfigFile(
            self._path,
            {name: self._gateway(name, table) for name, table in gateways.items()},
            None if default is None else self._value(("default_gateway",), default, "text").text,
            self._values((), common, TOP_KEYS),
        )
        if file.default is not None:
            file.named(file.default, self._where(("default_gateway",)))
        return file

    def _gateway(self, name: str, value: object) -> GatewayTable:
        at = ("gateways", name)
        table = self._table(at, value)
        values = self._values(at, table, GATEWAY_KEYS)
        if "url" not in table:
            raise ConfigError(
                f"{self._where(at)}: [{_dotted(at)}] has no url: add the gateway's address, "
                'such as url = "https://gateway.example"'
            )
        return GatewayTable(name, self._where(at), values)

    def _values(
        self, at: tuple[str, ...], table: Mapping[str, object], keys: Keys
    ) -> dict[str, Value]:
        """Return the values of a table and of the tables in it, by setting."""
        self._check_keys(at, table, keys)
        found: dict[str, Value] = {}
        for name, value in table.items():
            key, here = keys[name], (*at, name)
            if isinstance(key, ConfigKey):
                found[key.setting] = self._value(here, value, key.kind)
            else:
                found |= self._values(here, self._table(here, value), key)
        return found

    def _check_keys(
        self, at: tuple[str, ...], table: Mapping[str, object], known: Iterable[str]
    ) -> None:
        for key in table:
            if key not in known:
                place = f" in [{_dotted(at)}]" if at else ""
                raise ConfigError(
                    f"{self._where((*at, key))}: unknown key “{literal(key)}”{place}: "
                    + hint(key, known, f"the known ones are {', '.join(known)}")
                )

    def _table(self, at: tuple[str, ...], value: object) -> Mapping[str, object]:
        if isinstance(value, dict):
            return value
        raise ConfigError(f"{self._where(at)}: {_dotted(at)} must be a table: [{_dotted(at)}]")

    def _value(self, at: tuple[str, ...], value: object, kind: Kind) -> Value:
        text = _as_text(value, kind)
        if text is None:
            raise ConfigError(f"{self._where(at)}: {_dotted(at)} must be {_WANTED[kind]}")
        return Value(text, self._where(at))

    def _where(self, at: tuple[str, ...]) -> str:
        """Return `FILE:LINE` of a key or table; the file alone where no line can be found."""
        number = self._line(at)
        return literal(str(self._path)) + (f":{number}" if number else "")

    def _line(self, at: tuple[str, ...]) -> int | None:
        table: tuple[str, ...] = ()
        for number, line in enumerate(self._lines, start=1):
            if header := _HEADER.match(line):
                here = table = _parts(header[1])
            elif assignment := _ASSIGNMENT.match(line):
                here = (*table, *_parts(assignment[1]))
            else:
                continue
            if here[: len(at)] == at:
                return number
        word = re.compile(rf"(?<!\w){re.escape(at[-1])}(?!\w)")  # in an inline table
        return next((n for n, line in enumerate(self._lines, start=1) if word.search(line)), None)


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _KEY_PART.findall(key))


def _dotted(at: Iterable[str]) -> str:
    return literal(".".join(at))


def _as_text(value: object, kind: Kind) -> str | None:
    """Return the value as the settings' parsers read it, None where it is not of that kind."""
    text: str | None = None
    match kind, value:
        case "text", str(text):
            pass
        case "switch", bool():
            text = str(value).lower()
        case "number", bool():  # Python counts it as a number
            pass
        case "number", int() | float():
            text = str(value)
        case (("command" | "words"), list()) if all(isinstance(each, str) for each in value):
            import json  # noqa: PLC0415 - most files have no lists

            text = json.dumps(value, ensure_ascii=False)
    return text
