"""From the start of the process to the first useful frame, against the barest Textual app."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.gateways import quiet_gateway, watch_command
from tests.bench.result import Figures, Result, median_ms
from tests.bench.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS: Final = 15
SIZES: Final = ((80, 24), (160, 45))
TARGET: Final = 1.4
BARE_COMMAND: Final = (sys.executable, str(Path(__file__).with_name("bare_app.py")))
BARE_FRAME: Final = (b"a bare frame",)
USEFUL_FRAME: Final = (b"metrics", b"no data", b"fallback", b"runs")
"""The header's labels and states, the figures' labels and the panes' titles."""


def run(home: Path) -> list[Result]:
    figures: Figures = {"runs": RUNS}
    ratios = []
    with quiet_gateway() as gateway:
        watch = watch_command(gateway.url)
        for size in SIZES:
            pairs = _interleaved(watch, size, home)
            bare_s, watch_s = [bare for bare, _ in pairs], [watched for _, watched in pairs]
            ratio = statistics.median(watched / bare for bare, watched in pairs)
            ratios.append(ratio)
            at = f"{size[0]}x{size[1]}"
            figures |= {
                f"bare_ms_{at}": median_ms(bare_s),
                f"watch_ms_{at}": median_ms(watch_s),
                f"ratio_{at}": round(ratio, 2),
                f"ratio_of_fastest_{at}": round(min(watch_s) / min(bare_s), 2),
            }
    result = Result(
        "first_frame",
        figures,
        f"the first useful frame within {TARGET} x a bare Textual app's, at both sizes",
        met=max(ratios) <= TARGET,
    )
    return [result]


def _interleaved(
    watch: Sequence[str], size: tuple[int, int], home: Path
) -> list[tuple[float, float]]:
    """Measure both in turn: what else the machine does hits both of a pair alike."""
    pairs = []
    for number in range(RUNS + 1):
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
