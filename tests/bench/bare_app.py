"""The floor: the least a Textual app can be. The first frame of vp-tui is measured against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult


class BareApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("a bare frame")


if __name__ == "__main__":
    BareApp().run()
