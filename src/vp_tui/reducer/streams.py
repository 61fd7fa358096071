"""The sockets of the sessions, and what they tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import StreamState
from vp_tui.domain.missions import note_stream_fallbacks
from vp_tui.domain.routing import FALLBACKS, LEASE_DEGRADED, count_turn
from vp_tui.domain.runs import Run, follow, released
from vp_tui.reducer.entries import with_entry
from vp_tui.state import EVENT_LIMIT, Entry, Link

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vp_tui.domain.events import GapFound, LinkChanged, LinkDropped, StreamEvent
    from vp_tui.domain.models import Frame
    from vp_tui.state import State, Tone

_BAD_KINDS: Final = frozenset({"error", "unreadable"})
_WARN_KINDS: Final = frozenset({"cancelled", "input_required", "auth_required"})
_DIM_KINDS: Final = frozenset({"thinking", "text", "pong", "heartbeat", "session_info"})


def link_changed(event: LinkChanged, state: State) -> State:
    """Note where a socket stands; the reason of a loss is told once."""
    link = state.links.get(event.session_id) or Link(event.state, event.at)
    is_live = event.state is StreamState.LIVE
    # The reason for a loss stands while vp-tui tries again.
    reason = event.reason or ("" if is_live else link.reason)
    changed = link._replace(state=event.state, since=event.at, reason=reason)
    state = replace(
        state,
        links={**state.links, event.session_id: changed},
        failed_attaches=state.failed_attaches + event.is_failed_attach,
    )
    if is_live:
        run = state.runs.get(event.session_id) or Run(event.session_id)
        run = run._replace(own_attaches=run.own_attaches + 1)
        return replace(state, runs={**state.runs, event.session_id: run})
    if reason == link.reason:
        return state
    return with_entry(state, event.at, event.session_id, "link", reason, "warn")


def link_dropped(event: LinkDropped, state: State) -> State:
    """Forget a socket that is no longer wanted."""
    links = {key: link for key, link in state.links.items() if key != event.session_id}
    return replace(state, links=links)


def gap_found(event: GapFound, state: State) -> State:
    """Say that frames were lost."""
    links = dict(state.links)
    if link := links.get(event.session_id):
        links[event.session_id] = link._replace(gaps=link.gaps + 1)
    lost = f"{event.lost} frames lost: " if event.lost else ""
    state = replace(state, links=links)
    return with_entry(state, event.at, event.session_id, "gap", lost + event.reason, "warn")


def stream_events(state: State, events: Sequence[StreamEvent]) -> State:
    """Apply frames of any sessions at once; per session and over all they keep their order."""
    by_session: dict[str, list[StreamEvent]] = {}
    for event in events:
        by_session.setdefault(event.session_id, []).append(event)
    runs, links, routing = dict(state.runs), dict(state.links), state.routing
    for session_id, own in by_session.items():
        before = runs.get(session_id) or Run(session_id)
        after, began = follow(before, own)
        runs[session_id] = _with_log(after, before, state)
        for turn, processing in began:
            routing = count_turn(routing, processing, turn.routing, state.dialect)
        if link := links.get(session_id):
            links[session_id] = link._replace(
                frames=link.frames + len(own), last_frame_at=own[-1].at
            )
    if state.dialect == "G1":
        runs |= _released(runs, by_session)
    fallen = [e.frame.mission_id for e in events if e.frame.routing in FALLBACKS]
    degraded = sum(event.frame.routing == LEASE_DEGRADED for event in events)
    if degraded:
        routing = routing._replace(lease_degraded=routing.lease_degraded + degraded)
    numbers = range(state.entries_seen, state.entries_seen + len(events))
    new = tuple(
        Entry(number, e.at, e.session_id, e.frame.kind, e.frame.text, _tone(e.frame))
        for number, e in zip(numbers[-EVENT_LIMIT:], events[-EVENT_LIMIT:], strict=True)
    )
    return replace(
        state,
        runs=runs,
        links=links,
        routing=routing,
        ledger=note_stream_fallbacks(state.ledger, (m for m in fallen if m)),
        entries=(state.entries + new)[-EVENT_LIMIT:],
        entries_seen=state.entries_seen + len(events),
    )


def _with_log(run: Run, before: Run, state: State) -> Run:
    """Let a cancel that has just hit know that the run's log grew, if that was its newest sign."""
    hit = run.cancel
    if hit is None or (before.cancel is not None and before.cancel.at == hit.at):
        return run
    log_id = state.lane_log_id if run.is_on_lane else run.session_id
    grown_at = state.logs_grown.get(log_id)
    if grown_at is None or (hit.silent_since is not None and hit.silent_since >= grown_at):
        return run
    return run._replace(cancel=hit._replace(silent_since=grown_at))


def _released(runs: Mapping[str, Run], spoke: Iterable[str]) -> dict[str, Run]:
    """Return the runs whose cancelled turn must be over: on G1 another turn makes progress."""
    pending = [run for run in runs.values() if run.pending is not None]
    if not pending:
        return {}
    newest = {session_id: _works_at(runs[session_id]) for session_id in spoke}
    found = {}
    for run in pending:
        others = [at for session_id, at in newest.items() if session_id != run.session_id]
        at = max((at for at in others if at is not None), default=None)
        if at is not None and run.cancel is not None and at > run.cancel.at:
            found[run.session_id] = released(run, at)
    return found


def _works_at(run: Run) -> float | None:
    """Return when a turn of it last did something: one that is cancelled does nothing."""
    return run.completed_at if run.spoke_at is None else run.spoke_at


def _tone(frame: Frame) -> Tone:
    if frame.is_error or frame.kind in _BAD_KINDS:
        return "bad"
    if frame.cancelled or frame.kind in _WARN_KINDS or frame.routing in FALLBACKS:
        return "warn"
    if frame.kind == "query_complete":
        return "good"
    return "dim" if frame.kind in _DIM_KINDS else "plain"
