"""How long a test waits for what must happen."""

from __future__ import annotations

from typing import Final

PATIENCE_S: Final = 90.0
"""How long a condition may take at worst, on a machine that others have too. Nothing is concluded
from how long it took: a condition that holds ends the wait at once."""
