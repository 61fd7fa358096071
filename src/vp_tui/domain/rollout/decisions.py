"""The word that a row is suggested to have: tables of rules by profile, and the old script's rules.

A table's first rule that matches wins, and its last always matches, so that every situation has a
word (docs/rollout.md, section 6); the engineer confirms or overrules it. Without a stage
`vp-tui capture` decides exactly as the script that it replaces, by nothing but the reported values:
a rate as a fraction, 0 to 1, and a p95 in seconds, None where the gateway gave none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.missions import CoverageState
from vp_tui.domain.rollout.situation import CLEAN_LIMITED_WINDOWS, likely
from vp_tui.domain.vocabulary import (
    FALLBACK_CRITICAL,
    FALLBACK_WATCH,
    P95_CRITICAL_S,
    P95_WATCH_S,
    Profile,
    Stage,
    Thresholds,
    Word,
    percent,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.rollout.situation import Situation


DEFAULTS: Final = Thresholds()


class Suggestion(NamedTuple):
    """A word and what speaks for it."""

    decision: str
    reasons: tuple[str, ...]


class Rule(NamedTuple):
    """When a word fits, and how it is explained."""

    word: Word
    when: Callable[[Situation], bool]
    reasons: Callable[[Situation], tuple[str, ...]]


def suggest(situation: Situation) -> Suggestion:
    """Return the word for a situation, and why."""
    for rule in table_for(situation):
        if rule.when(situation):
            return Suggestion(str(rule.word), rule.reasons(situation))
    raise AssertionError("the last rule of a table always matches")


def table_for(situation: Situation) -> tuple[Rule, ...]:
    """Return the rules that give the word: those of the profile, or of the sustained stage."""
    if situation.profile is Profile.SUSTAINED or situation.stage is Stage.SUSTAINED:
        return SUSTAINED
    return ROLLOUT


def _is_refused(situation: Situation) -> bool:
    return situation.refusal is not None


def _trips_for_real(situation: Situation) -> bool:
    beyond_shadow = situation.stage is not Stage.SHADOW
    return beyond_shadow and situation.source.is_real and situation.trip_wire.tripped


def _is_blocked(situation: Situation) -> bool:
    return any(run.blocks for run in situation.stuck_runs)


def _was_cleared(situation: Situation) -> bool:
    return any(run.is_cleared for run in situation.cancelled)


def _may_broaden(situation: Situation) -> bool:
    enough = situation.clean_limited >= CLEAN_LIMITED_WINDOWS
    limited = situation.stage is Stage.LIMITED and enough
    return situation.is_clean and (limited or situation.stage is Stage.BROADENED)


def _is_ready(situation: Situation) -> bool:
    return situation.is_clean and situation.stage in {Stage.SHADOW, Stage.LIMITED}


def _always(_situation: Situation) -> bool:
    return True


def _has_no_traffic(situation: Situation) -> bool:
    is_known = situation.coverage is not None and situation.doubt is None
    return is_known and not situation.window.new


def _exceeds(situation: Situation) -> bool:
    return situation.trip_wire.tripped or (situation.rate or 0.0) >= FALLBACK_CRITICAL


def _is_doubtful(situation: Situation) -> bool:
    return bool(_doubtful(situation))


def _is_critically_slow(situation: Situation) -> bool:
    return situation.p95_s is not None and situation.p95_s >= P95_CRITICAL_S


def _is_slow(situation: Situation) -> bool:
    return situation.p95_s is not None and situation.p95_s >= P95_WATCH_S


def _refused(situation: Situation) -> tuple[str, ...]:
    refusal = situation.refusal
    if refusal is None:
        return ()
    stands_in = "the dashboard endpoint answers: its figures serve the SAFETY line only"
    return (refusal.reason, stands_in) if refusal.dashboard_answers else (refusal.reason,)


def _tripped(situation: Situation) -> tuple[str, ...]:
    reason = situation.trip_wire.reason
    return () if reason is None else (f"guardrail 3: {reason}",)


def _blocking(situation: Situation) -> tuple[str, ...]:
    return tuple(run.line for run in situation.stuck_runs if run.blocks)


def _cleared(situation: Situation) -> tuple[str, ...]:
    return tuple(run.line for run in situation.cancelled if run.is_cleared)


def _clean(situation: Situation) -> tuple[str, ...]:
    """Say what is clean, and how much less than proof that is."""
    window = situation.window
    runs = "no run hangs" if situation.runs_are_judged else "runs not watched"
    reasons = [f"{window.terminal} clean, no gate FAILs, {runs}"]
    if situation.stage is Stage.LIMITED:
        have, of = situation.clean_limited, CLEAN_LIMITED_WINDOWS
        reasons.append(f"{have} clean limited windows in the log, {of} broaden")
    if not situation.source.is_real:
        reasons.append(f"the traffic is {situation.source}: gates and guardrails do not count it")
    if (promotion := situation.gates.promotion).missing:
        reasons.append(f"not proof: {', '.join(promotion.missing)}")
    return tuple(reasons)


def _held(situation: Situation) -> tuple[str, ...]:
    causes = () if situation.window.new else likely(situation.causes)
    reasons = (*situation.unclean, *causes)
    if situation.stage is Stage.SHADOW:
        return reasons
    if situation.is_clean:
        return (f"clean, but the stage is {situation.stage}", "do not advance")
    return (*reasons, "do not advance")


def _idle(situation: Situation) -> tuple[str, ...]:
    return ("no missions in the window", *likely(situation.causes), *_tripped(situation))


def _exceeded(situation: Situation) -> tuple[str, ...]:
    rate = situation.rate
    if rate is None or rate < FALLBACK_CRITICAL:
        return _tripped(situation)
    critical = f"rate {percent(rate)} >= {percent(FALLBACK_CRITICAL)}"
    return (*_tripped(situation), critical)


def _doubtful(situation: Situation) -> tuple[str, ...]:
    """Say what keeps a sustained lane from being called healthy, but for its latency."""
    reasons = []
    if situation.doubt is not None or situation.coverage is None:
        reasons.append(situation.doubt or "no metrics")
    if situation.coverage is CoverageState.BLIND:
        reasons.append("the rate is blind")
    if situation.rate is None:
        reasons.append("the rate is missing")
    elif situation.rate >= FALLBACK_WATCH:
        reasons.append(f"rate {percent(situation.rate)} >= {percent(FALLBACK_WATCH)}")
    if situation.p95_s is None:
        reasons.append("p95 is missing")
    return tuple(reasons)


def _slow(situation: Situation) -> tuple[str, ...]:
    limit = P95_CRITICAL_S if _is_critically_slow(situation) else P95_WATCH_S
    return (f"p95 {situation.p95_s or 0.0:.3f}s >= {limit:g} s",)


def _healthy(situation: Situation) -> tuple[str, ...]:
    rate, p95_s = situation.rate or 0.0, situation.p95_s or 0.0
    below = f"rate {percent(rate)} < {percent(FALLBACK_WATCH)}"
    return (below, f"p95 {p95_s:.3f}s < {P95_WATCH_S:g} s")


_BLOCKED_AUTH: Final = Rule(Word.BLOCKED_AUTH, _is_refused, _refused)
_BLOCKED_PIPELINE: Final = Rule(Word.BLOCKED_EXECUTION_PIPELINE, _is_blocked, _blocking)

ROLLOUT: Final = (
    _BLOCKED_AUTH,
    Rule(Word.FORCE_FALLBACK, _trips_for_real, _tripped),
    _BLOCKED_PIPELINE,
    Rule(Word.PARTIAL_TIMEOUT_RECOVERED, _was_cleared, _cleared),
    Rule(Word.GO_BROADER_TRAFFIC_ACTIVE, _may_broaden, _clean),
    Rule(Word.READY_FOR_LIMITED_COHORT_PILOT, _is_ready, _clean),
    Rule(Word.HOLD_SHADOW, _always, _held),
)
"""From shadow to broadened traffic."""

SUSTAINED: Final = (
    _BLOCKED_AUTH,
    _BLOCKED_PIPELINE,
    Rule(Word.SUSTAINED_MONITOR_NO_TRAFFIC, _has_no_traffic, _idle),
    Rule(Word.SUSTAINED_FORCE_FALLBACK, _exceeds, _exceeded),
    Rule(Word.SUSTAINED_WATCH, _is_doubtful, _doubtful),
    Rule(Word.SUSTAINED_FORCE_FALLBACK, _is_critically_slow, _slow),
    Rule(Word.SUSTAINED_WATCH, _is_slow, _slow),
    Rule(Word.SUSTAINED_DEFAULT_ON_HEALTHY, _always, _healthy),
)
"""The lane is on by default."""


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
