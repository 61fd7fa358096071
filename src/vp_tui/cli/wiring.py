"""Putting the parts together: from settings to a store, and to the feeds that fill it.

Shared by the screen and the headless commands. Importing it costs next to nothing: what talks to
the gateway is loaded by `connect`, which in the TUI runs on the network thread, after the first
frame.
"""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vp_tui.domain.models import DEFAULT_INTERVALS, Source
from vp_tui.domain.vocabulary import RevertMode
from vp_tui.gateway.credentials import Credentials, TokenSources, host_port, stream_url
from vp_tui.state.state import Watch, initial_state
from vp_tui.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.switches import Means
    from vp_tui.domain.models import Mission
    from vp_tui.gateway.client import GatewayClient
    from vp_tui.gateway.orders import Orders
    from vp_tui.gateway.transport import TlsContext
    from vp_tui.gateway.websocket import Opener
    from vp_tui.storage.places import Places
    from vp_tui.worker.evidence import EvidenceFiles, Recorder
    from vp_tui.worker.feeds import Feeds, FileFeed
    from vp_tui.worker.orders import OrderRunner
    from vp_tui.worker.polling import Stream


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Surroundings:
    """What a watch takes from outside; the usual ones, or others as the seam for tests."""

    clock: Callable[[], float] = time.monotonic
    """Seconds that never go back."""
    wall: Callable[[], datetime] = _utc_now
    chance: random.Random = field(default_factory=random.Random)
    transport: httpx.AsyncBaseTransport | None = None
    """Under the HTTP client; None: the network."""
    opener: Opener | None = None
    """Of sockets; None: the network."""


USUAL: Final = Surroundings()


def watch_of(settings: Settings) -> Watch:
    """Return what is watched, in the words of the state."""
    return Watch(
        url=settings.gateway_url,
        name=settings.gateway_name or host_port(settings.gateway_url),
        vp_id=settings.vp_id,
        colour=settings.colour,
        read_only=settings.read_only,
        mission_limit=settings.mission_limit,
        event_limit=settings.event_limit,
        intervals={**DEFAULT_INTERVALS, Source.METRICS: settings.interval},
        profile=settings.profile,
        stage=settings.stage,
        source=settings.source,
        window_label=settings.window_label,
        window_scope=settings.window_scope,
        evidence=None if settings.evidence is None else str(settings.evidence),
        stuck_after=settings.stuck_after,
        words=settings.words,
        auto_revert=settings.auto_revert,
        means=_means(settings),
        probe_prompt=settings.probe_prompt,
    )


def _means(settings: Settings) -> Means | None:
    """Return what the operator configured to act with; None: nothing."""
    env_file = settings.brake_env_file
    commands = (settings.brake_apply, settings.brake_release, settings.brake_restart)
    if env_file is None and not any(commands):
        return None
    from vp_tui.domain.lane.switches import Means  # noqa: PLC0415 - most gateways have none

    return Means(None if env_file is None else str(env_file), *commands)


def new_store(settings: Settings, around: Surroundings = USUAL) -> Store:
    """Return the store of a watch that begins now and has asked nothing yet."""
    return Store(initial_state(watch_of(settings), at=around.clock(), wall=around.wall()))


def credentials_of(settings: Settings, *, ambient: bool) -> Credentials:
    """Return the tokens to send, not read yet.

    `ambient` lets them come from UA_… variables and from `.env` in the working directory too.
    """
    sources = TokenSources(
        ops_file=settings.ops_token_file,
        internal_file=settings.internal_token_file,
        env_files=(Path.cwd() / ".env",) if ambient else (),
        environ=os.environ if ambient else {},
        ops_flag=settings.ops_token.reveal() if settings.ops_token else None,
        internal_flag=settings.internal_token.reveal() if settings.internal_token else None,
    )
    return Credentials(
        sources, base_url=settings.gateway_url, allow_insecure=settings.allow_insecure
    )


def token_values(settings: Settings) -> list[str]:
    """Return the tokens themselves, to keep them out of what is written down."""
    credentials = credentials_of(replace(settings, allow_insecure=True), ambient=True)
    credentials.read()
    return list(credentials.headers().values())


def evidence_files(settings: Settings, places: Places) -> EvidenceFiles:
    """Return where the evidence of what is watched is written."""
    from vp_tui.storage.evidence_log import resolve  # noqa: PLC0415 - as above
    from vp_tui.storage.windows import windows_file  # noqa: PLC0415 - as above
    from vp_tui.worker.evidence import EvidenceFiles  # noqa: PLC0415 - not for the first frame

    log = settings.evidence
    watched = (settings.gateway_url, settings.vp_id, str(resolve(log)) if log else "")
    return EvidenceFiles(log, places.spool, windows_file(places.windows, *watched))


def new_recorder(settings: Settings, store: Store, places: Places) -> Recorder:
    """Return what writes the evidence of this watch, in the name of whoever runs vp-tui."""
    from vp_tui.storage.places import actor  # noqa: PLC0415 - not for the first frame
    from vp_tui.worker.evidence import Recorder  # noqa: PLC0415 - as above

    return Recorder(evidence_files(settings, places), store, actor())


def client_of(
    settings: Settings, credentials: Credentials, tls: TlsContext, around: Surroundings = USUAL
) -> GatewayClient:
    """Return what asks the gateway; it sends nothing before it is asked."""
    from vp_tui.gateway.client import GatewayClient  # noqa: PLC0415 - loads httpx and pydantic

    return GatewayClient(
        settings.gateway_url,
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
    from vp_tui.gateway.orders import Orders  # noqa: PLC0415 - not for the first frame

    return Orders(
        settings.gateway_url,
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
    from vp_tui.gateway.stream import StreamCore  # noqa: PLC0415 - as above
    from vp_tui.gateway.transport import TlsContext  # noqa: PLC0415 - as above
    from vp_tui.gateway.websocket import SessionStream, SocketOptions  # noqa: PLC0415 - as above
    from vp_tui.worker.feeds import Feeds  # noqa: PLC0415 - loads httpx and pydantic
    from vp_tui.worker.polling import Pace  # noqa: PLC0415 - as above

    watch, url = watch_of(settings), settings.gateway_url
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
    from vp_tui.domain.lane.switches import Means  # noqa: PLC0415 - not for the first frame
    from vp_tui.storage.places import actor  # noqa: PLC0415 - as above
    from vp_tui.worker.actuator import Actuator  # noqa: PLC0415 - as above
    from vp_tui.worker.orders import AuditBook, OrderRunner, Tools  # noqa: PLC0415 - as above
    from vp_tui.worker.prober import Prober  # noqa: PLC0415 - as above

    async def missions() -> tuple[Mission, ...]:
        return (await client.metrics()).missions

    tools = None
    if orders is not None:
        actuator = Actuator(_means(settings) or Means(), settings.brake_timeout_s)
        tools = Tools(orders, actuator, Prober(orders, missions, clock=around.clock))
    book = AuditBook(places.audit, actor(), settings.gateway_url, settings.vp_id)
    return OrderRunner(tools, book, emit, around.clock, alarm_command=settings.alarm_command)


def file_feeds(
    settings: Settings,
    places: Places,
    emit: Callable[[Event], None],
    clock: Callable[[], float],
    *,
    may_revert: bool = False,
) -> tuple[FileFeed, ...]:
    """Return what reads the files of this watch: windows, report, log, audit, env file.

    Before them comes the lock of the host's auto-revert, where this may be it.
    """
    from vp_tui.storage.locks import HostLock, lock_file  # noqa: PLC0415 - as below
    from vp_tui.storage.places import actor  # noqa: PLC0415 - as below
    from vp_tui.worker.files import (  # noqa: PLC0415 - they start after the first frame
        AuditFeed,
        EvidenceFeed,
        RevertLock,
        SuitesFeed,
        SwitchesFeed,
        WindowsFeed,
    )

    feeds: list[FileFeed] = []
    if may_revert and settings.auto_revert is RevertMode.ARMED and not settings.read_only:
        lock = HostLock(lock_file(places.reverts, settings.gateway_url))
        feeds.append(RevertLock(lock, actor(), emit, clock))
    files, report = evidence_files(settings, places), settings.continuity_report
    feeds.append(WindowsFeed(files.windows, emit, clock))
    if report:
        feeds.append(SuitesFeed(report, emit, clock))
    if files.log:
        feeds.append(EvidenceFeed(files.log, emit, clock))
    feeds.append(AuditFeed(places.audit, emit, clock))
    if settings.brake_env_file:
        feeds.append(SwitchesFeed(settings.brake_env_file, emit, clock))
    return tuple(feeds)
