"""The figures as four cards, where the terminal has room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Horizontal

from vp_tui.sources import SourceWord
from vp_tui.ui.numbers import (
    events_card,
    fallback_card,
    latency_card,
    missions_card,
    no_figures,
    state_note,
)
from vp_tui.ui.paint import Line, Lines

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from vp_tui.selectors import Numbers
    from vp_tui.sources import SourceView
    from vp_tui.state import State

TITLES: Final = {
    "fallback": "FALLBACK RATE",
    "latency": "P95 LATENCY",
    "missions": "MISSIONS",
    "turns": "EVENTS",
}

FRAME: Final = 4
"""Columns of a card's border and padding."""
HEIGHT: Final = 7
"""Lines inside a card."""


class Cards(Horizontal):
    """Fallback rate, p95, missions, events: side by side."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._cards = {name: Lines(id=f"card-{name}", classes="card") for name in TITLES}
        for name, card in self._cards.items():
            card.border_title = TITLES[name]

    def compose(self) -> ComposeResult:
        yield from self._cards.values()

    def show(self, figures: Numbers | None, state: State, source: SourceView, width: int) -> None:
        """Show the figures in `width` columns; `source` is the metrics' state without figures."""
        inner = width // len(TITLES) - FRAME
        note = "".join(text for text, _tone in state_note(figures, source))
        for name, card in self._cards.items():
            if card.border_subtitle != note:
                card.border_subtitle = note
                card.set_class(source.word is not SourceWord.LIVE, "-not-current")
            card.show(_card_lines(name, figures, state, source, inner))


def _card_lines(
    name: str,
    figures: Numbers | None,
    state: State,
    source: SourceView,
    width: int,
) -> list[Line]:
    if figures is None:
        return no_figures(source, width)
    if name == "fallback":
        return fallback_card(figures, state, width, HEIGHT)
    if name == "latency":
        return latency_card(figures, width, HEIGHT)
    if name == "missions":
        return missions_card(figures, width)
    return events_card(figures, state, width)
