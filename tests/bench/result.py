"""What one benchmark found, and the machine it ran on."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Figures = dict[str, float | int | str]


@dataclass(frozen=True)
class Result:
    figures: Figures
    target: str = ""
    """In words; "" where the figures are for information only."""
    met: bool | None = None
    """None without a target."""
    error: str = ""
    """Why there are no figures; "" where there are."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile; `share` is in 0..1."""
    ordered = sorted(values)
    return ordered[max(min(round(share * len(ordered) + 0.5), len(ordered)), 1) - 1]


def milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 1)


def median_ms(seconds: Sequence[float]) -> float:
    return milliseconds(statistics.median(seconds))


def machine() -> dict[str, str | int]:
    return {
        "python": platform.python_version(),
        "textual": version("textual"),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpus": os.cpu_count() or 0,
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")
