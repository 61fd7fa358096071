"""How far the gateway's lists can be believed: which outcomes are known, which rows cannot run.

Missions come newest first, events oldest first, each cut at its limit: an endpoint with more events
than that is blind for what is new. That is a word about the endpoint; what is known counts.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.domain.missions import BOOT_SLACK, Signal, Witness, is_of_epoch
from vp_tui.domain.vocabulary import rate_cell

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from vp_tui.domain.missions import Ledger, LedgerEntry
    from vp_tui.domain.models import Dialect, Mission, MissionClaims, Snapshot


_CLOCK_SLACK_S: Final = 1.0
"""By how much two stamps of one clock may be cut."""
DISPATCHED: Final = "vp.mission.dispatched"
ORPHAN_AFTER_S: Final = 300.0
"""G2: what reads `running` for longer than this, and than three p95, cannot be real when idle."""
ORPHAN_GRACE_S: Final = 10.0
"""Younger rows are not given up: the session listing may be older than they are."""


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
    since: datetime | None = None
    """When the list of events was full: of what happened later it tells nothing. None: it is not.
    """

    @property
    def known(self) -> int:
        """Of the considered missions, those whose outcome is known, or that may run yet."""
        return sum(count for _witness, count in self.by)

    @property
    def unknown(self) -> int:
        """Of the considered missions, the others: they are in no rate."""
        return self.considered - self.known


class Reconstruction(NamedTuple):
    """The reconstructed fallback figures over terminal missions whose outcome is known."""

    terminal: int
    fallbacks: int
    inferred: int
    """Of the fallbacks, those known by inference alone."""
    unknown: int = 0
    """Further terminal missions, whose outcome is not known: they are in no rate."""

    @property
    def rate(self) -> float | None:
        """Fraction 0..1; None without terminal missions: 0/0 is not 0."""
        return self.fallbacks / self.terminal if self.terminal else None


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
    return Coverage(state, sum(covered), len(covered), told, _full_since(snapshot))


def _full_since(snapshot: Snapshot) -> datetime | None:
    if len(snapshot.events) < snapshot.event_limit:
        return None
    stamps = (event.created_at for event in snapshot.events if event.created_at is not None)
    return max(stamps, default=None)


def seen_outcomes(snapshot: Snapshot | None, ledger: Ledger) -> dict[str, bool]:
    """Return of which missions somebody saw whether they fell back, and whether.

    What a later answer tells by itself, where a result lies, was not seen. Those that were
    cancelled by hand before they fell back did neither.
    """
    listed = (m.mission_id for m in (snapshot.missions if snapshot else ()))
    entries = (entry for one in listed if (entry := ledger.entries.get(one)) is not None)
    told = dict.fromkeys(ledger.stream_fallbacks, True)
    for entry in entries:
        fell_back = bool(entry.signals - entry.void - {Signal.INFERRED})
        is_seen = entry.witness in {Witness.EVENTS, Witness.WITNESSED}
        if (fell_back or is_seen) and not entry.is_left_out:
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


class Considered(NamedTuple):
    """What the endpoint's rate counts, beside the missions of the reconstructed one."""

    rate: float | None
    running: int
    """Rows that have not ended: they make the rate smaller than it is."""
    finished: int
    fallbacks: int
    """Of the finished, those that it reports to have fallen back."""
    more: int
    """Finished ones that the reconstruction does not count: of an earlier life, or cancelled."""
    fewer: int
    """Missions that the reconstruction counts and the list no longer has."""

    @property
    def is_diluted(self) -> bool:
        """Whether the rate would read otherwise without those that have not ended."""
        own = self.fallbacks / self.finished if self.finished else None
        is_told = self.running and self.rate is not None
        return bool(is_told) and rate_cell(self.rate) != rate_cell(own)

    @property
    def told(self) -> str:
        """What is counted: `0.045 of 44, 40 of them running; 2 of 4 finished`."""
        of = f"{rate_cell(self.rate)} of {self.running + self.finished}"
        return f"{of}, {self.running} of them running; {self.fallbacks} of {self.finished} finished"

    @property
    def difference(self) -> str:
        """Why the two rates are not the same number over the same missions, "" where they are."""
        parts = (
            (self.is_diluted, f"counts {self.running} running"),
            (self.more, f"{self.more} more listed"),
            (self.fewer, f"{self.fewer} no longer listed"),
        )
        return ", ".join(what for is_so, what in parts if is_so)


def considered(snapshot: Snapshot, counted: Iterable[LedgerEntry]) -> Considered:
    """Return what the endpoint's rate counts; `counted` are those of the reconstruction."""
    own = {entry.mission.mission_id for entry in counted}
    listed = {mission.mission_id for mission in snapshot.missions}
    ended = [mission for mission in snapshot.missions if mission.is_terminal]
    return Considered(
        snapshot.fallback.rate,
        len(listed - own) - sum(mission.mission_id not in own for mission in ended),
        sum(mission.is_terminal or mission.mission_id in own for mission in snapshot.missions),
        sum(
            mission.fallback_seen and (mission.is_terminal or mission.mission_id in own)
            for mission in snapshot.missions
        ),
        sum(mission.mission_id not in own for mission in ended),
        len(own - listed),
    )


def counted_since(ledger: Ledger, boot_at: datetime | None) -> datetime | None:
    """Return from when on missions are counted together: the boot, or the end of a newer gap."""
    if ledger.gap is None or ledger.gap.until is None:
        return boot_at
    since = ledger.gap.until + BOOT_SLACK
    return since if boot_at is None else max(since, boot_at)


def reconstruct(entries: Iterable[LedgerEntry]) -> Reconstruction:
    """Return the fallback figures of finished missions, from all signals."""
    listed = tuple(entries)
    known = [entry for entry in listed if entry.is_known]
    fallen = [entry for entry in known if entry.fell_back]
    alone = frozenset({Signal.INFERRED})
    inferred = sum(entry.signals == alone for entry in fallen)
    return Reconstruction(len(known), len(fallen), inferred, len(listed) - len(known))


def unreported_fallbacks(ledger: Ledger, snapshot: Snapshot) -> int:
    """Return how many of the snapshot's missions fell back without the gateway reporting it.

    A frame that outran the poll is news, no disagreement: each mission is judged by an answer that
    was asked for after the newest that a stream told of it.
    """
    known = sum(
        bool(entry.signals) and (mission.fallback_seen or mission.mission_id not in ledger.news)
        for mission in snapshot.missions
        if (entry := ledger.entries.get(mission.mission_id))
    )
    return known - snapshot.fallback.with_fallback


def orphans(
    snapshot: Snapshot,
    dialect: Dialect | None,
    claims: MissionClaims | None = None,
    since: datetime | None = None,
    *,
    may_run: bool,
) -> tuple[str, ...]:
    """Return ids of missions that read `running` but cannot be; `may_run`: a session may run.

    G1 has one lock: only the newest running row can be real, and only while a session runs. On G2
    several run at once: one that a worker claimed is given up when its claim has ended, one of the
    gateway's own when it is old and no session runs. Without `claims` those of a lane of workers
    may all be under way. An unknown generation is treated as G2, the one that accuses less.
    A restart at `since` ended all of the gateway's own that ran before it.
    """
    running = [mission for mission in snapshot.missions if mission.status == "running"]
    if dialect == "G1":
        is_newest = bool(running) and running[0] is snapshot.missions[0]
        at_most = 1 if is_newest and is_of_epoch(running[0], since) else 0
        doubtful, certain, limit_s = running[:at_most], running[at_most:], ORPHAN_GRACE_S
    else:
        doubtful, certain = _by_claim(running, snapshot, claims)
        limit_s = max(3 * (snapshot.latency.p95_s or 0.0), ORPHAN_AFTER_S)
    given_up = [m for m in doubtful if not may_run and _age_s(m, snapshot.generated_at) > limit_s]
    return tuple(mission.mission_id for mission in given_up + certain)


def is_of_workers(snapshot: Snapshot) -> bool:
    """Tell whether the lane is one of workers: no stream tells how their missions end."""
    return snapshot.lane is not None and snapshot.lane.session_id.endswith(".external")


def under_way(snapshot: Snapshot, orphaned: Collection[str]) -> tuple[tuple[str, float], ...]:
    """Return the missions that may be under way, the oldest first, each with its age in seconds."""
    running = (m for m in reversed(snapshot.missions) if m.status == "running")
    return tuple(
        (m.mission_id, _age_s(m, snapshot.generated_at))
        for m in running
        if m.mission_id not in orphaned
    )


def _by_claim(
    running: list[Mission], snapshot: Snapshot, claims: MissionClaims | None
) -> tuple[list[Mission], list[Mission]]:
    """Return G2's running rows that no worker has, and those whose worker's claim has ended.

    Of one that the answer does not name, as it is newer, nothing is known on a lane of workers.
    """
    has_workers = is_of_workers(snapshot)
    told = claims.missions if claims is not None else {}
    named = [(m, told[m.mission_id].expires_at) for m in running if m.mission_id in told]
    unnamed = [] if has_workers else [m for m in running if m.mission_id not in told]
    unclaimed = [mission for mission, end in named if end is None]
    ended = [m for m, end in named if claims is not None and end is not None and end < claims.as_of]
    return unclaimed + unnamed, ended


def _age_s(mission: Mission, now: datetime) -> float:
    return (now - mission.started_at).total_seconds() if mission.started_at else 0.0


def without_odd_durations(snapshot: Snapshot) -> Snapshot:
    """Take from missions, and from what the gateway makes of them, durations that cannot be.

    Those are negative, not finite, or longer than the lane has lived: from the oldest mission that
    is listed until now.
    """
    starts = [mission.started_at for mission in snapshot.missions if mission.started_at]
    life_s = (snapshot.generated_at - min(starts)).total_seconds() if starts else math.inf
    longest_s = max(life_s, 0.0) + _CLOCK_SLACK_S

    def is_odd(seconds: float | None) -> bool:
        return seconds is not None and not 0.0 <= seconds <= longest_s

    odd = {mission.mission_id for mission in snapshot.missions if is_odd(mission.duration_s)}
    reported = asdict(snapshot.latency).items()
    untold: dict[str, Any] = dict.fromkeys(
        name for name, told in reported if name != "count" and is_odd(told)
    )
    if not odd and not untold:
        return snapshot
    missions = tuple(
        mission._replace(duration_s=None) if mission.mission_id in odd else mission
        for mission in snapshot.missions
    )
    return snapshot._replace(
        missions=missions,
        latency=replace(snapshot.latency, **untold),
        odd_durations=len(odd) or len(untold),
    )
