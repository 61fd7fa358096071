"""The watch screen over a recording: the same picture, and keys that go through time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from vp_tui.ui.actions import bindings
from vp_tui.ui.kit.dialog import Dialog
from vp_tui.ui.kit.forms import Field
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.watch.screen import WatchScreen
from vp_tui.views.actions import REPLAYED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.binding import BindingType
    from textual.widget import Widget
    from textual.widgets import Input

    from vp_tui.state.state import State
    from vp_tui.ui.kit.line_list import Tones
    from vp_tui.worker.replay import Player, ReplayWatch


_MINUTE_S: Final = 60.0
_NO_TIME: Final = "no such time: as 02:14, 02:14:03, 2026-11-23T02:14 (UTC), or 90 seconds"


class TimeDialog(Dialog[float]):
    """Returns the moment to go to, on the clock of the watch that was recorded."""

    title_text = "TO A TIME"
    keys_text = "enter go there  esc stay"

    def __init__(self, lane: ReplayWatch) -> None:
        super().__init__(lane)
        self._tape = lane.player.tape

    def body(self) -> list[Widget]:
        return [Field("time", hint="02:14 UTC, or seconds from the beginning"), Lines(id="told")]

    def redraw(self) -> None:
        """Draw nothing anew: what was typed stays."""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if (at := self._tape.at_told(event.value)) is None:
            self.query_one("#told", Lines).show([((_NO_TIME, "warn"),)])
        else:
            self.dismiss(at)


class ReplayScreen(WatchScreen, inherit_bindings=False):
    """Shows a recording; nothing on it acts: so it has none of the keys of the screen below."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(REPLAYED, read_only=True)

    def __init__(self, lane: ReplayWatch, tones: Tones) -> None:
        super().__init__(lane, tones)
        self._lane, self._player = lane, lane.player

    def _published(self, _state: State) -> None:
        if self.is_attached:
            self.board.redraw()

    def action_do(self, name: str) -> None:
        if (go := _GOES.get(name)) is not None:
            if go(self._player) is False:
                self.notify("there is none from here on", markup=False)
        elif name == "to-time":
            self.app.push_screen(TimeDialog(self._lane), self._to_moment)
        else:
            super().action_do(name)

    def _to_moment(self, at: float | None) -> None:
        if at is not None:
            self._player.to_moment(at)


_GOES: Final[Mapping[str, Callable[[Player], object]]] = {
    "pause": lambda player: player.pause(),
    "step": lambda player: player.step(),
    "minute-back": lambda player: player.to_moment(player.now - _MINUTE_S),
    "minute-on": lambda player: player.to_moment(player.now + _MINUTE_S),
    "window-back": lambda player: player.to_window(-1),
    "window-on": lambda player: player.to_window(1),
    "last-change": lambda player: player.to_change(-1),
    "next-change": lambda player: player.to_change(1),
    "play-faster": lambda player: player.change_speed(1),
    "play-slower": lambda player: player.change_speed(-1),
}
"""What the keys do, by action; False: there is nothing to go to."""
