"""What `vp-tui capture` decides without a stage: exactly as the script that it replaces.

These are the last rules of the rollout's section 6. They look at nothing but the reported values:
a rate as a fraction, 0 to 1, and a p95 in seconds, None where the gateway gave none.
"""

from __future__ import annotations

from typing import Final

from vp_tui.domain.decisions import Suggestion
from vp_tui.domain.thresholds import Thresholds
from vp_tui.domain.words import Profile, Word

DEFAULTS: Final = Thresholds()


def script_decision(
    profile: Profile,
    considered: int,
    rate: float | None,
    p95_s: float | None,
    thresholds: Thresholds = DEFAULTS,
) -> Suggestion:
    """Return the script's word for `considered` missions, and why."""
    if considered < thresholds.min_missions:
        word = Word.HOLD_SHADOW
        if profile is Profile.SUSTAINED:
            word = Word.SUSTAINED_MONITOR_NO_TRAFFIC
        return _suggestion(word, f"{considered} missions < {thresholds.min_missions}")
    if profile is Profile.SUSTAINED:
        return _sustained(rate, p95_s, thresholds)
    return _rollout(rate, p95_s, thresholds)


def _rollout(rate: float | None, p95_s: float | None, limits: Thresholds) -> Suggestion:
    if rate is None:
        return _suggestion(Word.HOLD_SHADOW, "the fallback rate is missing")
    if rate >= limits.fallback_watch:
        return _suggestion(Word.HOLD_SHADOW, f"rate {rate:.3f} >= {limits.fallback_watch:g}")
    if p95_s is None:
        return _suggestion(Word.HOLD_SHADOW, "p95 is missing")
    return _suggestion(
        Word.READY_FOR_LIMITED_COHORT_PILOT, f"rate {rate:.3f} < {limits.fallback_watch:g}"
    )


def _sustained(rate: float | None, p95_s: float | None, limits: Thresholds) -> Suggestion:
    if rate is None:
        return _suggestion(Word.SUSTAINED_WATCH, "the fallback rate is missing")
    if rate >= limits.fallback_critical:
        reason = f"rate {rate:.3f} >= {limits.fallback_critical:g}"
        return _suggestion(Word.SUSTAINED_FORCE_FALLBACK, reason)
    if rate >= limits.fallback_watch:
        return _suggestion(Word.SUSTAINED_WATCH, f"rate {rate:.3f} >= {limits.fallback_watch:g}")
    if p95_s is None:
        return _suggestion(Word.SUSTAINED_WATCH, "p95 is missing")
    return _sustained_p95(p95_s, limits)


def _sustained_p95(p95_s: float, limits: Thresholds) -> Suggestion:
    if p95_s >= limits.p95_critical_s:
        reason = f"p95 {p95_s:.3f}s >= {limits.p95_critical_s:g} s"
        return _suggestion(Word.SUSTAINED_FORCE_FALLBACK, reason)
    if p95_s >= limits.p95_watch_s:
        return _suggestion(Word.SUSTAINED_WATCH, f"p95 {p95_s:.3f}s >= {limits.p95_watch_s:g} s")
    reason = f"rate and p95 below {limits.fallback_watch:g} and {limits.p95_watch_s:g} s"
    return _suggestion(Word.SUSTAINED_DEFAULT_ON_HEALTHY, reason)


def _suggestion(word: Word, reason: str) -> Suggestion:
    return Suggestion(str(word), (reason,))
