"""State + now -> what is drawn: ages, staleness, order, filter. Shared by screen and `status`.

`now` is the monotonic clock in seconds. A number is only as good as its source: each view carries
the state of the source it comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.coverage import (
    CoverageState,
    counted_since,
    coverage_of,
    is_of_workers,
    reconstruct,
    under_way,
    unreported_fallbacks,
)
from vp_tui.domain.missions import is_of_epoch, terminal_entries
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.claims import bounds_of, considered
from vp_tui.domain.rollout.evidence_row import cells_of
from vp_tui.domain.rollout.labels import moment, places_that_count
from vp_tui.domain.rollout.verdicts import outcomes_waiver
from vp_tui.domain.rollout.windows import (
    anchor_of,
    default_scope,
    missions_of,
    numbers_of,
    proposed_window,
    unreal_missions,
)
from vp_tui.domain.statistics import p95_after_each
from vp_tui.domain.text import stamp_z
from vp_tui.domain.vocabulary import P95_WATCH_S, Traffic
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.views.sources import SourceView, SourceWord, impossible_counts, source_view
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.coverage import Coverage, Reconstruction
    from vp_tui.domain.events import EvidenceRead
    from vp_tui.domain.missions import Gap, Ledger, LedgerEntry
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.rollout.claims import Bounds, Considered
    from vp_tui.domain.rollout.evidence_row import Cells
    from vp_tui.domain.rollout.guardrails import TripWire
    from vp_tui.domain.rollout.windows import Anchor, Window, WindowNumbers
    from vp_tui.state.state import Watch


TREND_POINTS: Final = 120
"""Missions in the trends at most."""


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
    considered: Considered
    """What the endpoint's rate counts."""
    unreported: int
    """Fallbacks that the ledger knows beyond those the gateway reports, of the same missions."""
    orphaned: frozenset[str]
    """Ids of missions that read `running` and cannot be."""
    orphaned_before: int
    """Of these, those of an earlier life of the gateway."""
    over_watch: int
    recent: tuple[LedgerEntry, ...]
    """Finished missions of the epoch, oldest first."""
    real: tuple[LedgerEntry, ...]
    """Of these, those that feed gates and guardrails."""
    p95_s: float | None
    """Of the epoch's finished missions, by the gateway's own rank."""
    timed: int
    """Of these, those whose time is known: p95 is a rank among them."""
    p95_trend: tuple[float, ...]
    """Its values after each of the newest of these."""
    cells: Cells
    """Of a row: of the missions that the endpoint considered, of whatever window or epoch."""

    @property
    def orphans(self) -> int:
        """How many missions read `running` and cannot be."""
        return len(self.orphaned)

    @property
    def failed(self) -> int:
        """How many of the epoch's missions failed."""
        return sum(entry.mission.status == "failed" for entry in self.recent)

    @property
    def completed(self) -> int:
        """How many of the epoch's missions completed."""
        return sum(entry.mission.status == "completed" for entry in self.recent)

    @property
    def running(self) -> int:
        """How many missions may be under way."""
        return len(self.under_way)

    @property
    def under_way(self) -> tuple[tuple[str, float], ...]:
        """The missions that may be under way, the oldest first, each with its age in seconds."""
        since_s, running = self.source.age_s or 0.0, under_way(self.snapshot, self.orphaned)
        return tuple((one, age_s + since_s) for one, age_s in running)

    @property
    def uncounted(self) -> int:
        """Fallbacks that the gateway reports beyond those of the finished missions."""
        return self.snapshot.fallback.with_fallback - self.reconstruction.fallbacks


@fact
def numbers(view: View) -> Numbers | None:
    """Return the figures of the newest snapshot, None before the first."""
    snapshot = view.state.snapshot
    if snapshot is None:
        return None
    state = view.state
    orphaned = state.ledger.given_up
    since = counted_since(state.ledger, state.boot_at)
    recent = view.same(terminal_entries, state.ledger, since, orphaned)
    real = view.same(_real, recent, unreal_now(view))
    coverage = view.same(coverage_of, snapshot, state.ledger)
    unreported = view.same(unreported_fallbacks, view.state.ledger, snapshot)
    whole = coverage.state in {CoverageState.FULL, CoverageState.NONE} and not coverage.unknown
    is_odd = snapshot.odd_durations or impossible_counts(snapshot)
    may_agree = whole and not unreported and not is_odd
    durations = view.same(_durations, recent)
    trend = view.same(p95_after_each, durations, TREND_POINTS)
    return Numbers(
        source=source_view(view, Source.METRICS),
        snapshot=snapshot,
        coverage=coverage,
        reported_rate=_reported_rate(snapshot),
        reconstruction=(seen := view.same(reconstruct, recent)),
        bounds=bounds_of(seen.fallbacks, seen.terminal) if seen.terminal else None,
        wire=view.same(_wire, real, ever_ended(view)),
        considered=view.same(considered, snapshot, recent),
        unreported=unreported,
        orphaned=orphaned,
        orphaned_before=view.same(_earlier, orphaned, view.state.ledger, view.state.boot_at),
        over_watch=sum((m.duration_s or 0.0) >= P95_WATCH_S for m in snapshot.missions),
        recent=recent,
        real=real,
        p95_s=trend[-1] if trend else None,
        timed=len(durations),
        p95_trend=trend,
        cells=view.same(cells_of, snapshot, state.ledger, orphaned, may_agree),
    )


@fact
def own_numbers(view: View) -> WindowNumbers:
    """Return the figures of the window's own missions."""
    return view.same(_own_numbers, current_window(view), view.state.ledger)


def _own_numbers(window: Window, ledger: Ledger) -> WindowNumbers:
    return numbers_of(window, ledger.entries.values(), ledger.given_up, ledger.stream_fallbacks)


def are_outcomes_unknown(view: View) -> bool:
    """Tell whether missions that a decision rests on fell back or not, nobody knows.

    They are the window's and the last 20; that the endpoint alone is blind is no danger.
    """
    return bool(unseen_outcomes(view)) and outcomes_waiver(current_window(view).waivers) is None


def unseen_outcomes(view: View) -> str:
    """Say how many missions that a decision rests on ended unseen, "" where none did."""
    if (figures := numbers(view)) is None:
        return ""
    own, wire = own_numbers(view).unknown, figures.wire
    last = f"{wire.unknown} of the last {wire.terminal + wire.unknown} ended unseen"
    return f"{own} in the window, {last}" if own or wire.unknown else ""


def cannot_be_known(view: View, coverage: Coverage) -> str:
    """Say since when nobody who did not watch can know how missions end, "" where it can be."""
    taken, since = view.state.snapshot, coverage.since
    if view.state.dialect != "G2" or taken is None or since is None or not is_of_workers(taken):
        return ""
    return f"they cannot be known on this gateway since {stamp_z(since, view.wall)}"


@fact
def own_since_boot(view: View) -> WindowNumbers:
    """Return the figures of those of the window's own missions that are of this epoch."""
    ledger, boot_at = view.state.ledger, view.state.boot_at
    return view.same(_since_boot, current_window(view), ledger, boot_at)


def _since_boot(window: Window, ledger: Ledger, boot_at: datetime | None) -> WindowNumbers:
    own = [e for e in ledger.entries.values() if is_of_epoch(e.mission, boot_at)]
    return numbers_of(window, own, ledger.given_up, ledger.stream_fallbacks)


@fact
def unreal_now(view: View) -> frozenset[str]:
    """Return the missions that no gate or guardrail counts: of traffic that is not real."""
    known = (view.state.evidence or NO_EVIDENCE).unreal_ids
    windows = (*view.state.windows, current_window(view))
    return view.same(_unreal, windows, view.state.ledger, known)


@fact
def ever_ended(view: View) -> tuple[LedgerEntry, ...]:
    """Return the real finished missions of every life of the gateway, oldest first."""
    return view.same(_ever_ended, view.state.ledger, unreal_now(view))


def _ever_ended(ledger: Ledger, unreal_ids: frozenset[str]) -> tuple[LedgerEntry, ...]:
    return _real(terminal_entries(ledger, None, ledger.given_up), unreal_ids)


@fact
def untold_gap(view: View) -> Gap | None:
    """Return the gap in the window's missions that no row tells of; None without one."""
    gap, window = view.state.ledger.gap, current_window(view)
    if gap is None or (window.opened_at is not None and gap.at < window.opened_at):
        return None
    rows = lane_log(view).rows
    is_told = any((at := moment(row)) is not None and at >= gap.at for row in rows)
    return None if is_told else gap


def is_log_known(view: View) -> bool:
    """Tell whether the evidence log was read, so that stage and window are known."""
    log = view.state.evidence
    if log is None:
        return view.state.watch.evidence is None
    return log.problem is None or bool(log.rows)


@fact
def lane_log(view: View) -> EvidenceRead:
    """Return the evidence log without rows of other lanes, and without superseded ones."""
    return view.same(_lane_log, view.state.evidence or NO_EVIDENCE, view.state.watch.vp_id)


def _lane_log(log: EvidenceRead, vp_id: str) -> EvidenceRead:
    places = places_that_count(log.rows, vp_id)
    if len(places) == len(log.rows):
        return log
    first = len(log.rows) - len(log.authors)
    authors = tuple(log.authors[place - first] for place in places if place >= first)
    return log._replace(rows=tuple(log.rows[place] for place in places), authors=authors)


@fact
def current_window(view: View) -> Window:
    """Return the open window, or while there is none the one that is proposed next."""
    if view.window is not None:
        return view.window
    window = view.state.window
    if window is not None:
        return window._replace(stage=view.state.watch.stage or window.stage)
    proposed = view.same(_proposed, view.state.watch, lane_log(view))
    if view.same(
        _is_probed, view.state.watch, proposed, view.state.ledger, view.state.lane.probe_missions
    ):
        scope = _scope(view.state.watch, Traffic.PROBE)
        return proposed._replace(source=Traffic.PROBE, scope=scope)
    return proposed


def anchor_now(view: View) -> Anchor | None:
    """Return what is known of all missions; None while the metrics do not tell what is so now."""
    figures = numbers(view)
    if figures is None or figures.source.word is not SourceWord.LIVE:
        return None
    return anchor_of(view.state.ledger.entries.values(), figures.orphaned)


def probed_missions(view: View, window: Window) -> tuple[int, int]:
    """Return how many missions the window has, and how many of them are probes of ours."""
    own = missions_of(window, view.state.ledger.entries.values())
    return len(own), len(own & view.state.lane.probe_missions)


def _is_probed(watch: Watch, window: Window, ledger: Ledger, probes: frozenset[str]) -> bool:
    """Tell whether all that a window has are probes of ours: organic it is not, then."""
    if not probes or watch.source is not Traffic.ORGANIC:
        return False
    return bool(held := missions_of(window, ledger.entries.values())) and held <= probes


def _scope(watch: Watch, source: Traffic) -> str:
    return watch.window_scope or default_scope(watch.vp_id, watch.name, source)


def _proposed(watch: Watch, log: EvidenceRead) -> Window:
    return proposed_window(
        log.rows,
        log.recorded_ids,
        scope=_scope(watch, watch.source),
        source=watch.source,
        stage=watch.stage,
        label=watch.window_label,
    )


def _unreal(windows: tuple[Window, ...], ledger: Ledger, known: frozenset[str]) -> frozenset[str]:
    """Return the missions that no gate or guardrail counts; `known` are those that records tell."""
    if all(window.source.is_real for window in windows):
        return known
    return known | unreal_missions(windows, (e.mission for e in ledger.entries.values()))


def _real(recent: tuple[LedgerEntry, ...], unreal: frozenset[str]) -> tuple[LedgerEntry, ...]:
    if not unreal:
        return recent
    return tuple(entry for entry in recent if entry.mission.mission_id not in unreal)


def _wire(real: tuple[LedgerEntry, ...], ever: tuple[LedgerEntry, ...]) -> TripWire:
    from vp_tui.domain.rollout.guardrails import trip_wire  # noqa: PLC0415 - not needed for the first frame

    return trip_wire(real, ever)


def _durations(ended: tuple[LedgerEntry, ...]) -> tuple[float, ...]:
    return tuple(e.mission.duration_s for e in ended if e.mission.duration_s is not None)


def _reported_rate(snapshot: Snapshot) -> float | None:
    """Return the reported rate; None with no missions, and where what is counted cannot be."""
    is_told = snapshot.fallback.considered and not impossible_counts(snapshot)
    return snapshot.fallback.rate if is_told else None


def _earlier(orphaned: frozenset[str], ledger: Ledger, boot_at: datetime | None) -> int:
    held = (ledger.entries[one].mission for one in orphaned if one in ledger.entries)
    return sum(not is_of_epoch(mission, boot_at) for mission in held)
