"""Attach, resume and turn counters since boot, with alerts (the wire contract, section 10)."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.simulator.clock import Clock
    from vp_tui.simulator.ledger import JsonObject

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


class Continuity:
    """The counters of one boot; a restart begins anew with another `started_at`."""

    def __init__(self, clock: Clock) -> None:
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
        totals = {name: self._totals[name] for name in COUNTED}
        duplicates = totals["turn_duplicate_in_progress"] + totals["turn_duplicate_completed"]
        return {
            "started_at": self._clock.stamp(self.started_at),
            **totals,
            "duplicate_turn_prevention_count": duplicates,
            "resume_success_rate": _rate(self._totals, "resume"),
            "attach_success_rate": _rate(self._totals, "ws_attach"),
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
    alerts: list[JsonObject] = []
    for what, name in (("resume", "resume"), ("ws_attach", "attach")):
        rate, failures = _rate(recent, what), recent[f"{what}_failures"]
        if (
            rate is not None
            and recent[f"{what}_attempts"] >= MIN_ATTEMPTS
            and rate < MIN_SUCCESS_RATE
        ):
            alerts.append(_alert(f"{name}_success_rate_low", rate, MIN_SUCCESS_RATE))
        if failures >= MAX_FAILURES:
            alerts.append(_alert(f"{name}_failures_high", failures, MAX_FAILURES))
    return alerts


def _alert(code: str, actual: float, threshold: float) -> JsonObject:
    return {
        "code": code,
        "severity": "warning",
        "message": f"{code.replace('_', ' ').capitalize()} over the last 15 minutes.",
        "actual": actual,
        "threshold": threshold,
        "scope": "window",
    }
