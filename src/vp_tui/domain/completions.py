"""How turns ended, as their frames tell: the facts that prove what the lane's switches do.

All times are vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.events import GapFound, LinkChanged, LinkDropped, StreamEvent, StreamState
from vp_tui.domain.intent import is_coding_intent
from vp_tui.domain.routing import BOOTSTRAP, DELEGATED, FALLBACKS, SHADOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Dialect, Frame

ASSISTANCE_NEEDED: Final = "assistance_needed"
"""Notification that ends a turn which raised: no `query_complete` follows it."""
_TELLING: Final = frozenset({"status", "query_complete", "system_event"})
"""Kinds of frames that begin, route or end a turn."""


class CompletedTurn(NamedTuple):
    """One turn from its beginning to its end; what was not heard is None."""

    session_id: str
    began_at: float | None
    """None: it was not heard to begin, so that its routing may have been missed."""
    ended_at: float
    query: str | None = None
    routing: str | None = None
    """The first one: how it was routed."""
    mission_id: str | None = None
    fell_back: bool = False
    completed: bool = True
    """Not cancelled, not rejected, not ended by an exception."""

    @property
    def is_delegated(self) -> bool:
        """Whether the lane got it, if only to fail."""
        return self.routing in DELEGATED or self.routing in FALLBACKS

    @property
    def is_shadowed(self) -> bool:
        """Whether shadow mode kept it."""
        return self.routing == SHADOW

    @property
    def is_unstartable(self) -> bool:
        """Whether the lane was to have it and could not start."""
        return self.routing == BOOTSTRAP

    @property
    def is_silent(self) -> bool:
        """Whether it stayed on the primary path and no frame says why."""
        return self.began_at is not None and self.routing is None

    def is_coding(self, dialect: Dialect | None) -> bool:
        """Tell whether its prompt would have been delegated, lane flags permitting.

        A prompt that was routed at all would have been.
        """
        if self.routing is not None:
            return True
        if self.query is None or dialect is None:
            return False
        return is_coding_intent(self.query, dialect)


OpenTurns = dict[str, CompletedTurn]
"""Turns under way by their session; `ended_at` is when they were last heard."""


def follow_turns(
    under_way: Mapping[str, CompletedTurn], events: Iterable[Event]
) -> tuple[OpenTurns, tuple[CompletedTurn, ...]]:
    """Return the turns under way after these events, and those that ended, in order.

    A turn during which frames may have been lost is forgotten.
    """
    turns, ended = dict(under_way), []
    for event in events:
        if isinstance(event, StreamEvent):
            if event.frame.kind in _TELLING:
                turn = _heard(turns.pop(event.session_id, None), event)
                if turn is not None and _is_end(event.frame):
                    ended.append(turn)
                elif turn is not None:
                    turns[event.session_id] = turn
        elif (session_id := _lost(event)) is not None:
            turns.pop(session_id, None)
    return turns, tuple(ended)


def _lost(event: Event) -> str | None:
    """Return the session of which frames may have been lost, None where none were."""
    if isinstance(event, LinkChanged):
        return None if event.state is StreamState.LIVE else event.session_id
    return event.session_id if isinstance(event, GapFound | LinkDropped) else None


def _heard(turn: CompletedTurn | None, event: StreamEvent) -> CompletedTurn | None:
    """Return the turn after a frame; None while there is none."""
    frame, at = event.frame, event.at
    if frame.kind != "status":
        return _at_its_end(turn, event)
    if frame.routing is not None:
        return _routed(turn or CompletedTurn(event.session_id, at, at), frame, at)
    if frame.status == "turn_cancelled" and turn is not None:
        return turn._replace(completed=False, ended_at=at)
    if frame.status == "processing" and frame.query is not None:
        turn = turn or CompletedTurn(event.session_id, at, at)
        return turn._replace(query=turn.query or frame.query, ended_at=at)
    return turn


def _routed(turn: CompletedTurn, frame: Frame, at: float) -> CompletedTurn:
    return turn._replace(
        routing=turn.routing or frame.routing,
        mission_id=turn.mission_id or frame.mission_id,
        fell_back=turn.fell_back or frame.routing in FALLBACKS,
        ended_at=at,
    )


def _at_its_end(turn: CompletedTurn | None, event: StreamEvent) -> CompletedTurn | None:
    if not _is_end(event.frame):
        return turn
    frame = event.frame
    is_bad = frame.cancelled or frame.is_error or frame.status == ASSISTANCE_NEEDED
    turn = turn or CompletedTurn(event.session_id, None, event.at)
    return turn._replace(ended_at=event.at, completed=turn.completed and not is_bad)


def _is_end(frame: Frame) -> bool:
    return frame.kind == "query_complete" or (
        frame.kind == "system_event" and frame.status == ASSISTANCE_NEEDED
    )
