"""The limits of the rollout's rules, each under the name by which the screen says that it fired.

Rates are fractions, 0 to 1; durations are seconds.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vp_tui.domain.latency import P95_WATCH_S

FALLBACK_WATCH: Final = 0.05
"""The playbook watches from this fallback rate on."""
FALLBACK_CRITICAL: Final = 0.20
"""The playbook calls this fallback rate, and any above it, critical."""
GUARDRAIL_RATE: Final = 0.10
"""The guardrail trips above this fallback rate, and the first gate wants a rate below it proven."""
P95_CRITICAL_S: Final = 90.0
"""The playbook calls this p95, and any above it, critical."""


class Thresholds(NamedTuple):
    """What the replaced capture script takes as flags, with its defaults."""

    min_missions: int = 1
    """Fewer missions considered are no traffic."""
    fallback_watch: float = FALLBACK_WATCH
    fallback_critical: float = FALLBACK_CRITICAL
    p95_watch_s: float = P95_WATCH_S
    p95_critical_s: float = P95_CRITICAL_S


def percent(fraction: float) -> str:
    """Return a fraction, 0 to 1, as percent: `10 %`, `18.1 %`."""
    return f"{fraction * 100:.1f}".removesuffix(".0") + " %"
