"""The figures as four cards, where the terminal has room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

TITLES = {
    "fallback": "FALLBACK RATE",
    "latency": "P95 LATENCY",
    "missions": "MISSIONS",
    "turns": "EVENTS",
}


class Cards(Horizontal):
    """Fallback rate, p95, missions, events: side by side."""

    def compose(self) -> ComposeResult:
        for name, title in TITLES.items():
            card = Lines(id=f"card-{name}", classes="card")
            card.border_title = title
            yield card

    def show(self, figures: Numbers | None, state: State, source: SourceView) -> None:
        """Show the figures; `source` is the metrics' state when there are none."""
        note = "".join(text for text, _tone in state_note(figures, source))
        for name in TITLES:
            card = self.query_one(f"#card-{name}", Lines)
            width, height = card.content_size
            if card.border_subtitle != note:
                card.border_subtitle = note
                card.set_class(source.word is not SourceWord.LIVE, "-not-current")
            card.show(_card_lines(name, figures, state, source, width, height))


def _card_lines(
    name: str,
    figures: Numbers | None,
    state: State,
    source: SourceView,
    width: int,
    height: int,
) -> list[Line]:
    if figures is None:
        return no_figures(source, width)
    if name == "fallback":
        return fallback_card(figures, state, width)
    if name == "latency":
        return latency_card(figures, width, height)
    if name == "missions":
        return missions_card(figures, width)
    return events_card(figures, state, width)
