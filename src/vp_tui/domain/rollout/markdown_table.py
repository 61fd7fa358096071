r"""Tables in a Markdown file, as bytes: where one is, how a row splits, how a cell is escaped.

A cell is escaped so that any text makes one cell of one line and reads back as it was: `|` is
`\|`, a backslash `\\`, a newline `\n`, and whatever acts, reorders or hides is `\u202e` or
`\U000e0041` (docs/rollout.md, section 7). A space at an edge, where Markdown trims, is
`\u0020`. A backslash that begins none of these stands for itself: hand-written cells have such.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from vp_tui.domain.text import literal

if TYPE_CHECKING:
    from collections.abc import Iterator


BOM: Final = b"\xef\xbb\xbf"

_SHORT: Final = {"\\": "\\\\", "|": "\\|", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG: Final = {escape: char for char, escape in _SHORT.items()}
_PERHAPS_ESCAPED: Final = re.compile(r"[^ -\[\]-{}~]")
"""All but printable ASCII without the backslash and the pipe."""
_ESCAPE: Final = re.compile(r"\\(?:[\\|nrt]|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})")
_PIPE: Final = re.compile(r"\\.|(\|)")
_PIPE_OUTSIDE_CODE: Final = re.compile(r"\\.|(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|(\|)")

_HEADING: Final = re.compile(rb" {0,3}(#{1,6})(?=[ \t\r\n]|\Z)")
_PIPE_BYTE: Final = ord("|")
_FENCE: Final = re.compile(rb" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")
_COMMENT: Final = re.compile(rb" {0,3}<!--")
_DELIMITER: Final = re.compile(rb"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?\Z")
_OTHER_BLOCK: Final = re.compile(
    rb" {0,3}(?:#{1,6}[ \t]|>|```|~~~|<|[-+*][ \t]|\d{1,9}[.)][ \t]|(?:[-_*][ \t]*){3,}\s*\Z)"
)
"""What ends a table although it is no blank line."""


_CONFLICTS: Final = (b"<<<<<<< ", b">>>>>>> ")


@dataclass(frozen=True, slots=True)
class TableSpan:
    r"""Where the rows of a table are: `start` and `end` are offsets, `first_line` counts from 1.

    A line ends at `\n` or `\r\n`.
    """

    start: int
    """Behind the delimiter row."""
    end: int
    """Behind the last row: a further row goes here."""
    first_line: int
    count: int
    """Lines, the last one included where it has no end."""
    eol: bytes
    """How the table's lines end."""
    open_ended: bool
    """The file ends with the table's last line, without a newline."""

    def lines(self, data: bytes) -> list[bytes]:
        """Return the rows in the file `data`, without their ends."""
        lines = data[self.start : self.end].removesuffix(b"\n").split(b"\n")
        return [line.removesuffix(b"\r") for line in lines] if self.end > self.start else []

    def insert(self, data: bytes, row: bytes) -> bytes:
        """Return the file `data` with `row` as the table's last; its other bytes stay."""
        line = self.eol + row if self.open_ended else row + self.eol
        whole = memoryview(data)
        return b"".join((whole[: self.end], line, whole[self.end :]))

    def added(self, row: bytes) -> bytes:
        """Return what `insert` adds to the table's rows: to the first one no end of a line."""
        if not self.open_ended:
            return row + self.eol
        return self.eol + row if self.end > self.start else row


def escape_cell(text: str) -> str:
    """Return `text` as one cell of one line; `unescape_cell` gives it back exactly."""
    cell = _PERHAPS_ESCAPED.sub(lambda match: _escaped(match.group()), text)
    if cell and unicodedata.category(cell[-1]) == "Zs":
        cell = cell[:-1] + _code_point(cell[-1])
    if cell and unicodedata.category(cell[0]) == "Zs":
        cell = _code_point(cell[0]) + cell[1:]
    return cell


def unescape_cell(cell: str) -> str:
    """Return the text that `cell` stands for; an unknown escape stands for itself."""
    if "\\" not in cell:
        return cell
    return _ESCAPE.sub(lambda match: _unescaped(match.group()), cell)


def split_row(line: str, *, code_spans: bool = False) -> list[str]:
    r"""Return the cells of a row, trimmed and still escaped.

    As in GitHub's Markdown, which wants no outer pipes, a `|` in a code span divides like any
    other unless it is written `\|`; with `code_spans` it does not.
    """
    line = line.strip(" \t\r\n")
    if code_spans or "\\" in line:
        pattern = _PIPE_OUTSIDE_CODE if code_spans else _PIPE
        ends = [match.start() for match in pattern.finditer(line) if match[match.re.groups]]
        starts = [0, *(end + 1 for end in ends)]
        cells = [line[a:b] for a, b in zip(starts, [*ends, len(line)], strict=True)]
    else:
        cells = line.split("|")
    if len(cells) > 1 and not cells[0]:
        del cells[0]
    if len(cells) > 1 and not cells[-1]:
        del cells[-1]
    return [cell.strip(" \t") for cell in cells]


def find_table(data: bytes, heading: str, columns: int) -> TableSpan | None:
    """Return the first table of `columns` columns in the section `## heading`, if there is one.

    A heading or table in a code block or an HTML comment is none. The table goes on to its last
    line with a pipe before a blank line or another block: a line of plain text between two rows
    is a row, as in Markdown, one behind them is taken for what follows the table.
    """
    wanted = heading.encode().lower()
    inside = False
    for above, start, line in _outside_blocks(data):
        if found := _HEADING.match(line):
            if len(found[1]) <= len("##"):
                title = line[found.end() :].strip().rstrip(b"#").rstrip()
                inside = found[1] == b"##" and title.lower() == wanted
        elif inside and _starts_table(above, line, columns):
            return _span(data, start + len(line), above)
    return None


def lines_cut_off(data: bytes, span: TableSpan, columns: int) -> list[int]:
    """Return the numbers of the lines behind the table that look like rows of it.

    A blank line in the middle of a table ends it: Markdown shows what follows as plain text. So do
    rows under a header of their own, if they are of so many columns.
    """
    lines = pairwise([*data[span.end :].split(b"\n"), b""])
    numbers = []
    for number, (line, below) in enumerate(lines, span.first_line + span.count):
        if _HEADING.match(line):
            break
        is_header = _DELIMITER.match(below.strip()) or _DELIMITER.match(line.strip())
        if line.startswith(b"|") and not is_header and _width(line) == columns:
            numbers.append(number)
    return numbers


def conflict_markers(data: bytes) -> list[int]:
    """Return the numbers of the lines that a merge left to be decided on, outside code blocks."""
    if not (data.startswith(_CONFLICTS) or any(b"\n" + mark in data for mark in _CONFLICTS)):
        return []
    return [
        data.count(b"\n", 0, start) + 1
        for _, start, line in _outside_blocks(data)
        if line.startswith(_CONFLICTS)
    ]


def _escaped(char: str) -> str:
    if (short := _SHORT.get(char)) is not None:
        return short
    if literal(char) == char or unicodedata.category(char) == "Zs":
        return char
    return _code_point(char)


def _unescaped(escape: str) -> str:
    return _LONG.get(escape) or chr(int(escape[2:], 16))  # noqa: FURB166 - `\\u` is no prefix of a number


def _code_point(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits


def _outside_blocks(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield each line that is in no code block or comment: the line above, its offset, itself."""
    fence = line = b""
    commented = False
    position = len(BOM) if data.startswith(BOM) else 0
    while position < len(data):
        above, start = line, position
        position = _line_end(data, start)
        line = data[start:position]
        if fence:
            closing = line.strip()
            if len(closing) >= len(fence) and not closing.strip(fence[:1]):
                fence = b""
        elif commented or _COMMENT.match(line):
            commented = b"-->" not in line
        elif opening := _FENCE.match(line):
            fence = opening[1]
        else:
            yield above, start, line


def _starts_table(above: bytes, line: bytes, columns: int) -> bool:
    """Tell whether `line` is a delimiter row under a header of the same width."""
    if b"-" not in line or not _DELIMITER.match(line.strip()):
        return False
    return _width(line) == columns == _width(above)


def _width(line: bytes) -> int:
    return len(split_row(line.decode("utf-8", "replace")))


def _span(data: bytes, start: int, header: bytes) -> TableSpan:
    """Return the span of the rows from offset `start` on."""
    position = end = start
    passed = count = 0
    while position < len(data):
        stop = _line_end(data, position)
        passed += 1
        # The first byte mostly tells a row: 10,000 are not looked at any closer.
        is_row = data[position] == _PIPE_BYTE
        if not is_row:
            line = data[position:stop]
            if not line.strip() or _OTHER_BLOCK.match(line):
                break
            is_row = b"|" in line
        position = stop
        if is_row:
            end, count = stop, passed
    open_ended = not data.endswith(b"\n", 0, end)
    first_line = data.count(b"\n", 0, start) + 1 + (open_ended and not count)
    eol = b"\r\n" if (header if open_ended else data[end - 2 : end]).endswith(b"\r\n") else b"\n"
    return TableSpan(start, end, first_line, count, eol, open_ended)


def _line_end(data: bytes, start: int) -> int:
    return data.find(b"\n", start) + 1 or len(data)
