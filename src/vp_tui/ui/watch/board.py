"""What the watch screen shows: header, figures, runs, the panes below, alarms and footer.

Where the terminal has room the figures are four cards. The footer names the keys that matter most
here, as many as fit; the line of the alarms tells since when the newest goes on, and who has seen
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Container, Horizontal

from vp_tui.domain.models import Source
from vp_tui.ui.actions import OFF
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.lines.figure_layouts import (
    EPOCH,
    LINES,
    brief_lines,
    dense_lines,
    epoch_card,
    guardrails_card,
    latency_card,
    window_card,
)
from vp_tui.ui.lines.figures import no_figures, state_note
from vp_tui.ui.lines.header import assessment_of, header_lines
from vp_tui.ui.lines.paint import Line, Span, cut, join, spread, width_of
from vp_tui.ui.watch.panes import LOWER, LowerPanes, Pane, runs_facts
from vp_tui.ui.watch.runs import RunsList, TriageChoice
from vp_tui.views import words
from vp_tui.views.actions import actions_in, key_of
from vp_tui.views.figures import Numbers, numbers
from vp_tui.views.runs import run_rows
from vp_tui.views.sources import SourceWord, source_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.geometry import Size

    from vp_tui.state.state import Watch
    from vp_tui.ui.kit.line_list import LineList
    from vp_tui.ui.lines.paint import Tone
    from vp_tui.views.actions import Action
    from vp_tui.views.runs import RunRow
    from vp_tui.views.sources import SourceView
    from vp_tui.views.troubles import SafetyEntry
    from vp_tui.views.view import View


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

WIDE: Final = 118
"""Columns from which on two panes stand side by side."""
TALL: Final = 34
"""Lines from which on a wide terminal has room for cards."""
RUNS_HEIGHT: Final = 4
"""Lines of the runs with their title, where lines are few."""
BRIEF: Final = 2
"""Lines of the figures beside a triage."""
TRIAGE_KEYS: Final = ("cancel", "copy", "record", "find", "next-error", "back")
"""Actions that the footer names first beside a triage."""
ALARM_KEYS: Final = ("alarm", "triage")
"""Actions that it names first while the alarm of a run is on, and no triage."""


class Cards(Horizontal):
    """The window's own figures, the cumulative ones, p95 and guardrails: side by side."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._cards = {name: Lines(id=f"card-{name}", classes="card") for name in TITLES}

    def compose(self) -> ComposeResult:
        yield from self._cards.values()

    def show(self, view: View, width: int) -> None:
        """Show the figures in `width` columns."""
        figures, source = numbers(view), source_view(view, Source.METRICS)
        note = "".join(text for text, _tone in state_note(source))
        titles = dict(TITLES)
        if figures is not None:
            window = words.window_title(assessment_of(view).window)
            titles |= {"window": window, "epoch": words.epoch(view, EPOCH)}
        for name, card in self._cards.items():
            if (card.border_title, card.border_subtitle) != (titles[name], note):
                card.border_title, card.border_subtitle = titles[name], note
                card.set_class(source.word is not SourceWord.LIVE, "-not-current")
            inner = width * SHARES[name] // sum(SHARES.values()) - FRAME
            card.show(
                _card_lines(name, view, figures, inner) if figures else _empty(name, source, inner)
            )


def _empty(name: str, source: SourceView, width: int) -> list[Line]:
    """Say what would stand here, and why it does not."""
    label = _LABELS.get(name, "")
    first, *rest = no_figures(source, width - len(label))
    return [join((label, "dim"), first), *rest]


def _card_lines(name: str, view: View, figures: Numbers, width: int) -> list[Line]:
    if name == "window":
        return window_card(view, figures, width)
    if name == "epoch":
        return epoch_card(view, figures, width, HEIGHT)
    if name == "latency":
        return latency_card(figures, width, HEIGHT)
    return guardrails_card(view, figures, width)


def footer_line(watch: Watch, width: int, first: Sequence[str] = ()) -> Line:
    """Return the keys that matter most, whole ones only; help and quit always have a place.

    `first` are ids of actions that are named before those marked for the footer.
    """
    actions = {action.id: action for action in actions_in(watch)}
    marked = [action for action in actions.values() if action.footer]
    ways_out = [action for action in marked if action.group == "vp-tui"]
    always = _keys(ways_out, watch)
    wanted = [actions[action_id] for action_id in first]
    shown: Line = ()
    for action in (*wanted, *(a for a in marked if a not in wanted and a not in ways_out)):
        longer = (*shown, *_keys([action], watch))
        if width_of(longer) + width_of(always) > width:
            break
        shown = longer
    return spread(shown, always, width)


def _keys(actions: Iterable[Action], watch: Watch) -> Line:
    return join(*(_key(action, is_off=action.danger and watch.read_only) for action in actions))


def _key(action: Action, *, is_off: bool) -> Line:
    if is_off:
        return ((f" {OFF}{action.shown_key} {action.label} ", "dim"),)
    tone: Tone = "warn" if action.danger else "accent"
    return join((f" {action.shown_key} ", tone), f"{action.label} ")


def alarm_lines(view: View, width: int) -> list[Line]:
    """Return one line while there are alarms, none otherwise; unseen ones go before seen ones."""
    if not view.state.alarms:
        return []
    first = next((a for a in view.state.alarms if a.acknowledged is None), view.state.alarms[0])
    more = f"  +{len(view.state.alarms) - 1} more" if len(view.state.alarms) > 1 else ""
    seen: Span = (words.seen_by(view, first), "dim")
    if first.acknowledged is None:
        seen = (f"{words.seen_by(view, first)}: {key_of(view.state.watch, 'acknowledge')}", "warn")
    kind: Span = (f"! alarm {first.key.kind} ", "bad")
    return [cut(join(kind, f"{words.rang(view, first)}  ", seen, more), width)]


class Board(Container):
    """Draws a state. It keeps what the operator chose to look at, and nothing else."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(id="board")
        self.found = dict.fromkeys(("runs", *LOWER), "")
        """What each pane is filtered by, or searched for, by its name."""
        self.triage_choice = TriageChoice()
        self.header = Lines(id="header")
        self.dense = Lines(id="dense")
        self.footer = Lines(id="footer")
        self.triage = Lines(id="triage")
        self.alarms = Lines(id="alarms")
        self.cards = Cards(id="cards")
        self.runs = Pane("runs", RunsList(watch, id="runs"), watch)
        self.lower_panes = LowerPanes(watch)
        self._rows: tuple[RunRow, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.dense
        yield self.runs
        yield self.lower_panes
        yield self.alarms
        yield self.footer

    def on_mount(self) -> None:
        """Mount what the first frame does without after it."""
        self.lay_out(self.app.size)
        if self.cards.display:
            self.mount(self.cards, after="#dense")
        self.lower_panes.mount_shown()
        self.call_after_refresh(self._mount_the_rest)

    def _mount_the_rest(self) -> None:
        if not self.cards.is_attached:
            self.mount(self.cards, after="#dense")
        self.mount(self.triage, after=self.runs)
        self.lower_panes.mount_the_rest()

    @property
    def lists(self) -> dict[str, LineList]:
        """All lists by the name of their pane."""
        return {pane.pane: pane.list for pane in (self.runs, *self.lower_panes.panes)}

    @property
    def shown(self) -> list[str]:
        """Names of the panes in view, in reading order."""
        return ["runs", *self.lower_panes.shown]

    @property
    def selected(self) -> str | None:
        """The session under the cursor of the runs."""
        return self.runs.list.selected

    @property
    def looked_at(self) -> str | None:
        """The session in triage, else the selected one."""
        return self.triage_choice.session_id or self.selected

    def choose(self, name: str) -> None:
        """Bring a pane into view."""
        self.lower_panes.choose(name)

    def leave_triage(self) -> None:
        """Have the figures back in their place."""
        self.triage_choice.leave(self._rows)

    def lay_out(self, size: Size) -> None:
        """Make the most of the terminal: cards and two panes where it is wide, longer lists."""
        is_tall, is_wide = size.height >= TALL, size.width >= WIDE
        is_triage = self.triage_choice.session_id is not None
        self.triage.display = is_triage
        self.cards.display = _has_cards(size) and not is_triage
        self.dense.display = not self.cards.display
        self.dense.styles.height = BRIEF if is_triage else LINES
        self.runs.styles.height = "1fr" if is_tall else RUNS_HEIGHT + is_triage
        self.lower_panes.styles.height = "2fr" if is_tall else "1fr"
        self.lower_panes.lay_out(is_wide=is_wide)

    def show(self, view: View, *, frozen_for: float | None, safety: Sequence[SafetyEntry]) -> None:
        """Draw the state as of `now`; `safety` is what is so now, whatever is frozen."""
        width = self.app.size.width
        self.header.show(header_lines(view, width, frozen_for=frozen_for, safety=safety))
        self._show_runs(view)
        self._follow_triage()
        footer = footer_line(view.state.watch, width, self._first_keys())
        self.footer.show([footer])
        self._show_figures(view, width)
        whose = self.triage_choice.events_of(self.selected)
        self.lower_panes.show_events(view, whose, self.found["events"])
        self.lower_panes.show_logs(view, self.selected)

    def show_alarms(self, view: View) -> None:
        """Draw what rang: as it is now, whatever is frozen."""
        lines = alarm_lines(view, self.app.size.width)
        self.alarms.display = bool(lines)
        self.alarms.show(lines)

    def _show_runs(self, view: View) -> None:
        matching = self.found["runs"]
        rows = run_rows(view, matching)
        source = source_view(view, Source.SESSIONS)
        self.runs.list.show(rows, source, matching)
        self.runs.describe(runs_facts(rows, view, source, matching))
        self._rows = run_rows(view) if matching else rows

    def _follow_triage(self) -> None:
        """Enter or leave the triage as the runs have it: by itself only where lines are few."""
        size = self.app.size
        by_itself = not _has_cards(size)
        if self.triage_choice.follow(self._rows, self.selected, by_itself=by_itself):
            self.triage_choice.is_alone = not self.lower_panes.are_events_read
            self.lay_out(size)

    def _first_keys(self) -> tuple[str, ...]:
        if self.triage_choice.session_id is not None:
            return TRIAGE_KEYS
        return ALARM_KEYS if any(row.is_alarm for row in self._rows) else ()

    def _show_figures(self, view: View, width: int) -> None:
        if self.triage_choice.session_id is not None:
            self.dense.show(brief_lines(view, width))
            self._show_triage(self.triage_choice.session_id, view)
        elif self.cards.display:
            self.cards.show(view, width)
        else:
            self.dense.show(dense_lines(view, width))

    def _show_triage(self, session_id: str, view: View) -> None:
        from vp_tui.ui.lines.triage import height_in, triage_lines  # noqa: PLC0415 - as above

        size = self.app.size
        room = height_in(size.height)
        selected = self.selected
        self.triage.show(triage_lines(view, session_id, size.width, room, selected=selected))


def _has_cards(size: Size) -> bool:
    return size.width >= WIDE and size.height >= TALL
