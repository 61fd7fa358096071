"""The watch screen: everything about one gateway at a glance, and the keys to look closer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.screen import Screen

from vp_tui.ui.actions import bindings
from vp_tui.ui.kit.line_list import NO_MATCH, LineList
from vp_tui.ui.kit.overlays import picture_of
from vp_tui.ui.watch.board import Board
from vp_tui.ui.watch.logs import LogList
from vp_tui.views.actions import ACTIONS, action_named, why_not

if TYPE_CHECKING:
    from types import ModuleType

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from vp_tui.state.state import State
    from vp_tui.ui.kit.line_list import Tones
    from vp_tui.ui.kit.listing import FindBar
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.ui.watch.open_dialogs import EvidenceDialogs, OrderDialogs
    from vp_tui.views.view import View
    from vp_tui.worker.lane_watch import LaneWatch


class WatchScreen(Screen[None]):
    """Turns keys into commands and states into pictures; it decides nothing by itself."""

    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS, read_only=False)

    def __init__(self, lane: LaneWatch, tones: Tones) -> None:
        super().__init__()
        self.lane = lane
        self._tones = tones
        self._frozen: View | None = None
        self.board = Board(lane.live.state.watch)

    def compose(self) -> ComposeResult:
        yield self._tones
        yield self.board

    def on_mount(self) -> None:
        self._unsubscribe = self.lane.store.subscribe(self._published)
        self._drawn_for = self.app.size
        self.redraw()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def on_resize(self) -> None:
        if self.app.size != self._drawn_for:
            self._drawn_for = self.app.size
            self.board.lay_out(self.app.size)
            self.redraw()

    def _published(self, state: State) -> None:
        """Draw what is new; once the evidence log is read, look for rows that wait for it."""
        if not self.is_attached:  # vp-tui is ending
            return
        self.redraw()
        log = state.evidence
        if not state.has_offered and state.watch.evidence and log and log.problem is None:
            self._handlers.offer_waiting(self)

    def redraw(self) -> None:
        """Draw the newest state, or the frozen one."""
        view, frozen_for, safety = self.picture()
        self.board.show(view, frozen_for=frozen_for, safety=safety)
        self.board.show_alarms(self.lane.live.view)

    def picture(self) -> Picture:
        """Return what is shown: the newest state, or the frozen one."""
        return picture_of(self.lane.live, self._frozen)

    @property
    def focused_list(self) -> LineList:
        """The list that keys act on."""
        return self.focused if isinstance(self.focused, LineList) else self.board.runs.list

    @property
    def focused_name(self) -> str:
        """The name of that list's pane."""
        return str(self.focused_list.id)

    @on(LineList.Moved, "#runs")
    def _selected(self) -> None:
        if self.board.selected is not None:
            self.lane.commands.show_log(self.board.selected)
        self.call_after_refresh(self.redraw)

    def action_pane(self, name: str) -> None:
        self.board.choose(name)
        self.board.lay_out(self.app.size)
        self.board.lists[name].focus()
        self.call_after_refresh(self.redraw)

    def action_next_pane(self) -> None:
        names = self.board.shown
        self.action_pane(names[(names.index(self.focused_name) + 1) % len(names)])

    def action_cursor(self, steps: int) -> None:
        self.focused_list.move(steps)

    def action_follow(self) -> None:
        self.focused_list.follow_newest()

    def action_top(self) -> None:
        self.focused_list.go_to(0)

    def action_scope(self) -> None:
        self.board.triage_choice.change_scope()
        self.action_pane("events")

    def action_freeze(self) -> None:
        self._frozen = None if self._frozen else self.lane.live.view
        self.redraw()

    def action_find(self) -> None:
        self.action_do("find")

    def action_copy(self) -> None:
        self.action_do("copy")

    def action_do(self, name: str) -> None:
        """Do what the handlers have under that name."""
        self._handlers.HANDLERS[name](self)

    def action_why_not(self, action_id: str) -> None:
        if reason := why_not(action_named(action_id), self.lane.live.state):
            self.notify(reason, severity="warning", markup=False)

    @cached_property
    def _handlers(self) -> ModuleType:
        """What each key does."""
        from vp_tui.ui.watch import handlers  # noqa: PLC0415 - not needed for the first frame

        return handlers

    @cached_property
    def evidence_dialogs(self) -> EvidenceDialogs:
        """The evidence keys."""
        from vp_tui.ui.watch.open_dialogs import EvidenceDialogs  # noqa: PLC0415 - not needed for the first frame

        return EvidenceDialogs(self, self.lane)

    @cached_property
    def order_dialogs(self) -> OrderDialogs:
        """The danger keys."""
        from vp_tui.ui.watch.open_dialogs import OrderDialogs  # noqa: PLC0415 - not needed for the first frame

        return OrderDialogs(self, self.lane)

    def on_find_bar_wanted(self, message: FindBar.Wanted) -> None:
        self.find(message.target, message.text)

    def find(self, target: LineList, text: str) -> None:
        """Filter or search the target for `text`, "" for all."""
        self.board.found[str(target.id)] = text
        if isinstance(target, LogList):
            target.search(text)
        self.redraw()

    def action_back(self) -> None:
        """Show all rows again; where nothing is filtered or searched for, leave the triage."""
        if self.board.found[self.focused_name]:
            self.find(self.focused_list, "")
        else:
            self.board.leave_triage()
            self.redraw()

    def action_match(self, step: int) -> None:
        target = self.focused_list
        if isinstance(target, LogList) and not target.go_to_match(step):
            self.notify(NO_MATCH, severity="warning", markup=False)


class ReadOnlyWatchScreen(WatchScreen):
    """The screen of a gateway that may not be changed: no key of it leads to a danger."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS, read_only=True)
