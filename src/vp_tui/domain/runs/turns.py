"""One turn of a session from its frames: how it was routed, its tools, and what is coding intent.

Engine frames carry no turn id, so a turn is what lies between two `query_complete` frames of one
session. The gateway delegates by words alone, so whoever sees a prompt on the stream can decide the
same way (docs/wire.md, section 11). Forced fallback, shadow mode and bootstrap failures make no
mission, so the fallback rate cannot see them; the streams can, for sessions that vp-tui is attached
to. Times are vp-tui's own monotonic clock in seconds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vp_tui.domain.text import clip

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.models import Dialect, Frame


CODING_WORDS: Final = (
    "code", "python", "bash", "shell", "typescript", "javascript", "refactor", "bug", "test",
    "implement", "fix", "function", "class", "api", "endpoint", "```",
)  # fmt: skip
"""Any of these inside a prompt, also inside a longer word, makes it a coding prompt on G1."""

LARGER_SCOPE_WORDS: Final = (
    "script", "project", "module", "service", "workflow", "multi-file", "multiple files",
    "test suite", "package", "repository", "codebase",
)  # fmt: skip
"""A word that begins with any of these keeps a coding prompt for the VP although it is small."""

VP_NAMES: Final = ("codie", "vp coder", "coder vp")
"""G2 delegates only what names the lane."""

_SMALL_UTILITY: Final = re.compile(
    r"one[- ]liner"
    r"|\b(?:bash|shell|cli) command"
    r"|\b(?:helper|utility) function"
    r"|\b(?:quick|small) (?:\w+ )?snippet"
)
_LARGER_SCOPE: Final = re.compile(r"\b(?:" + "|".join(LARGER_SCOPE_WORDS) + ")")

DELEGATED_HERE: Final = "delegated_to_coder_vp"
"""To the gateway's own lane: the turn ends with its mission."""
EXTERNAL: Final = "delegated_to_coder_vp_external"
"""G2: a worker gets the mission, and the turn ends at once."""
DELEGATED: Final = frozenset({DELEGATED_HERE, EXTERNAL})
BOOTSTRAP: Final = "coder_vp_bootstrap_fallback"
SHADOW: Final = "coder_vp_shadow_mode"
LEASE_DEGRADED: Final = "coder_vp_lease_degraded"
FALLBACKS: Final = frozenset({"coder_vp_fallback", "coder_vp_exception", LEASE_DEGRADED})
"""Routings that, with a mission id, say that this mission fell back."""

ASSISTANCE_NEEDED: Final = "assistance_needed"
"""Notification that ends a turn which raised: no `query_complete` follows it."""
NOT_OF_THE_TURN: Final = frozenset(
    {"connected", "query_complete", "pong", "system_event", "server_notice", "cancelled"}
)
"""Frames that are no progress of a turn: its end, which a rejected one has too, and others' doing.

A cancel is somebody's, not the turn's.
"""
BROADCASTS: Final = ("cron", "heartbeat")
"""How the kinds of frames begin that the gateway sends to all sessions."""
ANSWERS: Final = frozenset(
    {"turn_cancelled", "turn_rejected_busy", "turn_in_progress", "duplicate_turn_ignored"}
)
"""Statuses that answer somebody's request; the turn did nothing."""
_DOINGS: Final = frozenset({"text", "thinking", "tool_call", "tool_result"})
TOOLS_LIMIT: Final = 64
"""Open tool calls remembered of one turn."""
MARKS_LIMIT: Final = 12
"""Marks kept of one turn."""
FIRST_MARKS: Final = 4
"""Of these, the oldest that stay when there are too many: how the turn began."""
MARK_TEXT: Final = 160
"""Characters of a mark's text."""
_FIRST_ROUTINGS: Final = DELEGATED | {BOOTSTRAP, SHADOW}
"""Routings that are decided once, before a turn's first `processing`."""


def is_coding_intent(query: str, dialect: Literal["G1", "G2"]) -> bool:
    """Tell whether the gateway of this dialect would delegate `query`, lane flags permitting.

    G1: a coding word, unless it asks for a small utility without a word of larger scope. G2: the
    lane is named.
    """
    text = query.lower()
    if dialect == "G2":
        return any(name in text for name in VP_NAMES)
    if not any(word in text for word in CODING_WORDS):
        return False
    return _SMALL_UTILITY.search(text) is None or _LARGER_SCOPE.search(text) is not None


class RoutingTally(NamedTuple):
    """What was seen of a window's turns: `coding_turns == delegated + primary`.

    A stream tells how a turn was routed as it begins, so that of turns that were attached to late
    nobody can say how they were.
    """

    coding_turns: int = 0
    delegated: int = 0
    primary: int = 0
    bootstrap: int = 0
    """Of the primary ones, those whose lane could not start."""
    shadow: int = 0
    """Of the primary ones, those that shadow mode kept."""
    unexplained: int = 0
    """Of the primary ones, those that no frame explains: forced fallback or a lane that is off."""
    forced: int = 0
    """Of the unexplained ones, those for which fallback was known to be forced then."""
    disabled: int = 0
    """Of the unexplained ones, those for which the lane was known to be off then."""
    lease_degraded: int = 0
    heard: int = 0
    """Turns of any intent that were heard to begin."""
    ran: int = 0
    """Turns that were heard to begin or listed as running."""

    @property
    def has_heard(self) -> bool:
        """Whether any stream told anything."""
        return self._replace(ran=0) != RoutingTally()

    def at_least(self, other: RoutingTally) -> RoutingTally:
        """Return the tally of what two heard of the same turns, as far as it is certain."""
        most = RoutingTally(*map(max, self, other))
        return most._replace(coding_turns=most.delegated + most.primary)


Silence = Literal["forced", "disabled", "unexplained"]
"""What was known of why a turn stayed on the primary path without a word, when it did."""


def count_turn(
    tally: RoutingTally,
    processing: Frame,
    routing: str | None,
    dialect: Dialect | None,
    silence: Silence = "unexplained",
) -> RoutingTally:
    """Return the tally after a turn's first `processing` frame; `routing` came before it, if any.

    A turn that is first seen when it falls back had been delegated; nobody heard it begin. What a
    G2 says that it takes up may be its own wrapper's prompt: there only turns that were routed are
    known to be of coding intent (docs/wire.md, section 18).
    """
    tally = tally._replace(heard=tally.heard + (routing not in FALLBACKS))
    if routing is None:
        query = processing.query
        if query is None or dialect == "G2" or not is_coding_intent(query, dialect or "G1"):
            return tally
    tally = tally._replace(coding_turns=tally.coding_turns + 1)
    if routing in DELEGATED | FALLBACKS:
        return tally._replace(delegated=tally.delegated + 1)
    is_silent = routing not in {BOOTSTRAP, SHADOW}
    return tally._replace(
        primary=tally.primary + 1,
        bootstrap=tally.bootstrap + (routing == BOOTSTRAP),
        shadow=tally.shadow + (routing == SHADOW),
        unexplained=tally.unexplained + is_silent,
        forced=tally.forced + (is_silent and silence == "forced"),
        disabled=tally.disabled + (is_silent and silence == "disabled"),
    )


class ToolCall(NamedTuple):
    """A tool call that has no result yet, as one line."""

    text: str
    use_id: str | None
    at: float
    name: str = "?"


class ToolResult(NamedTuple):
    """A tool's answer, as one line, and the call that it belongs to."""

    at: float
    text: str
    tool: str | None
    """As one line; None when the call was not seen."""


class Mark(NamedTuple):
    """A frame that tells how a turn went; one that only shows that it moves leaves no mark."""

    at: float
    kind: str
    """The frame's kind; of a status, its routing or itself."""
    text: str


class Turn(NamedTuple):
    """The turn under way, or the last one that was seen."""

    started_at: float | None = None
    """None while no turn is open, and when vp-tui attached after its start."""
    ended_at: float | None = None
    cancelled: bool = False
    query: str | None = None
    routing: str | None = None
    mission_id: str | None = None
    """Named by this turn's `delegated_to_coder_vp` frame: certain."""
    open_tools: tuple[ToolCall, ...] = ()
    """Oldest first; several may be called at once."""
    tool_calls: int = 0
    tool_result: ToolResult | None = None
    marks: tuple[Mark, ...] = ()
    """Oldest first; of too many those in the middle are left out."""

    @property
    def is_on_lane(self) -> bool:
        """Whether it was delegated and has not come back."""
        return self.routing in DELEGATED

    @property
    def tool(self) -> str | None:
        """The newest tool call that has no result yet, as one line."""
        return self.open_tools[-1].text if self.open_tools else None


def step_turn(turn: Turn, frame: Frame, at: float) -> Turn:
    """Return the turn after a frame."""
    act = _STEPS.get(frame.kind)
    return turn if act is None else act(turn, frame, at)


def is_processing(frame: Frame) -> bool:
    """Tell whether an engine takes up a query."""
    is_status = frame.kind == "status" and frame.status == "processing" and frame.routing is None
    return is_status and not is_reattached(frame)


def is_reattached(frame: Frame) -> bool:
    """Tell whether a G2 tells a new viewer that a turn is under way: it did not begin then."""
    is_status = frame.kind == "status" and frame.status == "processing" and frame.routing is None
    return is_status and frame.query is None and frame.turn_id is not None


def is_aside(frame: Frame) -> bool:
    """Tell whether a frame is no doing of the turn: a broadcast, or an answer to somebody."""
    kind = frame.kind
    if kind in _DOINGS:
        return False
    if kind == "status":
        return is_reattached(frame) or (frame.routing is None and frame.status in ANSWERS)
    return kind in NOT_OF_THE_TURN or kind.startswith(BROADCASTS)


def _status(turn: Turn, frame: Frame, at: float) -> Turn:
    if frame.routing is not None:
        turn = _routed(turn, frame.routing, frame.mission_id, at)
        return _marked(turn, at, frame.routing, frame.text)
    if is_reattached(frame):
        return _current(turn)
    if frame.status == "processing":
        turn = _processing(turn, frame.query, at)
        return _marked(turn, at, frame.status, frame.query or frame.text)
    if frame.status == "turn_cancelled":
        turn = _current(turn)._replace(cancelled=True)
        return _marked(turn, at, frame.status, frame.text)
    return turn


def _marked(turn: Turn, at: float, kind: str, text: str) -> Turn:
    """Return the turn with one more mark: however many come, its beginning and its end stay."""
    marks = (*turn.marks, Mark(at, kind, clip(text, MARK_TEXT)))
    if len(marks) > MARKS_LIMIT:
        marks = (*marks[:FIRST_MARKS], *marks[FIRST_MARKS + 1 :])
    return turn._replace(marks=marks)


def _noted(turn: Turn, frame: Frame, at: float) -> Turn:
    """Note what came in the course of a turn; after its end it is no matter of that turn."""
    return turn if turn.ended_at is not None else _marked(turn, at, frame.kind, frame.text)


def _routed(turn: Turn, routing: str, mission_id: str | None, at: float) -> Turn:
    """Note the routing; one that is decided at the start tells of a turn whose end was missed."""
    if turn.started_at is None or routing in _FIRST_ROUTINGS:
        return Turn(started_at=at, routing=routing, mission_id=mission_id)
    return turn._replace(routing=routing, mission_id=mission_id or turn.mission_id)


def _processing(turn: Turn, query: str | None, at: float) -> Turn:
    """Open a turn, or go on with it: a fallback sends the same query again within one turn."""
    is_other = None not in (query, turn.query) and query != turn.query
    if turn.started_at is None or is_other:
        return Turn(started_at=at)
    return turn._replace(open_tools=())


def _tool_call(turn: Turn, frame: Frame, at: float) -> Turn:
    turn = _current(turn)
    call = ToolCall(frame.text, frame.tool_use_id, at, frame.tool or frame.text.partition(" ")[0])
    return turn._replace(
        open_tools=(*turn.open_tools, call)[-TOOLS_LIMIT:], tool_calls=turn.tool_calls + 1
    )


def _tool_result(turn: Turn, frame: Frame, at: float) -> Turn:
    still_open = tuple(call for call in turn.open_tools if call.use_id != frame.tool_use_id)
    calls = (call.text for call in turn.open_tools if call.use_id == frame.tool_use_id)
    result = ToolResult(at, frame.text, next(calls, None))
    return turn._replace(open_tools=still_open, tool_result=result)


def _query_complete(turn: Turn, frame: Frame, at: float) -> Turn:
    turn = _current(turn)
    return ended(turn._replace(cancelled=turn.cancelled or frame.cancelled), at)


def _notification(turn: Turn, frame: Frame, at: float) -> Turn:
    return ended(_current(turn), at) if frame.status == ASSISTANCE_NEEDED else turn


def _current(turn: Turn) -> Turn:
    """Return the turn under way; one whose beginning was not seen is unknown but for its frames."""
    return turn if turn.ended_at is None else Turn()


def ended(turn: Turn, at: float) -> Turn:
    """Return a turn that has ended."""
    return turn._replace(started_at=None, ended_at=at, open_tools=())


_STEPS: Final[dict[str, Callable[[Turn, Frame, float], Turn]]] = {
    "status": _status,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "query_complete": _query_complete,
    "system_event": _notification,
    "input_required": _noted,
    "auth_required": _noted,
    "error": _noted,
    "cancelled": _noted,
}
