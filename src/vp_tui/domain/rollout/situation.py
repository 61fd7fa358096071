"""All that the row's word depends on, in one value, and why a window has no traffic.

No answer of the gateway names the lane's flags: they show only by what turns of coding intent do,
so each cause of missing traffic is told with what speaks for and against it (docs/rollout.md,
section 6). Rates are fractions, 0 to 1; durations are seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.runs.levels import either
from vp_tui.domain.runs.turns import RoutingTally
from vp_tui.domain.text import counted
from vp_tui.domain.vocabulary import P95_WATCH_S, Profile, p95_cell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vp_tui.domain.coverage import CoverageState
    from vp_tui.domain.rollout.guardrails import TripWire
    from vp_tui.domain.rollout.verdicts import Gates
    from vp_tui.domain.rollout.windows import WindowNumbers
    from vp_tui.domain.vocabulary import Stage, Traffic


CLEAN_LIMITED_WINDOWS: Final = 4
"""Clean real windows of the limited cohort in the log before a clean one broadens the rollout."""

FEW: Final = 2
"""Fallbacks from which on a rate says something."""


class StuckRun(NamedTuple):
    """A stuck run, or a deaf one: cancelled, its counter cleared, its turn not ended."""

    session_id: str
    """"" while turns wait for the lock and nothing that is listed holds it."""
    silent_s: float
    is_deaf: bool = False
    waiting: int = 0
    """Turns of other sessions that wait behind it."""
    finished_since: bool = False
    """A mission finished since it fell silent."""
    last_tool: str | None = None
    last_log_line: str | None = None
    rivals: tuple[str, ...] = ()
    """Sessions of which it is one, where none can be named for certain."""
    is_guess: bool = False
    """That it holds the lock is inferred."""

    @property
    def name(self) -> str:
        """Which run it is; of several that may be it, all."""
        if not self.session_id:
            return "the lock's holder, which is not listed,"
        return either(self.rivals or (self.session_id,))

    @property
    def blocks(self) -> bool:
        """Whether it keeps missions from finishing."""
        return (self.waiting > 0 or not self.is_deaf) and not self.finished_since

    @property
    def line(self) -> str:
        """What the row's note says of it."""
        said = (
            f"{'deaf' if self.is_deaf else 'stuck'}: {self.name} silent {self.silent_s:.0f}s",
            "that it holds the lock is a guess" if self.is_guess else "",
            f"{self.waiting} waiting behind it" if self.waiting else "",
            f"last tool {self.last_tool}" if self.last_tool else "",
            f"last log line {self.last_log_line}" if self.last_log_line else "",
        )
        return ", ".join(part for part in said if part)


class Share(NamedTuple):
    """How many of some finished missions fell back."""

    fallbacks: int = 0
    terminal: int = 0

    @property
    def rate(self) -> float:
        """Fraction, 0 to 1; 0 without missions."""
        return self.fallbacks / self.terminal if self.terminal else 0.0

    def reaches(self, limit: float) -> bool:
        """Tell whether the rate is `limit` or more, by two fallbacks at least."""
        return self.fallbacks >= FEW and self.rate >= limit


class CancelledRun(NamedTuple):
    """A run that hung and was cancelled in this window."""

    session_id: str
    active_runs: int
    """As the newest listing has it."""
    recovered: str | None = None
    """When a later turn completed, as our clock reads; None: that is not proven yet."""
    dated: str | None = None
    """The same by the gateway's clock, which dates the row."""
    is_told: bool = False
    """A row says so already."""
    at: datetime | None = None
    """When it was cancelled, in UTC."""

    @property
    def is_cleared(self) -> bool:
        """Whether its counter is back to 0 and no row tells of it yet."""
        return self.active_runs == 0 and not self.is_told

    @property
    def is_settled(self) -> bool:
        """Whether a row told of it and its recovery is proven: it hinders nothing any more."""
        return self.is_told and self.recovered is not None

    @property
    def line(self) -> str:
        """What the row's note says of it, beside the row's word."""
        proof = "recovery unconfirmed"
        if self.recovered is not None:
            proof = f"recovered {self.dated or self.recovered}, a later turn completed"
        return f"{self.session_id} was cancelled, active_runs {self.active_runs}: {proof}"

    @property
    def told(self) -> str:
        """What the screen says of it, beside a word that has RECOVERED in it."""
        how = "not recovered yet"
        if self.recovered is not None:
            how = f"recovered {self.recovered}, a later turn completed"
        return f"{self.session_id} cancelled, {how}"


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
    epoch: Share = Share()
    """Of the epoch's real finished missions, those that fell back."""
    refusal: tuple[str, ...] = ()
    """Why the ops plane answers 401 or 403, in words that never have the token's value."""
    stuck_runs: tuple[StuckRun, ...] = ()
    cancelled: tuple[CancelledRun, ...] = ()
    runs_are_judged: bool = True
    """The sessions are listed and were watched: that no run hangs is known."""
    unstarted: int = 0
    """Turns of the window that could not start the lane."""
    ended_trip: str | None = None
    """A trip that a restart or the brake ended in this window and no row tells, in words."""
    passed_trip: str | None = None
    """A trip of this window that further missions pushed out of sight, in words."""
    changed: tuple[str, ...] = ()
    """Outcomes of earlier windows that changed and that no row tells, in words."""
    across: str | None = None
    """How many missions of the window ended before a restart, in words; None: none did."""
    cannot_start: str | None = None
    """Why the lane is believed not to be able to start now, in words; None: it is not."""
    clean_limited: int = 0
    """Clean real windows of the limited cohort in the evidence log."""
    other_gateways: tuple[str, ...] = ()
    """By what other names rows of the evidence log call their gateway."""
    causes: tuple[Cause, ...] = ()
    """Why there might be no traffic."""
    gap: str | None = None
    """Which missions of the window nobody saw, in words, until a row says so."""
    is_unknown_waived: bool = False
    """Somebody lets the window be judged over the missions whose outcome is known."""

    @property
    def shares(self) -> tuple[tuple[str, Share], ...]:
        """Who fell back among the window's finished missions, the last 20 and the epoch's."""
        return (
            ("the window", Share(self.window.fallback, self.window.known)),
            ("the last 20", Share(self.trip_wire.fallbacks, self.trip_wire.terminal)),
            ("the epoch", self.epoch),
        )

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the metrics' figures prove nothing, in words."""
        no_metrics = "no metrics" if self.coverage is None else None
        number = 0 if self.is_unknown_waived else self.window.unknown
        blind = f"{counted(number, 'outcome')} of the window unknown" if number else None
        return tuple(filter(None, (self.doubt or no_metrics, blind, self.gap)))

    @property
    def unstartable(self) -> tuple[str, ...]:
        """What tells that the lane could not, or cannot, start, in words."""
        now = () if self.cannot_start is None else (self.cannot_start,)
        return _count(self.unstarted, "{} could not start the lane") or now

    @property
    def unclean(self) -> tuple[str, ...]:
        """What keeps the window from being clean, each in words; nothing: it is clean."""
        window, judged = self.window, self.runs_are_judged
        fallen = (f"{window.fallback} of {window.known} fell back",) * bool(window.fallback)
        return (*self.doubts, *fallen, *self.faults, *(("runs not watched",) * (not judged)))

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong besides fallbacks of finished missions, and besides what is not known."""
        return (
            *_window_faults(self.window),
            *self.unstartable,
            *(run.line for run in self.stuck_runs),
            *(run.told for run in self.cancelled if not run.is_settled),
            *self.changed,
            *filter(None, (self.passed_trip,)),
            *self.gates.failing,
        )

    @property
    def is_spoiled(self) -> bool:
        """Whether something that happened in the window makes clean impossible, for ever."""
        window = self.window
        is_slow = window.p95_s is not None and window.p95_s >= P95_WATCH_S
        return bool(window.fallback or window.failed or self.unstarted or is_slow)


def _window_faults(window: WindowNumbers) -> tuple[str, ...]:
    fallen = f"{window.fallen_running} still running fell back already"
    p95_s = window.p95_s or 0.0
    told = (
        (window.failed, f"{window.failed} of {window.terminal} failed"),
        (window.fallen_running, fallen),
        (p95_s >= P95_WATCH_S, f"the window's p95 {p95_cell(p95_s)} >= {P95_WATCH_S:g} s"),
    )
    running = f", {window.running} running" if window.running else ""
    none = _said(f"no finished mission in the window{running}", when=not window.terminal)
    return (*none, *(what for is_so, what in told if is_so))


class LaneFacts(NamedTuple):
    """What was seen of the lane."""

    routing: RoutingTally | None = None
    """None: no stream was heard, so that nothing is known of any turn."""
    has_session: bool | None = None
    """Whether the metrics have a row of the lane's session, made by the first delegation; None:
    there are no metrics."""
    last_error: str | None = None
    """Of that row."""
    runs_are_judged: bool = False
    """Whether a stuck run would have been noticed."""
    blocked_by: str | None = None
    """The stuck or deaf session behind which turns wait."""


class Cause(NamedTuple):
    """One possible cause, and the observations on each side."""

    name: str
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]

    @property
    def is_likely(self) -> bool:
        """Whether something speaks for it and nothing against it."""
        return bool(self.speaks_for) and not self.speaks_against

    @property
    def line(self) -> str:
        """The cause with both sides, in one line."""
        sides = (("for", self.speaks_for), ("against", self.speaks_against))
        told = [f"{side}: {', '.join(said)}" for side, said in sides if said]
        return f"{self.name}? {'; '.join(told) or 'nothing seen either way'}"


def causes_of_no_traffic(facts: LaneFacts) -> tuple[Cause, ...]:
    """Return every cause of a lack of missions: likely ones first, then those not ruled out."""
    tally = facts.routing or RoutingTally()
    silent = _count(tally.unexplained, "coding {} stayed on the primary path without a word")
    shadowed = _count(tally.shadow, "{} kept by shadow mode")
    delegated = _count(tally.delegated, "{} delegated")
    works = delegated + shadowed + _count(tally.bootstrap, "{} tried to start the lane")
    never = _said("the lane never had a session", when=facts.has_session is False)
    once = _said("the lane has a session", when=bool(silent and facts.has_session))
    coding = _count(tally.coding_turns, "{} of coding intent")
    # A turn that nobody heard begin may have been of coding intent.
    is_silent = facts.routing is not None and not coding and tally.ran <= tally.heard
    unheard = _said("the streams heard none", when=is_silent)
    failed = _count(tally.bootstrap, "{} could not start the lane")
    error = _said(f"the lane's last error: {facts.last_error}", when=facts.last_error is not None)
    not_shadowed = _said("no coding turn said so", when=bool(coding and not shadowed))
    not_failed = _said("no coding turn said so", when=bool(coding and not failed))
    waits = _said(f"turns wait behind {facts.blocked_by}", when=facts.blocked_by is not None)
    free = _said("no run is stuck", when=facts.runs_are_judged and not waits)
    causes = (
        Cause("lane off (UA_ENABLE_CODER_VP)", silent + never, works),
        Cause("forced fallback (UA_CODER_VP_FORCE_FALLBACK)", silent + once, works),
        Cause("shadow mode (UA_CODER_VP_SHADOW_MODE)", shadowed, delegated + not_shadowed),
        Cause("no coding intent", unheard, coding),
        Cause("queued behind a stuck run", waits, free),
        Cause("bootstrap failures", failed + error, not_failed),
    )
    return tuple(sorted(causes, key=lambda c: (not c.is_likely, bool(c.speaks_against))))


def likely(causes: Iterable[Cause]) -> tuple[str, ...]:
    """Return the lines of the causes that nothing speaks against, and something for."""
    return tuple(cause.line for cause in causes if cause.is_likely)


def _count(count: int, what: str) -> tuple[str, ...]:
    return _said(counted(count, what.format("turn"), what.format("turns")), when=count > 0)


def _said(what: str, *, when: bool) -> tuple[str, ...]:
    return (what,) if when else ()
