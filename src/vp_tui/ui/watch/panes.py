"""A pane, which is a list under its title, and the lower half with one pane or two side by side.

A title says the key that leads there, what is shown, and how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.events import DescendantBlur, DescendantFocus

from vp_tui.domain.text import literal, short_id
from vp_tui.state.sources import is_lost
from vp_tui.ui.kit.line_list import LineList, Toned
from vp_tui.ui.lines.figure_layouts import LINES
from vp_tui.ui.lines.paint import Line, cut, in_a_row, join, spread, width_of
from vp_tui.ui.watch.logs import EventsList, LinksList, LogList
from vp_tui.ui.watch.runs import counted_levels
from vp_tui.views import words
from vp_tui.views.actions import key_of
from vp_tui.views.actions_taken import in_window
from vp_tui.views.runs import other_viewers, run_rows
from vp_tui.views.sources import (
    entries_matching,
    log_view,
    sessions_listed,
    streams_view,
    why_no_lines,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

    from vp_tui.state.state import Watch
    from vp_tui.ui.lines.paint import Span, Tone
    from vp_tui.views.runs import RunRow
    from vp_tui.views.sources import SourceView
    from vp_tui.views.view import View


ListT_co = TypeVar("ListT_co", bound=LineList, covariant=True)

PANE_NAMES: Final = {
    "runs": "RUNS",
    "events": "EVENTS",
    "lane-log": "LANE LOG",
    "session-log": "SESSION LOG",
    "links": "LINKS",
}
"""By the id of the action that leads there."""


BRIEF: Final = 2
"""Lines of the figures beside a triage."""
_FIXED: Final = 5
"""Lines of header and keys, which nothing takes from them."""
_USUAL: Final = 18
"""Lines of the terminal from which on runs and pane have four lines each at least."""
_FEW: Final = 15
"""Lines from which on a triage leaves room for a pane."""
_TRIAGE: Final = (2, 6, 16)
"""Fewest, usual and most lines of a triage under its title."""
_WHOLE: Final = 24
"""Lines of the terminal on which a triage has its usual height."""


class Heights(NamedTuple):
    """Lines of what shares a terminal that is not tall; the pane has what is left."""

    figures: int
    runs: int
    triage: int = 0
    """With its title."""
    has_pane: bool = True


def triage_height(lines: int) -> int:
    """Return how many lines a triage may have under its title, on a terminal of so many."""
    fewest, usual, most = _TRIAGE
    more = (lines - _WHOLE) // 2 if lines >= _WHOLE else lines - _WHOLE
    return max(min(usual + more, most), fewest)


def heights(lines: int, *, foot: int, is_triage: bool) -> Heights:
    """Share out `lines` so that runs, pane, alarm and keys are all in view: the figures give way.

    `foot` lines are those above the keys.
    On fewer lines than a terminal usually has the triage has no room for a pane beside it.
    """
    room = lines - _FIXED - foot
    least = 4 if lines >= _USUAL else 3 if lines >= _FEW else 2
    if not is_triage:
        return Heights(max(min(LINES, room - 2 * least), 1), least)
    has_pane = lines >= _FEW
    figures, runs = BRIEF if has_pane else 1, 5 if lines >= _USUAL else 2
    left = room - figures - runs - (2 if has_pane else 0)
    return Heights(figures, runs, max(min(1 + triage_height(lines), left), 1), has_pane)


def foot_lines(view: View, width: int, height: int) -> list[Line]:
    """Return the line above the keys: the alarm, and where there is room what else was done here.

    Without an alarm there is none on a terminal of few lines. What the demo says of its own story
    has a line where there are more than usual, else the place of what is no alarm; on fewer lines
    too, as a tmux with a status line leaves.
    """
    audit, viewers = in_window(view), other_viewers(view)
    alarm, story = _alarm_line(view, width), _story_line(view, width)
    if alarm:
        beside = join((f"   {audit}" if audit else "", "dim"))
        whole = join(alarm, beside) if width_of((*alarm, *beside)) <= width else alarm
        return [*([story] if story and height > _WHOLE else []), whole]
    if height < (_USUAL if story else _WHOLE) or not (audit or viewers or story):
        return []
    left, right = join((f" {audit}", "dim")), join((f"{viewers} ", "dim"))
    told = [spread(left, right if width_of((*left, *right)) < width else (), width)]
    return [story, *(told if height > _WHOLE else [])] if story else told


def _story_line(view: View, width: int) -> Line:
    """Return what the demo does now and will do next; how a replay goes is in the badge."""
    story = "" if view.state.watch.is_replay else view.state.story
    return cut(join((" demo: ", "accent"), (literal(story), "dim")), width) if story else ()


def _alarm_line(view: View, width: int) -> Line:
    """Return the newest alarm while there is one; unseen ones go before seen ones."""
    alarms = view.state.alarms
    if not alarms:
        return ()
    first = next((alarm for alarm in alarms if alarm.acknowledged is None), alarms[0])
    more = f"  +{len(alarms) - 1} more" if len(alarms) > 1 else ""
    seen: Span = (words.seen_by(view, first), "dim")
    if first.acknowledged is None:
        key = key_of(view.state.watch, "acknowledge")
        seen = (f"{words.seen_by(view, first)}: [{key}]", "warn")
    kind: Span = (f"! alarm {first.key.kind} ", "bad")
    line = join(kind, f"{words.rang(view, first)}  ", seen, more)
    if width_of(line) > width:  # the key stays
        line = join(kind, " ", seen, more)
    return cut(line, width)


class PaneTitle(Toned):
    """The line over a list, made for the width that it is drawn in."""

    def __init__(self) -> None:
        super().__init__(classes="pane-title")
        self._parts: tuple[Line, Line, Line] = ((), (), ())

    def show(self, left: Line, others: Line, following: Line) -> None:
        """Show these parts; the other panes and the rule give way where there is no room."""
        if (left, others, following) != self._parts:
            self._parts = (left, others, following)
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it has but one line
        (left, others, following), width = self._parts, self.size.width
        right = join(
            " " if others or following else "", in_a_row(filter(None, (others, following)), " ")
        )
        room = width - width_of(left) - width_of(right)
        if room < 0:
            return self.strip(cut(in_a_row((left, following), ""), width), width)
        return self.strip(join(left, ("─" * room, "dim"), right), width)


class Pane(Vertical, Generic[ListT_co]):
    """One list under its title line, called as the list's id is."""

    def __init__(self, lines: ListT_co, watch: Watch) -> None:
        self.pane = str(lines.id)
        self.list = lines
        self._watch = watch
        self._title = PaneTitle()
        self._facts: Line = ()
        self._others: Line = ()
        super().__init__(self._title, lines, id=f"{lines.id}-pane", classes="pane")

    def describe(self, facts: Line, others: Line = ()) -> None:
        """Say in the title what is shown; `others` are the panes that share this one's place."""
        self._facts, self._others = facts, others
        self.show_title()

    @on(DescendantFocus)
    @on(DescendantBlur)
    @on(LineList.Moved)
    def show_title(self) -> None:
        """Make the title anew: the facts, the focus or the following changed."""
        tone: Tone = "accent" if self.list.has_focus else "strong"
        mark = "▸" if self.list.has_focus else "─"
        name = (f"{key_of(self._watch, self.pane)} {PANE_NAMES[self.pane]} ", tone)
        left = join((mark, tone), name, self._facts, " " if width_of(self._facts) else "")
        self._title.show(left, self._others, self._following())

    def _following(self) -> Line:
        if not self.list.follows:
            return ()
        if self.list.following:
            return (("follow ON", "dim"),)
        key = key_of(self._watch, "follow")
        if not (waiting := self.list.waiting):
            return ((f"follow OFF, {key}", "warn"),)
        row_word = self.list.row_word if waiting == 1 else f"{self.list.row_word}s"
        return ((f"+{waiting:,} {row_word}, {key}", "warn"),)


def runs_facts(rows: Sequence[RunRow], view: View, source: SourceView, matching: str) -> Line:
    """Return how many runs there are and how they do; `source` is the listing."""
    on_disk = sum(not session.in_memory for session in view.state.sessions.values())
    number = f"{len(rows)} of {len(run_rows(view))}" if matching else f"{len(rows)}"
    listed = sessions_listed(view.state)
    partly: Span = (f"; {listed} listed" if listed else "", "bad")
    known = join(f"{number} ({counted_levels(rows)}", partly, _age_of_list(view, source), ")")
    if source.age_s is None:
        known = join("unknown")
    facts = join(known, (f", {on_disk} on disk" if on_disk else "", "dim"))
    return join(facts, filtered(matching))


def _age_of_list(view: View, source: SourceView) -> Line:
    """Say how old the list of sessions is, when it is not current."""
    if source.is_current or source.age_s is None:
        return ()
    streams = "; streams live" if streams_view(view).live and not is_lost(view.state) else ""
    return ((f"; list {words.source_state(source)}{streams}", "bad"),)


def nothing_matches(noun: str, matching: str, watch: Watch) -> str:
    """Return what stands in a list that nothing of is left by the filter; "" without one."""
    told = f" no {noun} matches /{matching}/: {key_of(watch, 'back')} shows all"
    return told if matching else ""


def filtered(text: str) -> Line:
    """Return what a pane is filtered by, or searched for."""
    return ((f" /{text}/", "match"),) if text else ()


class LowerPanes(Horizontal):
    """Shows the chosen pane; where it is wide, the events and the pane chosen beside them."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.events = Pane(EventsList(id="events"), watch)
        self.lane_log = Pane(LogList(id="lane-log"), watch)
        self.session_log = Pane(LogList(id="session-log"), watch)
        self.links = Pane(LinksList(id="links"), watch)
        self.panes: tuple[Pane[LineList], ...] = (
            self.events,
            self.lane_log,
            self.session_log,
            self.links,
        )
        """All panes, in reading order."""
        self._chosen = "events"
        self._beside_events = "lane-log"
        self._is_wide = False
        super().__init__(self.events, id="lower")

    def mount_the_rest(self) -> None:
        """Mount what the first frame does without."""
        self.mount_all(pane for pane in self.panes if pane is not self.events)

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
        if name != "runs":
            self._chosen = name
        if name not in {"runs", "events"}:
            self._beside_events = name

    def lay_out(self, *, is_wide: bool) -> None:
        """Show one pane, or two where it is wide."""
        self._is_wide = is_wide
        self.events.styles.margin = (0, 1, 0, 0) if is_wide else 0
        shown = {"events", self._beside_events} if is_wide else {self._chosen}
        for pane in self.panes:
            pane.display = pane.pane in shown

    def show_events(self, view: View, session_id: str | None, matching: str) -> None:
        """Show the events of a session (None: of all) that contain `matching`."""
        for pane in self.panes:
            pane.list.blank(is_blank=False)
        if not self.events.display:
            return
        shown = entries_matching(view.state.entries, session_id, matching)
        none = " no event seen yet: streams have no replay, only what comes now"
        empty = nothing_matches("event", matching, self._watch) or none
        self.events.list.show(shown, view.state.clock, empty, has_ids=session_id is None)
        whose = short_id(session_id) if session_id else "all sessions"
        if matching:
            of = len(entries_matching(view.state.entries, session_id, ""))
            whose = f"{whose} {len(shown)} of {of}"
        self.events.describe(join(whose, filtered(matching)), self._others("events"))

    def show_logs(self, view: View, selected: str | None) -> None:
        """Show the lane's log, the selected session's log, and the links, those in view."""
        if self.lane_log.display:
            self._show_log(self.lane_log, view, view.state.lane_log_id)
        if self.session_log.display and selected is not None:
            self._show_log(self.session_log, view, selected)
        elif self.session_log.display:
            self.session_log.list.show("", None, " no session is selected")
            self.session_log.describe((), self._others("session-log"))
        if self.links.display:
            self.links.list.show(view)
            self.links.describe((), self._others("links"))

    def show_failed(self, told: tuple[Line]) -> None:
        """Show that the panes could not be made anew, and no row of before."""
        for pane in filter(lambda pane: pane.display, self.panes):
            pane.list.blank(is_blank=True)
            pane.describe(*told)

    def _show_log(self, pane: Pane[LogList], view: View, log_id: str) -> None:
        source, is_session_log = log_view(view, log_id), pane is self.session_log
        empty = why_no_lines(view, source, is_session_log=is_session_log)
        pane.list.show(log_id, view.state.logs.get(log_id), empty)
        facts = join(
            short_id(log_id) if is_session_log else "",
            " " if is_session_log and not source.is_current else "",
            ("" if source.is_current else words.source_word(source.word), "warn"),
            filtered(pane.list.wanted),
            (" wrapped" if pane.list.is_wrapped else "", "dim"),
        )
        pane.describe(facts, self._others(pane.pane))

    def _others(self, shown: str) -> Line:
        """Name the panes that share this one's place: none beside the events where it is wide."""
        if shown == "events" and self._is_wide:
            return ()
        others = (pane.pane for pane in self.panes if not pane.display)
        told = (f"[{key_of(self._watch, name)} {PANE_NAMES[name].lower()}]" for name in others)
        return ((" ".join(told), "dim"),)
