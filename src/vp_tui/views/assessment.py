"""State + now -> what the rollout's rules make of it: window, gates, guardrails, suggestion.

The same facts give the same value: nothing is computed again until one of them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.auto_revert import AutoRevert
from vp_tui.domain.missions import reconstruct
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.decisions import Suggestion, suggest
from vp_tui.domain.rollout.gates import GateFacts, judge_gates
from vp_tui.domain.rollout.guardrails import (
    CancelRecovery,
    EvidenceTarget,
    Guardrails,
    cancel_recovery,
    evidence_target,
    trip_wire,
)
from vp_tui.domain.rollout.labels import clean_limited_windows
from vp_tui.domain.rollout.situation import LaneFacts, Refusal, Situation, causes_of_no_traffic
from vp_tui.domain.rollout.verdicts import attested, with_waivers
from vp_tui.domain.rollout.windows import numbers_of
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.views.figures import Cells, current_window, is_log_known, numbers
from vp_tui.views.sources import SourceWord, listened, source_view
from vp_tui.views.stuck_runs import cancelled_runs, stuck_runs_in
from vp_tui.views.troubles import SafetyFacts, can_force, safety_line, state_entries
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from vp_tui.domain.events import EvidenceRead
    from vp_tui.domain.missions import CoverageState, Ledger, LedgerEntry
    from vp_tui.domain.models import Continuity, Snapshot
    from vp_tui.domain.rollout.guardrails import TripWire
    from vp_tui.domain.rollout.situation import CancelledRun, Cause, StuckRun
    from vp_tui.domain.rollout.verdicts import Gates, Suites
    from vp_tui.domain.rollout.windows import Window, WindowNumbers
    from vp_tui.domain.runs.turns import RoutingTally
    from vp_tui.domain.vocabulary import Profile
    from vp_tui.views.figures import Numbers
    from vp_tui.views.sources import SourceView
    from vp_tui.views.troubles import SafetyEntry


class Assessment(NamedTuple):
    """What the rules make of what is known."""

    window: Window | None
    """The open one, else the one proposed next; None while the evidence log that tells it is
    unread."""
    numbers: WindowNumbers | None
    """The window's own; None before the first metrics."""
    is_clean: bool | None
    wire: TripWire
    gates: Gates
    """Those that the window's waivers set aside are WAIVED; guardrails and SAFETY know none."""
    target: EvidenceTarget | None
    """None without an evidence log."""
    suggestion: Suggestion | None
    """None while the window is not known."""
    safety: tuple[SafetyEntry, ...]
    recovery: CancelRecovery
    causes: tuple[Cause, ...] = ()
    """Why there might be no traffic, likely ones first."""
    mode: RevertMode = RevertMode.DRY_RUN
    revert: AutoRevert = AutoRevert()

    @property
    def guardrails(self) -> Guardrails:
        """All three, as they stand."""
        target = self.target or EvidenceTarget(0, None)
        return Guardrails(self.wire, target, self.recovery, self.mode, self.revert)


class _Facts(NamedTuple):
    """All that an assessment depends on, without anything that changes by itself."""

    window: Window
    is_log_known: bool
    profile: Profile
    evidence: EvidenceRead
    clean_limited: int
    has_evidence: bool
    ledger: Ledger
    snapshot: Snapshot | None
    coverage: CoverageState | None
    orphaned: frozenset[str]
    real: tuple[LedgerEntry, ...]
    wire: TripWire
    cells: Cells | None
    doubt: str | None
    refusal: Refusal | None
    continuity: Continuity | None
    failed_attaches: int
    suites: Suites
    routing: RoutingTally | None
    runs_are_judged: bool
    stuck_runs: tuple[StuckRun, ...]
    cancelled: tuple[CancelledRun, ...]
    recovery: CancelRecovery
    dangers: SafetyFacts


@fact
def assess(view: View) -> Assessment:
    """Return the assessment of the view's window."""
    return view.same(_assessed, _facts(view, numbers(view)))


def _facts(view: View, figures: Numbers | None) -> _Facts:
    metrics = source_view(view, Source.METRICS)
    continuity = source_view(view, Source.CONTINUITY)
    shown = current_window(view)
    stuck_runs = stuck_runs_in(view)
    stuck = [run.session_id for run in stuck_runs if not run.is_deaf]
    return _Facts(
        window=shown,
        is_log_known=view.window is not None or is_log_known(view),
        profile=view.state.watch.profile,
        evidence=(log := view.state.evidence or NO_EVIDENCE),
        clean_limited=view.same(clean_limited_windows, log.rows, log.unreal_windows),
        has_evidence=view.state.evidence is not None,
        ledger=view.state.ledger,
        snapshot=figures.snapshot if figures else None,
        coverage=figures.coverage.state if figures else None,
        orphaned=figures.orphaned if figures else frozenset(),
        real=figures.real if figures else (),
        wire=figures.wire if figures else _NO_WIRE,
        cells=figures.cells if figures else None,
        doubt=_doubt(metrics),
        refusal=_refusal(metrics),
        continuity=view.state.continuity if continuity.word is SourceWord.LIVE else None,
        failed_attaches=view.state.failed_attaches,
        suites=attested(view.state.suites, view.wall),
        routing=view.state.routing if listened(view) else None,
        runs_are_judged=source_view(view, Source.SESSIONS).is_current,
        stuck_runs=stuck_runs,
        cancelled=cancelled_runs(view, shown),
        recovery=cancel_recovery(view.state.cancels, view.now, stuck),
        dangers=SafetyFacts(
            figures.wire if figures else _NO_WIRE,
            stuck_runs,
            state_entries(view),
            view.state.watch,
            view.state.auto_revert,
            can_force=can_force(view),
        ),
    )


_NO_WIRE: Final = trip_wire(())


def _doubt(metrics: SourceView) -> str | None:
    """Say why the figures prove nothing now; None: they may, or there are none yet."""
    if metrics.has_substitute:
        return "the ops plane refuses, the dashboard endpoint stands in"
    if metrics.word in {SourceWord.LIVE, SourceWord.IDLE}:
        return None
    return f"the metrics are {metrics.word}"


def _refusal(metrics: SourceView) -> Refusal | None:
    if metrics.word is not SourceWord.UNAUTHORIZED or metrics.failure is None:
        return None
    reason = f"{metrics.failure.reason}: {metrics.failure.cure}".rstrip(": ")
    return Refusal(reason, dashboard_answers=metrics.has_substitute)


def _assessed(facts: _Facts) -> Assessment:
    found = facts.snapshot is not None
    own = numbers_of(facts.window, facts.ledger.entries.values(), facts.orphaned)
    judged = judge_gates(
        GateFacts(
            facts.real,
            facts.wire,
            window=own if facts.window.source.is_real else None,
            coverage=facts.coverage,
            doubt=facts.doubt,
            orphans=len(facts.orphaned),
            continuity=facts.continuity,
            own_failed_attaches=facts.failed_attaches,
            suites=facts.suites,
        )
    )
    gates = with_waivers(judged, facts.window.waivers, tripped=facts.wire.tripped)
    situation = _situation(facts, own, gates)
    rows, stage = facts.evidence.rows, facts.window.stage
    target = evidence_target(rows, stage, facts.real) if facts.has_evidence else None
    return Assessment(
        window=facts.window if facts.is_log_known else None,
        numbers=own if found else None,
        is_clean=situation.is_clean if found else None,
        wire=facts.wire,
        gates=gates,
        target=target,
        suggestion=suggest(situation) if facts.is_log_known else None,
        safety=safety_line(facts.dangers),
        recovery=facts.recovery,
        causes=situation.causes,
        mode=facts.dangers.watch.auto_revert,
        revert=facts.dangers.revert,
    )


def _situation(facts: _Facts, own: WindowNumbers, gates: Gates) -> Situation:
    return Situation(
        stage=facts.window.stage,
        source=facts.window.source,
        window=own,
        trip_wire=facts.wire,
        gates=gates,
        profile=facts.profile,
        coverage=facts.coverage,
        doubt=facts.doubt,
        rate=reconstruct(facts.real).rate,
        p95_s=facts.cells.p95_s if facts.cells else None,
        refusal=facts.refusal,
        stuck_runs=facts.stuck_runs,
        runs_are_judged=facts.runs_are_judged,
        cancelled=facts.cancelled,
        clean_limited=facts.clean_limited,
        causes=causes_of_no_traffic(_lane(facts)),
    )


def _lane(facts: _Facts) -> LaneFacts:
    lane = facts.snapshot.lane if facts.snapshot else None
    return LaneFacts(
        routing=facts.routing,
        has_session=None if facts.snapshot is None else lane is not None,
        last_error=lane.last_error if lane else None,
        runs_are_judged=facts.runs_are_judged,
        blocked_by=next((run.session_id for run in facts.stuck_runs if run.waiting), None),
    )
