"""What the feeds tell: polls, streams, logs and files. `at` is vp-tui's own monotonic clock."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.domain.models import (
        Continuity,
        Failure,
        Frame,
        Health,
        LogChunk,
        Plane,
        Session,
        Snapshot,
        TokenPresence,
    )
    from vp_tui.domain.suites import SuitesReport, UnreadReport
    from vp_tui.domain.switches import Switches


class Source(StrEnum):
    """A polled source. Streams have a state of their own, one a session."""

    HEALTH = "health"
    METRICS = "metrics"
    SESSIONS = "sessions"
    CONTINUITY = "continuity"
    LOG = "log"


class StreamState(StrEnum):
    """Where one session's socket stands."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    """Between two attempts, or until the session is known to be in memory again."""
    UNAUTHORIZED = "unauthorized"
    GONE = "gone"
    """The gateway does not know the session (any more)."""


class HealthArrived(NamedTuple):
    """The gateway said how it is."""

    at: float
    health: Health


class SnapshotArrived(NamedTuple):
    """The metrics; `plane` tells whether the dashboard endpoint stood in for the ops plane."""

    at: float
    snapshot: Snapshot
    plane: Plane


class SessionsArrived(NamedTuple):
    """The whole listing, in the gateway's order; `total` counts those past the limit too."""

    at: float
    sessions: tuple[Session, ...]
    total: int
    plane: Plane


class ContinuityArrived(NamedTuple):
    """The gateway's boot, and the health of its transport."""

    at: float
    continuity: Continuity


class LogArrived(NamedTuple):
    """New lines of the log that is tailed under `log_id` (a session id, or the lane's)."""

    at: float
    log_id: str
    chunk: LogChunk


class LogDropped(NamedTuple):
    """The log is no longer tailed; tailing it again begins anew."""

    at: float
    log_id: str


class SourceFailed(NamedTuple):
    """A poll did not bring a usable answer. `log_id` names the log for `Source.LOG`.

    While the ops plane refuses, the metrics go on arriving from the dashboard endpoint, labelled
    so.
    """

    at: float
    source: Source
    failure: Failure
    log_id: str | None = None


class StreamEvent(NamedTuple):
    """One frame of one session."""

    at: float
    session_id: str
    frame: Frame


class LinkChanged(NamedTuple):
    """A session's socket changed state; `reason` says why in words, "" when all is well."""

    at: float
    session_id: str
    state: StreamState
    reason: str = ""
    is_failed_attach: bool = False
    """The gateway counts this attempt among its failed attaches."""


class LinkDropped(NamedTuple):
    """The socket is no longer wanted: the session left the memory, or others come first."""

    at: float
    session_id: str


class GapFound(NamedTuple):
    """Frames were or may have been lost between two others; there is no replay."""

    at: float
    session_id: str
    reason: str
    lost: int | None = None
    """How many, where that is known."""


class TokensRead(NamedTuple):
    """The tokens were read (again)."""

    at: float
    presence: TokenPresence


class EvidenceRead(NamedTuple):
    """The evidence log and its records were read, as they changed; a log not there has no rows.

    With a `problem`, in words, the log could not be read: what was known of it before still stands.
    """

    at: float
    rows: tuple[EvidenceRow, ...]
    recorded_ids: frozenset[str]
    """Missions that some record names."""
    problem: str | None = None
    unreal_ids: frozenset[str] = frozenset()
    """Of these, missions of windows whose source is no real traffic."""
    unreal_windows: frozenset[str] = frozenset()
    """Labels of those windows."""
    authors: tuple[str | None, ...] = ()
    """Who recorded the newest rows, in their order; None for a row without a record."""
    fingerprint: str | None = None
    """Tells these rows from others; None where there is no log yet."""
    warnings: tuple[str, ...] = ()
    """What is odd about its rows, in words."""


class SuitesRead(NamedTuple):
    """The report of the continuity suites was read, as it changed."""

    at: float
    report: SuitesReport | UnreadReport


class SwitchesRead(NamedTuple):
    """The gateway's env file was read, as it changed; `changed_at` is its own stamp, in UTC."""

    at: float
    switches: Switches | None
    changed_at: datetime | None = None
    problem: str | None = None
    """Why it cannot be read, in words."""


class Tick(NamedTuple):
    """A second has passed: `at` on the monotonic clock is `wall` (UTC)."""

    at: float
    wall: datetime
