"""What one embedded gateway runs on: its options, clock, counters, and the life of its tasks.

The clock tells the gateway's two kinds of stamp (docs/wire.md, section 1) and can run faster.
Attach, resume and turn counters begin anew with each boot, with their alerts (section 10).
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import tzinfo
    from pathlib import Path

    from vp_tui.domain.models import Dialect
    from vp_tui.simulator.database import JsonObject


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
G2_COUNTERS: Final = {
    **dict.fromkeys(("ws_send_failures", "ws_send_timeouts", "ws_stale_evictions"), 0),
    "ws_disconnects_total": 0,
    "ws_close_codes": {},
    "execution_runtime": {"lock_locked": False, "sessions_in_flight": 0},
}
"""What a G2's continuity has besides; nothing of it is used."""

AUTH_OPS_TOKEN: Final = "ops-secret"  # noqa: S105 - the demo's published token
AUTH_INTERNAL_TOKEN: Final = "internal-secret"  # noqa: S105 - as above


@dataclass(frozen=True)
class SimOptions:
    """How the embedded gateway behaves; the defaults are those of `vp-tui gateway`."""

    scenario: str = "tour"
    dialect: Dialect = "G1"
    """Which generation it is: of February 2026, or of August."""
    port: int = 0
    """TCP port on 127.0.0.1; 0 takes a free one."""
    speed: float = 1.0
    """Divides every duration of turns and scenarios, but not what the wire contract fixes."""
    ops_token: str | None = field(default=None, repr=False)
    internal_token: str | None = field(default=None, repr=False)
    env_file: Path | None = None
    """KEY=VALUE lines with the lane flags; read at the start and on a restart only."""
    seed: int = 7
    rate: float = 200.0
    """Events per second of the scenario `flood`, over all sessions."""
    sessions: int = 10
    """Sessions of the scenario `flood`."""
    cancel_wait: float | None = None
    """Seconds that a cancel waits for the run to unwind, not divided by `speed`; None: the usual.
    """
    zone: tzinfo | None = None
    """Zone of the naive stamps; None is the machine's own."""

    def with_default_tokens(self) -> SimOptions:
        """Return the options with the tokens that the scenario `auth` requires, if none are set."""
        if self.scenario != "auth" or self.ops_token or self.internal_token:
            return self
        return replace(self, ops_token=AUTH_OPS_TOKEN, internal_token=AUTH_INTERNAL_TOKEN)


class SimClock:
    """Tells the time as G1 does and sleeps `speed` times as fast as it says.

    `utc`, which is then called `now`, tells the time of day, aware and in UTC: the seam for tests.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        zone: tzinfo | None = None,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        dialect: Dialect = "G1",
    ) -> None:
        self.speed = speed
        self._dialect = dialect
        self._zone = zone
        self.now = utc

    def milliseconds(self) -> int:
        """Return the present as milliseconds since 1970, which ids are made of."""
        return int(self.now().timestamp() * 1000)

    def local(self, at: datetime | None = None) -> datetime:
        """Return `at` (the present if None) as the server's wall clock shows it, naive."""
        return (at or self.now()).astimezone(self._zone).replace(tzinfo=None)

    def stamp(self, at: datetime | None = None) -> str:
        """Return the stamp of health, sessions and frames: G1's is server-local, without an offset.

        G2's is UTC and says so.
        """
        told = self.local(at) if self._dialect == "G1" else at or self.now()
        return told.isoformat()

    def log_stamp(self) -> str:
        """Return the time of day that a line of a log begins with: server-local, on G2 UTC."""
        told = self.local() if self._dialect == "G1" else self.now()
        return f"[{told:%H:%M:%S}]"

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of scripted time."""
        await asyncio.sleep(seconds / self.speed)


class SimLife:
    """Owns the tasks of one boot, so that none of them outlives it."""

    def __init__(self) -> None:
        self.alive = True
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or the process does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Stop everything at once; the tasks see `alive` False and unwind in silence."""
        self.alive = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class SimContinuity:
    """The counters of one boot; a restart begins anew with another `started_at`."""

    def __init__(self, clock: SimClock, dialect: Dialect = "G1") -> None:
        self._clock = clock
        self._dialect = dialect
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
            **(G2_COUNTERS if self._dialect == "G2" else {}),
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
