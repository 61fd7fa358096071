"""The lane: its switches as the env file has them, and what its turns show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vp_tui.domain.completions import follow_turns
from vp_tui.state import SwitchesSeen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.completions import CompletedTurn
    from vp_tui.domain.events import ContinuityArrived, Event, SnapshotArrived, SwitchesRead
    from vp_tui.state import State


def switches_read(event: SwitchesRead, state: State) -> State:
    """Take what the env file says."""
    seen = SwitchesSeen(event.switches, event.changed_at, event.problem)
    return with_lane(state, switches=seen)


def lane_booted(event: ContinuityArrived, state: State, *, is_new: bool) -> State:
    """Take up the gateway's boot; what turns showed does not outlive its epoch."""
    if is_new:
        state = with_lane(state, under_way={}, coding=None, primary=None)
    if not _is_followed(state):
        return state
    from vp_tui.reducer.followed import booted  # noqa: PLC0415 - only when something is followed

    return booted(event.at, event.continuity.started_at, state)


def lane_counted(event: SnapshotArrived, state: State) -> State:
    """Take up the missions of a snapshot, for a change that is to be proven."""
    if not _is_followed(state):
        return state
    from vp_tui.reducer.followed import counted  # noqa: PLC0415 - as above

    return counted(event, state)


def lane_ticked(at: float, state: State) -> State:
    """Let time pass for what is followed."""
    if not _is_followed(state):
        return state
    from vp_tui.reducer.followed import ticked  # noqa: PLC0415 - as above

    return ticked(at, state)


def lane_heard(events: Sequence[Event], state: State) -> State:
    """Follow turns to their end, and take up what each shows of the lane."""
    under_way, ended = follow_turns(state.lane.under_way, events)
    if under_way == state.lane.under_way and not ended:
        return state
    state = with_lane(state, under_way=under_way)
    for turn in ended:
        state = turn_shown(turn, state)
    return state


def turn_shown(turn: CompletedTurn, state: State) -> State:
    """Take up what a turn shows of the lane, now that it has ended."""
    if turn.is_coding(state.dialect):
        state = with_lane(state, coding=turn)
    if _is_by_primary(turn):
        state = with_lane(state, primary=turn)
    if not _is_followed(state):
        return state
    from vp_tui.reducer.followed import turn_ended  # noqa: PLC0415 - as above

    return turn_ended(turn, state)


def _is_by_primary(turn: CompletedTurn) -> bool:
    """Tell whether the primary path completed it: from its beginning on, or after the lane."""
    is_outside = turn.fell_back or not turn.is_delegated
    return turn.completed and turn.began_at is not None and is_outside


def with_lane(state: State, **fields: Any) -> State:  # noqa: ANN401 - fields of Lane
    """Return the state with these fields of its lane."""
    return replace(state, lane=state.lane._replace(**fields))


def _is_followed(state: State) -> bool:
    return state.lane.brake is not None or state.lane.restart is not None
