"""What the watch screen shows: the header, the figures, the runs, and the panes below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Container, Horizontal

from vp_tui.domain.events import Source
from vp_tui.fleet import run_rows
from vp_tui.selectors import entries_matching, numbers, short_id
from vp_tui.sources import SourceWord, is_lost, log_view, source_view, streams_view
from vp_tui.ui.alarm_line import alarm_lines
from vp_tui.ui.cards import Cards
from vp_tui.ui.compared import compared
from vp_tui.ui.dense import dense_lines
from vp_tui.ui.events import EventsList
from vp_tui.ui.footer import footer_line
from vp_tui.ui.header import header_lines
from vp_tui.ui.links import LinksList
from vp_tui.ui.logs import LogList
from vp_tui.ui.paint import Line, Lines, age, join
from vp_tui.ui.panes import Pane, other_panes
from vp_tui.ui.runs import RunsList, counted_levels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.geometry import Size

    from vp_tui.assessment import Alarm
    from vp_tui.sources import SourceView
    from vp_tui.state import State
    from vp_tui.ui.lines import LineList

WIDE: Final = 118
"""Columns from which on two panes stand side by side."""
TALL: Final = 34
"""Lines from which on a wide terminal has room for cards."""
RUNS_HEIGHT: Final = 4
"""Lines of the runs with their title, where lines are few."""
LOWER: Final = ("events", "lane-log", "session-log", "links")
"""The panes that share the lower half: one at a time, or two where it is wide."""


class Board(Container):
    """Draws a state. It keeps what the operator chose to look at, and nothing else."""

    def __init__(self) -> None:
        super().__init__(id="board")
        self.found = dict.fromkeys(("runs", *LOWER), "")
        """What each pane is filtered by, or searched for, by its name."""
        self.only_selected = False
        """Whether the events are those of the selected session only."""
        self.dense = Lines(id="dense")
        self.alarms = Lines(id="alarms")
        self.cards = Cards(id="cards")
        self.runs = Pane("runs", RunsList(id="runs"))
        self.events = Pane("events", EventsList(id="events"))
        self.lane_log = Pane("lane-log", LogList(id="lane-log"))
        self.session_log = Pane("session-log", LogList(id="session-log"))
        self.links = Pane("links", LinksList(id="links"))
        self._chosen = "events"
        self._beside_events = "lane-log"
        self._is_wide = False

    def compose(self) -> ComposeResult:
        yield Lines(id="header")
        yield self.dense
        yield self.runs
        with Horizontal(id="lower"):
            yield self.events
        yield self.alarms
        yield Lines(id="footer")

    def on_mount(self) -> None:
        """Mount what the first frame does without after it."""
        self.lay_out(self.app.size)
        if self.cards.display:
            self.mount(self.cards, after="#dense")
        if self.lane_log.display:
            self.query_one("#lower").mount(self.lane_log)
        self.call_after_refresh(self._mount_the_rest)

    def _mount_the_rest(self) -> None:
        if not self.cards.is_attached:
            self.mount(self.cards, after="#dense")
        panes = (self.lane_log, self.session_log, self.links)
        self.query_one("#lower").mount_all(pane for pane in panes if not pane.is_attached)

    @property
    def lists(self) -> dict[str, LineList]:
        """All lists by the name of their pane."""
        panes = (self.runs, self.events, self.lane_log, self.session_log, self.links)
        return {pane.pane: pane.list for pane in panes}

    @property
    def shown(self) -> list[str]:
        """Names of the panes in view, in reading order."""
        lower = (self.events, self.lane_log, self.session_log, self.links)
        return ["runs", *(pane.pane for pane in lower if pane.display)]

    @property
    def selected(self) -> str | None:
        """The session under the cursor of the runs."""
        return self.runs.list.selected

    def choose(self, name: str) -> None:
        """Bring a pane into view."""
        if name in LOWER:
            self._chosen = name
            if name != "events":
                self._beside_events = name

    def lay_out(self, size: Size) -> None:
        """Make the most of the terminal: cards and two panes where it is wide, longer lists."""
        is_tall = size.height >= TALL
        self._is_wide = size.width >= WIDE
        self.cards.display = self._is_wide and is_tall
        self.dense.display = not self.cards.display
        self.runs.styles.height = "1fr" if is_tall else RUNS_HEIGHT
        self.query_one("#lower").styles.height = "2fr" if is_tall else "1fr"
        self.events.styles.margin = (0, 1, 0, 0) if self._is_wide else 0
        shown = {"events", self._beside_events} if self._is_wide else {self._chosen}
        for pane in (self.events, self.lane_log, self.session_log, self.links):
            pane.display = pane.pane in shown

    def show(
        self, state: State, now: float, *, frozen_for: float | None, safety: Sequence[Alarm]
    ) -> None:
        """Draw the state as of `now`; `safety` is what is so now, whatever is frozen."""
        width = self.app.size.width
        self.query_one("#header", Lines).show(
            header_lines(state, now, width, frozen_for=frozen_for, safety=safety)
        )
        self.query_one("#footer", Lines).show([footer_line(width, read_only=state.watch.read_only)])
        self._show_figures(state, now, width)
        self._show_runs(state, now)
        self._show_events(state)
        self._show_logs(state, now)
        if self.links.display:
            self.links.list.show(state, now)
            self.links.describe(self._named(""), self._others("links"))

    def show_alarms(self, state: State, now: float) -> None:
        """Draw what rang: as it is now, whatever is frozen."""
        lines = alarm_lines(state, now, self.app.size.width)
        self.alarms.display = bool(lines)
        self.alarms.show(lines)

    def _show_figures(self, state: State, now: float, width: int) -> None:
        figures, source = numbers(state, now), source_view(state, Source.METRICS, now)
        shown = compared(state, now, figures) if figures else None
        if self.cards.display:
            self.cards.show(shown, source, now, width)
        else:
            self.dense.show(dense_lines(shown, source, width))

    def _show_runs(self, state: State, now: float) -> None:
        rows = run_rows(state, now, self.found["runs"])
        source = source_view(state, Source.SESSIONS, now)
        self.runs.list.show(rows, source, self.found["runs"])
        on_disk = sum(not session.in_memory for session in state.sessions.values())
        number = f"{len(rows)} found" if self.found["runs"] else f"{len(rows)}"
        known = join(f"{number} ({counted_levels(rows)}", _age_of_list(state, source, now), ")")
        if source.age_s is None:
            known = join("unknown")
        facts = join(known, (f", {on_disk} on disk" if on_disk else "", "dim"))
        self.runs.describe(join(facts, _filtered(self.found["runs"])))

    def _show_events(self, state: State) -> None:
        if not self.events.display:
            return
        session_id = self.selected if self.only_selected else None
        shown = entries_matching(state.entries, session_id, self.found["events"])
        self.events.list.show(shown, state.clock, self.found["events"])
        whose = short_id(session_id) if session_id else "all sessions"
        facts = join(self._named(whose), _filtered(self.found["events"]))
        self.events.describe(facts, self._others("events"))

    def _show_logs(self, state: State, now: float) -> None:
        if self.lane_log.display:
            self._show_log(self.lane_log, state, state.lane_log_id, now)
        if not self.session_log.display:
            return
        if self.selected is not None:
            self._show_log(self.session_log, state, self.selected, now)
        else:
            self.session_log.list.show("", None, " no session is selected")
            self.session_log.describe((), self._others("session-log"))

    def _show_log(self, pane: Pane[LogList], state: State, log_id: str, now: float) -> None:
        view = log_view(state, log_id, now)
        empty = " asking for the log …"
        if view.failure is not None:
            empty = f" {view.failure.reason} -> {view.failure.cure}"
        elif view.word is not SourceWord.IDLE:
            empty = " this log is empty"
            if pane is not self.lane_log:
                empty += ": a delegated run writes to the lane's log (3)"
        pane.list.show(log_id, state.logs.get(log_id), empty)
        state_of = "" if view.is_current else f" {view.word}"
        facts = join(
            self._named("" if pane is self.lane_log else short_id(log_id)),
            (state_of, "warn"),
            _filtered(pane.list.wanted),
        )
        pane.describe(facts, self._others(pane.pane))

    def _named(self, text: str) -> Line:
        return ((text, "plain"),)

    def _others(self, shown: str) -> Line:
        """Name the panes that share this one's place: none beside the events where it is wide."""
        if shown == "events" and self._is_wide:
            return ()
        return other_panes([name for name in LOWER if name not in self.shown])


def _age_of_list(state: State, source: SourceView, now: float) -> Line:
    """Say how old the list of sessions is, when it is not current."""
    if source.is_current or source.age_s is None:
        return ()
    streams = "; streams live" if streams_view(state, now).live and not is_lost(state) else ""
    return ((f"; list {source.word}, {age(source.age_s)} old{streams}", "bad"),)


def _filtered(text: str) -> Line:
    return ((f" /{text}/", "match"),) if text else ()
