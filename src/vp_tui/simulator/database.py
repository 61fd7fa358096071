"""The runtime database, missions and events that outlive a restart, and the counters of a boot.

Nothing here ever closes a row that a cancel, an exception or a restart left `running`: those
zombies are part of docs/wire.md (section 4, trap 2). Attach, resume and turn counters begin anew
with each boot, with their alerts (section 10).
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vp_tui.simulator.options import SimClock


VP_ID: Final = "vp.coder.primary"
LANE_DIRECTORY: Final = "vp_coder_primary"
LEASE_OWNER: Final = "simone-control-plane"
LEASE_SESSION_ID: Final = "vp.coder.primary.session"
LEASE_TTL: Final = timedelta(seconds=300)

JsonObject = Mapping[str, object]

WINDOW: Final = timedelta(seconds=900)
MIN_SUCCESS_RATE: Final = 0.9
MIN_ATTEMPTS: Final = 5
"""Attempts within the window before a rate may raise an alert."""
MAX_FAILURES: Final = 3
"""Failures within the window that raise an alert whatever the rate."""

COUNTED: Final = (
    "sessions_created",
    "ws_attach_attempts",
    "ws_attach_successes",
    "ws_attach_failures",
    "resume_attempts",
    "resume_successes",
    "resume_failures",
    "turn_busy_rejected",
    "turn_duplicate_in_progress",
    "turn_duplicate_completed",
)


class SimIds:
    """Identifiers that look like the gateway's and are the same in each run with the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable by design, nothing secret

    def hex(self, digits: int) -> str:
        """Return so many lower-case hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"


@dataclass
class SimMission:
    """A row of the missions table, as it is sent."""

    mission_id: str
    status: str
    objective: str
    run_id: str
    started_at: str
    completed_at: str | None
    updated_at: str
    result_ref: str | None = None
    duration_seconds: float | None = None


@dataclass(slots=True)
class SimLaneSession:
    """The one row about the lane's session."""

    workspace_dir: str
    owner: str
    created_at: datetime
    touched_at: datetime
    """Last heartbeat; the lease ends `LEASE_TTL` later."""


@dataclass
class SimDatabase:
    """The tables, oldest row first."""

    ids: SimIds
    missions: list[SimMission] = field(default_factory=list)
    events: list[JsonObject] = field(default_factory=list)
    session_events: list[JsonObject] = field(default_factory=list)
    session: SimLaneSession | None = None

    def open_session(self, workspace_dir: str, owner: str, at: datetime) -> None:
        """Take the lane's lease for a delegation, making the session's row the first time."""
        kind = "created" if self.session is None else "resumed"
        if self.session is None:
            self.session = SimLaneSession(workspace_dir, owner, at, at)
        self.session.touched_at = at
        lease = {
            "lease_owner": LEASE_OWNER,
            "workspace_dir": workspace_dir,
            "session_id": LEASE_SESSION_ID,
        }
        self._tell(kind, lease, at)

    def adopt_engine_session(self, at: datetime) -> None:
        """Note that the lane's engine came up under its own session id, once after `created`."""
        if self.session_events[-1]["event_type"] == "vp.session.created":
            ids = {
                "session_id": LANE_DIRECTORY,
                "previous_session_id": LEASE_SESSION_ID,
                "status": "active",
                "previous_status": "active",
            }
            self._tell("resumed", ids, at)

    def dispatch(self, objective: str, run_id: str, at: datetime) -> SimMission:
        """Add the row of a mission that starts."""
        mission_id, now = f"vp-mission-{self.ids.hex(32)}", at.isoformat()
        mission = SimMission(mission_id, "running", objective, run_id, now, None, now)
        self.missions.append(mission)
        payload = {"trace_id": None, "run_id": run_id, "started_at": now}
        self._tell("dispatched", payload, at, mission)
        return mission

    def fall_back(
        self, mission: SimMission, error: str, trace_id: str | None, at: datetime
    ) -> None:
        """Note that the primary path takes the mission over; its row does not change."""
        payload = {"reason": "vp_execution_error", "trace_id": trace_id, "error": error}
        self._tell("fallback", payload, at, mission)

    def complete(
        self,
        mission: SimMission,
        workspace_dir: str,
        trace_id: str | None,
        at: datetime,
        *,
        vp_error: str | None = None,
    ) -> None:
        """Close the row of an answered mission; with a `vp_error` the fallback answered it."""
        mission.result_ref = f"workspace://{workspace_dir}"
        payload = {
            "trace_id": trace_id,
            "result_ref": mission.result_ref,
            "completed_at": at.isoformat(),
            "completed_via": "coder_vp" if vp_error is None else "fallback_primary_path",
        }
        if vp_error is not None:
            payload["vp_error"] = vp_error
        self._close(mission, "completed", payload, at)

    def fail(self, mission: SimMission, vp_error: str, trace_id: str | None, at: datetime) -> None:
        """Close the row of a mission that the fallback could not answer either."""
        payload = {
            "trace_id": trace_id,
            "error": "Fallback primary path failed after CODER VP failure.",
            "completed_at": at.isoformat(),
            "failed_after_fallback": True,
            "vp_error": vp_error,
        }
        self._close(mission, "failed", payload, at)

    def _close(self, mission: SimMission, status: str, payload: JsonObject, at: datetime) -> None:
        mission.status = status
        mission.completed_at = mission.updated_at = at.isoformat()
        began = datetime.fromisoformat(mission.started_at)
        mission.duration_seconds = (at - began).total_seconds()
        self._tell(status, payload, at, mission)

    def _tell(
        self, kind: str, payload: JsonObject, at: datetime, mission: SimMission | None = None
    ) -> None:
        """Add the row of an event about a mission, or about the session."""
        about, table = ("mission", self.events) if mission else ("session", self.session_events)
        event_id = f"vp-{'' if mission else 'session-'}event-{self.ids.hex(32)}"
        event = {
            "event_id": event_id,
            **({"mission_id": mission.mission_id} if mission else {}),
            "vp_id": VP_ID,
            "event_type": f"vp.{about}.{kind}",
            "payload": payload,
            "created_at": at.isoformat(),
        }
        table.append(event)


class SimContinuity:
    """The counters of one boot; a restart begins anew with another `started_at`."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self.started_at = clock.now()
        self._totals: Counter[str] = Counter()
        self._recent: deque[tuple[datetime, str]] = deque()

    def count(self, happening: str) -> None:
        """Count what just happened, one of `COUNTED`."""
        self._totals[happening] += 1
        self._recent.append((self._clock.now(), happening))

    def body(self) -> JsonObject:
        """Return the value of `metrics` in the endpoint's answer."""
        since = self._clock.now() - WINDOW
        while self._recent and self._recent[0][0] < since:
            self._recent.popleft()
        recent = Counter(happening for _, happening in self._recent)
        alerts = _alerts(recent)
        totals = self._totals
        return {
            "started_at": self._clock.stamp(self.started_at),
            **{name: totals[name] for name in COUNTED},
            "duplicate_turn_prevention_count": (
                totals["turn_duplicate_in_progress"] + totals["turn_duplicate_completed"]
            ),
            "resume_success_rate": _rate(totals, "resume"),
            "attach_success_rate": _rate(totals, "ws_attach"),
            "transport_status": "degraded" if alerts else "ok",
            "runtime_status": "ok",
            "window_seconds": int(WINDOW.total_seconds()),
            "window_started_at": since.isoformat(),
            "window_event_count": len(self._recent),
            "window": {
                **_outcomes(recent, "resume"),
                "resume_success_rate": _rate(recent, "resume"),
                **_outcomes(recent, "ws_attach"),
                "attach_success_rate": _rate(recent, "ws_attach"),
            },
            "runtime_faults": 0,
            "alerts": alerts,
        }


def _outcomes(counts: Counter[str], what: str) -> dict[str, int]:
    return {
        f"{what}_{how}": counts[f"{what}_{how}"] for how in ("attempts", "successes", "failures")
    }


def _rate(counts: Counter[str], what: str) -> float | None:
    attempts = counts[f"{what}_attempts"]
    return counts[f"{what}_successes"] / attempts if attempts else None


def _alerts(recent: Counter[str]) -> list[JsonObject]:
    alerts = []
    for what, name in (("resume", "resume"), ("ws_attach", "attach")):
        rate, failures = _rate(recent, what), recent[f"{what}_failures"]
        is_judged = recent[f"{what}_attempts"] >= MIN_ATTEMPTS
        if is_judged and rate is not None and rate < MIN_SUCCESS_RATE:
            alerts.append((f"{name}_success_rate_low", rate, MIN_SUCCESS_RATE))
        if failures >= MAX_FAILURES:
            alerts.append((f"{name}_failures_high", failures, MAX_FAILURES))
    return [
        {
            "code": code,
            "severity": "warning",
            "message": f"{code.replace('_', ' ').capitalize()} over the last 15 minutes.",
            "actual": actual,
            "threshold": threshold,
            "scope": "window",
        }
        for code, actual, threshold in alerts
    ]
