"""The whole app on screen while events pour in: cost, losses, lag, and how keys feel."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Final

from tests.bench.gateways import flooding_gateway
from tests.bench.result import Result, milliseconds, percentile
from tests.bench.terminal import Terminal
from tests.bench.usage import cpu_share, resident_mb

SOCKETS: Final = 50
RATES: Final = (2_000, 10_000)
SETTLE_S: Final = 3.0
WINDOW_S: Final = 10.0
PRESSES: Final = 300
BETWEEN_PRESSES_S: Final = 0.05
_COUNTED: Final = Path(__file__).with_name("counted_watch.py")
_CURSOR: Final = re.compile(rb"\x1b\[(\d+);\d+H(?:\x1b\[[\d;]*m)*>(?:\x1b\[[\d;]*m)*running")
"""The marker of the cursor's row in the runs, with the line it is drawn on."""


def run(home: Path) -> list[Result]:
    return [_flood(rate, home) for rate in RATES]


def _flood(rate: int, home: Path) -> Result:
    report = home / f"flood_{rate}.json"
    attached = f"{SOCKETS}/{SOCKETS}".encode()
    with flooding_gateway(rate, SOCKETS) as gateway:
        command = [sys.executable, str(_COUNTED), str(report)]
        command += ["watch", "--gateway-url", gateway.url]
        with Terminal(command, (160, 45), home) as terminal:
            terminal.until(lambda screen: attached in screen)
            terminal.read_for(SETTLE_S)
            cpu = cpu_share(terminal.pid, lambda: terminal.read_for(WINDOW_S))
            delays: list[float] = []
            cpu_with_keys = cpu_share(terminal.pid, lambda: delays.extend(_press_keys(terminal)))
            memory = resident_mb(terminal.pid)
            terminal.press("q")
            terminal.wait()
    figures = {
        **json.loads(report.read_text(encoding="utf-8")),
        "cpu_percent": round(cpu),
        "cpu_percent_with_keys": round(cpu_with_keys),
        "key_p50_ms": milliseconds(percentile(delays, 0.5)),
        "key_p99_ms": milliseconds(percentile(delays, 0.99)),
        "rss_mb": memory,
    }
    return Result(f"flood_{rate}", figures, "", met=None)


def _press_keys(terminal: Terminal) -> list[float]:
    """Move the cursor down and up; return the seconds from each press to the frame that shows it.

    The list is drawn anew all the time: only a cursor on another line than before tells of a press.
    """
    lines: list[bytes] = []

    def has_moved(screen: bytes) -> bool:
        seen = _CURSOR.findall(screen)
        if seen and seen[-1] not in lines[-1:]:
            lines.append(seen[-1])
            return True
        return False

    terminal.until(has_moved)
    delays = []
    for number in range(PRESSES):
        pressed_at = time.perf_counter()
        terminal.press("jk"[number % 2])
        delays.append(terminal.until(has_moved) - pressed_at)
        terminal.read_for(BETWEEN_PRESSES_S)
    return delays
