"""The word that a row is suggested to have: tables of rules by profile, and the old script's rules.

A table's first rule that matches wins, and its last always matches, so that every situation has a
word (docs/rollout.md, section 6); the engineer confirms or overrules it. Without a stage
`vp-tui capture` decides exactly as the script that it replaces, by nothing but the reported values:
a rate as a fraction, 0 to 1, and a p95 in seconds, None where the gateway gave none.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.rollout.guardrails import ROLLING
from vp_tui.domain.rollout.situation import CLEAN_LIMITED_WINDOWS, likely
from vp_tui.domain.rollout.verdicts import GATE_TITLES, Verdict
from vp_tui.domain.text import counted
from vp_tui.domain.vocabulary import (
    FALLBACK_CRITICAL,
    FALLBACK_WATCH,
    P95_WATCH_S,
    Profile,
    Stage,
    Word,
    p95_cell,
    percent,
    rate_cell,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from vp_tui.domain.rollout.situation import Share, Situation
    from vp_tui.domain.vocabulary import Thresholds


_REAL_STAGES: Final = frozenset({Stage.LIMITED, Stage.BROADENED, Stage.SUSTAINED})
"""Stages in which the lane serves users by itself."""


class Suggestion(NamedTuple):
    """A word and what speaks for it."""

    decision: str
    reasons: tuple[str, ...]


class Rule(NamedTuple):
    """A word, and what speaks for it in a situation: nothing where it does not fit."""

    word: Word
    reasons: Callable[[Situation], tuple[str, ...]]


def suggest(situation: Situation) -> Suggestion:
    """Return the word for a situation, and why."""
    across = () if situation.across is None else (situation.across,)
    return next(
        Suggestion(str(word), (*told, *across))
        for word, reasons in table_for(situation)
        if (told := reasons(situation))
    )


def table_for(situation: Situation) -> tuple[Rule, ...]:
    """Return the rules that give the word: the profile's, where the stage does not tell them."""
    if situation.stage is Stage.SUSTAINED:
        return SUSTAINED
    is_sustained = situation.profile is Profile.SUSTAINED and situation.stage is Stage.BROADENED
    return SUSTAINED if is_sustained else ROLLOUT


def _tripped(situation: Situation) -> tuple[str, ...]:
    reason = situation.trip_wire.reason
    if reason is None:
        reason = situation.ended_trip
    return () if reason is None else (f"guardrail 3: {reason}",)


def _tripped_for_real(situation: Situation) -> tuple[str, ...]:
    counts = situation.stage in _REAL_STAGES and situation.source.is_real
    return _tripped(situation) if counts else ()


def _blocking(situation: Situation) -> tuple[str, ...]:
    return tuple(run.line for run in situation.stuck_runs if run.blocks)


def _cleared(situation: Situation) -> tuple[str, ...]:
    return tuple(run.told for run in situation.cancelled if run.is_cleared)


def _broadening(situation: Situation) -> tuple[str, ...]:
    enough = situation.clean_limited >= CLEAN_LIMITED_WINDOWS
    fits = situation.stage is Stage.BROADENED or (situation.stage is Stage.LIMITED and enough)
    return _clean(situation) if fits else ()


def _ready(situation: Situation) -> tuple[str, ...]:
    return _clean(situation) if situation.stage in {Stage.SHADOW, Stage.LIMITED} else ()


def _clean(situation: Situation) -> tuple[str, ...]:
    """Say what is clean, and how much less than proof that is."""
    if situation.unclean:
        return ()
    reasons = [f"{situation.window.known} clean, no gate FAILs, no run hangs"]
    if situation.window.unknown:
        reasons.append(f"{situation.window.unknown} unknown left out by a waiver")
    if situation.stage is Stage.LIMITED:
        have, of = situation.clean_limited, CLEAN_LIMITED_WINDOWS
        reasons.append(f"{have} clean limited windows in the log, {of} broaden")
    if others := situation.other_gateways:
        reasons.append(f"rows of {' and '.join(others)} count too: are they of this gateway?")
    if not situation.source.is_real:
        reasons.append(f"the traffic is {situation.source}: gates and guardrails do not count it")
    if not_proven := situation.gates.not_proven:
        reasons.append(f"not proven: {', '.join(not_proven)}")
    return tuple(reasons)


def _held(situation: Situation) -> tuple[str, ...]:
    causes = likely(situation.causes) if situation.window.is_empty else ()
    reasons = (*situation.unclean, *causes)
    if situation.stage is Stage.SHADOW:
        return reasons
    if not situation.unclean:
        return (f"clean, but the stage is {situation.stage}", "do not advance")
    return (*reasons, "do not advance")


def _idle(situation: Situation) -> tuple[str, ...]:
    is_known = situation.coverage is not None and situation.doubt is None
    if not is_known or not situation.window.is_empty or situation.unstartable:
        return ()
    return ("no missions in the window", *likely(situation.causes))


def _exceeded(situation: Situation) -> tuple[str, ...]:
    return (
        *_tripped(situation),
        *_rates(situation.shares, FALLBACK_CRITICAL),
        *_gates(situation, {"G1", "G3"}, Verdict.FAIL),
    )


def _rates(shares: Iterable[tuple[str, Share]], limit: float) -> tuple[str, ...]:
    return tuple(
        f"{share.fallbacks} of {share.terminal} in {where} fell back: "
        f"rate {percent(share.rate)} >= {percent(limit)}"
        for where, share in shares
        if share.reaches(limit)
    )


def _gates(situation: Situation, names: Collection[str], *verdicts: Verdict) -> tuple[str, ...]:
    return tuple(
        f"{GATE_TITLES[name]} {gate.verdict}: {gate.reason}"
        for name, gate in situation.gates.by_name().items()
        if name in names and gate.verdict in verdicts
    )


def _watched(situation: Situation) -> tuple[str, ...]:
    """Say what keeps a sustained lane from being called healthy."""
    in_sight = [
        (where, share)
        for where, share in situation.shares
        if where != "the epoch" or share.terminal >= ROLLING
    ]
    runs = () if situation.runs_are_judged else ("runs not watched",)
    missing = situation.window.p95_s is None and bool(situation.window.terminal)
    reasons = (
        *situation.doubts,
        *_rates(in_sight, FALLBACK_WATCH),
        *(("the window's p95 is missing",) * missing),
        *situation.faults,
        *runs,
        *_gates(situation, {"G2", "G3", "G4"}, Verdict.WATCH),
        *_gates(situation, {"G1", "G2", "G3"}, Verdict.UNKNOWN),
    )
    return tuple(dict.fromkeys(reasons))


def _healthy(situation: Situation) -> tuple[str, ...]:
    window = situation.window
    reasons = [f"{window.fallback} of {window.known} fell back, no gate FAILs, no run hangs"]
    if window.p95_s is not None:
        reasons.append(f"p95 {p95_cell(window.p95_s)} < {P95_WATCH_S:g} s")
    return tuple(reasons)


_BLOCKED_AUTH: Final = Rule(Word.BLOCKED_AUTH, attrgetter("refusal"))
_BLOCKED_PIPELINE: Final = Rule(Word.BLOCKED_EXECUTION_PIPELINE, _blocking)

ROLLOUT: Final = (
    _BLOCKED_AUTH,
    Rule(Word.FORCE_FALLBACK, _tripped_for_real),
    _BLOCKED_PIPELINE,
    Rule(Word.PARTIAL_TIMEOUT_RECOVERED, _cleared),
    Rule(Word.GO_BROADER_TRAFFIC_ACTIVE, _broadening),
    Rule(Word.READY_FOR_LIMITED_COHORT_PILOT, _ready),
    Rule(Word.HOLD_SHADOW, _held),
)
"""From shadow to broadened traffic."""

SUSTAINED: Final = (
    _BLOCKED_AUTH,
    _BLOCKED_PIPELINE,
    Rule(Word.SUSTAINED_FORCE_FALLBACK, _exceeded),
    Rule(Word.SUSTAINED_MONITOR_NO_TRAFFIC, _idle),
    Rule(Word.SUSTAINED_WATCH, _watched),
    Rule(Word.SUSTAINED_DEFAULT_ON_HEALTHY, _healthy),
)
"""The lane is on by default."""


def script_decision(
    profile: Profile,
    considered: int,
    rate: float | None,
    p95_s: float | None,
    limits: Thresholds,
) -> Suggestion:
    """Return the script's word for `considered` missions, and why."""
    is_sustained = profile is Profile.SUSTAINED
    word = Word.SUSTAINED_WATCH if is_sustained else Word.HOLD_SHADOW
    if considered < limits.min_missions:
        word = Word.SUSTAINED_MONITOR_NO_TRAFFIC if is_sustained else word
        reason = f"{counted(considered, 'mission')} < {limits.min_missions}"
    elif rate is None:
        reason = "the fallback rate is missing"
    elif is_sustained and rate >= limits.fallback_critical:
        word = Word.SUSTAINED_FORCE_FALLBACK
        reason = f"rate {rate_cell(rate)} >= {limits.fallback_critical:g}, critical"
    elif rate >= limits.fallback_watch:
        reason = f"rate {rate_cell(rate)} >= {limits.fallback_watch:g}, to be watched"
    elif p95_s is None:
        reason = "p95 is missing"
    elif not is_sustained:
        word = Word.READY_FOR_LIMITED_COHORT_PILOT
        reason = f"rate {rate_cell(rate)} < {limits.fallback_watch:g}"
    elif p95_s >= limits.p95_critical_s:
        word = Word.SUSTAINED_FORCE_FALLBACK
        reason = f"p95 {p95_cell(p95_s)} >= {limits.p95_critical_s:g} s, critical"
    elif p95_s >= limits.p95_watch_s:
        reason = f"p95 {p95_cell(p95_s)} >= {limits.p95_watch_s:g} s, to be watched"
    else:
        word = Word.SUSTAINED_DEFAULT_ON_HEALTHY
        reason = f"rate and p95 below {limits.fallback_watch:g} and {limits.p95_watch_s:g} s"
    return Suggestion(str(word), (reason,))
