"""From settings to all that asks, acts and writes.

Importing it loads the network's libraries: in the TUI that is done on the network thread, after the
first frame.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from vp_tui.cli.console import credentials_of
from vp_tui.cli.wiring import USUAL, Surroundings, means_of, new_store, watch_of
from vp_tui.domain.events import SessionsArrived
from vp_tui.domain.lane.switches import Means
from vp_tui.domain.models import Plane
from vp_tui.domain.orders import Holder
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import gateway_id, stream_url
from vp_tui.gateway.errors import GatewayError
from vp_tui.gateway.orders import Orders
from vp_tui.gateway.stream import StreamCore
from vp_tui.gateway.transport import TlsContext
from vp_tui.gateway.websocket import SessionStream, SocketOptions
from vp_tui.storage.errors import LockError
from vp_tui.storage.locks import HostLock, lock_file
from vp_tui.storage.places import actor
from vp_tui.worker import files
from vp_tui.worker.actuator import Actuator
from vp_tui.worker.evidence import evidence_files
from vp_tui.worker.feeds import Feeds
from vp_tui.worker.orders import AuditBook, OrderRunner, Tools
from vp_tui.worker.polling import Pace, RunsHeard
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission
    from vp_tui.domain.orders import ActionRecord
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.storage.places import Places
    from vp_tui.worker.polling import Stream


LOOK_S: Final = 3.0
"""Seconds that a cancel waits for the newest listing; without one it goes by what is known."""


def client_of(
    settings: Settings, credentials: Credentials, tls: TlsContext, around: Surroundings = USUAL
) -> GatewayClient:
    """Return what asks the gateway; it sends nothing before it is asked."""
    return GatewayClient(
        settings.url,
        settings.vp_id,
        credentials,
        mission_limit=settings.mission_limit,
        event_limit=settings.event_limit,
        tls=tls,
        transport=around.transport,
        clock=around.clock,
        wall=around.wall,
    )


def connect(
    settings: Settings,
    emit: Callable[[Event], None],
    *,
    ambient: bool = True,
    places: Places,
    around: Surroundings = USUAL,
    may_revert: bool = False,
    report: Callable[[Exception], str] | None = None,
) -> Feeds:
    """Return the feeds of a gateway; their `run` starts asking. `ambient` as in `credentials_of`.

    A screen `may_revert`: it may be the host's auto-revert. `report` is as in `Feeds`. Must be
    called where they will run, in the event loop.
    """
    state, url = new_store(settings, around).state, settings.url
    pace = Pace(around.clock, around.chance)
    credentials, tls = credentials_of(settings, ambient=ambient), TlsContext(url, settings.ca_file)
    options = SocketOptions(
        credentials.headers, tls, clock=around.clock, wall=around.wall, opener=around.opener
    )

    def make_stream(session_id: str) -> Stream:
        core = StreamCore(session_id, around.clock(), around.chance.random)
        return SessionStream(stream_url(url, session_id), core, feeds.tell, options)

    runs = RunsHeard(emit)
    client = client_of(settings, credentials, tls, around)
    orders = order_runner(settings, client, credentials, tls, places, runs, around)
    feeds = Feeds(
        client,
        credentials,
        make_stream,
        runs.tell,
        orders=orders,
        lane_log_id=state.lane_log_id,
        files=tuple(file_feeds(settings, places, emit, around.clock, may_revert=may_revert)),
        intervals=state.watch.intervals,
        pace=pace,
        report=report,
    )
    return feeds


def order_runner(
    settings: Settings,
    client: GatewayClient,
    credentials: Credentials,
    tls: TlsContext,
    places: Places,
    runs: RunsHeard,
    around: Surroundings = USUAL,
) -> OrderRunner:
    """Return what carries out orders; in read-only mode it only audits what was asked for."""

    async def missions() -> tuple[Mission, ...]:
        return (await client.metrics()).missions

    async def look() -> None:
        with suppress(GatewayError, TimeoutError):
            async with asyncio.timeout(LOOK_S):
                sessions, total, odd, old_s = await client.sessions()
            now = around.clock()
            runs.tell(SessionsArrived(now, sessions, total, Plane.OPS, odd, old_s))

    tools = None
    if not settings.read_only:
        orders = Orders(
            settings.url,
            credentials,
            tls=tls,
            transport=around.transport,
            opener=around.opener,
            clock=around.clock,
        )
        actuator = Actuator(means_of(settings) or Means(), settings.brake.timeout_s)
        prober = Prober(orders, missions, clock=around.clock)
        tools = Tools(
            orders, actuator, prober, partial(_lock_of, settings, places), look, runs.why_gone
        )
    watch = watch_of(settings)
    book = AuditBook(places.audit, actor(), watch.id, watch.vp_id, watch.url)
    return OrderRunner(
        tools, book, runs.tell, around.clock, around.wall, alarm_command=settings.alarm.command
    )


def _lock_of(settings: Settings, places: Places, what: str) -> HostLock:
    """Return the host's lock for what is done to the gateway, by whatever URL it is known."""
    return HostLock(lock_file(places.locks, watch_of(settings).id, what))


def _left_in_locks(settings: Settings, places: Places) -> tuple[ActionRecord, ...]:
    """Return what the host's locks tell was begun on the lane and never ended, by whomever."""
    found = []
    for subject in ("lane", "probe"):
        with suppress(LockError):
            left = Holder.from_text(_lock_of(settings, places, subject).left() or "")
            if left is not None and left.until is None:
                found.append(left.interrupted(watch_of(settings).id, settings.vp_id))
    return tuple(found)


def _lock_of_action(settings: Settings, places: Places, action: ActionRecord) -> HostLock | None:
    """Return the host's lock of an audited action, None where it was on another gateway or lane."""
    with suppress(ValueError):  # of a URL that is none
        is_here = action.gateway == watch_of(settings).id or (
            gateway_id(action.gateway) == gateway_id(settings.url)  # as lines of before name it
        )
        if is_here and action.vp_id == settings.vp_id:
            return _lock_of(settings, places, action.subject)
    return None


def file_feeds(
    settings: Settings,
    places: Places,
    emit: Callable[[Event], None],
    clock: Callable[[], float],
    *,
    may_revert: bool = False,
) -> Iterator[files.ThreadFeed]:
    """Yield what reads the files of this watch: log, windows, report, audit, env file.

    Before them comes the lock of the host's auto-revert, where this may be it.
    """
    if may_revert and settings.brake.auto_revert is RevertMode.ARMED and not settings.read_only:
        yield files.RevertLock(_lock_of(settings, places, "auto-revert"), actor(), emit, clock)
    evidence = evidence_files(places, settings.evidence, watch_of(settings))
    if evidence.log:
        yield files.EvidenceFeed(evidence.log, emit, clock, settings.vp_id, evidence.windows)
    yield files.WindowsFeed(evidence.windows, emit, clock)
    if settings.continuity_report:
        yield files.SuitesFeed(settings.continuity_report, emit, clock)
    of_action = partial(_lock_of_action, settings, places)
    left = partial(_left_in_locks, settings, places)
    yield files.AuditFeed(places.audit, emit, clock, of_action, left)
    if settings.brake.env_file:
        yield files.SwitchesFeed(settings.brake.env_file, emit, clock)
