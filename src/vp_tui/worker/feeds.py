"""The feeds: everything that asks the gateway by itself, and nothing that changes it.

They only emit events; where those go is not their business. All of it runs on one asyncio loop,
which in the TUI is the network thread's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from vp_tui.domain import events
from vp_tui.domain.models import DEFAULT_INTERVALS, Plane, Source, StreamEvent
from vp_tui.domain.orders import LaneOrder
from vp_tui.domain.text import short_id
from vp_tui.gateway.credentials import is_session_id
from vp_tui.gateway.errors import GatewayError, TimedOut, Unauthorized, Unreachable
from vp_tui.worker.polling import UNAUTHORIZED_RETRY_S, Attachments, Keeper, LogTailer, Pace, Poller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from vp_tui.domain.models import Dialect, Snapshot, TokenPresence
    from vp_tui.domain.orders import Order
    from vp_tui.gateway.client import GatewayClient
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.worker.files import ThreadFeed
    from vp_tui.worker.orders import OrderRunner
    from vp_tui.worker.polling import Stream


_Answer = TypeVar("_Answer")
FILES_S: Final = 2.0
"""Between two looks at the files' stamps."""
CLAIMS_EVERY: Final = 3
"""On G2 every so many answers of the metrics its claims are asked too."""
LOOKS_AFTER_S: Final = (1.0, 1.0, 2.0, 4.0, 8.0)
"""Between the looks for what an order about the lane brought about: a restart takes its time."""


@dataclass
class OpsGate:
    """Remembers that the ops plane refused a source, so that it is asked only now and then."""

    refusal: Unauthorized | None = None
    """None once it answered, or something changed: then it is asked at once."""
    until: float = 0.0

    def is_open(self, now: float) -> bool:
        """Tell whether the ops plane is to be asked now."""
        return self.refusal is None or now >= self.until


@dataclass(eq=False)
class Feeds:
    """All feeds of one gateway.

    `make_stream` makes the socket of a session; `lane_log_id` is the lane's log until a snapshot
    names it; `files` are looked at in their order. What is not `run` may be called only while that
    runs.
    """

    client: GatewayClient
    credentials: Credentials
    make_stream: Callable[[str], Stream]
    emit: Callable[[events.Event], None]
    orders: OrderRunner
    lane_log_id: str
    files: tuple[ThreadFeed, ...] = ()
    intervals: Mapping[Source, float] = field(default_factory=lambda: DEFAULT_INTERVALS)
    pace: Pace = field(default_factory=Pace)
    no_streams: bool = False  # no session is attached to
    report: Callable[[Exception], str] | None = None
    """Writes down a bug that ends only a part of them, and returns where; None: it ends them."""
    _shown_log_id: str | None = None
    _metrics_gate: OpsGate = field(default_factory=OpsGate)
    _sessions_gate: OpsGate = field(default_factory=OpsGate)
    _dialect: Dialect | None = None
    _claims_due: int = 0
    """Answers of the metrics until the claims are asked."""
    _no_claims_until: float = 0.0
    _list_soon: asyncio.Event = field(default_factory=asyncio.Event)
    """Has the sessions listed."""
    _missions_heard: set[str] = field(default_factory=set)
    """Those that a stream named, and those that were running when the sessions were hurried."""
    _lost: dict[str, bool] = field(default_factory=dict)
    """What failed last and may answer, and whether it was silent then."""
    _log_tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> None:
        """Feed until cancelled."""
        try:
            self._keeper = Keeper(self.pace, self.emit, self.report)
            async with asyncio.TaskGroup() as self._tasks:
                self._attachments = Attachments(self.make_stream, self.emit, self._keep)
                self._attachments.is_resting = self.no_streams
                self.read_tokens()
                self._start(Source.HEALTH, self._ask_health)
                self._start(Source.METRICS, self._ask_metrics)
                self._start(Source.SESSIONS, self._ask_sessions)
                self._start(Source.CONTINUITY, self._ask_continuity)
                self._tail_wanted_logs()
                self._keep("reading the tokens", self._reread_tokens)
                self._tasks.create_task(self._follow_files(), name="files")
        finally:
            await self.client.aclose()

    def _keep(self, part: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return self._tasks.create_task(self._keeper.keep(part, run), name=part)

    def _do(self, part: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do once what may fail by itself."""
        self._tasks.create_task(self._done(part, work), name=part)

    async def _done(self, part: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - it is told; what was done once is not repeated
            self._keeper.failed(part, error)

    def survive(self, error: Exception) -> bool:
        """Tell of a bug in what a key asked for; return whether somebody is told."""
        if self.report is None:
            return False
        self._keeper.failed("what a key asked for", error)
        return True

    def tell(self, event: events.Event) -> None:
        """Emit what a stream tells; a mission that it names was heard."""
        if isinstance(event, StreamEvent) and event.frame.mission_id is not None:
            self._missions_heard.add(event.frame.mission_id)
        self.emit(event)

    def detach(self) -> asyncio.Task[None]:
        """Close all sockets before vp-tui stops; return what does."""
        return self._tasks.create_task(self._attachments.rest(self.pace.clock()), name="detach")

    def attach(self) -> None:
        """Open sockets again where the next listing, which is asked for now, allows it."""
        self._attachments.is_resting = False
        self.pace.wake()

    def show_log(self, session_id: str | None) -> None:
        """Tail this session's log besides the lane's, which is always tailed."""
        if session_id != self._shown_log_id:
            self._shown_log_id = session_id
            self._tail_wanted_logs()

    def set_poll_factor(self, factor: float) -> None:
        """Multiply every poll interval by `factor` from now on."""
        self.pace.factor = factor
        self.pace.wake()

    def order(self, order: Order) -> None:
        """Carry out an order of the operator's, whatever else goes on.

        The audit is looked at when it has ended; one about the lane has its effect looked for at
        once and soon after.
        """
        self._do("an order", partial(self._carry_out, order))

    async def _carry_out(self, order: Order) -> None:
        await self.orders.carry_out(order)
        await self._look_at_files()
        for seconds in LOOKS_AFTER_S if isinstance(order, LaneOrder) else ():
            self.pace.wake()
            await self.pace.wait(seconds)

    def read_files(self) -> None:
        """Look at the files now, not only at their turn: a row was recorded, say."""
        self._do("reading the files", self._look_at_files)

    def keep_heard(self, write: Callable[[], str | None]) -> None:
        """Keep what was heard by `write`, away from the loop, and read again what is kept.

        Why it could not be written is told as of the windows, whose file it is.
        """
        self._do("keeping what was heard", partial(self._keep_heard, write))

    async def _keep_heard(self, write: Callable[[], str | None]) -> None:
        if (problem := await asyncio.to_thread(write)) is not None:
            self.emit(events.WindowsRead(self.pace.clock(), (), problem))
        await self._look_at_files()

    def read_tokens(self) -> None:
        """Read the tokens again and try everything that waits for them."""
        self._tokens_read(self.credentials.read())

    def _tokens_read(self, presence: TokenPresence) -> None:
        self.emit(events.TokensRead(self.pace.clock(), presence))
        self._metrics_gate.refusal = None
        self._sessions_gate.refusal = None
        self._attachments.wake(self.pace.clock())
        self.pace.wake()

    def _start(
        self,
        source: Source,
        ask: Callable[[], Awaitable[float | None]],
        log_id: str | None = None,
    ) -> asyncio.Task[None]:
        poller = Poller(
            ask=ask,
            interval_s=self.intervals[source],
            pace=self.pace,
            on_answer=partial(self._answered, log_id or source),
            on_failure=partial(self._failed, source, log_id),
            hurry=self._list_soon if source is Source.SESSIONS else None,
        )
        name = f"log {short_id(log_id)}" if log_id else f"polling {source}"
        return self._keep(name, poller.run)

    async def _reread_tokens(self) -> None:
        """Read the tokens every 30 s: somebody may be renewing those that are refused."""
        while True:
            await self.pace.pause(UNAUTHORIZED_RETRY_S)
            before = self.credentials.headers()
            presence = self.credentials.read()
            if self.credentials.headers() != before:
                self._tokens_read(presence)

    async def _follow_files(self) -> None:
        while True:
            await self._look_at_files()
            await self.pace.pause(FILES_S)

    async def _look_at_files(self) -> None:
        for file in self.files:
            await self._keeper.turn(file.part, file.look)

    async def _ask_health(self) -> None:
        health = await self.client.health()
        self._dialect = health.dialect
        self.emit(events.HealthArrived(self.pace.clock(), health))

    async def _ask_metrics(self) -> None:
        refused = partial(self._failed, Source.METRICS, None)
        gate, ask = self._metrics_gate, self.client.metrics
        snapshot, plane = await self._ask_planes(gate, ask, Plane.DASHBOARD, refused)
        self.emit(events.SnapshotArrived(self.pace.clock(), snapshot, plane))
        self._hurry_sessions(snapshot)
        if snapshot.lane and is_session_id(snapshot.lane.log_id):
            self.lane_log_id = snapshot.lane.log_id
            self._tail_wanted_logs()
        if self._dialect == "G2" and plane is Plane.OPS:
            await self._ask_claims(snapshot)

    def _hurry_sessions(self, snapshot: Snapshot) -> None:
        """Have the sessions listed when a mission runs that nobody heard begin, once for each.

        Its session is to be attached to, and only a listing tells that it may be.
        """
        running = {one.mission_id for one in snapshot.missions if one.status == "running"}
        if not running <= self._missions_heard:
            self._list_soon.set()
        self._missions_heard = running  # those that ended do not begin again

    async def _ask_claims(self, snapshot: Snapshot) -> None:
        """Ask for the claims when it is time; without an answer rows are judged without them."""
        if self._claims_due > 0 or self.pace.clock() < self._no_claims_until:
            self._claims_due -= 1
            return
        self._claims_due = CLAIMS_EVERY - 1
        try:
            claims = await self.client.claims(snapshot.generated_at)
        except GatewayError as error:
            claims, self._no_claims_until = None, self.pace.clock() + error.wait_s
        self.emit(events.ClaimsArrived(self.pace.clock(), claims))

    async def _ask_sessions(self) -> None:
        gate, ask = self._sessions_gate, self.client.sessions
        listing, plane = await self._ask_planes(gate, ask, Plane.SESSION)
        now, (sessions, total, odd, old_s) = self.pace.clock(), listing
        self.emit(events.SessionsArrived(now, sessions, total, plane, odd, old_s))
        if old_s:
            return  # a session may be on disk only by now, where attaching resumes it
        attachable = [
            session
            for session in sessions
            if session.session_id != self.lane_log_id and is_session_id(session.session_id)
        ]
        if self._attachments.listing_arrived(attachable, now):
            # All are gone after a restart, and one that took no time fails no poll: look now.
            self.pace.wake()

    async def _ask_planes(
        self,
        gate: OpsGate,
        ask: Callable[[Plane], Awaitable[_Answer]],
        substitute: Plane,
        on_refusal: Callable[[GatewayError], None] = lambda _error: None,
    ) -> tuple[_Answer, Plane]:
        """Return the ops plane's answer, or while that refuses the substitute's.

        A substitute that does not answer either raises the refusal: that is what can be cured.
        """
        if gate.is_open(self.pace.clock()):
            try:
                answer = await ask(Plane.OPS)
            except Unauthorized as error:
                gate.refusal, gate.until = error, self.pace.clock() + UNAUTHORIZED_RETRY_S
                on_refusal(error)
            else:
                gate.refusal = None
                return answer, Plane.OPS
        try:
            return await ask(substitute), substitute
        except (Unreachable, TimedOut):
            gate.refusal = None
            raise
        except GatewayError as error:
            if error.wait_s or gate.refusal is None:
                raise
            raise gate.refusal from error

    async def _ask_continuity(self) -> None:
        continuity = await self.client.continuity()
        self.emit(events.ContinuityArrived(self.pace.clock(), continuity))

    def _tail_wanted_logs(self) -> None:
        logs = (self.lane_log_id, self._shown_log_id)
        wanted = {log_id for log_id in logs if log_id is not None and is_session_id(log_id)}
        for log_id in self._log_tasks.keys() - wanted:
            self._log_tasks.pop(log_id).cancel()
            self._lost.pop(log_id, None)
            self.emit(events.LogDropped(self.pace.clock(), log_id))
        for log_id in wanted - self._log_tasks.keys():
            tailer = LogTailer(log_id, self.client, self.emit, self.pace.clock)
            self._log_tasks[log_id] = self._start(Source.LOG, tailer.ask, log_id)

    def _answered(self, name: str) -> None:
        """Let the streams try soon if this failed; after silence ask all anew, once for all of it.

        A restart shows in the continuity at once.
        """
        if (was_silent := self._lost.pop(name, None)) is not None:
            self._attachments.wake(self.pace.clock())
            if was_silent:
                self._lost.clear()
                self.pace.wake()

    def _failed(self, source: Source, log_id: str | None, error: GatewayError) -> None:
        self.emit(events.SourceFailed(self.pace.clock(), source, error.failure, log_id))
        name, is_silent = log_id or source, isinstance(error, Unreachable | TimedOut)
        if self._lost.get(name) and not is_silent:
            self._answered(name)
        if not isinstance(error, Unauthorized):
            self._lost[name] = is_silent
