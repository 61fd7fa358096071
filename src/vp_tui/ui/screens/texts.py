"""The help screen and the explain screen: texts that are read, not acted on.

Help lists every key, from the same registry that binds it; the explanation is the whole assessment
in words, as it is now or was when frozen.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from vp_tui.domain.lane.auto_revert import STOP_KEY
from vp_tui.ui.actions import OFF, closing
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import Overlay, Scrolled
from vp_tui.ui.lines.explain import explanation
from vp_tui.ui.lines.paint import Line, fit, join, plain
from vp_tui.views.actions import actions_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from vp_tui.state.state import Watch
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.views.view import Live


DANGER: Final = "!"
"""Marks what changes the gateway."""
_NOTES = (
    "A dim figure is not known to be true now; the header says how old it is and why.",
    "n/a is not 0: there is nothing to divide by, or nothing known.",
    "reported is the gateway's rate; the fallback line has the reconstructed one: over",
    "finished missions, from events, result places (G1), streams, earlier polls.",
    "WINDOW is the open window's own, PROPOSED what no record names; EPOCH is all",
    "missions since the gateway's boot, with its p95 and counts as reported.",
    "disp (d) dispatched, done (c) completed, fb fell back, F failed, run running.",
    "The strip is the last 20: · clean  F fell back  X failed.",
    "unseen: turns that made no mission, so that no rate can see them.",
    f"While AUTO-REVERT counts down {STOP_KEY} stops it, wherever it is pressed.",
    "Watching sends nothing to a run, and closing vp-tui changes nothing.",
)

_MARGIN: Final = 2
"""Cells beside the text: a blank at its left, the scroll bar at its right."""


class HelpScreen(ModalScreen[None]):
    """All keys by group, and how to read the figures."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", show=False),
        closing("help"),
    ]

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def compose(self) -> ComposeResult:
        lines = Lines(id="help-lines")
        lines.show(help_lines(self._watch))
        box = Scrolled(lines, id="help")
        box.border_title = "Keys"
        box.border_subtitle = "esc closes, arrows scroll"
        yield box


def help_lines(watch: Watch) -> list[Line]:
    """Return the help's text; dangers are marked."""
    mark, table = OFF if watch.read_only else DANGER, actions_in(watch)
    lines: list[Line] = []
    for group, actions in groupby(table, key=lambda action: action.group):
        lines.append(((group, "strong"),))
        lines += [
            join(
                (f"{mark if action.danger else ' '} ", "warn"),
                (fit(action.shown_key, 7), "accent"),
                action.help,
            )
            for action in actions
        ]
        lines.append(())
    if any(action.danger for action in table):
        told = "is off: vp-tui is read-only" if watch.read_only else "changes the gateway"
        lines += [plain(f"{mark} {told}."), ()]
    lines.append((("Reading the figures", "strong"),))
    lines += [plain(f"  {note}") for note in _NOTES]
    return lines


class ExplainScreen(Overlay):
    """Verdict, word, window, gates, guardrails and statistics, each with its rule."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", show=False),
        closing("explain"),
    ]
    DEFAULT_CSS = """
    ExplainScreen #explain { height: 1fr; padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    """
    title_text = "EXPLAIN"

    def __init__(self, live: Live, picture: Callable[[], Picture]) -> None:
        super().__init__(live, picture)
        self._text = Lines(id="explain-lines")

    def content(self) -> Iterable[Widget]:
        yield Scrolled(self._text, id="explain")

    def facts(self, shown: Picture) -> Line:
        return ((shown.view.state.watch.vp_id, "plain"),)

    def keys(self) -> tuple[tuple[str, str], ...]:
        return (("esc", "back"), ("↑ ↓ j k", "scroll"), ("pgup pgdn", "page"))

    def draw(self, shown: Picture, width: int) -> None:
        self._text.show(explanation(shown.view, width - _MARGIN))
