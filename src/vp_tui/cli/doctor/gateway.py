"""What `vp-tui doctor` finds at the gateway: each endpoint tried once, one after the other.

Nothing is resumed or changed: a socket is attached only to a session that is in memory.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vp_tui.cli.doctor.machine import Check
from vp_tui.cli.workers import client_of
from vp_tui.domain.events import LinkChanged
from vp_tui.domain.models import INTERNAL, Health, Plane, Snapshot, StreamState
from vp_tui.domain.text import clip, counted, literal
from vp_tui.gateway.credentials import is_session_id, stream_url
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.log_tail import TailRequest
from vp_tui.gateway.stream import StreamCore, StreamOutput
from vp_tui.gateway.transport import TlsContext
from vp_tui.gateway.websocket import SessionStream, SocketOptions
from vp_tui.views import words
from vp_tui.worker.polling import choose

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vp_tui.cli.config.settings import Settings
    from vp_tui.cli.doctor.machine import Verdict
    from vp_tui.domain.models import Session, TokenPresence
    from vp_tui.gateway.client import GatewayClient
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.gateway.parsing import SessionListing


ALL_SESSIONS: Final = "global_agent_flow"
"""A G2's special id, whose socket is no session's (docs/wire.md, section 21)."""
SKEW_S: Final = 60.0
"""Between the gateway's clock and ours, from which on it is told."""
_SHOWN: Final = 60
_NOT_TRIED: Final = "not tried"


class Found(NamedTuple):
    """What the gateway told, and each try."""

    checks: tuple[Check, ...]
    health: Health | None = None
    ahead_s: float | None = None
    """The gateway's UTC clock less ours, of the metrics' stamp; None without one."""
    is_reachable: bool = False
    """Whether anything was answered, refusals included."""


async def examine(settings: Settings, credentials: Credentials) -> Found:
    """Try every endpoint; never raises for what the gateway does."""
    tls = TlsContext(settings.url, settings.ca_file)
    client = client_of(settings, credentials, tls)
    try:
        with suppress(GatewayError):  # told by the first try
            await client.prepare()
        options = SocketOptions(credentials.headers, tls)
        return await _Examination(settings, client, options, credentials.presence).run()
    finally:
        await client.aclose()


class _Examination:
    """One round of tries; gathers what each of them told for the next ones."""

    def __init__(
        self,
        settings: Settings,
        client: GatewayClient,
        options: SocketOptions,
        presence: TokenPresence,
    ) -> None:
        self._settings = settings
        self._presence = presence
        self._client = client
        self._options = options
        self._checks: list[Check] = []
        self._is_reachable = False
        self._health: Health | None = None
        self._snapshot: Snapshot | None = None
        self._ahead_s: float | None = None
        self._sessions: tuple[Session, ...] | None = None

    async def run(self) -> Found:
        await self._try("health", self._client.health(), self._note_health)
        for name, ask, note in self._rest():
            if self._is_reachable:
                await self._try(name, ask(), note)
            else:
                self._note(name, "the gateway does not answer")
        await self._stream()
        return Found(tuple(self._checks), self._health, self._ahead_s, self._is_reachable)

    def _rest(self) -> list[tuple[str, Callable[[], Awaitable[Any]], Callable[[Any], str]]]:
        client = self._client
        return [
            ("metrics, ops plane", client.metrics, self._note_metrics),
            ("metrics, dashboard", lambda: client.metrics(Plane.DASHBOARD), self._note_metrics),
            ("sessions, ops plane", client.sessions, self._note_sessions),
            (
                "sessions, session plane",
                lambda: client.sessions(Plane.SESSION),
                self._note_sessions,
            ),
            (
                "session continuity",
                client.continuity,
                lambda told: f"boot {_safe(told.started_at)}",
            ),
            ("log tail", self._ask_log, lambda told: f"{told.size} bytes"),
        ]

    async def _ask_log(self) -> object:
        return await self._client.log_tail(self._lane_log_id, TailRequest(limit=1, max_bytes=1_000))

    @property
    def _lane_log_id(self) -> str:
        lane = self._snapshot.lane if self._snapshot else None
        if lane is not None and is_session_id(lane.log_id):
            return lane.log_id
        return self._settings.vp_id.replace(".", "_")

    async def _try(self, name: str, answer: Awaitable[Any], note: Callable[[Any], str]) -> None:
        began = time.monotonic()
        try:
            told = await answer
        except GatewayError as error:
            self._is_reachable |= not error.is_silence
            failure, took_s = error.failure, time.monotonic() - began
            self._add(name, "wrong", failure.reason, failure.cure, took_s)
        else:
            self._is_reachable = True
            took_s = time.monotonic() - began
            self._add(name, "ok", note(told), "", took_s)

    def _note_health(self, told: Health) -> str:
        self._health = told
        return _safe(f"{told.status}, {words.version(told)}")

    def _note_metrics(self, told: Snapshot) -> str:
        self._snapshot = self._snapshot or told
        self._ahead_s = (told.generated_at - datetime.now(UTC)).total_seconds()
        return (
            f"{counted(told.fallback.considered, 'mission')}, {counted(len(told.events), 'event')}"
        )

    def _note_sessions(self, told: SessionListing) -> str:
        self._sessions = self._sessions or told.sessions
        in_memory = sum(session.in_memory for session in told.sessions)
        return f"{counted(told.total, 'session')}, {in_memory} in memory"

    async def _stream(self) -> None:
        """Attach where that resumes nothing, and leave at once."""
        name = "stream"
        if not self._is_reachable:
            self._note(name, "the gateway does not answer")
            return
        session_id = self._attachable()
        if session_id is None:
            self._note(name, self._why_no_stream())
            return
        began = time.monotonic()
        link = await self._attach(session_id)
        took_s = time.monotonic() - began
        if link.state is StreamState.LIVE:
            self._add(name, "ok", f"attached to {session_id} and left", "", took_s)
        else:
            self._add(name, "wrong", link.reason, self._cure(link.state), took_s)

    def _cure(self, state: StreamState) -> str:
        if state is not StreamState.UNAUTHORIZED:
            return ""
        return f"{'renew' if self._presence.internal else 'set'} {INTERNAL}"

    def _attachable(self) -> str | None:
        """Return a session that attaching does not resume, an idle one first; None without one."""
        sessions = [
            session
            for session in self._sessions or ()
            if session.session_id != self._lane_log_id and is_session_id(session.session_id)
        ]
        wanted = choose(sessions, ())
        idle_first = sorted(sessions, key=lambda session: session.is_running)
        found = next((s.session_id for s in idle_first if s.session_id in wanted), None)
        if found is None and self._health is not None and self._health.dialect == "G2":
            return ALL_SESSIONS
        return found

    def _why_no_stream(self) -> str:
        if self._sessions is None:
            return "no listing tells which session is in memory"
        return "no session is in memory, and attaching to one on disk would resume it"

    async def _attach(self, session_id: str) -> LinkChanged:
        """Return where the socket stood once it stood anywhere."""
        stood: asyncio.Future[LinkChanged] = asyncio.get_running_loop().create_future()

        def hear(event: StreamOutput) -> None:
            if isinstance(event, LinkChanged) and event.state is not StreamState.CONNECTING:
                with suppress(asyncio.InvalidStateError):
                    stood.set_result(event)

        core = StreamCore(session_id, time.monotonic(), random.random)
        url = stream_url(self._settings.url, session_id)
        stream = SessionStream(url, core, hear, self._options)
        running = asyncio.create_task(stream.run())
        try:
            return await stood
        finally:
            stream.stop()
            await running

    def _note(self, name: str, why: str) -> None:
        self._checks.append(Check("gateway", name, "note", f"{_NOT_TRIED}: {why}"))

    def _add(self, name: str, verdict: Verdict, detail: str, cure: str, took_s: float) -> None:
        self._checks.append(Check("gateway", name, verdict, detail, cure, took_s))


def clock_checks(found: Found) -> list[Check]:
    """Tell how the gateway's clock stands to UTC and to ours; neither is a fault."""
    checks = []
    if found.health is not None and found.health.clock_offset_s is not None:
        offset_s = found.health.clock_offset_s
        told = "in UTC" if abs(offset_s) < SKEW_S else f"{offset_s / 3600:+.2f} h from UTC"
        checks.append(Check("gateway", "its stamps", "note", told))
    if found.ahead_s is not None:
        far = abs(found.ahead_s) >= SKEW_S
        told = f"{found.ahead_s:+.0f} s from ours" if far else "as ours"
        checks.append(Check("gateway", "its clock", "note", told))
    return checks


def _safe(text: str) -> str:
    return clip(literal(text), _SHOWN)
