"""Tailing one log: asked as fast as it grows, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import LogArrived
from vp_tui.gateway.logtail import TailCursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.events import Event
    from vp_tui.gateway.client import GatewayClient

FASTEST_S: Final = 0.25
SLOWEST_S: Final = 2.0
BURST: Final = 500
"""Lines in one answer from which on the log is asked as fast as it may be."""


def next_interval(interval_s: float, new_lines: int) -> float:
    """Return the seconds until the next poll, after one that brought `new_lines`."""
    if new_lines >= BURST:
        return FASTEST_S
    return max(interval_s / 2, FASTEST_S) if new_lines else min(interval_s * 1.5, SLOWEST_S)


class LogTailer:
    """Follows one log through the tail endpoint."""

    def __init__(
        self,
        log_id: str,
        client: GatewayClient,
        emit: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self.log_id = log_id
        self._client = client
        self._emit = emit
        self._clock = clock
        self._cursor = TailCursor()
        self._interval_s = FASTEST_S

    async def ask(self) -> float:
        """Ask for what is new; return the seconds after which to ask again."""
        answer = await self._client.log_tail(self.log_id, self._cursor.request)
        chunk = self._cursor.feed(answer)
        if chunk is None:  # the file is another one: read it anew
            answer = await self._client.log_tail(self.log_id, self._cursor.request)
            chunk = self._cursor.feed(answer)
        if chunk is None:
            return FASTEST_S
        self._emit(LogArrived(self._clock(), self.log_id, chunk))
        self._interval_s = next_interval(self._interval_s, len(chunk.lines))
        return self._interval_s
