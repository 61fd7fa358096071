"""From the start of the process to the first useful frame, against the barest Textual app."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.gateways import quiet_gateway, watch_command
from tests.bench.result import Result, median_ms
from tests.bench.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS: Final = 15
TARGET: Final = 1.4
BARE_COMMAND: Final = (sys.executable, str(Path(__file__).with_name("bare_app.py")))
BARE_FRAME: Final = (b"a bare frame",)
USEFUL_FRAME: Final = (b"metrics", b"no data", b"fallback", b"runs")
"""The header's labels and states, the figures' labels and the panes' titles."""


def run(home: Path, size: tuple[int, int], runs: int = RUNS) -> Result:
    with quiet_gateway() as gateway:
        pairs = _interleaved(watch_command(gateway.url), size, home, runs)
    bare_s, watch_s = [bare for bare, _ in pairs], [watched for _, watched in pairs]
    ratio = statistics.median(watched / bare for bare, watched in pairs)
    return Result(
        {
            "runs": runs,
            "bare_ms": median_ms(bare_s),
            "watch_ms": median_ms(watch_s),
            "ratio": round(ratio, 2),
            "ratio_of_fastest": round(min(watch_s) / min(bare_s), 2),
        },
        f"the first useful frame within {TARGET} x a bare Textual app's",
        met=ratio <= TARGET,
    )


def _interleaved(
    watch: Sequence[str], size: tuple[int, int], home: Path, runs: int
) -> list[tuple[float, float]]:
    """Measure both in turn: what else the machine does hits both of a pair alike."""
    pairs = []
    for number in range(runs + 1):
        bare_s = _first_frame(BARE_COMMAND, BARE_FRAME, size, home)
        watch_s = _first_frame(watch, USEFUL_FRAME, size, home)
        if number:  # the first compiles the modules and fills the caches
            pairs.append((bare_s, watch_s))
    return pairs


def _first_frame(
    command: Sequence[str], wanted: Sequence[bytes], size: tuple[int, int], home: Path
) -> float:
    def is_drawn(screen: bytes) -> bool:
        shown = screen.lower()
        return all(words in shown for words in wanted)

    with Terminal(command, size, home) as terminal:
        return terminal.until(is_drawn) - terminal.started_at
