"""Which sessions' sockets vp-tui holds.

Attaching to a session that is only on disk resumes it, so a socket is opened only where a listing
says that the session is in memory, and opened again only after a newer listing says so again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from vp_tui.domain.events import LinkDropped

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Session

ATTACH_LIMIT: Final = 64


class Stream(Protocol):
    """One session's socket, as the gateway layer offers it."""

    async def run(self) -> None:
        """Attach and drain until cancelled, reconnecting for ever."""

    def listed(self, session: Session, now: float) -> None:
        """Hear that a listing answered at `now` has the session in memory."""

    def wake(self, now: float) -> None:
        """Hear that the gateway answers again, or that the tokens changed: try soon."""


def choose(
    sessions: Iterable[Session], attached: Collection[str], limit: int = ATTACH_LIMIT
) -> frozenset[str]:
    """Return the sessions to be attached to: running ones first, then those attached already."""
    eligible = [session for session in sessions if session.in_memory]
    eligible.sort(key=lambda s: (not s.is_running, s.session_id not in attached, -s.last_event_seq))
    return frozenset(session.session_id for session in eligible[:limit])


class Attachments:
    """Holds the sockets; lives on the feeds' loop."""

    def __init__(
        self,
        make_stream: Callable[[str], Stream],
        emit: Callable[[Event], None],
        tasks: asyncio.TaskGroup,
        limit: int = ATTACH_LIMIT,
    ) -> None:
        self._make_stream = make_stream
        self._emit = emit
        self._tasks = tasks
        self._limit = limit
        self._held: dict[str, tuple[Stream, asyncio.Task[None]]] = {}

    def listing_arrived(self, sessions: Collection[Session], now: float) -> bool:
        """Attach and detach after a listing, whose sessions may be attached to.

        Return whether a session that was attached to is in memory no more.
        """
        wanted = choose(sessions, self._held.keys(), self._limit)
        in_memory = {session.session_id for session in sessions if session.in_memory}
        is_any_gone = not in_memory.issuperset(self._held)
        for session_id in [held for held in self._held if held not in wanted]:
            self._release(session_id, now)
        for session in sessions:
            if session.session_id in wanted:
                self._hold(session, now)
        return is_any_gone

    def wake(self, now: float) -> None:
        """Let every stream that waits try soon."""
        for stream, _task in self._held.values():
            stream.wake(now)

    def _hold(self, session: Session, now: float) -> None:
        if held := self._held.get(session.session_id):
            held[0].listed(session, now)
            return
        stream = self._make_stream(session.session_id)
        task = self._tasks.create_task(stream.run(), name=f"stream {session.session_id}")
        self._held[session.session_id] = (stream, task)

    def _release(self, session_id: str, now: float) -> None:
        _stream, task = self._held.pop(session_id)
        task.cancel()
        self._emit(LinkDropped(now, session_id))
