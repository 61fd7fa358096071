"""Text with tones, drawn literally: no markup anywhere, so nothing from outside can become any.

A `Line` is a tuple of spans; a span is a text and a tone. Tones become styles in the
stylesheet, so themes, light terminals and NO_COLOR are its business. Paragraphs and columns are
made here too: wrapped by cells, tones kept, nothing cut off.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size
from typing_extensions import TypeIs

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.views.sources import SourceWord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


Tone = Literal[
    "plain", "good", "warn", "bad", "dim", "accent", "strong", "gateway", "match", "live",
    "alarm", "cursor",
]  # fmt: skip
"""How a text stands out. A tone only ever repeats what a word or symbol says.

`gateway` is the gateway's name, in the colour that its configuration gives it.
"""

WORD_TONES: Final[dict[SourceWord, Tone]] = {
    SourceWord.LIVE: "good",
    SourceWord.STALE: "warn",
    SourceWord.DOWN: "bad",
    SourceWord.UNAUTHORIZED: "bad",
    SourceWord.IDLE: "dim",
}
WORD_SYMBOLS: Final = {
    SourceWord.LIVE: "●",
    SourceWord.STALE: "◌",
    SourceWord.DOWN: "✗",
    SourceWord.UNAUTHORIZED: "✗",
    SourceWord.IDLE: "·",
}

VERDICT_TONES: Final[dict[Verdict, Tone]] = {
    Verdict.PASS: "good",
    Verdict.WATCH: "warn",
    Verdict.FAIL: "bad",
    Verdict.INCONCLUSIVE: "plain",
    Verdict.UNKNOWN: "warn",
    Verdict.WAIVED: "warn",
}
COVERAGE_TONES: Final[dict[CoverageState, Tone]] = {
    CoverageState.FULL: "good",
    CoverageState.TRUNCATED: "warn",
    CoverageState.BLIND: "bad",
    CoverageState.NONE: "dim",
}

Span = tuple[str, Tone]
Line = tuple[Span, ...]

EMPTY: Final[Line] = ()

_GLUE: Final = "\N{NO-BREAK SPACE}"
_GLUED: Final = re.compile("(?<=[<>]) (?=[0-9])|(?<=[0-9]) (?=s(?![a-z]))")
"""The blank between a number and its unit or sign: no line is broken there."""
_PATH: Final = re.compile(r"(?<![\w…])(?:~|\.\.?)?/(?:[^\s/:,;]+/)+([^\s/:,;]+)")
_SESSION: Final = re.compile(r"\bsession_\d{8}_\d{6}_(\w+)")
_ADDRESS: Final = re.compile(r"(?:(?<=: )|^)(?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5}: ")
_FIRST: Final = re.compile("[,;:.](?: |$)")
"""Where the first thing to do of a cure ends."""
_CAUSE: Final = 30
"""Cells that a cause has at least where its cure stands beside it."""
_KEPT: Final = 256
"""Paragraphs kept as they were wrapped: of a screen's text most are the same from draw to draw."""
NAMES: Final = 13
"""Cells of the names in a list of facts, with the blanks around them."""


class Found(NamedTuple):
    """What a list found, and where among all that it could have found."""

    thing: str
    number: int
    """From 1 on; 0 where there is none."""
    total: int
    rows: int
    round_from: str = ""
    """The end at which it went on at the other one."""

    def __str__(self) -> str:
        if not self.total:
            rows = ("there are no lines", "not in the only line", f"none of {self.rows:,} lines")
            return f"no {self.thing}: {rows[min(self.rows, 2)]}"
        told = f"{self.thing} {self.number:,} of {self.total:,}"
        return f"{told}, round from the {self.round_from}" if self.round_from else told


def plain(text: str) -> Line:
    """Return a line of one plain text."""
    return ((text, "plain"),)


def join(*parts: Line | Span | str) -> Line:
    """Return one line of texts, spans and lines."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            spans.append((part, "plain"))
        elif _is_span(part):
            spans.append(part)
        else:
            spans.extend(part)
    return tuple(spans)


def _is_span(part: Line | Span) -> TypeIs[Span]:
    return bool(part) and isinstance(part[0], str)


def width_of(painted: Line) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(text) for text, _tone in painted)


def fit(text: str, width: int) -> str:
    """Return `text` cut or padded to exactly `width` cells; a cut shows an ellipsis."""
    if cell_len(text) > width > 0:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, max(width, 0))


def cut(painted: Line, width: int) -> Line:
    """Return at most `width` cells of a line; a cut shows an ellipsis."""
    if width_of(painted) <= width or width <= 0:
        return painted if width > 0 else EMPTY
    spans: list[Span] = []
    left = width - 1
    for text, tone in painted:
        size = cell_len(text)
        if size > left:
            spans.append((f"{set_cell_size(text, left)}…", tone))
            break
        spans.append((text, tone))
        left -= size
    return tuple(spans)


def shorten(painted: Line, width: int) -> Line:
    """Return at most `width` cells of a line: paths, ids and addresses go before words."""
    return cut(briefer(painted, width), width)


def briefer(painted: Line, width: int) -> Line:
    """Return a line, paths, ids and addresses shortened where it takes more than `width`."""
    for long, short in (_PATH, r"…/\1"), (_SESSION, r"\1"), (_ADDRESS, ""):
        if width_of(painted) > width:
            painted = tuple((long.sub(short, text), tone) for text, tone in painted)
    return painted


def with_cure(told: Line, cure: str, more: Line, width: int) -> Line:
    """Return what is wrong and, at the right, what helps: its key alone where room is scarce."""
    start = _FIRST.split(cure, maxsplit=1)[0]
    for helps in (start, start.partition(" ")[0] if start.startswith("[") else ""):
        right = in_a_row(part for part in (((helps, "warn"),) if helps else (), more) if part)
        if width - width_of(right) >= min(_CAUSE, width_of(told) + 1):
            break
    room = width - width_of(right) - bool(right)
    return spread(shorten(told, room), right, width) if right else shorten(told, width)


def first_lines(lines: Sequence[Line], count: int, width: int) -> list[Line]:
    """Return the first `count` lines, at least one; where more follow, the last one says so."""
    kept = list(lines[: max(count, 1)])
    if len(kept) < len(lines):
        kept[-1] = cut(join(kept[-1], (" …", "dim")), width)
    return kept


def chop(painted: Line, width: int) -> list[Line]:
    """Return all of a line as lines of at most `width` cells, broken wherever they are full."""
    lines: list[list[Span]] = [[]]
    room = width
    for text, tone in painted:
        rest = text
        while rest:
            piece = chop_cells(rest[: max(room, 1)], max(room, 1))[0] or rest[0]
            if cell_len(piece) > room and lines[-1]:
                lines.append([])
                room = width
                continue
            lines[-1].append((piece, tone))
            room -= cell_len(piece)
            rest = rest[len(piece) :]
    return [tuple(spans) for spans in lines]


def pad(painted: Line, width: int) -> Line:
    """Return a line of exactly `width` cells."""
    short = width - width_of(painted)
    return cut(painted, width) if short <= 0 else (*painted, (" " * short, "plain"))


def spread(left: Line, right: Line, width: int) -> Line:
    """Return a line with one part at each end; without room for both the left one is cut."""
    gap = width - width_of(left) - width_of(right)
    if gap > 0:
        return (*left, (" " * gap, "plain"), *right)
    return (*cut(left, max(width - width_of(right) - 1, 0)), (" ", "plain"), *right)


def in_a_row(parts: Iterable[Line | Span | str], between: Span | str = "  ") -> Line:
    """Return the parts as one line, `between` between two of them."""
    return join(*[one for part in parts for one in (between, part)][1:])


def flow(parts: Sequence[Line], width: int, between: str = "  ") -> list[Line]:
    """Return the parts as lines of at most `width` cells, broken only between two parts."""
    lines: list[Line] = []
    for part in parts:
        if lines and width_of(lines[-1]) + len(between) + width_of(part) <= width:
            lines[-1] = (*lines[-1], (between, "plain"), *part)
        else:
            lines.append(cut(part, width))
    return lines


def whole_ones(parts: Sequence[Line], room: int) -> Line:
    """Return in a row the parts that fit, of the last one its first span; a cut ends with `…`."""
    for number in range(len(parts), 0, -1):
        *before, last = parts[:number]
        for part in (last, last[:1]):
            is_all = number == len(parts) and part == last
            line = in_a_row((*before, join(part, "" if is_all else " …")))
            if width_of(line) <= room:
                return line
    return EMPTY


def heading(text: str) -> Line:
    """Return what stands over a section."""
    return ((text, "accent"),)


def wrap_line(text: Line | str, width: int, prefix: Line = EMPTY) -> list[Line]:
    """Return a line as lines of at most `width` cells, broken at blanks.

    The first one begins with `prefix`, the others with as many blanks. Only a word that is longer
    than a whole line is broken inside.
    """
    return list(_wrapped_line(join(text), width, prefix))


@lru_cache(maxsize=_KEPT)
def _wrapped_line(painted: Line, width: int, prefix: Line) -> tuple[Line, ...]:
    hang = width_of(prefix)
    lines: list[Line] = []
    current, used = list(prefix), hang
    is_empty = True
    for word in _words(painted, max(width - hang, 1)):
        size = width_of(tuple(word))
        if not is_empty and used + 1 + size > width:
            lines.append(_merged(current))
            current, used, is_empty = [(" " * hang, "plain")] if hang else [], hang, True
        if not is_empty:
            current.append((" ", "plain"))
        current += word
        used += size + (not is_empty)
        is_empty = False
    return (*lines, _merged(current))


def paragraph(text: Line | str, width: int, indent: int = 2, tone: Tone = "plain") -> list[Line]:
    """Return a text as lines that all begin `indent` cells from the left."""
    return wrap_line(_toned(text, tone), width, plain(" " * indent))


def bullet(text: Line | str, width: int) -> list[Line]:
    """Return one item of a list."""
    return wrap_line(text, width, join("  ", ("- ", "dim")))


def fact(name: str, text: Line | str, width: int, tone: Tone = "plain") -> list[Line]:
    """Return a named fact, its name in a column of NAMES cells."""
    prefix = join("  ", (fit(name, NAMES - 3), "dim"), " ")
    return wrap_line(_toned(text, tone), width, prefix)


def facts(told: Iterable[tuple[str, Line | str]], width: int, tone: Tone = "plain") -> list[Line]:
    """Return named facts, one below the other."""
    return [line for name, text in told for line in fact(name, text, width, tone)]


def _toned(text: Line | str, tone: Tone) -> Line:
    return ((text, tone),) if isinstance(text, str) else text


def _merged(spans: list[Span]) -> Line:
    """Return a line with neighbours of one tone as one span."""
    return tuple(
        ("".join(text for text, _tone in same), tone)
        for tone, same in groupby(spans, key=lambda span: span[1])
    )


def _words(painted: Line, room: int) -> Iterator[list[Span]]:
    """Yield what stands between blanks, each word as its spans, at most `room` cells wide."""
    word: list[Span] = []
    for text, tone in painted:
        for number, part in enumerate(_GLUED.sub(_GLUE, text).split(" ")):
            if number:
                yield from _chopped(word, room)
                word = []
            if part:
                word.append((part.replace(_GLUE, " "), tone))
    yield from _chopped(word, room)


def _chopped(word: list[Span], room: int) -> Iterator[list[Span]]:
    if not word:
        return
    if width_of(tuple(word)) <= room:
        yield word
        return
    for text, tone in word:
        for part in chop_cells(text, room):
            yield [(part, tone)]
