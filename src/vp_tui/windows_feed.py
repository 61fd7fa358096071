"""The window as it is kept: read again whenever another vp-tui, or this one, changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.domain.events import WindowsRead
from vp_tui.file_feed import StampedFeed
from vp_tui.storage.windows import read_windows

if TYPE_CHECKING:
    from vp_tui.file_feed import CannotRead


class WindowsFeed(StampedFeed):
    """Tells the windows of one file when they changed; what cannot be read still stands."""

    seen_at_first = None  # no file: no window is kept

    def read(self) -> WindowsRead:
        """Return the windows. Raises EvidenceError."""
        return WindowsRead(self._clock(), read_windows(self._path))

    def unread(self, error: CannotRead) -> WindowsRead:
        """Return why there are none."""
        return WindowsRead(self._clock(), (), str(error))
