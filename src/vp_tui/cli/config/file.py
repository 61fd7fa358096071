"""The configuration file: TOML that names gateways. Its mistakes are told with file and line."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from vp_tui.cli.config.kinds import NAME, ConfigError, Setting, hint
from vp_tui.cli.config.settings import GATEWAY_KEYS, TOP_KEYS, Given
from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vp_tui.cli.config.kinds import Kind
    from vp_tui.cli.config.settings import Keys


_STRING: Final = r""" "(?:\\.|[^"\\\n])*" | '[^'\n]*' """
_KEY: Final = rf" (?:{_STRING}|[\w-]+) (?:[ \t]*\.[ \t]* (?:{_STRING}|[\w-]+))* "
_TOKEN: Final = re.compile(
    rf"""
    \#[^\n]*
    | \"""(?:\\.|[^\\])*?\"""\"{{0,2}}
    | '''.*?''''{{0,2}}
    | (?P<key>{_KEY}) [ \t]* =
    | ^[ \t]* (?: \[\[[ \t]*(?P<element>{_KEY})[ \t]*]] | \[[ \t]*(?P<table>{_KEY})[ \t]*] )
    | {_STRING}
    | [\w-]+
    | (?P<opens>[\[{{])
    | (?P<closes>[\]}}])
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
"""All that matters of a TOML file to tell where its keys stand.

A string and a comment are matched whole, so that nothing in them is taken for a key or a header;
a multi-line string may have up to two quotes of its own before those that end it.
"""
_ERROR_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)")


class ConfigFile:
    """What a file says."""

    def __init__(self, path: Path, text: str) -> None:
        """Read `text`, the file's; every key and type is checked. Raises ConfigError."""
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _ERROR_LINE.search(str(error))
            line = found[1] if found else text.count("\n") + 1
            reason = _ERROR_LINE.sub("", str(error)).removesuffix(" (at end of document)")
            raise ConfigError(f"{literal(str(path))}:{line}: not TOML: {literal(reason)}") from None
        self.path = path
        self._lines = key_lines(text)
        self._check_keys((), content, ("default_gateway", "gateways", *TOP_KEYS))
        gateways = self._table(("gateways",), content.get("gateways", {}))
        self.gateways = {name: self._gateway(name, table) for name, table in gateways.items()}
        """The values of each `[gateways.NAME]` with the tables in it, and its name, by setting."""
        at, default = ("default_gateway",), content.get("default_gateway")
        self.default = None if default is None else self._value(at, default, NAME).text
        common = {key: value for key, value in content.items() if key in TOP_KEYS}
        self.given = self._given((), common, TOP_KEYS)
        """What holds for any gateway, by setting."""
        if self.default is not None:
            self.named(self.default, self._where(at))

    def named(self, name: str, origin: str) -> Mapping[str, Given]:
        """Return the gateway of that name; `origin` tells who names it. Raises ConfigError."""
        if table := self.gateways.get(name):
            return table
        raise ConfigError(
            f"{origin}: {literal(str(self.path))} has no gateway “{literal(name)}”: "
            + hint(name, self.gateways, f"add a [gateways.{literal(name)}] table with its url")
        )

    def _gateway(self, name: str, value: object) -> dict[str, Given]:
        at = ("gateways", name)
        given = self._given(at, value, GATEWAY_KEYS)
        if "gateway_url" not in given:
            raise ConfigError(
                f"{self._where(at)}: [{_dotted(at)}] has no url: add the gateway's address, "
                'such as url = "https://gateway.example"'
            )
        return given | {"gateway_name": Given(name, self._where(at), self.path.parent)}

    def _given(self, at: tuple[str, ...], value: object, keys: Keys) -> dict[str, Given]:
        """Return the values of a table and of the tables in it, by setting."""
        table = self._table(at, value)
        self._check_keys(at, table, keys)
        found: dict[str, Given] = {}
        for name, inner in table.items():
            key, here = keys[name], (*at, name)
            if isinstance(key, Setting):
                found[key.name] = self._value(here, inner, key.kind)
            else:
                found |= self._given(here, inner, key)
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

    def _value(self, at: tuple[str, ...], value: object, kind: Kind[Any]) -> Given:
        text = _as_text(value, kind.schema["type"])
        if text is None:
            raise ConfigError(f"{self._where(at)}: {_dotted(at)} must be {kind.toml}")
        return Given(text, self._where(at), self.path.parent)

    def _where(self, at: tuple[str, ...]) -> str:
        """Return `FILE:LINE` of a key or table; the file alone where no line can be found."""
        number = self._lines.get(at)
        return literal(str(self.path)) + (f":{number}" if number else "")


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Return the first line of each table and key, by their names from the top.

    `tomllib` tells no positions. What it has read without an error is read once more here, for
    nothing but its keys: those of tables in an array count as the array's.
    """
    found: dict[tuple[str, ...], int] = {}
    at: tuple[str, ...] = ()
    tables = [at]  # the last header's, and those that are open in a value
    for token in _TOKEN.finditer(text):
        if key := token["key"]:
            at = (*tables[-1], *_parts(key))
        elif (header := token["table"] or token["element"]) and len(tables) == 1:
            at = tables[0] = _parts(header)
        elif token["opens"]:
            tables.append(at)
        elif token["closes"]:
            at = tables.pop()
        line = text.count("\n", 0, token.start()) + 1
        for length in range(1, len(at) + 1):  # where nothing was named, all of them are found
            found.setdefault(at[:length], line)
    return found


def _parts(key: str) -> tuple[str, ...]:
    """Return the names of a dotted key; TOML itself takes off quotes and escapes."""
    parts: list[str] = []
    value: object = tomllib.loads(f"{key} = 0")
    while isinstance(value, dict):
        ((part, value),) = value.items()
        parts.append(part)
    return tuple(parts)


def _dotted(at: Iterable[str]) -> str:
    return literal(".".join(at))


def _as_text(value: object, kind: object) -> str | None:
    """Return a value as the settings' parsers read it, None where it is not of that JSON type."""
    match kind, value:
        case "string", str(text):
            return text
        case "boolean", bool():
            return str(value).lower()
        case (("number" | "integer"), (int() | float())) if not isinstance(value, bool):
            return str(value)
        case "array", list() if all(isinstance(each, str) for each in value):
            return json.dumps(value, ensure_ascii=False)
    return None
