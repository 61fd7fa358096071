"""What lies over the watch screen: full screens, last lines, and what they show at one moment.

What is wrong stays in view in all of them: a dialog's first lines are the watch screen's, drawn
anew with every state, and guardrails and alarms go on; esc leaves nothing behind. Long texts scroll
at once: no animation over ssh.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen

from vp_tui.domain.text import clip, clock_z, literal
from vp_tui.ui.actions import keys_line
from vp_tui.ui.kit import Guarded
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.lines.header import alarm_line, assessment_of, badge_span
from vp_tui.ui.lines.paint import Line, join, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult
    from textual.timer import Timer
    from textual.widget import Widget

    from vp_tui.views.troubles import SafetyEntry
    from vp_tui.views.view import Live, View


_NAME: Final = 32
"""Characters of the gateway's name in the title."""

STAYS: Final = float("inf")
"""Seconds of what is told until `esc`, or until what it tells of has changed."""
ROOMY: Final = 30
"""Lines of the terminal from which on the header is as whole as the watch screen's."""


def heading(text: str) -> Text:
    """Return what stands in a border: a text there would be taken for markup."""
    return Text(literal(text))


def to_clipboard(widget: Widget, text: str, what: str) -> None:
    """Send a text to the terminal's clipboard, and tell that it was."""
    widget.app.copy_to_clipboard(text)
    sent = f"{what} sent to the terminal's clipboard; in tmux this needs `set-clipboard on`"
    widget.notify(sent, markup=False)


class LastLine(Lines):
    """The keys that work now; for a while, and over no figure, what was told in their place."""

    def __init__(self, line: Callable[[str], Line], *, id: str) -> None:  # noqa: A002 - Textual's name
        """`line` makes the line of what is told now, "" for nothing."""
        super().__init__(id=id)
        self._line = line
        self.told = ""
        self.stays = ""
        """Is told until `esc`, "" while nothing is."""
        self._over = ""
        self._timer: Timer | None = None

    def redraw(self) -> None:
        """Name the keys that work now, unless something is told."""
        self.show(
            [((f" {self._over}", "dim"),) if self._over else self._line(self.told or self.stays)]
        )

    def name_instead(self, keys: str) -> None:
        """Name the keys of what lies over the screen, and leaves this line free; "": its own."""
        self._over = keys
        self.redraw()

    def tell(self, text: str, seconds: float) -> None:
        """Tell this for a while, in place of what was told before; STAYS: until `esc`."""
        if seconds == STAYS:
            self.stays = f"[esc] {text}"
        else:
            if self._timer is not None:
                self._timer.stop()
            self._timer, self.told = self.set_timer(seconds, self._forget), text
        self.redraw()

    def end(self) -> None:
        """End what is told until `esc`."""
        self.stays = ""
        self.redraw()

    def _forget(self) -> None:
        self.told = ""
        self.redraw()


class Overlay(Guarded, Screen[None]):
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

    def __init__(self, live: Live, picture: Callable[[], Picture]) -> None:
        super().__init__()
        self.live = live
        self._picture = picture
        self._title = Lines(id="overlay-title")
        self._safety = Lines(id="overlay-safety")
        self._keys = LastLine(self._last_line, id="overlay-keys")

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
        self._unsubscribe = self.live.store.subscribe(lambda _state: self.redraw())
        self.redraw()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw all of it as it is now; what fails says so, and is tried again."""
        self.drawn("", self._redraw, self._title.show)

    def _redraw(self) -> None:
        shown, width = self._picture(), self.app.size.width
        view, frozen_for, safety = shown
        self.draw(shown, width)
        left = join(
            badge_span(view, frozen_for),
            (f" {self.title_text} ", "strong"),
            " ",
            (clip(view.state.watch.name, _NAME), "gateway"),
            "  ",
            self.facts(shown),
        )
        clock: Line = ((clock_z(view.wall), "strong"),)
        self._title.show([spread(left, clock, width)])
        self._safety.show(alarm_line(one, width) for one in safety)
        self._keys.redraw()

    def scroll_keys(self, *keys: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """Return these keys while there is something that they would scroll."""
        return keys if any(box.max_scroll_y for box in self.query(Scrolled)) else ()

    def _last_line(self, told: str) -> Line:
        return keys_line(self.keys(), self.live, told, self.app.size.width)


class Picture(NamedTuple):
    """What a screen shows, and what is so now whatever it shows."""

    view: View
    """As of when it was frozen, of a frozen picture."""
    frozen_for: float | None
    """Seconds; None while nothing is frozen."""
    safety: tuple[SafetyEntry, ...]
    """As of the newest state."""


def picture_of(live: Live, frozen: View | None) -> Picture:
    """Return what is shown now; `frozen` is the view that was frozen."""
    newest = live.view
    frozen_for = None if frozen is None else newest.now - frozen.now
    return Picture(frozen or newest, frozen_for, safety_of(newest))


def safety_of(view: View) -> tuple[SafetyEntry, ...]:
    """Return what is wrong now; nothing before the first answer."""
    return assessment_of(view).safety if view.state.sources else ()


class Scrolled(VerticalScroll, inherit_bindings=False):
    """A box around lines that are too many for it; its keys act while it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "by(-1)", show=False),
        Binding("down,j", "by(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "first", show=False),
        Binding("end,G", "last", show=False),
    ]

    def on_mount(self) -> None:
        for changed in ("virtual_size", "size"):  # and with it whether there is more than is seen
            self.watch(self, changed, self._tell_keys, init=False)

    def _tell_keys(self) -> None:
        self.call_after_refresh(lambda: self.screen.query(LastLine).first().redraw())

    def action_by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_y + lines, animate=False, immediate=True)

    def action_page(self, direction: int) -> None:
        self.action_by(direction * max(self.size.height - 1, 1))

    def action_first(self) -> None:
        self.scroll_to(y=0, animate=False, immediate=True)

    def action_last(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
