"""How far the gateway's events cover its missions, and how many outcomes are known all the same.

Missions come newest first, events oldest first, each cut at its limit: an endpoint with more events
than that is blind for what is new. That is a word about the endpoint; what is known counts.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions import Signal, Witness

if TYPE_CHECKING:
    from vp_tui.domain.missions import Ledger, LedgerEntry
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
    """How far the events cover the `considered` missions, and how many outcomes are known."""

    state: CoverageState
    covered: int
    considered: int
    by: tuple[tuple[Witness, int], ...] = ()
    """How many outcomes are known by what; one that may run yet is known by its row."""

    @property
    def known(self) -> int:
        """Of the considered missions, those whose outcome is known, or that may run yet."""
        return sum(count for _witness, count in self.by)

    @property
    def unknown(self) -> int:
        """Of the considered missions, the others: they are in no rate."""
        return self.considered - self.known


def coverage_of(snapshot: Snapshot, ledger: Ledger) -> Coverage:
    """Tell how far the snapshot's events cover its missions, and whose outcome is known."""
    dispatched = {event.mission_id for event in snapshot.events if event.event_type == DISPATCHED}
    covered = [mission.mission_id in dispatched for mission in snapshot.missions]
    if not covered:
        state = CoverageState.NONE
    elif not covered[0]:
        state = CoverageState.BLIND
    elif len(snapshot.events) >= snapshot.event_limit or not all(covered):
        state = CoverageState.TRUNCATED
    else:
        state = CoverageState.FULL
    entries = (ledger.entries.get(mission.mission_id) for mission in snapshot.missions)
    by = Counter(_known_by(entry) for entry in entries if entry is not None and entry.is_known)
    told = tuple((witness, by[witness]) for witness in Witness)
    return Coverage(state, sum(covered), len(covered), told)


def _known_by(entry: LedgerEntry) -> Witness:
    if entry.witness is not None:
        return entry.witness
    if entry.signals and entry.signals <= {Signal.STREAM}:
        return Witness.WITNESSED
    return Witness.INFERRED if entry.signals == {Signal.INFERRED} else Witness.EVENTS
