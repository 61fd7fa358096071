"""The handover text: all that the next engineer on call must know, as plain text of some 30 lines.

Pure: state + now -> text. What is not known is said to be unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.assessment import assess
from vp_tui.deeds import LOOK_BACK, deeds, result_of, since
from vp_tui.domain.brake import Proof
from vp_tui.domain.cancels import pending
from vp_tui.domain.durations import age
from vp_tui.domain.latency import describe_rank
from vp_tui.domain.levels import Level
from vp_tui.domain.restart import RestartState
from vp_tui.domain.suites import attested
from vp_tui.domain.text import literal
from vp_tui.fleet import run_rows
from vp_tui.lane_view import lane_mode
from vp_tui.report import utc_z
from vp_tui.selectors import current_window, numbers
from vp_tui.sources import is_lost, is_reachable
from vp_tui.summary import troubles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from vp_tui.assessment import Assessment
    from vp_tui.domain.alarms import Alarm
    from vp_tui.selectors import Numbers
    from vp_tui.state import State

DEEDS_AT_MOST: Final = 12
"""Actions told, the newest."""
_WELL: Final = frozenset({Level.OK, Level.IDLE})


def handover(state: State, now: float, who: str) -> str:
    """Return the text, as Markdown; `who` hands over."""
    made, figures = assess(state, now), numbers(state, now)
    wall = state.clock.wall_at(now)
    parts: tuple[tuple[str, Iterable[str]], ...] = (
        (f"# Handover of {state.watch.name}, {utc_z(wall)}", _head(state, now, who)),
        ("## Window", _window(made, figures, wall)),
        ("## Gates and guardrails", _rules(made, figures)),
        ("## Alarms", _alarms(state, made, now)),
        ("## Runs that are not ok", _runs(state, now)),
        ("## Actions", _actions(state, now)),
        ("## Recoveries and proofs pending", _recoveries(state, now)),
        ("## Unverified", _unverified(state, made, figures, now)),
        ("## Next step", _next_steps(state, made, now)),
    )
    lines = [line for title, items in parts for line in _part(title, items)]
    return "\n".join(lines) + "\n"


def _part(title: str, items: Iterable[str]) -> Iterator[str]:
    yield literal(title)
    told = [f"- {literal(item)}" for item in items]
    yield from told or ["- none"]


def _head(state: State, now: float, who: str) -> Iterator[str]:
    watch, health = state.watch, state.health
    life = f"epoch {state.epoch.number}" if state.epoch else "epoch unknown"
    if (boot_at := state.boot_at) is not None:
        life += f", booted {utc_z(boot_at)}"
    version = f"{health.dialect}, version {health.version}" if health else "version unknown"
    reached = "reachable" if is_reachable(state, now) else "NOT REACHABLE"
    yield f"gateway {watch.url}: {'LOST' if is_lost(state) else reached}, {version}, {life}"
    mode = ", read-only" if watch.read_only else ""
    yield f"handed over by {who}{mode}"
    belief = lane_mode(state)
    yield f"lane {watch.vp_id}, believed mode {belief.mode}: {belief.evidence}"


def _window(made: Assessment, figures: Numbers | None, wall: datetime) -> Iterator[str]:
    window = made.window
    if window is None:
        yield "unknown: the evidence log that tells it is not read"
        return
    opened = "proposed, not opened"
    if window.opened_at is not None:
        open_s = max((wall - window.opened_at).total_seconds(), 0.0)
        opened = f"open since {utc_z(window.opened_at)} ({age(open_s)})"
    yield f"{window.label}: stage {window.stage}, source {window.source}, {opened}"
    yield _own(made)
    yield _epoch(figures)
    if made.suggestion is not None:
        yield f"suggested {made.suggestion.decision}: {', '.join(made.suggestion.reasons)}"


def _own(made: Assessment) -> str:
    own = made.numbers
    if own is None:
        return "its numbers are unknown: there are no metrics"
    clean = "clean" if made.is_clean else "not clean"
    p95 = "n/a" if own.p95_s is None else f"{own.p95_s:.3f}s ({describe_rank(own.timed)})"
    told = f"{own.completed} completed, {own.failed} failed, {own.running} running"
    return f"+{own.new} missions: {told}, {own.fallback} fell back, p95 {p95}: {clean}"


def _epoch(figures: Numbers | None) -> str:
    if figures is None or figures.bounds is None:
        return "epoch: no finished mission is known"
    seen, latency = figures.reconstruction, figures.snapshot.latency
    p95 = "n/a" if latency.p95_s is None else f"{latency.p95_s:.3f}s"
    rank = f" ({describe_rank(latency.count)})" if latency.count else ""
    fallen = f"{seen.fallbacks} of {seen.terminal} fell back"
    bound = f"95 % sure below {figures.bounds.upper95:.1%}"
    current = "" if figures.source.is_current else f"; AS OF {age(figures.source.age_s)} AGO"
    return f"epoch: {fallen}, {bound}, p95 {p95}{rank}{current}"


def _rules(made: Assessment, figures: Numbers | None) -> Iterator[str]:
    for name, gate in made.gates.by_name().items():
        yield f"{name} {gate.verdict}: {gate.reason}"
    yield made.gates.promotion.line
    guardrails, target = made.guardrails, made.target
    yield f"cancel recovery: {guardrails.cancel_recovery.state}"
    counted = f"{target.count} of {target.of} recorded" if target else "unknown, no evidence log"
    yield f"evidence target: {counted}"
    wire = made.wire
    told = f"{wire.fallbacks} of the last {wire.terminal} fell back, {wire.time_to_trip}"
    tripped = "TRIPPED: " if wire.tripped else ""
    rolling = f"{tripped}{told}" if figures else "unknown: there are no metrics"
    yield f"auto-revert {guardrails.mode}: {rolling}; {guardrails.auto_revert}"


def _alarms(state: State, made: Assessment, now: float) -> Iterator[str]:
    for alarm in state.alarms:
        yield _alarm(alarm, state, now)
    rung = {(alarm.key.kind, alarm.session_id or "") for alarm in state.alarms}
    for entry in made.safety:
        if (entry.alarm, entry.subject) not in rung:
            yield f"{entry.alarm}: {entry.told}; it has not rung yet"


def _alarm(alarm: Alarm, state: State, now: float) -> str:
    at, seen = state.clock.wall_at(alarm.raised_at), alarm.acknowledged
    whom = f" {alarm.session_id}" if alarm.session_id else ""
    by = "acknowledged by nobody"
    if seen is not None:
        by = f"acknowledged by {seen.actor} {state.clock.wall_at(seen.at):%H:%M:%SZ}"
    rang = f"rang {at:%H:%M:%SZ}, {age(now - alarm.raised_at)} ago"
    return f"{alarm.key.kind}{whom}: {alarm.reason}; {rang}, {by}"


def _runs(state: State, now: float) -> Iterator[str]:
    for row in run_rows(state, now):
        told = row.level
        if told.level is None or told.level not in _WELL:
            word = "unknown" if told.level is None else str(told.level).upper()
            mission = row.mission.mission_id
            which = f"; mission {mission} ({row.mission.why})" if mission else ""
            yield f"{word} {row.session.session_id}: {told.reason}{which}"


def _actions(state: State, now: float) -> Iterator[str]:
    """Yield what was done in this window, at least of the last LOOK_BACK."""
    begin = min(since(state, current_window(state), now), state.clock.wall_at(now) - LOOK_BACK)
    done = deeds(state, now, begin)
    if len(done) > DEEDS_AT_MOST:
        yield f"{len(done) - DEEDS_AT_MOST} earlier ones are in the audit"
    yield from (f"{deed.at:%m-%d} {deed.line}" for deed in done[-DEEDS_AT_MOST:])
    if state.audit is None or state.audit.problem is not None:
        problem = state.audit.problem.reason if state.audit and state.audit.problem else "not read"
        yield f"earlier ones are unknown: the audit: {problem}"


def _recoveries(state: State, now: float) -> Iterator[str]:
    for cancel in pending(state.cancels):
        at = state.clock.wall_at(cancel.at)
        yield f"{cancel.session_id}, cancelled {at:%H:%M:%SZ}: {result_of(cancel, state, now)}"
    brake, restart = state.lane.brake, state.lane.restart
    if brake is not None and brake.proof is not Proof.CONFIRMED:
        yield brake.line
    if restart is not None and restart.state is not RestartState.BACK:
        yield f"restart: {restart.state}{': ' if restart.reason else ''}{restart.reason}"


def _unverified(
    state: State, made: Assessment, figures: Numbers | None, now: float
) -> Iterator[str]:
    for found in troubles(state, now):
        yield f"{found.what}: {found.reason}" if found.reason else found.what
    if figures is None:
        yield "no metrics yet: nothing is known of the rate"
    elif figures.orphans:
        yield f"missions that read running and cannot be: {figures.orphans}"
    suites = attested(state.suites, state.clock.wall_at(now))
    yield f"continuity suites: {suites.state} ({suites.detail}); runtime: {made.gates.g4.verdict}"
    authors = state.evidence.authors if state.evidence else ()
    if unrecorded := authors.count(None):
        yield f"{unrecorded} of the newest {len(authors)} rows have no record: written by hand"


def _next_steps(state: State, made: Assessment, now: float) -> Iterator[str]:
    for entry in made.safety:
        yield f"{entry.told}: {entry.cure}" if entry.cure else entry.told
    if pending(state.cancels):
        yield "watch for a later turn to complete: until then no cancel is a recovery"
    grave = [found for found in troubles(state, now) if found.is_grave and found.cure]
    told = {entry.trouble for entry in made.safety}
    yield from (f"{found.what}: {found.cure}" for found in grave if found.what not in told)
    if made.suggestion is not None:
        missing = ", ".join(made.gates.promotion.missing)
        proof = f"; for a promotion: {missing}" if missing else ""
        yield f"record the window (R writes {made.suggestion.decision}){proof}"
