from __future__ import annotations

import pytest
from textual import _wait

from vp_tui.ui import app


@pytest.fixture(autouse=True)
def _app_keeps_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the app from ticking by itself, a test's clock is the test's; look for idleness often.

    The pilot goes on when the process was idle for one of its slices: 20 ms of Textual's own make
    a test of ten keys take half a second.
    """
    monkeypatch.setattr(app, "TICK_S", 86_400.0)
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 1 / 200)
