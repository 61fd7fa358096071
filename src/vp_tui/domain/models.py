"""What the gateway says, as frozen values: answers, frames, and what it answers to an order.

Field names follow the wire; units are in the names. Stamps that are UTC on the wire are aware
`datetime`s here; those whose zone depends on the gateway's generation (naive server-local on G1,
UTC on G2) stay the strings that were sent. All texts have passed `vp_tui.domain.text.literal`.

They are named tuples: ten times cheaper to define at every start than dataclasses, and half as dear
to make. Two of different kinds with equal fields are equal; nothing compares different kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class ActionStep(NamedTuple):
    """One thing that happened in the course of an action; `at` is aware."""

    at: datetime
    step: str
    detail: str = ""


OPS: Final = "UA_OPS_TOKEN"
INTERNAL: Final = "UA_INTERNAL_API_TOKEN"


Dialect = Literal["G1", "G2"]
"""Generation of the gateway: a naive health stamp is G1, an aware one is G2."""


class Source(StrEnum):
    """A polled source. Streams have a state of their own, one a session."""

    HEALTH = "health"
    METRICS = "metrics"
    SESSIONS = "sessions"
    CONTINUITY = "continuity"
    LOG = "log"


DEFAULT_INTERVALS: Final[Mapping[Source, float]] = {
    Source.HEALTH: 15.0,
    Source.METRICS: 2.0,
    Source.SESSIONS: 3.0,
    Source.CONTINUITY: 15.0,
    Source.LOG: 2.0,
}
"""Seconds between two polls of a source at rate 1; a log is asked faster while it grows."""


class StreamState(StrEnum):
    """Where one session's socket stands."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    """Between two attempts, or until the session is known to be in memory again."""
    UNAUTHORIZED = "unauthorized"
    GONE = "gone"
    """The gateway does not know the session (any more)."""


class StreamEvent(NamedTuple):
    """One frame of one session."""

    at: float
    session_id: str
    frame: Frame


class Plane(StrEnum):
    """Where an answer came from; the operator must know when it was a substitute."""

    OPS = "ops"
    DASHBOARD = "dashboard"
    SESSION = "session"


class Health(NamedTuple):
    """GET /api/v1/health. Says nothing about the engine, the lock or the lane."""

    status: str
    timestamp: str
    version: str | None
    db_status: str | None
    db_error: str | None
    dialect: Dialect
    clock_offset_s: float | None
    """`timestamp` read as if it were UTC, minus the answer's Date header; None without one."""
    old_s: float = 0.0
    """How many seconds old it was when it arrived; 0 when it was new."""


class Mission(NamedTuple):
    """One delegated turn, as `recent_missions` tells it."""

    mission_id: str
    status: str
    objective: str
    started_at: datetime | None
    completed_at: datetime | None
    result_ref: str | None
    duration_s: float | None
    fallback_seen: bool

    @property
    def is_terminal(self) -> bool:
        """Whether the mission has ended, however it did."""
        return self.status in {"completed", "failed", "cancelled"}


class MissionEvent(NamedTuple):
    """One row of `recent_events`."""

    event_id: str
    mission_id: str
    event_type: str
    created_at: datetime | None
    cancelled: bool
    """The payload says that somebody cancelled the mission (G2: `cancelled`, reconciled rows)."""
    was_clean: bool = False
    """It says that the mission had not fallen back by then (G2: `failed_before_fallback`)."""


class LaneSession(NamedTuple):
    """The lane's own session row; absent until the first delegation."""

    session_id: str
    workspace_dir: str
    status: str
    last_error: str | None
    stale_reason: str | None

    @property
    def log_id(self) -> str:
        """Session id under which the lane's log is tailed: the last part of its directory."""
        return self.workspace_dir.rstrip("/").rpartition("/")[2]


class ReportedFallback(NamedTuple):
    """The gateway's own fallback figures, verbatim; `rate` is a fraction, 0.0 with no missions."""

    with_fallback: int
    considered: int
    rate: float | None
    """None where it was no number."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Nearest-rank latency over `count` missions, in seconds; None when `count` is 0."""

    count: int
    avg_s: float | None
    p50_s: float | None
    p95_s: float | None
    max_s: float | None


class Snapshot(NamedTuple):
    """One answer of the metrics endpoint. `missions` newest first, `events` oldest first."""

    generated_at: datetime
    vp_id: str
    lane: LaneSession | None
    mission_counts: Mapping[str, int]
    event_counts: Mapping[str, int]
    fallback: ReportedFallback
    latency: Latency
    missions: tuple[Mission, ...]
    events: tuple[MissionEvent, ...]
    mission_limit: int
    event_limit: int
    odd_missions: int = 0
    odd_items: int = 0
    """Left out: missions that could not be read; events, counts and the lane's own row that could
    not, and missions told twice."""
    odd_durations: int = 0
    """Durations that cannot be, taken from their missions."""
    is_lane_odd: bool = False
    """The lane's own row could not be read: `lane` is none, or the one before."""
    old_s: float = 0.0

    @property
    def had_session(self) -> bool | None:
        """Whether the lane ever had a session; None where its row could not be read."""
        return None if self.lane is None and self.is_lane_odd else self.lane is not None


class MissionClaim(NamedTuple):
    """What a G2 tells of one mission besides its metrics: who has it, and who asked for it."""

    mission_id: str
    expires_at: datetime | None
    """When the claim of its worker ends; None where no worker has it."""
    session_id: str | None
    """The session whose turn asked for it; None where none did."""


class MissionClaims(NamedTuple):
    """One answer of a G2's endpoint of missions."""

    as_of: datetime
    """On the gateway's clock, not after it was answered: a claim that ended before is not held."""
    missions: Mapping[str, MissionClaim]
    """By their ids, the newest 500, but for `odd` ones that could not be read."""
    odd: int = 0


class Session(NamedTuple):
    """One item of the session listing."""

    session_id: str
    status: str
    owner: str
    source: str
    description: str | None
    last_activity: str | None
    active_connections: int
    active_runs: int
    last_event_seq: int
    terminal_reason: str | None
    has_log: bool = False
    """Its own run.log is there; a delegated turn writes to the lane's."""

    @property
    def in_memory(self) -> bool:
        """Whether attaching resumes nothing; a session that is only on disk shows 0/0/0."""
        return bool(self.active_runs or self.active_connections or self.last_event_seq)

    @property
    def is_running(self) -> bool:
        """Whether the gateway counts a run of it, which may be waiting for the lock."""
        return self.active_runs > 0


class ContinuityAlert(NamedTuple):
    """One alert of the gateway about attaching and resuming."""

    code: str
    severity: str
    message: str


class Continuity(NamedTuple):
    """GET /api/v1/ops/metrics/session-continuity."""

    started_at: str
    """The gateway's boot as sent; another value is another epoch."""
    transport_status: str
    runtime_status: str
    alerts: tuple[ContinuityAlert, ...]
    attach_failures: int
    old_s: float = 0.0


class TailAnswer(NamedTuple):
    """One answer of the log-tail endpoint. `size` in bytes; lines raw, split at newlines only."""

    file: str
    size: int
    lines: tuple[str, ...]
    truncated: bool
    reset: bool
    old_s: float = 0.0


class LogChunk(NamedTuple):
    """What one poll adds to a log."""

    lines: tuple[str, ...]
    completes_last: bool = False
    """The first line is the rest of the last line shown before: it takes its place."""
    restarted: bool = False
    """The file was truncated, rotated or replaced: what was shown before is of another file."""
    note: str | None = None
    """What is missing, in words, when lines could not be had."""
    size: int = 0
    file: str = ""


class Frame(NamedTuple):
    """One WebSocket frame, cut down to what the dashboard uses; the payload itself is not kept."""

    kind: str
    text: str
    """One line for the event list."""
    size: int
    """Bytes on the wire."""
    status: str | None = None
    routing: str | None = None
    mission_id: str | None = None
    query: str | None = None
    source: str | None = None
    tool: str | None = None
    tool_use_id: str | None = None
    turn_id: str | None = None
    cancelled: bool = False
    is_error: bool = False


class Failure(NamedTuple):
    """Why a source does not answer, and what helps: both in words for the operator."""

    reason: str
    cure: str
    unauthorized: bool = False
    is_silence: bool = False
    """Nothing answered at all: no connection, or no answer in time."""
    wants_token: bool = False
    """A token that is set or renewed would help."""
    is_uncertain: bool = False
    """Of an order: it may have been carried out all the same."""


class TokenPresence(NamedTuple):
    """Which tokens are there and where each came from; never a value."""

    ops: str | None = None
    internal: str | None = None
    problems: tuple[str, ...] = ()


class CancelAnswer(NamedTuple):
    """POST /api/v1/ops/sessions/{id}/cancel, answered: requested, which is not yet recovered."""

    session_id: str
    reason: str
    """As the gateway took it: its own words for a blank one."""
    task_cancelled: bool
    """The run unwound while the gateway waited; its engine may write on for all that.

    False: nothing ran, or the run did not hear (deaf); what ran before, and `took_s`, tell which.
    """
    run_id: str | None
    """None on G1."""
    took_s: float
    """Seconds until the answer: a deaf run takes the gateway's whole wait (G1 5 s, G2 10 s)."""
