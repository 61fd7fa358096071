"""A full screen over the watch screen: title with the badge, SAFETY, its content, its keys."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen

from vp_tui.domain.text import clip
from vp_tui.ui.header import badge_span
from vp_tui.ui.paint import Line, Lines, cut, join, spread
from vp_tui.ui.verdict import alarm_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from vp_tui.store import Store
    from vp_tui.ui.picture import Picture

_NAME: Final = 32
"""Characters of the gateway's name in the title."""


class Overlay(Screen[None]):
    """Draws the picture that `picture` returns, anew whenever the store publishes.

    SAFETY stands under the title whatever is frozen or scrolled: these screens hide the other one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "app.quit", show=False),
    ]
    DEFAULT_CSS = """
    Overlay { background: $background; layers: base over; }
    Overlay #overlay-title { height: 1; background: $panel; }
    Overlay #overlay-safety { height: auto; background: $panel; }
    Overlay #overlay-keys { height: 1; background: $panel; }
    """
    title_text: ClassVar[str]
    """What the screen is called."""

    def __init__(self, store: Store, picture: Callable[[], Picture]) -> None:
        super().__init__()
        self._store = store
        self._picture = picture
        self._title = Lines(id="overlay-title")
        self._safety = Lines(id="overlay-safety")
        self._keys = Lines(id="overlay-keys")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._safety
        yield from self.content()
        yield self._keys

    @abstractmethod
    def content(self) -> Iterable[Widget]:
        """Return the widgets between the top lines and the keys."""

    @abstractmethod
    def draw(self, shown: Picture, width: int) -> None:
        """Draw the content, `width` cells wide."""

    @abstractmethod
    def facts(self, shown: Picture) -> Line:
        """Return what stands beside the title."""

    @abstractmethod
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Return the keys of the last line, and what each does, the one that leaves first."""

    def on_mount(self) -> None:
        self._unsubscribe = self._store.subscribe(lambda _state: self.redraw())
        self.redraw()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw all of it as it is now."""
        shown, width = self._picture(), self.app.size.width
        state, now, frozen_for, safety = shown
        self.draw(shown, width)
        left = join(
            badge_span(state, now, frozen_for),
            (f" {self.title_text} ", "strong"),
            " ",
            (clip(state.watch.name, _NAME), "gateway"),
            "  ",
            self.facts(shown),
        )
        clock: Line = ((f"{state.clock.wall_at(now):%H:%M:%S}Z", "strong"),)
        self._title.show([spread(left, clock, width)])
        self._safety.show(alarm_line(one, width) for one in safety)
        keys = (join((f" {key} ", "accent"), f"{what} ") for key, what in self.keys())
        self._keys.show([cut(join(*keys), width)])
