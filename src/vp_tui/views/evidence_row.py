"""The notes of an evidence row: what was counted, what is not known, why, and the engineer's words.

Their order is that of docs/rollout.md, section 7.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.missions import is_of_epoch
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.evidence_row import (
    RECONSTRUCTED,
    EvidenceRow,
    cells_from_snapshot,
    read_seconds,
)
from vp_tui.domain.rollout.labels import is_measured
from vp_tui.domain.rollout.verdicts import GATE_TITLES, Verdict, outcomes_waiver
from vp_tui.domain.rollout.windows import FELL_BACK
from vp_tui.domain.statistics import describe_rank, rank_from_top
from vp_tui.domain.text import clock_z, counted, figure, utc_z
from vp_tui.domain.vocabulary import Thresholds
from vp_tui.state.state import NO_EVIDENCE
from vp_tui.views import words
from vp_tui.views.actions_taken import actions_taken, line_of, since
from vp_tui.views.assessment import across_boots, changed_words, plain_gates, plain_suggestion
from vp_tui.views.draft import METRICS_PATH, Choice, Draft
from vp_tui.views.figures import lane_log, probed_missions, untold_gap
from vp_tui.views.lane import turns_told, unseen_turns
from vp_tui.views.sources import SourceView, source_view
from vp_tui.views.stuck_runs import cancelled_runs, stuck_runs_in
from vp_tui.views.troubles import GAP, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from vp_tui.domain.models import Mission, Snapshot
    from vp_tui.domain.orders import ActionRecord
    from vp_tui.views.figures import Numbers


_CONSIDERED: Final = re.compile(r"missions_considered=(\d{1,9})\b")
"""In the notes of a row, also of one written by hand, of how many missions it is."""


def counts_note(
    considered: int,
    with_fallback: int | None,
    missions: Mapping[str, int] | None,
    events: Mapping[str, int] | None,
) -> str:
    """Return what the gateway counted, as in every row of the log; None is what it did not tell."""
    counted = (
        f"missions_considered={figure(considered)}",
        f"missions_with_fallback={_fell_back(with_fallback, considered)}",
        f"mission_counts={_counts(missions)}",
        f"event_counts={_counts(events)}",
    )
    return ", ".join(f"`{count}`" for count in counted)


def _fell_back(told: int | None, considered: int) -> str:
    return "unknown" if told is None else figure(told, most=considered)


def _counts(counts: Mapping[str, int] | None) -> str:
    if counts is None:
        return "unknown"
    return "{" + ",".join(f"{name}:{figure(number)}" for name, number in counts.items()) + "}"


def _notes(draft: Draft, choice: Choice) -> Iterator[str]:
    if draft.figures is None:
        yield f"not measured: {words.no_metrics(_metrics(draft))}"
    else:
        yield from _figures_note(draft, draft.figures)
        yield _epochs(draft, draft.figures.snapshot)
    if draft.own is not None:
        across = across_boots(draft.view)
        yield f"window: {words.window_counts(draft.own)}{f', {across}' if across else ''}"
        yield _outside(draft)
    yield _probes(draft)
    yield _routing(draft)
    if choice.with_unknowns:
        yield from _unknowns(draft)
    if choice.with_actions:
        yield _actions(draft)
    yield from _stuck_notes(draft)
    for name, gate in draft.assessment.gates.by_name().items():
        if gate.verdict is Verdict.WAIVED:
            yield f"{GATE_TITLES[name]} {gate.reason}"
    if (gap := untold_gap(draft.view)) is not None:
        yield f"{gap.told}: claims begin anew after them"
    if (waiver := outcomes_waiver(draft.window.waivers)) is not None:
        left_out = f"outcomes that nobody knows are left out: waived by {waiver.who}"
        yield f"{left_out}: {waiver.why}"
    yield from _decided(draft, choice)
    yield choice.note.strip()


def _metrics(draft: Draft) -> SourceView:
    return source_view(draft.view, Source.METRICS)


def _figures_note(draft: Draft, figures: Numbers) -> Iterator[str]:
    taken = figures.snapshot
    yield counts_note(
        taken.fallback.considered,
        taken.fallback.with_fallback,
        taken.mission_counts,
        taken.event_counts,
    )
    if figures.cells.is_reconstructed:
        p95 = words.p95(taken.latency.p95_s, taken.latency.count)
        yield f"reported: {words.reported(figures)}, p95 {p95}"
    seen = figures.reconstruction
    yield f"epoch: {words.fell_back(seen.fallbacks, seen.terminal)}"
    yield _p95_fell(draft, figures)
    if slow := words.fallen_for(figures):
        yield f"fell back after {slow} (both paths)"


def _p95_fell(draft: Draft, figures: Numbers) -> str:
    """Say that the p95 is below that of the row before by its rank alone, "" where it is not so.

    As long as the list only grows its largest durations stay: nothing of it can get faster.
    """
    rows = [row for row in lane_log(draft.view).rows if is_measured(row)]
    counted = _CONSIDERED.search(rows[-1].notes) if rows else None
    before = read_seconds(rows[-1].p95_latency) if rows else None
    taken, now = figures.snapshot, figures.cells.p95_s
    is_whole = len(taken.missions) < taken.mission_limit
    if counted is None or before is None or now is None or now >= before or not is_whole:
        return ""
    n, rank = taken.latency.count, describe_rank(taken.latency.count)
    if not 0 < int(counted[1]) < n or rank_from_top(int(counted[1])) == rank_from_top(n):
        return ""
    return f"p95 {before:.3f}s -> {now:.3f}s by its rank ({rank}) alone: nothing got faster"


def _epochs(draft: Draft, taken: Snapshot) -> str:
    """Say how many of the ended missions that the endpoint lists are of before the last restart."""
    boot_at, ended = draft.state.boot_at, [m for m in taken.missions if m.is_terminal]
    before = sum(not is_of_epoch(mission, boot_at) for mission in ended)
    if boot_at is None or not before:
        return ""
    since = len(ended) - before
    return f"listed: {before} before the restart of {clock_z(boot_at)}, {since} since"


def _outside(draft: Draft) -> str:
    """Say what is new since the window's row before, what ended in no window, and what changed."""
    ends = draft.ends
    outside = [end for end in ends if not end.window]
    fallen = sum(end.outcome == FELL_BACK for end in outside)
    told = [f"{len(outside)} in no window, {fallen} fell back"] if outside else []
    recorded = (draft.state.evidence or NO_EVIDENCE).recorded_ids
    if draft.window.decision is not None:
        new = sum(bool(end.window) and end.mission_id not in recorded for end in ends)
        told.insert(0, f"+{new} since the row before")
    changed = tuple(end for end in ends if end.mission_id in recorded)
    return "; ".join([*told, *changed_words(changed)])


def _probes(draft: Draft) -> str:
    """Say which of the window's missions are probes of ours, if any."""
    count, probes = probed_missions(draft.view, draft.window)
    of = f"{probes} of the window's {counted(count, 'mission')}"
    return f"{of} {'is a probe' if probes == 1 else 'are probes'} of ours" if probes else ""


def _routing(draft: Draft) -> str:
    tally = draft.state.routing
    unseen = unseen_turns(draft.view) if tally.coding_turns else []
    return f"turns: {', '.join([*turns_told(draft.view), *unseen])}"


def _unknowns(draft: Draft) -> Iterator[str]:
    """Say what else is not to be relied on."""
    failure = None if draft.figures else _metrics(draft).failure
    for found in troubles(draft.view):
        if found.what == GAP:  # it is told in any case
            continue
        is_told = failure and found.reason == failure.reason  # as why nothing was measured
        yield found.what if is_told else found.told


def _actions(draft: Draft) -> str:
    """Say what was done in the window, by whom, and what came of it."""
    done = actions_in_window(draft)
    return f"actions: {', '.join(map(line_of, done))}" if done else ""


def actions_in_window(draft: Draft) -> tuple[ActionRecord, ...]:
    """Return what was done in the row's window."""
    return actions_taken(draft.view, since(draft.view, draft.window), in_row=True)


def _stuck_notes(draft: Draft) -> Iterator[str]:
    """Tell of the runs that hang or were cancelled, where the word's reasons do not."""
    reasons = _reasons(draft)
    lines = [run.line for run in stuck_runs_in(draft.view)]
    lines += [run.line for run in cancelled_runs(draft.view, draft.window)]
    yield from (line for line in lines if not any(line in reason for reason in reasons))


def _reasons(draft: Draft) -> list[str]:
    """Return why the word was suggested, of a cancelled run in the note's words."""
    noted = {run.told: run.line for run in cancelled_runs(draft.view, draft.window)}
    return [noted.get(reason, reason) for reason in draft.suggestion.reasons]


def _decided(draft: Draft, choice: Choice) -> Iterator[str]:
    """Say what the rules suggested and why, and why the engineer allows more."""
    suggestion = draft.suggestion
    is_own = choice.decision != suggestion.decision
    how = f"{suggestion.decision} was suggested" if is_own else "as suggested"
    yield f"{how}: {', '.join(_reasons(draft))}"
    if draft.needs_reason(choice.decision):
        yield f"more was allowed because: {choice.reason.strip() or '…'}"


def row_of(draft: Draft, choice: Choice) -> EvidenceRow:
    """Return the row as it will be written."""
    vp_id, window = draft.state.watch.vp_id, draft.window
    limits = "&".join(f"{name}={number}" for name, number in draft.limits.items())
    rate, p95 = cells_from_snapshot(_figures_kept(draft.figures) if draft.figures else None)
    return EvidenceRow(
        date=utc_z(draft.taken_at),
        window=window.label,
        scope=window.scope,
        refs=f"`GET {METRICS_PATH}?vp_id={vp_id}&{limits}`",
        fallback_rate=rate,
        p95_latency=p95,
        decision=choice.decision,
        notes="; ".join(part for part in _notes(draft, choice) if part),
    )


def facts_of(draft: Draft, choice: Choice, author: str) -> dict[str, Any]:
    """Return what the record keeps beside the row: the members of `storage.rows.RecordFacts`."""
    state, window = draft.state, draft.window
    is_override = draft.needs_reason(choice.decision)
    return {
        "window": _window_kept(draft, choice),
        **_events_kept(draft, choice),
        "snapshot": None if draft.figures is None else recorded_snapshot(draft.figures),
        "limits": draft.limits,
        "thresholds": {"profile": state.watch.profile, **Thresholds()._asdict()},
        "epoch": state.epoch._asdict() if state.epoch else None,
        "actor": author,
        "stage": window.stage,
        "source": window.source,
        "gates": plain_gates(draft.assessment.gates),
        "suggestion": plain_suggestion(draft.suggestion),
        "override_reason": choice.reason.strip() if is_override else None,
    }


def _window_kept(draft: Draft, choice: Choice) -> dict[str, object]:
    """Return the window as it is after the row.

    Its anchor is kept without the missions that records name as ended already.
    """
    after = draft.window_after(choice)
    recorded = (draft.state.evidence or NO_EVIDENCE).recorded_ids
    return {
        "label": after.label,
        "opened_at": _stamp(after.opened_at),
        "anchor": None if after.anchor is None else sorted(after.anchor - recorded),
        "open": after.is_open,
        "running": sorted(after.running),
        "newest": _stamp(after.newest),
    }


def _events_kept(draft: Draft, choice: Choice) -> dict[str, object]:
    """Return what happened since the row before: which missions ended how, and what is told."""
    recorded = (draft.state.evidence or NO_EVIDENCE).recorded_ids
    ends = draft.ends
    return {
        "ended": [end.mission_id for end in ends if end.mission_id not in recorded],
        "in_no_window": [end.mission_id for end in ends if not end.window],
        "outcomes": {end.mission_id: end.outcome for end in ends},
        "told": [told._asdict() | {"at": told.at.isoformat()} for told in draft.tells(choice)],
    }


def recorded_snapshot(figures: Numbers) -> dict[str, object]:
    """Return the snapshot as a record keeps it, in the words of the wire, with what the row says.

    `recent_missions` newest first and `recent_events` oldest first, as they were sent.
    """
    taken = figures.snapshot
    return {
        "vp_id": taken.vp_id,
        "generated_at": _stamp(taken.generated_at),
        **_figures_kept(figures),
        "mission_counts": dict(taken.mission_counts),
        "event_counts": dict(taken.event_counts),
        "recent_missions": [_recorded(mission) for mission in taken.missions],
        "recent_events": [
            event._asdict() | {"created_at": _stamp(event.created_at)} for event in taken.events
        ],
    }


def _figures_kept(figures: Numbers) -> dict[str, object]:
    """Return of the recorded snapshot what the row's cells follow from."""
    fallback, latency, cells = figures.snapshot.fallback, figures.snapshot.latency, figures.cells
    told: dict[str, object] = {
        "fallback": {
            "missions_with_fallback": fallback.with_fallback,
            "missions_considered": fallback.considered,
            "rate": fallback.rate,
        },
        "latency_seconds": {
            "count": latency.count,
            "avg_seconds": latency.avg_s,
            "p50_seconds": latency.p50_s,
            "p95_seconds": latency.p95_s,
            "max_seconds": latency.max_s,
        },
    }
    unknown = {"unknown": cells.unknown} if cells.unknown else {}
    own = {RECONSTRUCTED: {"rate": cells.rate, "p95_s": cells.p95_s, **unknown}}
    return told | own if cells.is_reconstructed else told


def _recorded(mission: Mission) -> dict[str, object]:
    return {
        "mission_id": mission.mission_id,
        "status": mission.status,
        "started_at": _stamp(mission.started_at),
        "completed_at": _stamp(mission.completed_at),
        "duration_seconds": mission.duration_s,
        "result_ref": mission.result_ref,
        "fallback_seen": mission.fallback_seen,
    }


def _stamp(stamp: datetime | None) -> str | None:
    return None if stamp is None else stamp.isoformat()
