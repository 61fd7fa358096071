"""What the operator does, and what comes of it. `at` is vp-tui's own monotonic clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vp_tui.domain.actuation import Actuation
    from vp_tui.domain.alarms import Alarm
    from vp_tui.domain.audit import ActionRecord
    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.domain.models import (
        Failure,
    )
    from vp_tui.domain.orders import CancelAnswer
    from vp_tui.domain.probe import Probe
    from vp_tui.domain.switches import Change
    from vp_tui.domain.windows import Window


class WindowsRead(NamedTuple):
    """The windows that are kept, as they changed: the open one, and closed ones of unreal traffic.

    Gates and guardrails go on passing over the missions of the latter.
    """

    at: float
    windows: tuple[Window, ...]
    problem: str | None = None
    """Why they cannot be read, in words; then what was known of them still stands."""


class RowRecorded(NamedTuple):
    """vp-tui wrote a row: it is on disk."""

    at: float
    row: EvidenceRow
    line: int
    """Number of its line in the log."""
    mission_ids: frozenset[str]
    """Missions that its record names."""
    is_real: bool
    """Whether its window's traffic feeds gates and guardrails."""
    author: str
    fingerprint: str
    """Of the log's rows with this one."""


class CancelRequested(NamedTuple):
    """A cancel of our own was sent; `actor` is whoever runs vp-tui."""

    at: float
    session_id: str
    reason: str
    actor: str


class CancelAnswered(NamedTuple):
    """The gateway answered the cancel: requested, which is not recovered."""

    at: float
    session_id: str
    answer: CancelAnswer


class CancelFailed(NamedTuple):
    """The cancel was refused or failed; where the failure is uncertain it may have arrived."""

    at: float
    session_id: str
    failure: Failure


class SwitchAsked(NamedTuple):
    """A switch of the lane is to be set; `actor` is whoever runs vp-tui."""

    at: float
    change: Change
    actor: str
    reason: str = ""


class SwitchActed(NamedTuple):
    """The operator's actuator has done what it could: that proves nothing yet."""

    at: float
    actuation: Actuation


class RestartAsked(NamedTuple):
    """The gateway is to be restarted."""

    at: float
    actor: str
    reason: str = ""


class RestartActed(NamedTuple):
    """The operator's restart command has ended, or asks for hands."""

    at: float
    actuation: Actuation


class ProbeStepped(NamedTuple):
    """A probe of ours has come a step further."""

    at: float
    probe: Probe


class AlarmsFollowed(NamedTuple):
    """The alarms as they are now, after a look at the state."""

    at: float
    alarms: tuple[Alarm, ...]


class AlarmsAcknowledged(NamedTuple):
    """Somebody has seen the alarms of these subjects; None: all."""

    at: float
    actor: str
    subjects: frozenset[str] | None = None


class AlarmCommandFailed(NamedTuple):
    """The operator's command for alarms did not do its work."""

    at: float
    failure: Failure


class AuditRead(NamedTuple):
    """The audit was read, as it changed: its newest actions, oldest first, of every gateway.

    With a `problem` it could not be read: what was known of it before still stands.
    """

    at: float
    records: tuple[ActionRecord, ...]
    unreadable: int = 0
    """Lines among the newest that tell no action."""
    problem: Failure | None = None


class AuditFailed(NamedTuple):
    """An action could not be written into the audit."""

    at: float
    failure: Failure


class PollRateChanged(NamedTuple):
    """The operator polls slower or faster: every poll interval is multiplied by `factor`."""

    at: float
    factor: float
