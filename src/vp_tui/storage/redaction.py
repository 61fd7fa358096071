"""Secrets kept out of what vp-tui writes down: crash reports, recordings."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


HIDDEN: Final = "<hidden>"
_SHORTEST_SECRET: Final = 4
"""Characters; scrubbing shorter values would make a text unreadable and hide nothing."""
_NAMES_SECRET: Final = re.compile(r"(?i)--[\w-]*token")
"""An argument after which the next one is a token."""
_LOOKS_SECRET: Final = (
    re.compile(r"(?i)(--[\w-]*token(?!-file)[= ]+)\S+"),
    re.compile(r"(?i)(authorization['\": ]+(?:bearer )?)[^\s'\"]+"),
    re.compile(r"(?i)(x-ua-[\w-]+token['\", :]+b?['\"]?)[^\s'\"]+"),
    re.compile(r"(?i)(\bUA_\w*TOKEN=)\S+"),
    re.compile(r"(://)[^/@\s]+@"),
)
MAY_LOOK_SECRET: Final = re.compile(r"(?i)token|authorization|://[^/@\s]+@")
"""Found in whatever holds something that looks like a secret, and in more."""


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with the secrets, and what looks like one, replaced."""
    known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    for secret in sorted(known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in _LOOKS_SECRET:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def scrubbed_texts(value: Any, secrets: Iterable[str]) -> Any:  # noqa: ANN401 - any JSON
    """Return a JSON value with the secrets replaced in all its texts."""
    known = tuple(secrets)
    if isinstance(value, str):
        return scrubbed(value, known)
    if isinstance(value, dict):
        return {scrubbed(key, known): scrubbed_texts(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [
            HIDDEN if _NAMES_SECRET.fullmatch(str(before)) else scrubbed_texts(each, known)
            for before, each in pairwise(["", *value])
        ]
    return value
