"""All that the row's word depends on, gathered in one value (the rollout's rules, section 6).

Rates are fractions, 0 to 1, of the epoch's real finished missions; durations are seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.latency import P95_WATCH_S
from vp_tui.domain.words import Profile

if TYPE_CHECKING:
    from vp_tui.domain.guardrails import TripWire
    from vp_tui.domain.stages import Stage, Traffic
    from vp_tui.domain.traffic import Cause
    from vp_tui.domain.verdicts import Gates
    from vp_tui.domain.windows import WindowNumbers

CLEAN_LIMITED_WINDOWS: Final = 4
"""Clean real windows of the limited cohort in the log before a clean one broadens the rollout."""


class Refusal(NamedTuple):
    """The ops plane answers 401 or 403."""

    reason: str
    """Which token was missing or rejected; never its value."""
    dashboard_answers: bool = False
    """The dashboard endpoint stands in: its figures are for the SAFETY line only."""


class HungRun(NamedTuple):
    """A stuck run, or a deaf one: cancelled, its counter cleared, its turn not ended."""

    session_id: str
    silent_s: float
    is_deaf: bool = False
    waiting: int = 0
    """Turns of other sessions that wait behind it."""
    finished_since: bool = False
    """A mission finished since it fell silent."""
    last_tool: str | None = None
    last_log_line: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether it keeps missions from finishing."""
        return (self.waiting > 0 or not self.is_deaf) and not self.finished_since

    @property
    def line(self) -> str:
        """What the row's note says of it."""
        said = (
            f"{'deaf' if self.is_deaf else 'stuck'}: {self.session_id} silent {self.silent_s:.0f}s",
            f"{self.waiting} waiting behind it" if self.waiting else "",
            f"last tool {self.last_tool}" if self.last_tool else "",
            f"last log line {self.last_log_line}" if self.last_log_line else "",
        )
        return ", ".join(part for part in said if part)


class CancelledRun(NamedTuple):
    """A stuck run that was cancelled in this window."""

    session_id: str
    active_runs: int
    """As the newest listing has it."""
    finished_since: bool = False
    """A mission finished since the cancel."""
    is_confirmed: bool = False
    """A later turn completed."""

    @property
    def is_cleared(self) -> bool:
        """Whether its counter is back to 0 and nothing more is known of the lane."""
        return self.active_runs == 0 and not self.finished_since

    @property
    def line(self) -> str:
        """What the row's note says of it."""
        proof = "a later turn completed" if self.is_confirmed else "recovery unconfirmed"
        return f"{self.session_id} was cancelled, active_runs {self.active_runs}: {proof}"


class Situation(NamedTuple):
    """What is known at the moment of the decision."""

    stage: Stage
    source: Traffic
    window: WindowNumbers
    trip_wire: TripWire
    gates: Gates
    profile: Profile = Profile.ROLLOUT
    coverage: CoverageState | None = None
    """None: there is no snapshot."""
    doubt: str | None = None
    """Why the metrics are not as new as they should be, in words; None: they are."""
    rate: float | None = None
    """The reconstructed fallback rate; None without finished missions."""
    p95_s: float | None = None
    """The p95 that the row will say; None without one."""
    refusal: Refusal | None = None
    hung: tuple[HungRun, ...] = ()
    cancelled: tuple[CancelledRun, ...] = ()
    runs_are_judged: bool = True
    """The sessions are listed and were watched: that no run hangs is known."""
    clean_limited: int = 0
    """Clean real windows of the limited cohort in the evidence log."""
    causes: tuple[Cause, ...] = ()
    """Why there might be no traffic."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing speaks against the window."""
        return not self.unclean

    @property
    def unclean(self) -> tuple[str, ...]:
        """What keeps the window from being clean, each in words."""
        return (
            *_doubts(self),
            *_traffic_faults(self.window),
            *_latency_faults(self.window, self.p95_s),
            *(run.line for run in self.hung),
            *self.gates.failing,
        )


def _doubts(situation: Situation) -> tuple[str, ...]:
    if situation.coverage is None:
        return (situation.doubt or "no metrics",)
    blind = ("the rate is blind",) if situation.coverage is CoverageState.BLIND else ()
    return (*((situation.doubt,) if situation.doubt else ()), *blind)


def _traffic_faults(window: WindowNumbers) -> tuple[str, ...]:
    if not window.terminal:
        running = f", {window.running} running" if window.running else ""
        return (f"no finished mission in the window{running}",)
    counted = ((window.fallback, "fell back"), (window.failed, "failed"))
    return tuple(f"{n} of {window.terminal} {what}" for n, what in counted if n)


def _latency_faults(window: WindowNumbers, p95_s: float | None) -> tuple[str, ...]:
    if not window.terminal:
        return ()
    told = {"the window's p95": window.p95_s, "p95": p95_s}
    return tuple(
        f"{name} is missing" if value is None else f"{name} {value:.3f}s >= {P95_WATCH_S:g} s"
        for name, value in told.items()
        if value is None or value >= P95_WATCH_S
    )
