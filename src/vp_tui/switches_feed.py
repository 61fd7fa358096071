"""The lane's switches in the gateway's env file: read again whenever that changed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vp_tui.domain.events import SwitchesRead
from vp_tui.storage.errors import SwitchError
from vp_tui.storage.fallback_switch import read_switches

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.events import Event


class SwitchesFeed:
    """Tells the switches of one env file, and nothing else of it."""

    def __init__(
        self, env_file: Path, emit: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._env_file = env_file
        self._emit = emit
        self._clock = clock
        self._told: SwitchesRead | None = None

    async def look(self) -> None:
        """Read the file, away from the loop, and tell it if it says something new."""
        event = await asyncio.to_thread(self._read)
        if self._told is None or event._replace(at=self._told.at) != self._told:
            self._told = event
            self._emit(event)

    def _read(self) -> SwitchesRead:
        try:
            stamp = self._env_file.stat().st_mtime
            switches = read_switches(self._env_file)
        except (SwitchError, OSError) as error:
            reason = error.failure.reason if isinstance(error, SwitchError) else error.strerror
            return SwitchesRead(self._clock(), None, None, reason or "it cannot be read")
        return SwitchesRead(self._clock(), switches, datetime.fromtimestamp(stamp, UTC))
