"""State + now -> what the rollout's rules make of it: window, gates, guardrails, suggestion.

The same facts give the same value: nothing is computed again until one of them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.missions import reconstruct
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.decisions import Suggestion, suggest
from vp_tui.domain.rollout.gates import GateFacts, judge_gates
from vp_tui.domain.rollout.guardrails import (
    EvidenceTarget,
    Guardrails,
    cancel_recovery,
    evidence_target,
    trip_wire,
)
from vp_tui.domain.rollout.labels import clean_limited_windows
from vp_tui.domain.rollout.situation import LaneFacts, Situation, causes_of_no_traffic
from vp_tui.domain.rollout.verdicts import attested, with_waivers
from vp_tui.domain.rollout.windows import numbers_of
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.views.figures import UNEXPLAINED, current_window, is_log_known, numbers
from vp_tui.views.lane import lane_mode
from vp_tui.views.sources import SourceWord, listened, source_view
from vp_tui.views.stuck_runs import cancelled_runs, stuck_runs_in
from vp_tui.views.troubles import safety_line
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from vp_tui.domain.missions import Ledger, LedgerEntry
    from vp_tui.domain.rollout.guardrails import TripWire
    from vp_tui.domain.rollout.situation import Cause
    from vp_tui.domain.rollout.verdicts import Gates
    from vp_tui.domain.rollout.windows import Window, WindowNumbers
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
    gates: Gates
    """Those that the window's waivers set aside are WAIVED; guardrails and SAFETY know none."""
    target: EvidenceTarget | None
    """None without an evidence log."""
    suggestion: Suggestion | None
    """None while the window is not known."""
    safety: tuple[SafetyEntry, ...]
    guardrails: Guardrails
    """All three, as they stand."""
    causes: tuple[Cause, ...]
    """Why there might be no traffic, likely ones first."""
    why_silent: str = UNEXPLAINED
    """What is known of coding turns that stayed on the primary path without a word."""

    @property
    def wire(self) -> TripWire:
        """How guardrail 3 stands."""
        return self.guardrails.trip_wire


_SILENCE: Final = {
    LaneMode.FORCED_FALLBACK: "by forced fallback",
    LaneMode.DISABLED: "as the lane is off",
}
"""Modes in which such turns are what is to be expected."""
_NO_WIRE: Final = trip_wire(())
_NO_TARGET: Final = EvidenceTarget(0, None)


@fact
def assess(view: View) -> Assessment:
    """Return the assessment of the view's window."""
    figures, window, log = numbers(view), current_window(view), view.state.evidence
    hanging, orphaned = stuck_runs_in(view), figures.orphaned if figures else frozenset[str]()
    own = view.same(_own_numbers, window, view.state.ledger, orphaned)
    facts = _gate_facts(view, own if window.source.is_real else None)
    wire, real = facts.trip_wire, facts.finished
    gates = with_waivers(view.same(judge_gates, facts), window.waivers, tripped=wire.tripped)
    situation = _situation(view, own, gates, facts)
    is_known = view.window is not None or is_log_known(view)
    target = view.same(evidence_target, log.rows, window.stage, real) if log is not None else None
    stuck = [run.session_id for run in hanging if not run.is_deaf]
    guardrails = Guardrails(
        wire,
        target or _NO_TARGET,
        cancel_recovery(view.state.cancels, view.now, stuck),
        view.state.watch.auto_revert,
        view.state.auto_revert,
    )
    return view.same(
        Assessment,
        window if is_known else None,
        own if figures else None,
        not situation.unclean if figures else None,
        gates,
        target,
        view.same(suggest, situation) if is_known else None,
        safety_line(view, guardrails, hanging),
        guardrails,
        situation.causes,
        _SILENCE.get(lane_mode(view).mode, UNEXPLAINED),
    )


def _own_numbers(window: Window, ledger: Ledger, orphaned: frozenset[str]) -> WindowNumbers:
    return numbers_of(window, ledger.entries.values(), orphaned)


def _gate_facts(view: View, own: WindowNumbers | None) -> GateFacts:
    figures = numbers(view)
    is_fresh = source_view(view, Source.CONTINUITY).word is SourceWord.LIVE
    return GateFacts(
        figures.real if figures else (),
        figures.wire if figures else _NO_WIRE,
        window=own,
        coverage=figures.coverage.state if figures else None,
        doubt=_doubt(source_view(view, Source.METRICS)),
        orphans=figures.orphans if figures else 0,
        continuity=view.state.continuity if is_fresh else None,
        own_failed_attaches=view.state.failed_attaches,
        suites=attested(view.state.suites, view.wall),
    )


def _doubt(metrics: SourceView) -> str | None:
    """Say why the figures prove nothing now; None: they may, or there are none yet."""
    if metrics.has_substitute:
        return "the ops plane refuses, the dashboard endpoint stands in"
    if metrics.word in {SourceWord.LIVE, SourceWord.IDLE}:
        return None
    return f"the metrics are {metrics.word}"


def _refusal(metrics: SourceView) -> tuple[str, ...]:
    if metrics.word is not SourceWord.UNAUTHORIZED or metrics.failure is None:
        return ()
    reason = f"{metrics.failure.reason}: {metrics.failure.cure}".rstrip(": ")
    stands_in = "the dashboard endpoint answers: its figures serve the SAFETY line only"
    return (reason, stands_in) if metrics.has_substitute else (reason,)


def _situation(view: View, own: WindowNumbers, gates: Gates, facts: GateFacts) -> Situation:
    figures, window, log = numbers(view), current_window(view), view.state.evidence or NO_EVIDENCE
    return Situation(
        stage=window.stage,
        source=window.source,
        window=own,
        trip_wire=facts.trip_wire,
        gates=gates,
        profile=view.state.watch.profile,
        coverage=facts.coverage,
        doubt=facts.doubt,
        rate=view.same(_rate, facts.finished),
        p95_s=figures.cells.p95_s if figures else None,
        refusal=_refusal(source_view(view, Source.METRICS)),
        stuck_runs=stuck_runs_in(view),
        runs_are_judged=source_view(view, Source.SESSIONS).is_current,
        cancelled=cancelled_runs(view, window),
        clean_limited=view.same(clean_limited_windows, log.rows, log.unreal_windows),
        causes=view.same(causes_of_no_traffic, _lane_facts(view)),
    )


def _rate(real: tuple[LedgerEntry, ...]) -> float | None:
    return reconstruct(real).rate


def _lane_facts(view: View) -> LaneFacts:
    snapshot = view.state.snapshot
    lane = snapshot.lane if snapshot else None
    return LaneFacts(
        routing=view.state.routing if listened(view) else None,
        has_session=None if snapshot is None else lane is not None,
        last_error=lane.last_error if lane else None,
        runs_are_judged=source_view(view, Source.SESSIONS).is_current,
        blocked_by=next((run.session_id for run in stuck_runs_in(view) if run.waiting), None),
    )


def plain_gates(gates: Gates) -> dict[str, dict[str, str]]:
    """Return the gates by name, as plain JSON values."""
    return {
        name: {"verdict": gate.verdict, "reason": gate.reason, "threshold": gate.threshold}
        for name, gate in gates.by_name().items()
    }


def plain_suggestion(suggestion: Suggestion) -> dict[str, str | list[str]]:
    """Return the word and its reasons, as plain JSON values."""
    return {"decision": suggestion.decision, "reasons": list(suggestion.reasons)}
