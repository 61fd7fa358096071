"""What `vp-tui doctor` finds at the gateway: each endpoint tried once, one after the other.

Nothing is resumed or changed: a socket is attached only to a session that is in memory.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from vp_tui.cli.workers import client_of
from vp_tui.domain.events import LinkChanged
from vp_tui.domain.models import INTERNAL, Plane, StreamState
from vp_tui.domain.text import age, clip, counted, figure, literal
from vp_tui.gateway.credentials import is_session_id, stream_url
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.log_tail import TailRequest
from vp_tui.gateway.stream import StreamCore, StreamOutput
from vp_tui.gateway.transport import TlsContext
from vp_tui.gateway.websocket import SessionStream, SocketOptions
from vp_tui.views import words
from vp_tui.views.troubles import AGED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.models import Health, Session, Snapshot, TokenPresence
    from vp_tui.gateway.client import GatewayClient
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.gateway.parsing import SessionListing


ALL_SESSIONS: Final = "global_agent_flow"
"""A G2's special id, whose socket is no session's (docs/wire.md, section 21)."""
SKEW_S: Final = 60.0
"""Between the gateway's clock and ours, from which on it is told."""
_SILENT: Final = "the gateway does not answer"
_SHOWN: Final = 60

Verdict = Literal["ok", "wrong", "note"]


class Check(NamedTuple):
    """One thing that was looked at."""

    section: str
    name: str
    verdict: Verdict
    """`note`: nothing is wrong, or it was not looked at; the detail says which."""
    detail: str
    cure: str = ""
    elapsed_s: float | None = None
    """How long it took to find out; None where that says nothing."""


async def examine(settings: Settings, credentials: Credentials) -> Examination:
    """Try every endpoint; never raises for what the gateway does."""
    tls = TlsContext(settings.url, settings.ca_file)
    client = client_of(settings, credentials, tls)
    found = Examination(settings, client, settings.vp_id.replace(".", "_"))
    try:
        with suppress(GatewayError):  # told by the first try
            await client.prepare()
        await found.try_all()
        await found.try_stream(SocketOptions(credentials.headers, tls), credentials.presence)
    finally:
        await client.aclose()
    return found


@dataclass
class Examination:
    """One round of tries, and what each of them told, for the next ones too."""

    settings: Settings
    client: GatewayClient
    lane_log_id: str
    """The lane's own log, whose socket is not attached to."""
    checks: list[Check] = field(default_factory=list)
    """Each try, in order."""
    is_reachable: bool = False
    """Whether anything was answered, refusals included."""
    health: Health | None = None
    ahead_s: float | None = None
    """The gateway's UTC clock less ours, of the metrics' stamp; None without one."""
    sessions: tuple[Session, ...] | None = None

    async def try_all(self) -> None:
        """Ask each endpoint once."""
        client = self.client
        dashboard = partial(client.metrics, Plane.DASHBOARD)
        session_plane = partial(client.sessions, Plane.SESSION)
        await self._try("health", client.health, self._note_health)
        await self._try("metrics, ops plane", client.metrics, self._note_metrics)
        await self._try("metrics, dashboard", dashboard, self._note_metrics)
        await self._try("sessions, ops plane", client.sessions, self._note_sessions)
        await self._try("sessions, session plane", session_plane, self._note_sessions)
        await self._try(
            "session continuity", client.continuity, lambda told: f"boot {short(told.started_at)}"
        )
        log_tail = partial(client.log_tail, self.lane_log_id, TailRequest(limit=1, max_bytes=1_000))
        await self._try("log tail", log_tail, lambda told: f"{figure(told.size)} bytes")

    async def _try(
        self, name: str, ask: Callable[[], Awaitable[Any]], note: Callable[[Any], str]
    ) -> None:
        """Ask, unless the first that was asked did not answer at all."""
        if self.checks and not self.is_reachable:
            self._not_tried(name, _SILENT)
            return
        began = time.monotonic()
        try:
            told = await ask()
        except GatewayError as error:
            self.is_reachable |= not error.is_silence
            check = Check("gateway", name, "wrong", error.failure.reason, error.failure.cure)
        else:
            self.is_reachable = True
            check = Check("gateway", name, "ok", note(told))
            if old_s := getattr(told, "old_s", 0.0):
                old = f"{check.detail}; but what it tells is {age(old_s)} old"
                check = Check("gateway", name, "wrong", old, AGED)
        self.checks.append(check._replace(elapsed_s=time.monotonic() - began))

    def _note_health(self, told: Health) -> str:
        self.health = told
        return short(f"{told.status}, {words.version(told)}")

    def _note_metrics(self, told: Snapshot) -> str:
        if told.lane is not None and is_session_id(told.lane.log_id):
            self.lane_log_id = told.lane.log_id
        self.ahead_s = (told.generated_at - datetime.now(UTC)).total_seconds()
        missions = counted(told.fallback.considered, "mission")
        return f"{missions}, {counted(len(told.events), 'event')}"

    def _note_sessions(self, told: SessionListing) -> str:
        self.sessions = self.sessions or told.sessions
        in_memory = sum(session.in_memory for session in told.sessions)
        return f"{counted(told.total, 'session')}, {in_memory} in memory"

    async def try_stream(self, options: SocketOptions, presence: TokenPresence) -> None:
        """Attach where that resumes nothing, and leave at once."""
        if (session_id := self._attachable()) is not None:
            cure = f"{'renew' if presence.internal else 'set'} {INTERNAL}"
            await self._try("stream", partial(self._attach, session_id, options, cure), str)
        elif not self.is_reachable:
            self._not_tried("stream", _SILENT)
        elif self.sessions is None:
            self._not_tried("stream", "no listing tells which session is in memory")
        else:
            why = "no session is in memory, and attaching to one on disk would resume it"
            self._not_tried("stream", why)

    def _attachable(self) -> str | None:
        """Return a session that attaching does not resume, an idle one first; None without one."""
        in_memory = [
            session
            for session in self.sessions or ()
            if session.in_memory
            and session.session_id != self.lane_log_id
            and is_session_id(session.session_id)
        ]
        if in_memory:
            return min(in_memory, key=lambda session: session.is_running).session_id
        return ALL_SESSIONS if self.health and self.health.dialect == "G2" else None

    async def _attach(self, session_id: str, options: SocketOptions, cure: str) -> str:
        """Attach until the socket stands anywhere. Raises GatewayError unless that is right."""
        stood: asyncio.Future[LinkChanged] = asyncio.get_running_loop().create_future()

        def hear(event: StreamOutput) -> None:
            if isinstance(event, LinkChanged) and event.state is not StreamState.CONNECTING:
                with suppress(asyncio.InvalidStateError):
                    stood.set_result(event)

        core = StreamCore(session_id, time.monotonic(), random.random)
        stream = SessionStream(stream_url(self.settings.url, session_id), core, hear, options)
        running = asyncio.create_task(stream.run())
        try:
            link = await stood
        finally:
            stream.stop()
            await running
        if link.state is StreamState.LIVE:
            return f"attached to {session_id} and left"
        raise GatewayError(link.reason, cure if link.state is StreamState.UNAUTHORIZED else "")

    def _not_tried(self, name: str, why: str) -> None:
        self.checks.append(Check("gateway", name, "note", f"not tried: {why}"))


def clock_checks(found: Examination) -> Iterator[Check]:
    """Tell how the gateway's clock stands to UTC and to ours; neither is a fault."""
    if found.health is not None and (offset_s := found.health.clock_offset_s) is not None:
        told = "in UTC" if abs(offset_s) < SKEW_S else f"{offset_s / 3600:+.2f} h from UTC"
        yield Check("gateway", "its stamps", "note", told)
    if (ahead_s := found.ahead_s) is not None:
        told = "as ours" if abs(ahead_s) < SKEW_S else f"{ahead_s:+.0f} s from ours"
        yield Check("gateway", "its clock", "note", told)


def short(text: str) -> str:
    """Return what others say as it is shown here."""
    return clip(literal(text), _SHOWN)
