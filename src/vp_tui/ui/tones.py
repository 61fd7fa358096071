"""What the tones look like, taken from the stylesheet once for all widgets."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, get_args

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

Tone = Literal[
    "plain",
    "good",
    "warn",
    "bad",
    "dim",
    "accent",
    "strong",
    "gateway",
    "match",
    "live",
    "alarm",
    "cursor",
]
"""How a text stands out. A tone only ever repeats what a word or symbol says.

`gateway` is the gateway's name, in the colour that its configuration gives it.
"""

_PLAIN: Final = Style()


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
        known = self._known.get(tone)
        if known is None:
            known = self._known[tone] = self._read(tone)
        return known

    def notify_style_update(self) -> None:
        """Read the styles anew: the theme changed."""
        self._known = {"plain": _PLAIN}
        super().notify_style_update()

    def _read(self, tone: Tone) -> Style:
        styles = self.get_component_styles(f"tone--{tone}")
        partial = styles.partial_rich_style
        if tone == "gateway" and self._colour:
            # Laid under the name: so it can be read on every theme.
            back = Color.parse(self._colour)
            front = back.get_contrast_text(1.0)
            return partial + Style(color=front.rich_color, bgcolor=back.rich_color)
        if not styles.has_rule("color"):
            return partial
        _base, background, *_ = self.background_colors
        text: Color = background + styles.color
        return partial + Style(color=text.rich_color)
