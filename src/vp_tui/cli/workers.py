"""From settings to all that asks, acts and writes.

Importing it loads the network's libraries: in the TUI that is done on the network thread, after the
first frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.cli.wiring import USUAL, Surroundings, credentials_of, means_of, watch_of
from vp_tui.domain.lane.switches import Means
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.gateway.client import GatewayClient
from vp_tui.gateway.credentials import stream_url
from vp_tui.gateway.orders import Orders
from vp_tui.gateway.stream import StreamCore
from vp_tui.gateway.transport import TlsContext
from vp_tui.gateway.websocket import SessionStream, SocketOptions
from vp_tui.state.state import initial_state
from vp_tui.storage.locks import HostLock, lock_file
from vp_tui.storage.places import actor
from vp_tui.worker.actuator import Actuator
from vp_tui.worker.evidence import evidence_files
from vp_tui.worker.feeds import Feeds
from vp_tui.worker.files import (
    AuditFeed,
    EvidenceFeed,
    RevertLock,
    SuitesFeed,
    SwitchesFeed,
    WindowsFeed,
)
from vp_tui.worker.orders import AuditBook, OrderRunner, Tools
from vp_tui.worker.polling import Pace
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.storage.places import Places
    from vp_tui.worker.files import ThreadFeed
    from vp_tui.worker.polling import Stream


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
    )


def orders_of(
    settings: Settings, credentials: Credentials, tls: TlsContext, around: Surroundings = USUAL
) -> Orders | None:
    """Return what may change something on the gateway; in read-only mode there is no such thing."""
    if settings.read_only:
        return None
    return Orders(
        settings.url,
        credentials,
        tls=tls,
        transport=around.transport,
        opener=around.opener,
        clock=around.clock,
    )


def connect(
    settings: Settings,
    emit: Callable[[Event], None],
    *,
    ambient: bool = True,
    places: Places,
    around: Surroundings = USUAL,
    may_revert: bool = False,
) -> Feeds:
    """Return the feeds of a gateway; their `run` starts asking. `ambient` as in `credentials_of`.

    A screen `may_revert`: it may be the host's auto-revert. Must be called where they will run, in
    the event loop.
    """
    watch, url = watch_of(settings), settings.url
    pace = Pace(around.clock, around.chance)
    credentials, tls = credentials_of(settings, ambient=ambient), TlsContext(url, settings.ca_file)
    options = SocketOptions(credentials.headers, tls, clock=around.clock, opener=around.opener)

    def make_stream(session_id: str) -> Stream:
        core = StreamCore(session_id, around.clock(), around.chance.random)
        return SessionStream(stream_url(url, session_id), core, emit, options)

    client = client_of(settings, credentials, tls, around)
    orders = orders_of(settings, credentials, tls, around)
    return Feeds(
        client,
        credentials,
        make_stream,
        emit,
        orders=order_runner(settings, client, orders, places, emit, around),
        lane_log_id=initial_state(watch, at=0.0, wall=around.wall()).lane_log_id,
        files=file_feeds(settings, places, emit, pace.clock, may_revert=may_revert),
        intervals=watch.intervals,
        pace=pace,
    )


def order_runner(
    settings: Settings,
    client: GatewayClient,
    orders: Orders | None,
    places: Places,
    emit: Callable[[Event], None],
    around: Surroundings = USUAL,
) -> OrderRunner:
    """Return what carries out orders; without `orders` it only audits what was asked for."""

    async def missions() -> tuple[Mission, ...]:
        return (await client.metrics()).missions

    tools = None
    if orders is not None:
        actuator = Actuator(means_of(settings) or Means(), settings.brake.timeout_s)
        tools = Tools(orders, actuator, Prober(orders, missions, clock=around.clock))
    book = AuditBook(places.audit, actor(), settings.url, settings.vp_id)
    return OrderRunner(
        tools, book, emit, around.clock, around.wall, alarm_command=settings.alarm.command
    )


def file_feeds(
    settings: Settings,
    places: Places,
    emit: Callable[[Event], None],
    clock: Callable[[], float],
    *,
    may_revert: bool = False,
) -> tuple[ThreadFeed, ...]:
    """Return what reads the files of this watch: windows, report, log, audit, env file.

    Before them comes the lock of the host's auto-revert, where this may be it.
    """
    feeds: list[ThreadFeed] = []
    if may_revert and settings.brake.auto_revert is RevertMode.ARMED and not settings.read_only:
        lock = HostLock(lock_file(places.reverts, settings.url))
        feeds.append(RevertLock(lock, actor(), emit, clock))
    files = evidence_files(places, settings.evidence, settings.url, settings.vp_id)
    report = settings.continuity_report
    feeds.append(WindowsFeed(files.windows, emit, clock))
    if report:
        feeds.append(SuitesFeed(report, emit, clock))
    if files.log:
        feeds.append(EvidenceFeed(files.log, emit, clock))
    feeds.append(AuditFeed(places.audit, emit, clock))
    if settings.brake.env_file:
        feeds.append(SwitchesFeed(settings.brake.env_file, emit, clock))
    return tuple(feeds)
