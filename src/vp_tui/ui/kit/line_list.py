"""Widgets that paint lines: a block of them, and a virtual list that draws only visible rows.

So 5,000 rows cost what 10 do. The cursor and the reader's place are kept by the rows' keys, never
by index: rows that arrive, leave or move do not pull the list from under the reader. In a followed
list the newest row stays in view until the reader moves away; from then on nothing moves, and what
came since is counted. What the tones look like is taken from the stylesheet once for all widgets.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, cast, get_args

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from vp_tui.domain.text import ELLIPSIS, literal
from vp_tui.ui.kit import Painted
from vp_tui.ui.lines.paint import EMPTY, Line, Tone, cut, plain, width_of, wrap_line

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from textual import events

    from vp_tui.ui.lines.paint import Found


_PLAIN: Final = Style()

SHIFT: Final = 16
"""Cells by which left and right move a long line."""


class HasTones(Protocol):
    """An app that says what the tones look like."""

    tones: Tones


class Toned(Painted, Widget):
    """A widget that paints lines in tones."""

    def strip(self, painted: Line, width: int, under: Tone = "plain") -> Strip:
        """Return the line as `width` cells; `under` is laid over all of it (a cursor, say)."""
        tones = cast("HasTones", self.app).tones
        base, over = self.visual_style.rich_style, tones.style(under)
        shown = cut(painted, width)
        segments = [Segment(literal(t), base + tones.style(tone) + over) for t, tone in shown]
        return Strip(segments).adjust_cell_length(width, base + over)

    def refresh_changed(self, old: Sequence[Line], new: Sequence[Line]) -> None:
        """Have only those lines drawn again that changed, all where their number did."""
        if len(old) != len(new):
            self.refresh()
        elif changed := [
            Region(0, y, self.size.width, 1) for y in range(len(new)) if new[y] != old[y]
        ]:
            self.refresh(*changed)


class Lines(Toned):
    """A block of lines that is repainted only where it changed."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: Iterable[Line]) -> None:
        """Show these lines from now on."""
        old, self.lines = self.lines, tuple(lines)
        if len(self.lines) != len(old):
            self.refresh(layout=self.styles.is_auto_height or self.styles.is_auto_width)
        else:
            self.refresh_changed(old, self.lines)

    def get_content_width(self, *_args: object) -> int:
        return max(map(width_of, self.lines), default=0)

    def get_content_height(self, *_args: object) -> int:
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        painted = self.lines[y] if y < len(self.lines) else EMPTY
        return self.strip(painted, self.size.width)


class Tones(Widget):
    """Carries the tones' styles for the whole app; draws nothing.

    Component classes cost time for every widget that has them, at every start: so one has them
    for all.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"tone--{tone}" for tone in get_args(Tone) if tone != "plain"
    }

    def __init__(self, colour: str = "") -> None:
        super().__init__(id="tones")
        self._colour = colour
        self._known: dict[Tone, Style] = {"plain": _PLAIN}

    def style(self, tone: Tone) -> Style:
        """Return what is laid over a widget's own style; nothing before the stylesheet is there."""
        if tone not in self._known:
            self._known[tone] = self._read(tone)
        return self._known[tone]

    def notify_style_update(self) -> None:
        """Read the styles anew: the theme changed."""
        self._known = {"plain": _PLAIN}
        super().notify_style_update()

    def _read(self, tone: Tone) -> Style:
        partial = (styles := self.get_component_styles(f"tone--{tone}")).partial_rich_style
        if tone == "gateway" and self._colour:
            # Laid under the name: so it can be read on every theme.
            back = Color.parse(self._colour)
            front = back.get_contrast_text(1.0).rich_color
            return partial + Style(color=front, bgcolor=back.rich_color)
        if not styles.has_rule("color"):
            return partial
        text: Color = self.background_colors[1] + styles.color
        return partial + Style(color=text.rich_color)


class LineList(Toned, ScrollView, can_focus=True, inherit_bindings=False):
    """Base of all lists. A subclass holds the rows and calls `rows_changed` after a change.

    The bindings of a scroll view would take the arrows, home and end from the screen's actions.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", id="page-up", show=False),
        Binding("pagedown", "page(1)", id="page-down", show=False),
        Binding("left", "shift(-1)", id="shift-left", show=False),
        Binding("right", "shift(1)", id="shift-right", show=False),
    ]
    follows: ClassVar[bool] = True
    """Whether this list has a newest end that it can follow."""
    find_verb: ClassVar[str] = "filter"
    """What the find bar does to it."""
    room_below = 0
    """Lines of the screen that there may be below the last row."""
    row_word: ClassVar[str] = "line"  # what one row is called

    @dataclass
    class Moved(Message):
        """The cursor is on another row, or following began or ended."""

        lines: LineList

        @property
        def control(self) -> LineList:
            return self.lines

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.following = self.follows
        self.cursor = 0
        self.shift = 0
        self._cursor_key: Hashable = None
        self._top_key: Hashable = None
        self._last_key_read: Hashable = None
        self._seen: tuple[int, list[Line]] = (0, [])
        """The cursor's line on the screen, and the rows there, when last refreshed for new rows."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def paint(self, index: int) -> Line:
        """Return one row; what does not fit is cut."""

    @abstractmethod
    def key_at(self, index: int) -> Hashable:
        """Return what names a row for as long as it exists."""

    @abstractmethod
    def index_of(self, key: Hashable) -> int | None:
        """Return where the row with this key is now, None when it is gone."""

    def find(self, wanted: str) -> Found | None:  # noqa: ARG002 - a filtered list shows what was found
        """Go to what the find bar was left with; None where there is nothing to tell of it."""
        return None

    def height_of(self, index: int) -> int:  # noqa: ARG002 - of every row the same
        """Return how many lines of the screen a row takes."""
        return 1

    def row_at(self, y: int) -> tuple[int, Line] | None:
        """Return which row stands on a line of the screen, and what of it stands there."""
        index = y + self.scroll_offset.y
        return (index, self.paint(index)) if index < self.count else None

    @property
    def empty_text(self) -> str:
        """What stands in an empty list."""
        return "nothing yet"

    def rows_changed(self) -> None:
        """Take up new rows: keep the place of the cursor and of the reader, or follow."""
        self.virtual_size = Size(0, self.count + self.room_below)
        if self.following:
            self._place(self.count - 1)
            self._show_end()
        else:
            self._place(self._index_or(self._cursor_key, self.cursor))
            top = self._index_or(self._top_key, int(self.scroll_y))
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self._refresh_changed()

    @property
    def waiting(self) -> int:
        """How many rows came since following ended."""
        if self.following or not self.follows or self._last_key_read is None:
            return 0
        place = self.index_of(self._last_key_read)
        if place is None:
            return self.count
        is_kept = self.key_at(place) == self._last_key_read
        return self.count - place - is_kept

    @property
    def cursor_text(self) -> str:
        """The whole row under the cursor, "" in an empty list."""
        return "".join(text for text, _tone in self.paint(self.cursor)) if self.count else ""

    def move(self, steps: int) -> None:
        """Move the cursor; at the last row a list that can follow follows again."""
        if not self.count:
            return
        self._place(self.cursor + steps)
        self._set_following(self.cursor == self.count - 1 and steps > 0)
        self.show_cursor()

    def go_to(self, index: int) -> None:
        """Put the cursor on a row and show it; following ends."""
        self._set_following(False)
        self._place(index)
        self.show_cursor()

    def follow_newest(self) -> None:
        """Go to the newest row, and stay there in a list that can follow."""
        self._set_following(True)
        self._place(self.count - 1)
        self._show_end()
        self.refresh()

    def action_page(self, direction: int) -> None:
        self.move(direction * max(self.size.height - 1, 1))

    def action_shift(self, direction: int) -> None:
        self.shift = max(self.shift + direction * SHIFT, 0)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if (row := self.row_at(y)) is None:
            told = [] if self.count else self._told_empty()
            return self.strip(told[y] if y < len(told) else EMPTY, width)
        index, painted = row
        return self._shifted(painted, width, "cursor" if index == self.cursor else "plain")

    def _shifted(self, painted: Line, width: int, under: Tone) -> Strip:
        """Return what of a line is in view; a mark at each edge that there is more beyond."""
        size, begin = width_of(painted), self.shift
        strip = self.strip(painted, begin + width, under).crop(begin, begin + width)
        mark = self.strip(((ELLIPSIS, "dim"),), 1, under)
        if begin and size:
            strip = Strip.join([mark, strip.crop(1)])
        return Strip.join([strip.crop(0, width - 1), mark]) if size > begin + width else strip

    def show_cursor(self) -> None:
        """Scroll as little as needed to have the cursor in view."""
        top = min(max(int(self.scroll_y), self._top_above(self.cursor)), self.cursor)
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self._top_key = self._key_or_none(top)
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._top_key = self._key_or_none(int(new_value))

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._set_following(False)
        super()._on_mouse_scroll_up(event)

    def on_click(self, event: events.Click) -> None:
        if (row := self.row_at(event.y)) is not None:
            self.go_to(row[0])

    def on_resize(self) -> None:
        if self.following:
            self._show_end()

    def _place(self, index: int) -> None:
        self.cursor = min(max(index, 0), max(self.count - 1, 0))
        key = self._key_or_none(self.cursor)
        if key != self._cursor_key:
            self._cursor_key = key
            self.post_message(self.Moved(self))

    def _set_following(self, following: bool) -> None:  # noqa: FBT001 - one private flag
        following = following and self.follows
        if following == self.following:
            return
        self.following = following
        self._last_key_read = None if following else self._key_or_none(self.count - 1)
        self.post_message(self.Moved(self))

    def _top_above(self, index: int) -> int:
        """Return the first row from which on all of this one is in view."""
        top, room = index, self.size.height - self.height_of(index)
        while top > 0 and (room := room - self.height_of(top - 1)) >= 0:
            top -= 1
        return top

    def _show_end(self) -> None:
        top = self._top_above(self.count - 1) if self.count else 0
        self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def _refresh_changed(self) -> None:
        """Have only those visible rows drawn again that are not what is on the screen."""
        first = self.scroll_offset.y
        rows = range(first, min(first + self.size.height, self.count))
        painted = [self.paint(index) for index in rows] or self._told_empty()
        (cursor, seen), self._seen = self._seen, (self.cursor - first, painted)
        self.refresh_changed(seen if cursor == self.cursor - first else [], painted)

    def _told_empty(self) -> list[Line]:
        return wrap_line(((self.empty_text.strip(), "dim"),), max(self.size.width, 2), plain(" "))

    def _index_or(self, key: Hashable, otherwise: int) -> int:
        index = self.index_of(key) if key is not None else None
        return otherwise if index is None else index

    def _key_or_none(self, index: int) -> Hashable:
        return self.key_at(index) if 0 <= index < self.count else None
