"""The feeds: everything that asks the gateway by itself, and nothing that changes it.

They only emit events; where those go is not their business. All of it runs on one asyncio loop, which
in the TUI is the network thread's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from vp_tui.attachments import Attachments, Stream
from vp_tui.domain.events import (
    ContinuityArrived,
    Event,
    HealthArrived,
    SessionsArrived,
    SnapshotArrived,
    Source,
    SourceFailed,
    TokensRead,
)
from vp_tui.domain.models import Plane, Snapshot
from vp_tui.gateway.auth import Credentials
from vp_tui.gateway.client import GatewayClient, SessionListing, is_session_id
from vp_tui.gateway.errors import GatewayError, TimedOut, Unauthorized, Unreachable
from vp_tui.polling import UNAUTHORIZED_RETRY_S, Pace, Poller
from vp_tui.tailing import SLOWEST_S, LogTailer

DEFAULT_INTERVALS: Final[Mapping[Source, float]] = MappingProxyType(
    {
        Source.HEALTH: 15.0,
        Source.METRICS: 2.0,
        Source.SESSIONS: 3.0,
        Source.CONTINUITY: 15.0,
        Source.LOG: SLOWEST_S,
    }
)
"""Seconds between two polls of a source at rate 1."""


@dataclass
class OpsGate:
    """Remembers that the ops plane refused a source, so that it is asked again only now and then."""

    refusal: Unauthorized | None = None
    until: float = 0.0

    def is_open(self, now: float) -> bool:
        return self.refusal is None or now >= self.until

    def refused(self, error: Unauthorized, now: float) -> None:
        self.refusal, self.until = error, now + UNAUTHORIZED_RETRY_S

    def reset(self) -> None:
        self.refusal = None


class Feeds:
    """All feeds of one gateway.

    `make_stream` makes the socket of a session; `lane_log_id` is the lane's log until a snapshot names
    it.
    """

    def __init__(
        self,
        client: GatewayClient,
        credentials: Credentials,
        make_stream: Callable[[str], Stream],
        emit: Callable[[Event], None],
        *,
        lane_log_id: str,
        intervals: Mapping[Source, float] = DEFAULT_INTERVALS,
        pace: Pace | None = None,
    ) -> None:
        self.pace = pace or Pace()
        self._client = client
        self._credentials = credentials
        self._make_stream = make_stream
        self._emit = emit
        self._intervals = intervals
        self._lane_log_id = lane_log_id
        self._shown_log_id: str | None = None
        self._metrics_gate = OpsGate()
        self._sessions_gate = OpsGate()
        self._failing: dict[Source, GatewayError] = {}
        self._log_tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Feed until cancelled. A bug in any feed ends all of them with its exception."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._attachments = Attachments(self._make_stream, self._emit, self._tasks)
                self.read_tokens()
                self._start(Source.HEALTH, self._ask_health)
                self._start(Source.METRICS, self._ask_metrics)
                self._start(Source.SESSIONS, self._ask_sessions)
                self._start(Source.CONTINUITY, self._ask_continuity)
                self._tail_wanted_logs()
                self._tasks.create_task(self._reread_tokens(), name="tokens")
        finally:
            await self._client.aclose()

    def show_log(self, session_id: str | None) -> None:
        """Tail this session's log besides the lane's, which is always tailed."""
        if session_id != self._shown_log_id:
            self._shown_log_id = session_id
            self._tail_wanted_logs()

    def set_poll_factor(self, factor: float) -> None:
        """Multiply every poll interval by `factor` from now on."""
        self.pace.factor = factor
        self.pace.wake()

    def read_tokens(self) -> None:
        """Read the tokens again and try everything that waits for them."""
        self._emit(TokensRead(self.pace.clock(), self._credentials.read()))
        self._metrics_gate.reset()
        self._sessions_gate.reset()
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
            interval_s=self._intervals[source],
            pace=self.pace,
            on_answer=partial(self._answered, source),
            on_failure=partial(self._failed, source, log_id),
        )
        return self._tasks.create_task(poller.run(), name=f"poll {log_id or source}")

    async def _reread_tokens(self) -> None:
        """Read the tokens every 30 s: somebody may be renewing those that are refused."""
        while True:
            await asyncio.sleep(UNAUTHORIZED_RETRY_S)
            before = self._credentials.headers()
            self._credentials.read()
            if self._credentials.headers() != before:
                self.read_tokens()

    async def _ask_health(self) -> None:
        health = await self._client.health()
        self._emit(HealthArrived(self.pace.clock(), health))

    async def _ask_metrics(self) -> None:
        gate = self._metrics_gate
        if gate.is_open(self.pace.clock()):
            try:
                self._snapshot_arrived(await self._client.metrics(Plane.OPS), Plane.OPS)
            except Unauthorized as error:
                gate.refused(error, self.pace.clock())
                self._failed(Source.METRICS, None, error)
            else:
                gate.reset()
                return
        try:
            self._snapshot_arrived(await self._client.metrics(Plane.DASHBOARD), Plane.DASHBOARD)
        except (Unreachable, TimedOut):
            gate.reset()
            raise
        except GatewayError as error:
            raise (gate.refusal or error) from error

    async def _ask_sessions(self) -> None:
        gate = self._sessions_gate
        if gate.is_open(self.pace.clock()):
            try:
                self._sessions_arrived(await self._client.sessions(Plane.OPS), Plane.OPS)
            except Unauthorized as error:
                gate.refused(error, self.pace.clock())
            else:
                gate.reset()
                return
        try:
            self._sessions_arrived(await self._client.sessions(Plane.SESSION), Plane.SESSION)
        except Unauthorized as error:
            raise (gate.refusal or error) from error

    async def _ask_continuity(self) -> None:
        continuity = await self._client.continuity()
        self._emit(ContinuityArrived(self.pace.clock(), continuity))

    def _snapshot_arrived(self, snapshot: Snapshot, plane: Plane) -> None:
        self._emit(SnapshotArrived(self.pace.clock(), snapshot, plane))
        if snapshot.lane and is_session_id(snapshot.lane.log_id):
            self._lane_log_id = snapshot.lane.log_id
            self._tail_wanted_logs()

    def _sessions_arrived(self, listing: SessionListing, plane: Plane) -> None:
        now = self.pace.clock()
        self._emit(SessionsArrived(now, listing.sessions, listing.total, plane))
        attachable = [
            session
            for session in listing.sessions
            if session.session_id != self._lane_log_id and is_session_id(session.session_id)
        ]
        self._attachments.listing_arrived(attachable, now)

    def _tail_wanted_logs(self) -> None:
        wanted = {self._lane_log_id}
        if self._shown_log_id is not None and is_session_id(self._shown_log_id):
            wanted.add(self._shown_log_id)
        for log_id in self._log_tasks.keys() - wanted:
            self._log_tasks.pop(log_id).cancel()
        for log_id in wanted - self._log_tasks.keys():
            tailer = LogTailer(log_id, self._client, self._emit, self.pace.clock)
            self._log_tasks[log_id] = self._start(Source.LOG, tailer.ask, log_id)

    def _answered(self, source: Source) -> None:
        was_lost = any(isinstance(e, Unreachable | TimedOut) for e in self._failing.values())
        self._failing.pop(source, None)
        if was_lost:
            self._attachments.wake(self.pace.clock())

    def _failed(self, source: Source, log_id: str | None, error: GatewayError) -> None:
        self._failing[source] = error
        self._emit(SourceFailed(self.pace.clock(), source, error.failure, log_id))
