"""Keyboard for tests: those of an operator who means each key, however fast the test presses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.ui.actions import Keyboard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import App
    from textual.events import Key


class UnhurriedKeyboard(Keyboard):
    """Reads each key four seconds after the one before; nothing waits for another key."""

    settled_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self._at = 0.0
        self._key: Key | None = None

    def moment_of(self, key: Key) -> float:
        if key is not self._key:
            self._key, self._at = key, self._at + 4.0
        return self._at

    def hold(self, app: App[None], act: Callable[[], Awaitable[None]]) -> None:
        app.call_later(act)

    def now(self) -> float:
        return self._at


class StampedKeyboard(Keyboard):
    """Reads keys at the moments that a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 100.0
        self.held: list[tuple[float, Callable[[], Awaitable[None]]]] = []

    def moment_of(self, key: Key) -> float:
        return self.at

    def now(self) -> float:
        return self.at

    def hold(self, app: App[None], act: Callable[[], Awaitable[None]]) -> None:
        self.held.append((self.at + self.HOLD_S, act))

    async def passes(self, seconds: float) -> None:
        """Let time pass; what was held long enough is done."""
        self.at += seconds
        due = [act for at, act in self.held if at <= self.at]
        self.held = [(at, act) for at, act in self.held if at > self.at]
        for act in due:
            await act()
