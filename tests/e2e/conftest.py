from __future__ import annotations

import pytest
from textual import _wait


@pytest.fixture(autouse=True)
def _pilot_looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for idleness every 5 ms: the slices of Textual's own pilot make each key take long."""
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 1 / 200)
