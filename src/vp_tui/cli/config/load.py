"""Loads the settings, each with its origin: flags > environment > file > defaults."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.cli.config.kinds import ConfigError, KindError, hint
from vp_tui.cli.config.settings import SETTINGS, Given, Settings
from vp_tui.domain.text import clip, literal
from vp_tui.storage.places import anchored, default_config_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.cli.config.file import ConfigFile


ENVIRONMENT_PREFIX: Final = "VP_TUI_"
_FROM_ENVIRONMENT: Final = {
    name: ENVIRONMENT_PREFIX + name.upper()
    for name, setting in SETTINGS.items()
    if setting.flag and not setting.secret
}
"""The variable of each setting that has one."""
_SHOWN: Final = 80


DEFAULT: Final = "default"
"""The origin of a value that nobody gave."""


class Loaded(NamedTuple):
    """The settings and, by the name of each, where its value came from."""

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
    given = {
        name: Given(text, f"environment {variable}", cwd)
        for name, variable in _FROM_ENVIRONMENT.items()
        if (text := environ.get(variable))  # an empty one gives nothing
    } | from_flags(flags, cwd)
    path = default_config_file(environ) if config_file is None else anchored(config_file, cwd)
    file = _read(path, required=config_file is not None or "gateway_name" in given)
    loaded = settle({**file.given, **_chosen(file, given), **given} if file else given)
    notes = (*loaded.notes, *_unknown_variables(environ))
    return loaded._replace(notes=notes, config_file=file.path if file else None)


def settle(given: Mapping[str, Given]) -> Loaded:
    """Check the values given and return them over the defaults. Raises ConfigError."""
    settings = Settings()
    for name, value in given.items():
        settings = _with(settings, SETTINGS[name].path, _checked(name, value))
    origins = {name: given[name].origin if name in given else DEFAULT for name in SETTINGS}
    notes = tuple(
        f"{value.origin}: everybody on this machine can read it in the process list; "
        f"use {SETTINGS[name].secret} or a file"
        for name, value in given.items()
        if SETTINGS[name].secret and value.origin == SETTINGS[name].flag
    )
    return Loaded(settings, origins, notes)


def from_flags(flags: Mapping[str, str], cwd: Path) -> dict[str, Given]:
    """Return what the command line gives."""
    return {name: Given(text, SETTINGS[name].flag, cwd) for name, text in flags.items()}


def value_of(settings: Settings, name: str) -> object:
    """Return the value of the setting of that name."""
    return reduce(getattr, SETTINGS[name].path, settings)


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = [variable.removeprefix(ENVIRONMENT_PREFIX) for variable in _FROM_ENVIRONMENT.values()]
    return [
        f"environment {literal(variable)} is no setting: "
        + hint(name, known, "`vp-tui config show` lists them", ENVIRONMENT_PREFIX)
        for variable in environ
        if variable.startswith(ENVIRONMENT_PREFIX)
        and (name := variable.removeprefix(ENVIRONMENT_PREFIX)) not in known
    ]


def _read(path: Path, *, required: bool) -> ConfigFile | None:
    """Return what the file says; None where there is none and none is required."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not required:
            return None
        raise ConfigError(
            f"{literal(str(path))}: no such file: write the gateways into it, "
            "or name another one with --config FILE"
        ) from None
    except OSError as error:
        raise ConfigError(f"{literal(str(path))} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{literal(str(path))} is not UTF-8 text") from None
    from vp_tui.cli.config.file import ConfigFile  # noqa: PLC0415 - most starts have no file

    return ConfigFile(path, text)


def _chosen(file: ConfigFile, given: Mapping[str, Given]) -> Mapping[str, Given]:
    """Return what holds of the file: the table named, that of the URL given, or the default."""
    if name := given.get("gateway_name"):
        return file.named(name.text, name.origin)
    if url := given.get("gateway_url"):
        at = url.text.rstrip("/")
        tables = file.gateways.values()
        return next((t for t in tables if t["gateway_url"].text.rstrip("/") == at), {})
    if file.default is not None:
        return file.gateways[file.default]
    if len(file.gateways) > 1:
        names = ", ".join(map(literal, file.gateways))
        raise ConfigError(
            f"{literal(str(file.path))} has several gateways: choose one with --gateway NAME "
            f"or default_gateway: {names}"
        )
    return next(iter(file.gateways.values()), {})


def _with(table: Any, path: tuple[str, ...], value: object) -> Any:  # noqa: ANN401 - any table
    """Return the table of settings with another value at `path`."""
    name, *rest = path
    inner = _with(getattr(table, name), tuple(rest), value) if rest else value
    return replace(table, **{name: inner})


def _checked(name: str, given: Given) -> object:
    setting = SETTINGS[name]
    try:
        value = setting.kind.parse(given.text)
    except KindError as error:
        # A URL with credentials or a query is shown no more than a token is.
        hidden = setting.secret or (name == "gateway_url" and set(given.text) & set("@?#"))
        shown = "the value" if hidden else f"“{clip(literal(given.text), _SHOWN)}”"
        raise ConfigError(f"{given.origin}: {shown} is not allowed: {error}") from None
    return anchored(given.text, given.base) if isinstance(value, Path) else value
