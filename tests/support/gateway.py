"""A gateway of fakes for the feeds: answers that a test sets, and a clock that it moves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from tests.support.builders import NOW, continuity, health, snapshot

from vp_tui.domain.models import MissionClaims, Plane, TailAnswer, TokenPresence
from vp_tui.gateway.errors import GatewayError, Unauthorized, Unreachable
from vp_tui.gateway.parsing import SessionListing
from vp_tui.worker.feeds import Feeds
from vp_tui.worker.orders import AuditBook, OrderRunner
from vp_tui.worker.polling import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Continuity, Health, Session, Snapshot
    from vp_tui.gateway.client import GatewayClient
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.gateway.log_tail import TailRequest
    from vp_tui.worker.files import ThreadFeed

LANE: Final = "vp_coder_primary"

NO_BOOK: Final = AuditBook(
    Path("/dev/null/audit.jsonl"), "ana@laptop", "http://gateway", "vp.x", "http://gateway"
)
"""Where nothing can be written, for feeds that are given no order."""

_Answer = TypeVar("_Answer")
_Event = TypeVar("_Event")


def refused() -> Unauthorized:
    return Unauthorized("401 from the ops plane", "set UA_OPS_TOKEN")


def lost() -> Unreachable:
    return Unreachable("connection refused", "is the gateway up?")


class FakePace(Pace):
    """A pace whose pauses last until the test passes the time."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(clock=lambda: self.now, chance=Middling())
        self.pauses: list[float] = []
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def wake(self) -> None:
        self.wakes += 1
        for _until, over in self._sleepers:
            over.set()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        sleeper = (self.now + seconds, asyncio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)

    async def passes(self, seconds: float) -> None:
        """Let time pass, each sleeper waking in its turn."""
        end = self.now + seconds
        await settle()
        while due := [until for until, _over in self._sleepers if until <= end]:
            self.now = max(self.now, min(due))
            for until, over in self._sleepers:
                if until <= self.now:
                    over.set()
            await settle()
        self.now = end


class Middling(random.Random):
    """Chance that never moves a delay."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


async def settle() -> None:
    """Let every task go on until all of them wait for something."""
    for _ in range(20):
        await asyncio.sleep(0)


class FakeStream:
    """A socket that records what it is told."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.wakes = 0
        self.listings: list[float] = []
        self.running = False

    async def run(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False

    def listed(self, session: Session, now: float) -> None:
        assert session.session_id == self.session_id
        self.listings.append(now)

    def wake(self, now: float) -> None:
        self.wakes += 1


class FakeClient:
    """The gateway: each answer is a value, or an error to be raised. Counts what was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.closed = False
        self.broken: Exception | None = None
        """A bug in asking for the health."""
        self.all_answer()

    def all_answer(self) -> None:
        """Answer everything, healthily."""
        self.health_answer: Health | GatewayError = health()
        self.metrics_answers: dict[Plane, Snapshot | GatewayError] = {
            Plane.OPS: snapshot(),
            Plane.DASHBOARD: snapshot(),
        }
        self.sessions_answers: dict[Plane, list[Session] | GatewayError] = {
            Plane.OPS: [],
            Plane.SESSION: [],
        }
        self.claims_answer: MissionClaims | GatewayError = MissionClaims(NOW, {})
        self.continuity_answer: Continuity | GatewayError = continuity()
        self.log_answer: TailAnswer | GatewayError = TailAnswer(
            "/run.log", size=0, lines=(), truncated=False, reset=False
        )

    async def health(self) -> Health:
        if self.broken is not None:
            raise self.broken
        return self._told("health", self.health_answer)

    async def metrics(self, plane: Plane) -> Snapshot:
        return self._told(f"metrics {plane}", self.metrics_answers[plane])

    async def sessions(self, plane: Plane) -> SessionListing:
        sessions = self._told(f"sessions {plane}", self.sessions_answers[plane])
        return SessionListing(tuple(sessions), len(sessions))

    async def claims(self, as_of: datetime) -> MissionClaims:
        return self._told(f"claims {as_of:%H:%M:%S}", self.claims_answer)

    async def continuity(self) -> Continuity:
        return self._told("continuity", self.continuity_answer)

    async def log_tail(self, log_id: str, request: TailRequest) -> TailAnswer:
        return self._told(f"log {log_id}", self.log_answer)

    async def aclose(self) -> None:
        self.closed = True

    def all_fail(self, error: GatewayError) -> None:
        """Answer everything with this error."""
        self.health_answer = self.continuity_answer = self.log_answer = error
        self.claims_answer = error
        self.metrics_answers = dict.fromkeys(self.metrics_answers, error)
        self.sessions_answers = dict.fromkeys(self.sessions_answers, error)

    def _told(self, what: str, answer: _Answer | GatewayError) -> _Answer:
        self.asked[what] += 1
        if isinstance(answer, GatewayError):
            raise answer
        return answer


class FakeCredentials:
    """Tokens that a test exchanges; they are noticed at the next `read`."""

    def __init__(self) -> None:
        self.file: dict[str, str] = {}
        self.reads = 0
        self._headers: dict[str, str] = {}

    def read(self) -> TokenPresence:
        self.reads += 1
        self._headers = dict(self.file)
        return TokenPresence(ops="file" if self.file else None)

    def headers(self) -> dict[str, str]:
        return self._headers


class Rig:
    """Feeds between fakes, and the events they emitted."""

    def __init__(self, make_files: Callable[[Rig], tuple[ThreadFeed, ...]] = lambda _: ()) -> None:
        self.client = FakeClient()
        self.credentials = FakeCredentials()
        self.pace = FakePace()
        self.streams: dict[str, FakeStream] = {}
        self.events: list[Event] = []
        self.feeds = Feeds(
            cast("GatewayClient", self.client),
            cast("Credentials", self.credentials),
            self._stream,
            self.events.append,
            orders=OrderRunner(None, NO_BOOK, self.events.append, self.pace.clock),
            lane_log_id=LANE,
            files=make_files(self),
            pace=self.pace,
        )

    def _stream(self, session_id: str) -> FakeStream:
        self.streams[session_id] = FakeStream(session_id)
        return self.streams[session_id]

    def told(self, kind: type[_Event]) -> list[_Event]:
        """Return the events of one kind since the last call of `forget`."""
        return [event for event in self.events if isinstance(event, kind)]

    def forget(self) -> None:
        """Begin counting anew."""
        self.events.clear()
        self.client.asked.clear()
        for stream in self.streams.values():
            stream.wakes = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the feeds, whose first polls are answered by then."""
        task = asyncio.create_task(self.feeds.run())
        await settle()
        yield
        assert not task.done(), "the feeds ended by themselves"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
