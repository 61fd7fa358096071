"""`vp-tui config show` and `vp-tui config schema`: what is set, and what can be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from vp_tui.cli.config.kinds import Setting
from vp_tui.cli.config.load import value_of
from vp_tui.cli.config.settings import GATEWAY_KEYS, SETTINGS, TOP_KEYS, Settings
from vp_tui.cli.console import narrate, say, told_settings
from vp_tui.domain.text import literal
from vp_tui.gateway.credentials import Secret

if TYPE_CHECKING:
    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.load import Loaded
    from vp_tui.cli.config.settings import Keys


class ShownSetting(NamedTuple):
    """One setting, in words."""

    name: str
    value: str
    origin: str


def config_show(arguments: Arguments) -> int:
    """Print every setting with where it came from; return the exit code."""
    loaded = told_settings(arguments)
    rows = shown_settings(loaded)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    say("\n".join(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows))
    file = loaded.config_file
    narrate(f"configuration file: {literal(str(file)) if file else 'none'}")
    return 0


def config_schema(_arguments: Arguments) -> int:
    """Print what the configuration file may say; return the exit code."""
    say(json.dumps(schema(), indent=2))
    return 0


def shown_settings(loaded: Loaded) -> list[ShownSetting]:
    """Return every setting with where it came from; a token is never shown."""
    return [
        ShownSetting(name, _shown(value_of(loaded.settings, name)), loaded.origins[name])
        for name in SETTINGS
    ]


def _shown(value: object) -> str:
    if value in {None, "", ()}:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        value = ", ".join(f'"{each}"' for each in value)
        return literal(f"[{value}]")
    return "(hidden)" if isinstance(value, Secret) else literal(str(value))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration file."""
    gateway = {**_schema(GATEWAY_KEYS), "required": ["url"]}
    del gateway["properties"]["url"]["default"]  # each has its own
    top = _schema(TOP_KEYS)
    gateways = {
        "default_gateway": {"type": "string", "description": "the gateway that is watched"},
        "gateways": {"type": "object", "additionalProperties": gateway},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vp-tui's configuration file",
        **top,
        "properties": gateways | top["properties"],
    }


def _schema(keys: Keys) -> dict[str, Any]:
    properties = {
        key: _property(inner) if isinstance(inner, Setting) else _schema(inner)
        for key, inner in keys.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _property(setting: Setting) -> dict[str, Any]:
    unit = "seconds " if setting.metavar == "SECONDS" else ""  # begins the sentence in the help
    told = {**setting.kind.schema, "description": f"{unit}{setting.help}"}
    default = value_of(Settings(), setting.name)
    has_one = isinstance(default, bool | int | float | str) and default != ""
    return told | {"default": default} if has_one else told
