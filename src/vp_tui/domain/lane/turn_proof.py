"""How a turn ended, as its frames tell, and what that proves of the lane's switches.

Forced fallback is asked first, then the lane's switch, then shadow mode, and only then is the lane
started (docs/wire.md, section 11). So whatever frame routes a turn proves that fallback is not
forced and the lane is on; a turn that stays on the primary path without a word was kept by one of
these two. Times are vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.switches import FORCE_FALLBACK, Change, Switch
from vp_tui.domain.runs.turns import (
    ASSISTANCE_NEEDED,
    BOOTSTRAP,
    DELEGATED,
    FALLBACKS,
    SHADOW,
    is_coding_intent,
)

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect, Frame, StreamEvent


_TELLING: Final = frozenset({"status", "query_complete", "system_event"})
"""Kinds of frames that begin, route or end a turn."""

_SHADOW_ON: Final = Change(Switch.SHADOW, on=True)
_SHADOW_OFF: Final = Change(Switch.SHADOW, on=False)
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


def heard(turn: CompletedTurn | None, event: StreamEvent) -> CompletedTurn | None:
    """Return the turn after a frame, the same one where the frame tells nothing of it."""
    frame, at = event.frame, event.at
    if frame.kind not in _TELLING:
        return turn
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
    if not is_end(event.frame):
        return turn
    frame = event.frame
    is_bad = frame.cancelled or frame.is_error or frame.status == ASSISTANCE_NEEDED
    turn = turn or CompletedTurn(event.session_id, None, event.at)
    return turn._replace(ended_at=event.at, completed=turn.completed and not is_bad)


def is_end(frame: Frame) -> bool:
    """Tell whether a frame ends its turn."""
    return frame.kind == "query_complete" or (
        frame.kind == "system_event" and frame.status == ASSISTANCE_NEEDED
    )


class TurnSays(StrEnum):
    """What a turn says about a change."""

    PROOF = "proof"
    AGAINST = "against"
    CONSISTENT = "consistent, not proof"


def wants_missions(change: Change) -> bool:
    """Tell whether a mission is what the change is made for, and not what it forbids."""
    return change not in _SILENCING and change != _SHADOW_ON


def what_it_says(
    change: Change, turn: CompletedTurn, dialect: Dialect | None, *, is_probe: bool = False
) -> tuple[TurnSays, str]:
    """Return what a turn that began after the change says about it, and why in words.

    A silent turn proves a silencing change only if the metrics name no mission for it: that is for
    the caller to see. On G2 words that the contract does not list veto a delegation, so that of
    silent turns only vp-tui's own probe (`is_probe`) can prove anything.
    """
    words = _words(turn)
    if turn.routing is not None:
        return _judge_routed(change, turn), words
    if (doubt := _doubt(turn, dialect, is_probe=is_probe)) is not None:
        return TurnSays.CONSISTENT, doubt
    if change in _SILENCING:
        return TurnSays.PROOF, words
    if change.switch is Switch.SHADOW:
        return TurnSays.CONSISTENT, f"{words} without a word: forced fallback, or the lane is off"
    return TurnSays.AGAINST, words


def _judge_routed(change: Change, turn: CompletedTurn) -> TurnSays:
    if change in _SILENCING:
        return TurnSays.AGAINST
    if change == _SHADOW_ON:
        return TurnSays.PROOF if turn.is_shadowed else TurnSays.AGAINST
    if change == _SHADOW_OFF:
        return TurnSays.AGAINST if turn.is_shadowed else TurnSays.PROOF
    return TurnSays.PROOF


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


def _words(turn: CompletedTurn) -> str:
    whose = f"a coding turn of {turn.session_id}"
    if turn.is_delegated:
        named = f" as mission {turn.mission_id}" if turn.mission_id else ""
        return f"{whose} was delegated{named}"
    if turn.is_shadowed:
        return f"{whose} was kept by shadow mode"
    if turn.is_unstartable:
        return f"{whose} was meant for the lane, which could not start"
    return f"{whose} stayed on the primary path"
