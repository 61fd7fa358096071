"""What was asked of the lane, and what follows from it: a change of a switch, a restart, a probe.

Every fact goes to whatever is followed: a change until it is proven, a restart until the gateway is
back. Nothing is followed where nothing was asked for, and then this module is not even loaded.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain import brake, restart
from vp_tui.domain.brake import ActuatorEnded, EpochSeen, MissionsPolled, TimePassed, TurnEnded
from vp_tui.domain.events import (
    ProbeStepped,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
)
from vp_tui.domain.restart import GatewayAnswered, GatewayGone
from vp_tui.domain.switches import FORCE_FALLBACK, RELEASE
from vp_tui.reducer.entries import with_entry
from vp_tui.reducer.lane import turn_shown, with_lane
from vp_tui.sources import is_lost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vp_tui.domain.completions import CompletedTurn
    from vp_tui.domain.events import Event, SnapshotArrived
    from vp_tui.state import State, Tone


def reduce_followed(event: Event, state: State) -> State:
    """Return the state after an event that is about what was asked for."""
    return _RULES[type(event)](event, state)


def switch_asked(event: SwitchAsked, state: State) -> State:
    """Begin to follow a change until its effect is seen."""
    asked = brake.requested(event.change, event.at, _boot_stamp(state))
    state = with_lane(state, brake=asked, brake_by=event.actor, acted=None)
    text = f"{event.change.words}: requested by {event.actor}: {event.reason}".rstrip(": ")
    return with_entry(state, event.at, None, "brake", text, "warn")


def switch_acted(event: SwitchActed, state: State) -> State:
    """Take up what the actuator did."""
    state = with_lane(state, acted=event.actuation)
    return _stepped(state, event.at, ActuatorEnded(event.at, event.actuation))


def restart_asked(event: RestartAsked, state: State) -> State:
    """Begin to follow a restart until the gateway is back."""
    asked = restart.requested(event.at, _boot_stamp(state))
    state = with_lane(state, restart=asked, restart_by=event.actor, restarted=None)
    text = f"requested by {event.actor}: {event.reason}".rstrip(": ")
    return with_entry(state, event.at, None, "restart", text, "warn")


def restart_acted(event: RestartActed, state: State) -> State:
    """Take up how the restart command ended."""
    state = with_lane(state, restarted=event.actuation)
    return _restart_stepped(state, event.at, ActuatorEnded(event.at, event.actuation))


def probe_stepped(event: ProbeStepped, state: State) -> State:
    """Show where our probe is; its mission counts as a probe's, its turn as a proof."""
    before, probe = state.lane.probe, event.probe
    missions = state.lane.probe_missions | ({probe.mission_id} if probe.mission_id else set())
    state = with_lane(state, probe=probe, probe_missions=missions)
    was_completed = before is not None and before.completed_turn == probe.completed_turn
    if probe.completed_turn is not None and not was_completed:
        # Its own stream may have been attached to too late to hear how the turn was routed.
        state = turn_shown(probe.completed_turn, state)
    if before is not None and before.line == probe.line:
        return state
    tone: Tone = "good" if probe.is_over and not probe.reason else "plain"
    return with_entry(state, event.at, probe.session_id, "probe", probe.line, tone)


def booted(at: float, boot_stamp: str, state: State) -> State:
    """Take up the gateway's boot stamp."""
    seen = EpochSeen(at, boot_stamp)
    return _restart_stepped(_stepped(state, at, seen), at, seen)


def counted(event: SnapshotArrived, state: State) -> State:
    """Take up the missions of a snapshot."""
    polled = MissionsPolled(event.at, brake.dispatched_in(event.snapshot, event.at))
    return _stepped(state, event.at, polled)


def ticked(at: float, state: State) -> State:
    """Let time pass."""
    passed = TimePassed(at)
    gone = GatewayGone(at) if is_lost(state) else GatewayAnswered(at)
    state = _stepped(state, at, passed)
    return _restart_stepped(_restart_stepped(state, at, gone), at, passed)


def turn_ended(turn: CompletedTurn, state: State) -> State:
    """Take up a turn that was heard to end."""
    probe = state.lane.probe
    is_probe = probe is not None and probe.session_id == turn.session_id
    ended = TurnEnded(turn.ended_at, turn, state.dialect, is_probe=is_probe)
    return _stepped(state, turn.ended_at, ended)


def _stepped(state: State, at: float, fact: brake.Fact) -> State:
    """Give the fact to the newest change; that its proof changed is told."""
    before = state.lane.brake
    if before is None:
        return state
    after = brake.step(before, fact)
    if after is before or after == before:
        return state
    state = with_lane(state, brake=after, is_reverted=_is_reverted(after, state))
    if after.line == before.line:
        return state
    tone: Tone = "bad" if after.is_alarming else "warn"
    return with_entry(state, at, None, "brake", after.line, tone)


def _is_reverted(change: brake.Brake, state: State) -> bool:
    """Tell whether fallback is forced for all that is proven; a restart alone does not end it."""
    is_forced = {FORCE_FALLBACK: brake.Proof.CONFIRMED, RELEASE: brake.Proof.CONTRADICTED}
    is_ended = {FORCE_FALLBACK: brake.Proof.CONTRADICTED, RELEASE: brake.Proof.CONFIRMED}
    if is_forced.get(change.change) is change.proof:
        return True
    return state.lane.is_reverted and is_ended.get(change.change) is not change.proof


def _restart_stepped(state: State, at: float, fact: restart.Fact) -> State:
    before = state.lane.restart
    if before is None:
        return state
    after = restart.step(before, fact)
    if after == before:
        return state
    state = with_lane(state, restart=after)
    return with_entry(state, at, None, "restart", after.line, "warn")


def _boot_stamp(state: State) -> str | None:
    return state.epoch.boot_stamp if state.epoch else None


_RULES: Final[Mapping[type[Event], Callable[[Any, State], State]]] = MappingProxyType(
    {
        SwitchAsked: switch_asked,
        SwitchActed: switch_acted,
        RestartAsked: restart_asked,
        RestartActed: restart_acted,
        ProbeStepped: probe_stepped,
    }
)
