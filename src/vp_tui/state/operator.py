"""What the operator does and how it goes on: cancels, audit, alarms, auto-revert, rows, windows.

What other vp-tui did to the same log, window and audit comes here too, as their files tell it.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, Final

from vp_tui.domain.lane.auto_revert import AutoRevert, Phase, again, news, step_auto_revert, stopped
from vp_tui.domain.missions import note_cancelled
from vp_tui.domain.models import Source
from vp_tui.domain.rollout.verdicts import Attestation, attested
from vp_tui.domain.rollout.windows import merged_ends
from vp_tui.domain.runs.alarms import LastChange, acknowledged, follow_alarms
from vp_tui.domain.runs.cancels import (
    Cancel,
    CompletedMission,
    RunsObserved,
    by_others,
    observe,
    pending,
)
from vp_tui.domain.runs.levels import stuck_after
from vp_tui.domain.runs.run import answered
from vp_tui.domain.runs.turns import RoutingTally
from vp_tui.state.state import AUTHORS_KEPT, CANCELS_KEPT, NO_AUDIT, NO_EVIDENCE, with_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.domain import events
    from vp_tui.domain.lane.auto_revert import AutoRevertBarred
    from vp_tui.domain.runs.run import Run
    from vp_tui.state.state import State, Tone


_TONES: Final[Mapping[Phase, Tone]] = {
    Phase.ARMED: "plain",
    Phase.COUNTING: "bad",
    Phase.REVERTED: "bad",
}


def cancel_requested(event: events.CancelRequested, state: State) -> State:
    """Begin to follow a cancel of our own."""
    epoch = state.epoch.number if state.epoch else None
    cancel = Cancel(event.session_id, event.at, epoch, event.actor, event.reason)
    cancel = cancel._replace(mission_id=event.mission_id)
    state = replace(state, cancels=(*state.cancels, cancel)[-CANCELS_KEPT:])
    text = f"requested by {event.actor}: {event.reason}"
    return with_entry(state, event.at, event.session_id, "cancel", text, "warn")


def cancel_answered(event: events.CancelAnswered, state: State) -> State:
    """Note the gateway's answer: it is no recovery."""
    heard = event.answer.task_cancelled
    if (run := state.runs.get(event.session_id)) is not None:
        # Let the run know that it was cancelled: no frame may have told it.
        hit = answered(run, event.at, task_cancelled=heard, took_s=event.answer.took_s)
        state = replace(state, runs={**state.runs, event.session_id: hit})
    state = _changed(state, event.session_id, answered_at=event.at, task_cancelled=heard)
    told = "the run unwound" if heard else "the run did not hear: its counter is cleared, it is not"
    text = f"task_cancelled={str(heard).lower()}: {told}"
    return with_entry(state, event.at, event.session_id, "cancel", text, "warn")


def cancel_failed(event: events.CancelFailed, state: State) -> State:
    """Note why nothing, or nothing certain, was done."""
    state = _changed(state, event.session_id, failure=event.failure)
    text = f"{event.failure.reason}; {event.failure.cure}"
    return with_entry(state, event.at, event.session_id, "cancel", text, "bad")


def audit_read(event: events.AuditRead, state: State) -> State:
    """Take the audit as it is now; while it cannot be read, what was known of it stands."""
    if event.problem is None:
        return replace(state, audit=event)
    return replace(state, audit=(state.audit or NO_AUDIT)._replace(problem=event.problem))


def audit_failed(event: events.AuditFailed, state: State) -> State:
    """Say that an action is not in the audit."""
    known = (state.audit or NO_AUDIT)._replace(problem=event.failure)
    text = f"an action is not in the audit: {event.failure.reason}; {event.failure.cure}"
    return with_entry(replace(state, audit=known), event.at, None, "audit", text, "bad")


def order_refused(event: events.OrderRefused, state: State) -> State:
    """Say why an order was not carried out."""
    state = replace(state, refused=(*state.refused, event)[-CANCELS_KEPT:])
    whom = event.target if event.target in state.sessions else None
    state = with_entry(state, event.at, whom, event.what, f"refused: {event.why}", "warn")
    brake = state.lane.brake
    after = again(state.auto_revert, event.what, brake.asked_at if brake else -inf)
    return _with_revert(state, event.at, after)


def outcome_audited(event: events.OutcomeAudited, state: State) -> State:
    """Note what the audit was told; of orders that are not followed any more it is forgotten."""
    lane = state.lane
    followed = {order.asked_at for order in (lane.brake, lane.restart) if order is not None}
    followed |= {cancel.at for cancel in state.cancels}
    told = {told for told in state.outcomes_audited if told.asked_at in followed}
    news = event.outcome
    cancels = tuple(
        cancel._replace(audited=(*cancel.audited, news.result))
        if (cancel.at, cancel.session_id) == (news.asked_at, news.target)
        else cancel
        for cancel in state.cancels
    )
    return replace(state, cancels=cancels, outcomes_audited=frozenset({*told, news}))


def cancels_followed(state: State, at: float) -> State:
    """Take up what runs, listing and metrics tell of the cancels, own and others'."""
    epoch = state.epoch.number if state.epoch else None
    new = by_others(state.cancels, state.runs.values(), epoch)
    if new or pending(state.cancels):
        listing = state.sources.get(Source.SESSIONS)
        known = RunsObserved(
            runs=_of_this_life(state),
            running={s.session_id for s in state.sessions.values() if s.is_running},
            listed_at=listing.answered_at if listing else None,
            stuck_after_s=stuck_after_s(state),
            has_lock=state.dialect == "G1",
            missions=_completed(state),
        )
        cancels = tuple(_seen(cancel, known, epoch, at) for cancel in (*state.cancels, *new))
        state = replace(state, cancels=cancels[-CANCELS_KEPT:])
    by_hand = [c.mission_id for c in state.cancels if c.mission_id and c.has_hit]
    ledger = note_cancelled(state.ledger, by_hand)
    return state if ledger is state.ledger else replace(state, ledger=ledger)


def stuck_after_s(state: State) -> float:
    """Return the seconds of silence from which on a run is stuck now."""
    p95_s = state.snapshot.latency.p95_s if state.snapshot else None
    return stuck_after(state.watch.stuck_after, p95_s)


def _of_this_life(state: State) -> Mapping[str, Run]:
    """Return the runs; a turn counts as completed only where no restart can lie before it.

    After a socket was cut, that is from the gateway's next word about its boot on.
    """
    continuity = state.sources.get(Source.CONTINUITY)
    told_at = continuity.answered_at if continuity else None
    cut_at = state.cut_at
    if cut_at is None or told_at is None or told_at > cut_at:
        return state.runs
    return {
        session_id: run._replace(completed_at=None)
        if run.completed_at is not None and run.completed_at > cut_at
        else run
        for session_id, run in state.runs.items()
    }


def _completed(state: State) -> tuple[CompletedMission, ...]:
    """Return the completed missions, their stamps brought to our own clock."""
    taken, metrics = state.snapshot, state.sources.get(Source.METRICS)
    if taken is None or metrics is None or (told_at := metrics.answered_at) is None:
        return ()
    claims = state.claims.missions if state.claims is not None else {}
    return tuple(
        CompletedMission(
            mission.mission_id,
            told_at - (taken.generated_at - mission.started_at).total_seconds(),
            told_at - (taken.generated_at - mission.completed_at).total_seconds(),
            claim.session_id if (claim := claims.get(mission.mission_id)) else None,
        )
        for mission in taken.missions
        if mission.status == "completed" and mission.started_at and mission.completed_at
    )


def _seen(cancel: Cancel, known: RunsObserved, epoch: int | None, at: float) -> Cancel:
    if cancel.epoch is None:
        cancel = cancel._replace(epoch=epoch)
    if epoch != cancel.epoch and epoch is not None and not cancel.is_over:
        return cancel._replace(restarted_at=at)
    return observe(cancel, known)


def _changed(state: State, session_id: str, **fields: Any) -> State:  # noqa: ANN401 - fields of Cancel
    """Change the newest cancel of our own of a session that is not answered yet."""
    cancels = list(state.cancels)
    for place, cancel in reversed([*enumerate(cancels)]):
        if cancel.session_id == session_id and cancel.actor and cancel.answered_at is None:
            cancels[place] = cancel._replace(**fields)
            break
    return replace(state, cancels=tuple(cancels))


def looked(event: events.Looked, state: State) -> State:
    """Raise and end alarms, and step the auto-revert, as a look at the state has them."""
    state = _with_changes(event, _with_alarms(event, state))
    if event.circumstances is None:
        return state
    after = step_auto_revert(state.auto_revert, event.circumstances, event.at)
    return _with_revert(state, event.at, after)


def _with_changes(event: events.Looked, state: State) -> State:
    """Remember of each word that reads otherwise when and why it changed."""
    changed = dict(state.last_changes)
    for name, value, cause in event.readings:
        before = changed.get(name)
        if before is None or before.after != value:
            was = "" if before is None else before.after
            changed[name] = LastChange(event.at, was, value, cause)
    return state if changed == state.last_changes else replace(state, last_changes=changed)


def _with_alarms(event: events.Looked, state: State) -> State:
    changes = follow_alarms(state.alarms, event.present, event.at, unknown=event.unknown)
    if changes.alarms == state.alarms:
        return state
    state = replace(state, alarms=changes.alarms)
    for alarm in changes.new:
        text = f"{alarm.key.kind}: {alarm.reason}"
        state = with_entry(state, event.at, alarm.session_id, "alarm", text, "bad")
    for alarm in changes.ended:
        text = f"over: {alarm.key.kind}"
        state = with_entry(state, event.at, alarm.session_id, "alarm", text, "good")
    return state


def alarms_acknowledged(event: events.AlarmsAcknowledged, state: State) -> State:
    """Note who has seen the alarms."""
    seen = acknowledged(state.alarms, event.actor, event.at, event.subjects)
    text = f"seen by {event.actor}"
    return with_entry(replace(state, alarms=seen), event.at, None, "alarm", text, "good")


def alarm_command_failed(event: events.AlarmCommandFailed, state: State) -> State:
    """Say that the command for alarms did not work."""
    text = f"{event.failure.reason}; {event.failure.cure}"
    return with_entry(state, event.at, None, "alarm", text, "bad")


def part_failed(event: events.PartFailed, state: State) -> State:
    """Say which part of vp-tui failed, where its report is, and when it is started again."""
    again = "" if event.again_s is None else f"; started again in {event.again_s:g} s"
    text = f"{event.part} failed: {event.told}{again}"
    state = replace(state, faults={**state.faults, event.part: event})
    return with_entry(state, event.at, None, "vp-tui", text, "bad")


def auto_revert_barred(event: AutoRevertBarred, state: State) -> State:
    """Note who may act on this host."""
    return replace(state, auto_revert=state.auto_revert._replace(bar=event.why))


def auto_revert_stopped(event: events.AutoRevertStopped, state: State) -> State:
    """End the countdown; nothing is forced until the trip is over."""
    return _with_revert(state, event.at, stopped(state.auto_revert, event.actor))


def _with_revert(state: State, at: float, after: AutoRevert) -> State:
    """Return the state with the auto-revert as it is now; what is news is told."""
    told, state = news(state.auto_revert, after), replace(state, auto_revert=after)
    if told is None:
        return state
    return with_entry(state, at, None, "revert", told, _TONES.get(after.phase, "warn"))


def suites_read(event: events.SuitesRead, state: State) -> State:
    """Take what the report says now, and tell it."""
    said = attested(event.report, state.clock.wall_at(event.at))
    tones: dict[Attestation, Tone] = {Attestation.PASSED: "good", Attestation.FAILED: "bad"}
    state, tone = replace(state, suites=event.report), tones.get(said.state, "warn")
    return with_entry(state, event.at, None, "suites", said.detail, tone)


def evidence_read(event: events.EvidenceRead, state: State) -> State:
    """Take what the log says; one that cannot be read leaves what was known."""
    if event.problem is not None:
        known = (state.evidence or NO_EVIDENCE)._replace(problem=event.problem)
        state = replace(state, evidence=known)
        return with_entry(state, event.at, None, "evidence", event.problem, "bad")
    return replace(state, evidence=event)


def windows_read(event: events.WindowsRead, state: State) -> State:
    """Take the windows that are kept; opening, editing and closing are told."""
    if event.problem is not None:
        if event.problem == state.windows_problem:
            return state
        state = replace(state, windows_problem=event.problem)
        return with_entry(state, event.at, None, "window", event.problem, "bad")
    before, state = state.window, replace(state, windows=event.windows, windows_problem=None)
    after, is_row_new = state.window, state.is_row_new
    # A row that keeps a window open which was only proposed goes on with it, and so does the one of
    # that name that another host opened too.
    is_other = (before.opened_at if before else None) != (after.opened_at if after else None)
    goes_on = after is not None and (before.label == after.label if before else is_row_new)
    is_closed = before is None and after is None and is_row_new
    state = replace(state, is_row_new=False)
    if (is_other and not goes_on) or is_closed:
        state = _with_new_tally(state)
    if before == after:
        return state
    if after is None:
        text = f"closed: {before.label if before else ''}"
    else:
        text = f"{'changed' if before else 'opened'}: {after.label}, {after.source}"
    return with_entry(state, event.at, None, "window", text, "good")


def _with_new_tally(state: State) -> State:
    """Count the turns of another window: those under way are its own, as they end in it."""
    under_way = [run for run in state.runs.values() if run.is_counted]
    heard = sum(run.turn.query is not None for run in under_way)
    tally = RoutingTally(heard=heard, ran=len(under_way))
    return replace(state, routing=tally, routing_before=RoutingTally(), unstarted_told=0)


def rows_preceded(event: events.RowsPreceded, state: State) -> State:
    """Note which rows of others were shown."""
    return replace(state, rows_preceding=state.rows_preceding.union(event.rows))


def row_recorded(event: events.RowRecorded, state: State) -> State:
    """Add the row that was just written, before the log is read again."""
    log = state.evidence or NO_EVIDENCE
    if not event.is_real:
        strays = {end.mission_id for end in event.ends if not end.window}
        log = log._replace(
            unreal_ids=log.unreal_ids | (event.mission_ids - log.recorded_ids - strays),
            unreal_windows=log.unreal_windows | {event.row.window},
        )
    log = log._replace(
        rows=(*log.rows, event.row),
        recorded_ids=log.recorded_ids | event.mission_ids,
        authors=(*log.authors, event.author)[-AUTHORS_KEPT:],
        fingerprint=event.fingerprint,
        problem=None,
        ends=merged_ends(log.ends, event.ends),
        told=(*log.told, *event.told),
    )
    text = f"{event.row.decision} for {event.row.window}: line {event.line}"
    state = replace(state, evidence=log, unstarted_told=state.routing.bootstrap, is_row_new=True)
    return with_entry(state, event.at, None, "recorded", text, "good")
