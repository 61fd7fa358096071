"""What the stream and the listing tell about each session's turn.

All times are vp-tui's own monotonic clock in seconds. Engine frames carry no turn or mission id,
so a turn is what lies between two `query_complete` frames of one session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.routing import BOOTSTRAP, DELEGATED, SHADOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vp_tui.domain.events import StreamEvent
    from vp_tui.domain.models import Frame

NOT_OF_THE_TURN: Final = frozenset(
    {"connected", "pong", "system_event", "server_notice", "heartbeat", "cancelled"}
)
"""Frames that say nothing about the progress of a turn; a cancel is somebody's, not the turn's."""
ASSISTANCE_NEEDED: Final = "assistance_needed"
"""Notification that ends a turn which raised: no `query_complete` follows it."""
TOOLS_LIMIT: Final = 64
"""Open tool calls remembered of one turn."""
_FIRST_ROUTINGS: Final = DELEGATED | {BOOTSTRAP, SHADOW}
"""Routings that are decided once, before a turn's first `processing`."""


class ToolCall(NamedTuple):
    """A tool call that has no result yet, as one line."""

    text: str
    use_id: str | None
    at: float


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

    @property
    def tool(self) -> str | None:
        """The newest tool call that has no result yet, as one line."""
        return self.open_tools[-1].text if self.open_tools else None

    @property
    def tool_at(self) -> float | None:
        """When that tool was called."""
        return self.open_tools[-1].at if self.open_tools else None


class Run(NamedTuple):
    """One session as seen so far; unknown is None, never 0."""

    session_id: str
    turn: Turn = Turn()
    frames: int = 0
    last_kind: str | None = None
    own_attaches: int = 0
    """How often vp-tui attached: each raised `last_event_seq` by one."""
    asides: int = 0
    """Frames heard that are not of the turn, nor `connected`: each raised the sequence as well."""
    last_event_seq: int | None = None
    """As the newest listing said; every viewer's attach raises it."""
    own_seq: int | None = None
    """The highest `last_event_seq` less own attaches and asides so far."""
    progress_at: float | None = None
    """When the run last moved: a frame of its turn, or the sequence advancing by itself."""
    running_since: float | None = None
    """When the run was first seen running; None while it is not."""


def follow(run: Run, events: Iterable[StreamEvent]) -> tuple[Run, tuple[tuple[Turn, Frame], ...]]:
    """Return the run after frames of its session, oldest first, and the turns that began.

    A turn that began is given with its first `processing` frame, as it stood before that frame:
    its routing is known by then.
    """
    turn, frames, last_kind, progress_at = run.turn, run.frames, run.last_kind, run.progress_at
    asides = run.asides
    began = []
    for event in events:
        frame = event.frame
        frames += 1
        last_kind = frame.kind
        if last_kind not in NOT_OF_THE_TURN:
            progress_at = event.at
        elif last_kind != "connected":
            asides += 1
        step = _STEPS.get(last_kind)
        if step is None:
            continue
        turn = step(turn, frame, event.at)
        if step is _status and _is_processing(frame) and turn.query is None:
            began.append((turn, frame))
            turn = turn._replace(query=frame.query)
    moved = run._replace(
        turn=turn,
        frames=frames,
        last_kind=last_kind,
        asides=asides,
        progress_at=progress_at,
    )
    return moved, tuple(began)


def listed(run: Run, *, seq: int, running: bool, at: float) -> Run:
    """Return the run after a listing gave its `last_event_seq` and whether it is active.

    A sequence that went back is a gateway that restarted: the turn died with it, and own attaches
    count from zero again.
    """
    if run.last_event_seq is not None and seq < run.last_event_seq:
        turn = _ended(run.turn, at) if run.turn.started_at is not None else run.turn
        run = run._replace(turn=turn, own_attaches=0, asides=0, own_seq=None, progress_at=at)
    own_seq = seq - run.own_attaches - run.asides
    progress_at = run.progress_at
    if run.own_seq is None:
        progress_at = at if running and progress_at is None else progress_at
    elif own_seq > run.own_seq:
        progress_at = at
    else:
        own_seq = run.own_seq
    since = (at if run.running_since is None else run.running_since) if running else None
    return run._replace(
        last_event_seq=seq, own_seq=own_seq, running_since=since, progress_at=progress_at
    )


def _is_processing(frame: Frame) -> bool:
    return frame.status == "processing" and frame.routing is None


def _status(turn: Turn, frame: Frame, at: float) -> Turn:
    if frame.routing is not None:
        return _routed(turn, frame.routing, frame.mission_id, at)
    if frame.status == "processing":
        return _processing(turn, frame.query, at)
    if frame.status == "turn_cancelled":
        return _current(turn)._replace(cancelled=True)
    return turn


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
    call = ToolCall(frame.text, frame.tool_use_id, at)
    return turn._replace(open_tools=(*turn.open_tools, call)[-TOOLS_LIMIT:])


def _tool_result(turn: Turn, frame: Frame, _at: float) -> Turn:
    still_open = tuple(call for call in turn.open_tools if call.use_id != frame.tool_use_id)
    return turn._replace(open_tools=still_open)


def _query_complete(turn: Turn, frame: Frame, at: float) -> Turn:
    turn = _current(turn)
    return _ended(turn._replace(cancelled=turn.cancelled or frame.cancelled), at)


def _notification(turn: Turn, frame: Frame, at: float) -> Turn:
    return _ended(_current(turn), at) if frame.status == ASSISTANCE_NEEDED else turn


def _current(turn: Turn) -> Turn:
    """Return the turn under way; one whose beginning was not seen is unknown but for its frames."""
    return turn if turn.ended_at is None else Turn()


def _ended(turn: Turn, at: float) -> Turn:
    return turn._replace(started_at=None, ended_at=at, open_tools=())


_STEPS: Final[dict[str, Callable[[Turn, Frame, float], Turn]]] = {
    "status": _status,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "query_complete": _query_complete,
    "system_event": _notification,
}
