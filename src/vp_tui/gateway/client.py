"""Asking the gateway: one method per endpoint, each answer parsed or a GatewayError in words.

Only reads, in every mode: what is sent here is a GET, or nothing. Orders go another way (`orders`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import httpx

from vp_tui.domain.models import Continuity, Health, MissionClaims, Plane, Snapshot, TailAnswer
from vp_tui.gateway.credentials import gateway_url, host_port, require_session_id
from vp_tui.gateway.errors import Asked, Unreadable, refusal
from vp_tui.gateway.parsing import (
    SessionListing,
    parse_claims,
    parse_continuity,
    parse_dashboard_metrics,
    parse_health,
    parse_metrics,
    parse_ops_sessions,
    parse_session_listing,
    parse_tail,
)
from vp_tui.gateway.transport import Answer, TlsContext, answer_to, failures_in_words, http_client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vp_tui.gateway.credentials import Credentials
    from vp_tui.gateway.log_tail import TailRequest


SESSIONS_LIMIT: Final = 1_000
SESSIONS_MOST: Final = 5_000
"""Sessions read at most, in answers of SESSIONS_LIMIT."""
CLAIMS_LIMIT: Final = 500
DEADLINE_S: Final = 10.0

METRICS_PATH: Final = "/api/v1/ops/metrics/coder-vp"
_SESSIONS: Final = "/api/v1/ops/sessions"
_HEALTH: Final = "/api/v1/health"
_DASHBOARD: Final = "/api/v1/dashboard/metrics/coder-vp"
_UNHEALTHY: Final = 503


class GatewayClient:
    """The HTTP side of one gateway. Every method may raise any GatewayError.

    `mission_limit` (1..500) and `event_limit` (1..1000) are the rows of one metrics answer.
    `transport` is the seam for tests.
    """

    def __init__(  # noqa: PLR0913 - settings of one gateway, with defaults and keyword-only
        self,
        base_url: str,
        vp_id: str,
        credentials: Credentials,
        *,
        mission_limit: int = 500,
        event_limit: int = 1000,
        tls: TlsContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._base_url = gateway_url(base_url)
        self._where = host_port(base_url)
        self._credentials = credentials
        self._vp_id = vp_id
        self._limits = {"mission_limit": mission_limit, "event_limit": event_limit}
        self._lane: dict[str, str | int] = {"vp_id": vp_id, **self._limits}
        self._tls = tls or TlsContext(base_url)
        self._transport = transport
        self._deadline_s = deadline_s
        self._building = asyncio.Lock()
        self._http: httpx.AsyncClient | None = None

    async def prepare(self) -> None:
        """Build what asks, which takes time; otherwise the first request does."""
        async with failures_in_words(self._asked("", None), self._deadline_s):
            await self._client()

    async def health(self) -> Health:
        """Ask how the gateway is; an unhealthy one tells so with status 503 and the same body."""
        answer = await self._get(_HEALTH, None, also=_UNHEALTHY)
        try:
            return parse_health(answer.body, answer.date)
        except Unreadable:
            if answer.status == _UNHEALTHY:
                raise refusal(self._asked(_HEALTH, None), answer.status, answer.body) from None
            raise

    async def metrics(self, plane: Plane = Plane.OPS) -> Snapshot:
        """Ask for the lane's metrics, on the ops plane or on the dashboard's without a token."""
        if plane is Plane.DASHBOARD:
            answer = await self._get(_DASHBOARD, None, self._lane)
            return self._of_lane(parse_dashboard_metrics(answer.body, **self._limits))
        return self._of_lane(parse_metrics(await self.metrics_body(), **self._limits))

    def _of_lane(self, snapshot: Snapshot) -> Snapshot:
        """Return the metrics if they are of the lane that was asked for."""
        if snapshot.vp_id != self._lane["vp_id"]:
            raise Unreadable(
                f"the metrics are of another lane: {snapshot.vp_id}", "is a cache in between?"
            )
        return snapshot

    async def metrics_body(self) -> bytes:
        """Ask for the lane's metrics on the ops plane; return the answer as it was sent."""
        return (await self._get(METRICS_PATH, Plane.OPS, self._lane)).body

    async def claims(self, as_of: datetime) -> MissionClaims:
        """Ask a G2 who has the lane's missions and who asked for them; `as_of` is its time now."""
        params: dict[str, str | int] = {"vp_id": self._vp_id, "limit": CLAIMS_LIMIT}
        answer = await self._get("/api/v1/ops/vp/missions", Plane.OPS, params)
        return parse_claims(answer.body, self._vp_id, as_of)

    async def sessions(self, plane: Plane = Plane.OPS) -> SessionListing:
        """Ask for the sessions on the ops plane or the session plane.

        The gateway reads files of every session to answer: ask gently. A list that is longer than
        one answer is read on, up to SESSIONS_MOST: the one that runs may be its last.
        """
        if plane is Plane.SESSION:
            return parse_session_listing((await self._get("/api/v1/sessions", plane)).body)
        page = await self._sessions_from(0)
        sessions, read = (
            {each.session_id: each for each in page.sessions},
            len(page.sessions) + page.odd,
        )
        while page.sessions and read < min(page.total, SESSIONS_MOST):
            page = await self._sessions_from(read)
            # The order moves between two answers: one may come twice, and then as it is now.
            sessions |= {each.session_id: each for each in page.sessions}
            read += len(page.sessions) + page.odd
        return SessionListing(tuple(sessions.values()), page.total)

    async def _sessions_from(self, offset: int) -> SessionListing:
        params = {"limit": SESSIONS_LIMIT, **({"offset": offset} if offset else {})}
        return parse_ops_sessions((await self._get(_SESSIONS, Plane.OPS, params)).body)

    async def continuity(self) -> Continuity:
        """Ask for the gateway's boot and the health of its transport."""
        path = "/api/v1/ops/metrics/session-continuity"
        return parse_continuity((await self._get(path, Plane.OPS)).body)

    async def log_tail(self, log_id: str, request: TailRequest) -> TailAnswer:
        """Ask for a piece of a session's log, or of the lane's under its own id."""
        params: dict[str, str | int] = {
            "session_id": require_session_id(log_id),
            "limit": request.limit,
            "max_bytes": request.max_bytes,
        }
        if request.cursor is not None:
            params["cursor"] = request.cursor
        return parse_tail((await self._get("/api/v1/ops/logs/tail", Plane.OPS, params)).body)

    async def aclose(self) -> None:
        """Close all connections; harmless when there are none."""
        if self._http is not None:
            await self._http.aclose()

    def _asked(self, path: str, plane: Plane | None) -> Asked:
        credentials = self._credentials
        return Asked(path, self._where, plane, credentials.presence, credentials.withheld)

    async def _get(
        self,
        path: str,
        plane: Plane | None,
        params: Mapping[str, str | int] | None = None,
        *,
        also: int = 0,
    ) -> Answer:
        """Return the answer if its status is 2xx or `also`; else raise a GatewayError."""
        asked = self._asked(path, plane)
        async with failures_in_words(asked, self._deadline_s):
            http = await self._client()
            # An endpoint that wants no token gets none.
            headers = self._credentials.headers() if plane else {}
            request = http.build_request("GET", path, params=params, headers=headers)
            return await answer_to(asked, await _send(http, request), also=also)

    async def _client(self) -> httpx.AsyncClient:
        """Return the one client, built at first use: reading certificates takes time."""
        async with self._building:
            if self._http is None:
                self._http = await http_client(
                    self._base_url, self._tls, transport=self._transport, may_order=False
                )
            return self._http


async def _send(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send, and once more when a kept connection turns out to be dead.

    The gateway closes a connection after some answers (docs/wire.md, section 7), which shows only
    when the next request is sent on it. A GET may be repeated.
    """
    try:
        return await http.send(request, stream=True)
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        return await http.send(request, stream=True)
