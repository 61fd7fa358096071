"""A pane: a titled list. Its title says the key that leads there, what is shown, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from textual.containers import Vertical

from vp_tui.ui.lines import LineList
from vp_tui.ui.paint import Line, Toned, cut, join, width_of

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.strip import Strip

    from vp_tui.ui.tones import Tone

ListT = TypeVar("ListT", bound=LineList)

PANE_KEYS: Final = {
    "runs": "1",
    "events": "2",
    "lane-log": "3",
    "session-log": "4",
    "links": "5",
}
PANE_NAMES: Final = {
    "runs": "RUNS",
    "events": "EVENTS",
    "lane-log": "LANE LOG",
    "session-log": "SESSION LOG",
    "links": "LINKS",
}


class PaneTitle(Toned):
    """The line over a list, made for the width that it is drawn in."""

    def __init__(self) -> None:
        super().__init__(classes="pane-title")
        self._left: Line = ()
        self._others: Line = ()
        self._following: Line = ()

    def show(self, left: Line, others: Line, following: Line) -> None:
        """Show these parts; the other panes and the rule give way where there is no room."""
        parts = (left, others, following)
        if parts != (self._left, self._others, self._following):
            self._left, self._others, self._following = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has but one line
        width = self.size.width
        right = join(" ", self._others, self._following)
        room = width - width_of(self._left) - width_of(right)
        if room < 0:
            return self.strip(cut(join(self._left, self._following), width), width)
        return self.strip(join(self._left, ("─" * room, "dim"), right), width)


class Pane(Vertical, Generic[ListT]):
    """One list under its title line."""

    def __init__(self, name: str, lines: ListT) -> None:
        super().__init__(id=f"{name}-pane", classes="pane")
        self.pane = name
        self.list = lines
        self._title = PaneTitle()
        self._facts: Line = ()
        self._others: Line = ()

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.list

    def describe(self, facts: Line, others: Line = ()) -> None:
        """Say in the title what is shown; `others` are the panes that share this one's place."""
        self._facts, self._others = facts, others
        self.show_title()

    def show_title(self) -> None:
        """Make the title anew: the facts, the focus or the following changed."""
        focused = self.list.has_focus
        tone: Tone = "accent" if focused else "strong"
        mark = "▸" if focused else "─"
        name = (f"{PANE_KEYS[self.pane]} {PANE_NAMES[self.pane]} ", tone)
        left = join((mark, tone), name, self._facts, " ")
        self._title.show(left, self._others, self._following())

    def _following(self) -> Line:
        if not self.list.follows:
            return ()
        if self.list.following:
            return ((" follow ON", "dim"),)
        return ((f" follow OFF, {self.list.waiting} new: G", "warn"),)

    def on_descendant_focus(self) -> None:
        self.show_title()

    def on_descendant_blur(self) -> None:
        self.show_title()

    def on_line_list_moved(self, _message: LineList.Moved) -> None:
        self.show_title()


def other_panes(names: list[str]) -> Line:
    """Return how a title names panes that are not shown: `[3 lane log] [4 session log]`."""
    return ((" ".join(f"[{PANE_KEYS[n]} {PANE_NAMES[n].lower()}]" for n in names), "dim"),)
