"""The audit as it is on disk: read again whenever this vp-tui, or another one, added an action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import AuditRead
from vp_tui.file_feed import StampedFeed
from vp_tui.storage.audit import newest_actions

if TYPE_CHECKING:
    from vp_tui.file_feed import CannotRead

ACTIONS_KEPT: Final = 500
"""Actions told, the newest."""


class AuditFeed(StampedFeed):
    """Tells the newest actions of one file when it changed."""

    def read(self) -> AuditRead:
        """Return the newest actions. Raises AuditError."""
        tail = newest_actions(self._path, ACTIONS_KEPT)
        return AuditRead(self._clock(), tail.records, tail.unreadable)

    def unread(self, error: CannotRead) -> AuditRead:
        """Return why there are none."""
        return AuditRead(self._clock(), (), problem=error.failure)
