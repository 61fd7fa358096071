"""What the watch screen shows: the header, the figures, the runs, and the panes below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Container

from vp_tui.domain.events import Source
from vp_tui.fleet import run_rows
from vp_tui.selectors import numbers
from vp_tui.sources import source_view
from vp_tui.ui.alarm_line import alarm_lines
from vp_tui.ui.cards import Cards
from vp_tui.ui.compared import compared
from vp_tui.ui.dense import LINES, dense_lines
from vp_tui.ui.footer import footer_line
from vp_tui.ui.header import header_lines
from vp_tui.ui.lower import LOWER, Lower
from vp_tui.ui.paint import Lines
from vp_tui.ui.panes import Pane
from vp_tui.ui.runs import RunsList
from vp_tui.ui.titles import runs_facts
from vp_tui.ui.triaging import Triaging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.geometry import Size

    from vp_tui.fleet import RunRow
    from vp_tui.safety import Alarm
    from vp_tui.state import State
    from vp_tui.ui.lines import LineList

WIDE: Final = 118
"""Columns from which on two panes stand side by side."""
TALL: Final = 34
"""Lines from which on a wide terminal has room for cards."""
RUNS_HEIGHT: Final = 4
"""Lines of the runs with their title, where lines are few."""
BRIEF: Final = 2
"""Lines of the figures beside a triage."""
TRIAGE_KEYS: Final = ("cancel", "copy", "record", "find", "next-error", "back")
"""Actions that the last line names first beside a triage."""
ALARM_KEYS: Final = ("alarm", "triage")
"""Actions that it names first while the alarm of a run is on, and no triage."""


class Board(Container):
    """Draws a state. It keeps what the operator chose to look at, and nothing else."""

    def __init__(self) -> None:
        super().__init__(id="board")
        self.found = dict.fromkeys(("runs", *LOWER), "")
        """What each pane is filtered by, or searched for, by its name."""
        self.triaging = Triaging()
        self.header = Lines(id="header")
        self.dense = Lines(id="dense")
        self.footer = Lines(id="footer")
        self.triage = Lines(id="triage")
        self.alarms = Lines(id="alarms")
        self.cards = Cards(id="cards")
        self.runs = Pane("runs", RunsList(id="runs"))
        self.lower = Lower()
        self._rows: tuple[RunRow, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.dense
        yield self.runs
        yield self.lower
        yield self.alarms
        yield self.footer

    def on_mount(self) -> None:
        """Mount what the first frame does without after it."""
        self.lay_out(self.app.size)
        if self.cards.display:
            self.mount(self.cards, after="#dense")
        self.lower.mount_shown()
        self.call_after_refresh(self._mount_the_rest)

    def _mount_the_rest(self) -> None:
        if not self.cards.is_attached:
            self.mount(self.cards, after="#dense")
        self.mount(self.triage, after=self.runs)
        self.lower.mount_the_rest()

    @property
    def lists(self) -> dict[str, LineList]:
        """All lists by the name of their pane."""
        return {pane.pane: pane.list for pane in (self.runs, *self.lower.panes)}

    @property
    def shown(self) -> list[str]:
        """Names of the panes in view, in reading order."""
        return ["runs", *self.lower.shown]

    @property
    def selected(self) -> str | None:
        """The session under the cursor of the runs."""
        return self.runs.list.selected

    @property
    def looked_at(self) -> str | None:
        """The session in triage, else the selected one."""
        return self.triaging.session_id or self.selected

    def choose(self, name: str) -> None:
        """Bring a pane into view."""
        self.lower.choose(name)

    def leave_triage(self) -> None:
        """Have the figures back in their place."""
        self.triaging.leave(self._rows)

    def lay_out(self, size: Size) -> None:
        """Make the most of the terminal: cards and two panes where it is wide, longer lists."""
        is_tall, is_wide = size.height >= TALL, size.width >= WIDE
        is_triage = self.triaging.session_id is not None
        self.triage.display = is_triage
        self.cards.display = _has_cards(size) and not is_triage
        self.dense.display = not self.cards.display
        self.dense.styles.height = BRIEF if is_triage else LINES
        self.runs.styles.height = "1fr" if is_tall else RUNS_HEIGHT + is_triage
        self.lower.styles.height = "2fr" if is_tall else "1fr"
        self.lower.lay_out(is_wide=is_wide)

    def show(
        self, state: State, now: float, *, frozen_for: float | None, safety: Sequence[Alarm]
    ) -> None:
        """Draw the state as of `now`; `safety` is what is so now, whatever is frozen."""
        width = self.app.size.width
        self.header.show(header_lines(state, now, width, frozen_for=frozen_for, safety=safety))
        self._show_runs(state, now)
        self._follow_triage()
        footer = footer_line(width, read_only=state.watch.read_only, first=self._first_keys())
        self.footer.show([footer])
        self._show_figures(state, now, width)
        whose = self.triaging.events_of(self.selected)
        self.lower.show_events(state, whose, self.found["events"])
        self.lower.show_logs(state, self.selected, now)

    def show_alarms(self, state: State, now: float) -> None:
        """Draw what rang: as it is now, whatever is frozen."""
        lines = alarm_lines(state, now, self.app.size.width)
        self.alarms.display = bool(lines)
        self.alarms.show(lines)

    def _show_runs(self, state: State, now: float) -> None:
        matching = self.found["runs"]
        rows = run_rows(state, now, matching)
        source = source_view(state, Source.SESSIONS, now)
        self.runs.list.show(rows, source, matching)
        self.runs.describe(runs_facts(rows, state, source, now, matching))
        self._rows = run_rows(state, now) if matching else rows

    def _follow_triage(self) -> None:
        """Enter or leave the triage as the runs have it: by itself only where lines are few."""
        size = self.app.size
        by_itself = not _has_cards(size)
        if self.triaging.follow(self._rows, self.selected, by_itself=by_itself):
            self.triaging.is_alone = not self.lower.are_events_read
            self.lay_out(size)

    def _first_keys(self) -> tuple[str, ...]:
        if self.triaging.session_id is not None:
            return TRIAGE_KEYS
        return ALARM_KEYS if any(row.is_alarm for row in self._rows) else ()

    def _show_figures(self, state: State, now: float, width: int) -> None:
        figures, source = numbers(state, now), source_view(state, Source.METRICS, now)
        shown = compared(state, now, figures) if figures else None
        if self.triaging.session_id is not None:
            from vp_tui.ui.brief import brief_lines  # noqa: PLC0415 - not needed for the first frame

            self.dense.show(brief_lines(shown, source, width))
            self._show_triage(self.triaging.session_id, state, now)
        elif self.cards.display:
            self.cards.show(shown, source, now, width)
        else:
            self.dense.show(dense_lines(shown, source, width))

    def _show_triage(self, session_id: str, state: State, now: float) -> None:
        from vp_tui.ui.triage import height_in, triage_lines  # noqa: PLC0415 - as above

        size = self.app.size
        room = height_in(size.height)
        selected = self.selected
        self.triage.show(triage_lines(state, now, session_id, size.width, room, selected=selected))


def _has_cards(size: Size) -> bool:
    return size.width >= WIDE and size.height >= TALL
