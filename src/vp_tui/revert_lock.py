"""Which vp-tui on this host is a gateway's auto-revert: asked for until this one is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vp_tui.domain.auto_revert import UNCLAIMED, AutoRevertBarred
from vp_tui.file_feed import ThreadFeed
from vp_tui.storage.errors import LockError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.events import Event
    from vp_tui.storage.host_lock import HostLock


class RevertLock(ThreadFeed):
    """Takes the host's lock and tells who has it.

    Once taken it is held until vp-tui ends, also when it has acted: two that act one after the
    other would restart the gateway twice for one trip.
    """

    def __init__(
        self, lock: HostLock, actor: str, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._lock = lock
        self._who = f"pid {os.getpid()} of {actor}"
        self._told: str | None = UNCLAIMED

    def news(self) -> AutoRevertBarred | None:
        """Try to take it, and return who has it; None while that is as it was."""
        why = self._why_not()
        if why == self._told:
            return None
        self._told = why
        return AutoRevertBarred(self._clock(), why)

    def _why_not(self) -> str | None:
        try:
            holder = self._lock.take(self._who)
        except LockError as error:
            return f"its lock cannot be taken: {error.failure.reason}"
        if holder is None:
            return None
        return f"another vp-tui on this host has it: {holder or 'it did not say who'}"
