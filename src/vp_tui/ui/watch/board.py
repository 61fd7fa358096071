"""What the watch screen shows: header, figures, runs, the panes below, alarms and footer.

Where the terminal has room the figures are four cards. The footer names the keys that matter most
here, as many as fit; the line of the alarms tells since when the newest goes on, and who has seen
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from textual.containers import Container, Horizontal

from vp_tui.domain.models import Source
from vp_tui.domain.runs.levels import Level
from vp_tui.ui.actions import footer_line
from vp_tui.ui.kit import Guarded
from vp_tui.ui.kit.line_list import LineList, Lines
from vp_tui.ui.kit.overlays import LastLine, heading, picture_of
from vp_tui.ui.lines.figure_layouts import (
    brief_lines,
    dense_lines,
    epoch_card,
    guardrails_card,
    latency_card,
    window_card,
)
from vp_tui.ui.lines.figures import no_figures, state_note
from vp_tui.ui.lines.header import assessment_of, header_lines
from vp_tui.ui.lines.paint import Line, join, wrap_line
from vp_tui.ui.watch.logs import LogList
from vp_tui.ui.watch.panes import (
    PANE_NAMES,
    Heights,
    LowerPanes,
    Pane,
    foot_lines,
    heights,
    nothing_matches,
    runs_facts,
    triage_height,
)
from vp_tui.ui.watch.runs import RunsList, TriageChoice
from vp_tui.views import words
from vp_tui.views.actions import AtHand
from vp_tui.views.figures import numbers
from vp_tui.views.runs import run_rows
from vp_tui.views.sources import SourceWord, source_view, streams_view, why_no_sessions
from vp_tui.views.troubles import is_brake_due

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.views.figures import Numbers
    from vp_tui.views.runs import RunRow
    from vp_tui.views.view import View
    from vp_tui.worker.lane_watch import LaneWatch


class _Card(NamedTuple):
    """One of the cards."""

    title: str
    label: str  # what its first line is about
    share: int  # of the width, as the stylesheet has it
    lines: Callable[[View, Numbers, int, int], list[Line]]


FRAME: Final = 4  # columns of a card's border and padding
HEIGHT: Final = 8  # lines inside a card

WIDE: Final = 118  # columns from which on two panes stand side by side
TALL: Final = 34  # lines from which on a wide terminal has room for cards
BESIDE: Final = 180  # columns from which on the run under the cursor is told beside the runs
_CARDS: Final = {
    "window": _Card("WINDOW", "fallback  ", 28, window_card),
    "epoch": _Card("EPOCH", "fallback  ", 36, epoch_card),
    "latency": _Card("P95 LATENCY", "p95  ", 26, latency_card),
    "guardrails": _Card("GUARDRAILS", "", 30, guardrails_card),
}
_SHARES: Final = sum(card.share for card in _CARDS.values())


class Cards(Horizontal):
    """The window's own figures, the cumulative ones, p95 and guardrails: side by side."""

    def __init__(self) -> None:
        self._cards = {name: Lines(id=f"card-{name}", classes="card") for name in _CARDS}
        self._titles: dict[str, tuple[str, str]] = {}
        super().__init__(*self._cards.values(), id="cards")

    def show(self, view: View, width: int) -> None:
        """Show the figures in `width` columns."""
        figures, source = numbers(view), source_view(view, Source.METRICS)
        note = "".join(text for text, _tone in state_note(source))
        titles = {name: card.title for name, card in _CARDS.items()}
        if figures is not None:
            window = words.window_title(assessment_of(view).window)
            titles |= {"window": window, "epoch": words.epoch_title(view, figures)}
        for name, card in self._cards.items():
            if self._titles.get(name) != (titles[name], note):
                self._titles[name] = titles[name], note
                card.border_title, card.border_subtitle = heading(titles[name]), heading(note)
                card.set_class(source.word is not SourceWord.LIVE, "-not-current")
            about = _CARDS[name]
            inner = width * about.share // _SHARES - FRAME
            if figures is not None:
                card.show(about.lines(view, figures, inner, HEIGHT))
            else:
                first, *rest = no_figures(source, width)
                told = [join((about.label, "dim"), first), *rest]
                card.show([line for part in told for line in wrap_line(part, inner)][:HEIGHT])

    def show_failed(self, told: Line) -> None:
        """Show that the figures could not be made, and none of those of before."""
        self._titles.clear()
        for name, card in self._cards.items():
            card.border_title, card.border_subtitle = heading(_CARDS[name].title), ""
            card.show(wrap_line(told, max(card.size.width, FRAME))[:HEIGHT])


class Board(Guarded, Container):
    """Draws what is known of a lane; keeps what the operator chose to look at, and nothing else."""

    def __init__(self, lane: LaneWatch) -> None:
        watch = lane.live.state.watch
        self.lane = lane
        self.frozen: View | None = None
        """What is held still; None: the newest is shown."""
        self.is_writing = False
        """Whether a row is written at once: one at a time, however often a key is hit."""
        self.held_word: str | None = None
        """What a held key would write, "" for one that has only just changed; None: none is."""
        self.written_at: float | None = None
        """When a row was written."""
        self.found = dict.fromkeys(PANE_NAMES, "")
        """What each pane is filtered by, or searched for, by its name."""
        self.triage_choice = TriageChoice()
        self.header = Lines(id="header")
        self.dense = Lines(id="dense")
        self.footer = LastLine(self._last_line, id="footer")
        self.triage = Lines(id="triage")
        self.detail = Lines(id="detail")
        """The run under the cursor, beside the runs where the terminal is very wide."""
        self.alarms = Lines(id="alarms")
        self.cards = Cards()
        self.runs = Pane(RunsList(id="runs"), watch)
        self.lower_panes = LowerPanes(watch)
        self._rows: tuple[RunRow, ...] = ()
        self._upper = Horizontal(self.runs, id="upper")
        shown = (self.header, self.dense, self._upper, self.lower_panes, self.alarms, self.footer)
        super().__init__(*shown, id="board")

    def on_mount(self) -> None:
        """Mount what the first frame does without after it."""
        self.lay_out()
        self.call_after_refresh(self._mount_the_rest)

    def _mount_the_rest(self) -> None:
        self.mount(self.cards, after="#dense")
        self.mount(self.triage, after=self._upper)
        self._upper.mount(self.detail)
        self.lower_panes.mount_the_rest()
        self.lay_out()
        self.redraw()

    @property
    def lists(self) -> dict[str, LineList]:
        """All lists by the name of their pane."""
        return {pane.pane: pane.list for pane in (self.runs, *self.lower_panes.panes)}

    @property
    def shown(self) -> list[str]:
        """Names of the panes in view, in reading order."""
        return ["runs", *self.lower_panes.shown]

    @property
    def focused_list(self) -> LineList:
        """The list that keys act on."""
        focused = self.screen.focused
        return focused if isinstance(focused, LineList) else self.runs.list

    @property
    def focused_name(self) -> str:
        """The name of that list's pane."""
        return str(self.focused_list.id)

    @property
    def selected(self) -> str | None:
        """The session under the cursor of the runs."""
        return self.runs.list.selected

    @property
    def looked_at(self) -> str | None:
        """The session in triage, else the selected one."""
        return self.triage_choice.session_id or self.selected

    def go_to(self, name: str) -> None:
        """Bring a pane into view and have the keys act on its list."""
        self.lower_panes.choose(name)
        self.lay_out()
        self.lists[name].focus()
        self.call_after_refresh(self.redraw)

    def find(self, target: LineList, text: str) -> None:
        """Filter or search the target for `text`, "" for all."""
        self.found[str(target.id)] = text
        if isinstance(target, LogList):
            target.search(text)
        self.redraw()

    def leave_triage(self) -> None:
        """Have the figures back in their place."""
        self.triage_choice.leave(self._rows)
        self.redraw()

    @property
    def _has_room_for_cards(self) -> bool:
        return self.app.size.width >= WIDE and self.app.size.height >= TALL

    @property
    def _heights(self) -> Heights:
        is_triage = self.triage_choice.session_id is not None
        return heights(self.app.size.height, foot=len(self.alarms.lines), is_triage=is_triage)

    def lay_out(self) -> None:
        """Make the most of the terminal: cards and two panes where it is wide, longer lists."""
        width, shares = self.app.size.width, self._heights
        is_tall = self.app.size.height >= TALL
        is_triage = self.triage_choice.session_id is not None
        self.triage.display = is_triage
        has_cards = self.cards.is_attached and self._has_room_for_cards  # not in the first frame
        self.cards.display = has_cards and not is_triage
        self.dense.display = not self.cards.display
        self.detail.display = is_tall and width >= BESIDE and not is_triage
        self._upper.styles.height = "1fr" if is_tall else shares.runs
        self.lower_panes.display = is_tall or shares.has_pane
        self.lower_panes.styles.height = "2fr" if is_tall else "1fr"
        self.lower_panes.lay_out(is_wide=width >= WIDE)

    def picture(self) -> Picture:
        """Return what is shown: the newest state, or the frozen one."""
        return picture_of(self.lane.live, self.frozen)

    def redraw(self) -> None:
        """Draw the picture, each part by itself; troubles and alarms are those of now."""
        for name, draw, tell in (
            ("alarms", self._show_alarms, self.alarms.show),
            ("header", self._show_header, self.header.show),
            ("runs", self._show_runs, self._show_no_runs),
            ("figures", self._show_figures, self._show_no_figures),
            ("panes", self._show_panes, self.lower_panes.show_failed),
        ):
            self.drawn(name, draw, tell)

    def _show_alarms(self) -> None:
        alarms = foot_lines(self.lane.live.view, *self.app.size)
        is_other = len(alarms) != len(self.alarms.lines)
        self.alarms.show(alarms)
        if is_other:
            self.alarms.display = bool(alarms)
            self.lay_out()

    def _show_header(self) -> None:
        (view, frozen_for, safety), width = self.picture(), self.app.size.width
        self.header.show(header_lines(view, width, frozen_for=frozen_for, safety=safety))

    def _show_panes(self) -> None:
        view = self.picture().view
        whose = self.triage_choice.events_of(self.selected)
        self.lower_panes.show_events(view, whose, self.found["events"])
        self.lower_panes.show_logs(view, self.selected)

    def _show_runs(self) -> None:
        """Show the runs; a triage comes and goes with them, by itself where lines are few."""
        view, matching = self.picture().view, self.found["runs"]
        rows = run_rows(view, matching)
        source = source_view(view, Source.SESSIONS)
        empty = nothing_matches("session", matching, view.state.watch)
        empty = empty or why_no_sessions(view, source)
        self.runs.list.show(rows, empty, is_current=source.is_current)
        self.runs.describe(runs_facts(rows, view, source, matching))
        self._rows = run_rows(view) if matching else rows
        by_itself = not self._has_room_for_cards
        if self.triage_choice.follow(self._rows, self.selected, by_itself=by_itself):
            self.triage_choice.is_alone = not self.lower_panes.are_events_read
            self.lay_out()

    def _show_no_runs(self, told: tuple[Line]) -> None:
        self._rows = ()  # none of before: it would be taken for true, and hit
        self.runs.list.show((), "", is_current=False)
        self.runs.describe(*told)

    def _show_no_figures(self, told: tuple[Line]) -> None:
        self.cards.show_failed(*told)
        for lines in (self.dense, self.triage, self.detail):
            lines.show(told)

    def _show_figures(self) -> None:
        """Show the figures, or a triage under the most urgent ones, and the keys for that."""
        view, (width, lines) = self.picture().view, self.app.size
        session_id, shares = self.triage_choice.session_id, self._heights
        if session_id is not None:
            room = triage_height(lines) if lines >= TALL else shares.triage - 1
            self.dense.show(brief_lines(view, width)[: shares.figures])
            self.triage.show(self._closely(view, session_id, width, room))
        elif self.cards.display:
            self.cards.show(view, width)
        else:
            self.dense.show(dense_lines(view, width, shares.figures))
        if self.detail.display and self.selected is not None:
            width, room = self.detail.size
            told = self._closely(view, self.selected, width, max(room - 1, 1), is_beside=True)
            self.detail.show(told)
        self.footer.redraw()

    def _closely(
        self, view: View, session_id: str, width: int, height: int, *, is_beside: bool = False
    ) -> list[Line]:
        from vp_tui.ui.lines.triage import triage_lines  # noqa: PLC0415 - not needed for the first frame

        cursor = self.selected
        return triage_lines(view, session_id, width, height, selected=cursor, is_beside=is_beside)

    def _last_line(self, told: str) -> Line:
        """Name the keys that work now, whatever is frozen; or what was told just now."""
        return footer_line(self.lane.live.state.watch, self.app.size.width, self._hands(), told)

    def _hands(self) -> AtHand:
        from vp_tui.views.stuck_runs import why_no_cancel  # noqa: PLC0415 - not needed for the first frame

        view, rows = self.lane.live.view, self.focused_list
        sources = {source_view(view, source).word for source in Source}
        deaf = {r.session.session_id for r in self._rows if r.level.level is Level.DEAF}
        return AtHand(
            self.focused_name,
            is_frozen=self.frozen is not None,
            is_refused=SourceWord.UNAUTHORIZED in sources | {streams_view(view).word},
            is_tripped=is_brake_due(view, picture_of(self.lane.live, None).safety),
            is_alarm=any(row.is_alarm for row in self._rows),
            is_triage=self.triage_choice.session_id is not None,
            is_deaf=self.looked_at in deaf,
            can_cancel=source_view(view, Source.SESSIONS).is_current
            and why_no_cancel(view, self.selected) is None,
            missed=None if rows.following or not rows.follows else rows.waiting,
            found=self.found.get(self.focused_name, ""),
            enter=("triage" if rows is self.runs.list else "whole line") if rows.count else "",
        )
