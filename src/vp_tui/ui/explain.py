"""The explain screen: the whole assessment in words, as it is now or was when frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from vp_tui.ui.explanation import explanation
from vp_tui.ui.overlay import Overlay
from vp_tui.ui.paint import Line, Lines
from vp_tui.ui.scrolled import Scrolled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.widget import Widget

    from vp_tui.store import Store
    from vp_tui.ui.picture import Picture

_MARGIN: Final = 2
"""Cells beside the text: a blank at its left, the scroll bar at its right."""


class ExplainScreen(Overlay):
    """Verdict, word, window, gates, guardrails and statistics, each with its rule."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i,enter", "dismiss", show=False),
    ]
    DEFAULT_CSS = """
    ExplainScreen #explain { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    title_text = "EXPLAIN"

    def __init__(self, store: Store, picture: Callable[[], Picture]) -> None:
        super().__init__(store, picture)
        self._text = Lines(id="explain-lines")

    def content(self) -> Iterable[Widget]:
        yield Scrolled(self._text, id="explain")

    def facts(self, shown: Picture) -> Line:
        return ((shown.state.watch.vp_id, "plain"),)

    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("esc", "back"), ("↑ ↓ j k", "scroll"), ("pgup pgdn", "page"))

    def draw(self, shown: Picture, width: int) -> None:
        self._text.show(explanation(shown.state, shown.now, width - _MARGIN))
