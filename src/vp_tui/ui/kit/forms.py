"""What dialogs are filled in with: texts, one word of several, and lists that digits choose from.

All of them are lines without boxes, so that a dialog fits a small terminal. Keys act only while the
part they belong to has the focus: letters and digits in a text are letters and digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from vp_tui.domain.text import literal
from vp_tui.ui.kit.line_list import Lines, Toned
from vp_tui.ui.lines.paint import Line, Span, join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Click, Paste

    from vp_tui.ui.lines.paint import Tone


TEXT_LIMIT: Final = 200_000
"""Characters that a text may have; the row cuts long notes, its record keeps them."""
_AROUND: Final = 2
"""Blanks beside a word that turns, as the dialogs' styles have them."""
_DIGITS: Final = "1234567890"
_BUTTON: Final = "{}[ {} ]"
_BETWEEN: Final = 2
"""Blanks between two answers."""


_TAB: Final = "␉"
_MEANT: Final = {0x2400 + code: code for code in range(0x20)} | {ord("␡"): 0x7F}
"""The characters that picture control characters, and what each pictures."""


class TextLine(Input):
    """A text on one line; what would act on the terminal is shown as a picture of itself.

    Pasted lines stay one text: their ends are pictured too, and `meant` has them back.
    """

    def __init__(self, name: str, value: str, hint: str) -> None:
        super().__init__(
            _pictured(value),
            id=name,
            placeholder=literal(hint),
            compact=True,
            select_on_focus=False,
            max_length=TEXT_LIMIT,
        )

    @property
    def meant(self) -> str:
        """What was typed or pasted, without blanks around it."""
        return self.value.translate(_MEANT).strip()

    def on_focus(self) -> None:
        """Bring the cursor into view: it stands at the end of what a field was filled in with."""
        at = self.cursor_screen_offset.x - self.content_region.x + self.scroll_offset.x
        self.scroll_to_region(Region(at, 0, 1, 1), force=True, animate=False)

    def render_line(self, y: int) -> Strip:
        """Return the line; what is hidden at an end is marked there, but under the cursor."""
        strip, width = super().render_line(y), self.size.width
        left, whole = self.scroll_offset.x, self.content_width - bool(self.value)
        at = self.cursor_screen_offset.x - self.content_region.x
        mark = Strip([Segment("…", self.rich_style)])
        if left and at:
            strip = Strip.join([mark, strip.crop(1, width)])
        if whole - left > width and at != width - 1:
            strip = Strip.join([strip.crop(0, width - 1), mark])
        return strip

    def replace(self, text: str, start: int, end: int) -> None:
        super().replace(_pictured(text), start, end)

    def _on_paste(self, event: Paste) -> None:
        event.prevent_default()  # Textual's own takes the first line only
        event.stop()
        self.replace(event.text.replace("\r\n", "\n").replace("\r", "\n"), *self.selection)


def _pictured(text: str) -> str:
    return literal(text.replace("\t", _TAB))


class Field(Horizontal):
    """A label and a text on one line."""

    def __init__(self, name: str, value: str = "", *, hint: str = "", label: str = "") -> None:
        super().__init__(id=f"field-{name}", classes="field")
        self._label = label or name
        self.text = TextLine(name, value, hint)

    def compose(self) -> ComposeResult:
        label = Lines(classes="field-label")
        label.show([((f"{self._label:<7}", "dim"),)])
        yield label
        yield self.text


class Cycle(Toned, can_focus=True):
    """One of several words; space and the arrows go to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space,down", "turn(1)", show=False),
        Binding("left,up", "turn(-1)", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Another word was chosen."""

        cycle: Cycle

        @property
        def control(self) -> Cycle:
            return self.cycle

    def __init__(self, name: str, options: Sequence[str], value: str) -> None:
        super().__init__(id=name, classes="cycle")
        self._label = name
        self._options = tuple(options)
        self.place = self._options.index(value)
        """Of the chosen word among the options."""

    @property
    def value(self) -> str:
        """The chosen word."""
        return self._options[self.place]

    def show(self, options: Sequence[str], place: int) -> None:
        """Offer these words, and choose the one at `place`."""
        if (tuple(options), place) != (self._options, self.place):
            self._options, self.place = tuple(options), place
            self.refresh(layout=True)

    def on_click(self) -> None:
        self.action_turn(1)

    def action_turn(self, step: int) -> None:
        self.show(self._options, (self.place + step) % len(self._options))
        self.post_message(self.Changed(self))

    def get_content_width(self, *_args: object) -> int:
        return len(self._label) + 5 + max(map(len, self._options))

    def get_content_height(self, *_args: object) -> int:
        return 1

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has but one line
        tone: Tone = "match" if self.has_focus else "strong"
        painted: Line = ((f"{self._label} ", "dim"), (f"<{self.value}>", tone))
        return self.strip(painted, self.size.width)


class Cycles(Horizontal):
    """Words that turn, beside each other; below each other where they do not fit beside."""

    def __init__(self, *cycles: Cycle) -> None:
        super().__init__(*cycles, classes="row")
        self._cycles = cycles

    def lay_out(self, width: int) -> int:
        """Arrange them in `width` cells; return the lines that they take."""
        wide = sum(cycle.get_content_width() + _AROUND for cycle in self._cycles)
        self.set_class(wide > width, "-narrow")
        return len(self._cycles) if wide > width else 1


class Choices(Toned, can_focus=True):
    """A list of words with what each means; digits and the arrows choose while it has the focus.

    Each word brings its own digit, "" for none: the same word answers to the same digit for ever.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("home", "move(-99)", show=False),
        Binding("end", "move(99)", show=False),
        *(Binding(digit, f"digit({digit})", show=False) for digit in _DIGITS),
    ]

    @dataclass
    class Changed(Message):
        """Another row was chosen, perhaps by its digit."""

        by_digit: bool

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._rows: tuple[tuple[str, str, Line], ...] = ()
        self._chosen = 0

    @property
    def value(self) -> str:
        """The chosen word, "" while there is none to choose."""
        return self._rows[self._chosen][1] if self._rows else ""

    @property
    def count(self) -> int:
        """How many words there are."""
        return len(self._rows)

    def show(self, rows: Sequence[tuple[str, str, Line]], value: str) -> None:
        """Show these, each a digit, a word and what is said of it, and choose `value`."""
        self._rows = tuple(rows)
        words = [word for _digit, word, _said in rows]
        self._chosen = words.index(value) if value in words else 0
        self.refresh(layout=True)

    def action_move(self, step: int) -> None:
        self._choose(min(max(self._chosen + step, 0), len(self._rows) - 1), by_digit=False)

    def action_digit(self, digit: int) -> None:
        digits = [of for of, _word, _said in self._rows]
        if str(digit) in digits:
            self._choose(digits.index(str(digit)), by_digit=True)

    def on_click(self, event: Click) -> None:
        place = self._first + event.y
        if place < len(self._rows):
            self._choose(place, by_digit=False)

    @property
    def _first(self) -> int:
        """The row that is shown at the top: the chosen one is in view."""
        height, count = self.size.height, len(self._rows)
        return min(max(self._chosen - height + 1, 0), max(count - height, 0))

    def _choose(self, place: int, *, by_digit: bool) -> None:
        self._chosen = place
        self.refresh()
        self.post_message(self.Changed(by_digit))

    def get_content_height(self, *_args: object) -> int:
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        place = self._first + y
        if place >= len(self._rows):
            return self.strip((), self.size.width)
        digit, word, said = self._rows[place]
        is_chosen = place == self._chosen
        mark: Span = ("> " if is_chosen else "  ", "accent")
        painted = join(mark, (f"{digit:<2}", "dim"), (f"{word:<32}", "strong"), said)
        under: Tone = "match" if is_chosen and self.has_focus else "plain"
        return self.strip(painted, self.size.width, under)


class Buttons(Toned, can_focus=True):
    """A few answers on one line, the harmless one first; arrows choose, enter gives the chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "move(1)", show=False),
        Binding("left", "move(-1)", show=False),
        Binding("enter", "press", show=False),
    ]

    @dataclass
    class Pressed(Message):
        """An answer was given."""

        answer: str

    def __init__(self, *answers: str) -> None:
        super().__init__(id="buttons")
        self._answers = answers
        self._chosen = 0

    def show(self, *answers: str) -> None:
        """Offer these answers, the harmless one chosen."""
        self._answers, self._chosen = answers, 0
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Give the answer under the mouse, as enter does: it has to be meant alike."""
        left = 0
        for place, answer in enumerate(self._answers):
            right = left + len(_BUTTON.format(" ", answer))
            if left <= event.x < right:
                self._chosen = place
                self.refresh()
                self.app.simulate_key("enter")
            left = right + _BETWEEN

    def action_move(self, step: int) -> None:
        self._chosen = min(max(self._chosen + step, 0), len(self._answers) - 1)
        self.refresh()

    def action_press(self) -> None:
        self.post_message(self.Pressed(self._answers[self._chosen]))

    def get_content_height(self, *_args: object) -> int:
        return 1

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has but one line
        painted: Line = ()
        for place, answer in enumerate(self._answers):
            is_chosen = place == self._chosen
            tone: Tone = "match" if is_chosen and self.has_focus else "plain"
            mark = ">" if is_chosen else " "
            painted = join(painted, (_BUTTON.format(mark, answer), tone), " " * _BETWEEN)
        return self.strip(painted, self.size.width)
