"""Text in paragraphs and columns: wrapped by cells, tones kept, nothing cut off."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Final

from rich.cells import chop_cells

from vp_tui.ui.paint import EMPTY, Line, Span, fit, join, pad, plain, width_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vp_tui.ui.tones import Tone

_GLUE: Final = "\N{NO-BREAK SPACE}"
_GLUED: Final = re.compile("(?<=[<>]) (?=[0-9])|(?<=[0-9]) (?=(?:%|s)(?![a-z]))")
"""The blank between a number and its unit or sign: no line is broken there."""
_KEPT: Final = 256
"""Paragraphs kept as they were wrapped: of a screen's text most are the same from draw to draw."""
NAMES: Final = 13
"""Cells of the names in a list of facts, with the blanks around them."""


def wrapped(painted: Line, width: int, prefix: Line = EMPTY) -> list[Line]:
    """Return a line as lines of at most `width` cells, broken at blanks.

    The first one begins with `prefix`, the others with as many blanks. Only a word that is longer
    than a whole line is broken inside.
    """
    return list(_wrapped(painted, width, prefix))


@lru_cache(maxsize=_KEPT)
def _wrapped(painted: Line, width: int, prefix: Line) -> tuple[Line, ...]:
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
    painted: Line = ((text, tone),) if isinstance(text, str) else text
    return wrapped(painted, width, plain(" " * indent))


def bullet(text: Line | str, width: int, indent: int = 4) -> list[Line]:
    """Return one item of a list."""
    painted = plain(text) if isinstance(text, str) else text
    return wrapped(painted, width, join(" " * (indent - 2), ("- ", "dim")))


def fact(name: str, text: Line | str, width: int, names: int = NAMES) -> list[Line]:
    """Return a named fact, its name in a column of `names` cells."""
    painted = plain(text) if isinstance(text, str) else text
    return wrapped(painted, width, join("  ", (fit(name, names - 3), "dim"), " "))


def beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: int) -> list[Line]:
    """Return two columns of `width` cells each, `gap` blanks between them."""
    pairs = zip_longest(left, right, fillvalue=EMPTY)
    return [join(pad(one, width), " " * gap, other) if other else one for one, other in pairs]


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
