"""The object that `vp-tui status --json` prints: one look, the same store as the screen.

Unknown is None, never 0. What no part of vp-tui can tell yet is None too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.coverage import reconstruct
from vp_tui.domain.models import Latency, Plane, Source
from vp_tui.domain.rollout.claims import bounds_of
from vp_tui.domain.rollout.guardrails import EVIDENCE_TARGET, ROLLING
from vp_tui.domain.runs.alarms import OF_NO_SESSION
from vp_tui.domain.runs.levels import Level
from vp_tui.domain.statistics import rank_from_top
from vp_tui.domain.text import utc_z
from vp_tui.views.assessment import assess, plain_gates, plain_suggestion
from vp_tui.views.figures import are_outcomes_unknown, numbers
from vp_tui.views.lane import lane_mode, turns_ran
from vp_tui.views.lookout import present_alarms
from vp_tui.views.runs import run_levels, run_rows
from vp_tui.views.sources import SourceWord, is_reachable, listened, source_view, streams_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.views.assessment import Assessment
    from vp_tui.views.figures import Numbers
    from vp_tui.views.runs import RunRow
    from vp_tui.views.sources import SourceView
    from vp_tui.views.view import View


SCHEMA: Final = 1
EXIT_HEALTHY: Final = 0
EXIT_ATTENTION: Final = 1
EXIT_COULD_NOT_LOOK: Final = 2
_REPORTED: Final = (Source.METRICS, Source.SESSIONS, Source.LOG, Source.CONTINUITY)
_ATTENTION: Final = (SourceWord.UNAUTHORIZED, SourceWord.STALE, SourceWord.DOWN)


def exit_code(view: View) -> int:
    """Return 0 nothing to do, 1 attention, 2 when nothing of the gateway answered."""
    if not is_reachable(view):
        return EXIT_COULD_NOT_LOOK
    words = [source_view(view, source).word for source in _REPORTED]
    words.append(streams_view(view).word)
    if any(word in _ATTENTION for word in words):
        return EXIT_ATTENTION
    verdict = assess(view)
    if verdict.safety or verdict.gates.failing or _alarms(view):
        return EXIT_ATTENTION
    if any(told.is_old for told in run_levels(view).values()):
        return EXIT_ATTENTION
    return EXIT_ATTENTION if are_outcomes_unknown(view) else EXIT_HEALTHY


def status_object(view: View) -> dict[str, Any]:
    """Return the status as plain JSON values."""
    figures, verdict, runs = numbers(view), assess(view), run_rows(view)
    return {
        "schema": SCHEMA,
        "generated_at": utc_z(view.wall),
        "gateway": _gateway(view),
        "lane": _lane(view, verdict),
        "sources": _sources(view),
        "window": _window(verdict),
        "missions": _missions(figures) if figures else None,
        "fallback": _fallback(figures, view) if figures else None,
        "latency": _latency(figures) if figures else None,
        "gates": plain_gates(verdict.gates),
        "promotion": {
            "recommended": not verdict.gates.missing,
            "missing": list(verdict.gates.missing),
        },
        "guardrails": _guardrails(verdict) if figures else None,
        "runs": [_run(row) for row in runs if row.is_running or row.link is not None],
        "safety": [
            {"alarm": alarm.alarm, "reason": alarm.told, "key": alarm.key}
            for alarm in verdict.safety
        ],
        "suggestion": plain_suggestion(verdict.suggestion) if verdict.suggestion else None,
        "alarms": _alarms(view),
    }


def _members(value: object, *names: str) -> dict[str, Any]:
    """Return members of a value by their names; each is None where there is no value."""
    return {name: None if value is None else getattr(value, name) for name in names}


def _gateway(view: View) -> dict[str, Any]:
    boot_at = view.state.boot_at
    return {
        "url": view.state.watch.url,
        "reachable": is_reachable(view),
        **_members(view.state.health, "version", "dialect", "clock_offset_s"),
        "started_at": utc_z(boot_at) if boot_at else None,
        "epoch": view.state.epoch.number if view.state.epoch else None,
    }


def _lane(view: View, verdict: Assessment) -> dict[str, Any]:
    lane = view.state.snapshot.lane if view.state.snapshot else None
    return {
        "vp_id": view.state.watch.vp_id,
        "session_status": lane.status if lane else None,
        "stage": verdict.window.stage if verdict.window else None,
        "mode": lane_mode(view).mode,
    }


def _sources(view: View) -> dict[str, Any]:
    streams = streams_view(view)
    stream = {
        "state": streams.word,
        "age_s": _rounded(streams.age_s),
        "error": streams.reason or None,
        "plane": Plane.SESSION,
    }
    polled = {str(source): _source(source_view(view, source)) for source in _REPORTED}
    order = ("metrics", "sessions", "stream", "log", "continuity")
    return {name: stream if name == "stream" else polled[name] for name in order}


def _source(source: SourceView) -> dict[str, Any]:
    refused = source.failure is not None
    return {
        "state": source.word,
        "age_s": _rounded(source.age_s),
        "error": source.failure.reason if source.failure else None,
        "plane": Plane.OPS if refused else source.plane,
    }


def _window(verdict: Assessment) -> dict[str, Any] | None:
    window, own = verdict.window, verdict.numbers
    if window is None:
        return None
    counted = ("new", "completed", "failed", "running", "fallback", "unknown")
    missions = _members(own, *counted) | {"falling_back": own.fallen_running} if own else None
    return {
        **_members(window, "label", "scope", "stage", "source"),
        "opened_at": utc_z(window.opened_at) if window.opened_at else None,
        "missions": missions,
        "clean": verdict.is_clean,
    }


def _guardrails(verdict: Assessment) -> dict[str, Any]:
    guardrails, target = verdict.guardrails, verdict.target
    return {
        "cancel_recovery": _members(guardrails.cancel_recovery, "state", "pending"),
        "evidence_target": _members(target, "count", "of", "anchor") | {"of": EVIDENCE_TARGET},
        "auto_revert": {
            "mode": guardrails.mode,
            "tripped": verdict.wire.tripped,
            "reason": verdict.wire.time_to_trip,
        },
    }


def _missions(figures: Numbers) -> dict[str, Any]:
    counts = figures.snapshot.mission_counts
    return {
        "considered": figures.snapshot.fallback.considered,
        **{status: counts.get(status, 0) for status in ("completed", "failed", "running")},
        "orphans": figures.orphans,
        "counts": dict(counts),
        "events": dict(figures.snapshot.event_counts),
    }


def _fallback(figures: Numbers, view: View) -> dict[str, Any]:
    ran = turns_ran(view)
    tally = view.state.routing if ran.heard or (listened(view) and not ran.ran) else None
    wire, reported = figures.wire, figures.snapshot.fallback
    seen = view.same(reconstruct, figures.real)  # as the gates: without injected faults
    bounds = bounds_of(seen.fallbacks, seen.terminal) if seen.terminal else None
    rolling = _members(wire, "terminal", "fallbacks", "tripped", "to_trip")
    routing = ("coding_turns", "delegated", "primary", "bootstrap", "unexplained")
    return {
        "reported": {
            "rate": figures.reported_rate,
            **_members(reported, "with_fallback", "considered"),
        },
        "reconstructed": _members(seen, "rate", "fallbacks", "terminal", "inferred"),
        "interval95": list(bounds.interval95) if bounds else None,
        "upper95": bounds.upper95 if bounds else None,
        "needed_for_10pct": bounds.needed if bounds else None,
        "coverage": {
            **_members(figures.coverage, "state", "covered", "considered", "known", "unknown"),
            "by": dict(figures.coverage.by),
        },
        "rolling": {"size": ROLLING, **rolling} if wire.terminal else None,
        "unseen": _members(tally, "bootstrap", "shadow", "lease_degraded"),
        "routing": {
            "turns_ran": ran.ran if tally or ran.ran else None,
            "beginnings_heard": ran.heard if tally or ran.ran else None,
            **_members(tally, *routing),
        },
    }


def _latency(figures: Numbers) -> dict[str, Any]:
    """Return the times of the listed missions: the gateway's own, unless some of them are odd."""
    latency = figures.snapshot.latency
    if figures.snapshot.odd_durations:
        missions = figures.snapshot.missions
        latency = _latency_of(m.duration_s for m in missions if m.duration_s is not None)
    return {
        "n": latency.count,
        **_members(latency, "p50_s", "p95_s", "max_s"),
        "rank_from_top": rank_from_top(latency.count) if latency.count else None,
        "over_watch": figures.over_watch,
    }


def _latency_of(durations: Iterable[float]) -> Latency:
    """Return what the gateway would report of these durations, by its own nearest rank."""
    ordered = sorted(durations)
    if not ordered:
        return Latency(0, None, None, None, None)
    last = len(ordered) - 1
    p50_s, p95_s = (ordered[round(last * quantile)] for quantile in (0.5, 0.95))
    return Latency(len(ordered), sum(ordered) / len(ordered), p50_s, p95_s, ordered[-1])


def _run(row: RunRow) -> dict[str, Any]:
    level, mission = row.level, row.mission
    guess = f"; mission {mission.mission_id}: {mission.why}"
    is_guess = mission.mission_id is not None and not mission.is_certain
    return {
        "session_id": row.session.session_id,
        "level": "orphan" if level.level is Level.ORPHAN else level.level,
        "active_runs": row.session.active_runs,
        "silent_s": _rounded(row.silent_s),
        "last_event": row.run.last_kind,
        "mission_id": mission.mission_id,
        "reason": f"{level.reason}{guess if is_guess else ''}",
    }


def _alarms(view: View) -> list[str]:
    """Return what somebody has to look at, in words: one of them alone makes the exit code 1."""
    return [*_run_alarms(run_rows(view)), *_lane_alarms(view), *_notices(view, numbers(view))]


def _run_alarms(rows: Sequence[RunRow]) -> list[str]:
    """Return the runs that somebody has to look at."""
    looked_at = {Level.STUCK, Level.DEAF, Level.LOST, Level.ORPHAN}
    return [
        f"{row.level.level}: {row.session.session_id}: {row.level.reason}"
        for row in rows
        if row.level.level in looked_at
        if row.session.session_id not in row.level.rivals[1:]
    ]


def _lane_alarms(view: View) -> list[str]:
    """Return what rings on the screen for the lane and the gateway."""
    present = (one for one in present_alarms(view) if one.key.subject.startswith(OF_NO_SESSION))
    return [f"{one.key.kind}: {one.reason}" for one in present]


def _notices(view: View, figures: Numbers | None) -> list[str]:
    """Return what keeps the figures from being taken at their word."""
    notices = [
        f"{source.name} {source.word}: {source.failure.reason}"
        for name in _REPORTED
        if (source := source_view(view, name)).failure is not None
    ]
    if view.state.evidence and view.state.evidence.problem:
        notices.append(f"evidence log: {view.state.evidence.problem}")
    if figures is None:
        return notices
    if figures.source.has_substitute:
        notices.append("the metrics are the dashboard endpoint's: the ops plane refuses")
    if figures.unreported:
        way = "lower" if figures.unreported > 0 else "higher"
        notices.append(
            f"the gateway's fallback count is {abs(figures.unreported)} {way} than the ledger's"
        )
    return notices


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
