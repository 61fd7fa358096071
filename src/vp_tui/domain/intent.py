"""Which prompts the gateway delegates to the VP lane (the wire contract, section 11).

The gateway decides by words alone, so whoever sees a prompt on the stream can decide the same way.
"""

from __future__ import annotations

import re
from typing import Final, Literal

CODING_WORDS: Final = (
    "code", "python", "bash", "shell", "typescript", "javascript", "refactor", "bug", "test",
    "implement", "fix", "function", "class", "api", "endpoint", "```",
)  # fmt: skip
"""Any of these inside a prompt, also inside a longer word, makes it a coding prompt on G1."""

LARGER_SCOPE_WORDS: Final = (
    "script", "project", "module", "service", "workflow", "multi-file", "multiple files",
    "test suite", "package", "repository", "codebase",
)  # fmt: skip
"""A word that begins with any of these keeps a coding prompt for the VP although it is small."""

VP_NAMES: Final = ("codie", "vp coder", "coder vp")
"""G2 delegates only what names the lane."""

_SMALL_UTILITY: Final = re.compile(
    r"one[- ]liner"
    r"|\b(?:bash|shell|cli) command"
    r"|\b(?:helper|utility) function"
    r"|\b(?:quick|small) (?:\w+ )?snippet"
)
_LARGER_SCOPE: Final = re.compile(r"\b(?:" + "|".join(LARGER_SCOPE_WORDS) + ")")


def is_coding_intent(query: str, dialect: Literal["G1", "G2"]) -> bool:
    """Tell whether the gateway of this dialect would delegate `query`, lane flags permitting.

    G1: a coding word, unless it asks for a small utility without a word of larger scope. G2: the
    lane is named.
    """
    text = query.lower()
    if dialect == "G2":
        return any(name in text for name in VP_NAMES)
    if not any(word in text for word in CODING_WORDS):
        return False
    return _SMALL_UTILITY.search(text) is None or _LARGER_SCOPE.search(text) is not None
