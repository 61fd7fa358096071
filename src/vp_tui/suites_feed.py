"""The report of the continuity suites, read again whenever the file changed."""

from __future__ import annotations

from vp_tui.domain.events import SuitesRead
from vp_tui.file_feed import StampedFeed, stamp_of
from vp_tui.storage.suites import read_report


class SuitesFeed(StampedFeed):
    """Tells what one report says, once and whenever its file changed."""

    def read(self) -> SuitesRead:
        """Return the report, or why it cannot be read."""
        return SuitesRead(self._clock(), read_report(self._path))

    def stamp(self) -> object:
        """Return what changes with the file: why there is none, for one that cannot be seen."""
        try:
            return stamp_of(self._path.stat())
        except OSError as error:
            return error.errno
