"""The gateway's two kinds of stamp, and time that can run faster (the wire contract, section 1)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo


class Clock:
    """Tells the time as G1 does and sleeps `speed` times as fast as it says."""

    def __init__(self, *, speed: float = 1.0, zone: tzinfo | None = None) -> None:
        self.speed = speed
        self._zone = zone

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        return datetime.now(UTC)

    def utc(self) -> str:
        """Return the stamp of the metrics: UTC with `+00:00`."""
        return self.now().isoformat()

    def local(self, at: datetime | None = None) -> datetime:
        """Return `at` (the present if None) as the server's wall clock shows it, naive."""
        return (at or self.now()).astimezone(self._zone).replace(tzinfo=None)

    def stamp(self, at: datetime | None = None) -> str:
        """Return the stamp of health, sessions and frames: server-local, without an offset."""
        return self.local(at).isoformat()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of scripted time."""
        await asyncio.sleep(seconds / self.speed)
