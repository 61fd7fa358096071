"""The lane's switches in the gateway's env file: read again whenever that changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vp_tui.domain.events import SwitchesRead
from vp_tui.file_feed import ThreadFeed
from vp_tui.storage.errors import SwitchError
from vp_tui.storage.fallback_switch import read_switches

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event


class SwitchesFeed(ThreadFeed):
    """Tells the switches of one env file, and nothing else of it."""

    def __init__(
        self, env_file: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(emit, clock)
        self._env_file = env_file
        self._told: SwitchesRead | None = None

    def news(self) -> SwitchesRead | None:
        """Return the switches; None while the file says the same."""
        read = self._read()
        if self._told is not None and read._replace(at=self._told.at) == self._told:
            return None
        self._told = read
        return read

    def _read(self) -> SwitchesRead:
        try:
            stamp = self._env_file.stat().st_mtime
            switches = read_switches(self._env_file)
        except (SwitchError, OSError) as error:
            reason = error.failure.reason if isinstance(error, SwitchError) else error.strerror
            return SwitchesRead(self._clock(), None, None, reason or "it cannot be read")
        return SwitchesRead(self._clock(), switches, datetime.fromtimestamp(stamp, UTC))
