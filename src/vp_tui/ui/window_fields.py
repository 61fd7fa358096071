"""The fields of a window that dialogs share: label, stage, scope and source on two lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal

from vp_tui.domain.stages import Stage, Traffic
from vp_tui.ui.forms import Cycle, Field

if TYPE_CHECKING:
    from textual.widget import Widget

    from vp_tui.domain.windows import Window


def window_fields(window: Window, label: str) -> list[Widget]:
    """Return the fields filled in from `window`; the one of its label is called `label`."""
    return [
        Horizontal(
            Field(label, window.label),
            Cycle("stage", [*map(str, Stage)], str(window.stage)),
            classes="row",
        ),
        Horizontal(
            Field("scope", window.scope),
            Cycle("source", [*map(str, Traffic)], str(window.source)),
            classes="row",
        ),
    ]
