"""The rate and the p95 that a row says, and the snapshot they follow from.

The reported values stand while the events cover every mission and the reconstruction agrees; else
the reconstructed ones do, marked (docs/rollout.md, section 7). Both are of all missions, those
of unreal windows too: that is what the gateway counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions.ledger import CoverageState, p95_after_each, reconstruct
from vp_tui.domain.rollout.evidence_row import RECONSTRUCTED
from vp_tui.state.sources import while_same

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.missions.ledger import LedgerEntry
    from vp_tui.domain.models import Mission, MissionEvent, Snapshot
    from vp_tui.views.figures import Numbers


_DIGITS: Final = 3
"""Of a rate in the row: rates that read the same agree."""


class Cells(NamedTuple):
    """What the row says; a rate is a fraction, 0 to 1, None is n/a."""

    rate: float | None
    p95_s: float | None
    is_reconstructed: bool


def cells_of(figures: Numbers) -> Cells:
    """Return the values of the row's two cells."""
    is_covered = figures.coverage.state in {CoverageState.FULL, CoverageState.NONE}
    return _cells(figures.snapshot, figures.recent, is_covered and not figures.unreported)


@while_same
def _cells(taken: Snapshot, ended: tuple[LedgerEntry, ...], may_agree: bool) -> Cells:  # noqa: FBT001 - `while_same` takes arguments by place
    own_rate = reconstruct(ended).rate
    reported = taken.fallback.rate if taken.fallback.considered else None
    if may_agree and _agree(reported, own_rate):
        return Cells(reported, taken.latency.p95_s, is_reconstructed=False)
    durations = [e.mission.duration_s for e in ended if e.mission.duration_s is not None]
    p95 = p95_after_each(durations, 1)
    return Cells(own_rate, p95[0] if p95 else None, is_reconstructed=True)


def _agree(reported: float | None, own: float | None) -> bool:
    if reported is None or own is None:
        return reported == own
    return round(reported, _DIGITS) == round(own, _DIGITS)


def recorded_snapshot(figures: Numbers) -> dict[str, object]:
    """Return the snapshot as a record keeps it, in the words of the wire, with what the row says.

    `recent_missions` newest first and `recent_events` oldest first, as they were sent.
    """
    taken, cells = figures.snapshot, cells_of(figures)
    kept: dict[str, object] = {
        "vp_id": taken.vp_id,
        "generated_at": _stamp(taken.generated_at),
        "fallback": {
            "missions_with_fallback": taken.fallback.with_fallback,
            "missions_considered": taken.fallback.considered,
            "rate": taken.fallback.rate,
        },
        "latency_seconds": _latency(taken),
        "mission_counts": dict(taken.mission_counts),
        "event_counts": dict(taken.event_counts),
        "recent_missions": [_mission(mission) for mission in taken.missions],
        "recent_events": [_event(event) for event in taken.events],
    }
    if cells.is_reconstructed:
        kept[RECONSTRUCTED] = {"rate": cells.rate, "p95_s": cells.p95_s}
    return kept


def _latency(taken: Snapshot) -> dict[str, object]:
    latency = taken.latency
    return {
        "count": latency.count,
        "avg_seconds": latency.avg_s,
        "p50_seconds": latency.p50_s,
        "p95_seconds": latency.p95_s,
        "max_seconds": latency.max_s,
    }


def _mission(mission: Mission) -> dict[str, object]:
    return {
        "mission_id": mission.mission_id,
        "status": mission.status,
        "started_at": _stamp(mission.started_at),
        "completed_at": _stamp(mission.completed_at),
        "duration_seconds": mission.duration_s,
        "result_ref": mission.result_ref,
        "fallback_seen": mission.fallback_seen,
    }


def _event(event: MissionEvent) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "mission_id": event.mission_id,
        "event_type": event.event_type,
        "created_at": _stamp(event.created_at),
        "cancelled": event.cancelled,
    }


def _stamp(stamp: datetime | None) -> str | None:
    return None if stamp is None else stamp.isoformat()
