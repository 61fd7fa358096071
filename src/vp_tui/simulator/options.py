"""What one embedded gateway runs on: its options, lane flags, clock, and the life of its tasks.

The clock tells the gateway's two kinds of stamp (docs/wire.md, section 1) and can run faster.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.switches import Switch, switches_in

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import tzinfo
    from pathlib import Path


AUTH_OPS_TOKEN: Final = "ops-secret"  # noqa: S105 - the demo's published token
AUTH_INTERNAL_TOKEN: Final = "internal-secret"  # noqa: S105 - as above


@dataclass(frozen=True)
class SimOptions:
    """How the embedded gateway behaves; the defaults are those of `vp-tui gateway`."""

    scenario: str = "tour"
    port: int = 0
    """TCP port on 127.0.0.1; 0 takes a free one."""
    speed: float = 1.0
    """Divides every duration of turns and scenarios, but not what the wire contract fixes."""
    ops_token: str | None = field(default=None, repr=False)
    internal_token: str | None = field(default=None, repr=False)
    env_file: Path | None = None
    """KEY=VALUE lines with the lane flags; read at the start and on a restart only."""
    seed: int = 7
    rate: float = 200.0
    """Events per second of the scenario `flood`, over all sessions."""
    sessions: int = 10
    """Sessions of the scenario `flood`."""
    cancel_wait: float = 5.0
    """Seconds that a cancel waits for the run to unwind; not divided by `speed`."""
    zone: tzinfo | None = None
    """Zone of the naive stamps; None is the machine's own."""

    def with_default_tokens(self) -> SimOptions:
        """Return the options with the tokens that the scenario `auth` requires, if none are set."""
        if self.scenario != "auth" or self.ops_token or self.internal_token:
            return self
        return replace(self, ops_token=AUTH_OPS_TOKEN, internal_token=AUTH_INTERNAL_TOKEN)


@dataclass(frozen=True)
class SimLaneFlags:
    """The switches of the VP lane; without a word in the env file the lane is on."""

    enabled: bool = True
    shadow: bool = False
    forced_fallback: bool = False

    @classmethod
    def read(cls, env_file: Path | None) -> SimLaneFlags:
        """Return the flags that `env_file` sets; a missing file sets none."""
        is_there = env_file is not None and env_file.is_file()
        switches = switches_in(env_file.read_bytes() if env_file and is_there else b"")
        return cls(
            enabled=switches.is_on(Switch.LANE) is not False,
            shadow=switches.is_on(Switch.SHADOW) is True,
            forced_fallback=switches.is_on(Switch.FORCED_FALLBACK) is True,
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SimClock:
    """Tells the time as G1 does and sleeps `speed` times as fast as it says.

    `utc` tells the time of day, aware and in UTC: the seam for tests.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        zone: tzinfo | None = None,
        utc: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.speed = speed
        self._zone = zone
        self._utc = utc

    def now(self) -> datetime:
        """Return the present, aware, in UTC."""
        return self._utc()

    def milliseconds(self) -> int:
        """Return the present as milliseconds since 1970, which ids are made of."""
        return int(self.now().timestamp() * 1000)

    def local(self, at: datetime | None = None) -> datetime:
        """Return `at` (the present if None) as the server's wall clock shows it, naive."""
        return (at or self.now()).astimezone(self._zone).replace(tzinfo=None)

    def stamp(self, at: datetime | None = None) -> str:
        """Return the stamp of health, sessions and frames: server-local, without an offset."""
        return self.local(at).isoformat()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of scripted time."""
        await asyncio.sleep(seconds / self.speed)


class SimLife:
    """Owns the tasks of one boot, so that none of them outlives it."""

    def __init__(self) -> None:
        self.alive = True
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or the process does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Stop everything at once; the tasks see `alive` False and unwind in silence."""
        self.alive = False
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
