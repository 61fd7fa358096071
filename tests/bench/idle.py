"""What watching costs while nothing happens: ten sessions, quiet streams, polls every 2 s."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from tests.bench.gateways import are_watched, load_session, quiet_gateway, watch_command
from tests.bench.result import Result
from tests.bench.terminal import Terminal
from tests.bench.usage import cpu_share, resident_mb

if TYPE_CHECKING:
    from pathlib import Path

SESSIONS: Final = 10
SETTLE_S: Final = 5.0
WINDOW_S: Final = 15.0
WINDOWS: Final = 3
TARGET: Final = 1.5


def run(
    home: Path, settle_s: float = SETTLE_S, window_s: float = WINDOW_S, windows: int = WINDOWS
) -> Result:
    with quiet_gateway() as gateway:
        for _ in range(SESSIONS):
            load_session(gateway.url)
        with Terminal(watch_command(gateway.url), (160, 45), home) as terminal:
            terminal.read_until(lambda: are_watched(gateway.url, SESSIONS))
            terminal.read_for(settle_s)
            shares = [
                cpu_share(terminal.pid, lambda: terminal.read_for(window_s)) for _ in range(windows)
            ]
            memory = resident_mb(terminal.pid)
    share = statistics.median(shares)
    return Result(
        {
            "cpu_percent": round(share, 2),
            "cpu_percent_lowest": round(min(shares), 2),
            "cpu_percent_highest": round(max(shares), 2),
            "seconds": windows * window_s,
            "rss_mb": memory,
        },
        f"at most {TARGET} % of a core with {SESSIONS} quiet sessions",
        met=share <= TARGET,
    )
