"""What stands between the operator and trusting the screen: troubles and the SAFETY line.

Each is told in words with what helps, the gravest first. No row's word masks the SAFETY line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.coverage import CoverageState
from vp_tui.domain.lane.auto_revert import STOP_KEY, YOU, Phase
from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import outcomes_waiver
from vp_tui.domain.runs.cancels import CancelState, pending
from vp_tui.domain.runs.levels import UNLISTED, either, waiting_behind
from vp_tui.domain.text import age, clock_z, counted, short_id, stamp_z
from vp_tui.state.sources import is_lost
from vp_tui.views.actions import key_of
from vp_tui.views.figures import (
    Numbers,
    cannot_be_known,
    current_window,
    numbers,
    unseen_outcomes,
    untold_gap,
)
from vp_tui.views.lane import is_restart_awaited, lane_mode
from vp_tui.views.sources import (
    SourceView,
    SourceWord,
    Trouble,
    cure_of,
    is_cancel_refused,
    is_reachable,
    oddities,
    read_again,
    see_sources,
    source_view,
    streams_view,
)
from vp_tui.views.view import View, fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vp_tui.domain.rollout.guardrails import Guardrails
    from vp_tui.domain.rollout.situation import StuckRun
    from vp_tui.state.state import Watch


LOST: Final = "gateway lost"
UNKNOWN: Final = "outcomes unknown"
GAP: Final = "missions unseen"
_SOURCES: Final = (Source.METRICS, Source.SESSIONS, Source.CONTINUITY, Source.LOG, Source.HEALTH)

GUARDRAIL: Final = "guardrail tripped"
UNCONFIRMED: Final = "cancel unconfirmed"
LOCK_HELD: Final = "lock held"
CONTRADICTED: Final = "brake contradicted"
COUNTDOWN: Final = "auto-revert"
INTERRUPTED: Final = "action interrupted"
CANNOT_START: Final = "lane cannot start"
AGED: Final = "is a cache in between, or do two clocks differ? ask the gateway's owner"
"""What helps where answers arrive with old content."""
FAULT_S: Final = 60.0
"""Seconds after its new start for which a part of vp-tui that failed is told."""
MOST_EVENTS: Final = 1000
"""The most events that a gateway gives in one answer."""
_SERIOUS: Final = {LOST: LOST, UNKNOWN: UNKNOWN}
"""Troubles that are an alarm of the SAFETY line, and the alarm's name."""


@fact
def troubles(view: View) -> tuple[Trouble, ...]:
    """Return all troubles, the gravest first."""
    return tuple(sorted(_troubles_found(view), key=lambda trouble: not trouble.is_grave))


def _troubles_found(view: View) -> Iterator[Trouble]:
    views = [source_view(view, source) for source in _SOURCES]
    down = [source for source in views if source.word is SourceWord.DOWN]
    if down and not is_reachable(view):
        lost = "gateway restarting, as ordered" if is_restart_awaited(view) else LOST
        yield _failed(view, lost if is_lost(view.state) else "no usable answer", down[0])
        return
    if refused := [one for one in views if one.word is SourceWord.UNAUTHORIZED]:
        names = ", ".join(source.name for source in refused)
        yield _failed(view, f"unauthorized: {names}", refused[0])
    if figures := numbers(view):
        yield from _doubts(view, figures)
    yield from (_failed(view, f"{source.name} down", source) for source in down)
    for stale in (source for source in views if source.word is SourceWord.STALE):
        old_s, cure = stale.age_s or 0.0, "the gateway may be blocked, vp-tui keeps asking"
        reason = f"no answer for {age(old_s)}, and no error either"
        if stale.is_old:
            told_at, cure = clock_z(view.wall_at(view.now - old_s)), AGED
            reason = f"answers arrive, but tell what was so at {told_at}"
        yield Trouble(f"{stale.name} stale", reason, f"{see_sources(view)}; {cure}")
    yield from oddities(view)
    yield from _streams(view)
    if (health := view.state.health) and health.status != "healthy":
        told = f"its status is {health.status}"
        if health.db_status not in {None, "connected"}:
            told = f"its database is {health.db_status}"
        yield Trouble("gateway unhealthy", health.db_error or told, "look at the gateway's own log")
    yield from _of_files(view)
    yield from _faults(view)
    for problem in view.state.tokens.problems if view.state.tokens else ():
        yield Trouble("tokens", problem, f"{read_again(view)}, once it is mended", is_grave=False)


def _of_files(view: View) -> Iterator[Trouble]:
    """Yield what is wrong with the evidence log and the file of the windows."""
    if view.state.evidence and (problem := view.state.evidence.problem):
        cure = "vp-tui goes by what it read before, and tries again"
        yield Trouble("evidence log", problem, cure, is_grave=False)
    if view.state.evidence and (damage := view.state.evidence.damage):
        cure = "mend it: no row is written into it until then without your word"
        yield Trouble("evidence log", damage, cure, is_grave=False)
    if view.state.windows_problem:
        cure = "whether a window is open is as it was known before; vp-tui tries again"
        yield Trouble("open window", view.state.windows_problem, cure, is_grave=False)


def _faults(view: View) -> Iterator[Trouble]:
    """Yield the parts of vp-tui itself that went down not long ago."""
    bug = "only that is down, and started again; send the report"
    for fault in view.state.faults.values():
        if view.now - fault.at < (fault.again_s or 0.0) + FAULT_S:
            cure, is_bug = fault.cure or bug, not fault.cure
            yield Trouble(f"{fault.part} failed", fault.told, cure, is_grave=is_bug)


def _failed(view: View, what: str, source: SourceView) -> Trouble:
    """Return a failure as a trouble; the key that helps, or that shows more, is said first."""
    if (failure := source.failure) is None:
        return Trouble(what, "", see_sources(view))
    return Trouble(what, failure.reason, cure_of(view, failure))


def _doubts(view: View, figures: Numbers) -> Iterator[Trouble]:
    coverage = figures.coverage
    explain = key_of(view.state.watch, "explain")
    key = f"[{explain}] see what is known by what"
    may_see_more = figures.snapshot.event_limit < MOST_EVENTS
    waive = f"[{key_of(view.state.watch, 'waive')}] waive"
    more = "; raise --event-limit" if may_see_more else f"; prune its VP events, or {waive}"
    waiver = outcomes_waiver(current_window(view).waivers)
    if (unseen := unseen_outcomes(view)) and waiver is None:
        cannot = cannot_be_known(view, coverage)
        cure = f"{key}; prune its VP events, or {waive}" if cannot else f"{key}{more}"
        yield Trouble(UNKNOWN, "; ".join(filter(None, (cannot, unseen))), cure)
    elif unseen and waiver is not None:
        told = f"{unseen}; left out, waived by {waiver.who}: {waiver.why}"
        yield Trouble(f"{UNKNOWN}, waived", told, key, is_grave=False)
    elif coverage.state is CoverageState.BLIND:
        seen = figures.reconstruction
        unknown = f", {coverage.unknown} unknown" if coverage.unknown else ""
        since = f"since {stamp_z(coverage.since, view.wall)}, " if coverage.since else ""
        told = f"{since}own reckoning {seen.fallbacks}/{seen.terminal}{unknown}"
        yield Trouble("endpoint blind", told, key, is_grave=False)
    elif coverage.unknown:
        reason = f"{coverage.unknown} of {counted(coverage.considered, 'outcome')} unknown"
        yield Trouble("the reported rate is partial", reason, f"{key}{more}", is_grave=False)
    if (gap := untold_gap(view)) is not None:
        yield Trouble(GAP, gap.told, f"{key}; claims begin anew after them", is_grave=False)
    if figures.unreported > 0:
        yield Trouble(
            "the rates disagree",
            f"{counted(figures.unreported, 'fallback')} seen that the gateway does not report",
            key if coverage.unknown else f"[{explain}] go by the reconstructed rate",
        )


def _streams(view: View) -> Iterator[Trouble]:
    streams = streams_view(view)
    missing = streams.wanted - streams.live
    if streams.word is SourceWord.UNAUTHORIZED:
        cure = f"{read_again(view)}, once UA_INTERNAL_API_TOKEN is set"
        yield Trouble("unauthorized: streams", streams.reason, cure)
    elif streams.word in {SourceWord.STALE, SourceWord.DOWN}:
        what = f"{missing} of {counted(streams.wanted, 'stream')} not attached"
        yield Trouble(
            what,
            streams.reason,
            f"{see_sources(view)}; vp-tui goes on trying",
            is_grave=not streams.live,
        )


class SafetyEntry(NamedTuple):
    """One entry of the SAFETY line: no row's word masks it."""

    alarm: str
    reason: str
    key: str
    """The key that helps; "" while there is none."""
    cure: str = ""
    trouble: str = ""
    """The trouble that it is too, by name."""
    head: str = ""
    """What the screen says instead of the alarm's name; "" for that."""
    subject: str = ""
    """The session that it is about; "" for the lane and the gateway."""

    @property
    def told(self) -> str:
        """The reason, with whom it is about."""
        return f"{self.head}: {self.reason}" if self.head else self.reason


def safety_line(
    view: View, guardrails: Guardrails, hanging: Iterable[StuckRun]
) -> tuple[SafetyEntry, ...]:
    """Return the entries of the SAFETY line, the gravest first.

    While fallback is about to be forced that is, and the trip that its line names comes last.
    """
    tripped, revert = _tripped(view, guardrails), guardrails.revert
    others = (
        *(_hanging(run, view) for run in hanging),
        *_contradicted(view),
        *_interrupted(view),
        *_cannot_start(view),
        *_unconfirmed(view),
        *_serious(view),
    )
    if not revert.is_counting:
        return (*tripped, *others)
    head = f"AUTO-REVERT in {revert.left_s} s"
    stop = f"{STOP_KEY} stops it"
    return (SafetyEntry(COUNTDOWN, revert.trip or "", STOP_KEY, stop, head=head), *others, *tripped)


def _serious(view: View) -> Iterator[SafetyEntry]:
    keys = {UNKNOWN: key_of(view.state.watch, "explain")}
    key = key_of(view.state.watch, "links")
    for found in troubles(view):
        if (alarm := _SERIOUS.get(found.what)) is not None:
            yield SafetyEntry(alarm, found.reason, keys.get(alarm, key), found.cure, found.what)


def _contradicted(view: View) -> Iterator[SafetyEntry]:
    """Yield that missions are dispatched although the last change forbids them."""
    brake = view.state.lane.brake
    if brake is not None and brake.is_alarming:
        key = key_of(view.state.watch, "brake")
        cure = f"[{key}] see each step; look at what the gateway was started with"
        yield SafetyEntry(CONTRADICTED, f"{brake.change.words}, and {brake.reason}", key, cure)


def _interrupted(view: View) -> Iterator[SafetyEntry]:
    """Yield what was begun here and never ended, until somebody has seen it."""
    if view.state.audit is None or not (found := view.state.audit.interrupted):
        return
    key, a = key_of(view.state.watch, "audit"), key_of(view.state.watch, "acknowledge")
    *others, newest = found
    begun = f"{newest.what} was begun at {stamp_z(newest.at, view.wall)} by {newest.actor}"
    more = f" (and {counted(len(others), 'other')} before)" if others else ""
    cure = f"[{key}] see it; look at what came of it, then [{a}] acknowledge"
    yield SafetyEntry(INTERRUPTED, f"{begun}, its end is not known{more}", key, cure)


def _cannot_start(view: View) -> Iterator[SafetyEntry]:
    """Yield that turns are meant for the lane and it cannot start: no figure can show them."""
    if (belief := lane_mode(view)).mode is not LaneMode.CANNOT_START:
        return
    lane = view.state.snapshot.lane if view.state.snapshot else None
    error = f"; its last error: {lane.last_error}" if lane and lane.last_error else ""
    watch, key = view.state.watch, key_of(view.state.watch, "lane-log")
    cure = f"[{key}] see the lane's log and mend what it lacks"
    if not watch.read_only:
        cure = f"{cure}, then [{key_of(watch, 'probe')}] probe it"
    yield SafetyEntry(CANNOT_START, f"{belief.evidence}{error}", key, cure)


def _unconfirmed(view: View) -> Iterator[SafetyEntry]:
    """Yield the cancels after which no later turn completed for too long, own and others'."""
    key, restart = key_of(view.state.watch, "audit"), key_of(view.state.watch, "restart")
    for cancel in pending(view.state.cancels):
        if cancel.state(view.now) is CancelState.UNCONFIRMED:
            at = clock_z(view.wall_at(cancel.at))
            yield SafetyEntry(
                UNCONFIRMED,
                f"{short_id(cancel.session_id)}, cancelled {at}: no later turn completed",
                key,
                f"[{key}] see what was done; drive a turn, or [{restart}] restart the gateway",
                subject=cancel.session_id,
            )


def _hanging(run: StuckRun, view: View) -> SafetyEntry:
    """Return a stuck or deaf run as an alarm; a second cancel of a deaf one is useless."""
    name, watch = "stuck", view.state.watch
    key, record = key_of(watch, "cancel"), key_of(watch, "record")
    cure = f"[{key}] cancel it, watch, then [{record}] record"
    if is_cancel_refused(view):
        cure = f"{read_again(view)}, then [{key}] cancel it"
        key = key_of(watch, "read-tokens")
    if run.is_deaf:
        name, key = "deaf", key_of(watch, "restart")
        cure = f"[{key}] restart the gateway: a second cancel is useless"
    if not run.session_id:
        return _unlisted(run, watch)
    wait, guess = waiting_behind(run.waiting), " (a guess)" if run.is_guess else ""
    tool_use = f"in {run.last_tool}, " if run.last_tool else ""
    reason = f"holds the gateway lock{guess}, {wait}" if run.waiting else f"{tool_use}{wait}"
    if run.rivals:
        cure = f"[{key}] asks which: triage both first"
        reason = f"one of them holds the gateway lock, which is not known, {wait}"
    head = f"{name.upper()} {age(run.silent_s)} {either(run.rivals or (run.session_id,), short_id)}"
    return SafetyEntry(f"{name} run", reason, key, cure, head=head, subject=run.session_id)


def _unlisted(run: StuckRun, watch: Watch) -> SafetyEntry:
    """Return that the lock is held by nothing that is listed: no cancel reaches that."""
    key = key_of(watch, "restart")
    waits = counted(run.waiting, "turn waits", "turns wait")
    reason = f"{UNLISTED} holds the gateway lock, {waits} {age(run.silent_s)}"
    cure = f"[{key}] restart the gateway, if no turn completes: no cancel reaches it"
    return SafetyEntry(LOCK_HELD, reason, key, cure)


def _tripped(view: View, guardrails: Guardrails) -> Iterator[SafetyEntry]:
    """Yield the trip as an alarm, with who reverts."""
    if (reason := guardrails.trip_wire.reason) is None:
        return
    who = guardrails.auto_revert
    cure = f"{YOU}: nothing reverts by itself" if who == YOU else who
    key = key_of(view.state.watch, "brake")
    may_force = not _is_forced(view) and not view.state.watch.read_only
    yield SafetyEntry(
        GUARDRAIL, reason, key, f"[{key}] force fallback. {cure}" if may_force else cure
    )


def is_brake_due(view: View, safety: Iterable[SafetyEntry]) -> bool:
    """Tell whether the guardrail tripped, and fallback is not forced yet."""
    return any(entry.alarm == GUARDRAIL for entry in safety) and not _is_forced(view)


def _is_forced(view: View) -> bool:
    return view.state.lane.is_reverted or view.state.auto_revert.phase is Phase.REVERTED
