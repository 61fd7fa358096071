"""What all signals together say of each mission: whether it fell back, and by what that is known.

The metrics endpoint alone can go blind. Missions come newest first, events OLDEST first, each cut
at its limit: once the lane has more events than that, new fallbacks are invisible and the reported
rate freezes at history. So four signals are merged per mission: the event and flag of the metrics,
what a result's place lets one infer (G1), what the streams said, and what earlier polls saw.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
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

ENDS: Final = frozenset({"vp.mission.completed", "vp.mission.failed", "vp.mission.cancelled"})
"""Events that tell how a mission ended."""


class Signal(StrEnum):
    """How a fallback became known."""

    EVENT = "event"
    FLAG = "flag"
    INFERRED = "inferred"
    STREAM = "stream"


class Witness(StrEnum):
    """By what the outcome of a finished mission is known (docs/rollout.md, fact 1)."""

    EVENTS = "events"
    """Its end is among the events of the newest answer."""
    WITNESSED = "witnessed"
    """vp-tui was there: its end was among the events of an earlier answer, or a stream was heard
    from the dispatch to the end without a break."""
    INFERRED = "inferred"
    """The place of its result tells (G1)."""


class LedgerEntry(NamedTuple):
    """One mission and every signal of a fallback seen for it so far."""

    mission: Mission
    signals: frozenset[Signal] = frozenset()
    cancelled: bool = False
    """Ended by hand: neither clean nor fallen back."""
    witness: Witness | None = None
    """By what its end is known; None: by nothing, or it has not ended."""

    @property
    def fell_back(self) -> bool:
        """Whether any signal says so."""
        return bool(self.signals)

    @property
    def is_known(self) -> bool:
        """Whether it is known how it went; a fallback that was seen is enough."""
        return self.witness is not None or self.fell_back or not self.mission.is_terminal

    def settled(self, *, fallen: bool) -> LedgerEntry:
        """Return one whose outcome is unknown as if it were known, to judge both ways."""
        if self.is_known:
            return self
        signals = frozenset({Signal.EVENT} if fallen else ())
        return self._replace(witness=Witness.EVENTS, signals=signals)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All missions known, by id, oldest first as they were met."""

    entries: Mapping[str, LedgerEntry] = field(default_factory=dict)
    stream_fallbacks: tuple[str, ...] = ()
    """Missions that a stream said fell back and that the metrics have not named yet."""
    witnessed: frozenset[str] = frozenset()
    """Missions that a stream was heard of from dispatch to end, until the metrics say so too."""
    news: frozenset[str] = frozenset()
    """Missions of which a stream told after the newest answer was asked for, perhaps."""
    later_news: frozenset[str] = frozenset()
    """Of these, those told of since that answer came."""
    given_up: frozenset[str] = frozenset()
    """Missions that read `running` and cannot be, until they end after all."""


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


def merge_snapshot(ledger: Ledger, snapshot: Snapshot, dialect: Dialect | None) -> Ledger:
    """Return the ledger with what a snapshot tells about its missions."""
    by_event = {event.mission_id for event in snapshot.events if event.event_type == FALLBACK}
    by_hand = {event.mission_id for event in snapshot.events if event.cancelled}
    ended = {event.mission_id for event in snapshot.events if event.event_type in ENDS}
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
        is_inferable = dialect == "G1" and _is_inferable(mission, lane_result)
        entries[mission_id] = LedgerEntry(
            mission,
            known.signals.union(signal for signal, is_so in told.items() if is_so),
            known.cancelled or mission_id in by_hand or mission.status == "cancelled",
            _witness(mission, known, ledger, is_told=mission_id in ended, infers=is_inferable),
        )
    kept = dict(list(entries.items())[-LEDGER_LIMIT:])
    return Ledger(
        kept,
        tuple(m for m in ledger.stream_fallbacks if m not in entries),
        frozenset(m for m in ledger.witnessed if m not in kept or not kept[m].mission.is_terminal),
        news=ledger.later_news,
        given_up=frozenset(m for m in ledger.given_up if _may_end(kept.get(m))),
    )


def _is_before(entry: LedgerEntry, oldest: datetime | None) -> bool:
    began_at = entry.mission.started_at
    return oldest is not None and began_at is not None and began_at < oldest


def _witness(
    mission: Mission, known: LedgerEntry, ledger: Ledger, *, is_told: bool, infers: bool
) -> Witness | None:
    """Return by what the mission's end is known now; what was known before stays known."""
    if not mission.is_terminal:
        return None
    if is_told:
        return Witness.EVENTS
    was_heard = mission.status == "completed" and mission.mission_id in ledger.witnessed
    if was_heard or known.witness in {Witness.EVENTS, Witness.WITNESSED}:
        return Witness.WITNESSED
    return Witness.INFERRED if infers else None


def _may_end(entry: LedgerEntry | None) -> bool:
    return entry is not None and not entry.mission.is_terminal


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
    return replace(
        ledger,
        entries={**ledger.entries, **named},
        stream_fallbacks=tuple(waiting[-LEDGER_LIMIT:]),
        news=ledger.news.union(told),
        later_news=ledger.later_news.union(told),
    )


def note_witnessed(ledger: Ledger, mission_ids: Collection[str]) -> Ledger:
    """Return the ledger knowing that a stream was heard of these from dispatch to end."""
    if not mission_ids:
        return ledger
    return replace(ledger, witnessed=ledger.witnessed.union(mission_ids))


def give_up(
    ledger: Ledger, snapshot: Snapshot, given_up: Collection[str], *, again: bool
) -> Ledger:
    """Return the ledger knowing which missions read `running` and cannot be.

    That are `given_up`, those that were cancelled by hand, and those that a full list has left
    behind. Those that were given up before stay so until they end, unless they may be
    claimed `again` (G2).
    """
    is_full = len(snapshot.missions) >= snapshot.mission_limit
    oldest = snapshot.missions[-1].started_at if is_full else None
    gone = {
        mission_id
        for mission_id, entry in ledger.entries.items()
        if not entry.mission.is_terminal and (entry.cancelled or _is_before(entry, oldest))
    }
    before = frozenset[str]() if again else ledger.given_up
    found = before.union(given_up, gone)
    return ledger if found == ledger.given_up else replace(ledger, given_up=found)


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
        entry.fell_back and (mission.fallback_seen or mission.mission_id not in ledger.news)
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


def _is_inferable(mission: Mission, lane_result: str | None) -> bool:
    """Tell whether a finished mission's row says where it ran (docs/rollout.md, fact 2)."""
    return mission.status == "failed" or (
        mission.status == "completed" and None not in (mission.result_ref, lane_result)
    )


def is_of_epoch(mission: Mission, since: datetime | None) -> bool:
    """Tell whether a mission began after the gateway's boot; None: it is not known, all did."""
    began_at = mission.started_at
    return since is None or began_at is None or began_at >= since - BOOT_SLACK


def _finished_at(entry: LedgerEntry) -> tuple[float, str]:
    stamp = entry.mission.completed_at or entry.mission.started_at
    return (stamp.timestamp() if stamp else 0.0, entry.mission.mission_id)


def _age_s(mission: Mission, now: datetime) -> float:
    return (now - mission.started_at).total_seconds() if mission.started_at else 0.0
