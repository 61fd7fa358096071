"""The base of all dialogs: a box under the watch screen's first lines, and when it may act.

A dialog's enter may send, write or change something. A sleepy engineer, a wrong pane and a paste
type too: so what acts takes enter only once the dialog could be read, and not while somebody types.
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar, cast

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from vp_tui.domain.lane.auto_revert import STOP_KEY
from vp_tui.ui.actions import STOPS, fitting, told_line
from vp_tui.ui.kit import Guarded
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.kit.overlays import ROOMY, LastLine, heading, safety_of
from vp_tui.ui.lines.header import header_lines

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Click, Key
    from textual.widget import Widget

    from vp_tui.ui.actions import Keyboard, KeyedApp
    from vp_tui.ui.lines.paint import Line
    from vp_tui.worker.lane_watch import LaneWatch


ResultT = TypeVar("ResultT")
MAX_WIDTH: Final = 120
"""Columns of the box, as in the dialogs' styles."""
_CLOSED_S: Final = 3.0
"""For how long it is told why a dialog closed by itself."""
_IDLE_LOOK_S: Final = 1.0
_NAMED: Final = re.compile(r"(\S+)(?: \S+)*")
"""A key and what it does, in the last line."""
_KEYS: Final = {"esc": "escape", "enter": "enter", "tab": "tab"}
_FRAME: Final = (4, 3)
"""Columns of border and padding; lines of border and keys."""


class _DialogKeys(LastLine):
    """The last line of a dialog, whose keys can be clicked too."""

    def on_click(self, event: Click) -> None:
        """Press the key that is named under the mouse: it has to be meant alike."""
        for named in _NAMED.finditer("".join(text for text, _tone in self.lines[0])):
            key = _KEYS.get(named[1], named[1])
            works = key in _KEYS.values() or key in self.screen.active_bindings
            if works and named.start() <= event.x < named.end():
                self.app.simulate_key(key)


class Dialog(Guarded, ModalScreen[ResultT | None], Generic[ResultT]):
    """Base of the dialogs. A subclass gives title, keys and body, and draws in `redraw`.

    It is about the lane that it was opened for, whichever is looked at meanwhile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
    ]
    SCOPED_CSS = False  # it styles the screen itself too
    CSS = """
    Dialog { align: center top; background: $background 60%; }
    #dialog-header { dock: top; background: $panel; }
    #dialog-keys { dock: bottom; height: 1; background: $panel; }
    #dialog {
        overflow-y: auto; scrollbar-size: 0 0; width: 100%; max-width: 120; height: auto;
        max-height: 100%; border: round $accent; background: $surface; padding: 0 1;
    }
    .row { height: 1; width: 1fr; }
    .row.-narrow { layout: vertical; height: auto; }
    .field { height: 1; width: 1fr; }
    .field-label { width: 7; height: 1; }
    .field Input { width: 1fr; }
    .cycle { width: auto; height: 1; margin: 0 1 0 1; }
    WholeRow #dialog { height: 1fr; }
    #row-scroll { height: 1fr; scrollbar-size-vertical: 1; }
    #buttons { width: 1fr; height: 1; margin: 1 0 0 0; }
    #steps { margin: 1 0 0 0; }
    #which { height: auto; }
    """
    """For all dialogs; read when the first one opens."""
    title_text: ClassVar[str]
    """What it does, in other words than its keys."""
    keys_text: ClassVar[str] = "esc nothing"

    not_kept: ClassVar[frozenset[str]] = frozenset()
    """Fields whose text is no draft: what confirms an order is typed each time."""

    def __init__(self, lane: LaneWatch) -> None:
        super().__init__()
        self.lane = lane
        self._shown_at = inf
        """When it could be read first."""
        self._given: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Lines(id="dialog-header")
        with Vertical(id="dialog") as box:
            box.border_title = heading(self.title_text)
            yield from self.body()
        yield _DialogKeys(self._last_line, id="dialog-keys")

    def body(self) -> list[Widget]:
        """Return what is in the box."""
        raise NotImplementedError

    @property
    def room(self) -> tuple[int, int]:
        """Columns and lines that there are inside the box."""
        width, height = self.app.size
        return min(width, MAX_WIDTH) - _FRAME[0], height - _FRAME[1] - len(self._top())

    def on_mount(self) -> None:
        self._unsubscribe = self.lane.store.subscribe(lambda _state: self.redraw_if_shown())
        box = self.query_one("#dialog")
        self.watch(box, "scroll_y", self._mark_hidden_soon, init=False)
        for changed in ("virtual_size", "size"):
            self.watch(box, changed, self._show_focus_soon, init=False)
        self._given = self._texts
        for name, text in self._app.drafts.pop(self.draft_name, {}).items():
            self.query_one(f"#{name}", Input).value = text
        self.redraw()
        self.call_after_refresh(self._begin_to_act)

    def on_unmount(self) -> None:
        self._unsubscribe()

    def _mark_hidden_soon(self) -> None:
        self.call_after_refresh(self._mark_hidden)

    def _show_focus_soon(self) -> None:
        """Keep what has the focus in view, at each size and however much is told above it."""
        if self.focused is not None:
            show = self.focused.scroll_visible
            self.call_after_refresh(show, animate=False, immediate=True)
        self._mark_hidden_soon()

    def _mark_hidden(self) -> None:
        """Say at the foot of the box that it goes on above or below, and how to get there."""
        box = self.query_one("#dialog")
        above, below = box.scroll_y > 0, box.scroll_y < box.max_scroll_y
        where = {"above: pgup": above, "below: pgdn": below}
        told = ", ".join(way for way, is_there in where.items() if is_there)
        box.border_subtitle = f"more {told}" if told else ""

    def action_page(self, direction: int) -> None:
        box = self.query_one("#dialog")
        by = direction * max(box.size.height - 1, 1)
        box.scroll_to(y=box.scroll_y + by, animate=False, immediate=True)

    def on_resize(self) -> None:
        self.redraw_if_shown()

    def on_screen_resume(self) -> None:
        self.redraw_if_shown()

    def redraw_if_shown(self) -> None:
        """Draw, unless it is closed already or another dialog is over it."""
        # While vp-tui ends, a part of the dialog may be gone already.
        if self.app.is_running and self.is_current and self.query("#dialog"):
            self.drawn("", self.redraw, self.query_one("#dialog-header", Lines).show)

    def redraw(self) -> None:
        """Draw what follows from the newest state."""
        self.query_one("#dialog-header", Lines).show(self._top())
        self.query_one(LastLine).redraw()

    def _last_line(self, told: str) -> Line:
        width = self.app.size.width
        *others, way_out = self.keys.split("  ")
        if self.lane.live.state.auto_revert.is_counting:
            way_out = f"{STOP_KEY} {STOPS}"
        if told:
            return told_line(told, ((f"{way_out} ", "dim"),), width)
        return ((f" {fitting([*others, way_out], width - 1)}", "dim"),)

    @property
    def keys(self) -> str:
        """The keys that work now, and what each does."""
        return self.keys_text

    @property
    def acts(self) -> bool:
        """Whether enter sends, writes or changes something now."""
        return True

    @property
    def draft_name(self) -> str:
        """What tells its draft from those of other dialogs."""
        return type(self).__name__

    @property
    def _app(self) -> KeyedApp:
        return cast("KeyedApp", self.app)

    @property
    def _keyboard(self) -> Keyboard:
        return self._app.keyboard

    @property
    def _texts(self) -> dict[str, str]:
        return {str(field.id): field.value for field in self.query(Input)}

    def _begin_to_act(self) -> None:
        self._shown_at = self._keyboard.now()
        self.set_interval(_IDLE_LOOK_S, self._close_if_left)

    def is_meant(self) -> bool:
        """Tell whether the enter was meant for what is shown; say so where it may not be."""
        if not self._app.is_seen(self.title_text):
            return False
        if self._keyboard.is_meant(self._shown_at):
            return True
        self.query_one(LastLine).tell("press enter again: it came with other keys", _CLOSED_S)
        return False

    def on_key(self, event: Key) -> None:
        """Close at a letter that means nothing here: somebody types, and not for this dialog."""
        if event.is_printable and self.acts and event.key not in self.active_bindings:
            event.stop()
            self._close("closed by a key that means nothing in it")

    def _close_if_left(self) -> None:
        if self.acts and self.is_current and self._keyboard.is_gone(self._shown_at):
            self._close("closed: no key came for a minute")

    def _close(self, why: str) -> None:
        """Close without doing anything; what was typed is there when it is opened again."""
        texts, given = self._texts, self._given
        draft = {
            name: text
            for name, text in texts.items()
            if text != given.get(name) and name not in self.not_kept
        }
        if draft:
            self._app.drafts[self.draft_name] = draft
        kept = "; what was typed is kept" if draft else ""
        shown = Content.from_markup(self.query_one("#dialog").border_title or "")
        self.notify(f"{why}: nothing was done{kept}", title=shown.plain, markup=False)
        self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)

    def dismiss(self, result: ResultT | None = None) -> AwaitComplete:
        """Close once: of keys that were read before, more than one may close it."""
        return super().dismiss(result) if self.is_current else AwaitComplete()

    def finish(self, result: ResultT | None) -> None:
        """Close with what came of the work, and what was opened over the dialog meanwhile."""
        while self in self.app.screen_stack and not self.is_active:
            self.app.pop_screen()
        self.dismiss(result)

    def _top(self) -> list[Line]:
        """Return who and when and, if anything is wrong, what."""
        view = self.lane.live.view
        safety = safety_of(view)
        lines = header_lines(view, self.app.size.width, frozen_for=None, safety=safety)
        return lines if self.app.size.height >= ROOMY else [lines[0], lines[2]]
