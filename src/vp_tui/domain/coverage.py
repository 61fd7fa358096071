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

from vp_tui.domain.missions import (
    BOOT_SLACK,
    LEDGER_LIMIT,
    Ledger,
    Signal,
    Witness,
    is_of_epoch,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.domain.models import Dialect, Mission, MissionClaims, Snapshot


_CLOCK_SLACK_S: Final = 1.0
"""By how much two stamps of one clock may be cut."""
LONGEST_S: Final = 1e7
"""No mission takes four months."""
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


def to_keep(ledger: Ledger, own: Collection[str]) -> Ledger:
    """Return what is to outlive this watch: of `own`, those that ended or fell back.

    They are kept without their prompts.
    """
    entries = {
        one: entry._replace(mission=entry.mission._replace(objective=""))
        for one, entry in ledger.entries.items()
        if one in own and (entry.mission.is_terminal or entry.fell_back)
    }
    return Ledger(entries, ledger.stream_fallbacks, gap=ledger.gap)


def joined_ledgers(kept: Ledger, ours: Ledger, *, is_all: bool) -> Ledger:
    """Return what is known of both, each mission as the one has it who knows more of it.

    With `is_all` those that only `kept` has stay too, as long as there is room.
    """
    entries = {one: _surer(kept.entries.get(one, e), e) for one, e in ours.entries.items()}
    both = {**kept.entries, **entries}
    fallen = dict.fromkeys((*kept.stream_fallbacks, *ours.stream_fallbacks))
    return Ledger(
        both if is_all and len(both) <= LEDGER_LIMIT else entries,
        tuple(one for one in fallen if one not in both)[-LEDGER_LIMIT:],
        gap=max(filter(None, (ours.gap, kept.gap)), key=lambda gap: gap.at, default=None),
    )


def _surer(known: LedgerEntry, other: LedgerEntry) -> LedgerEntry:
    if known == other:
        return known
    surer = other if _sureness(other) > _sureness(known) else known
    if surer.mission.is_terminal or not other.mission.is_terminal:
        return surer
    return surer._replace(mission=other.mission)


def _sureness(entry: LedgerEntry) -> tuple[bool, ...]:
    return entry.fell_back, entry.mission.is_terminal, entry.is_known, entry.cancelled


def recall(ledger: Ledger, kept: Ledger) -> Ledger:
    """Return the ledger with what was known before of its missions, and of those listed no more.

    Before the first list nothing is.
    """
    if not ledger.entries:
        return ledger
    gone, news = {}, {}
    for one, told in kept.entries.items():
        is_told = told.witness is Witness.EVENTS
        known = told._replace(witness=Witness.WITNESSED) if is_told else told
        if (now := ledger.entries.get(one)) is None:
            gone[one] = known
        elif (surer := _surer(now, known)) is not now:
            news[one] = surer._replace(mission=now.mission)
    for one in kept.stream_fallbacks:
        if (now := ledger.entries.get(one)) is not None and not now.fell_back:
            news[one] = now._replace(signals=now.signals | {Signal.STREAM})
    if not (gone or news):
        return ledger
    entries = {**gone, **ledger.entries, **news}
    return replace(ledger, entries=dict(list(entries.items())[-LEDGER_LIMIT:]))


def _known_by(entry: LedgerEntry) -> Witness:
    if entry.witness is not None:
        return entry.witness
    if entry.signals and entry.signals <= {Signal.STREAM}:
        return Witness.WITNESSED
    return Witness.INFERRED if entry.signals == {Signal.INFERRED} else Witness.EVENTS


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

    Those are negative, not finite, beyond LONGEST_S, or longer than the lane has lived: from the
    oldest mission that is listed until now.
    """
    starts = [mission.started_at for mission in snapshot.missions if mission.started_at]
    life_s = (snapshot.generated_at - min(starts)).total_seconds() if starts else math.inf
    longest_s = min(max(life_s, 0.0) + _CLOCK_SLACK_S, LONGEST_S)

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
