"""State + now -> what is drawn: ages, staleness, order, filter. Shared by screen and report.

`now` is the monotonic clock in seconds. A number is only as good as its source: each view carries
the state of the source it comes from.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions.ledger import (
    ORPHAN_GRACE_S,
    coverage_of,
    orphans,
    p95_after_each,
    reconstruct,
    terminal_entries,
    unreported_fallbacks,
)
from vp_tui.domain.models import Source, StreamState
from vp_tui.domain.rollout.windows import (
    current_stage,
    default_scope,
    proposed_window,
    unreal_missions,
)
from vp_tui.domain.vocabulary import GUARDRAIL_RATE, P95_WATCH_S, Stage, Traffic
from vp_tui.state.sources import SourceView, source_view, while_same
from vp_tui.state.state import EvidenceLog, SourceStatus

if TYPE_CHECKING:
    from vp_tui.domain.missions.ledger import Coverage, Ledger, LedgerEntry, Reconstruction
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.rollout.guardrails import TripWire
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.runs.run import Run
    from vp_tui.state.state import Link, State, Watch


NO_EVIDENCE: Final = EvidenceLog()
TREND_POINTS: Final = 120
"""Missions in the trends at most."""


class Bounds(NamedTuple):
    """What the finished missions prove of the fallback rate; rates are fractions, 0 to 1."""

    interval95: tuple[float, float]
    """Wilson's, two-sided."""
    upper95: float
    """Clopper-Pearson's, one-sided."""
    needed: int
    """Further clean missions until the rate is proven to be below the guardrail's."""


class Numbers(NamedTuple):
    """What the metrics and the ledger say. Durations in seconds, rates fractions 0..1."""

    source: SourceView
    snapshot: Snapshot
    coverage: Coverage
    reported_rate: float | None
    """As the gateway reports it; None with no missions: 0/0 is not 0."""
    reconstruction: Reconstruction
    bounds: Bounds | None
    """Of the reconstructed rate; None without a finished mission."""
    wire: TripWire
    """How guardrail 3 stands."""
    unreported: int
    """Fallbacks that the ledger knows beyond those the gateway reports, of the same missions."""
    orphaned: frozenset[str]
    """Ids of missions that read `running` and cannot be."""
    over_watch: int
    recent: tuple[LedgerEntry, ...]
    """Finished missions of the epoch, oldest first."""
    real: tuple[LedgerEntry, ...]
    """Of these, those that feed gates and guardrails."""
    p95_trend: tuple[float, ...]

    @property
    def orphans(self) -> int:
        """How many missions read `running` and cannot be."""
        return len(self.orphaned)


def numbers(state: State, now: float, window: Window | None = None) -> Numbers | None:
    """Return the figures of the newest snapshot, None before the first.

    `window` stands in for the current one.
    """
    snapshot = state.snapshot
    if snapshot is None:
        return None
    orphaned = frozenset(orphans(snapshot, state.dialect, may_run=_may_run(state)))
    recent = finished(state.ledger, state.boot_at, orphaned)
    unreal_ids = (state.evidence or NO_EVIDENCE).unreal_ids
    windows = (*state.windows, window or current_window(state))
    real = _real(recent, _unreal(windows, state.ledger, unreal_ids))
    return Numbers(
        source=source_view(state, Source.METRICS, now),
        snapshot=snapshot,
        coverage=_coverage(snapshot),
        reported_rate=snapshot.fallback.rate if snapshot.fallback.considered else None,
        reconstruction=(seen := _reconstruction(recent)),
        bounds=bounds_of(seen.fallbacks, seen.terminal) if seen.terminal else None,
        wire=_wire(real),
        unreported=_unreported(state.ledger, snapshot),
        orphaned=orphaned,
        over_watch=sum((m.duration_s or 0.0) >= P95_WATCH_S for m in snapshot.missions),
        recent=recent,
        real=real,
        p95_trend=_p95_trend(snapshot),
    )


def is_log_known(state: State) -> bool:
    """Tell whether the evidence log was read, so that stage and window are known."""
    log = state.evidence
    if log is None:
        return state.watch.evidence is None
    return log.problem is None or bool(log.rows)


def current_window(state: State) -> Window:
    """Return the open window, or while there is none the one that is proposed next."""
    window = state.window
    if window is not None:
        return window._replace(stage=current_stage(state.watch.stage, window, ()))
    proposed = _proposed(state.watch, state.evidence or NO_EVIDENCE)
    if state.lane.is_reverted and state.watch.stage is None:
        proposed = proposed._replace(stage=Stage.REVERTED)
    if _is_probed(state.watch, proposed, state.ledger, state.lane.probe_missions):
        scope = _scope(state.watch, Traffic.PROBE)
        return proposed._replace(source=Traffic.PROBE, scope=scope)
    return proposed


def probed_missions(state: State, window: Window) -> tuple[int, int]:
    """Return how many missions the window has, and how many of them are probes of ours."""
    entries = state.ledger.entries.values()
    own = {entry.mission.mission_id for entry in entries if window.holds(entry.mission)}
    return len(own), len(own & state.lane.probe_missions)


@while_same
def _is_probed(watch: Watch, window: Window, ledger: Ledger, probes: frozenset[str]) -> bool:
    """Tell whether all that a window has are probes of ours: organic it is not, then."""
    if not probes or watch.source is not Traffic.ORGANIC:
        return False
    held = [id_ for id_, entry in ledger.entries.items() if window.holds(entry.mission)]
    return bool(held) and probes.issuperset(held)


def _scope(watch: Watch, source: Traffic) -> str:
    return watch.window_scope or default_scope(watch.vp_id, watch.name, source)


@while_same
def _proposed(watch: Watch, log: EvidenceLog) -> Window:
    return proposed_window(
        log.rows,
        log.recorded_ids,
        scope=_scope(watch, watch.source),
        source=watch.source,
        stage=watch.stage,
        label=watch.window_label,
    )


@while_same
def _unreal(windows: tuple[Window, ...], ledger: Ledger, known: frozenset[str]) -> frozenset[str]:
    """Return the missions that no gate or guardrail counts; `known` are those that records tell."""
    if all(window.source.is_real for window in windows):
        return known
    return known | unreal_missions(windows, (e.mission for e in ledger.entries.values()))


@while_same
def _real(recent: tuple[LedgerEntry, ...], unreal: frozenset[str]) -> tuple[LedgerEntry, ...]:
    if not unreal:
        return recent
    return tuple(entry for entry in recent if entry.mission.mission_id not in unreal)


def _may_run(state: State) -> bool:
    """Tell whether a mission may be under way; only a listing can tell that none is.

    The listing and the snapshot are of different moments, so a run that moved shortly before the
    snapshot counts, and so does a turn whose end vp-tui would have heard.
    """
    listing = state.sources.get(Source.SESSIONS, SourceStatus())
    if listing.answered_at is None or listing.failure is not None:
        return True
    if any(session.is_running for session in state.sessions.values()):
        return True
    told_at = state.sources.get(Source.METRICS, SourceStatus()).answered_at or 0.0
    return any(
        (run.progress_at is not None and told_at - run.progress_at < ORPHAN_GRACE_S)
        or _is_heard(run, state.links.get(run.session_id))
        for run in state.runs.values()
    )


def _is_heard(run: Run, link: Link | None) -> bool:
    """Tell whether a turn is open and its socket has been there since it began."""
    if link is None or link.state is not StreamState.LIVE:
        return False
    return run.turn.started_at is not None and link.since <= run.turn.started_at


finished = while_same(terminal_entries)
_coverage = while_same(coverage_of)
_reconstruction = while_same(reconstruct)
_unreported = while_same(unreported_fallbacks)


@while_same
def _wire(real: tuple[LedgerEntry, ...]) -> TripWire:
    from vp_tui.domain.rollout.guardrails import trip_wire  # noqa: PLC0415 - not needed for the first frame

    return trip_wire(real)


@lru_cache(maxsize=8)
def bounds_of(fallbacks: int, n: int) -> Bounds:
    """Return what `fallbacks` among `n` finished missions prove, one at least."""
    from vp_tui.domain.missions.statistics import (  # noqa: PLC0415 - as in `_wire`
        clean_missions_needed,
        upper95,
        wilson,
    )

    needed = clean_missions_needed(fallbacks, n, GUARDRAIL_RATE)
    return Bounds(wilson(fallbacks, n), upper95(fallbacks, n), needed)


@while_same
def _p95_trend(snapshot: Snapshot) -> tuple[float, ...]:
    """Return the p95 after each mission: of the missions the newest snapshot has, oldest first."""
    durations = [m.duration_s for m in reversed(snapshot.missions) if m.duration_s is not None]
    return p95_after_each(durations, TREND_POINTS)
