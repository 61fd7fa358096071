"""The panes of the lower half: events, logs and links, one at a time or two side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Horizontal

from vp_tui.selectors import entries_matching, short_id
from vp_tui.sources import log_view
from vp_tui.ui.events import EventsList
from vp_tui.ui.links import LinksList
from vp_tui.ui.logs import LogList
from vp_tui.ui.paint import Line, join
from vp_tui.ui.panes import Pane, other_panes
from vp_tui.ui.titles import filtered, why_empty

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from vp_tui.state import State

LOWER: Final = ("events", "lane-log", "session-log", "links")
"""Names of these panes."""


class Lower(Horizontal):
    """Shows the chosen pane; where it is wide, the events and the pane chosen beside them."""

    def __init__(self) -> None:
        super().__init__(id="lower")
        self.events = Pane("events", EventsList(id="events"))
        self.lane_log = Pane("lane-log", LogList(id="lane-log"))
        self.session_log = Pane("session-log", LogList(id="session-log"))
        self.links = Pane("links", LinksList(id="links"))
        self._chosen = "events"
        self._beside_events = "lane-log"
        self._is_wide = False

    def compose(self) -> ComposeResult:
        yield self.events

    def mount_shown(self) -> None:
        """Mount what is in view beside the events."""
        if self.lane_log.display:
            self.mount(self.lane_log)

    def mount_the_rest(self) -> None:
        """Mount what the first frame does without."""
        panes = (self.lane_log, self.session_log, self.links)
        self.mount_all(pane for pane in panes if not pane.is_attached)

    @property
    def panes(self) -> tuple[Pane[EventsList] | Pane[LogList] | Pane[LinksList], ...]:
        """All panes, in reading order."""
        return (self.events, self.lane_log, self.session_log, self.links)

    @property
    def shown(self) -> list[str]:
        """Names of the panes in view, in reading order."""
        return [pane.pane for pane in self.panes if pane.display]

    @property
    def are_events_read(self) -> bool:
        """Whether somebody reads older events, who is not to be disturbed."""
        return self.events.list.has_focus and not self.events.list.following

    def choose(self, name: str) -> None:
        """Bring a pane into view, when it is one of these."""
        if name in LOWER:
            self._chosen = name
            if name != "events":
                self._beside_events = name

    def lay_out(self, *, is_wide: bool) -> None:
        """Show one pane, or two where it is wide."""
        self._is_wide = is_wide
        self.events.styles.margin = (0, 1, 0, 0) if is_wide else 0
        shown = {"events", self._beside_events} if is_wide else {self._chosen}
        for pane in self.panes:
            pane.display = pane.pane in shown

    def show_events(self, state: State, session_id: str | None, matching: str) -> None:
        """Show the events of a session (None: of all) that contain `matching`."""
        if not self.events.display:
            return
        shown = entries_matching(state.entries, session_id, matching)
        self.events.list.show(shown, state.clock, matching)
        whose = short_id(session_id) if session_id else "all sessions"
        self.events.describe(join(whose, filtered(matching)), self._others("events"))

    def show_logs(self, state: State, selected: str | None, now: float) -> None:
        """Show the lane's log, the selected session's log, and the links, those in view."""
        if self.lane_log.display:
            self._show_log(self.lane_log, state, state.lane_log_id, now)
        if self.session_log.display and selected is not None:
            self._show_log(self.session_log, state, selected, now)
        elif self.session_log.display:
            self.session_log.list.show("", None, " no session is selected")
            self.session_log.describe((), self._others("session-log"))
        if self.links.display:
            self.links.list.show(state, now)
            self.links.describe((), self._others("links"))

    def _show_log(self, pane: Pane[LogList], state: State, log_id: str, now: float) -> None:
        view, is_session_log = log_view(state, log_id, now), pane is self.session_log
        empty = why_empty(view, is_session_log=is_session_log)
        pane.list.show(log_id, state.logs.get(log_id), empty)
        facts = join(
            short_id(log_id) if is_session_log else "",
            ("" if view.is_current else f" {view.word}", "warn"),
            filtered(pane.list.wanted),
        )
        pane.describe(facts, self._others(pane.pane))

    def _others(self, shown: str) -> Line:
        """Name the panes that share this one's place: none beside the events where it is wide."""
        if shown == "events" and self._is_wide:
            return ()
        return other_panes([name for name in LOWER if name not in self.shown])
