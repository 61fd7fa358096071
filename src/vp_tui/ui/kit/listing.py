"""A screen of one list that is filtered, the item under the cursor whole below it; the find bar.

The find bar filters a table or searches a log; while it is open it is over the footer.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Generic, NamedTuple, TypeVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from vp_tui.domain.text import clip, counted, literal
from vp_tui.ui.actions import FULL_WORDS, bindings
from vp_tui.ui.kit.line_list import LineList, Lines
from vp_tui.ui.kit.overlays import Overlay, Scrolled, to_clipboard
from vp_tui.ui.lines.paint import Line, fit, join
from vp_tui.views.actions import ACTIONS, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.app import ComposeResult
    from textual.notifications import SeverityLevel
    from textual.widget import Widget

    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.ui.lines.paint import Found
    from vp_tui.views.view import Live


RowT = TypeVar("RowT")
ItemT = TypeVar("ItemT")
WIDE: Final = 118
"""Columns of the terminal from which on cells are not cut short."""
LONGEST: Final = 400
"""Characters of a text that are looked at: enough for the widest line."""
_LIST_ID: Final = "listed"
_SHARED: Final = frozenset({"up", "down", "follow", "top", "find", "copy"})
"""Actions that mean here what they mean on the watch screen."""
_MARGIN: Final = 2
"""Cells beside the whole item: a blank at its left, the scroll bar at its right."""


class Columns(NamedTuple):
    """The columns of a list, between what its lines begin and end with."""

    first: str
    names: tuple[str, ...]
    last: str
    narrow: tuple[int, ...]
    wide: tuple[int, ...]
    """Cells of each, with the blank behind it."""

    def cells(self, width: int, *texts: str) -> list[str]:
        """Return a text for each column, literal and as wide as it is in a list of `width`."""
        sizes = self.wide if width >= WIDE else self.narrow
        pairs = zip(texts, sizes, strict=True)
        return [f"{fit(literal(clip(text, LONGEST)), size - 1)} " for text, size in pairs]

    def head(self, width: int) -> Line:
        """Return what stands over the columns."""
        return ((f"{self.first}{''.join(self.cells(width, *self.names))}{self.last}", "dim"),)


def matching(rows: tuple[RowT, ...], wanted: str, text_of: Callable[[RowT], str]) -> Sequence[int]:
    """Return the places of the rows whose text contains `wanted`, whatever the case."""
    folded = wanted.casefold()
    if not folded:
        return range(len(rows))
    return tuple(n for n, row in enumerate(rows) if folded in text_of(row).casefold())


class RowList(LineList, Generic[RowT, ItemT]):
    """The rows that the filter leaves, the newest at the bottom, where the cursor follows it.

    A row's key is an `ItemT`.
    """

    empty_text = ""

    def __init__(self) -> None:
        super().__init__(id=_LIST_ID)
        self.rows: tuple[RowT, ...] = ()
        self.places: Sequence[int] = ()
        """Indices of the rows that are shown, rising."""

    def show(self, rows: tuple[RowT, ...], places: Sequence[int], empty: str) -> None:
        """Show those of `rows` that are at `places`; `empty` says why there are none."""
        if rows is self.rows and places == self.places and empty == self.empty_text:
            return
        self.rows, self.places, self.empty_text = rows, places, empty
        self.rows_changed()

    @property
    def chosen(self) -> ItemT | None:
        """The item under the cursor; None in an empty list."""
        return cast("ItemT", self.key_at(self.cursor)) if self.count else None

    @property
    def count(self) -> int:
        return len(self.places)


class Listing(Overlay, Generic[RowT, ItemT]):
    """Shows the list as it is now, also while the picture is frozen.

    `ItemT` names one item for as long as it exists: what comes does not push it off the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings((action for action in ACTIONS if action.id in _SHARED), read_only=False),
        Binding("q", "dismiss", show=False),
        Binding("enter", "whole", show=False),
        Binding("escape", "back", show=False),
    ]
    DEFAULT_CSS = """
    Listing #about { height: auto; }
    Listing #columns { height: 1; background: $panel; }
    Listing #item-title { height: 1; }
    Listing #item { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    AUTO_FOCUS = f"#{_LIST_ID}"
    item_word: ClassVar[str]
    """What one item is called."""
    list_word: ClassVar[str] = "list"
    copy_words: ClassVar[tuple[str, str]] = ("copy it", "copy it")
    """What copying is called in the list, and while an item has the screen for itself."""
    more_keys: ClassVar[tuple[tuple[str, str], ...]] = ()
    columns: ClassVar[Columns]

    def __init__(
        self, live: Live, picture: Callable[[], Picture], rows: RowList[RowT, ItemT]
    ) -> None:
        super().__init__(live, picture)
        self.list = rows
        self.wanted = ""
        """What the items are filtered by."""
        self.whole: ItemT | None = None
        """The item that has the screen for itself."""
        self._about = Lines(id="about")
        self._columns = Lines(id="columns")
        self._item_title = Lines(id="item-title")
        self._item = Lines()
        self._item_box = Scrolled(self._item, id="item")

    @property
    @abstractmethod
    def rows(self) -> tuple[RowT, ...]:
        """What is known now."""

    @staticmethod
    @abstractmethod
    def text_of(row: RowT) -> str:
        """Return what the filter looks at."""

    @abstractmethod
    def counted(self) -> str:
        """Return how many items there are."""

    @abstractmethod
    def why_empty(self) -> str:
        """Return what stands in an empty list."""

    @abstractmethod
    def about(self, width: int) -> Iterable[Line]:
        """Return what stands above the list."""

    @abstractmethod
    def item_title(self, item: ItemT) -> str:
        """Return what stands above the whole item."""

    @abstractmethod
    def item_lines(self, item: ItemT, width: int) -> Iterable[Line]:
        """Return the whole item."""

    @abstractmethod
    def copied(self, item: ItemT) -> str:
        """Return the item as it is put on the clipboard."""

    @property
    def item(self) -> ItemT | None:
        """The item that is shown whole; None while there is none."""
        return self.list.chosen if self.whole is None else self.whole

    def key_of(self, action_id: str) -> str:
        """Return how the key of an action is called."""
        return key_of(self.live.state.watch, action_id)

    def content(self) -> Iterable[Widget]:
        return (self._about, self._columns, self.list, self._item_title, self._item_box)

    def keys(self) -> tuple[tuple[str, str], ...]:
        copy, copy_whole = self.copy_words
        if self.whole is not None:
            return (
                ("esc", f"back to the {self.list_word}"),
                (self.key_of("copy"), copy_whole),
                *self.scroll_keys(("↑ ↓ pgup pgdn", "scroll")),
            )
        there = (
            ("enter", f"whole {self.item_word}"),
            (self.key_of("find"), "filter"),
            (self.key_of("copy"), copy),
            *(() if self.list.following else ((self.key_of("follow"), "newest"),)),
            *self.more_keys,
        )
        empty = ((self.key_of("find"), "filter"),) if self.rows else ()
        way_out = ("esc", "show all" if self.wanted else "back")
        return (way_out, *(there if self.list.count else empty))

    def facts(self, shown: Picture) -> Line:
        told, waiting = self.counted(), self.list.waiting
        if self.wanted:
            told = f"{self.list.count} of {counted(len(self.rows), self.item_word)}"
        return join(
            told,
            (f" /{self.wanted}/" if self.wanted else "", "match"),
            (f"  +{waiting:,}, {self.key_of('follow')}" if waiting else "", "warn"),
            ("  not frozen" if shown.frozen_for is not None else "", "warn"),
        )

    def draw(self, shown: Picture, width: int) -> None:  # noqa: ARG002 - the list as it is now
        places = self.live.view.same(matching, self.rows, self.wanted, self.text_of)
        self.list.show(self.rows, places, self.why_empty())
        self._about.show(self.about(width))
        self._columns.show([self.columns.head(width)])
        for widget in (self._columns, self.list):
            widget.display = self.whole is None
        item = self.item
        self._item_title.display = self._item_box.display = item is not None
        if item is not None:
            title = self.item_title(item)
            self._item_title.show([((title, "strong"), ("─" * (width - len(title)), "dim"))])
            self._item.show(self.item_lines(item, width - _MARGIN))

    def on_line_list_moved(self, _message: LineList.Moved) -> None:
        if self.whole is None:
            self._item_box.action_first()
        self.call_after_refresh(self.redraw)

    def on_find_bar_wanted(self, message: FindBar.Wanted) -> None:
        self.filter(message.text)

    def action_cursor(self, steps: int) -> None:
        self.list.move(steps)

    def action_shift(self, direction: int) -> None:
        self.list.action_shift(direction)

    def action_follow(self) -> None:
        self.list.follow_newest()

    def action_top(self) -> None:
        self.list.go_to(0)

    def action_find(self) -> None:
        if self.whole is None and not self.query(FindBar):
            self.mount(FindBar(self.list, self.wanted))

    def action_copy(self) -> None:
        if self.item is not None:
            to_clipboard(self, self.copied(self.item), self.item_word)

    def action_whole(self) -> None:
        self._show_whole(self.list.chosen if self.whole is None else None)

    def action_back(self) -> None:
        if self.whole is not None:
            self._show_whole(None)
        elif self.wanted:
            self.filter("")
        else:
            self.dismiss()

    def filter(self, text: str) -> None:
        """Show only what `text` is in; "" shows all."""
        self.wanted = text
        self.redraw()

    def _show_whole(self, item: ItemT | None) -> None:
        self.whole = item
        self.redraw()
        (self.list if item is None else self._item_box).focus()


class FindBar(Horizontal):
    """Acts on its list at each letter. Enter keeps what was found, esc shows all again."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    @dataclass
    class Wanted(Message):
        """The list is to be filtered by `text`, or searched for it; "" shows all."""

        target: LineList
        text: str

    def __init__(self, target: LineList, text: str) -> None:
        super().__init__(id="find-bar")
        self._target = target
        self._text = text

    def compose(self) -> ComposeResult:
        label = Lines(id="find-label")
        keys = " (enter keeps, esc ends)" if self.app.size.width >= FULL_WORDS else ""
        label.show([((f" {self._target.find_verb} {self._target.id}{keys}: ", "accent"),)])
        yield label
        yield Input(self._text, id="find", compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_descendant_blur(self) -> None:
        """Leave with the focus, else the bar would stay over the footer and `/` be dead."""
        if self.is_attached:
            self.remove()

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        self.post_message(self.Wanted(self._target, message.value))

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        target, text = self._target, message.value
        # What is wanted may still be on its way to the list.
        if (found := target.find(text)) is not None:
            tell_found(self, found)
        self._close()

    def action_leave(self) -> None:
        self.post_message(self.Wanted(self._target, ""))
        self._close()

    def _close(self) -> None:
        self._target.focus()
        self.remove()


def tell_found(widget: Widget, found: Found) -> None:
    """Tell what was found, and which of how many."""
    severity: SeverityLevel = "information" if found.total else "warning"
    widget.notify(str(found), severity=severity, markup=False)
