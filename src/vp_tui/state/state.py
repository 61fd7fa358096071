"""All that vp-tui knows: one frozen value. Only the reducer makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from vp_tui.domain import models
from vp_tui.domain.events import AuditRead, EvidenceRead
from vp_tui.domain.lane.auto_revert import AutoRevert
from vp_tui.domain.lane.mode import LaneSigns
from vp_tui.domain.missions import Ledger
from vp_tui.domain.rollout.windows import open_window
from vp_tui.domain.runs.turns import RoutingTally
from vp_tui.domain.text import later
from vp_tui.domain.vocabulary import Profile, RevertMode, Traffic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vp_tui.domain.events import Heard, OrderRefused, PartFailed, SwitchesRead
    from vp_tui.domain.lane.mode import LaneStart
    from vp_tui.domain.lane.probe import Probe
    from vp_tui.domain.lane.restart import Restart
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.domain.lane.switches import Actuation, Means
    from vp_tui.domain.lane.turn_proof import CompletedTurn
    from vp_tui.domain.orders import OrderOutcome
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.verdicts import SuitesReport, UnreadReport
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.runs.alarms import Alarm, LastChange
    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.domain.runs.run import Run
    from vp_tui.domain.vocabulary import Stage


EVENT_LIMIT: Final = 5_000
"""Entries kept in the event list."""
LOG_LIMIT: Final = 5_000
"""Lines kept of each log."""
AUTHORS_KEPT: Final = 64
"""Newest rows of the evidence log whose authors are known."""
CANCELS_KEPT: Final = 50
"""Cancels remembered, the newest."""
GROWTH_LIMIT: Final = 200
"""Polls of each log remembered that brought new lines."""
LOGS_LIMIT: Final = 8
"""Logs kept; the one least recently grown leaves first."""

NO_KEYS: Final[Mapping[str, str]] = {}
Tone = Literal["plain", "good", "warn", "bad", "dim"]


class Watch(NamedTuple):
    """What is watched and how often: fixed for the life of the store, but for the poll rate."""

    url: str
    name: str
    vp_id: str
    colour: str = ""
    """Of the gateway's name: a colour's name or `#rrggbb`; "" for none of its own."""
    read_only: bool = False  # nothing may be changed on the gateway
    is_replay: bool = False  # a recording stands in for the gateway
    no_streams: bool = False  # no session is attached to: nothing of a run is heard
    mission_limit: int = 500
    event_limit: int = 1000
    intervals: Mapping[models.Source, float] = models.DEFAULT_INTERVALS
    """Seconds between two polls at rate 1; a source is stale after two of them."""
    profile: Profile = Profile.ROLLOUT
    stage: Stage | None = None
    """The one asked for; None: the evidence log tells it."""
    source: Traffic = Traffic.ORGANIC  # where the window's missions come from
    window_label: str = ""
    """Of the window proposed next; "": the evidence log tells it."""
    window_scope: str = ""
    """Of the window proposed next; "": lane, gateway and source."""
    evidence: str | None = None  # path of the log; None: there is none to read
    stuck_after: float | None = None
    """Seconds of silence from which on a run is stuck; None: the lane's p95 tells it."""
    words: tuple[str, ...] = ()
    """Decision words besides those of the rules."""
    means: Means | None = None
    """What the operator configured to set the lane's switches with; None: nothing."""
    probe_prompt: str = ""
    """Of a probe; "": the one that the gateway's generation delegates."""
    auto_revert: RevertMode = RevertMode.DRY_RUN
    keys: Mapping[str, str] = NO_KEYS
    """Keys other than the table's, by the action's id, as Textual names them; "" takes it away."""
    id: str = ""  # of the gateway, whatever URL leads to it; "": the URL is


class Clock(NamedTuple):
    """vp-tui's monotonic clock against UTC, as of the last tick."""

    at: float
    wall: datetime

    def wall_at(self, at: float) -> datetime:
        """Return the UTC time of a moment on the monotonic clock."""
        return later(self.wall, at - self.at)


class SourceStatus(NamedTuple):
    """What one polled source last did. Ages and staleness are told by `sources`."""

    answered_at: float | None = None
    """When what the newest answer tells was so: the answer's arrival, less `old_s`."""
    failed_at: float | None = None
    failure: models.Failure | None = None
    """Why the newest poll brought nothing; None after a good one."""
    plane: models.Plane = models.Plane.OPS
    """Where the newest answer, or refusal, came from."""
    slow_s: float = 0.0
    """Seconds between two answers, when they came slowly of late; 0 when they did not."""
    old_s: float = 0.0

    @property
    def arrived_at(self) -> float | None:
        """When the newest answer arrived, however old its content was."""
        return None if self.answered_at is None else self.answered_at + self.old_s


class Link(NamedTuple):
    """One session's socket."""

    state: models.StreamState
    since: float
    reason: str = ""
    frames: int = 0
    last_frame_at: float | None = None
    gaps: int = 0
    gap_at: float | None = None
    """When frames of it were last lost."""

    @property
    def is_live(self) -> bool:
        """Whether frames come by it."""
        return self.state is models.StreamState.LIVE


class Entry(NamedTuple):
    """One line of the event list. `number` grows by one per entry and never repeats."""

    number: int
    at: float
    session_id: str | None
    kind: str
    text: str
    tone: Tone = "plain"


class Growth(NamedTuple):
    """One poll of a log that brought new lines."""

    at: float
    lines: int


class LogTail(NamedTuple):
    """The newest lines of one log. `first` numbers the first line kept, from 0 on."""

    lines: tuple[str, ...] = ()
    first: int = 0
    size: int = 0
    """Bytes of the file, at the newest answer."""
    file: str = ""
    grown_at: float | None = None
    read_since: float | None = None
    """When it was first read: what it held then is no growth."""
    growth: tuple[Growth, ...] = ()
    """The newest polls that brought new lines, oldest first, at most GROWTH_LIMIT."""


NO_EVIDENCE: Final = EvidenceRead(at=0.0, rows=(), recorded_ids=frozenset())
"""What is known of the evidence log before it was read."""
NO_AUDIT: Final = AuditRead(at=0.0, records=())
"""What is known of the audit before it was read."""


class Epoch(NamedTuple):
    """One life of the gateway, told apart by its boot stamp as sent."""

    number: int
    boot_stamp: str


NO_TURNS: Final[Mapping[str, CompletedTurn]] = {}


class Lane(NamedTuple):
    """What was done to the lane, and what its turns show of it."""

    brake: Brake | None = None
    """The newest change of a switch."""
    brake_by: str = ""
    """Who asked for it."""
    acted: Actuation | None = None
    """What the actuator did for it; None: it has not ended."""
    restart: Restart | None = None
    """The newest restart."""
    restart_by: str = ""
    """Who asked for it."""
    restarted: Actuation | None = None
    """What its command did; None: it has not ended."""
    is_reverted: bool = False
    """A forced fallback was proven, and nothing says since that it ended."""
    probe: Probe | None = None
    """The newest probe, under way or over."""
    probe_missions: frozenset[str] = frozenset()
    """Missions that our probes made."""
    switches: SwitchesRead | None = None
    """What the gateway's env file says of them; None without one."""
    under_way: Mapping[str, CompletedTurn] = NO_TURNS
    """Turns that are heard, by their session."""
    start: LaneStart | None = None
    """The newest turn that the lane was to have, in this epoch: whether it could start."""
    coding: CompletedTurn | None = None
    """The newest turn of coding intent that ended, in this epoch."""
    primary: CompletedTurn | None = None
    """The newest turn that the primary path completed, in this epoch; a fallback too."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything known now."""

    watch: Watch
    clock: Clock
    poll_factor: float = 1.0
    health: models.Health | None = None
    epoch: Epoch | None = None
    boot_at: datetime | None = None
    """The gateway's boot in UTC, as its clock went when the stamp was first seen."""
    continuity: models.Continuity | None = None
    snapshot: models.Snapshot | None = None
    claims: models.MissionClaims | None = None
    """Of G2: None while its endpoint does not answer."""
    ledger: Ledger = field(default_factory=Ledger)
    sessions: Mapping[str, models.Session] = field(default_factory=dict)
    sessions_total: int = 0
    sessions_odd: int = 0
    """Left out: not to be read, or listed twice. The total counts them, and the unlisted."""
    runs: Mapping[str, Run] = field(default_factory=dict)
    lost: Mapping[str, models.Session] = field(default_factory=dict)
    """Sessions that were gone from a listing although they ran, as they were last listed."""
    links: Mapping[str, Link] = field(default_factory=dict)
    failed_attaches: int = 0
    """vp-tui's own, of this epoch, as far as the gateway counts them too."""
    routing: RoutingTally = field(default_factory=RoutingTally)
    """Of the turns of the window, over all restarts; of one only proposed, since vp-tui looks."""
    routing_before: RoutingTally = field(default_factory=RoutingTally)
    """Of these, those from before the gateway's newest restart."""
    unstarted_told: int = 0
    """Of its turns that could not start the lane, those that a row tells of."""
    heard: Heard | None = None
    """What is kept of what any vp-tui heard, as it was read last."""
    is_recalled: bool = False
    """What was kept when this watch began was taken up."""
    sources: Mapping[models.Source, SourceStatus] = field(default_factory=dict)
    log_sources: Mapping[str, SourceStatus] = field(default_factory=dict)
    """The log endpoint's status for each log."""
    logs: Mapping[str, LogTail] = field(default_factory=dict)
    logs_grown: Mapping[str, float] = field(default_factory=dict)
    """When each log last grew while it was watched; what it held before is no growth."""
    entries: tuple[Entry, ...] = ()
    """The event list, oldest first, at most EVENT_LIMIT."""
    entries_seen: int = 0
    """How many entries there ever were: the number of the next one."""
    tokens: models.TokenPresence | None = None
    """None: they were not looked for yet."""
    evidence: EvidenceRead | None = None
    """None until read, and where there is none. With a `problem` the rest is from before."""
    windows: tuple[Window, ...] = ()
    """The open window, and closed ones of unreal traffic."""
    windows_problem: str | None = None
    """Why they cannot be read, in words; then they are as they were before."""
    suites: SuitesReport | UnreadReport | None = None
    """The continuity suites' report; None until it was read, and where none is configured."""
    lane: Lane = field(default_factory=Lane)
    alarms: tuple[Alarm, ...] = ()
    """What is wrong, each with who has seen it; the newest first."""
    last_changes: Mapping[str, LastChange] = field(default_factory=dict)  # by the word's name
    cut_at: float | None = None
    """When a socket that was live was last cut."""
    cancels: tuple[Cancel, ...] = ()
    """The cancels that are followed, oldest first, at most CANCELS_KEPT."""
    audit: AuditRead | None = None
    """None until it was read. With a `problem`, of writing too, the rest is from before."""
    refused: tuple[OrderRefused, ...] = ()
    """Orders that were not carried out, oldest first."""
    outcomes_audited: frozenset[OrderOutcome] = frozenset()
    """Of the orders that are followed, what the audit was told they came to."""
    is_row_new: bool = False
    """A row was written, and what became of its window was not read yet."""
    faults: Mapping[str, PartFailed] = field(default_factory=dict)  # by the part of vp-tui
    rows_preceding: frozenset[EvidenceRow] = frozenset()
    """Rows of others that a row of ours may join: they were shown."""
    auto_revert: AutoRevert = field(default_factory=AutoRevert)
    has_offered: bool = False
    """Rows that wait for the log were looked for, once it was read."""
    story: str = ""  # what the demo does and will do next; "" of every gateway

    @property
    def window(self) -> Window | None:
        """The open window; None while there is none."""
        return open_window(self.windows)

    @property
    def lane_log_id(self) -> str:
        """Session id of the lane's log; the name of the lane until the first delegation says it."""
        lane = self.snapshot.lane if self.snapshot else None
        return lane.log_id if lane and lane.log_id else self.watch.vp_id.replace(".", "_")

    @property
    def dialect(self) -> models.Dialect | None:
        """The gateway's generation; None until it said how it is."""
        return self.health.dialect if self.health else None


def signs_of(lane: Lane, snapshot: models.Snapshot | None, boot_at: datetime | None) -> LaneSigns:
    """Return what is known of the lane, but for its newest mission."""
    seen = lane.switches
    changed_at = seen.changed_at if seen else None
    return LaneSigns(
        turn=lane.coding,
        start=lane.start,
        had_session=None if snapshot is None else snapshot.had_session,
        switches=seen.switches if seen else None,
        are_switches_read=None if changed_at is None or boot_at is None else changed_at < boot_at,
        brake=lane.brake,
    )


def initial_state(watch: Watch, *, at: float, wall: datetime) -> State:
    """Return the state of a dashboard that has asked nothing yet."""
    return State(watch=watch, clock=Clock(at, wall))


def with_entry(
    state: State, at: float, session_id: str | None, kind: str, text: str, tone: Tone
) -> State:
    """Return the state with one more entry; the oldest leaves when there are too many."""
    entry = Entry(state.entries_seen, at, session_id, kind, text, tone)
    return replace(
        state,
        entries=(*state.entries, entry)[-EVENT_LIMIT:],
        entries_seen=state.entries_seen + 1,
    )
