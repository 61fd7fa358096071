"""Observation windows and what lies in them (docs/rollout.md, section 3).

The gateway's figures are cumulative. A window's own are a set difference of missions: what
had ended when it was closed, less what had ended when it was opened, so that each mission is in
exactly one window, the one in which it ended (docs/rollout.md, fact 9). Times are UTC.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions import Ledger, terminal_entries
from vp_tui.domain.rollout.labels import next_label, next_stage, numbered_label
from vp_tui.domain.statistics import p95_after_each
from vp_tui.domain.vocabulary import Stage, Traffic, keeps_open

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.domain.models import Mission, MissionEvent
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.verdicts import Waiver


CANCEL: Final = "cancel"
TRIP: Final = "trip"
FELL_BACK: Final = "fell back"
ORPHANED: Final = "orphaned"


class Window(NamedTuple):
    """One observation window; with `opened_at` None, the one that is proposed next."""

    label: str
    scope: str
    stage: Stage
    source: Traffic
    opened_at: datetime | None
    anchor: frozenset[str] | None
    """Missions that had ended at the opening; None when none was known: the gateway did not
    answer."""
    closed_at: datetime | None = None
    decision: str | None = None
    """The newest word recorded for it."""
    waivers: tuple[Waiver, ...] = ()
    """Gates set aside for it, at most one waiver each; they end with it."""

    running: frozenset[str] = frozenset()
    """Missions known at the opening that had not ended: they are the window's if they end in it."""
    newest: datetime | None = None
    """When the newest mission known at the opening had begun, as the gateway stamps and lists
    them; None where none was."""
    closing: frozenset[str] | None = None
    """Missions that had ended at the closing; None while it is open, and where none was known."""

    @property
    def is_open(self) -> bool:
        """Whether it was opened and not closed yet."""
        return self.opened_at is not None and self.closed_at is None

    def holds(self, mission: Mission) -> bool:
        """Tell whether the mission is the window's: it ended in it, or may yet.

        The gateway's order decides: what it lists before the newest mission that was known at the
        opening, and was not known then, was before the window. Only where no mission was known do
        stamps decide.
        """
        one, began_at = mission.mission_id, mission.started_at
        if self.closing is not None:
            if one not in self.closing:
                return False
        elif self.closed_at is not None and began_at is not None and began_at > self.closed_at:
            return False
        if self.anchor is None:
            return bool(self.opened_at and began_at and began_at > self.opened_at)
        if one in self.anchor:
            return False
        is_older = self.newest is not None and began_at is not None and began_at < self.newest
        return one in self.running or not is_older


class Anchor(NamedTuple):
    """What is known of the missions at a moment."""

    ended: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()
    newest: datetime | None = None
    """When the newest of them began."""


def anchor_of(entries: Iterable[LedgerEntry], orphaned: Collection[str] = ()) -> Anchor:
    """Return what ledger entries say at this moment.

    `orphaned` are ids of rows that read `running` and cannot be: they have ended.
    """
    missions = [entry.mission for entry in entries]
    ended = frozenset(m.mission_id for m in missions if m.is_terminal or m.mission_id in orphaned)
    running = frozenset(m.mission_id for m in missions if m.mission_id not in ended)
    began = (m.started_at for m in missions if m.started_at is not None)
    return Anchor(ended, running, max(began, default=None))


class Told(NamedTuple):
    """Something that happened and that a row tells of."""

    what: str
    """CANCEL or TRIP."""
    target: str
    """Its session; "" for a trip."""
    at: datetime


class RecordedEnd(NamedTuple):
    """How a mission had ended, as the newest row that tells of it says."""

    mission_id: str
    window: str
    """Label of the window in which it ended; "" for none."""
    outcome: str


class WindowNumbers(NamedTuple):
    """A window's own missions; those cancelled by hand are new, and nothing else."""

    new: int = 0
    """Those that ended in it, however they did."""
    completed: int = 0
    failed: int = 0
    running: int = 0
    """Without orphans: rows that cannot be running."""
    fallback: int = 0
    """Of those in the rate, those that fell back."""
    fallen_running: int = 0
    """Of those that run, and of those that a stream named before the metrics did, those that fell
    back already: they count as such when they end."""
    p95_s: float | None = None
    """In seconds, of the completed and failed ones, by the gateway's own rank."""
    timed: int = 0
    """Of the completed and failed ones, those whose time is known: p95 is a rank among them."""
    unknown: int = 0
    """Of those in the rate, those of which nobody knows whether they fell back."""
    cancelled: int = 0
    """Those that were cancelled after they had fallen back, or perhaps after that: in the rate."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing ended in it and nothing runs."""
        return not (self.new or self.running)

    @property
    def terminal(self) -> int:
        """How many are in the rate: those that ended by themselves, or fell back before."""
        return self.completed + self.failed + self.cancelled

    @property
    def known(self) -> int:
        """Of these, those whose outcome is known: a rate counts them alone."""
        return self.terminal - self.unknown


def default_scope(vp_id: str, gateway: str, source: Traffic) -> str:
    """Return the scope of a window that nobody named: lane, gateway and source."""
    return f"{vp_id} on {gateway}, {source} traffic"


def proposed_window(
    rows: Sequence[EvidenceRow],
    recorded: Collection[str],
    *,
    scope: str,
    source: Traffic = Traffic.ORGANIC,
    stage: Stage | None = None,
    label: str = "",
) -> Window:
    """Return the window that comes next while none is open.

    It holds all missions that no record names: `recorded` are those that some record does. A
    `label` overrules the log's next one, and tells the stage as that does; `stage` overrules both.
    """
    named = numbered_label(label)
    return Window(
        label=label or next_label(rows, stage),
        scope=scope,
        stage=stage or (named[0] if named else next_stage(rows)) or Stage.SHADOW,
        source=source,
        opened_at=None,
        anchor=frozenset(recorded),
    )


def opened(window: Window, known: Anchor | None, now: datetime) -> Window:
    """Return `window` opened now; `known` is of all missions, None when the source is out."""
    return window._replace(
        opened_at=now,
        anchor=None if known is None else known.ended,
        running=frozenset() if known is None else known.running,
        newest=None if known is None else known.newest,
        closed_at=None,
        closing=None,
        decision=None,
        waivers=(),
    )


def closed(window: Window, now: datetime, known: Anchor | None = None) -> Window:
    """Return `window` closed now, without a row; `known` is of all missions, as at its opening."""
    return window._replace(closed_at=now, closing=None if known is None else known.ended)


def recorded(
    window: Window,
    word: str,
    now: datetime,
    *,
    keep: bool | None = None,
    known: Anchor | None = None,
) -> Window:
    """Return the window after a row with `word` was written for it.

    `keep` overrules whether that word keeps it open; `known` is of all missions. A proposed window
    begins its life here, with the missions that it was proposed with.
    """
    stays = keeps_open(word) if keep is None else keep
    return window._replace(
        opened_at=window.opened_at or now,
        closed_at=None if stays else now,
        closing=None if stays or known is None else known.ended,
        decision=word,
    )


def numbers_of(
    window: Window,
    entries: Iterable[LedgerEntry],
    orphaned: Collection[str] = (),
    heard: Collection[str] = (),
) -> WindowNumbers:
    """Return the window's own figures from all ledger entries, of any age.

    `orphaned` are ids of rows that read `running` and cannot be, `heard` those of missions that
    fell back as a stream said and that the metrics have not named yet.
    """
    own = {e.mission.mission_id: e for e in entries if window.holds(e.mission)}
    finished = terminal_entries(Ledger(own), None, orphaned)
    durations = [e.mission.duration_s for e in finished if e.mission.duration_s is not None]
    ways = Counter(e.mission.status for e in finished)
    running = [e for i, e in own.items() if e.mission.status == "running" and i not in orphaned]
    return WindowNumbers(
        new=len(anchor_of(own.values(), orphaned).ended),
        completed=ways["completed"],
        failed=ways["failed"],
        cancelled=ways["cancelled"],
        running=len(running),
        fallback=sum(e.fell_back for e in finished),
        fallen_running=sum(e.fell_back for e in running) + len(heard),
        p95_s=next(iter(p95_after_each(durations, 1)), None),
        timed=len(durations),
        unknown=sum(not e.is_known for e in finished),
    )


def missions_of(window: Window, entries: Iterable[LedgerEntry]) -> frozenset[str]:
    """Return the ids of the window's own missions among all ledger entries, ended or running."""
    return frozenset(e.mission.mission_id for e in entries if window.holds(e.mission))


def outcome_of(entry: LedgerEntry, orphaned: Collection[str] = ()) -> str:
    """Return in a word how a mission ended; "" while it has not."""
    mission = entry.mission
    is_orphan = not mission.is_terminal and mission.mission_id in orphaned
    if not (mission.is_terminal or is_orphan):
        return ""
    if entry.fell_back:
        return FELL_BACK
    if entry.cancelled:
        return "cancelled"
    return ORPHANED if is_orphan else mission.status


def changed_ends(
    ends: Iterable[RecordedEnd], entries: Mapping[str, LedgerEntry], orphaned: Collection[str]
) -> tuple[RecordedEnd, ...]:
    """Return the missions that ended otherwise than the rows say, as they stand now.

    That less is known now than when the row was written is no change.
    """
    changed = []
    for end in ends:
        entry = entries.get(end.mission_id)
        now = outcome_of(entry, orphaned) if entry is not None else ""
        is_news = now == FELL_BACK or (end.outcome == ORPHANED and now == "completed")
        if is_news and now != end.outcome:
            changed.append(end._replace(outcome=now))
    return tuple(changed)


def merged_ends(
    known: Iterable[RecordedEnd], newer: Iterable[RecordedEnd]
) -> tuple[RecordedEnd, ...]:
    """Return all ends, each as told last; a mission stays in the window in which it first ended."""
    ends = {end.mission_id: end for end in known}
    for end in newer:
        first = ends.pop(end.mission_id, end)
        ends[end.mission_id] = end._replace(window=first.window)
    return tuple(ends.values())


def strays_of(
    windows: Sequence[Window],
    recorded: Collection[str],
    entries: Iterable[LedgerEntry],
    orphaned: Collection[str] = (),
) -> tuple[LedgerEntry, ...]:
    """Return the missions that ended in none of `windows`, and that no row tells of."""
    return tuple(
        entry
        for entry in entries
        if outcome_of(entry, orphaned)
        and entry.mission.mission_id not in recorded
        and not any(window.holds(entry.mission) for window in windows)
    )


def events_of(
    window: Window, entries: Iterable[LedgerEntry], events: Iterable[MissionEvent]
) -> Counter[str]:
    """Return how many events of each type the window's own missions have among `events`."""
    own = missions_of(window, entries)
    return Counter(event.event_type for event in events if event.mission_id in own)


def open_window(windows: Sequence[Window]) -> Window | None:
    """Return the open one of `windows`, oldest first; None while there is none."""
    return next((window for window in reversed(windows) if window.is_open), None)


def unreal_missions(windows: Iterable[Window], missions: Iterable[Mission]) -> frozenset[str]:
    """Return ids of missions that no gate or guardrail counts: their window's source is not real.

    `windows` may be all there ever were, the open or proposed one included.
    """
    unreal = [window for window in windows if not window.source.is_real]
    return frozenset(m.mission_id for m in missions if any(w.holds(m) for w in unreal))
