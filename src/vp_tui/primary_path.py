"""State + now -> whether the primary path is healthy: where a forced fallback sends every turn.

What speaks for it are turns and fallen back missions that it completed lately. `now` is the
monotonic clock in seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.durations import age
from vp_tui.domain.events import Source
from vp_tui.hangs import hung_runs
from vp_tui.selectors import short_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.state import State

LATELY_S: Final = 30 * 60.0
"""What is older says nothing of now."""


class Health(StrEnum):
    """How the primary path does."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    FAILING = "FAILING"
    BLOCKED = "BLOCKED"


class PrimaryPath(NamedTuple):
    """How the primary path does, and on what evidence."""

    health: Health
    why: str


def primary_path(state: State, now: float) -> PrimaryPath:
    """Return how the primary path does: the newest that it did decides."""
    if state.dialect != "G2" and (blocking := next(_blocking(state, now), None)):
        why = f"{short_id(blocking)} holds the gateway's lock: no turn of either path gets through"
        return PrimaryPath(Health.BLOCKED, why)
    seen = list(_seen(state))
    if not seen:
        why = "nothing was seen to complete outside the lane in this epoch"
        return PrimaryPath(Health.UNKNOWN, why)
    at, health, what = max(seen)
    told = f"{what} {age(max(now - at, 0.0))} ago"
    if now - at > LATELY_S:
        return PrimaryPath(Health.UNKNOWN, f"not lately: {told}")
    return PrimaryPath(health, told)


def _blocking(state: State, now: float) -> Iterator[str]:
    return (run.session_id for run in hung_runs(state, now) if run.is_deaf or run.waiting)


def _seen(state: State) -> Iterator[tuple[float, Health, str]]:
    """Yield what the primary path did, each with when."""
    if (turn := state.lane.primary) is not None:
        how = "fell back and completed" if turn.fell_back else "completed outside the lane"
        yield turn.ended_at, Health.HEALTHY, f"a turn of {short_id(turn.session_id)} {how}"
    snapshot, metrics = state.snapshot, state.sources.get(Source.METRICS)
    if snapshot is None or metrics is None or metrics.answered_at is None:
        return
    boot_at = state.boot_at
    for entry in state.ledger.entries.values():
        mission = entry.mission
        told = _of_mission(entry)
        if told is None or mission.completed_at is None:
            continue
        if boot_at is None or mission.completed_at < boot_at:
            continue
        ago_s = (snapshot.generated_at - mission.completed_at).total_seconds()
        yield metrics.answered_at - ago_s, *told


def _of_mission(entry: LedgerEntry) -> tuple[Health, str] | None:
    """Return what a mission says of the primary path; None where it never got there."""
    mission = entry.mission
    if entry.cancelled:
        return None
    if mission.status == "failed":
        return Health.FAILING, f"mission {mission.mission_id} failed on both paths"
    if mission.status == "completed" and entry.fell_back:
        return Health.HEALTHY, f"mission {mission.mission_id} fell back and completed"
    return None
