"""From the start of the process to the first useful frame, against the barest Textual app.

`vp-tui --version` is measured in between: the least that any command of it costs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.gateways import VP_TUI, quiet_gateway, watch_command
from tests.bench.result import Result, median_ms
from tests.bench.terminal import Terminal
from tests.support.pty_process import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS: Final = 15
TARGET: Final = 1.4
BARE_COMMAND: Final = (sys.executable, str(Path(__file__).with_name("bare_app.py")))
VERSION_COMMAND: Final = (sys.executable, str(VP_TUI), "--version")
BARE_FRAME: Final = (b"a bare frame",)
USEFUL_FRAME: Final = (b"metrics", b"asking", b"fallback", b"runs")
"""The header's labels and states, the figures' labels and the panes' titles."""


def run(home: Path, size: tuple[int, int], runs: int = RUNS) -> Result:
    with quiet_gateway() as gateway:
        rounds = _interleaved(watch_command(gateway.url), size, home, runs)
    bare_s, watch_s, version_s = zip(*rounds, strict=True)
    ratio = statistics.median(watched / bare for bare, watched, _ in rounds)
    return Result(
        {
            "runs": runs,
            "bare_ms": median_ms(bare_s),
            "watch_ms": median_ms(watch_s),
            "ratio": round(ratio, 2),
            "ratio_of_fastest": round(min(watch_s) / min(bare_s), 2),
            "version_ms": median_ms(version_s),
        },
        f"the first useful frame within {TARGET} x a bare Textual app's",
        met=ratio <= TARGET,
    )


def _interleaved(
    watch: Sequence[str], size: tuple[int, int], home: Path, runs: int
) -> list[tuple[float, float, float]]:
    """Measure all in turn: what else the machine does hits those of a round alike."""
    rounds = []
    for number in range(runs + 1):
        bare_s = _first_frame(BARE_COMMAND, BARE_FRAME, size, home)
        watch_s = _first_frame(watch, USEFUL_FRAME, size, home)
        version_s = _run_time(VERSION_COMMAND, home)
        if number:  # the first compiles the modules and fills the caches
            rounds.append((bare_s, watch_s, version_s))
    return rounds


def _first_frame(
    command: Sequence[str], wanted: Sequence[bytes], size: tuple[int, int], home: Path
) -> float:
    def is_drawn(screen: bytes) -> bool:
        shown = screen.lower()
        return all(words in shown for words in wanted)

    with Terminal(command, size, home) as terminal:
        return terminal.until(is_drawn) - terminal.started_at


def _run_time(command: Sequence[str], home: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment(home))  # noqa: S603 - as named here
    return time.perf_counter() - began
