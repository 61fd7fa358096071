"""Whether the metrics' event window still sees the newest missions.

Missions come newest first, events OLDEST first, each cut at its limit. Once the lane has more
events than the limit, new fallbacks are invisible and the reported rate freezes at history.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from vp_tui.domain.models import Snapshot

DISPATCHED: Final = "vp.mission.dispatched"


class CoverageState(StrEnum):
    """How much of the missions the events still cover."""

    FULL = "full"
    TRUNCATED = "truncated"
    """The event window is full: fallbacks of some missions may be missing."""
    BLIND = "blind"
    """The newest mission is not covered: the reported rate is history, not now."""
    NONE = "none"
    """There are no missions to cover."""


class Coverage(NamedTuple):
    """How many of the `considered` missions have their dispatch among the events."""

    state: CoverageState
    covered: int
    considered: int


def coverage_of(snapshot: Snapshot) -> Coverage:
    """Tell how many of the snapshot's missions its events cover."""
    dispatched = {event.mission_id for event in snapshot.events if event.event_type == DISPATCHED}
    considered = len(snapshot.missions)
    covered = sum(mission.mission_id in dispatched for mission in snapshot.missions)
    return Coverage(_state(snapshot, dispatched, covered), covered, considered)


def _state(snapshot: Snapshot, dispatched: set[str], covered: int) -> CoverageState:
    if not snapshot.missions:
        return CoverageState.NONE
    if snapshot.missions[0].mission_id not in dispatched:
        return CoverageState.BLIND
    if len(snapshot.events) >= snapshot.event_limit or covered < len(snapshot.missions):
        return CoverageState.TRUNCATED
    return CoverageState.FULL
