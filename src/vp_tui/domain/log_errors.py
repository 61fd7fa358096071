"""Which lines of a log look like errors: by their words, for a log has no levels of its own."""

from __future__ import annotations

import re
from typing import Final

_ERROR: Final = re.compile(
    r"""
      \b (?<!\bno\ ) (?<!\b0\ )                       # not "no error", "0 errors"
      (?: errors? | fatal | critical | panic(?:ked)? | exceptions? | failed | failures? )
      \b (?! "?\ *[=:]\ * (?: 0 | none | null | false ) \b )
    | \b \w+ (?-i: Error | Exception ) \b             # ConnectionError, a.b.SomeException
    | \b err \b                                       # npm ERR!
    | \b traceback \b
    | \b (?: exit | exited | return ) \b .{0,12}? \b (?: code | status ) \b \W{0,3} (?!0\b) -?\d
    | \b returncode \b \W{0,3} (?!0\b) -?\d
    """,
    re.VERBOSE | re.IGNORECASE,
)
LOOKED_AT: Final = 500
"""Characters at the beginning of a line that are looked at."""


def is_error(line: str) -> bool:
    """Tell whether a line looks like an error: a level, an exception, an exit code but 0."""
    return _ERROR.search(line, 0, LOOKED_AT) is not None
