"""Keyboard for tests: those of an operator who means each key, however fast the test presses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.ui.actions import Keyboard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App
    from textual.events import Key


class UnhurriedKeyboard(Keyboard):
    """Reads each key two seconds after the one before; nothing waits for another key."""

    settled_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self._at = 0.0
        self._key: Key | None = None

    def moment_of(self, key: Key) -> float:
        if key is not self._key:
            self._key, self._at = key, self._at + 2.0
        return self._at

    def hold(self, app: App[None], act: Callable[[], Awaitable[None]]) -> None:
        app.call_later(act)

    def now(self) -> float:
        return self._at
