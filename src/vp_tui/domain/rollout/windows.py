"""Observation windows and what lies in them (docs/rollout.md, section 3).

The gateway's figures are cumulative. A window's own are a set difference of missions: what was
known when it was opened is its anchor (docs/rollout.md, fact 9). Times are UTC.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.missions import Ledger, p95_after_each, terminal_entries
from vp_tui.domain.rollout.labels import next_label, next_stage, numbered_label
from vp_tui.domain.vocabulary import Stage, Traffic, keeps_open

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.domain.models import Mission, MissionEvent
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.verdicts import Waiver


class Window(NamedTuple):
    """One observation window; with `opened_at` None, the one that is proposed next."""

    label: str
    scope: str
    stage: Stage
    source: Traffic
    opened_at: datetime | None
    anchor: frozenset[str] | None
    """Missions known at the opening; None when nothing was: the gateway did not answer."""
    closed_at: datetime | None = None
    decision: str | None = None
    """The newest word recorded for it."""
    waivers: tuple[Waiver, ...] = ()
    """Gates set aside for it, at most one waiver each; they end with it."""

    @property
    def is_open(self) -> bool:
        """Whether it was opened and not closed yet."""
        return self.opened_at is not None and self.closed_at is None

    def holds(self, mission: Mission) -> bool:
        """Tell whether the mission is the window's: first seen, or started, after its opening."""
        started_at = mission.started_at
        if self.closed_at and started_at and started_at > self.closed_at:
            return False
        if self.anchor is not None and mission.mission_id not in self.anchor:
            return True
        return bool(self.opened_at and started_at and started_at > self.opened_at)


class WindowNumbers(NamedTuple):
    """A window's own missions; those cancelled by hand are new, and nothing else."""

    new: int = 0
    completed: int = 0
    failed: int = 0
    running: int = 0
    """Without orphans: rows that cannot be running."""
    fallback: int = 0
    """Of the completed and failed ones, those that fell back."""
    p95_s: float | None = None
    """In seconds, of the completed and failed ones, by the gateway's own rank."""
    timed: int = 0
    """Of the completed and failed ones, those whose time is known: p95 is a rank among them."""

    @property
    def terminal(self) -> int:
        """How many ended by themselves."""
        return self.completed + self.failed


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


def opened(window: Window, known: Collection[str] | None, now: datetime) -> Window:
    """Return `window` opened now; `known` are all missions known, None when the source is out."""
    anchor = None if known is None else frozenset(known)
    return window._replace(opened_at=now, anchor=anchor, closed_at=None, decision=None, waivers=())


def closed(window: Window, now: datetime) -> Window:
    """Return `window` closed now, without a row."""
    return window._replace(closed_at=now)


def recorded(window: Window, word: str, now: datetime, *, keep: bool | None = None) -> Window:
    """Return the window after a row with `word` was written for it.

    `keep` overrules whether that word keeps it open. A proposed window begins its life here, with
    the missions that it was proposed with.
    """
    stays = keeps_open(word) if keep is None else keep
    return window._replace(
        opened_at=window.opened_at or now,
        closed_at=None if stays else now,
        decision=word,
    )


def numbers_of(
    window: Window, entries: Iterable[LedgerEntry], orphaned: Collection[str] = ()
) -> WindowNumbers:
    """Return the window's own figures from all ledger entries, of any age.

    `orphaned` are ids of rows that read `running` and cannot be.
    """
    own = {e.mission.mission_id: e for e in entries if window.holds(e.mission)}
    finished = terminal_entries(Ledger(own), None, orphaned)
    durations = [e.mission.duration_s for e in finished if e.mission.duration_s is not None]
    failed = sum(e.mission.status == "failed" for e in finished)
    return WindowNumbers(
        new=len(own),
        completed=len(finished) - failed,
        failed=failed,
        running=sum(e.mission.status == "running" and i not in orphaned for i, e in own.items()),
        fallback=sum(e.fell_back for e in finished),
        p95_s=next(iter(p95_after_each(durations, 1)), None),
        timed=len(durations),
    )


def missions_of(window: Window, entries: Iterable[LedgerEntry]) -> frozenset[str]:
    """Return the ids of the window's own missions among all ledger entries."""
    return frozenset(e.mission.mission_id for e in entries if window.holds(e.mission))


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
