"""What runs at all times, whatever the screen shows (docs/rollout.md, section 5).

Only the epoch's real missions count, finished ones, oldest first: none that was cancelled by hand,
and none of a window whose source is synthetic or fault-injected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.lane.auto_revert import AutoRevert, in_words
from vp_tui.domain.missions import is_of_epoch
from vp_tui.domain.rollout.labels import (
    is_measured,
    last_of_earlier_stage,
    last_revert,
    moment,
)
from vp_tui.domain.runs.cancels import CancelState, pending
from vp_tui.domain.statistics import evidence_above
from vp_tui.domain.text import counted
from vp_tui.domain.vocabulary import GUARDRAIL_RATE, RevertMode, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.domain.vocabulary import Stage


ROLLING: Final = 20
"""Missions that the trip-wire looks back on."""
TRIPS_AT: Final = 3
"""Fallbacks among them that trip it, also while there are fewer: 2 of 20 is 10%, not more."""
FAILURES_IN_A_ROW: Final = 2
FAILURES_OF_LAST: Final = (3, 10)
"""That many failed missions of the last so many are a pattern too."""
FAILURES_LIMIT: Final = "{} in a row, or {} of the last {} failed".format(
    FAILURES_IN_A_ROW, *FAILURES_OF_LAST
)
EVIDENCE_TARGET: Final = 10
"""Real missions after the anchor that are to be recorded."""


class TripWire(NamedTuple):
    """Guardrail 3: fallbacks over the rolling window of finished missions, or failures in a row."""

    terminal: int
    """Missions in the rolling window, at most 20."""
    fallbacks: int
    reason: str | None
    """Why it is tripped; None while it is not."""
    to_trip: int
    """How many further fallbacks, one after the other, trip it; 0 when tripped."""
    oldest_leaves_in: int | None
    """Finished missions until the oldest fallback is no longer counted; None without one."""
    evidence: float
    """E-value for a rate above 10%: a trip is policy, and proof only from 20 on."""
    unknown: int = 0
    """Further missions in the rolling window, whose outcome is not known."""
    last_ever: tuple[int, int] | None = None
    """Fallbacks among the known of the newest missions of every epoch, and how many these are; None
    where they are no others than this epoch's."""

    @property
    def tripped(self) -> bool:
        """Whether fallback is to be forced."""
        return self.reason is not None

    @property
    def trips_at(self) -> int:
        """How many fallbacks of the rolling window trip it."""
        return TRIPS_AT

    @property
    def would_trip(self) -> bool:
        """Whether its rate trips it where a restart does not end what came before."""
        return self.last_ever is not None and self.last_ever[0] >= TRIPS_AT

    @property
    def across(self) -> str:
        """How many fell back of the newest missions of every epoch; "" where it is this one's."""
        if self.last_ever is None:
            return ""
        return "across restarts: {} of the last {} fell back".format(*self.last_ever)

    @property
    def near(self) -> str:
        """How near it is while it is not tripped."""
        return f"trips at {self.to_trip} more"

    @property
    def sentence(self) -> str:
        """How it stands: how many fell back, and how near it is, or why it tripped."""
        across = f"; {self.across}" if self.across else ""
        if self.reason is not None:
            return f"TRIPPED: {self.reason}{across}"
        fallen = f"{self.fallbacks} of the last {self.terminal} fell back"
        if self.unknown:
            fallen = f"{self.fallbacks} of {self.terminal} known fell back, {self.unknown} unknown"
        return f"{fallen if self.terminal else 'none finished'}: {self.time_to_trip}{across}"

    @property
    def time_to_trip(self) -> str:
        """How near it is: `trips at 1 more; the oldest leaves the window in 6 missions`."""
        if self.reason is not None:
            return self.reason
        if self.oldest_leaves_in is None:
            return self.near
        left = counted(self.oldest_leaves_in, "mission")
        return f"{self.near}; the oldest leaves the window in {left}"


@dataclass(frozen=True, slots=True)
class EvidenceTarget:
    """Guardrail 2: real missions recorded after the anchor, at most `of`."""

    count: int
    anchor: str | None
    """Label of the row from which on they count; None: from the log's beginning."""
    of: int = EVIDENCE_TARGET


class CancelRecovery(NamedTuple):
    """Guardrail 1: every cancel is followed until its session has recovered."""

    state: str = "none pending"
    """In full, with the sessions."""
    pending: int = 0
    unconfirmed: int = 0
    """Of these, those raised as unconfirmed."""

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to follow, and nothing to be cancelled."""
        return self == CancelRecovery()

    @property
    def short_state(self) -> str:
        """How it stands, in a few words."""
        if self.unconfirmed:
            return f"{self.unconfirmed} UNCONFIRMED"
        return f"{self.pending} pending" if self.pending else self.state.partition(":")[0]


class Guardrails(NamedTuple):
    """All three, as they stand."""

    trip_wire: TripWire
    evidence_target: EvidenceTarget
    cancel_recovery: CancelRecovery = CancelRecovery()
    mode: RevertMode = RevertMode.DRY_RUN
    revert: AutoRevert = AutoRevert()

    @property
    def auto_revert(self) -> str:
        """Who reverts, in words: nothing in the gateway does it by itself."""
        return in_words(self.mode, self.revert, tripped=self.trip_wire.tripped)


def cancel_recovery(
    cancels: Iterable[Cancel], now: float, stuck: Sequence[str] = ()
) -> CancelRecovery:
    """Return how guardrail 1 stands; `stuck` are the sessions that hang and may yet be cancelled.

    Its words change with the cancels, never by the second.
    """
    states = [(cancel.session_id, cancel.state(now)) for cancel in pending(cancels)]
    unconfirmed = [who for who, state in states if state is CancelState.UNCONFIRMED]
    awaited = [f"{who} {state}" for who, state in states if state is not CancelState.UNCONFIRMED]
    if not states:
        if not stuck:
            return CancelRecovery()
        return CancelRecovery(f"NONE SENT: {', '.join(stuck)} hang{'s' * (len(stuck) == 1)}")
    parts = (
        f"UNCONFIRMED: {', '.join(unconfirmed)}" if unconfirmed else "",
        f"{len(awaited)} pending: {', '.join(awaited)}" if awaited else "",
    )
    return CancelRecovery("; ".join(filter(None, parts)), len(states), len(unconfirmed))


def trip_wire(finished: Sequence[LedgerEntry], ever: Sequence[LedgerEntry] = ()) -> TripWire:
    """Return how guardrail 3 stands after these finished missions, oldest first.

    `ever` are those of every epoch.
    """
    newest = finished[-ROLLING:]
    flags = [entry.fell_back for entry in newest]
    fallbacks, known = sum(flags), sum(entry.is_known for entry in newest)
    evidence = evidence_above(fallbacks, known, GUARDRAIL_RATE)
    further = range(TRIPS_AT + 1)  # as they come, older ones leave the rolling window
    to_trip = next(n for n in further if sum([*flags, *[True] * n][-ROLLING:]) >= TRIPS_AT)
    reason = sustained_failures(finished)
    if fallbacks >= TRIPS_AT:
        limit = f"> {percent(GUARDRAIL_RATE)} of {ROLLING}"
        unknown = f", {len(flags) - known} unknown" if known < len(flags) else ""
        reason = f"{fallbacks} of the last {known} fell back ({limit}){unknown}"
    return TripWire(
        terminal=known,
        unknown=len(flags) - known,
        fallbacks=fallbacks,
        reason=reason,
        to_trip=0 if reason else to_trip,
        oldest_leaves_in=ROLLING - len(flags) + flags.index(True) + 1 if fallbacks else None,
        evidence=evidence,
        last_ever=_last_ever(ever) if len(newest) < min(len(ever), ROLLING) else None,
    )


def _last_ever(ever: Sequence[LedgerEntry]) -> tuple[int, int]:
    last = ever[-ROLLING:]
    return sum(e.fell_back for e in last), sum(e.is_known for e in last)


def tripped_before(
    ever: Sequence[LedgerEntry], boot_at: datetime | None
) -> tuple[str | None, datetime | None]:
    """Return why guardrail 3 was tripped when the gateway was started, and since when.

    `ever` are the real finished missions of every epoch.
    """
    if boot_at is None:
        return None, None
    earlier = [entry for entry in ever if not is_of_epoch(entry.mission, boot_at)]
    return trip_wire(earlier).reason, newest_bad(earlier[-ROLLING:])


def newest_bad(entries: Sequence[LedgerEntry]) -> datetime | None:
    """Return when the newest of these finished that fell back or failed."""
    bad = (e.mission for e in entries if e.fell_back or e.mission.status == "failed")
    stamps = (mission.completed_at or mission.started_at for mission in bad)
    return max((stamp for stamp in stamps if stamp is not None), default=None)


def trip_passed(finished: Sequence[LedgerEntry], window: Window) -> datetime | None:
    """Return when it tripped last by a mission of the window; None: it never did."""
    for place in range(len(finished) - 1, -1, -1):
        entry = finished[place]
        if entry.fell_back and window.holds(entry.mission):
            seen = finished[max(place - ROLLING + 1, 0) : place + 1]
            if sum(e.fell_back for e in seen) >= TRIPS_AT:
                return entry.mission.completed_at or entry.mission.started_at
    return None


def sustained_failures(finished: Sequence[LedgerEntry]) -> str | None:
    """Return in words the pattern of failed missions among the newest, None without one."""
    many, of = FAILURES_OF_LAST
    # A row that says completed did not fail, whether or not it is known to have fallen back.
    ended = [
        e
        for e in finished
        if e.mission.status == "completed" or (e.is_known and e.mission.status != "cancelled")
    ]
    failed = [entry.mission.status == "failed" for entry in ended[-of:]]
    if any(one and next_one for one, next_one in pairwise(failed)):
        return f"{FAILURES_IN_A_ROW} missions in a row failed"
    recent = sum(failed)
    return f"{recent} of the last {of} missions failed" if recent >= many else None


def evidence_target(
    rows: Sequence[EvidenceRow], stage: Stage, finished: Iterable[LedgerEntry]
) -> EvidenceTarget | None:
    """Return how many real missions the rows since the anchor record.

    The anchor is the last row of an earlier stage, or a revert after it; None where its date cannot
    be read. A mission is recorded when a measured row was written after its end.
    """
    anchors = (last_of_earlier_stage(rows, stage), last_revert(rows))
    index = max((place for place in anchors if place is not None), default=None)
    anchor = None if index is None else rows[index]
    since = datetime.min.replace(tzinfo=UTC) if anchor is None else moment(anchor)
    if since is None:
        return None
    later = rows if index is None else rows[index + 1 :]
    until = next((at for row in reversed(later) if is_measured(row) and (at := moment(row))), None)
    recorded = 0
    if until is not None:
        ends = (entry.mission.completed_at or entry.mission.started_at for entry in finished)
        recorded = sum(end is not None and since < end <= until for end in ends)
    return EvidenceTarget(min(recorded, EVIDENCE_TARGET), anchor.window if anchor else None)
