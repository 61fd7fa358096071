"""The whole app on screen while events pour in: cost, losses, lag, and how keys feel."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.gateways import are_watched, flooding_gateway, session_ids
from tests.bench.result import Figures, Result, milliseconds, percentile
from tests.bench.terminal import Terminal
from tests.bench.usage import cpu_share, resident_mb

from vp_tui.domain.text import short_id

if TYPE_CHECKING:
    from collections.abc import Iterable

SOCKETS: Final = 50
SETTLE_S: Final = 3.0
WINDOW_S: Final = 10.0
PRESSES: Final = 300
UNTIMED: Final = 4
UNTIMED_S: Final = 2.0
BETWEEN_PRESSES_S: Final = 0.05
_COUNTED: Final = Path(__file__).with_name("counted_watch.py")
_STYLE: Final = rb"(?:\x1b\[[\d;]*m)*"


def run(
    home: Path,
    rate: int,
    settle_s: float = SETTLE_S,
    window_s: float = WINDOW_S,
    presses: int = PRESSES,
    flags: tuple[str, ...] = (),
) -> Result:
    """Watch `rate` events a second; they are recorded, unless the flags say otherwise."""
    report = home / "counts.json"
    with flooding_gateway(rate, SOCKETS) as gateway:
        cursor = _cursor(session_ids(gateway.url))
        command = [sys.executable, str(_COUNTED), str(report)]
        command += ["watch", "--gateway-url", gateway.url, *flags]
        with Terminal(command, (160, 45), home) as terminal:
            terminal.read_until(lambda: are_watched(gateway.url, SOCKETS))
            terminal.read_for(settle_s)
            cpu = cpu_share(terminal.pid, lambda: terminal.read_for(window_s))
            delays: list[float] = []
            cpu_with_keys = cpu_share(
                terminal.pid, lambda: delays.extend(_press_keys(terminal, cursor, presses))
            )
            memory = resident_mb(terminal.pid)
            terminal.leave()
    figures: Figures = {
        **json.loads(report.read_text(encoding="utf-8")),
        "cpu_percent": round(cpu),
        "cpu_percent_with_keys": round(cpu_with_keys),
        "key_p50_ms": milliseconds(percentile(delays, 0.5)),
        "key_p99_ms": milliseconds(percentile(delays, 0.99)),
        "rss_mb": memory,
    }
    return Result(figures)


def _cursor(sessions: Iterable[str]) -> re.Pattern[bytes]:
    """Match the row of the runs that has the cursor's marker, up to the session that it is.

    The session is known by its id, which the gateway gave: the words of a row may change, and
    rows may change places.
    """
    ids = "|".join(re.escape(short_id(session)) for session in sessions).encode()
    return re.compile(
        rb"\x1b\[\d+;\d+H" + _STYLE + b">" + _STYLE + rb"[^\x1b\s][^\r\n]*?(" + ids + b")"
    )


def _press_keys(terminal: Terminal, cursor: re.Pattern[bytes], presses: int) -> list[float]:
    """Move the cursor down and up; return the seconds from each press to the frame that shows it.

    The list is drawn anew all the time: only a cursor on another session than before tells of a
    press.
    """
    sessions: list[bytes] = []

    def has_moved(screen: bytes) -> bool:
        seen = cursor.findall(screen)
        if seen and seen[-1] not in sessions[-1:]:
            sessions.append(seen[-1])
            return True
        return False

    # A row whose words stay as they are is not drawn again: only presses tell where the cursor is.
    for number in range(UNTIMED):
        terminal.press("jk"[number % 2])
        with suppress(RuntimeError):
            terminal.until(has_moved, UNTIMED_S)
    delays = []
    for number in range(presses):
        pressed_at = time.perf_counter()
        terminal.press("jk"[number % 2])
        delays.append(terminal.until(has_moved) - pressed_at)
        terminal.read_for(BETWEEN_PRESSES_S)
    return delays
