"""From settings to all that asks, acts and writes.

Importing it loads the network's libraries: in the TUI that is done on the network thread, after the
first frame.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vp_tui.cli.recorder import evidence_files
from vp_tui.cli.wiring import credentials_of, watch_of
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
from vp_tui.worker.actuator import Actuator, Tools
from vp_tui.worker.feeds import Feeds
from vp_tui.worker.files import (
    AuditFeed,
    EvidenceFeed,
    RevertLock,
    SuitesFeed,
    SwitchesFeed,
    WindowsFeed,
)
from vp_tui.worker.orders import AuditBook, LaneOrders, SessionOrders
from vp_tui.worker.prober import Prober

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Mission
    from vp_tui.gateway.credentials import Credentials
    from vp_tui.storage.places import Places
    from vp_tui.worker.feeds import FileFeed
    from vp_tui.worker.polling import Stream


def client_of(settings: Settings, credentials: Credentials, tls: TlsContext) -> GatewayClient:
    """Return what asks the gateway; it sends nothing before it is asked."""
    return GatewayClient(
        settings.url,
        settings.vp_id,
        credentials,
        mission_limit=settings.mission_limit,
        event_limit=settings.event_limit,
        tls=tls,
    )


def orders_of(settings: Settings, credentials: Credentials, tls: TlsContext) -> Orders | None:
    """Return what may change something on the gateway; in read-only mode there is no such thing."""
    if settings.read_only:
        return None
    return Orders(settings.url, credentials, tls=tls)


def connect(
    settings: Settings,
    emit: Callable[[Event], None],
    *,
    ambient: bool = True,
    places: Places,
) -> Feeds:
    """Return the feeds of a gateway; their `run` starts asking. `ambient` as in `credentials_of`.

    Must be called where they will run, in the event loop.
    """
    watch, url = watch_of(settings), settings.url
    credentials, tls = credentials_of(settings, ambient=ambient), TlsContext(url, settings.ca_file)
    options = SocketOptions(credentials.headers, tls)

    def make_stream(session_id: str) -> Stream:
        core = StreamCore(session_id, time.monotonic(), random.random)
        return SessionStream(stream_url(url, session_id), core, emit, options)

    client = client_of(settings, credentials, tls)
    lane_log_id = initial_state(watch, at=0.0, wall=datetime.now(UTC)).lane_log_id
    feeds = Feeds(
        client,
        credentials,
        make_stream,
        emit,
        lane_log_id=lane_log_id,
        intervals=watch.intervals,
    )
    feeds.files = file_feeds(settings, places, emit, feeds.pace.clock)
    orders = orders_of(settings, credentials, tls)
    feeds.session_orders = SessionOrders(
        orders,
        places.audit,
        actor(),
        emit,
        feeds.pace.clock,
        alarm_command=settings.alarm.command,
    )
    feeds.lane_orders = lane_orders_of(settings, orders, client, feeds.session_orders, emit)
    return feeds


def connect_screen(
    settings: Settings, emit: Callable[[Event], None], *, ambient: bool = True, places: Places
) -> Feeds:
    """Return the feeds of a screen: as `connect`, and this may be the host's auto-revert."""
    feeds = connect(settings, emit, ambient=ambient, places=places)
    if settings.brake.auto_revert is RevertMode.ARMED and not settings.read_only:
        lock = HostLock(lock_file(places.reverts, settings.url))
        feeds.files = (RevertLock(lock, actor(), emit, feeds.pace.clock), *feeds.files)
    return feeds


def lane_orders_of(
    settings: Settings,
    orders: Orders | None,
    client: GatewayClient,
    session_orders: SessionOrders,
    emit: Callable[[Event], None],
) -> LaneOrders:
    """Return what may be done to the lane; without `orders` it only audits what was asked for."""

    async def missions() -> tuple[Mission, ...]:
        return (await client.metrics()).missions

    return LaneOrders(
        None if orders is None else Actuator(tools_of(settings)),
        None if orders is None else Prober(orders, missions),
        emit,
        time.monotonic,
        AuditBook(session_orders.keep, actor(), settings.url),
    )


def file_feeds(
    settings: Settings, places: Places, emit: Callable[[Event], None], clock: Callable[[], float]
) -> tuple[FileFeed, ...]:
    """Return what reads the files of this watch: windows, report, log, audit, env file."""
    files, report = evidence_files(settings, places), settings.continuity_report
    windows = WindowsFeed(files.windows, emit, clock)
    suites = (SuitesFeed(report, emit, clock),) if report else ()
    log = (EvidenceFeed(files.log, emit, clock),) if files.log else ()
    audit = AuditFeed(places.audit, emit, clock)
    env_file = settings.brake.env_file
    switches = (SwitchesFeed(env_file, emit, clock),) if env_file else ()
    return (windows, *suites, *log, audit, *switches)


def tools_of(settings: Settings) -> Tools:
    """Return the actuator's tools as they are configured; in read-only mode there are none."""
    if settings.read_only:
        return Tools()
    brake = settings.brake
    return Tools(brake.env_file, brake.apply, brake.release, brake.restart, brake.timeout_s)
