"""What a process uses: from /proc where there is one, else as `ps` tells."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu_share(pid: int, while_doing: Callable[[], object]) -> float:
    """Return the per cent of one core that a process uses meanwhile."""
    used_s, began = _cpu_seconds(pid), time.perf_counter()
    while_doing()
    return 100 * (_cpu_seconds(pid) - used_s) / (time.perf_counter() - began)


def resident_mb(pid: int) -> float:
    statm = Path(f"/proc/{pid}/statm")
    if not statm.exists():
        return round(int(_ps(pid, "rss")) / 1024, 1)
    pages = int(statm.read_text(encoding="utf-8").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _cpu_seconds(pid: int) -> float:
    """Return user and system time, of all threads."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return _clock(_ps(pid, "time"))
    # The name, in brackets, may hold anything; behind it come state, ppid and so on.
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ps(pid: int, column: str) -> str:
    command = ["ps", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - fixed words


def _clock(text: str) -> float:
    """Read `[hours:]minutes:seconds`."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
