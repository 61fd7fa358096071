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

from vp_tui.domain.text import utc_z

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from vp_tui.domain.models import Dialect, Mission, MissionEvent, Snapshot


FALLBACK: Final = "vp.mission.fallback"
LEDGER_LIMIT: Final = 5_000
"""Missions kept; the oldest leave first."""
BOOT_SLACK: Final = timedelta(seconds=2)
"""The gateway's boot in UTC is known to about a second: the Date header has no fraction."""

ENDS: Final = frozenset({"vp.mission.completed", "vp.mission.failed", "vp.mission.cancelled"})
"""Events that tell how a mission ended."""


class Signal(StrEnum):
    """How a fallback became known."""

    EVENT = "event"
    FLAG = "flag"
    INFERRED = "inferred"
    STREAM = "stream"


_OF_THE_METRICS: Final = frozenset({Signal.EVENT, Signal.FLAG})


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
    """Ended by hand: neither clean nor fallen back, unless it had fallen back before."""
    witness: Witness | None = None
    """By what its end is known; None: by nothing, or it has not ended."""
    void: frozenset[Signal] = frozenset()
    """Signals that its cancel made, or may have: G2 tells a fallback of whatever is cancelled."""

    @property
    def fell_back(self) -> bool:
        """Whether any signal says so."""
        return bool(self.signals - self.void)

    @property
    def is_left_out(self) -> bool:
        """Whether it is known to count nowhere: cancelled, and it had not fallen back before."""
        return self.cancelled and self.is_known and not self.fell_back

    @property
    def is_known(self) -> bool:
        """Whether it is known how it went; a fallback that was seen is enough."""
        return self.witness is not None or self.fell_back or not self.mission.is_terminal

    def settled(self, *, fallen: bool) -> LedgerEntry:
        """Return one whose outcome is unknown as if it were known, to judge both ways."""
        if self.is_known:
            return self
        signals = frozenset({Signal.EVENT} if fallen else ())
        return self._replace(witness=Witness.EVENTS, signals=signals, void=frozenset())


class Gap(NamedTuple):
    """Missions that nobody saw: a full list shared none with what was known."""

    after: datetime | None
    """When the newest mission began that was known."""
    until: datetime | None
    """When the oldest one began that the list had then."""
    at: datetime
    """When that list was made."""

    @property
    def told(self) -> str:
        """What is not known, in words."""
        between = " and ".join(utc_z(at) if at else "?" for at in (self.after, self.until))
        return f"an unknown number of missions between {between}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """All missions known, by id, oldest first as they were met."""

    entries: Mapping[str, LedgerEntry] = field(default_factory=dict)
    stream_fallbacks: tuple[str, ...] = ()
    """Missions that a stream said fell back and that the metrics have not named yet."""
    witnessed: tuple[str, ...] = ()
    """Missions that a stream was heard of from dispatch to end, until the metrics say so too; at
    most LEDGER_LIMIT."""
    news: frozenset[str] = frozenset()
    """Missions of which a stream told after the newest answer was asked for, perhaps."""
    later_news: frozenset[str] = frozenset()
    """Of these, those told of since that answer came."""
    given_up: frozenset[str] = frozenset()
    """Missions that read `running` and cannot be, until they end after all."""
    gap: Gap | None = None
    """The newest one: claims begin anew after it."""


def merge_snapshot(ledger: Ledger, snapshot: Snapshot, dialect: Dialect | None) -> Ledger:
    """Return the ledger with what a snapshot tells about its missions.

    It is the same one where that is no news: what is computed of a ledger is kept as long.
    """
    by_event = {event.mission_id for event in snapshot.events if event.event_type == FALLBACK}
    by_hand = {event.mission_id: event for event in snapshot.events if event.cancelled}
    ended = {event.mission_id for event in snapshot.events if event.event_type in ENDS}
    lane_result = f"workspace://{snapshot.lane.workspace_dir}" if snapshot.lane else None
    by_stream, heard = set(ledger.stream_fallbacks), set(ledger.witnessed)
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
        is_told, was_heard = mission_id in ended, mission_id in heard
        signals = known.signals.union(signal for signal, is_so in told.items() if is_so)
        cancel = by_hand.get(mission_id)
        is_by_hand = cancel is not None or mission.status == "cancelled"
        entry = LedgerEntry(
            mission,
            signals,
            is_by_hand
            or (known.cancelled and not _ended_by_itself(mission, is_told or is_inferable)),
            _witness(mission, known, is_told=is_told, was_heard=was_heard, infers=is_inferable),
            known.void if dialect == "G1" else _void(known, mission, signals, cancel, is_told),
        )
        entries[mission_id] = known if entry == known else entry
    kept = dict(list(entries.items())[-LEDGER_LIMIT:])
    merged = Ledger(
        kept,
        tuple(m for m in ledger.stream_fallbacks if m not in entries),
        tuple(m for m in ledger.witnessed if m not in kept or not kept[m].mission.is_terminal),
        news=ledger.later_news,
        given_up=frozenset(
            m for m in ledger.given_up if (e := kept.get(m)) and not e.mission.is_terminal
        ),
        gap=gap_after(ledger.entries, snapshot) or ledger.gap,
    )
    return ledger if merged == ledger else merged


def _is_before(entry: LedgerEntry, oldest: datetime | None) -> bool:
    began_at = entry.mission.started_at
    return oldest is not None and began_at is not None and began_at < oldest


def gap_after(known: Mapping[str, LedgerEntry | bool], snapshot: Snapshot) -> Gap | None:
    """Return the gap that a full list leaves which shares none with what was known before."""
    listed = snapshot.missions
    is_full = len(listed) >= max(snapshot.mission_limit, 1)
    if not (known and is_full) or any(m.mission_id in known for m in listed):
        return None
    began = (e.mission.started_at for e in known.values() if isinstance(e, LedgerEntry))
    oldest = (mission.started_at for mission in listed)
    return Gap(
        max((at for at in began if at is not None), default=None),
        min((at for at in oldest if at is not None), default=None),
        snapshot.generated_at,
    )


def _witness(
    mission: Mission, known: LedgerEntry, *, is_told: bool, was_heard: bool, infers: bool
) -> Witness | None:
    """Return by what the mission's end is known now; what was known before stays known."""
    if not mission.is_terminal:
        return None
    if is_told:
        return Witness.EVENTS
    was_there = was_heard and mission.status == "completed"
    if was_there or known.witness in {Witness.EVENTS, Witness.WITNESSED}:
        return Witness.WITNESSED
    return Witness.INFERRED if infers else None


def _void(
    known: LedgerEntry,
    mission: Mission,
    signals: frozenset[Signal],
    cancel: MissionEvent | None,
    is_told: bool,  # noqa: FBT001 - beside the event
) -> frozenset[Signal]:
    """Return the signals of a mission of a G2 that say nothing of how it went.

    A cancel appends a fallback event of its own, and its end says whether there was one before. As
    long as nobody saw that end, only a fallback that was told while the mission ran is one.
    """
    own = signals & _OF_THE_METRICS
    if cancel is not None:
        return own if cancel.was_clean else frozenset()
    if is_told or mission.status not in {"failed", "cancelled"}:
        return frozenset()
    return known.void if known.mission.is_terminal and known.signals else own - known.signals


def _ended_by_itself(mission: Mission, is_known: bool) -> bool:  # noqa: FBT001 - one of a pair
    """Tell whether a mission whose run was cancelled ended all the same, as far as is known."""
    return mission.status == "completed" or (mission.status == "failed" and is_known)


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
    heard = tuple(dict.fromkeys((*ledger.witnessed, *mission_ids)))
    return replace(ledger, witnessed=heard[-LEDGER_LIMIT:])


def give_up(
    ledger: Ledger, snapshot: Snapshot, given_up: Collection[str], *, again: bool
) -> Ledger:
    """Return the ledger knowing which missions read `running` and cannot be.

    That are `given_up`, and those that a full list has left behind. Those that were given up before
    stay so until they end, unless they may be claimed `again` (G2).
    """
    is_full = len(snapshot.missions) >= snapshot.mission_limit
    oldest = snapshot.missions[-1].started_at if is_full else None
    gone = {
        mission_id
        for mission_id, entry in ledger.entries.items()
        if not entry.mission.is_terminal and _is_before(entry, oldest)
    }
    before = frozenset[str]() if again else ledger.given_up
    found = before.union(given_up, gone)
    return ledger if found == ledger.given_up else replace(ledger, given_up=found)


def note_cancelled(ledger: Ledger, mission_ids: Iterable[str]) -> Ledger:
    """Return the ledger knowing that these missions, of those it has, were cancelled by hand."""
    news = {
        mission_id: entry._replace(cancelled=True)
        for mission_id in mission_ids
        if (entry := ledger.entries.get(mission_id))
        and not (entry.cancelled or _ended_by_itself(entry.mission, entry.witness is not None))
    }
    return replace(ledger, entries={**ledger.entries, **news}) if news else ledger


def terminal_entries(
    ledger: Ledger, since: datetime | None, orphaned: Collection[str] = ()
) -> tuple[LedgerEntry, ...]:
    """Return the epoch's finished missions that count, oldest completion first.

    `since` is the gateway's boot (UTC), None when it is not known: then all count. An orphaned
    mission that fell back has failed on both paths: it comes as failed. One that was cancelled
    after its fallback, or for all that is known, comes as cancelled and has no duration.
    """
    counted = [
        _as_ended(entry)
        for mission_id, entry in ledger.entries.items()
        if (entry.mission.is_terminal or (entry.fell_back and mission_id in orphaned))
        and not entry.is_left_out
        and is_of_epoch(entry.mission, since)
    ]
    return tuple(sorted(counted, key=_finished_at))


def _as_ended(entry: LedgerEntry) -> LedgerEntry:
    mission = entry.mission
    if entry.cancelled:
        return entry._replace(mission=mission._replace(status="cancelled", duration_s=None))
    if mission.is_terminal:
        return entry
    return entry._replace(mission=mission._replace(status="failed"))


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
