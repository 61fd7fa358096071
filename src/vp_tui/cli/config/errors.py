"""What is wrong with the settings, in words."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterable


class ConfigError(Exception):
    """The settings cannot be used: the message names the cause and the cure, and no secret."""


def hint(word: str, known: Iterable[str], otherwise: str, prefix: str = "") -> str:
    """Return the question whether the nearest of `known` was meant, else `otherwise`.

    `prefix` belongs to every one of them and counts for nothing in comparing.
    """
    nearest = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean “{prefix}{literal(nearest[0])}”?" if nearest else otherwise
