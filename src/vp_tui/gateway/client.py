"""Asking the gateway: one method per endpoint, each answer parsed or a GatewayError in words.

Only reads, in every mode: what is sent here is a GET, or nothing. Orders go another way (`orders`).
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import TYPE_CHECKING, Final

import httpx

from vp_tui.domain.models import Continuity, Health, MissionClaims, Plane, Snapshot, TailAnswer
from vp_tui.domain.text import later
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
from vp_tui.gateway.payloads import date_of
from vp_tui.gateway.transport import (
    UTC_NOW,
    Answer,
    TlsContext,
    answer_to,
    failures_in_words,
    http_client,
    proxy_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
_OLDEST_S: Final = float(2**31)
"""What an Age may be at most (RFC 9111, section 1.2.2)."""
_DATE_SLACK_S: Final = 2.0
"""A Date is cut to seconds, and servers renew it once a second."""


class Freshness:
    """Tells how old the content of one endpoint's answers is, however fresh they arrive.

    An answer is old by the Age that a cache gives it, by a stamp of its own that is behind its
    date, and where its stamp, or else its date, stands still or goes back: each of them beyond what
    lies between question and answer.
    """

    def __init__(self) -> None:
        self._stamp: datetime | str | None = None
        self._told_at = 0.0

    def old_s(self, answer: Answer, at: float, stamp: datetime | str | None = None) -> float:
        """Return how old is what an answer tells that arrived `at`; 0.0 where it is new.

        `stamp` is the content's own: when it was made.
        """
        date, took_s = date_of(answer.date), at - answer.asked_at
        found = [answer.cached_s]
        if date is not None and isinstance(stamp, datetime):
            behind_s = (date - stamp).total_seconds()
            found.append(behind_s if behind_s - took_s > _DATE_SLACK_S else 0.0)
        if self._is_still(date if stamp is None else stamp):
            still_s = at - self._told_at
            found.append(still_s if still_s - took_s > _DATE_SLACK_S else 0.0)
        else:
            self._told_at = at
        return min(max(found), _OLDEST_S)

    def _is_still(self, stamp: datetime | str | None) -> bool:
        """Tell whether a stamp is none later than the one before; that may be of a clock set back.

        A text is no moment: that of a G1's health goes back with its zone.
        """
        before, self._stamp = self._stamp, stamp
        if isinstance(stamp, datetime) and isinstance(before, datetime):
            return stamp <= before
        return stamp is not None and stamp == before


class GatewayClient:
    """The HTTP side of one gateway. Every method may raise any GatewayError.

    `mission_limit` (1..500) and `event_limit` (1..1000) are the rows of one metrics answer.
    `transport`, `clock` and `wall` are seams for tests. What a method returns says how old it is.
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
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = UTC_NOW,
    ) -> None:
        self._base_url = gateway_url(base_url)
        self._where = host_port(base_url)
        self._proxy = "" if transport else proxy_in_words(base_url)
        self._credentials = credentials
        self._vp_id = vp_id
        self._limits = {"mission_limit": mission_limit, "event_limit": event_limit}
        self._lane: dict[str, str | int] = {"vp_id": vp_id, **self._limits}
        self._tls = tls or TlsContext(base_url)
        self._transport = transport
        self._deadline_s = deadline_s
        self._clock = clock
        self._wall = wall
        self._freshness: dict[str, Freshness] = {}
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
            told = parse_health(answer.body, answer.date)
        except Unreadable:
            if answer.status == _UNHEALTHY:
                raise refusal(self._asked(_HEALTH, None), answer.status, answer.body) from None
            raise
        return told._replace(old_s=self.old_s(_HEALTH, answer, told.timestamp))

    async def metrics(self, plane: Plane = Plane.OPS) -> Snapshot:
        """Ask for the lane's metrics, on the ops plane or on the dashboard's without a token."""
        if plane is Plane.DASHBOARD:
            answer = await self._get(_DASHBOARD, None, self._lane)
            snapshot = parse_dashboard_metrics(answer.body, **self._limits)
        else:
            answer = await self.metrics_answer()
            snapshot = parse_metrics(answer.body, **self._limits)
        # A lane's metrics are another answer in the eyes of a cache.
        if snapshot.vp_id != self._lane["vp_id"]:
            raise Unreadable(
                f"the metrics are of another lane: {snapshot.vp_id}", "is a cache in between?"
            )
        return snapshot._replace(old_s=self.old_s(plane, answer, snapshot.generated_at))

    async def metrics_answer(self) -> Answer:
        """Ask for the lane's metrics on the ops plane; return the answer as it was sent."""
        return await self._get(METRICS_PATH, Plane.OPS, self._lane)

    async def claims(self, as_of: datetime) -> MissionClaims:
        """Ask a G2 who has the lane's missions and who asked for them; `as_of` is its time now."""
        params: dict[str, str | int] = {"vp_id": self._vp_id, "limit": CLAIMS_LIMIT}
        path = "/api/v1/ops/vp/missions"
        answer = await self._get(path, Plane.OPS, params)
        return parse_claims(answer.body, self._vp_id, later(as_of, -self.old_s(path, answer)))

    async def sessions(self, plane: Plane = Plane.OPS) -> SessionListing:
        """Ask for the sessions on the ops plane or the session plane.

        The gateway reads files of every session to answer: ask gently. A list that is longer than
        one answer is read on, up to SESSIONS_MOST: the one that runs may be its last.
        """
        if plane is Plane.SESSION:
            path = "/api/v1/sessions"
            answer = await self._get(path, plane)
            return parse_session_listing(answer.body)._replace(old_s=self.old_s(path, answer))
        pages = [await self._sessions_from(0)]
        read = pages[0].read
        while pages[-1].read and read < min(pages[-1].total, SESSIONS_MOST):
            pages.append(await self._sessions_from(read))
            read += pages[-1].read
        # The order moves between two answers: one may come twice, and then as it is now.
        sessions = {each.session_id: each for page in pages for each in page.sessions}
        return SessionListing(
            tuple(sessions.values()),
            pages[-1].total,
            sum(page.odd for page in pages),
            max(page.old_s for page in pages),
        )

    async def _sessions_from(self, offset: int) -> SessionListing:
        params = {"limit": SESSIONS_LIMIT, **({"offset": offset} if offset else {})}
        answer = await self._get(_SESSIONS, Plane.OPS, params)
        old_s = self.old_s(f"{_SESSIONS}?{offset}", answer)
        return parse_ops_sessions(answer.body)._replace(old_s=old_s)

    async def continuity(self) -> Continuity:
        """Ask for the gateway's boot and the health of its transport."""
        path = "/api/v1/ops/metrics/session-continuity"
        answer = await self._get(path, Plane.OPS)
        return parse_continuity(answer.body)._replace(old_s=self.old_s(path, answer))

    async def log_tail(self, log_id: str, request: TailRequest) -> TailAnswer:
        """Ask for a piece of a session's log, or of the lane's under its own id."""
        params: dict[str, str | int] = {
            "session_id": require_session_id(log_id),
            "limit": request.limit,
            "max_bytes": request.max_bytes,
        }
        if request.cursor is not None:
            params["cursor"] = request.cursor
        answer = await self._get("/api/v1/ops/logs/tail", Plane.OPS, params)
        return parse_tail(answer.body)._replace(old_s=self.old_s(f"log {log_id}", answer))

    def old_s(self, what: str, answer: Answer, stamp: datetime | str | None = None) -> float:
        """Return how old an answer's content is, by the answers that this endpoint gave before."""
        freshness = self._freshness.setdefault(what, Freshness())
        return freshness.old_s(answer, self._clock(), stamp)

    async def aclose(self) -> None:
        """Close all connections; harmless when there are none."""
        if self._http is not None:
            await self._http.aclose()

    def _asked(self, path: str, plane: Plane | None) -> Asked:
        credentials = self._credentials
        return Asked(
            path, self._where, plane, credentials.presence, credentials.withheld, self._proxy
        )

    async def _get(
        self,
        path: str,
        plane: Plane | None,
        params: Mapping[str, str | int] | None = None,
        *,
        also: int = 0,
    ) -> Answer:
        """Return the answer if its status is 2xx or `also`; else raise a GatewayError."""
        asked, asked_at = self._asked(path, plane), self._clock()
        async with failures_in_words(asked, self._deadline_s):
            http = await self._client()
            # An endpoint that wants no token gets none.
            headers = self._credentials.headers() if plane else {}
            request = http.build_request("GET", path, params=params, headers=headers)
            response = await _send(http, request)
            answer = await answer_to(asked, response, also=also, wall=self._wall)
            return answer._replace(asked_at=asked_at)

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
    when the next request is sent on it. A GET may be repeated; on a new connection it is not, or
    whoever breaks all of them would be asked twice as often.
    """
    is_new = False

    async def trace(step: str, _info: object) -> None:
        nonlocal is_new
        is_new = is_new or step == "connection.connect_tcp.started"

    request.extensions["trace"] = trace
    try:
        return await http.send(request, stream=True)
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        if is_new:
            raise
        return await http.send(request, stream=True)
