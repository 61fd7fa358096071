"""State + event -> State: which rule each kind of event has, and what it is taken up by besides.

Nothing else changes state, and nothing here asks a clock or a socket.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.events import (
    AlarmCommandFailed,
    AlarmsAcknowledged,
    AuditFailed,
    AuditRead,
    AutoRevertStopped,
    CancelAnswered,
    CancelFailed,
    CancelRequested,
    ContinuityArrived,
    Event,
    EvidenceRead,
    GapFound,
    HealthArrived,
    LinkChanged,
    LinkDropped,
    LogArrived,
    LogDropped,
    Looked,
    OutcomeAudited,
    PollRateChanged,
    ProbeStepped,
    RestartActed,
    RestartAsked,
    RowRecorded,
    RowsPreceded,
    SessionsArrived,
    SnapshotArrived,
    SourceFailed,
    SuitesRead,
    SwitchActed,
    SwitchAsked,
    SwitchesRead,
    Tick,
    TokensRead,
    WaitingOffered,
    WindowsRead,
)
from vp_tui.domain.lane.auto_revert import AutoRevertBarred
from vp_tui.domain.models import StreamEvent
from vp_tui.state.lane import (
    lane_booted,
    lane_counted,
    lane_heard,
    lane_ticked,
    probe_stepped,
    restart_acted,
    restart_asked,
    switch_acted,
    switch_asked,
    switches_read,
)
from vp_tui.state.operator import (
    alarm_command_failed,
    alarms_acknowledged,
    audit_failed,
    audit_read,
    auto_revert_barred,
    auto_revert_stopped,
    cancel_answered,
    cancel_failed,
    cancel_requested,
    cancels_followed,
    evidence_read,
    looked,
    outcome_audited,
    row_recorded,
    rows_preceded,
    waiting_offered,
    windows_read,
)
from vp_tui.state.sources import (
    continuity_arrived,
    health_arrived,
    sessions_arrived,
    snapshot_arrived,
    source_failed,
    suites_read,
    tokens_read,
)
from vp_tui.state.state import Clock, State
from vp_tui.state.streams import (
    gap_found,
    link_changed,
    link_dropped,
    log_arrived,
    log_dropped,
    segments,
    stream_events,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


_TELL_OF_CANCELS: Final = frozenset(
    {StreamEvent, SessionsArrived, SnapshotArrived, ContinuityArrived, CancelAnswered}
)
_TELL_OF_TURNS: Final = frozenset({StreamEvent, LinkChanged, LinkDropped, GapFound})


def reduce_all(state: State, events: Iterable[Event]) -> State:
    """Return the state after all events, in order; adjacent stream events go as one batch."""
    for is_stream, batch in groupby(events, key=_is_stream_event):
        if is_stream:
            for frames in segments(state, [e for e in batch if isinstance(e, StreamEvent)]):
                state = cancels_followed(stream_events(state, frames), frames[-1].at)
                state = lane_heard(frames, state)
        else:
            for event in batch:
                state = reduce(state, event)
    return state


def reduce(state: State, event: Event) -> State:
    """Return the state after one event. Raises TypeError for what is none."""
    rule = _RULES.get(type(event))
    if rule is None:
        raise TypeError(f"no rule for {type(event).__name__}")
    state = rule(event, state)
    if type(event) in _TELL_OF_TURNS:
        state = lane_heard((event,), state)
    return cancels_followed(state, event.at) if type(event) in _TELL_OF_CANCELS else state


def _is_stream_event(event: Event) -> bool:
    return isinstance(event, StreamEvent)


def _tick(event: Tick, state: State) -> State:
    return lane_ticked(event.at, replace(state, clock=Clock(event.at, event.wall)))


def _snapshot(event: SnapshotArrived, state: State) -> State:
    return lane_counted(event, snapshot_arrived(event, state))


def _continuity(event: ContinuityArrived, state: State) -> State:
    before, state = state.epoch, continuity_arrived(event, state)
    return lane_booted(event, state, is_new=before is not None and state.epoch != before)


def _poll_rate_changed(event: PollRateChanged, state: State) -> State:
    return replace(state, poll_factor=event.factor)


def _stream_event(event: StreamEvent, state: State) -> State:
    return stream_events(state, (event,))


_RULES: Final[Mapping[type[Event], Callable[[Any, State], State]]] = MappingProxyType(
    {
        HealthArrived: health_arrived,
        SnapshotArrived: _snapshot,
        SessionsArrived: sessions_arrived,
        ContinuityArrived: _continuity,
        SourceFailed: source_failed,
        TokensRead: tokens_read,
        LogArrived: log_arrived,
        LogDropped: log_dropped,
        StreamEvent: _stream_event,
        LinkChanged: link_changed,
        LinkDropped: link_dropped,
        GapFound: gap_found,
        EvidenceRead: evidence_read,
        WindowsRead: windows_read,
        SuitesRead: suites_read,
        RowRecorded: row_recorded,
        RowsPreceded: rows_preceded,
        CancelRequested: cancel_requested,
        CancelAnswered: cancel_answered,
        CancelFailed: cancel_failed,
        SwitchAsked: switch_asked,
        SwitchActed: switch_acted,
        RestartAsked: restart_asked,
        RestartActed: restart_acted,
        ProbeStepped: probe_stepped,
        SwitchesRead: switches_read,
        Looked: looked,
        WaitingOffered: waiting_offered,
        AlarmsAcknowledged: alarms_acknowledged,
        AlarmCommandFailed: alarm_command_failed,
        AuditRead: audit_read,
        AuditFailed: audit_failed,
        OutcomeAudited: outcome_audited,
        AutoRevertBarred: auto_revert_barred,
        AutoRevertStopped: auto_revert_stopped,
        PollRateChanged: _poll_rate_changed,
        Tick: _tick,
    }
)
"""What each kind of event does to the state."""
