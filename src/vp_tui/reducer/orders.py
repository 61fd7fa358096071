"""What the operator ordered, and how it goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vp_tui.domain.cancels import Cancel, Completed, Sighting, by_others, pending, seen
from vp_tui.domain.events import Source
from vp_tui.domain.missions import note_cancelled
from vp_tui.domain.runs import answered
from vp_tui.fleet import stuck_after_s
from vp_tui.reducer.entries import with_entry
from vp_tui.selectors import while_same
from vp_tui.state import CANCELS_KEPT, AuditLog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vp_tui.domain.events import (
        AuditFailed,
        AuditRead,
        CancelAnswered,
        CancelFailed,
        CancelRequested,
    )
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.runs import Run
    from vp_tui.state import State


def cancel_requested(event: CancelRequested, state: State) -> State:
    """Begin to follow a cancel of our own."""
    epoch = state.epoch.number if state.epoch else None
    cancel = Cancel(event.session_id, event.at, epoch, event.actor, event.reason)
    state = replace(state, cancels=(*state.cancels, cancel)[-CANCELS_KEPT:])
    text = f"requested by {event.actor}: {event.reason}"
    return with_entry(state, event.at, event.session_id, "cancel", text, "warn")


def cancel_answered(event: CancelAnswered, state: State) -> State:
    """Note the gateway's answer: it is no recovery."""
    heard = event.answer.task_cancelled
    state = _with_hit(event, state)
    state = _changed(state, event.session_id, answered_at=event.at, task_cancelled=heard)
    told = "the run unwound" if heard else "the run did not hear: its counter is cleared, it is not"
    text = f"task_cancelled={str(heard).lower()}: {told}"
    return with_entry(state, event.at, event.session_id, "cancel", text, "warn")


def _with_hit(event: CancelAnswered, state: State) -> State:
    """Let the run know that it was cancelled: no frame may have told it."""
    run = state.runs.get(event.session_id)
    if run is None:
        return state
    hit = answered(
        run, event.at, task_cancelled=event.answer.task_cancelled, took_s=event.answer.took_s
    )
    return replace(state, runs={**state.runs, event.session_id: hit})


def cancel_failed(event: CancelFailed, state: State) -> State:
    """Note why nothing, or nothing certain, was done."""
    state = _changed(state, event.session_id, failure=event.failure)
    text = f"{event.failure.reason}; {event.failure.cure}"
    return with_entry(state, event.at, event.session_id, "cancel", text, "bad")


def audit_read(event: AuditRead, state: State) -> State:
    """Take the audit as it is now; while it cannot be read, what was known of it stands."""
    if event.problem is None:
        return replace(state, audit=AuditLog(event.records, event.unreadable))
    known = state.audit or AuditLog()
    return replace(state, audit=known._replace(problem=event.problem))


def audit_failed(event: AuditFailed, state: State) -> State:
    """Say that an action is not in the audit."""
    known = (state.audit or AuditLog())._replace(problem=event.failure)
    text = f"an action is not in the audit: {event.failure.reason}; {event.failure.cure}"
    return with_entry(replace(state, audit=known), event.at, None, "audit", text, "bad")


def cancels_followed(state: State, at: float) -> State:
    """Take up what runs, listing and metrics tell of the cancels, own and others'."""
    epoch = state.epoch.number if state.epoch else None
    new = by_others(state.cancels, state.runs.values(), epoch)
    if new or pending(state.cancels):
        known = _known(state)
        cancels = tuple(_seen(cancel, known, epoch, at) for cancel in (*state.cancels, *new))
        state = replace(state, cancels=cancels[-CANCELS_KEPT:])
    by_hand = [cancel.mission_id for cancel in state.cancels if cancel.mission_id is not None]
    ledger = note_cancelled(state.ledger, by_hand)
    return state if ledger is state.ledger else replace(state, ledger=ledger)


def _known(state: State) -> Sighting:
    listing = state.sources.get(Source.SESSIONS)
    return Sighting(
        runs=_of_this_life(state),
        running={s.session_id for s in state.sessions.values() if s.is_running},
        listed_at=listing.answered_at if listing else None,
        stuck_after_s=stuck_after_s(state),
        has_lock=state.dialect == "G1",
        missions=_completed(state),
    )


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


def _completed(state: State) -> tuple[Completed, ...]:
    metrics = state.sources.get(Source.METRICS)
    if state.snapshot is None or metrics is None or metrics.answered_at is None:
        return ()
    return _on_our_clock(state.snapshot, metrics.answered_at)


@while_same
def _on_our_clock(taken: Snapshot, told_at: float) -> tuple[Completed, ...]:
    """Return the completed missions, their stamps brought to our own clock."""
    return tuple(
        Completed(
            mission.mission_id,
            told_at - (taken.generated_at - mission.started_at).total_seconds(),
            told_at - (taken.generated_at - mission.completed_at).total_seconds(),
        )
        for mission in taken.missions
        if mission.status == "completed" and mission.started_at and mission.completed_at
    )


def _seen(cancel: Cancel, known: Sighting, epoch: int | None, at: float) -> Cancel:
    if cancel.epoch is None:
        cancel = cancel._replace(epoch=epoch)
    if epoch != cancel.epoch and epoch is not None and not cancel.is_over:
        return cancel._replace(restarted_at=at)
    return seen(cancel, known)


def _changed(state: State, session_id: str, **fields: Any) -> State:  # noqa: ANN401 - fields of Cancel
    """Change the newest cancel of our own of a session that is not answered yet."""
    for place in range(len(state.cancels) - 1, -1, -1):
        cancel = state.cancels[place]
        if cancel.session_id == session_id and cancel.actor and cancel.answered_at is None:
            changed = cancel._replace(**fields)
            cancels = (*state.cancels[:place], changed, *state.cancels[place + 1 :])
            return replace(state, cancels=cancels)
    return state
