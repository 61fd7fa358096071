"""The object that `vp-tui status --json` prints: one look, the same store as the screen.

Unknown is None, never 0. What no part of vp-tui can tell yet is None too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from vp_tui.domain.events import Source
from vp_tui.domain.latency import rank_from_top
from vp_tui.domain.models import Plane
from vp_tui.selectors import (
    Numbers,
    RunRow,
    SourceView,
    SourceWord,
    is_reachable,
    numbers,
    run_rows,
    source_view,
    streams_view,
)
from vp_tui.state import State

SCHEMA: Final = 1
EXIT_HEALTHY: Final = 0
EXIT_ATTENTION: Final = 1
EXIT_COULD_NOT_LOOK: Final = 2
_REPORTED: Final = (Source.METRICS, Source.SESSIONS, Source.LOG, Source.CONTINUITY)
_ATTENTION: Final = (SourceWord.UNAUTHORIZED, SourceWord.STALE, SourceWord.DOWN)


def exit_code(state: State, now: float) -> int:
    """Return 0 nothing to do, 1 attention, 2 when nothing of the gateway answered."""
    if not is_reachable(state, now):
        return EXIT_COULD_NOT_LOOK
    words = [source_view(state, source, now).word for source in _REPORTED]
    words.append(streams_view(state, now).word)
    return EXIT_ATTENTION if any(word in _ATTENTION for word in words) else EXIT_HEALTHY


def status_object(state: State, now: float) -> dict[str, Any]:
    """Return the status as plain JSON values."""
    figures = numbers(state, now)
    return {
        "schema": SCHEMA,
        "generated_at": utc_z(state.clock.wall_at(now)),
        "gateway": _gateway(state, now),
        "lane": _lane(state),
        "sources": _sources(state, now),
        "window": None,
        "missions": _missions(figures),
        "fallback": _fallback(figures, state),
        "latency": _latency(figures),
        "gates": None,
        "promotion": None,
        "guardrails": None,
        "runs": [_run(row) for row in run_rows(state, now)],
        "safety": None,
        "suggestion": None,
        "alarms": _notices(state, figures, now),
    }


def utc_z(stamp: datetime) -> str:
    """Return an aware stamp as UTC ISO 8601 to the second, with `Z`."""
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _gateway(state: State, now: float) -> dict[str, Any]:
    health, boot_at = state.health, state.boot_at
    return {
        "url": state.watch.url,
        "reachable": is_reachable(state, now),
        "version": health.version if health else None,
        "dialect": health.dialect if health else None,
        "clock_offset_s": health.clock_offset_s if health else None,
        "started_at": utc_z(boot_at) if boot_at else None,
        "epoch": state.epoch.number if state.epoch else None,
    }


def _lane(state: State) -> dict[str, Any]:
    lane = state.snapshot.lane if state.snapshot else None
    return {
        "vp_id": state.watch.vp_id,
        "session_status": lane.status if lane else None,
        "stage": None,
        "mode": None,
    }


def _sources(state: State, now: float) -> dict[str, Any]:
    views = {str(source): _source(source_view(state, source, now)) for source in _REPORTED}
    streams = streams_view(state, now)
    views["stream"] = {
        "state": str(streams.word),
        "age_s": _rounded(streams.age_s),
        "error": streams.reason or None,
        "plane": str(Plane.SESSION),
    }
    return views


def _source(view: SourceView) -> dict[str, Any]:
    refused = view.failure is not None
    return {
        "state": str(view.word),
        "age_s": _rounded(view.age_s),
        "error": view.failure.reason if view.failure else None,
        "plane": str(Plane.OPS if refused else view.plane),
    }


def _missions(figures: Numbers | None) -> dict[str, Any] | None:
    if figures is None:
        return None
    counts = figures.snapshot.mission_counts
    return {
        "considered": figures.snapshot.fallback.considered,
        "completed": counts.get("completed", 0),
        "failed": counts.get("failed", 0),
        "running": counts.get("running", 0),
        "orphans": figures.orphans,
        "counts": dict(counts),
        "events": dict(figures.snapshot.event_counts),
    }


def _fallback(figures: Numbers | None, state: State) -> dict[str, Any] | None:
    if figures is None:
        return None
    tally, reconstruction = state.routing, figures.reconstruction
    return {
        "reported": {
            "rate": figures.reported_rate,
            "with_fallback": figures.snapshot.fallback.with_fallback,
            "considered": figures.snapshot.fallback.considered,
        },
        "reconstructed": {
            "rate": reconstruction.rate,
            "fallbacks": reconstruction.fallbacks,
            "terminal": reconstruction.terminal,
            "inferred": reconstruction.inferred,
        },
        "interval95": None,
        "upper95": None,
        "needed_for_10pct": None,
        "coverage": _plain(asdict(figures.coverage)),
        "rolling": None,
        "unseen": {
            "bootstrap": tally.bootstrap,
            "shadow": tally.shadow,
            "lease_degraded": tally.lease_degraded,
        },
        "routing": {
            "coding_turns": tally.coding_turns,
            "delegated": tally.delegated,
            "primary": tally.primary,
            "bootstrap": tally.bootstrap,
            "unexplained": tally.unexplained,
        },
    }


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {key: str(value) if isinstance(value, str) else value for key, value in values.items()}


def _latency(figures: Numbers | None) -> dict[str, Any] | None:
    if figures is None:
        return None
    latency = figures.snapshot.latency
    return {
        "n": latency.count,
        "p50_s": latency.p50_s,
        "p95_s": latency.p95_s,
        "max_s": latency.max_s,
        "rank_from_top": rank_from_top(latency.count) if latency.count else None,
        "over_watch": figures.over_watch,
    }


def _run(row: RunRow) -> dict[str, Any]:
    return {
        "session_id": row.session.session_id,
        "level": None,
        "active_runs": row.session.active_runs,
        "silent_s": _rounded(row.silent_s),
        "last_event": row.run.last_kind,
        "mission_id": row.turn.mission_id,
        "reason": None,
    }


def _notices(state: State, figures: Numbers | None, now: float) -> list[str]:
    """Return what keeps the figures from being taken at their word."""
    notices = [
        f"{view.name} {view.word}: {view.failure.reason}"
        for source in _REPORTED
        if (view := source_view(state, source, now)).failure is not None
    ]
    if figures is None:
        return notices
    if figures.source.has_substitute:
        notices.append("the metrics are the dashboard endpoint's: the ops plane refuses")
    if figures.unreported:
        notices.append(
            f"the gateway's fallback count is {figures.unreported} lower than the ledger's"
        )
    return notices


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
