"""What all signals together say of each mission, how far the events cover them, and p95 as a rank.

The metrics endpoint alone can go blind. Missions come newest first, events OLDEST first, each cut
at its limit: once the lane has more events than that, new fallbacks are invisible and the reported
rate freezes at history. So four signals are merged per mission: the event and flag of the metrics,
what a result's place lets one infer (G1), what the streams said, and what earlier polls saw.

The p95 is the gateway's: a rank, not an estimate.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from vp_tui.domain.models import Dialect, Mission, MissionClaims, Snapshot


FALLBACK: Final = "vp.mission.fallback"
LEDGER_LIMIT: Final = 5_000
"""Missions kept; the oldest leave first."""
BOOT_SLACK: Final = timedelta(seconds=2)
"""The gateway's boot in UTC is known to about a second: the Date header has no fraction."""
ORPHAN_AFTER_S: Final = 300.0
"""G2: what reads `running` for longer than this, and than three p95, cannot be real when idle."""
ORPHAN_GRACE_S: Final = 10.0
"""Younger rows are not given up: the session listing may be older than they are."""

DISPATCHED: Final = "vp.mission.dispatched"


class Signal(StrEnum):
    """How a fallback became known."""

    EVENT = "event"
    FLAG = "flag"
    INFERRED = "inferred"
    STREAM = "stream"


class LedgerEntry(NamedTuple):
    """One mission and every signal of a fallback seen for it so far."""

    mission: Mission
    signals: frozenset[Signal] = frozenset()
    cancelled: bool = False
    """Ended by hand: neither clean nor fallen back."""

    @property
    def fell_back(self) -> bool:
        """Whether any signal says so."""
        return bool(self.signals)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All missions known, by id, oldest first as they were met."""

    entries: Mapping[str, LedgerEntry] = field(default_factory=dict)
    stream_fallbacks: tuple[str, ...] = ()
    """Missions that a stream said fell back and that the metrics have not named yet."""


class Reconstruction(NamedTuple):
    """The reconstructed fallback figures over terminal missions."""

    terminal: int
    fallbacks: int
    inferred: int
    """Of the fallbacks, those known by inference alone."""

    @property
    def rate(self) -> float | None:
        """Fraction 0..1; None without terminal missions: 0/0 is not 0."""
        return self.fallbacks / self.terminal if self.terminal else None


def merge_snapshot(ledger: Ledger, snapshot: Snapshot, dialect: Dialect | None) -> Ledger:
    """Return the ledger with what a snapshot tells about its missions."""
    by_event = {event.mission_id for event in snapshot.events if event.event_type == FALLBACK}
    by_hand = {event.mission_id for event in snapshot.events if event.cancelled}
    lane_result = f"workspace://{snapshot.lane.workspace_dir}" if snapshot.lane else None
    by_stream = set(ledger.stream_fallbacks)
    entries = dict(ledger.entries)
    for mission in reversed(snapshot.missions):
        mission_id = mission.mission_id
        told = {
            Signal.FLAG: mission.fallback_seen,
            Signal.EVENT: mission_id in by_event,
            Signal.STREAM: mission_id in by_stream,
            Signal.INFERRED: dialect == "G1" and _ran_elsewhere(mission, lane_result),
        }
        known = entries.get(mission_id, LedgerEntry(mission))
        entries[mission_id] = LedgerEntry(
            mission,
            known.signals.union(signal for signal, is_so in told.items() if is_so),
            known.cancelled or mission_id in by_hand or mission.status == "cancelled",
        )
    unnamed = tuple(m for m in ledger.stream_fallbacks if m not in entries)
    return Ledger(dict(list(entries.items())[-LEDGER_LIMIT:]), unnamed)


def note_stream_fallbacks(ledger: Ledger, mission_ids: Iterable[str]) -> Ledger:
    """Return the ledger knowing that a stream said these missions fell back."""
    told = dict.fromkeys(mission_ids)
    if not told:
        return ledger
    named = {
        mission_id: entry._replace(signals=entry.signals | {Signal.STREAM})
        for mission_id in told
        if (entry := ledger.entries.get(mission_id))
    }
    known = dict.fromkeys(ledger.stream_fallbacks) | told
    waiting = [mission_id for mission_id in known if mission_id not in named]
    return Ledger({**ledger.entries, **named}, tuple(waiting[-LEDGER_LIMIT:]))


def note_cancelled(ledger: Ledger, mission_ids: Iterable[str]) -> Ledger:
    """Return the ledger knowing that these missions, of those it has, were cancelled by hand."""
    news = {
        mission_id: entry._replace(cancelled=True)
        for mission_id in mission_ids
        if (entry := ledger.entries.get(mission_id)) and not entry.cancelled
    }
    return replace(ledger, entries={**ledger.entries, **news}) if news else ledger


def terminal_entries(
    ledger: Ledger, since: datetime | None, orphaned: Collection[str] = ()
) -> tuple[LedgerEntry, ...]:
    """Return the epoch's finished missions that count, oldest completion first.

    `since` is the gateway's boot (UTC), None when it is not known: then all count. An orphaned
    mission that fell back has failed on both paths: it comes as failed.
    """
    counted = [
        entry
        if entry.mission.is_terminal
        else entry._replace(mission=entry.mission._replace(status="failed"))
        for mission_id, entry in ledger.entries.items()
        if (entry.mission.is_terminal or (entry.fell_back and mission_id in orphaned))
        and not entry.cancelled
        and is_of_epoch(entry.mission, since)
    ]
    return tuple(sorted(counted, key=_finished_at))


def reconstruct(entries: Iterable[LedgerEntry]) -> Reconstruction:
    """Return the fallback figures of finished missions, from all signals."""
    listed = tuple(entries)
    fallen = [entry for entry in listed if entry.fell_back]
    alone = frozenset({Signal.INFERRED})
    return Reconstruction(len(listed), len(fallen), sum(e.signals == alone for e in fallen))


def unreported_fallbacks(ledger: Ledger, snapshot: Snapshot) -> int:
    """Return how many of the snapshot's missions fell back without the gateway reporting it."""
    known = sum(
        entry.fell_back
        for mission in snapshot.missions
        if (entry := ledger.entries.get(mission.mission_id))
    )
    return known - snapshot.fallback.with_fallback


def orphans(
    snapshot: Snapshot,
    dialect: Dialect | None,
    claims: MissionClaims | None = None,
    *,
    may_run: bool,
) -> tuple[str, ...]:
    """Return ids of missions that read `running` but cannot be; `may_run`: a session may run.

    G1 has one lock: only the newest running row can be real, and only while a session runs. On G2
    several run at once: one that a worker claimed is given up when its claim has ended, one of the
    gateway's own when it is old and no session runs. Without `claims` those of a lane of workers
    may all be under way. An unknown generation is treated as G2, the one that accuses less.
    """
    running = [mission for mission in snapshot.missions if mission.status == "running"]
    if dialect == "G1":
        doubtful, certain, limit_s = running[:1], running[1:], ORPHAN_GRACE_S
    else:
        doubtful, certain = _by_claim(running, snapshot, claims)
        limit_s = max(3 * (snapshot.latency.p95_s or 0.0), ORPHAN_AFTER_S)
    given_up = [m for m in doubtful if not may_run and _age_s(m, snapshot.generated_at) > limit_s]
    return tuple(mission.mission_id for mission in given_up + certain)


def _by_claim(
    running: list[Mission], snapshot: Snapshot, claims: MissionClaims | None
) -> tuple[list[Mission], list[Mission]]:
    """Return G2's running rows that no worker has, and those whose worker's claim has ended.

    Of one that the answer does not name, as it is newer, nothing is known on a lane of workers.
    """
    has_workers = snapshot.lane is not None and snapshot.lane.session_id.endswith(".external")
    told = claims.missions if claims is not None else {}
    named = [(m, told[m.mission_id].expires_at) for m in running if m.mission_id in told]
    unnamed = [] if has_workers else [m for m in running if m.mission_id not in told]
    unclaimed = [mission for mission, end in named if end is None]
    ended = [m for m, end in named if claims is not None and end is not None and end < claims.as_of]
    return unclaimed + unnamed, ended


def _ran_elsewhere(mission: Mission, lane_result: str | None) -> bool:
    if mission.status == "failed":
        return True
    return None not in (mission.result_ref, lane_result) and mission.result_ref != lane_result


def is_of_epoch(mission: Mission, since: datetime | None) -> bool:
    """Tell whether a mission began after the gateway's boot; None: it is not known, all did."""
    began_at = mission.started_at
    return since is None or began_at is None or began_at >= since - BOOT_SLACK


def _finished_at(entry: LedgerEntry) -> tuple[float, str]:
    stamp = entry.mission.completed_at or entry.mission.started_at
    return (stamp.timestamp() if stamp else 0.0, entry.mission.mission_id)


def _age_s(mission: Mission, now: datetime) -> float:
    return (now - mission.started_at).total_seconds() if mission.started_at else 0.0


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
    covered = [mission.mission_id in dispatched for mission in snapshot.missions]
    if not covered:
        state = CoverageState.NONE
    elif not covered[0]:
        state = CoverageState.BLIND
    elif len(snapshot.events) >= snapshot.event_limit or not all(covered):
        state = CoverageState.TRUNCATED
    else:
        state = CoverageState.FULL
    return Coverage(state, sum(covered), len(covered))


def rank_from_top(count: int) -> int:
    """Return which largest of `count` values the p95 is, as the gateway rounds; 1: the maximum."""
    return count - round((count - 1) * 0.95)


def p95_after_each(durations: Sequence[float], last: int) -> tuple[float, ...]:
    """Return the p95 as it stood after each of the `last` newest of `durations` (oldest first)."""
    first = max(len(durations) - last, 0)
    ranked = sorted(durations[:first])
    series = []
    for duration in durations[first:]:
        insort(ranked, duration)
        series.append(ranked[-rank_from_top(len(ranked))])
    return tuple(series)


def ordinal(number: int) -> str:
    """Return a rank as `1st`, `2nd`, `3rd` or `4th`."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{({1: 'st', 2: 'nd', 3: 'rd'}).get(number % 10, 'th')}"


def describe_rank(count: int) -> str:
    """Return how the p95 of `count` values reads: `max of 7`, `2nd of 15`."""
    rank = rank_from_top(count)
    return f"{'max' if rank == 1 else ordinal(rank)} of {count}"
