"""Everything that can happen to the dashboard: one closed union of frozen values.

The feeds make them, the reducer applies them, tests and recordings are written in them. `at` is
vp-tui's own monotonic clock in seconds: the gateway's stamps may be hours off.
"""

from __future__ import annotations

from vp_tui.domain.auto_revert import AutoRevertBarred, AutoRevertStepped
from vp_tui.domain.feed_events import (
    ContinuityArrived,
    EvidenceRead,
    GapFound,
    HealthArrived,
    LinkChanged,
    LinkDropped,
    LogArrived,
    LogDropped,
    SessionsArrived,
    SnapshotArrived,
    Source,
    SourceFailed,
    StreamEvent,
    StreamState,
    SuitesRead,
    SwitchesRead,
    Tick,
    TokensRead,
)
from vp_tui.domain.order_events import (
    AlarmCommandFailed,
    AlarmsAcknowledged,
    AlarmsFollowed,
    AuditFailed,
    AuditRead,
    CancelAnswered,
    CancelFailed,
    CancelRequested,
    PollRateChanged,
    ProbeStepped,
    RestartActed,
    RestartAsked,
    RowRecorded,
    SwitchActed,
    SwitchAsked,
    WindowsRead,
)

__all__ = [
    "AlarmCommandFailed",
    "AlarmsAcknowledged",
    "AlarmsFollowed",
    "AuditFailed",
    "AuditRead",
    "AutoRevertBarred",
    "AutoRevertStepped",
    "CancelAnswered",
    "CancelFailed",
    "CancelRequested",
    "ContinuityArrived",
    "Event",
    "EvidenceRead",
    "GapFound",
    "HealthArrived",
    "LinkChanged",
    "LinkDropped",
    "LogArrived",
    "LogDropped",
    "PollRateChanged",
    "ProbeStepped",
    "RestartActed",
    "RestartAsked",
    "RowRecorded",
    "SessionsArrived",
    "SnapshotArrived",
    "Source",
    "SourceFailed",
    "StreamEvent",
    "StreamState",
    "SuitesRead",
    "SwitchActed",
    "SwitchAsked",
    "SwitchesRead",
    "Tick",
    "TokensRead",
    "WindowsRead",
]

Event = (
    HealthArrived
    | SnapshotArrived
    | SessionsArrived
    | ContinuityArrived
    | LogArrived
    | LogDropped
    | SourceFailed
    | StreamEvent
    | LinkChanged
    | LinkDropped
    | GapFound
    | TokensRead
    | EvidenceRead
    | WindowsRead
    | SuitesRead
    | RowRecorded
    | CancelRequested
    | CancelAnswered
    | CancelFailed
    | SwitchAsked
    | SwitchActed
    | RestartAsked
    | RestartActed
    | ProbeStepped
    | SwitchesRead
    | AlarmsFollowed
    | AlarmsAcknowledged
    | AlarmCommandFailed
    | AuditRead
    | AuditFailed
    | AutoRevertBarred
    | AutoRevertStepped
    | PollRateChanged
    | Tick
)
