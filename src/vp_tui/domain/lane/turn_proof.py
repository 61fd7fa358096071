"""How a turn ended, as its frames tell, and what that proves of the lane's switches.

Forced fallback is asked first, then the lane's switch, then shadow mode, and only then is the lane
started (docs/wire.md, section 11). So whatever frame routes a turn proves that fallback is not
forced and the lane is on; a turn that stays on the primary path without a word was kept by one of
these two. Times are vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switches import FORCE_FALLBACK, Change, Switch
from vp_tui.domain.runs import turns

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect, Frame, StreamEvent


_SILENCING: Final = frozenset({FORCE_FALLBACK, Change(Switch.LANE, on=False)})
"""Changes after which nothing is routed, and no frame says so."""


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
        return self.routing in turns.DELEGATED or self.routing in turns.FALLBACKS

    @property
    def is_shadowed(self) -> bool:
        """Whether shadow mode kept it."""
        return self.routing == turns.SHADOW

    @property
    def is_unstartable(self) -> bool:
        """Whether the lane was to have it and could not start."""
        return self.routing == turns.BOOTSTRAP

    def is_coding(self, dialect: Dialect | None) -> bool:
        """Tell whether its prompt would have been delegated, lane flags permitting.

        A prompt that was routed at all would have been.
        """
        if self.routing is not None:
            return True
        if self.query is None or dialect is None:
            return False
        return turns.is_coding_intent(self.query, dialect)


def heard(turn: CompletedTurn | None, event: StreamEvent) -> CompletedTurn | None:
    """Return the turn after a frame, the same one where the frame tells nothing of it."""
    frame, at = event.frame, event.at
    begun = turn or CompletedTurn(event.session_id, None if is_end(frame) else at, at)
    if is_end(frame):
        is_bad = frame.cancelled or frame.is_error or frame.status == turns.ASSISTANCE_NEEDED
        return begun._replace(ended_at=at, completed=begun.completed and not is_bad)
    if frame.kind != "status":
        return turn
    if frame.routing is not None:
        return begun._replace(
            routing=begun.routing or frame.routing,
            mission_id=begun.mission_id or frame.mission_id,
            fell_back=begun.fell_back or frame.routing in turns.FALLBACKS,
            ended_at=at,
        )
    if frame.status == "turn_cancelled" and turn is not None:
        return turn._replace(completed=False, ended_at=at)
    if frame.status == "processing" and frame.query is not None:
        return begun._replace(query=begun.query or frame.query, ended_at=at)
    return turn


def is_end(frame: Frame) -> bool:
    """Tell whether a frame ends its turn."""
    return frame.kind == "query_complete" or (
        frame.kind == "system_event" and frame.status == turns.ASSISTANCE_NEEDED
    )


def wants_missions(change: Change) -> bool:
    """Tell whether a mission is what the change is made for, and not what it forbids."""
    return change not in _SILENCING and change != Change(Switch.SHADOW, on=True)


def what_it_says(
    change: Change, turn: CompletedTurn, dialect: Dialect | None, *, is_probe: bool = False
) -> tuple[bool | None, str]:
    """Return whether a turn that began after the change proves it, and why in words.

    False: it speaks against it. None: it is consistent, and no proof.

    A silent turn proves a silencing change only if the metrics name no mission for it: that is for
    the caller to see. On G2 words that the contract does not list veto a delegation, so that of
    silent turns only vp-tui's own probe (`is_probe`) can prove anything.
    """
    words, is_shadow = how_it_went(turn), change.switch is Switch.SHADOW
    if turn.routing is not None:
        named = f" as mission {turn.mission_id}" if turn.is_delegated and turn.mission_id else ""
        proves = turn.is_shadowed is change.on if is_shadow else change not in _SILENCING
        return proves, words + named
    if (doubt := _doubt(turn, dialect, is_probe=is_probe)) is not None:
        return None, doubt
    if change in _SILENCING:
        return True, words
    if is_shadow:
        return None, f"{words} without a word: forced fallback, or the lane is off"
    return False, words


def _doubt(turn: CompletedTurn, dialect: Dialect | None, *, is_probe: bool) -> str | None:
    """Return why a silent turn proves nothing, None when it does."""
    whose = f"the turn of {turn.session_id}"
    if turn.query is None:
        return f"the prompt of {whose} was not heard"
    if dialect is None:
        return "the gateway's generation is not known, and so which prompts it delegates"
    if not turn.is_coding(dialect):
        return f"{whose} has no coding intent"
    if not turn.completed:
        return f"{whose} did not complete"
    if dialect == "G2" and not is_probe:
        return f"{whose} names the lane, but other words may have kept it: probe the lane"
    return None


def how_it_went(turn: CompletedTurn) -> str:
    """Return what the lane did with a turn of coding intent, in words."""
    whose = f"a coding turn of {turn.session_id}"
    if turn.is_delegated:
        return f"{whose} was delegated"
    if turn.is_shadowed:
        return f"{whose} was kept by shadow mode"
    if turn.is_unstartable:
        return f"{whose} was meant for the lane, which could not start"
    return f"{whose} stayed on the primary path"
