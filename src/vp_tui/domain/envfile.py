"""Reading a `.env` file as its usual tools do, without running anything.

It is read as bytes, so that whoever changes one value leaves every other byte as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


_BOM: Final = b"\xef\xbb\xbf"
_ASSIGNMENT: Final = re.compile(rb"[ \t\v\f]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(rb"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_REST: Final = re.compile(rb"[^\r\n]*")
_COMMENT: Final = re.compile(rb"(?:^|[ \t\v\f]+)#.*")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Assignment(NamedTuple):
    """One assignment, and where its value stands."""

    name: str
    value: str
    start: int
    """Of the value in the file, its quotes included."""
    end: int


def parse_env(text: str) -> dict[str, str]:
    """Return the assignments of a `.env` file; of two with one name the last holds."""
    data = text.encode("utf-8", "surrogatepass")
    return {found.name: found.value for found in assignments(data)}


def assignments(data: bytes) -> Iterator[Assignment]:
    """Yield the assignments of a `.env` file, from top to bottom.

    Comments, `export`, quotes, CRLF and a byte order mark are understood; a quoted value may go on
    over several lines, and nothing is interpolated. A line that is no assignment is skipped.
    """
    place = len(_BOM) if data.startswith(_BOM) else 0
    while place < len(data):
        if match := _ASSIGNMENT.match(data, place):
            name, start = match[1].decode(), match.end()
            value, end = _value(data, start)
            yield Assignment(name, value.decode("utf-8", "replace"), start, end)
            place = end
        line_end = _LINE_END.search(data, place)
        place = len(data) if line_end is None else line_end.end()


def with_value(data: bytes, name: str, value: str) -> bytes:
    """Return the file with the last assignment of `name` changed to `value`, a plain word.

    Without one, a line is added at the end, with the line end that the file has. Every other byte
    stays, a comment behind the value too.
    """
    new = value.encode()
    found = [each for each in assignments(data) if each.name == name]
    if found:
        last = found[-1]
        gap = b" " if data.startswith(b"#", last.end) else b""  # it would be read as the value's
        return data[: last.start] + new + gap + data[last.end :]
    line = name.encode() + b"=" + new
    line_end: bytes = [b"\n", *_LINE_END.findall(data)][-1]
    if not data or data.endswith((b"\n", b"\r")):
        return data + line + line_end
    return data + line_end + line


def _value(data: bytes, start: int) -> tuple[bytes, int]:
    """Return the value that begins there, and where it ends.

    What follows a closing quote is not read; one on a later line closes nothing if more follows.
    """
    raw = next(_REST.finditer(data, start))[0]
    if quoted := _QUOTED.match(data, start):
        more = _COMMENT.sub(b"", next(_REST.finditer(data, quoted.end()))[0]).rstrip()
        if not more or quoted.end() <= start + len(raw):
            value = quoted[1] if quoted[1] is not None else _ESCAPE.sub(_unescaped, quoted[2])
            return value, quoted.end() + len(more)
    value = _COMMENT.sub(b"", raw).rstrip()
    return value, start + len(value)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return _ESCAPED.get(match[1], match[1])
