"""The configuration file: TOML that names gateways. Its mistakes are told with file and line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

GATEWAY_KEYS: Final = {
    "url": "gateway_url",
    "vp_id": "vp_id",
    "ops_token_file": "ops_token_file",
    "internal_token_file": "internal_token_file",
    "ca_file": "ca_file",
    "evidence": "evidence",
    "profile": "profile",
}
"""The keys of a `[gateways.NAME]` table, and the setting that each is."""

_TOP_KEYS: Final = ("default_gateway", "gateways")
_HEADER: Final = re.compile(r"\s*\[\[?([^]]*)]")
_ASSIGNMENT: Final = re.compile(r"\s*((?:[\w.\s-]|\"[^\"]*\"|'[^']*')+?)\s*=")
_KEY_PART: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[\w-]+")
_ERROR_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)")


class ConfigError(Exception):
    """The settings cannot be used: the message names the cause and the cure, and no secret."""


@dataclass(frozen=True, slots=True)
class GatewayTable:
    """One `[gateways.NAME]`: its values by setting, and where each stands as `FILE:LINE`."""

    name: str
    origin: str
    values: Mapping[str, str]
    origins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What the file says; one that does not exist says nothing."""

    path: Path
    gateways: Mapping[str, GatewayTable]
    default: str | None = None

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
        file = ConfigFile(
            self._path,
            {name: self._gateway(name, table) for name, table in gateways.items()},
            None if default is None else self._text(("default_gateway",), default),
        )
        if file.default is not None:
            file.named(file.default, self._where(("default_gateway",)))
        return file

    def _gateway(self, name: str, value: object) -> GatewayTable:
        at = ("gateways", name)
        table = self._table(at, value)
        self._check_keys(at, table, GATEWAY_KEYS)
        if "url" not in table:
            raise ConfigError(
                f"{self._where(at)}: [{_dotted(at)}] has no url: add the gateway's address, "
                'such as url = "https://gateway.example"'
            )
        return GatewayTable(
            name,
            self._where(at),
            {GATEWAY_KEYS[key]: self._text((*at, key), text) for key, text in table.items()},
            {GATEWAY_KEYS[key]: self._where((*at, key)) for key in table},
        )

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

    def _text(self, at: tuple[str, ...], value: object) -> str:
        if isinstance(value, str):
            return value
        raise ConfigError(f"{self._where(at)}: {_dotted(at)} must be a text in quotes")

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
