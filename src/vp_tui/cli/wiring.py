"""From settings to the store of a watch: all that its first frame takes, and no more.

Shared by the screen and the commands without one; what talks to the gateway is in `cli/workers`.
"""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.cli.console import credentials_of
from vp_tui.domain.lane.switches import Means
from vp_tui.domain.models import DEFAULT_INTERVALS, Source
from vp_tui.gateway.credentials import gateway_id, host_port
from vp_tui.state.state import Watch, initial_state
from vp_tui.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from vp_tui.cli.config.settings import Settings
    from vp_tui.gateway.websocket import Opener


class Surroundings(NamedTuple):
    """What a watch takes from outside; the usual ones, or others as the seam for tests."""

    clock: Callable[[], float] = time.monotonic
    """Seconds that never go back."""
    wall: Callable[[], datetime] = partial(datetime.now, UTC)
    chance: random.Random = random.Random()  # noqa: S311 - spreads reconnects, hides nothing
    transport: httpx.AsyncBaseTransport | None = None
    """Under the HTTP client; None: the network."""
    opener: Opener | None = None
    """Of sockets; None: the network."""


USUAL: Final = Surroundings()


def watch_of(settings: Settings) -> Watch:
    """Return what is watched, in the words of the state."""
    return Watch(
        url=settings.url,
        name=settings.gateway_name or host_port(settings.url),
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
        window_scope=settings.scope,
        evidence=None if settings.evidence is None else str(settings.evidence),
        stuck_after=settings.stuck_after,
        words=settings.words,
        auto_revert=settings.brake.auto_revert,
        means=means_of(settings),
        probe_prompt=settings.probe.prompt,
        id=settings.id or gateway_id(settings.url),
    )


def means_of(settings: Settings) -> Means | None:
    """Return what the operator configured to act with; None: nothing."""
    brake = settings.brake
    env_file = None if brake.env_file is None else str(brake.env_file)
    means = Means(env_file, brake.apply, brake.release, brake.restart)
    return means if any(means) else None


def new_store(
    settings: Settings, around: Surroundings = USUAL, *, no_streams: bool = False
) -> Store:
    """Return the store of a watch that begins now and has asked nothing yet."""
    watch = watch_of(settings)._replace(no_streams=no_streams)
    return Store(initial_state(watch, at=around.clock(), wall=around.wall()))


def token_values(settings: Settings) -> list[str]:
    """Return the tokens themselves, to keep them out of what is written down."""
    credentials = credentials_of(replace(settings, allow_insecure=True), ambient=True)
    credentials.read()
    return list(credentials.headers().values())


@contextlib.contextmanager
def events_noted(store: Store) -> Iterator[None]:
    """Give an exception that passes the last events, for the crash report to show them."""
    try:
        yield
    except Exception as error:
        error.recent_events = tuple(store.recent)  # type: ignore[attr-defined]  # read by the report
        raise
