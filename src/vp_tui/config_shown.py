"""The settings as they are shown: each with its origin, and never a token."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.text import literal
from vp_tui.gateway.auth import Secret
from vp_tui.settings import Settings

if TYPE_CHECKING:
    from vp_tui.config import Loaded


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
