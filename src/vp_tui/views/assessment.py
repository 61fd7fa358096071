"""State + now -> what the rollout's rules make of it: window, gates, guardrails, suggestion.

The same facts give the same value: nothing is computed again until one of them changes.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.coverage import reconstruct
from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.missions import is_of_epoch
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.decisions import Suggestion, suggest
from vp_tui.domain.rollout.gates import GateFacts, judge_gates
from vp_tui.domain.rollout.guardrails import (
    ROLLING,
    EvidenceTarget,
    Guardrails,
    cancel_recovery,
    evidence_target,
    newest_bad,
    trip_passed,
    trip_wire,
    tripped_before,
)
from vp_tui.domain.rollout.labels import clean_limited_windows, moment, other_gateways, short_label
from vp_tui.domain.rollout.situation import LaneFacts, Share, Situation, causes_of_no_traffic
from vp_tui.domain.rollout.verdicts import attested, outcomes_waiver, with_waivers
from vp_tui.domain.rollout.windows import TRIP, RecordedEnd, Told, changed_ends
from vp_tui.domain.text import clock_z, counted
from vp_tui.domain.vocabulary import Word
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.views.figures import (
    current_window,
    ever_ended,
    is_log_known,
    lane_log,
    numbers,
    own_numbers,
    own_since_boot,
    unreal_now,
    untold_gap,
)
from vp_tui.views.lane import lane_mode
from vp_tui.views.runs import are_runs_judged
from vp_tui.views.sources import SourceWord, listened, source_view
from vp_tui.views.stuck_runs import cancelled_runs, stuck_runs_in
from vp_tui.views.troubles import safety_line
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vp_tui.domain.missions import Ledger, LedgerEntry
    from vp_tui.domain.models import Snapshot
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
    is_spoiled: bool
    """Something that happened in the window makes clean impossible, for ever."""
    trips: tuple[Told, ...]
    """Trips of guardrail 3 that the next row tells of."""
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

    @property
    def wire(self) -> TripWire:
        """How guardrail 3 stands."""
        return self.guardrails.trip_wire


EPOCH_UNKNOWN: Final = "epoch unknown"


@fact
def assess(view: View) -> Assessment:
    """Return the assessment of the view's window."""
    figures, window, log = numbers(view), current_window(view), view.state.evidence
    hanging = stuck_runs_in(view)
    own = own_numbers(view)
    since = own_since_boot(view)
    facts = _gate_facts(view, since if window.source.is_real else None)
    wire = facts.trip_wire
    gates = with_waivers(view.same(judge_gates, facts), window.waivers, tripped=wire.tripped)
    changed, trips = changed_ends_of(view), _trips(view, facts)
    situation = _situation(view, own, gates, facts)._replace(
        ended_trip=next((trip.words for trip in trips if trip.is_untold and trip.is_ended), None),
        passed_trip=next((trip.words for trip in trips if trip.is_untold and trip.is_past), None),
        changed=view.same(changed_words, changed),
        across=across_boots(view),
    )
    is_known = view.window is not None or is_log_known(view)
    rows = lane_log(view).rows
    target = view.same(evidence_target, rows, window.stage, ever_ended(view)) if log else None
    stuck = [run.session_id for run in hanging if run.session_id and not run.is_deaf]
    guardrails = Guardrails(
        wire,
        target or EvidenceTarget(0, None),
        cancel_recovery(view.state.cancels, view.now, stuck),
        view.state.watch.auto_revert,
        view.state.auto_revert,
    )
    return view.same(
        Assessment,
        window if is_known else None,
        own if figures else None,
        not situation.unclean if figures else None,
        situation.is_spoiled,
        tuple(trip.told for trip in trips),
        gates,
        target,
        view.same(suggest, situation) if is_known else None,
        safety_line(view, guardrails, hanging),
        guardrails,
        situation.causes,
    )


class Trip(NamedTuple):
    """A trip of guardrail 3."""

    at: datetime
    """When its newest fallback, or failure, finished."""
    words: str
    is_untold: bool
    is_ended: bool = False
    """A restart in this window ended it."""
    is_past: bool = False
    """Further missions ended it."""

    @property
    def told(self) -> Told:
        """What a row says of it."""
        return Told(TRIP, "", self.at)


def _trips(view: View, facts: GateFacts) -> tuple[Trip, ...]:
    """Return the trips that a row has to tell of: now, before the restart, and gone by."""
    window, boot_at, real = current_window(view), view.state.boot_at, facts.finished
    found = list[Trip]()
    if facts.trip_wire.reason is not None and (at := newest_bad(real[-ROLLING:])) is not None:
        found.append(Trip(at, facts.trip_wire.reason, is_untold=_is_untold(view, at)))
    elif (gone := view.same(trip_passed, real, window)) is not None:
        words = f"guardrail 3 was tripped at {clock_z(gone)}, later missions ended that"
        found.append(Trip(gone, words, is_untold=_is_untold(view, gone), is_past=True))
    reason, at = view.same(tripped_before, facts.ever, boot_at)
    if reason is not None and at is not None and boot_at is not None:
        words = f"tripped before the restart of {clock_z(boot_at)}: {reason}"
        is_ended = boot_at >= _began(view, window)
        found.append(Trip(at, words, is_untold=_is_untold(view, at), is_ended=is_ended))
    return tuple(found)


def _began(view: View, window: Window) -> datetime:
    """Return when a window was opened; a proposed one begins with the last row."""
    rows = lane_log(view).rows
    last = moment(rows[-1]) if rows else None
    return window.opened_at or last or datetime.min.replace(tzinfo=UTC)


def _is_untold(view: View, at: datetime) -> bool:
    """Tell whether no row tells of a trip: by its record, or, without one, by its word."""
    log = lane_log(view)
    if any(told.what == TRIP and told.at >= at for told in log.told):
        return False
    forced = (row for row in log.rows if row.decision.endswith(Word.FORCE_FALLBACK))
    return not any((stamp := moment(row)) is not None and stamp >= at for row in forced)


def across_boots(view: View) -> str | None:
    """Say how many missions of the window ended before the newest restart; None: none did."""
    own, since, boot_at = own_numbers(view), own_since_boot(view), view.state.boot_at
    before = own.new - since.new
    if boot_at is None or not before:
        return None
    return f"{before} before the restart of {clock_z(boot_at)}, {since.new} since"


def changed_ends_of(view: View) -> tuple[RecordedEnd, ...]:
    """Return the missions of earlier windows that ended otherwise than the rows say."""
    figures, log = numbers(view), view.state.evidence or NO_EVIDENCE
    if figures is None:
        return ()
    entries = view.state.ledger.entries
    return view.same(changed_ends, log.ends, entries, figures.orphaned)


def changed_words(changed: tuple[RecordedEnd, ...]) -> tuple[str, ...]:
    """Say which outcomes changed: `1 of broadened 4 fell back after all`."""
    tally = Counter((end.window, end.outcome) for end in changed)
    return tuple(
        f"{count} of {short_label(window) or 'no window'} {outcome} after all"
        for (window, outcome), count in tally.items()
    )


def _gate_facts(view: View, own: WindowNumbers | None) -> GateFacts:
    figures, boot_at = numbers(view), view.state.boot_at
    is_fresh = source_view(view, Source.CONTINUITY).word is SourceWord.LIVE
    real = figures.real if figures else ()
    return GateFacts(
        real,
        figures.wire if figures else trip_wire(()),
        window=own,
        coverage=figures.coverage.state if figures else None,
        doubt=_doubt(view),
        epoch_doubt=None if is_fresh and boot_at else EPOCH_UNKNOWN,
        ever=ever_ended(view),
        known_from=view.same(_known_from, view.state.ledger, view.state.snapshot, boot_at, real),
        orphans=view.same(_unaccounted, view.state.ledger, boot_at, real, unreal_now(view)),
        continuity=view.state.continuity if is_fresh else None,
        own_failed_attaches=view.state.failed_attaches,
        suites=attested(view.state.suites, view.wall),
        waiver=outcomes_waiver(current_window(view).waivers),
    )


def _known_from(
    ledger: Ledger, snapshot: Snapshot | None, boot_at: datetime | None, real: Sequence[LedgerEntry]
) -> str | None:
    """Return the oldest mission known of an epoch that began before it; None: all are known.

    A list that is full has left others behind, unless it reaches beyond the boot without a gap.
    """
    if snapshot is None or boot_at is None or not real:
        return None
    is_full = len(snapshot.missions) >= snapshot.mission_limit
    is_whole = any(not is_of_epoch(e.mission, boot_at) for e in ledger.entries.values())
    return real[0].mission.mission_id if is_full and not (is_whole and not ledger.gap) else None


def _unaccounted(
    ledger: Ledger, boot_at: datetime | None, real: Sequence[LedgerEntry], unreal: frozenset[str]
) -> int:
    """Return how many orphans no cancel and no restart accounts for, of which the newest 20 tell.

    Once as many missions as guardrail 3 looks at began and finished after one, it is history.
    Those of `unreal` traffic are none.
    """
    began = [at for entry in real if (at := entry.mission.started_at) is not None]
    orphans = [ledger.entries[one] for one in ledger.given_up - unreal if one in ledger.entries]
    return sum(
        not entry.cancelled
        and is_of_epoch(entry.mission, boot_at)
        and sum(at > (entry.mission.started_at or at) for at in began) < ROLLING
        for entry in orphans
    )


def _doubt(view: View) -> str | None:
    """Say why the figures prove nothing now; None: they may, or there are none yet."""
    metrics, taken = source_view(view, Source.METRICS), view.state.snapshot
    if metrics.has_substitute:
        return "the ops plane refuses, the dashboard endpoint stands in"
    if metrics.word not in {SourceWord.LIVE, SourceWord.IDLE}:
        return f"the metrics are {metrics.word}"
    odd = taken.odd_missions if taken else 0
    return f"{counted(odd, 'mission')} cannot be read" if odd else None


def _refusal(metrics: SourceView) -> tuple[str, ...]:
    if metrics.word is not SourceWord.UNAUTHORIZED or metrics.failure is None:
        return ()
    reason = f"{metrics.failure.reason}: {metrics.failure.cure}".rstrip(": ")
    stands_in = "the dashboard endpoint answers: its figures serve the SAFETY line only"
    return (reason, stands_in) if metrics.has_substitute else (reason,)


def _situation(view: View, own: WindowNumbers, gates: Gates, facts: GateFacts) -> Situation:
    window, log = current_window(view), lane_log(view)
    belief = lane_mode(view)
    return Situation(
        stage=window.stage,
        source=window.source,
        window=own,
        trip_wire=facts.trip_wire,
        gates=gates,
        profile=view.state.watch.profile,
        coverage=facts.coverage,
        doubt=facts.doubt,
        epoch=view.same(_share, facts.finished),
        refusal=_refusal(source_view(view, Source.METRICS)),
        stuck_runs=stuck_runs_in(view),
        runs_are_judged=are_runs_judged(view),
        unstarted=view.state.routing.bootstrap - view.state.unstarted_told,
        cancelled=cancelled_runs(view, window),
        cannot_start=belief.evidence if belief.mode is LaneMode.CANNOT_START else None,
        clean_limited=view.same(clean_limited_windows, log.rows, log.unreal_windows),
        other_gateways=view.same(other_gateways, log.rows, view.state.watch.name),
        causes=view.same(causes_of_no_traffic, _lane_facts(view)),
        gap=gap.told if (gap := untold_gap(view)) else None,
        is_unknown_waived=facts.waiver is not None,
    )


def _share(real: tuple[LedgerEntry, ...]) -> Share:
    seen = reconstruct(real)
    return Share(seen.fallbacks, seen.terminal)


def _lane_facts(view: View) -> LaneFacts:
    snapshot = view.state.snapshot
    lane = snapshot.lane if snapshot else None
    return LaneFacts(
        routing=view.state.routing if listened(view) else None,
        has_session=None if snapshot is None else snapshot.had_session,
        last_error=lane.last_error if lane else None,
        runs_are_judged=are_runs_judged(view),
        blocked_by=next((run.name for run in stuck_runs_in(view) if run.waiting), None),
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
