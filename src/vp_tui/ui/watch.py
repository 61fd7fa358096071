"""The watch screen: everything about one gateway at a glance, and the keys to look closer."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on, work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from vp_tui.actions import ACTIONS, action_named, why_not
from vp_tui.domain.events import Source
from vp_tui.ui.board import Board
from vp_tui.ui.keys import bindings
from vp_tui.ui.lines import LineList
from vp_tui.ui.live import Live
from vp_tui.ui.logs import NO_MATCH, LogList

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from vp_tui.assessment import Alarm
    from vp_tui.commands import Commands
    from vp_tui.state import State
    from vp_tui.store import Store
    from vp_tui.ui.acting import Acting
    from vp_tui.ui.desk import Desk
    from vp_tui.ui.find import FindBar
    from vp_tui.ui.tones import Tones


class Picture(NamedTuple):
    """What a screen shows, and what is so now whatever it shows."""

    state: State
    now: float
    """On the monotonic clock; of a frozen picture, when it was frozen."""
    frozen_for: float | None
    """Seconds; None while nothing is frozen."""
    safety: tuple[Alarm, ...]
    """As of the newest state."""


class WatchScreen(Screen[None]):
    """Turns keys into commands and states into pictures; it decides nothing by itself."""

    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(ACTIONS, read_only=False),
        Binding("escape", "clear_find", show=False),
    ]

    def __init__(
        self, store: Store, commands: Commands, clock: Callable[[], float], tones: Tones
    ) -> None:
        super().__init__()
        self._store = store
        self._commands = commands
        self._clock = clock
        self._tones = tones
        self._live = Live(store, clock)
        self._frozen: tuple[State, float] | None = None
        self._has_offered = False
        """Whether rows that wait for the log were looked for."""
        self.board = Board()

    def compose(self) -> ComposeResult:
        yield self._tones
        yield self.board

    def on_mount(self) -> None:
        self._unsubscribe = self._store.subscribe(self._published)
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
        self.redraw()
        log = state.evidence
        if not self._has_offered and state.watch.evidence and log and log.problem is None:
            self._has_offered = True
            self._offer_waiting()

    def redraw(self) -> None:
        """Draw the newest state, or the frozen one."""
        state, now, frozen_for, safety = self.picture()
        self.board.show(state, now, frozen_for=frozen_for, safety=safety)
        self.board.show_alarms(self._store.state, self._clock())

    def picture(self) -> Picture:
        """Return what is shown: the newest state, or the frozen one."""
        live = self._store.state, self._clock()
        state, now = self._frozen or live
        return Picture(state, now, live[1] - now if self._frozen else None, _safety(*live))

    @property
    def focused_list(self) -> LineList:
        """The list that keys act on."""
        return self.focused if isinstance(self.focused, LineList) else self.board.runs.list

    @on(LineList.Moved, "#runs")
    def _selected(self) -> None:
        if self.board.selected is not None:
            self._commands.show_log(self.board.selected)
        self.call_after_refresh(self.redraw)

    def action_pane(self, name: str) -> None:
        self.board.choose(name)
        self.board.lay_out(self.app.size)
        self.board.lists[name].focus()
        self.call_after_refresh(self.redraw)

    def action_next_pane(self) -> None:
        names = self.board.shown
        self.action_pane(names[(names.index(self._focused_name()) + 1) % len(names)])

    def action_cursor(self, steps: int) -> None:
        self.focused_list.move(steps)

    def action_follow(self) -> None:
        self.focused_list.follow_newest()

    def action_top(self) -> None:
        self.focused_list.go_to(0)

    def action_scope(self) -> None:
        self.board.only_selected = not self.board.only_selected
        self.action_pane("events")

    def action_freeze(self) -> None:
        self._frozen = None if self._frozen else (self._store.state, self._clock())
        self.redraw()

    def action_poll(self, step: int) -> None:
        factor = self._commands.change_poll_rate(step)
        metrics_s = self._store.state.watch.intervals[Source.METRICS] * factor
        self.notify(f"metrics every {metrics_s:g} s, the others in proportion", markup=False)

    def action_read_tokens(self) -> None:
        self._commands.read_tokens()
        self.notify("reading the tokens again; what was refused is tried at once", markup=False)

    def action_copy(self) -> None:
        if text := self.focused_list.cursor_text:
            self.app.copy_to_clipboard(text)
            note = "sent to the terminal's clipboard; in tmux this needs `set-clipboard on`"
            self.notify(note, markup=False)

    def action_help(self) -> None:
        from vp_tui.ui.help import HelpScreen  # noqa: PLC0415 - not needed for the first frame

        self.app.push_screen(HelpScreen(read_only=self._store.state.watch.read_only))

    async def action_attempt(self, action_id: str) -> None:
        """Do the action if it is allowed now, else tell why not."""
        action = action_named(action_id)
        if why_not(action, self._store.state) is None:
            await self.run_action(action.call)
        else:
            self.action_why_not(action_id)

    def action_why_not(self, action_id: str) -> None:
        if reason := why_not(action_named(action_id), self._store.state):
            self.notify(reason, severity="warning", markup=False)

    @cached_property
    def _desk(self) -> Desk:
        from vp_tui.ui.desk import Desk  # noqa: PLC0415 - not needed for the first frame

        return Desk(self, self._live, self._commands)

    @cached_property
    def _acting(self) -> Acting:
        from vp_tui.ui.acting import Acting  # noqa: PLC0415 - not needed for the first frame

        return Acting(self, self._live, self._commands)

    def action_acknowledge(self) -> None:
        seen = self._commands.acknowledge()
        self.notify(f"{seen} alarms seen" if seen else "no alarm is unseen", markup=False)

    def action_cancel(self) -> None:
        self._acting.cancel(self.board.selected)

    def action_cancel_all(self) -> None:
        self._acting.cancel_all()

    @work
    async def action_record_now(self) -> None:
        await self._desk.record_now()

    def action_record(self) -> None:
        self._desk.record()

    def action_explain(self) -> None:
        from vp_tui.ui.explain import ExplainScreen  # noqa: PLC0415 - as HelpScreen

        self.app.push_screen(ExplainScreen(self._store, self.picture))

    def action_evidence(self) -> None:
        from vp_tui.ui.evidence import EvidenceScreen  # noqa: PLC0415 - as HelpScreen

        self.app.push_screen(EvidenceScreen(self._store, self.picture))

    def action_audit(self) -> None:
        from vp_tui.ui.audit import AuditScreen  # noqa: PLC0415 - as HelpScreen

        self.app.push_screen(AuditScreen(self._store, self.picture))

    @work
    async def action_hand_over(self) -> None:
        await self._desk.hand_over()

    def action_window(self) -> None:
        self._desk.window()

    @work
    async def action_waiting(self) -> None:
        self._desk.offer(await self._commands.waiting(), asked=True)

    @work
    async def _offer_waiting(self) -> None:
        found = await self._commands.waiting()
        if found.rows:
            self._desk.offer(found, asked=False)

    def action_find(self) -> None:
        from vp_tui.ui.find import FindBar  # noqa: PLC0415 - not needed for the first frame

        if not self.query(FindBar):
            name = self._focused_name()
            self.mount(FindBar(self.focused_list, self.board.found[name]))

    def on_find_bar_wanted(self, message: FindBar.Wanted) -> None:
        self._find(message.target, message.text)

    def _find(self, target: LineList, text: str) -> None:
        """Filter or search the target for `text`, "" for all."""
        self.board.found[str(target.id)] = text
        if isinstance(target, LogList):
            target.search(text)
        self.redraw()

    def action_clear_find(self) -> None:
        self._find(self.focused_list, "")

    def action_match(self, step: int) -> None:
        target = self.focused_list
        if isinstance(target, LogList) and not target.go_to_match(step):
            self.notify(NO_MATCH, severity="warning", markup=False)

    def _focused_name(self) -> str:
        return str(self.focused_list.id)


class ReadOnlyWatchScreen(WatchScreen):
    """The screen of a gateway that may not be changed: no key of it leads to a danger."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS, read_only=True)


def _safety(state: State, now: float) -> tuple[Alarm, ...]:
    if not state.sources:
        return ()
    from vp_tui.assessment import assess  # noqa: PLC0415 - not needed for the first frame

    return assess(state, now).safety
