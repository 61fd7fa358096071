"""The one place that turns a figure, a verdict, a level or a source's state into words.

Screens, dialogs, the explanation, notes, handover, incident and status text all use these, so that
the same thing reads the same wherever it stands; tones and widths are the screen's business.
`short` is the form for lines of few columns. Ages, stamps and plurals are `domain/text`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.rollout.claims import bounds_of
from vp_tui.domain.rollout.labels import numbered_label, short_label
from vp_tui.domain.runs.cancels import CancelState
from vp_tui.domain.statistics import describe_rank
from vp_tui.domain.text import IMPOSSIBLE, age, clock_z, counted, figure, utc_z
from vp_tui.domain.vocabulary import NOT_AVAILABLE, P95_WATCH_S, p95_cell, percent, rate_cell
from vp_tui.state.sources import is_lost
from vp_tui.views.sources import SourceWord, gateway_time, is_reachable, on_its_clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vp_tui.domain.coverage import Coverage
    from vp_tui.domain.models import Health
    from vp_tui.domain.rollout.guardrails import CancelRecovery, EvidenceTarget, TripWire
    from vp_tui.domain.rollout.verdicts import Gates
    from vp_tui.domain.rollout.windows import Window, WindowNumbers
    from vp_tui.domain.runs.alarms import Alarm
    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.domain.runs.levels import RunLevel
    from vp_tui.views.figures import Numbers
    from vp_tui.views.sources import SourceView
    from vp_tui.views.view import View


UNKNOWN: Final = "unknown"
EVENTS: Final = {
    "vp.mission.dispatched": "dispatched",
    "vp.mission.completed": "completed",
    "vp.mission.fallback": "fell back",
    "vp.mission.failed": "failed",
}
_KNOWN_STATUSES: Final = ("completed", "failed", "running")


def share(part: int, whole: int) -> str:
    """Return a share of missions: `1/18`; without any it is n/a, for 0/0 is not 0."""
    told = f"{figure(part, most=whole)}/{figure(whole)}" if whole else NOT_AVAILABLE
    return IMPOSSIBLE if IMPOSSIBLE in told else told


def at_most(fallbacks: int, n: int) -> str:
    """Return the one-sided 95% upper bound of a rate, of one finished mission at least."""
    return f"at most {percent(bounds_of(fallbacks, n).upper95)}"


def fell_back(fallbacks: int, n: int, *, bounded: bool = True) -> str:
    """Return how many finished missions fell back, and what that proves, as the gate says it."""
    if not n:
        return "none finished"
    bound = f", {at_most(fallbacks, n)}" if bounded else ""
    return f"{share(fallbacks, n)} fell back{bound}"


def reported_rate(figures: Numbers) -> str:
    """Return the rate as the gateway reports it; one of counts that cannot be is none."""
    is_odd = figures.reported_rate is None and figures.snapshot.fallback.considered
    return IMPOSSIBLE if is_odd else rate_cell(figures.reported_rate)


def reported(figures: Numbers) -> str:
    """Return the reported rate, of how many missions it is, and whether it can be believed."""
    told, fallback = reported_rate(figures), figures.snapshot.fallback
    if figures.reported_rate is None:
        return told if fallback.considered else f"{told} (no missions)"
    told = f"{told} {share(fallback.with_fallback, fallback.considered)}"
    if figures.considered.is_diluted:
        told = figures.considered.told
    if figures.coverage.state is CoverageState.BLIND:
        return f"BLIND says {told}"
    return f"{told} partial" if figures.coverage.state is CoverageState.TRUNCATED else told


def reconstructed(figures: Numbers) -> str:
    """Return the reconstructed rate of the finished missions."""
    seen = figures.reconstruction
    counts = "" if seen.rate is None else f" {share(seen.fallbacks, seen.terminal)}"
    told = f"{rate_cell(seen.rate)}{counts}"
    return f"{told}, {seen.unknown} unknown" if seen.unknown else told


def agreement(figures: Numbers) -> list[str]:
    """Return whether both rates are the same number over the same missions; what is inferred."""
    told, more = "agrees" if figures.source.is_current else "agreed", figures.uncounted
    if reported_rate(figures) == IMPOSSIBLE:
        told = "not compared"
    elif figures.unreported > 0:
        told = f"{figures.unreported} unreported"
    elif figures.unreported < 0:  # of missions of which vp-tui knows no more
        told = f"{-figures.unreported} only reported"
    elif figures.coverage.unknown:
        told = f"{figures.coverage.unknown} unknown"
    elif more > 0:  # of missions that run on, were cancelled, or are of an earlier epoch
        told = f"{more} not counted"
    elif more < 0:  # of missions that the gateway's list no longer has
        told = f"{-more} not listed"
    elif difference := figures.considered.difference:
        told = difference
    return [told, f"{n} inferred"] if (n := figures.reconstruction.inferred) else [told]


def cumulative(view: View, figures: Numbers) -> str:
    """Return the figures of all missions, and how far they may be trusted."""
    seen = figures.reconstruction
    told = (
        f"{population(view)}: {fell_back(seen.fallbacks, seen.terminal)}",
        f"p95 {p95(figures.p95_s, figures.timed)}",
        f"reported of all listed {reported(figures)}",
        coverage(figures.coverage),
        f"metrics {source_state(figures.source, aged=True)}",
    )
    return ", ".join(told)


def coverage(covered: Coverage, *, short: bool = False) -> str:
    """Return of how many missions the outcomes are known, whoever saw them."""
    blind = "BLIND, " if covered.unknown else "endpoint blind, "
    known = f"{'' if short else 'outcomes '}known {share(covered.known, covered.considered)}"
    return blind + known if covered.state is CoverageState.BLIND else known


def p95(seconds: float | None, count: int, *, short: bool = False) -> str:
    """Return a p95 as in the row, with its rank, and the threshold where it is reached."""
    if seconds is None:
        return NOT_AVAILABLE
    if short:
        return f"{figure(seconds, '.1f', 's')} {describe_rank(count)}"
    over = f", >= {P95_WATCH_S:g} s" if seconds >= P95_WATCH_S else ""
    return f"{p95_cell(seconds)} {describe_rank(count)}{over}"


def fallen_for(figures: Numbers) -> str:
    """Return how long missions took that fell back, on both paths, the newest first."""
    newest = (entry.mission.duration_s for entry in reversed(figures.recent) if entry.fell_back)
    return ", ".join(p95_cell(seconds) for seconds in list(newest)[:5] if seconds is not None)


def missions(figures: Numbers, *, is_judged: bool = True) -> str:
    """Return how the missions that the newest metrics list stand, odd statuses too."""
    counts, odd = figures.snapshot.mission_counts, [] if is_judged else ["not judged"]
    done, failed = counts.get("completed", 0), counts.get("failed", 0)
    return ", ".join([mission_counts(done, failed, figures.running), *odd, *not_counted(figures)])


def not_counted(figures: Numbers) -> list[str]:
    """Return how many missions are orphaned, or listed with a status that is not known."""
    counts, earlier = figures.snapshot.mission_counts, figures.orphaned_before
    odd = [f"{figure(n)} {status}" for status, n in counts.items() if status not in _KNOWN_STATUSES]
    before = [f"{earlier} orphaned before"] if earlier else []
    return [f"{figures.orphans - earlier} orphaned", *before, *odd]


def mission_counts(completed: int, failed: int, running: int) -> str:
    """Return how missions stand."""
    return f"{figure(completed)} completed, {figure(failed)} failed, {figure(running)} running"


def window_counts(own: WindowNumbers) -> str:
    """Return all that is told of a window's missions, in a sentence."""
    counts = mission_counts(own.completed, own.failed, own.running)
    unknown = f", {own.unknown} unknown" if own.unknown else ""
    told = f"{counts}, {own.fallback} fell back{unknown}"
    return f"+{counted(own.new, 'mission')}: {told}, p95 {p95(own.p95_s, own.timed)}"


def events(counts: Mapping[str, int]) -> list[str]:
    """Return how many mission events of each kind there are, in fields."""
    known = [f"{figure(counts.get(kind, 0))} {name}" for kind, name in EVENTS.items()]
    others = sum(number for kind, number in counts.items() if kind not in EVENTS)
    return [*known, f"{figure(others)} of other kinds"] if others else known


def promotion(gates: Gates) -> str:
    """Return what all gates mean for a promotion."""
    return f"not yet: {', '.join(gates.not_proven)}" if gates.missing else "recommended"


def cancel_recovery(recovery: CancelRecovery, *, short: bool = False) -> str:
    """Return how guardrail 1 stands."""
    return f"cancels: {recovery.short_state if short else recovery.state}"


def evidence_target(target: EvidenceTarget | None, *, short: bool = False) -> str:
    """Return how guardrail 2 stands: missions recorded since the anchor."""
    if target is None:
        return "rows not counted" if short else "no log is read, or its anchor has no date"
    count = share(target.count, target.of)
    if short:
        return f"rows {count}" + (f" since {short_label(target.anchor)}" if target.anchor else "")
    return f"{count} real missions recorded since {target.anchor or 'the log began'}"


def rolling(wire: TripWire, *, short: bool = False) -> str:
    """Return how guardrail 3 stands, in a few words: `last 18: 0, trips at 3`."""
    near = "TRIPPED" if wire.tripped else f"trips at {wire.trips_at}"
    told = f"last {wire.terminal}: {wire.fallbacks}" if wire.terminal else "none finished"
    if wire.unknown:
        more = "" if short else f", {wire.unknown} unknown"
        told = f"{wire.fallbacks} of {wire.terminal} known{more}"
    return f"{told}, {near}"


def window_name(window: Window) -> str:
    """Return what a window is called beside its stage: `5`, or `limited 5` of another stage."""
    label = numbered_label(window.label)
    if label is not None and label[0] == window.stage:
        return str(label[1])
    return short_label(window.label)


def window_title(window: Window | None) -> str:
    """Return which window it is, beside its stage: open, proposed or unknown."""
    if window is None:
        return f"WINDOW {UNKNOWN}"
    return f"WINDOW {window_name(window)}{'' if window.is_open else ' PROPOSED'}"


def time_since(view: View, moment: datetime) -> str:
    """Return how long ago a moment of the gateway's clock is."""
    return age((gateway_time(view) - moment).total_seconds())


def open_for(view: View, window: Window) -> str:
    """Return how long a window has been open; "" while it is only proposed."""
    return "" if window.opened_at is None else time_since(view, window.opened_at)


def opened(view: View, window: Window) -> str:
    """Return since when a window is open."""
    if window.opened_at is None:
        return "proposed, not opened"
    return f"open since {utc_z(window.opened_at)}, {open_for(view, window)}"


def no_log(view: View) -> str:
    """Return why stage and window are not known."""
    if (log := view.state.evidence) is not None and log.problem:
        return f"the evidence log cannot be read: {log.problem}"
    return "the evidence log is not read yet"


def epoch(view: View) -> str:
    """Return which life of the gateway it is."""
    return f"epoch {view.state.epoch.number if view.state.epoch else UNKNOWN}"


def population(view: View) -> str:
    """Return of which missions the cumulative figures are: without a known boot they are pooled."""
    told = epoch(view) if view.state.boot_at is not None else f"epoch {UNKNOWN}"
    return f"{told} since the gap" if view.state.ledger.gap else told


def epoch_title(view: View, figures: Numbers) -> str:
    """Return the cumulative figures' title: of which missions they are, and how many."""
    return f"{population(view).upper()}, n={figures.reconstruction.terminal}"


def gateway(view: View) -> str:
    """Return whether the gateway is there, and which one it is."""
    reached = "reachable" if is_reachable(view) else "NOT REACHABLE"
    told = ["LOST" if is_lost(view.state) else reached, version(view.state.health), epoch(view)]
    boot_at = view.state.boot_at
    return ", ".join([*told, f"booted {utc_z(boot_at)}"] if boot_at else told)


def version(health: Health | None) -> str:
    """Return which generation and version of the gateway it is."""
    if health is None:
        return f"version {UNKNOWN}"
    return f"{generation(health)}, version {health.version or UNKNOWN}"


def generation(health: Health) -> str:
    """Return which generation of the gateway it is: `v1` or `v2`."""
    return f"v{health.dialect[1:]}"


def source_state(source: SourceView, *, aged: bool = False) -> str:
    """Return how a source is, with its age where that matters; `aged`: while it is live too."""
    if source.has_substitute:
        return f"via {source.plane} {age(source.age_s)}"
    is_told = source.age_s is not None and (aged or not source.is_current)
    return f"{source.word}, {age(source.age_s)} old" if is_told else source_word(source.word)


def source_word(word: SourceWord, *, short: bool = False) -> str:
    """Return what a polled source does, in a word: one that has not answered yet is asked."""
    if word is SourceWord.IDLE:
        return "asking"
    return "401" if short and word is SourceWord.UNAUTHORIZED else str(word)


def no_metrics(source: SourceView) -> str:
    """Return why there are no figures; `source` are the metrics."""
    if source.word is SourceWord.IDLE:
        return "the metrics have not answered yet"
    reason = f": {source.failure.reason}" if source.failure else ""
    return f"the metrics are {source.word}{reason}"


def level(told: RunLevel) -> str:
    """Return a run's level, in capitals when it is an alarm."""
    if told.level is None:
        return "not judged" if told.is_unjudged else UNKNOWN
    return told.level.upper() if told.level.is_alarm else str(told.level)


def ago(view: View, at: float) -> str:
    """Return how long ago a moment of the monotonic clock is."""
    return f"{age(view.now - at)} ago"


def cancel_outcome(view: View, cancel: Cancel, *, in_row: bool = False) -> str:
    """Return what a cancel came to; the gateway's clock dates a row."""
    how = cancel.state(view.now)
    if how is CancelState.RECOVERED and cancel.recovered_at is not None:
        at, by = view.wall_at(cancel.recovered_at), cancel.recovered_by
        return f"recovered at {clock_z(on_its_clock(view, at) if in_row else at)}: {by} completed"
    if how is CancelState.FAILED and cancel.failure is not None:
        return f"{how}: {cancel.failure.reason}"
    is_open = how in {CancelState.REQUESTED, CancelState.UNKNOWN, CancelState.ANSWERED}
    return f"{how}, not recovered yet" if is_open else str(how)


def rang(view: View, alarm: Alarm) -> str:
    """Return when an alarm rang."""
    return f"{clock_z(view.wall_at(alarm.raised_at))}, {ago(view, alarm.raised_at)}"


def seen_by(view: View, alarm: Alarm) -> str:
    """Return who has seen an alarm."""
    seen = alarm.acknowledged
    return f"seen by {seen.actor} {clock_z(view.wall_at(seen.at))}" if seen else "seen by nobody"
