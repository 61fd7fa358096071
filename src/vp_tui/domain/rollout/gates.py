"""The four gates: what has been proven so far (docs/rollout.md, section 4).

The fallback rate is always the reconstructed one, a fraction of finished missions; missions
cancelled by hand count nowhere. Durations are seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.rollout.guardrails import (
    FAILURES_LIMIT,
    ROLLING,
    TRIPS_AT,
    sustained_failures,
    trip_wire,
)
from vp_tui.domain.rollout.verdicts import (
    OUTCOMES_KNOWN,
    GateResult,
    Gates,
    Suites,
    Verdict,
    continuity_gate,
)
from vp_tui.domain.statistics import (
    CLAIM_FROM,
    P95_BOUNDABLE_FROM,
    clean_missions_needed,
    describe_rank,
    evidence_above,
    evidence_below,
    p95_after_each,
    slower_by,
    slower_p_value,
    upper95,
)
from vp_tui.domain.text import counted
from vp_tui.domain.vocabulary import (
    FALLBACK_CRITICAL,
    FALLBACK_WATCH,
    GUARDRAIL_RATE,
    P95_CRITICAL_S,
    P95_WATCH_S,
    p95_cell,
    percent,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vp_tui.domain.coverage import CoverageState
    from vp_tui.domain.missions import LedgerEntry
    from vp_tui.domain.models import Continuity
    from vp_tui.domain.rollout.guardrails import TripWire
    from vp_tui.domain.rollout.verdicts import Waiver
    from vp_tui.domain.rollout.windows import WindowNumbers


NONE_FINISHED: Final = "no mission finished"
CRITICAL_FALLBACKS: Final = 2
"""A single fallback is no critical rate, however few missions there were."""
FAILURES_CLEAR: Final = 10
"""Finished missions without a pattern of failures that pass the second gate."""
P95_CRITICAL_FROM: Final = 5
"""Missions from which on a critical p95 fails the third gate."""
P95_JUDGED_FROM: Final = 20
"""Missions below which the third gate is inconclusive."""
SLOW_FRACTION: Final = 0.05
"""The fraction of missions that may exceed the p95 that is watched from."""
SLOWER_P: Final = 0.001
SLOWER_SHIFT_S: Final = 5.0
COMPARED: Final = (10, 20)
"""The newest missions are compared with those before them: so many with so many."""
LOOKS: Final = (30, 10)
"""Drift is looked for at so many missions, then after each so many: often finds it by chance."""
CRITICAL_MISSIONS: Final = 2
"""One slow mission is no critical p95."""
SLOW_OF_LAST: Final = 4
"""Missions of the last 20 that reach the p95 that is watched from, at a look."""


class Comparison(NamedTuple):
    """The newest durations against those before them."""

    newest: int
    before: int
    shift_s: float
    """By how many seconds the newest are slower (Hodges-Lehmann); negative: faster."""
    p: float
    """The exact one-sided Mann-Whitney p, a fraction, that they are slower."""

    @property
    def is_slower(self) -> bool:
        """Whether it is shown that they are."""
        return self.shift_s > SLOWER_SHIFT_S and self.p < SLOWER_P


class GateFacts(NamedTuple):
    """All that the gates look at."""

    finished: tuple[LedgerEntry, ...]
    """The epoch's real finished missions, oldest first."""
    trip_wire: TripWire
    window: WindowNumbers | None = None
    """The window's own figures of this epoch; None when its source feeds no gate."""
    coverage: CoverageState | None = None
    """None: there is no snapshot."""
    doubt: str | None = None
    """Why the metrics are not as new as they should be, in words; None: they are."""
    epoch_doubt: str | None = None
    """Why it is not known in which life of the gateway these missions ran; None: it is."""
    ever: tuple[LedgerEntry, ...] = ()
    """The real finished missions of every epoch, oldest first."""
    known_from: str | None = None
    """The oldest mission that is known of an epoch whose beginning is not; None: all are known."""
    orphans: int = 0
    continuity: Continuity | None = None
    """None unless it is reachable and fresh."""
    own_failed_attaches: int = 0
    """Of this epoch: they count in the gateway's figures."""
    suites: Suites = Suites()
    waiver: Waiver | None = None
    """By which outcomes that nobody knows are left out."""


def judge_gates(facts: GateFacts) -> Gates:
    """Return the four gates. What is blind, stale, refused or missing never passes.

    A duration says nothing of how its mission went: the p95 counts those of all.
    """
    doubt = "no metrics yet" if facts.coverage is None and facts.doubt is None else facts.doubt
    results = (_twice(_rate, facts), _twice(_failures, facts), _latency(facts))
    of_epoch = (_of_epoch(result, facts.epoch_doubt) for result in results)
    last = continuity_gate(facts.continuity, facts.own_failed_attaches, facts.suites)
    return Gates._make((*(_without_proof(result, doubt) for result in of_epoch), last))


def _of_epoch(result: GateResult, doubt: str | None) -> GateResult:
    """Return what a gate may say of missions that may be of several lives: they prove nothing."""
    if doubt is None or result.verdict is not Verdict.PASS:
        return result
    return GateResult(Verdict.INCONCLUSIVE, f"{doubt}: {result.reason}", "epoch known", "epoch")


def _without_proof(result: GateResult, doubt: str | None) -> GateResult:
    """Return what a gate may say while there is a doubt about its source: bad news stays."""
    if doubt is None or result.verdict in {Verdict.FAIL, Verdict.WATCH}:
        return result
    return GateResult(Verdict.UNKNOWN, f"{doubt}: {result.reason}", "current metrics")


def _twice(rule: Callable[[GateFacts], GateResult], facts: GateFacts) -> GateResult:
    """Judge with every unknown outcome clean and with every one fallen back.

    The same verdict stands. Of two the less severe stands if it is bad news: it is that at least.
    """
    unknown = sum(not entry.is_known for entry in facts.finished)
    own = facts.window.unknown if facts.window is not None else 0
    if not unknown + own:
        return rule(facts)
    told = f"{counted(max(unknown, own), 'outcome')} unknown"
    if (waiver := facts.waiver) is not None:
        left = rule(facts._replace(finished=tuple(e for e in facts.finished if e.is_known)))
        why = f"left out, waived by {waiver.who}: {waiver.why}"
        return left._replace(reason=f"{left.reason}; {told}, {why}")
    clean, fallen = (rule(_settled(facts, fallen=fallen)) for fallen in (False, True))
    if clean.verdict is fallen.verdict:
        return clean._replace(reason=f"{clean.reason}; {told}, which changes nothing")
    if clean.verdict in {Verdict.FAIL, Verdict.WATCH}:
        return clean._replace(reason=f"at least: {clean.reason}; {told}")
    either = f"{clean.verdict} if clean, {fallen.verdict} if fallen back: {fallen.reason}"
    return GateResult(Verdict.UNKNOWN, f"{told}: {either}", OUTCOMES_KNOWN)


def _settled(facts: GateFacts, *, fallen: bool) -> GateFacts:
    """Return the facts as if each unknown outcome were known to be clean, or `fallen` back.

    A clean one that reads failed was cancelled: that is what a G2 calls failed too.
    """
    finished, ever = (
        tuple(
            entry.settled(fallen=fallen)
            for entry in entries
            if fallen or entry.is_known or entry.mission.status == "completed"
        )
        for entries in (facts.finished, facts.ever)
    )
    window = facts.window
    if window is not None:
        more = window.unknown if fallen else 0
        window = window._replace(unknown=0, fallback=window.fallback + more)
    wire = trip_wire(finished, ever)
    return facts._replace(finished=finished, ever=ever, trip_wire=wire, window=window)


def _rate(facts: GateFacts) -> GateResult:
    if facts.trip_wire.reason is not None:
        is_rate = facts.trip_wire.fallbacks >= TRIPS_AT
        limit = f"{percent(GUARDRAIL_RATE)} of the last {ROLLING}" if is_rate else FAILURES_LIMIT
        return GateResult(Verdict.FAIL, facts.trip_wire.reason, f"guardrail 3: {limit}")
    samples = _samples(facts)
    for verdict, least, rate, name in (
        (Verdict.FAIL, CRITICAL_FALLBACKS, FALLBACK_CRITICAL, "critical"),
        (Verdict.WATCH, 1, FALLBACK_WATCH, "watch"),
    ):
        for where, (fallbacks, n) in samples.items():
            if fallbacks >= least and fallbacks / n >= rate:
                reason = f"{fallbacks} of {n} fell back in {where}"
                return GateResult(verdict, reason, f"{percent(rate)} {name} (playbook)")
    if facts.trip_wire.would_trip:
        limit = f"guardrail 3 across restarts: {percent(GUARDRAIL_RATE)} of the last {ROLLING}"
        return GateResult(Verdict.WATCH, f"it would trip {facts.trip_wire.across}", limit)
    # No fallback is left in the last 20 here: a single one would be 5%.
    return _claim(*samples["the epoch"])


def _samples(facts: GateFacts) -> dict[str, tuple[int, int]]:
    """Return fallbacks and finished missions of each sample that the first gate looks at."""
    wire, window = facts.trip_wire, facts.window
    return ({"the window": (window.fallback, window.known)} if window else {}) | {
        f"the last {wire.terminal}": (wire.fallbacks, wire.terminal),
        "the epoch": (sum(e.fell_back for e in facts.finished), len(facts.finished)),
    }


def _claim(fallbacks: int, n: int) -> GateResult:
    limit = f"below {percent(GUARDRAIL_RATE)} proven (E >= {CLAIM_FROM:g})"
    bound = percent(upper95(fallbacks, n))
    told = f"{fallbacks}/{n} fell back, at most {bound}" if n else NONE_FINISHED
    needed = clean_missions_needed(fallbacks, n, GUARDRAIL_RATE)
    if needed:
        prove = counted(needed, "more clean mission proves", "more clean missions prove")
        reason = f"{told}: {prove} < {percent(GUARDRAIL_RATE)}"
        return GateResult(Verdict.INCONCLUSIVE, reason, limit, f"+{needed}")
    evidence = evidence_below(fallbacks, n, GUARDRAIL_RATE)
    return GateResult(Verdict.PASS, f"{told}; E {evidence:.3g}", limit)


def _failures(facts: GateFacts) -> GateResult:
    if (pattern := sustained_failures(facts.finished)) is not None:
        reason = f"{pattern}: VP and primary both failed, users saw it"
        return GateResult(Verdict.FAIL, reason, FAILURES_LIMIT)
    ended = [entry for entry in facts.finished if entry.mission.status != "cancelled"]
    failed = sum(entry.mission.status == "failed" for entry in ended[-ROLLING:])
    seen = [f"{failed} of the last {ROLLING} failed: users saw it"] if failed else []
    if facts.orphans:
        seen.append(f"{facts.orphans} orphaned: running rows that cannot be")
    if seen:
        return GateResult(
            Verdict.WATCH, "; ".join(seen), f"1 of the last {ROLLING}, or one orphaned"
        )
    n = len(ended)
    limit = f"{FAILURES_CLEAR} finished missions without one"
    if n < FAILURES_CLEAR:
        reason = f"none failed, but only {n} finished" if n else NONE_FINISHED
        return GateResult(Verdict.INCONCLUSIVE, reason, limit, f"+{FAILURES_CLEAR - n}")
    return GateResult(Verdict.PASS, f"none of the last {min(n, ROLLING)} failed", limit)


def _latency(facts: GateFacts) -> GateResult:
    durations = [e.mission.duration_s for e in facts.finished if e.mission.duration_s is not None]
    n = len(durations)
    if not durations:
        limit = f"{P95_JUDGED_FROM} missions"
        return GateResult(Verdict.INCONCLUSIVE, "no durations yet", limit, f"+{P95_JUDGED_FROM}")
    p95_s = p95_after_each(durations, 1)[0]
    told = f"p95 {p95_cell(p95_s)}, {describe_rank(n)}"
    note = "" if n >= P95_BOUNDABLE_FROM else f"; n < {P95_BOUNDABLE_FROM} bounds no p95"
    if facts.known_from is not None:
        note = f"{note}; epoch known from mission {facts.known_from} on"
    verdict, why, limit = _latency_verdict(durations, p95_s)
    missing = f"+{P95_JUDGED_FROM - n}" if verdict is Verdict.INCONCLUSIVE else None
    return GateResult(verdict, f"{told}{why}{note}", limit, missing)


def _latency_verdict(durations: list[float], p95_s: float) -> tuple[Verdict, str, str]:
    """Return the verdict on a p95 in seconds, why beside the p95 itself, and the limit."""
    n = len(durations)
    if (critical := _critical(durations, p95_s)) is not None:
        return Verdict.FAIL, critical, f"p95 {P95_CRITICAL_S:g} s critical (playbook)"
    slow = sum(duration >= P95_WATCH_S for duration in durations)
    evidence = evidence_above(slow, n, SLOW_FRACTION)
    if evidence >= CLAIM_FROM:
        why = f"; {slow} of {n} took {P95_WATCH_S:g} s or more (E {evidence:.3g})"
        return Verdict.FAIL, why, f"{percent(SLOW_FRACTION)} reach {P95_WATCH_S:g} s"
    if p95_s >= P95_WATCH_S:
        return Verdict.WATCH, "", f"p95 {P95_WATCH_S:g} s watch (playbook)"
    if (drift := _drift(durations)) is not None:
        return Verdict.WATCH, *drift
    if n < P95_JUDGED_FROM:
        return Verdict.INCONCLUSIVE, f"; n {n} < {P95_JUDGED_FROM}", f"{P95_JUDGED_FROM} missions"
    return Verdict.PASS, "", f"p95 below {P95_WATCH_S:g} s and not slowing"


def _critical(durations: Sequence[float], p95_s: float) -> str | None:
    """Say why these durations, of which more than one is, are critical; None: they are not."""
    n, last = len(durations), durations[-ROLLING:]
    critical = sum(duration >= P95_CRITICAL_S for duration in durations)
    of_last = sum(duration >= P95_CRITICAL_S for duration in last)
    if p95_s >= P95_CRITICAL_S and n >= P95_CRITICAL_FROM and critical >= CRITICAL_MISSIONS:
        return ""
    if len(last) == ROLLING and of_last >= CRITICAL_MISSIONS:
        return f"; {of_last} of the last {ROLLING} took {P95_CRITICAL_S:g} s or more"
    return None


def _drift(durations: Sequence[float]) -> tuple[str, str] | None:
    """Return why they are slowing, and the limit, as the newest look has it; None: they are not."""
    seen = at_look(durations)
    slow = sum(duration >= P95_WATCH_S for duration in seen[-ROLLING:])
    if slow >= SLOW_OF_LAST:
        why = f"; {slow} of the {ROLLING} before n {len(seen)} took {P95_WATCH_S:g} s or more"
        return why, f"{SLOW_OF_LAST} of the last {ROLLING} at {P95_WATCH_S:g} s"
    if (compared := compare_newest(durations)) is not None and compared.is_slower:
        than = f"{compared.shift_s:.1f} s slower than the {compared.before} before"
        limit = f"p < {SLOWER_P:g} and more than {SLOWER_SHIFT_S:g} s slower"
        return f"; the {compared.newest} up to n {len(seen)} are {than}", limit
    return None


def at_look(durations: Sequence[float]) -> Sequence[float]:
    """Return the durations, oldest first, up to the newest look at whether they drift."""
    first, step = LOOKS
    n = len(durations)
    return durations[: n - n % step] if n >= first else ()


def compare_newest(durations: Sequence[float]) -> Comparison | None:
    """Return how the newest durations, in seconds, compared with those before at the newest look.

    None before the first one.
    """
    newest, older = COMPARED
    seen = at_look(durations)
    if not seen:
        return None
    recent, before = seen[-newest:], seen[-newest - older : -newest]
    p = slower_p_value(recent, before)
    return Comparison(len(recent), len(before), slower_by(recent, before), p)
