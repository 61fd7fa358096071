"""Reading a `.env` file as its usual tools do, without running anything."""

from __future__ import annotations

import re
from typing import Final

_ASSIGNMENT: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)")
_SINGLE: Final = re.compile(r"'([^']*)'")
_DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE: Final = re.compile(r"\\(.)")
_COMMENT: Final = re.compile(r"(?:^|\s+)#.*")
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t"}


def parse_env(text: str) -> dict[str, str]:
    """Return the assignments of a `.env` file; of two with one name the last holds.

    Comments, `export`, quotes, CRLF and a byte order mark are understood; values stay on one line
    and nothing is interpolated. A line that is no assignment is skipped.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    found = (match for line in lines if (match := _ASSIGNMENT.match(line)))
    return {match[1]: _value(match[2]) for match in found}


def _value(raw: str) -> str:
    if single := _SINGLE.match(raw):
        return single[1]
    if double := _DOUBLE.match(raw):
        return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), double[1])
    return _COMMENT.sub("", raw).rstrip()
