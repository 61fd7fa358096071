"""Loads the settings, each with its origin: flags > environment > file > defaults.

They can be shown too, each with where it came from; a token is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.cli.config.file import ConfigError, ConfigFile, GatewayTable, hint, read_config_file
from vp_tui.cli.config.settings import SETTINGS, Given, Settings
from vp_tui.domain.text import clip, literal
from vp_tui.gateway.credentials import Secret
from vp_tui.storage.places import anchored, default_config_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


ENVIRONMENT_PREFIX: Final = "VP_TUI_"
DEFAULT_ORIGIN: Final = "default"
_SHOWN: Final = 80
_SHOW: Final = "vp-tui config show"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings and, per field, where the value came from."""

    settings: Settings
    origins: Mapping[str, str]
    notes: tuple[str, ...] = ()
    """What the operator should be told, though it stops nothing."""
    config_file: Path | None = None
    """The file that was read, if any."""


def load(
    flags: Mapping[str, str],
    environ: Mapping[str, str],
    cwd: Path,
    config_file: str | None = None,
) -> Loaded:
    """Return the settings of a command; `flags` holds the ones given, by setting.

    A gateway's table belongs to its URL: with another URL from a flag or the environment it holds
    only where it is chosen by name, or its tokens would go to a gateway they are not meant for.
    Raises ConfigError.
    """
    given = from_environment(environ, cwd) | from_flags(flags, cwd)
    path = default_config_file(environ) if config_file is None else anchored(config_file, cwd)
    file = _config_file(path, required=config_file is not None or "gateway_name" in given)
    loaded = settle(_from_file(_chosen(file, given), file) | given if file else given)
    notes = (*loaded.notes, *_unknown_variables(environ))
    return Loaded(loaded.settings, loaded.origins, notes, file.path if file else None)


def settle(given: Mapping[str, Given]) -> Loaded:
    """Check the values given and return them over the defaults. Raises ConfigError."""
    values: dict[str, Any] = {name: _checked(name, value) for name, value in given.items()}
    origins = {field.name: DEFAULT_ORIGIN for field in fields(Settings)}
    origins.update((name, value.origin) for name, value in given.items())
    notes = tuple(
        f"{value.origin}: everybody on this machine can read it in the process list; "
        f"use {_safer(name)} or a file"
        for name, value in given.items()
        if SETTINGS[name].secret and value.origin == SETTINGS[name].flag
    )
    return Loaded(Settings(**values), MappingProxyType(origins), notes)


def from_flags(flags: Mapping[str, str], cwd: Path) -> dict[str, Given]:
    """Return what the command line gives."""
    return {name: Given(text, SETTINGS[name].flag, cwd) for name, text in flags.items()}


def from_environment(environ: Mapping[str, str], cwd: Path) -> dict[str, Given]:
    """Return what VP_TUI_… variables give; an empty one gives nothing."""
    return {
        name: Given(text, f"environment {_variable(name)}", cwd)
        for name in _in_environment()
        if (text := environ.get(_variable(name), ""))
    }


def _in_environment() -> list[str]:
    return [name for name, setting in SETTINGS.items() if setting.flag and not setting.secret]


def _variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()


def _safer(name: str) -> str:
    return "UA_OPS_TOKEN" if name == "ops_token" else "UA_INTERNAL_API_TOKEN"


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = [name.upper() for name in _in_environment()]
    given = [name.removeprefix(ENVIRONMENT_PREFIX) for name in environ if _is_ours(name)]
    return [
        f"environment {literal(_variable(name))} is no setting: "
        + hint(name, known, f"`{_SHOW}` lists them", ENVIRONMENT_PREFIX)
        for name in given
        if name not in known
    ]


def _is_ours(variable: str) -> bool:
    return variable.startswith(ENVIRONMENT_PREFIX)


def _config_file(path: Path, *, required: bool) -> ConfigFile | None:
    try:
        return read_config_file(path)
    except FileNotFoundError:
        if not required:
            return None
        raise ConfigError(
            f"{literal(str(path))}: no such file: write the gateways into it, "
            "or name another one with --config FILE"
        ) from None


def _chosen(file: ConfigFile, given: Mapping[str, Given]) -> GatewayTable | None:
    """Return the table that holds: the one named, the one of the URL given, or the default."""
    if name := given.get("gateway_name"):
        return file.named(name.text, name.origin)
    if url := given.get("gateway_url"):
        return next((t for t in file.gateways.values() if _is_same_url(t, url.text)), None)
    if file.default is not None:
        return file.gateways[file.default]
    if len(file.gateways) > 1:
        names = ", ".join(map(literal, file.gateways))
        raise ConfigError(
            f"{literal(str(file.path))} has several gateways: choose one with --gateway NAME "
            f"or default_gateway: {names}"
        )
    return next(iter(file.gateways.values()), None)


def _is_same_url(table: GatewayTable, url: str) -> bool:
    return table.values["gateway_url"].text.rstrip("/") == url.rstrip("/")


def _from_file(table: GatewayTable | None, file: ConfigFile) -> dict[str, Given]:
    base = file.path.parent
    values = {**file.common, **(table.values if table else {})}
    given = {name: Given(value.text, value.origin, base) for name, value in values.items()}
    return given | ({"gateway_name": Given(table.name, table.origin, base)} if table else {})


def _checked(name: str, given: Given) -> object:
    setting = SETTINGS[name]
    try:
        return setting.parse(given)
    except ValueError as error:
        # A URL with credentials or a query is shown no more than a token is.
        hidden = setting.secret or (name == "gateway_url" and set(given.text) & set("@?#"))
        shown = "the value" if hidden else f"“{clip(literal(given.text), _SHOWN)}”"
        raise ConfigError(f"{given.origin}: {shown} is not allowed: {error}") from None


class ShownSetting(NamedTuple):
    """One setting, in words."""

    name: str
    value: str
    origin: str


def shown_settings(loaded: Loaded) -> list[ShownSetting]:
    """Return every setting with where it came from."""
    return [
        ShownSetting(field.name, _shown(getattr(loaded.settings, field.name)), origin)
        for field in fields(Settings)
        if (origin := loaded.origins[field.name])
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
