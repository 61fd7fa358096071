"""Text with tones, drawn literally: no markup anywhere, so nothing from outside can become any.

A `Line` is a tuple of spans; a span is a text and a tone. Tones become styles in the
stylesheet, so themes, light terminals and NO_COLOR are its business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from typing_extensions import TypeIs

from vp_tui.domain import durations
from vp_tui.ui.tones import Tone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.ui.tones import Tones

Span = tuple[str, Tone]
Line = tuple[Span, ...]

EMPTY: Final[Line] = ()
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
BAR: Final = 3
age: Final = durations.age


class HasTones(Protocol):
    """An app that says what the tones look like."""

    tones: Tones


class Toned(Widget):
    """A widget that paints lines in tones."""

    def strip(self, painted: Line, width: int, under: Tone = "plain") -> Strip:
        """Return the line as `width` cells; `under` is laid over all of it (a cursor, say)."""
        tones = cast("HasTones", self.app).tones
        base, over = self.visual_style.rich_style, tones.style(under)
        segments = [Segment(text, base + tones.style(tone) + over) for text, tone in painted]
        return Strip(segments).adjust_cell_length(width, base + over)


class Lines(Toned):
    """A block of lines that is repainted only where it changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines

    def show(self, lines: Iterable[Line]) -> None:
        """Show these lines from now on."""
        new, old = tuple(lines), self._lines
        self._lines = new
        if len(new) != len(old):
            self.refresh(layout=self.styles.is_auto_height or self.styles.is_auto_width)
        elif changed := [
            Region(0, y, self.size.width, 1) for y in range(len(new)) if new[y] != old[y]
        ]:
            self.refresh(*changed)

    def get_content_width(self, *_args: object) -> int:
        return max(map(width_of, self._lines), default=0)

    def get_content_height(self, *_args: object) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        painted = self._lines[y] if y < len(self._lines) else EMPTY
        return self.strip(painted, self.size.width)


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
    """Return at most `width` cells of a line."""
    spans: list[Span] = []
    left = width
    for text, tone in painted:
        size = cell_len(text)
        if size > left:
            spans.append((fit(text, left), tone))
            break
        spans.append((text, tone))
        left -= size
    return tuple(spans)


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


def flow(parts: Sequence[Line], width: int, between: str = "  ") -> list[Line]:
    """Return the parts as lines of at most `width` cells, broken only between two parts."""
    lines: list[Line] = []
    for part in parts:
        if lines and width_of(lines[-1]) + len(between) + width_of(part) <= width:
            lines[-1] = (*lines[-1], (between, "plain"), *part)
        else:
            lines.append(cut(part, width))
    return lines


def wrapped(text: str, width: int, tone: Tone = "plain") -> list[Line]:
    """Return a text as lines of at most `width` cells, broken between words where it can be."""
    words = [((word, tone),) for word in text.split(" ")]
    return flow(words, width, " ")


def sparkline(values: Sequence[float], width: int, height: int = 1) -> list[str]:
    """Return `height` rows of at most `width` columns that draw the newest values.

    One row draws how they move, from just under the lowest to just over the highest; several rows
    draw how large they are, from zero up. Few values become bars of up to BAR columns.
    """
    shown = values[-width:] if width > 0 else ()
    low, high = (min(shown), max(shown)) if shown else (0.0, 0.0)
    margin = max((high - low) / 4, high / 10) if height == 1 else 0.0
    base = low - margin if height == 1 else 0.0
    reach = (high + margin - base) or 1.0
    bar = min(max(width // max(len(shown), 1), 1), BAR)
    levels = [max(round((value - base) / reach * height * 8), 1) for value in shown]
    return [
        "".join(_BLOCKS[min(max(level - row * 8, 0), 8)] * bar for level in levels)
        for row in range(height - 1, -1, -1)
    ]
