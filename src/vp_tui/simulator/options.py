"""What one embedded gateway runs on: its options, its clock, and the life of its tasks.

The clock tells the gateway's two kinds of stamp (docs/wire.md, section 1) and can run faster.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import tzinfo
    from pathlib import Path

    from vp_tui.domain.models import Dialect


AUTH_OPS_TOKEN: Final = "ops-secret"  # noqa: S105 - the demo's published token
AUTH_INTERNAL_TOKEN: Final = "internal-secret"  # noqa: S105 - as above


@dataclass(frozen=True)
class SimOptions:
    """How the embedded gateway behaves; the defaults are those of `vp-tui gateway`."""

    scenario: str = "tour"
    dialect: Dialect = "G1"
    """Which generation it is: of February 2026, or of August."""
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
    cancel_wait: float | None = None
    """Seconds that a cancel waits for the run to unwind, not divided by `speed`; None: the usual.
    """
    zone: tzinfo | None = None
    """Zone of the naive stamps; None is the machine's own."""

    def with_default_tokens(self) -> SimOptions:
        """Return the options with the tokens that the scenario `auth` requires, if none are set."""
        if self.scenario != "auth" or self.ops_token or self.internal_token:
            return self
        return replace(self, ops_token=AUTH_OPS_TOKEN, internal_token=AUTH_INTERNAL_TOKEN)


class SimClock:
    """Tells the time as G1 does and sleeps `speed` times as fast as it says.

    `utc`, which is then called `now`, tells the time of day, aware and in UTC: the seam for tests.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        zone: tzinfo | None = None,
        utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        dialect: Dialect = "G1",
    ) -> None:
        self.speed = speed
        self._dialect = dialect
        self._zone = zone
        self.now = utc

    def milliseconds(self) -> int:
        """Return the present as milliseconds since 1970, which ids are made of."""
        return int(self.now().timestamp() * 1000)

    def local(self, at: datetime | None = None) -> datetime:
        """Return `at` (the present if None) as the server's wall clock shows it, naive."""
        return (at or self.now()).astimezone(self._zone).replace(tzinfo=None)

    def stamp(self, at: datetime | None = None) -> str:
        """Return the stamp of health, sessions and frames: G1's is server-local, without an offset.

        G2's is UTC and says so.
        """
        told = self.local(at) if self._dialect == "G1" else at or self.now()
        return told.isoformat()

    def log_stamp(self) -> str:
        """Return the time of day that a line of a log begins with: server-local, on G2 UTC."""
        told = self.local() if self._dialect == "G1" else self.now()
        return f"[{told:%H:%M:%S}]"

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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
