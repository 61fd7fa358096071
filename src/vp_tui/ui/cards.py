"""The figures as four cards, where the terminal has room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Horizontal

from vp_tui.sources import SourceWord
from vp_tui.ui.card_lines import epoch_card, guardrails_card, latency_card, window_card
from vp_tui.ui.numbers import no_figures, state_note
from vp_tui.ui.paint import Line, Lines, join

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from vp_tui.sources import SourceView
    from vp_tui.ui.compared import Compared

TITLES: Final = {
    "window": "WINDOW",
    "epoch": "EPOCH",
    "latency": "P95 LATENCY",
    "guardrails": "GUARDRAILS",
}
_LABELS: Final = {"window": "fallback  ", "epoch": "fallback  ", "latency": "p95  "}
"""What the first line of a card is about."""
SHARES: Final = {"window": 28, "epoch": 36, "latency": 26, "guardrails": 30}
"""Of the width, as the stylesheet has them."""

FRAME: Final = 4
"""Columns of a card's border and padding."""
HEIGHT: Final = 8
"""Lines inside a card."""


class Cards(Horizontal):
    """The window's own figures, the cumulative ones, p95 and guardrails: side by side."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._cards = {name: Lines(id=f"card-{name}", classes="card") for name in TITLES}

    def compose(self) -> ComposeResult:
        yield from self._cards.values()

    def show(self, shown: Compared | None, source: SourceView, now: float, width: int) -> None:
        """Show the figures in `width` columns; `source` is the metrics' state without figures."""
        note = "".join(text for text, _tone in state_note(shown.figures if shown else None, source))
        titles = dict(TITLES)
        if shown is not None:
            titles |= {"window": shown.window_title, "epoch": shown.epoch_title}
        for name, card in self._cards.items():
            if (card.border_title, card.border_subtitle) != (titles[name], note):
                card.border_title, card.border_subtitle = titles[name], note
                card.set_class(source.word is not SourceWord.LIVE, "-not-current")
            inner = width * SHARES[name] // sum(SHARES.values()) - FRAME
            card.show(
                _card_lines(name, shown, now, inner) if shown else _empty(name, source, inner)
            )


def _empty(name: str, source: SourceView, width: int) -> list[Line]:
    """Say what would stand here, and why it does not."""
    label = _LABELS.get(name, "")
    first, *rest = no_figures(source, width - len(label))
    return [join((label, "dim"), first), *rest]


def _card_lines(name: str, shown: Compared, now: float, width: int) -> list[Line]:
    if name == "window":
        return window_card(shown, now, width)
    if name == "epoch":
        return epoch_card(shown, width, HEIGHT)
    if name == "latency":
        return latency_card(shown, width, HEIGHT)
    return guardrails_card(shown, width)
