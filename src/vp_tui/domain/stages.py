"""The stages of a rollout, kinds of traffic and such: words that settings and rules share."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """How far the rollout has come."""

    SHADOW = "shadow"
    LIMITED = "limited"
    BROADENED = "broadened"
    SUSTAINED = "sustained"
    REVERTED = "reverted"
    """Fallback is forced."""
    BLOCKED = "blocked"


class Traffic(StrEnum):
    """Where a window's missions come from."""

    ORGANIC = "organic"
    PROBE = "probe"
    SYNTHETIC = "synthetic"
    FAULT_INJECTED = "fault-injected"

    @property
    def is_real(self) -> bool:
        """Whether it feeds gates and guardrails."""
        return self in {Traffic.ORGANIC, Traffic.PROBE}


class RevertMode(StrEnum):
    """What vp-tui does when guardrail 3 trips."""

    OFF = "off"
    DRY_RUN = "dry-run"
    """It says so, and what it would do."""
    ARMED = "armed"
    """It forces fallback after a countdown, once."""
