"""How far the gateway's events cover its missions, and how many outcomes are known all the same.

Missions come newest first, events oldest first, each cut at its limit: an endpoint with more events
than that is blind for what is new. That is a word about the endpoint; what is known counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions import Signal, Witness

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def seen_outcomes(snapshot: Snapshot | None, ledger: Ledger) -> dict[str, bool]:
    """Return of which missions somebody saw whether they fell back, and whether.

    What a later answer tells by itself, where a result lies, was not seen. Those that were
    cancelled by hand did neither.
    """
    listed = (m.mission_id for m in (snapshot.missions if snapshot else ()))
    entries = (entry for one in listed if (entry := ledger.entries.get(one)) is not None)
    told = dict.fromkeys(ledger.stream_fallbacks, True)
    for entry in entries:
        fell_back = bool(entry.signals - {Signal.INFERRED})
        is_seen = entry.witness in {Witness.EVENTS, Witness.WITNESSED}
        if (fell_back or is_seen) and not entry.cancelled:
            told[entry.mission.mission_id] = fell_back
    return told


def recall(ledger: Ledger, outcomes: Mapping[str, bool]) -> Ledger:
    """Return the ledger with outcomes that were seen before, of the missions that it has."""
    news = {}
    for one, fell_back in outcomes.items():
        entry = ledger.entries.get(one)
        if entry is None or (entry.fell_back if fell_back else entry.witness is not None):
            continue
        if fell_back:
            news[one] = entry._replace(signals=entry.signals | {Signal.STREAM})
        elif entry.mission.is_terminal:
            news[one] = entry._replace(witness=Witness.WITNESSED)
    return replace(ledger, entries={**ledger.entries, **news}) if news else ledger


def _known_by(entry: LedgerEntry) -> Witness:
    if entry.witness is not None:
        return entry.witness
    if entry.signals and entry.signals <= {Signal.STREAM}:
        return Witness.WITNESSED
    return Witness.INFERRED if entry.signals == {Signal.INFERRED} else Witness.EVENTS
