"""What the polled sources and the tokens bring, and how each source does.

Times are of the monotonic clock, in seconds.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vp_tui.domain.coverage import ORPHAN_GRACE_S, orphans, without_odd_durations
from vp_tui.domain.missions import give_up, merge_snapshot
from vp_tui.domain.models import Plane, Source, StreamState
from vp_tui.domain.runs.progress import is_killed, unconfirmed
from vp_tui.domain.runs.run import (
    LISTING_LAG_S,
    LOST_KEPT_S,
    NEVER,
    Run,
    joined,
    listed,
    or_never,
    renewed,
)
from vp_tui.domain.text import age, utc_of
from vp_tui.state.state import Epoch, SourceStatus, State, with_entry
from vp_tui.state.streams import answered, is_late, log_failed

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain import events
    from vp_tui.domain.missions import Ledger
    from vp_tui.domain.models import Session, Snapshot
    from vp_tui.domain.runs.run import RunCancel
    from vp_tui.state.state import Link, Tone


OFTEN_ASKED: Final = (Source.METRICS, Source.SESSIONS)
_CLOCK_SLACK_S: Final = 1.0
"""By how much two stamps of one clock may be cut."""


def health_arrived(event: events.HealthArrived, state: State) -> State:
    """Note how the gateway is."""
    old_s = event.health.old_s
    if _is_known(state, Source.HEALTH, event.at, old_s):
        return _answered(state, Source.HEALTH, event.at, old_s=old_s)
    is_news = state.dialect != event.health.dialect
    state = replace(state, health=event.health)
    if state.boot_at is None and state.epoch is not None:
        state = replace(state, boot_at=_booted_at(state.epoch.boot_stamp, state))
    if is_news and state.snapshot:
        # What a result's place lets one infer depends on the generation.
        ledger = merge_snapshot(state.ledger, state.snapshot, state.dialect)
        state = replace(state, ledger=ledger)
    return _answered(state, Source.HEALTH, event.at, old_s=old_s)


def snapshot_arrived(event: events.SnapshotArrived, state: State) -> State:
    """Merge the metrics into the ledger."""
    at, plane, old_s = event.at, event.plane, event.snapshot.old_s
    if not _is_known(state, Source.METRICS, at, old_s):
        snapshot = without_odd_durations(event.snapshot)
        if snapshot.is_lane_odd and state.snapshot is not None:
            snapshot = snapshot._replace(lane=state.snapshot.lane)
        ledger = merge_snapshot(state.ledger, snapshot, state.dialect)
        ledger = _with_orphans(ledger, snapshot, state, at - old_s)
        state = replace(state, snapshot=snapshot, ledger=ledger)
    if plane is Plane.OPS:
        return _answered(state, Source.METRICS, at, old_s=old_s)
    # The ops plane goes on refusing: the refusal stays, the substitute has its own age.
    status = state.sources.get(Source.METRICS, SourceStatus())
    told = answered(status, at, state.watch.intervals[Source.METRICS], plane, old_s)
    status = status._replace(answered_at=told.answered_at, plane=plane, old_s=told.old_s)
    return _with_source(state, Source.METRICS, status)


def _is_known(state: State, source: Source, at: float, old_s: float) -> bool:
    """Tell whether an answer's old content is no newer than what is known: it changes nothing."""
    known_at = state.sources.get(source, SourceStatus()).answered_at
    return bool(old_s) and known_at is not None and at - old_s <= known_at + _CLOCK_SLACK_S


def claims_arrived(event: events.ClaimsArrived, state: State) -> State:
    """Take who has which mission of a G2: what nobody has any more does not run."""
    state = replace(state, claims=event.claims)
    told_at = state.sources.get(Source.METRICS, SourceStatus()).answered_at
    if state.snapshot is None or told_at is None:
        return state
    return replace(state, ledger=_with_orphans(state.ledger, state.snapshot, state, told_at))


def _with_orphans(ledger: Ledger, snapshot: Snapshot, state: State, told_at: float) -> Ledger:
    """Return the ledger with the missions that read `running` in `snapshot` and cannot be.

    On a G1 one answer proves nothing of the newest mission: it is given up if it read so in the
    answer before too, and the sessions were listed since then (docs/rollout.md, fact 15).
    """
    deaf, early, is_g1 = _may_go_on(state, snapshot, told_at), set[str](), state.dialect == "G1"
    over = set[str | None]()
    if is_g1 and snapshot.missions and snapshot is not state.snapshot:
        asked_at, listed_at = (
            or_never(state.sources.get(source, SourceStatus()).answered_at)
            for source in OFTEN_ASKED
        )
        # This answer was asked for after the one before: what was heard to end by then is over.
        turns = (run.turn for run in state.runs.values())
        over = {turn.mission_id for turn in turns if NEVER < or_never(turn.ended_at) <= asked_at}
        before = state.snapshot.missions if state.snapshot and listed_at >= asked_at else ()
        read_so = {mission.mission_id for mission in before if mission.status == "running"}
        early = {snapshot.missions[0].mission_id} - read_so
    may_run = bool(deaf) or _may_run(state)
    found = orphans(snapshot, state.dialect, state.claims, state.boot_at, may_run=may_run)
    own = (c.mission_id for c in state.cancels if c.session_id in deaf)
    of_deaf = {hit.turn.mission_id for hit in deaf.values()}.union(own)
    left = {
        mission_id
        for mission_id, entry in ledger.entries.items()
        if not entry.mission.is_terminal and (entry.cancelled or mission_id in over)
    }
    return give_up(ledger, snapshot, set(found) - early | left - of_deaf, again=not is_g1)


def _may_go_on(state: State, snapshot: Snapshot, told_at: float) -> dict[str, RunCancel]:
    """Return the cancels whose turns may go on, by session (docs/rollout.md, fact 11)."""
    ends = (m.completed_at for m in snapshot.missions if state.dialect == "G1" and m.completed_at)
    ended_s = min(((snapshot.generated_at - end).total_seconds() for end in ends), default=math.inf)
    return unconfirmed(state.runs, told_at - ended_s)


def _may_run(state: State) -> bool:
    """Tell whether a mission may be under way; only a listing can tell that none is.

    The listing and the snapshot are of different moments, so a run that moved shortly before the
    snapshot counts, and so does a turn whose end vp-tui would have heard.
    """
    listing = state.sources.get(Source.SESSIONS, SourceStatus())
    if listing.answered_at is None or listing.failure is not None:
        return True
    if any(session.is_running for session in state.sessions.values()):
        return True
    told_at = state.sources.get(Source.METRICS, SourceStatus()).answered_at or 0.0
    return any(
        (run.progress_at is not None and told_at - run.progress_at < ORPHAN_GRACE_S)
        or _is_heard(run, state.links.get(run.session_id))
        for run in state.runs.values()
    )


def _is_heard(run: Run, link: Link | None) -> bool:
    """Tell whether a turn is open and its socket has been there since it began."""
    if link is None or link.state is not StreamState.LIVE:
        return False
    return run.turn.started_at is not None and link.since <= run.turn.started_at


def sessions_arrived(event: events.SessionsArrived, state: State) -> State:
    """Take the listing for the sessions there are, as of the moment that it tells of."""
    arrived_at, old_s = event.at, event.old_s
    if _is_known(state, Source.SESSIONS, arrived_at, old_s):
        return _answered(state, Source.SESSIONS, arrived_at, event.plane, old_s)
    event = event._replace(at=arrived_at - old_s)
    sessions = {session.session_id: session for session in event.sessions}
    runs = {
        session_id: _listed(session, event.at, state)
        for session_id, session in sessions.items()
        if session.in_memory or session_id in state.runs
    }
    lost = _lost(event, state)
    for session_id in lost:
        run = state.runs[session_id]
        runs[session_id] = run if run.lost_at is not None else run._replace(lost_at=event.at)
    counted = state.heard.under_way if state.heard is not None else ()
    began = sum(run.turns for run in runs.values()) - sum(
        state.runs[one].turns if one in state.runs else one in counted for one in runs
    )
    state = replace(
        state,
        sessions=sessions,
        sessions_total=event.total,
        sessions_odd=event.odd,
        runs=runs,
        routing=state.routing._replace(ran=state.routing.ran + began),
        lost=lost,
        logs_grown={
            log_id: at
            for log_id, at in state.logs_grown.items()
            if log_id in sessions or log_id == state.lane_log_id
        },
    )
    return _answered(state, Source.SESSIONS, arrived_at, event.plane, old_s)


def _listed(session: Session, at: float, state: State) -> Run:
    """Return the run of a session as a listing has it now."""
    link = state.links.get(session.session_id)
    is_live = link is not None and link.is_live
    before = state.sources.get(Source.SESSIONS, SourceStatus()).answered_at
    run = state.runs.get(session.session_id) or _new_run(session.session_id, before, state)
    viewers = max(session.active_connections - is_live, 0)
    run = joined(
        run._replace(lost_at=None),
        seq=session.last_event_seq,
        viewers=viewers,
        was_cut=before is not None and or_never(state.cut_at) > before,
        greeting=1 + (state.dialect == "G2" and session.is_running),
    )
    return listed(
        run,
        seq=session.last_event_seq,
        running=session.is_running,
        at=at,
        viewers=viewers,
        is_heard=link is not None and is_live and before is not None and link.since <= before,
        is_settled=link is not None and is_live and at - link.since >= LISTING_LAG_S,
    )


def _new_run(session_id: str, before: float | None, state: State) -> Run:
    """Return a run that is seen for the first time; a listing `before` that had none tells since.

    One that ran already when vp-tui began to look may run for any time.
    """
    is_whole = state.sessions_total <= len(state.sessions)
    if before is None or not (is_whole or session_id in state.sessions):
        return Run(session_id)
    return Run(session_id, idle_at=before - LISTING_LAG_S)


def _lost(event: events.SessionsArrived, state: State) -> dict[str, Session]:
    """Return the sessions that are still lost, and those that ran and a whole listing has not."""
    lost = {
        session_id: session
        for session_id, session in state.lost.items()
        if event.at - (state.runs[session_id].lost_at or event.at) < LOST_KEPT_S
    }
    if event.total <= len(event.sessions):
        lost |= {
            session_id: session
            for session_id, session in state.sessions.items()
            if (run := state.runs.get(session_id)) is not None
            and (run.is_open or run.pending is not None or is_killed(run, event.at))
        }
    for session in event.sessions:
        lost.pop(session.session_id, None)
    return lost


def continuity_arrived(event: events.ContinuityArrived, state: State) -> State:
    """Note the transport's health; another boot stamp begins another epoch."""
    stamp, old_s = event.continuity.started_at, event.continuity.old_s
    is_known = _is_known(state, Source.CONTINUITY, event.at, old_s)
    state = _answered(state, Source.CONTINUITY, event.at, old_s=old_s)
    if is_known:
        return state
    state = replace(state, continuity=event.continuity)
    if state.epoch is None:
        return replace(state, epoch=Epoch(1, stamp), boot_at=_booted_at(stamp, state))
    if state.epoch.boot_stamp == stamp:
        return state
    number = state.epoch.number + 1
    state = replace(
        state,
        epoch=Epoch(number, stamp),
        boot_at=_booted_at(stamp, state),
        routing_before=state.routing,
        failed_attaches=0,
        runs={session_id: _renewed(run, event.at, state) for session_id, run in state.runs.items()},
    )
    text = f"the gateway restarted: epoch {number}, its counters began again"
    return with_entry(state, event.at, None, "epoch", text, "warn")


def _booted_at(stamp: str, state: State) -> datetime | None:
    """Return a boot in UTC, by the gateway's clock as it goes now: a later change moves it not."""
    return utc_of(stamp, state.health.clock_offset_s if state.health else None)


def _renewed(run: Run, at: float, state: State) -> Run:
    """Return a run without what it was before a restart.

    What a new socket told is of this life, and so is a run that was listed since the boot. A lost
    one stays what it is.
    """
    link, began_at = state.links.get(run.session_id), run.turn.started_at
    is_told = link is not None and link.is_live and began_at is not None and began_at >= link.since
    since = run.running_since
    is_new = since is not None and since > booted_at(state, at)
    is_old = run.session_id in state.lost
    return run if is_told or is_new or is_old else renewed(run, at)


def booted_at(state: State, at: float) -> float:
    """Return when the gateway booted on the monotonic clock, as its metrics tell the time.

    Where that is not known, it is when it was told: `at`.
    """
    told_at = state.sources.get(Source.METRICS, SourceStatus()).answered_at
    if state.boot_at is None or state.snapshot is None or told_at is None:
        return at
    return min(told_at - (state.snapshot.generated_at - state.boot_at).total_seconds(), at)


def source_failed(event: events.SourceFailed, state: State) -> State:
    """Note why a poll brought nothing; the same failure again is no news."""
    if event.log_id is not None:
        return log_failed(event, event.log_id, state)
    before = state.sources.get(event.source, SourceStatus())
    failed = before._replace(failed_at=event.at, failure=event.failure)
    state = _with_source(state, event.source, failed)
    if before.failure == event.failure:
        return state
    return with_entry(state, event.at, None, str(event.source), event.failure.reason, "bad")


def _answered(
    state: State, source: Source, at: float, plane: Plane = Plane.OPS, old_s: float = 0.0
) -> State:
    before = state.sources.get(source, SourceStatus())
    interval_s = state.watch.intervals[source] * state.poll_factor
    status = answered(before, at, interval_s, plane, old_s)
    state, arrived_at = _with_source(state, source, status), before.arrived_at
    if bool(status.old_s) != bool(before.old_s):
        told = f"answers, but tells what was {age(status.old_s)} before" if status.old_s else ""
        tone: Tone = "bad" if told else "good"
        return with_entry(state, at, None, str(source), told or "tells what is so again", tone)
    if before.failure is not None:
        return with_entry(state, at, None, str(source), "answers again", "good")
    if arrived_at is not None and is_late(before._replace(answered_at=arrived_at), at, interval_s):
        late = f"answers again, {age(at - arrived_at)} after the answer before"
        return with_entry(state, at, None, str(source), late, "warn")
    return state


def _with_source(state: State, source: Source, status: SourceStatus) -> State:
    return replace(state, sources={**state.sources, source: status})


def is_lost(state: State) -> bool:
    """Tell whether the gateway gives no answer at all any more.

    It is lost once both sources that are asked all the time are silent, however new the last answer
    of a source that is seldom asked is.
    """
    often = [state.sources.get(source, SourceStatus()).failure for source in OFTEN_ASKED]
    return all(failure is not None and failure.is_silence for failure in often)
