"""A screen of one list that is filtered, with the whole of the item under the cursor below it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

from textual.binding import Binding, BindingType

from vp_tui.actions import ACTIONS
from vp_tui.ui.keys import bindings
from vp_tui.ui.overlay import Overlay
from vp_tui.ui.paint import Line, Lines, join
from vp_tui.ui.scrolled import Scrolled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.widget import Widget

    from vp_tui.store import Store
    from vp_tui.ui.find import FindBar
    from vp_tui.ui.lines import LineList
    from vp_tui.ui.picture import Picture

RowsT = TypeVar("RowsT", bound="LineList")
ItemT = TypeVar("ItemT")
LIST_ID: Final = "listed"
_SHARED: Final = frozenset({"up", "down", "follow", "top", "find", "copy"})
"""Actions that mean here what they mean on the watch screen."""
_MARGIN: Final = 2
"""Cells beside the whole item: a blank at its left, the scroll bar at its right."""


class Listing(Overlay, Generic[RowsT, ItemT]):
    """Shows the list as it is now, also while the picture is frozen.

    `ItemT` names one item for as long as it exists: what comes does not push it off the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings((action for action in ACTIONS if action.id in _SHARED), read_only=False),
        Binding("enter", "whole", show=False),
        Binding("escape", "back", show=False),
    ]
    DEFAULT_CSS = """
    Listing #about { height: auto; }
    Listing #columns { height: 1; background: $panel; }
    Listing #item-title { height: 1; }
    Listing #item { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    AUTO_FOCUS = f"#{LIST_ID}"
    item_word: ClassVar[str]
    """What one item is called."""

    def __init__(self, store: Store, picture: Callable[[], Picture], rows: RowsT) -> None:
        """`rows` is the list, with `LIST_ID`."""
        super().__init__(store, picture)
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
    def under_cursor(self) -> ItemT | None:
        """The item under the cursor; None in an empty list."""

    @abstractmethod
    def fill(self) -> None:
        """Show in the list what is known now."""

    @abstractmethod
    def counted(self) -> str:
        """Return how many items there are, or are left by the filter."""

    @abstractmethod
    def about(self, width: int) -> Iterable[Line]:
        """Return what stands above the list."""

    @abstractmethod
    def columns(self, width: int) -> Line:
        """Return the names of the list's columns."""

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
        return self.under_cursor if self.whole is None else self.whole

    def content(self) -> Iterable[Widget]:
        return (self._about, self._columns, self.list, self._item_title, self._item_box)

    def facts(self, shown: Picture) -> Line:
        return join(
            self.counted(),
            (f" /{self.wanted}/" if self.wanted else "", "match"),
            (f"  {self.list.waiting} new: G" if self.list.waiting else "", "warn"),
            ("  not frozen" if shown.frozen_for is not None else "", "warn"),
        )

    def draw(self, shown: Picture, width: int) -> None:  # noqa: ARG002 - the list as it is now
        self.fill()
        self._about.show(self.about(width))
        self._columns.show([self.columns(width)])
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

    def action_follow(self) -> None:
        self.list.follow_newest()

    def action_top(self) -> None:
        self.list.go_to(0)

    def action_find(self) -> None:
        from vp_tui.ui.find import FindBar  # noqa: PLC0415 - many never filter

        if self.whole is None and not self.query(FindBar):
            self.mount(FindBar(self.list, self.wanted))

    def action_copy(self) -> None:
        if self.item is not None:
            self.app.copy_to_clipboard(self.copied(self.item))
            sent = f"{self.item_word} sent to the terminal's clipboard"
            self.notify(f"{sent}; in tmux this needs `set-clipboard on`", markup=False)

    def action_whole(self) -> None:
        self._show_whole(self.under_cursor if self.whole is None else None)

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
