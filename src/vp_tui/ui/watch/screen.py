"""The watch screen: everything about one gateway at a glance, and the keys to look closer."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.screen import Screen

from vp_tui.ui.actions import bindings
from vp_tui.ui.kit import Guarded
from vp_tui.ui.kit.line_list import LineList, Lines
from vp_tui.ui.kit.overlays import picture_of
from vp_tui.ui.lines.header import assessment_of, badge_span
from vp_tui.ui.lines.paint import cut, in_a_row, join, wrap_line
from vp_tui.ui.watch.board import Board
from vp_tui.views.actions import ACTIONS, action_named, key_of, why_not
from vp_tui.views.draft import flags_beside
from vp_tui.views.troubles import GUARDRAIL, troubles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from vp_tui.state.state import State
    from vp_tui.ui.actions import KeyedApp
    from vp_tui.ui.kit.line_list import Tones
    from vp_tui.ui.kit.listing import FindBar
    from vp_tui.ui.lines.paint import Line
    from vp_tui.views.troubles import SafetyEntry
    from vp_tui.views.view import View
    from vp_tui.worker.lane_watch import LaneWatch


LEAST: Final = (40, 12)
"""Columns and lines below which only the one line that matters has room."""


def is_too_small(size: tuple[int, int]) -> bool:
    """Tell whether a terminal has fewer columns or lines than the screens need."""
    return any(has < needs for has, needs in zip(size, LEAST, strict=True))


def smallest_lines(view: View, safety: Sequence[SafetyEntry], size: tuple[int, int]) -> list[Line]:
    """Return badge, verdict, gravest alarm and its key; fields go in a fixed order, the key last.

    It is one line, broken where a terminal has several but few columns.
    """
    width, height = size
    badge: Line = (badge_span(view, None),)
    needs: Line = (("needs {}x{}".format(*LEAST), "strong"),)
    verdict, reason, key = _verdict(view, safety)
    forms = (
        (badge, (*verdict, *reason), key, needs),
        (badge, verdict, key, needs),
        (verdict, key, needs),
        (verdict, key),
        (badge, key),
        (key or verdict,),
    )
    for form in forms:
        lines = wrap_line(in_a_row(filter(None, form), (" | ", "dim")), width)
        if len(lines) <= height:
            break
    kept = lines[: max(height, 1)]
    return kept if len(lines) == len(kept) else [*kept[:-1], cut(join(kept[-1], " …"), width)]


def _word(view: View) -> str:
    """Return the word that may be recorded, "" before the first answer."""
    suggestion = assessment_of(view).suggestion if view.state.sources else None
    return suggestion.decision if suggestion else ""


def _verdict(view: View, safety: Sequence[SafetyEntry]) -> tuple[Line, Line, Line]:
    """Return what the operator must know first, why, and the key that helps."""
    if safety:
        first = safety[0]
        # A trip names its key only while it helps: not once fallback is forced, nor read-only.
        key = _key_in(first.cure) if first.alarm == GUARDRAIL else first.key
        return _told(first.head or first.alarm, first.reason, key)
    if found := troubles(view):
        return _told(found[0].what, found[0].reason, _key_in(found[0].cure))
    if not (word := _word(view)):
        return (), (), ()
    key = key_of(view.state.watch, "record-now")
    told: Line = (("may be recorded ", "dim"), (word, "strong"))
    return told, (), ((f"[{key}]", "accent"),)


def _key_in(cure: str) -> str:
    """Return the key that a cure begins with, "" where it names none."""
    return cure[1:].partition("]")[0] if cure.startswith("[") else ""


def _told(what: str, reason: str, key: str) -> tuple[Line, Line, Line]:
    key_line: Line = ((f"[{key}]", "warn"),) if key else ()
    return ((f"! {what}", "bad"),), ((f": {reason}", "plain"),) if reason else (), key_line


class TooSmallScreen(Guarded, Screen[None]):
    """Lies over all the others while the terminal is too small to show what a key would do.

    So no key acts unseen; what is below it is as it was when the terminal grows again.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings([action_named("quit")], read_only=True)

    def __init__(self, lane: LaneWatch) -> None:
        super().__init__()
        self.lane = lane
        self._lines = Lines(id="too-small")

    def compose(self) -> ComposeResult:
        yield self._lines

    def on_mount(self) -> None:
        self._unsubscribe = self.lane.store.subscribe(lambda _state: self.redraw())
        self.redraw()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Draw what is so now, whatever is frozen."""
        (view, _frozen_for, safety), size = picture_of(self.lane.live, None), self.app.size
        self._lines.show(smallest_lines(view, safety, size))


class WatchScreen(Guarded, Screen[None]):
    """Turns keys into commands and states into pictures; it decides nothing by itself."""

    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS, read_only=False)

    def __init__(self, lane: LaneWatch, tones: Tones) -> None:
        super().__init__()
        self.lane = lane
        self._tones = tones
        self.board = Board(lane)
        self._has_asked = False
        self._word, self._worded_at = "", -inf

    def compose(self) -> ComposeResult:
        yield self._tones
        yield self.board

    def on_mount(self) -> None:
        self._unsubscribe = self.lane.store.subscribe(self._published)
        self._drawn_for = self.app.size
        self.board.redraw()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        if self.app.size != self._drawn_for:
            self._drawn_for = self.app.size
            self.board.lay_out()
            self.board.redraw()

    def _published(self, state: State) -> None:
        """Draw what is new; once the evidence log is read, look for rows that wait for it."""
        if not self.is_attached:  # vp-tui is ending
            return
        self.board.redraw()
        if (word := _word(self.lane.live.view)) != self._word:
            self._worded_at = self.lane.live.now if self._word else -inf
            self._word = word
        log = state.evidence
        if not self._has_asked and state.window is not None:
            self._has_asked = True  # of flags that name another window than the open one
            is_free = self.app.screen is self and why_not(action_named("window"), state) is None
            if is_free and flags_beside(self.lane.live.view):
                self.action_do("window")
        if not state.has_offered and state.watch.evidence and log and log.problem is None:
            from vp_tui.ui.watch.open_dialogs import offer_waiting  # noqa: PLC0415 - not needed for the first frame

            self.run_worker(offer_waiting(self.board, asked=False))

    @on(LineList.Moved, "#runs")
    def _selected(self) -> None:
        if self.board.selected is not None:
            self.lane.commands.show_log(self.board.selected)
        self.call_after_refresh(self.board.redraw)

    @on(LineList.Moved)
    def _keys_changed(self) -> None:
        self.board.footer.redraw()

    def on_descendant_focus(self) -> None:
        self.board.footer.redraw()

    def action_pane(self, name: str) -> None:
        self.board.go_to(name)

    def action_next_pane(self) -> None:
        names = self.board.shown
        self.board.go_to(names[(names.index(self.board.focused_name) + 1) % len(names)])

    def action_cursor(self, steps: int) -> None:
        self.board.focused_list.move(steps)

    def action_follow(self) -> None:
        self.board.focused_list.follow_newest()

    def action_top(self) -> None:
        self.board.focused_list.go_to(0)

    def action_page(self, direction: int) -> None:
        self.board.focused_list.action_page(direction)

    def action_shift(self, direction: int) -> None:
        self.board.focused_list.action_shift(direction)

    def action_scope(self) -> None:
        self.board.triage_choice.change_scope()
        self.board.go_to("events")

    def action_freeze(self) -> None:
        self.board.frozen = None if self.board.frozen else self.lane.live.view
        self.app.clear_notifications()
        self.board.redraw()

    def action_find(self) -> None:
        self.action_do("find")

    def action_copy(self) -> None:
        self.action_do("copy")

    def action_do(self, name: str) -> None:
        """Do what the handlers have under that name."""
        from vp_tui.ui.watch.handlers import HANDLERS  # noqa: PLC0415 - not needed for the first frame

        HANDLERS[name](self.board)

    def action_hold(self, action_id: str) -> None:
        """Say what a key is about to do, unless another one comes; keep the word it would write."""
        what = action_named(action_id).label
        if action_id == "record-now":
            word = _word(self.lane.live.view)
            self.board.held_word = word if self._is_settled else ""
            what = f"records {word}"
        self.notify(f"{what} in a moment: esc stops it", markup=False)

    @property
    def _is_settled(self) -> bool:
        hands = cast("KeyedApp", self.app).keyboard
        return self.lane.live.now - self._worded_at >= hands.settled_s

    def action_why_not(self, action_id: str) -> None:
        if reason := why_not(action_named(action_id), self.lane.live.state):
            self.notify(reason, severity="warning", markup=False)

    def on_find_bar_wanted(self, message: FindBar.Wanted) -> None:
        self.board.find(message.target, message.text)

    def action_back(self) -> None:
        """End what is told until then; else show all rows again; else leave the triage."""
        if self.board.footer.stays:
            self.board.footer.end()
        elif self.board.found[self.board.focused_name]:
            self.board.find(self.board.focused_list, "")
        else:
            self.board.leave_triage()


class ReadOnlyWatchScreen(WatchScreen):
    """The screen of a gateway that may not be changed: no key of it leads to a danger."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS, read_only=True)
