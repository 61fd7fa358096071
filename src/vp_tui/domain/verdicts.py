"""What a gate says, and what all of them together mean for a promotion.

The rules are those of the rollout, section 4. The promotion line is not the row's word: it shows
how much less than proof a decision rests on, and forbids nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """How a gate stands."""

    PASS = "PASS"  # noqa: S105 - a verdict
    WATCH = "WATCH"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    """Nothing is wrong, and too little is known: `missing` says what."""
    UNKNOWN = "UNKNOWN"
    """The source is blind, stale, refused or not there."""
    WAIVED = "WAIVED"


class GateResult(NamedTuple):
    """One gate's verdict and why."""

    verdict: Verdict
    reason: str
    threshold: str
    """The limit that decided, by name."""
    missing: str | None = None
    """What a PASS still takes, in a word: `+20`, `suites`; None when nothing or not known."""


class Promotion(NamedTuple):
    """Whether all four gates pass in one window."""

    missing: tuple[str, ...]
    """What keeps it from being recommended: `G1 +20`, `G2 FAIL`."""

    @property
    def recommended(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing

    @property
    def line(self) -> str:
        """The line of the screen."""
        if self.recommended:
            return "Promotion: recommended"
        return f"Promotion: not yet: {', '.join(self.missing)}"


class Gates(NamedTuple):
    """The four gates."""

    g1: GateResult
    """Fallback rate below target."""
    g2: GateResult
    """No sustained `vp.mission.failed`."""
    g3: GateResult
    """p95 stable and in range."""
    g4: GateResult
    """No continuity regression."""

    def by_name(self) -> dict[str, GateResult]:
        """Return the gates as `G1` to `G4`."""
        return {"G1": self.g1, "G2": self.g2, "G3": self.g3, "G4": self.g4}

    @property
    def failing(self) -> tuple[str, ...]:
        """Each gate that fails, with its reason."""
        return tuple(
            f"{name} FAIL: {gate.reason}"
            for name, gate in self.by_name().items()
            if gate.verdict is Verdict.FAIL
        )

    @property
    def promotion(self) -> Promotion:
        """What the four together mean; a waived gate is no proof either."""
        return Promotion(
            tuple(
                f"{name} {gate.missing or gate.verdict}"
                for name, gate in self.by_name().items()
                if gate.verdict is not Verdict.PASS
            )
        )


def waived(result: GateResult, who: str, why: str) -> GateResult:
    """Return the gate as waived by somebody; what it said stays in the reason."""
    reason = f"waived by {who}: {why} (was {result.verdict}: {result.reason})"
    return result._replace(verdict=Verdict.WAIVED, reason=reason, missing=None)


def without_proof(result: GateResult, doubt: str | None) -> GateResult:
    """Return what a gate may say while there is a doubt about its source: bad news stays.

    `doubt` says in words why the source cannot be trusted; None: it can.
    """
    if doubt is None or result.verdict in {Verdict.FAIL, Verdict.WATCH}:
        return result
    return GateResult(Verdict.UNKNOWN, f"{doubt}: {result.reason}", result.threshold)
