"""Everything that can happen to the dashboard: one closed union of frozen values.

The feeds tell what polls, streams, logs and files bring; commands tell what the operator does and
what comes of it. The reducer applies them; tests and recordings are written in them. `at` is
vp-tui's own monotonic clock in seconds: the gateway's stamps may be hours off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.coverage import joined_ledgers
from vp_tui.domain.lane.auto_revert import AutoRevertBarred, Circumstances
from vp_tui.domain.missions import Ledger
from vp_tui.domain.models import Source, StreamEvent, StreamState
from vp_tui.domain.runs.cancels import joined_cancels, moved_by
from vp_tui.domain.runs.turns import RoutingTally

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.lane.mode import LaneStart
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.switches import Actuation, Change, Switches
    from vp_tui.domain.models import (
        CancelAnswer,
        Continuity,
        Failure,
        Health,
        LogChunk,
        MissionClaims,
        Plane,
        Session,
        Snapshot,
        TokenPresence,
    )
    from vp_tui.domain.orders import ActionRecord, OrderOutcome
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.verdicts import SuitesReport, UnreadReport
    from vp_tui.domain.rollout.windows import RecordedEnd, Told, Window
    from vp_tui.domain.runs.alarms import PresentAlarm, Reading
    from vp_tui.domain.runs.cancels import Cancel


class HealthArrived(NamedTuple):
    """The gateway said how it is."""

    at: float
    health: Health


class SnapshotArrived(NamedTuple):
    """The metrics; `plane` tells whether the dashboard endpoint stood in for the ops plane."""

    at: float
    snapshot: Snapshot
    plane: Plane


class ClaimsArrived(NamedTuple):
    """What a G2 said of its missions' claims; None: it was asked and did not say."""

    at: float
    claims: MissionClaims | None


class SessionsArrived(NamedTuple):
    """The whole listing, in the gateway's order; `total` counts those past the limit too."""

    at: float
    sessions: tuple[Session, ...]
    total: int
    plane: Plane
    odd: int = 0
    """Sessions that could not be read: they are left out."""
    old_s: float = 0.0
    """How many seconds old it was when it arrived; 0 when it was new."""


class ContinuityArrived(NamedTuple):
    """The gateway's boot, and the health of its transport."""

    at: float
    continuity: Continuity


class LogArrived(NamedTuple):
    """New lines of the log that is tailed under `log_id` (a session id, or the lane's)."""

    at: float
    log_id: str
    chunk: LogChunk
    old_s: float = 0.0
    """How many seconds old it was when it arrived; 0 when it was new."""


class LogDropped(NamedTuple):
    """The log is no longer tailed; tailing it again begins anew."""

    at: float
    log_id: str


class SourceFailed(NamedTuple):
    """A poll did not bring a usable answer. `log_id` names the log for `Source.LOG`.

    While the ops plane refuses, the metrics go on arriving from the dashboard endpoint, labelled
    so.
    """

    at: float
    source: Source
    failure: Failure
    log_id: str | None = None


class LinkChanged(NamedTuple):
    """A session's socket changed state; `reason` says why in words, "" when all is well."""

    at: float
    session_id: str
    state: StreamState
    reason: str = ""
    is_failed_attach: bool = False
    """The gateway counts this attempt among its failed attaches."""


class LinkDropped(NamedTuple):
    """The socket is no longer wanted: the session left the memory, or others come first."""

    at: float
    session_id: str


class GapFound(NamedTuple):
    """Frames were or may have been lost between two others; there is no replay."""

    at: float
    session_id: str
    reason: str
    lost: int | None = None
    """How many, where that is known."""


class TokensRead(NamedTuple):
    """The tokens were read (again)."""

    at: float
    presence: TokenPresence


class EvidenceRead(NamedTuple):
    """The evidence log and its records were read, as they changed; a log not there has no rows.

    With a `problem`, in words, the log could not be read: what was known of it before still stands.
    """

    at: float
    rows: tuple[EvidenceRow, ...]
    recorded_ids: frozenset[str]
    """Missions that some record names as ended."""
    problem: str | None = None
    unreal_ids: frozenset[str] = frozenset()
    """Of these, missions of windows whose source is no real traffic."""
    unreal_windows: frozenset[str] = frozenset()
    """Labels of those windows."""
    authors: tuple[str | None, ...] = ()
    """Who recorded the newest rows, in their order; None for a row without a record."""
    fingerprint: str | None = None  # tells these rows from others; None where there is no log yet
    warnings: tuple[str, ...] = ()
    """What is odd about its rows, in words."""
    damage: str | None = None
    """Why these are perhaps not all rows of its table, in words."""
    ends: tuple[RecordedEnd, ...] = ()
    """How the missions had ended that the records tell the ends of."""
    told: tuple[Told, ...] = ()
    """What happened and the records tell of, oldest first."""


class SuitesRead(NamedTuple):
    """The report of the continuity suites was read, as it changed."""

    at: float
    report: SuitesReport | UnreadReport


class SwitchesRead(NamedTuple):
    """The gateway's env file was read, as it changed; `changed_at` is its own stamp, in UTC."""

    at: float
    switches: Switches | None
    changed_at: datetime | None = None
    problem: str | None = None
    """Why it cannot be read, in words."""


class Tick(NamedTuple):
    """A second has passed: `at` on the monotonic clock is `wall` (UTC)."""

    at: float
    wall: datetime


SAME_CLOCK_S: Final = 5.0
"""Two readings of the clocks that differ by no more are of one life of this host."""


class Heard(NamedTuple):
    """What only those know who watched: it outlives them (docs/rollout.md, facts 1, 8 and 14).

    Turns are of one window; all else is true whatever window is open. Its moments are on the
    monotonic clock that read `at` when it was `wall` in UTC.
    """

    at: float
    wall: datetime
    opened_at: datetime | None = None
    """Of the window; None: it was only proposed."""
    after: str = ""
    """Of a proposed window, the log's last row before it."""
    epoch: int = 0
    """Number of the gateway's boot; 0: it was not known."""
    boot_stamp: str = ""
    boot_at: datetime | None = None
    """That boot in UTC, by the gateway's clock as it went then."""
    turns: RoutingTally = RoutingTally()
    turns_before: RoutingTally = RoutingTally()
    """Of these, those from before that boot."""
    under_way: tuple[str, ...] = ()
    """Sessions whose turn is counted and goes on."""
    unstarted_told: int = 0
    start: LaneStart | None = None
    cancels: tuple[Cancel, ...] = ()
    ledger: Ledger = Ledger()
    """Of the window's missions, and those listed, what is known once they end or fall back."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was heard."""
        return not (self.turns.ran or self.turns.has_heard or self.cancels) and (
            self.ledger == Ledger()
        )

    def on_clock(self, at: float, wall: datetime) -> Heard:
        """Return it with its moments on the clock that reads `at` when it is `wall` in UTC."""
        by_s = at - self.at - (wall - self.wall).total_seconds()
        if abs(by_s) < SAME_CLOCK_S:
            return self._replace(at=at, wall=wall)
        return self._replace(
            at=at,
            wall=wall,
            start=self.start and self.start._replace(at=self.start.at + by_s),
            cancels=tuple(moved_by(cancel, by_s) for cancel in self.cancels),
        )

    def lacks(self, ours: Heard) -> bool:
        """Tell whether `ours` says more than this one, which was kept before."""
        known = self.on_clock(ours.at, ours.wall)
        return known.joined(ours)._replace(under_way=known.under_way) != known

    def joined(self, ours: Heard) -> Heard:
        """Return what is known of both, nothing counted twice; this one was kept before.

        Of turns that both heard nobody can tell which were the same, so the greater number stands.
        """
        kept = self.on_clock(ours.at, ours.wall)
        is_same = (kept.opened_at, kept.after) == (ours.opened_at, ours.after)
        boot = max(kept, ours, key=lambda each: each.epoch)
        joined = ours._replace(
            epoch=boot.epoch,
            boot_stamp=boot.boot_stamp,
            boot_at=boot.boot_at,
            cancels=joined_cancels(kept.cancels, ours.cancels, with_actor=True),
            ledger=joined_ledgers(kept.ledger, ours.ledger, is_all=is_same),
            start=max(filter(None, (ours.start, kept.start)), key=lambda s: s.at, default=None),
        )
        if not is_same:
            return joined
        before = kept.turns_before.at_least(ours.turns_before)
        return joined._replace(
            turns=kept.turns.at_least(ours.turns),
            turns_before=before if kept.epoch == ours.epoch else boot.turns_before,
            unstarted_told=max(kept.unstarted_told, ours.unstarted_told),
        )


class WindowsRead(NamedTuple):
    """The windows that are kept, as they changed: the open one, and closed ones of unreal traffic.

    Gates and guardrails go on passing over the missions of the latter.
    """

    at: float
    windows: tuple[Window, ...]
    problem: str | None = None
    """Why they cannot be read, in words; then what was known of them still stands."""
    heard: Heard | None = None
    """What is kept beside them; None where nothing is, and with a `problem`."""


class RowRecorded(NamedTuple):
    """vp-tui wrote a row: it is on disk."""

    at: float
    row: EvidenceRow
    line: int
    """Number of its line in the log."""
    mission_ids: frozenset[str]
    """Missions that its record names as ended."""
    is_real: bool
    """Whether its window's traffic feeds gates and guardrails."""
    author: str
    fingerprint: str
    """Of the log's rows with this one."""
    ends: tuple[RecordedEnd, ...] = ()
    """How the missions that it tells of had ended."""
    told: tuple[Told, ...] = ()
    """What happened and it tells of."""


class RowsPreceded(NamedTuple):
    """Rows of others stood in the way of ours, and were shown: the next try joins them."""

    at: float
    rows: tuple[EvidenceRow, ...]


class CancelRequested(NamedTuple):
    """A cancel of our own was sent; `actor` is whoever runs vp-tui."""

    at: float
    session_id: str
    reason: str
    actor: str
    mission_id: str | None = None
    """The mission that certainly is that run's."""


class CancelAnswered(NamedTuple):
    """The gateway answered the cancel: requested, which is not recovered."""

    at: float
    session_id: str
    answer: CancelAnswer


class CancelFailed(NamedTuple):
    """The cancel was refused or failed; where the failure is uncertain it may have arrived."""

    at: float
    session_id: str
    failure: Failure


class SwitchAsked(NamedTuple):
    """A switch of the lane is to be set; `actor` is whoever runs vp-tui."""

    at: float
    change: Change
    actor: str
    reason: str = ""


class SwitchActed(NamedTuple):
    """The operator's actuator has done what it could: that proves nothing yet."""

    at: float
    actuation: Actuation


class RestartAsked(NamedTuple):
    """The gateway is to be restarted."""

    at: float
    actor: str
    reason: str = ""


class RestartActed(NamedTuple):
    """The operator's restart command has ended, or asks for hands."""

    at: float
    actuation: Actuation


class ProbeStepped(NamedTuple):
    """A probe of ours has come a step further."""

    at: float
    probe: Probe


class Looked(NamedTuple):
    """What a look at the state judged, once a second; what follows from it is the reducer's."""

    at: float
    present: tuple[PresentAlarm, ...]
    """What is wrong."""
    unknown: frozenset[str] = frozenset()
    """Subjects of which nothing can be told: their alarms go on."""
    circumstances: Circumstances | None = None
    """What decides about the auto-revert; None where none is stepped, as in a headless command."""
    readings: tuple[Reading, ...] = ()  # the words that the screen goes by


class AutoRevertStopped(NamedTuple):
    """The operator stopped the countdown."""

    at: float
    actor: str


class WaitingOffered(NamedTuple):
    """Rows that wait for the log were looked for, to offer them to the operator."""

    at: float


class AlarmsAcknowledged(NamedTuple):
    """Somebody has seen the alarms of these subjects; None: all."""

    at: float
    actor: str
    subjects: frozenset[str] | None = None


class AlarmCommandFailed(NamedTuple):
    """The operator's command for alarms did not do its work."""

    at: float
    failure: Failure


class AuditRead(NamedTuple):
    """The newest actions, of every gateway, oldest first; with a `problem` they are as before."""

    at: float
    records: tuple[ActionRecord, ...]
    unreadable: int = 0  # lines among the newest that tell no action
    problem: Failure | None = None
    interrupted: tuple[ActionRecord, ...] = ()
    """Of these, those on this gateway and lane whose end nobody knows, and nobody has seen that."""


class AuditFailed(NamedTuple):
    """An action could not be written into the audit."""

    at: float
    failure: Failure


class OrderRefused(NamedTuple):
    """An order was not carried out: another one about the same is under way, or came before it."""

    at: float
    what: str
    target: str
    why: str


class OutcomeAudited(NamedTuple):
    """The audit was told what an order of ours came to: it is not told again."""

    at: float
    outcome: OrderOutcome


class PartFailed(NamedTuple):
    """Only this part of vp-tui is down: started again after `again_s`, or at news."""

    at: float
    part: str
    told: str
    again_s: float | None = None
    cure: str = ""


class PollRateChanged(NamedTuple):
    """The operator polls slower or faster: every poll interval is multiplied by `factor`."""

    at: float
    factor: float


class StoryTold(NamedTuple):
    """The demo says what its story does now and will do next; no gateway does."""

    at: float
    story: str


_Answered = HealthArrived | SnapshotArrived | ClaimsArrived | SessionsArrived | ContinuityArrived
_Streamed = StreamEvent | LinkChanged | LinkDropped | GapFound | LogArrived | LogDropped
_Read = TokensRead | EvidenceRead | WindowsRead | SuitesRead | SwitchesRead | AuditRead
_Written = RowRecorded | RowsPreceded | WaitingOffered | AuditFailed | OrderRefused | OutcomeAudited
_Cancel = CancelRequested | CancelAnswered | CancelFailed
_Lane = SwitchAsked | SwitchActed | RestartAsked | RestartActed | ProbeStepped
_Judged = Looked | AlarmsAcknowledged | AlarmCommandFailed | AutoRevertBarred | AutoRevertStopped
_Other = PartFailed | PollRateChanged | StoryTold | Tick
Event = _Answered | SourceFailed | _Streamed | _Read | _Written | _Cancel | _Lane | _Judged | _Other
