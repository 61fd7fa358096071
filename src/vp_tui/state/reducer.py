"""State + event -> State: which rule each kind of event has, and what it is taken up by besides.

Nothing else changes state, and nothing here asks a clock or a socket.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain import events
from vp_tui.domain.coverage import recall
from vp_tui.domain.lane.auto_revert import AutoRevertBarred
from vp_tui.domain.models import StreamEvent
from vp_tui.state import lane, operator, sources, streams
from vp_tui.state.state import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vp_tui.state.state import State


_TELL_OF_CANCELS: Final = (
    StreamEvent,
    events.SessionsArrived,
    events.SnapshotArrived,
    events.ContinuityArrived,
    events.CancelAnswered,
)
_TELL_OF_TURNS: Final = (StreamEvent, events.LinkChanged, events.LinkDropped, events.GapFound)


def reduce_all(state: State, told: Iterable[events.Event]) -> State:
    """Return the state after all events, in order; adjacent stream events go as one batch."""
    for is_stream, batch in groupby(told, key=lambda event: isinstance(event, StreamEvent)):
        if is_stream:
            for frames in streams.segments(state, [e for e in batch if isinstance(e, StreamEvent)]):
                state = streams.stream_events(state, frames)
                state = operator.cancels_followed(state, frames[-1].at)
                state = lane.lane_heard(frames, state)
        else:
            for event in batch:
                state = reduce(state, event)
    return state


def reduce(state: State, event: events.Event) -> State:
    """Return the state after one event. Raises TypeError for what is none."""
    rule = _RULES.get(type(event))
    if rule is None:
        raise TypeError(f"no rule for {type(event).__name__}")
    state = rule(event, state)
    if isinstance(event, _TELL_OF_TURNS):
        state = lane.lane_heard((event,), state)
    if isinstance(event, _TELL_OF_CANCELS):
        state = operator.cancels_followed(state, event.at)
    return state


def _tick(event: events.Tick, state: State) -> State:
    return lane.lane_ticked(event.at, replace(state, clock=Clock(event.at, event.wall)))


def _snapshot(event: events.SnapshotArrived, state: State) -> State:
    is_first, state = state.snapshot is None, sources.snapshot_arrived(event, state)
    if state.heard is not None:
        state = replace(state, ledger=recall(state.ledger, state.heard.ledger))
    return lane.lane_counted(event, lane.with_gap(state) if is_first else state)


def _continuity(event: events.ContinuityArrived, state: State) -> State:
    before, state = state.epoch, sources.continuity_arrived(event, state)
    if before is None:
        state = lane.with_numbered_boot(state, is_first=True)
    return lane.lane_booted(event, state, is_new=before is not None and state.epoch != before)


def _windows(event: events.WindowsRead, state: State) -> State:
    state, clock = operator.windows_read(event, state), state.clock
    if event.problem is not None:
        return state
    heard = event.heard or state.heard or events.Heard(clock.at, clock.wall)
    return lane.recalled(replace(state, heard=heard.on_clock(clock.at, clock.wall)))


def _evidence(event: events.EvidenceRead, state: State) -> State:
    is_first, state = state.evidence is None, operator.evidence_read(event, state)
    return lane.recalled(state) if is_first else state


_RULES: Final[Mapping[type[events.Event], Callable[[Any, State], State]]] = MappingProxyType(
    {
        events.HealthArrived: sources.health_arrived,
        events.SnapshotArrived: _snapshot,
        events.ClaimsArrived: sources.claims_arrived,
        events.SessionsArrived: sources.sessions_arrived,
        events.ContinuityArrived: _continuity,
        events.SourceFailed: sources.source_failed,
        events.TokensRead: lambda event, state: replace(state, tokens=event.presence),
        events.LogArrived: streams.log_arrived,
        events.LogDropped: lambda event, state: streams.without_log(state, event.log_id),
        StreamEvent: lambda event, state: streams.stream_events(state, (event,)),
        events.LinkChanged: streams.link_changed,
        events.LinkDropped: streams.link_dropped,
        events.GapFound: streams.gap_found,
        events.EvidenceRead: _evidence,
        events.WindowsRead: _windows,
        events.SuitesRead: operator.suites_read,
        events.RowRecorded: operator.row_recorded,
        events.RowsPreceded: operator.rows_preceded,
        events.CancelRequested: operator.cancel_requested,
        events.CancelAnswered: operator.cancel_answered,
        events.CancelFailed: operator.cancel_failed,
        events.SwitchAsked: lane.switch_asked,
        events.SwitchActed: lane.switch_acted,
        events.RestartAsked: lane.restart_asked,
        events.RestartActed: lane.restart_acted,
        events.ProbeStepped: lane.probe_stepped,
        events.SwitchesRead: lambda event, state: lane.with_lane(state, switches=event),
        events.Looked: operator.looked,
        events.WaitingOffered: lambda _event, state: replace(state, has_offered=True),
        events.AlarmsAcknowledged: operator.alarms_acknowledged,
        events.AlarmCommandFailed: operator.alarm_command_failed,
        events.AuditRead: operator.audit_read,
        events.AuditFailed: operator.audit_failed,
        events.OrderRefused: operator.order_refused,
        events.OutcomeAudited: operator.outcome_audited,
        AutoRevertBarred: operator.auto_revert_barred,
        events.AutoRevertStopped: operator.auto_revert_stopped,
        events.PartFailed: operator.part_failed,
        events.PollRateChanged: lambda event, state: replace(state, poll_factor=event.factor),
        events.StoryTold: lambda event, state: replace(state, story=event.story),
        events.Tick: _tick,
    }
)
"""What each kind of event does to the state."""
