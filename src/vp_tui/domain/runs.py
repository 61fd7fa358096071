"""What the stream and the listing tell about each session's turn.

All times are vp-tui's own monotonic clock in seconds. Engine frames carry no turn or mission id, so a
turn is what lies between two `query_complete` frames of one session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from vp_tui.domain.events import StreamEvent
from vp_tui.domain.models import Frame

NOT_OF_THE_TURN: Final = frozenset({"connected", "pong", "system_event", "server_notice", "heartbeat"})
"""Frames that say nothing about the progress of a turn."""
ASSISTANCE_NEEDED: Final = "assistance_needed"
"""Notification that ends a turn which raised: no `query_complete` follows it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn under way, or the last one that was seen."""

    started_at: float | None = None
    """None while no turn is open, and when vp-tui attached after its start."""
    ended_at: float | None = None
    cancelled: bool = False
    query: str | None = None
    routing: str | None = None
    mission_id: str | None = None
    """Named by this turn's `delegated_to_coder_vp` frame: certain."""
    tool: str | None = None
    """The tool call that has no result yet, as one line."""
    tool_use_id: str | None = None
    tool_at: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One session as seen so far; unknown is None, never 0."""

    session_id: str
    turn: Turn = field(default_factory=Turn)
    frames: int = 0
    last_kind: str | None = None
    own_attaches: int = 0
    """How often vp-tui attached: each raised `last_event_seq` by one."""
    last_event_seq: int | None = None
    """As the newest listing said; every viewer's attach raises it."""
    own_seq: int | None = None
    """The highest `last_event_seq` less own attaches so far."""
    progress_at: float | None = None
    """When the run last moved: a frame of its turn, or the sequence advancing by itself."""
    running_since: float | None = None
    """When the run was first seen running; None while it is not."""


def follow(run: Run, events: Iterable[StreamEvent]) -> tuple[Run, tuple[tuple[Turn, Frame], ...]]:
    """Return the run after frames of its session, oldest first, and the turns that began.

    A turn that began is given with its first `processing` frame, as it stood at that frame: its
    routing is known by then.
    """
    turn, frames, last_kind, progress_at = run.turn, run.frames, run.last_kind, run.progress_at
    began = []
    for event in events:
        frame = event.frame
        frames += 1
        last_kind = frame.kind
        if last_kind not in NOT_OF_THE_TURN:
            progress_at = event.at
        step = _STEPS.get(last_kind)
        if step is None:
            continue
        if frame.status == "processing" and (turn.started_at is None or turn.query is None):
            began.append((turn if turn.started_at is not None else Turn(), frame))
        turn = step(turn, frame, event.at)
    moved = replace(run, turn=turn, frames=frames, last_kind=last_kind, progress_at=progress_at)
    return moved, tuple(began)


def listed(run: Run, *, seq: int, running: bool, at: float) -> Run:
    """Return the run after a listing gave its `last_event_seq` and whether it is active.

    A sequence that went back is a gateway that restarted: own attaches count from zero again.
    """
    restarted = run.last_event_seq is not None and seq < run.last_event_seq
    own_attaches = 0 if restarted else run.own_attaches
    own_seq = seq - own_attaches
    moved = restarted or (run.own_seq is not None and own_seq > run.own_seq)
    if not (restarted or run.own_seq is None):
        own_seq = max(own_seq, run.own_seq)
    progress = at if moved or (running and run.progress_at is None) else run.progress_at
    since = (run.running_since if run.running_since is not None else at) if running else None
    return replace(
        run,
        last_event_seq=seq,
        own_seq=own_seq,
        own_attaches=own_attaches,
        running_since=since,
        progress_at=progress,
    )


def _opened(turn: Turn, at: float) -> Turn:
    """Open a turn unless one is open: a fallback sends `processing` twice within one turn."""
    return turn if turn.started_at is not None else Turn(started_at=at)


def _status(turn: Turn, frame: Frame, at: float) -> Turn:
    if frame.routing is not None:
        opened = _opened(turn, at)
        mission_id = frame.mission_id or opened.mission_id
        return replace(opened, routing=frame.routing, mission_id=mission_id)
    if frame.status == "processing":
        return replace(_opened(turn, at), query=frame.query)
    if frame.status == "turn_cancelled":
        return replace(turn, cancelled=True)
    return turn


def _tool_call(turn: Turn, frame: Frame, at: float) -> Turn:
    return replace(turn, tool=frame.text, tool_use_id=frame.tool_use_id, tool_at=at)


def _tool_result(turn: Turn, frame: Frame, _at: float) -> Turn:
    return _without_tool(turn) if frame.tool_use_id == turn.tool_use_id else turn


def _ended(turn: Turn, frame: Frame, at: float) -> Turn:
    cancelled = turn.cancelled or frame.cancelled
    return replace(_without_tool(turn), started_at=None, ended_at=at, cancelled=cancelled)


def _notification(turn: Turn, frame: Frame, at: float) -> Turn:
    return _ended(turn, frame, at) if frame.status == ASSISTANCE_NEEDED else turn


def _without_tool(turn: Turn) -> Turn:
    return replace(turn, tool=None, tool_use_id=None, tool_at=None)


_STEPS: Final[dict[str, Callable[[Turn, Frame, float], Turn]]] = {
    "status": _status,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "query_complete": _ended,
    "system_event": _notification,
}
