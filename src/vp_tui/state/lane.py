"""The lane: its switches, what its turns show, and what was asked of it: changes, restarts, probes.

Every fact goes to whatever is followed: a change until it is proven, a restart until the gateway is
back, turns until they end. Nothing is followed where nothing was asked for.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from vp_tui.domain import events
from vp_tui.domain.coverage import recall, to_keep
from vp_tui.domain.lane import restart
from vp_tui.domain.lane import switch_proof as brake
from vp_tui.domain.lane.mode import LaneStart
from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE
from vp_tui.domain.lane.turn_proof import CompletedTurn, heard, is_end
from vp_tui.domain.missions import gap_after
from vp_tui.domain.models import StreamEvent, StreamState
from vp_tui.domain.rollout.windows import missions_of
from vp_tui.domain.runs.cancels import joined_cancels
from vp_tui.domain.runs.turns import BOOTSTRAP, DELEGATED
from vp_tui.state.sources import booted_at, is_lost
from vp_tui.state.state import CANCELS_KEPT, with_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from vp_tui.state.state import State, Tone


def lane_booted(event: events.ContinuityArrived, state: State, *, is_new: bool) -> State:
    """Take up the gateway's boot; what turns showed does not outlive its epoch."""
    if is_new:
        state = with_lane(state, under_way={}, start=None, coding=None, primary=None)
    at, boot_stamp = booted_at(state, event.at), event.continuity.started_at
    state = _stepped(state, at, partial(brake.booted, at=at, boot_stamp=boot_stamp))
    return _restart_stepped(state, at, partial(restart.booted, at=at, boot_stamp=boot_stamp))


def lane_counted(event: events.SnapshotArrived, state: State) -> State:
    """Take up the missions of a snapshot, for a change that is to be proven."""
    polled = partial(brake.missions_polled, at=event.at, snapshot=event.snapshot)
    return _stepped(state, event.at, polled)


def lane_ticked(at: float, state: State) -> State:
    """Let time pass for what is followed."""
    if state.lane.brake is None and state.lane.restart is None:
        return state
    looked = partial(restart.looked, at=at, is_gone=is_lost(state))
    state = _stepped(state, at, partial(brake.time_passed, at=at))
    state = _restart_stepped(state, at, looked)
    return _restart_stepped(state, at, partial(restart.time_passed, at=at))


def lane_heard(told: Sequence[events.Event], state: State) -> State:
    """Follow turns to their end, and take up what each shows of the lane."""
    under_way, ended = follow_turns(state.lane.under_way, told)
    state = _with_starts(state, told)
    if under_way == state.lane.under_way and not ended:
        return state
    state = with_lane(state, under_way=under_way)
    for turn in ended:
        state = turn_shown(turn, state)
    return state


def _with_starts(state: State, told: Iterable[events.Event]) -> State:
    """Take up at once whether the lane could start: the turn goes on elsewhere if it could not."""
    for event in told:
        routing = event.frame.routing if isinstance(event, StreamEvent) else None
        if isinstance(event, StreamEvent) and (routing in DELEGATED or routing == BOOTSTRAP):
            start = LaneStart(event.session_id, event.at, routing != BOOTSTRAP)
            state = with_lane(state, start=start)
    return state


def turn_shown(turn: CompletedTurn, state: State) -> State:
    """Take up what a turn shows of the lane, now that it has ended."""
    if turn.is_coding(state.dialect):
        state = with_lane(state, coding=turn)
    start = state.lane.start
    if (turn.routing in DELEGATED or turn.is_unstartable) and (
        start is None or start.at < (turn.began_at or turn.ended_at)
    ):  # nobody heard it but a probe's own socket
        has_started = not turn.is_unstartable
        start = LaneStart(turn.session_id, turn.ended_at, has_started)
        state = with_lane(state, start=start)
    if _is_by_primary(turn):
        state = with_lane(state, primary=turn)
    probe = state.lane.probe
    is_probe = probe is not None and probe.session_id == turn.session_id
    ended = partial(brake.turn_ended, turn=turn, dialect=state.dialect, is_probe=is_probe)
    return _stepped(state, turn.ended_at, ended)


def _is_by_primary(turn: CompletedTurn) -> bool:
    """Tell whether the primary path completed it: from its beginning on, or after the lane."""
    is_outside = turn.fell_back or not turn.is_delegated
    return turn.completed and turn.began_at is not None and is_outside


def with_lane(state: State, **fields: Any) -> State:  # noqa: ANN401 - fields of Lane
    """Return the state with these fields of its lane."""
    return replace(state, lane=state.lane._replace(**fields))


def switch_asked(event: events.SwitchAsked, state: State) -> State:
    """Begin to follow a change until its effect is seen."""
    asked = brake.new_proof(event.change, event.at, _boot_stamp(state))
    state = with_lane(state, brake=asked, brake_by=event.actor, acted=None)
    text = f"{event.change.words}: requested by {event.actor}: {event.reason}".rstrip(": ")
    return with_entry(state, event.at, None, "brake", text, "warn")


def switch_acted(event: events.SwitchActed, state: State) -> State:
    """Take up what the actuator did."""
    state = with_lane(state, acted=event.actuation)
    return _stepped(state, event.at, partial(brake.acted, at=event.at, done=event.actuation))


def restart_asked(event: events.RestartAsked, state: State) -> State:
    """Begin to follow a restart until the gateway is back."""
    asked = restart.new_restart(event.at, _boot_stamp(state))
    state = with_lane(state, restart=asked, restart_by=event.actor, restarted=None)
    text = f"requested by {event.actor}: {event.reason}".rstrip(": ")
    return with_entry(state, event.at, None, "restart", text, "warn")


def restart_acted(event: events.RestartActed, state: State) -> State:
    """Take up how the restart command ended."""
    state = with_lane(state, restarted=event.actuation)
    ended = partial(restart.acted, at=event.at, done=event.actuation)
    return _restart_stepped(state, event.at, ended)


def probe_stepped(event: events.ProbeStepped, state: State) -> State:
    """Show where our probe is; its mission counts as a probe's, its turn as a proof."""
    before, probe = state.lane.probe, event.probe
    missions = state.lane.probe_missions | ({probe.mission_id} if probe.mission_id else set())
    state = with_lane(state, probe=probe, probe_missions=missions)
    was_completed = before is not None and before.completed_turn == probe.completed_turn
    if probe.completed_turn is not None and not was_completed:
        # Its own stream may have been attached to too late to hear how the turn was routed.
        state = turn_shown(probe.completed_turn, state)
    if before is not None and before.line == probe.line:
        return state
    tone: Tone = "good" if probe.is_over and not probe.reason else "plain"
    return with_entry(state, event.at, probe.session_id, "probe", probe.line, tone)


def _stepped(state: State, at: float, step: Callable[[brake.Brake], brake.Brake]) -> State:
    """Take the newest change a step further; that its proof changed is told."""
    before = state.lane.brake
    if before is None:
        return state
    after = step(before)
    if after is before or after == before:
        return state
    state = with_lane(state, brake=after, is_reverted=_is_reverted(after, state))
    if after.line == before.line:
        return state
    tone: Tone = "bad" if after.is_alarming else "warn"
    return with_entry(state, at, None, "brake", after.line, tone)


def _is_reverted(change: brake.Brake, state: State) -> bool:
    """Tell whether fallback is forced for all that is proven; a restart alone does not end it."""
    is_forced = {FORCE_FALLBACK: brake.Proof.CONFIRMED, RELEASE: brake.Proof.CONTRADICTED}
    is_ended = {FORCE_FALLBACK: brake.Proof.CONTRADICTED, RELEASE: brake.Proof.CONFIRMED}
    if is_forced.get(change.change) is change.proof:
        return True
    return state.lane.is_reverted and is_ended.get(change.change) is not change.proof


def _restart_stepped(
    state: State, at: float, step: Callable[[restart.Restart], restart.Restart]
) -> State:
    before = state.lane.restart
    if before is None:
        return state
    after = step(before)
    if after == before:
        return state
    state = with_lane(state, restart=after)
    return with_entry(state, at, None, "restart", after.line, "warn")


def _boot_stamp(state: State) -> str | None:
    return state.epoch.boot_stamp if state.epoch else None


def follow_turns(
    under_way: Mapping[str, CompletedTurn], told: Iterable[events.Event]
) -> tuple[dict[str, CompletedTurn], tuple[CompletedTurn, ...]]:
    """Return the turns under way after these events, and those that ended, in order.

    A turn during which frames may have been lost is forgotten.
    """
    turns, ended = dict(under_way), []
    for event in told:
        if isinstance(event, StreamEvent):
            before = turns.get(event.session_id)
            turn = heard(before, event)
            if turn is None or turn is before:
                continue
            if is_end(event.frame):
                turns.pop(event.session_id, None)
                ended.append(turn)
            else:
                turns[event.session_id] = turn
        elif (session_id := _lost(event)) is not None:
            turns.pop(session_id, None)
    return turns, tuple(ended)


def _lost(event: events.Event) -> str | None:
    """Return the session of which frames may have been lost, None where none were."""
    if isinstance(event, events.LinkChanged):
        return None if event.state is StreamState.LIVE else event.session_id
    return event.session_id if isinstance(event, events.GapFound | events.LinkDropped) else None


def heard_of(state: State) -> events.Heard:
    """Return what is to outlive this watch of what it heard."""
    clock, epoch, told = state.clock, state.epoch, state.heard
    opened_at, after = _window_of(state)
    boot = events.Heard(clock.at, clock.wall)
    if epoch is not None:
        boot = boot._replace(epoch=epoch.number, boot_stamp=epoch.boot_stamp, boot_at=state.boot_at)
    elif told is not None:
        boot = boot._replace(epoch=told.epoch, boot_stamp=told.boot_stamp, boot_at=told.boot_at)
    return boot._replace(
        opened_at=opened_at,
        after=after,
        turns=state.routing,
        turns_before=state.routing_before,
        under_way=tuple(sorted(run.session_id for run in state.runs.values() if run.is_counted)),
        unstarted_told=state.unstarted_told,
        start=state.lane.start,
        cancels=tuple(cancel for cancel in state.cancels if not cancel.is_vain),
        ledger=to_keep(state.ledger, _own_missions(state)),
    )


def unkept(state: State) -> events.Heard | None:
    """Return what was heard, if what is kept does not say so yet."""
    if not _is_window_known(state):
        return None
    ours, kept = heard_of(state), state.heard
    is_news = not ours.is_empty if kept is None or kept.is_empty else kept.lacks(ours)
    return ours if is_news else None


def with_gap(state: State) -> State:
    """Return the state with the gap between what was known before and this watch's first list.

    Known are the missions that are kept here, and those that ended before the window, or that a
    record names, whoever watched them.
    """
    first, heard, log = state.snapshot, state.heard, state.evidence
    if first is None or heard is None or not _is_window_known(state):
        return state
    ids = set[str]() if log is None else {*log.recorded_ids}
    if (window := state.window) is not None:
        ids = {*(window.anchor or ()), *window.running}
    gap = gap_after({**dict.fromkeys(ids, True), **heard.ledger.entries}, first)
    gap = gap or state.ledger.gap or heard.ledger.gap
    return replace(state, ledger=replace(state.ledger, gap=gap))


def recalled(state: State) -> State:
    """Take up what is kept of what was heard before, or by others: counted once, however often."""
    told, before = state.heard, state.epoch
    if told is None:
        return state
    state = with_numbered_boot(state, is_first=not state.is_recalled)
    own = state.cancels
    if before is not None and state.epoch is not None:
        own = tuple(
            c._replace(epoch=state.epoch.number) if c.epoch == before.number else c for c in own
        )
    cancels = joined_cancels(own, told.cancels)[-CANCELS_KEPT:]
    state = replace(state, cancels=cancels, ledger=recall(state.ledger, told.ledger))
    if not _is_window_known(state):
        return state
    state = state if state.is_recalled else with_gap(state)
    if _window_of(state) != (told.opened_at, told.after):
        return replace(state, is_recalled=True)
    turns_before = state.routing_before
    if state.epoch is None or state.epoch.boot_stamp == told.boot_stamp:
        turns_before = turns_before.at_least(told.turns_before)
        state = with_lane(state, start=state.lane.start or told.start)
    elif not state.is_recalled:
        turns_before = told.turns
    return replace(
        state,
        routing=state.routing.at_least(told.turns),
        routing_before=turns_before,
        unstarted_told=max(state.unstarted_told, told.unstarted_told),
        is_recalled=True,
    )


def with_numbered_boot(state: State, *, is_first: bool) -> State:
    """Return the state with its boot counted on from the one that is kept, or as that one.

    The same boot stands as it was fixed then. Another one that is the first of this watch came
    after it, with what is kept of turns before it.
    """
    told, epoch = state.heard, state.epoch
    if told is None or epoch is None or not told.boot_stamp or told.epoch < epoch.number:
        return state
    is_same = told.boot_stamp == epoch.boot_stamp
    if not (is_same or is_first):
        return state
    number = told.epoch + (not is_same)
    state = replace(state, epoch=epoch._replace(number=number))
    if is_same:
        return replace(state, boot_at=told.boot_at or state.boot_at)
    before = state.routing if state.is_recalled else state.routing_before
    start = None if state.lane.start == told.start else state.lane.start
    return replace(state, routing_before=before, lane=state.lane._replace(start=start))


def _is_window_known(state: State) -> bool:
    """Tell whether it is known which window is open or proposed."""
    return bool(state.window or state.evidence) or state.watch.evidence is None


def _own_missions(state: State) -> frozenset[str]:
    """Return the missions of the window, and those that the newest answer lists."""
    listed = (mission.mission_id for mission in (state.snapshot.missions if state.snapshot else ()))
    if (window := state.window) is not None:
        return missions_of(window, state.ledger.entries.values()).union(listed)
    recorded = state.evidence.recorded_ids if state.evidence is not None else frozenset[str]()
    return frozenset(state.ledger.entries).difference(recorded).union(listed)


def _window_of(state: State) -> tuple[datetime | None, str]:
    """Return what tells the window from others: its opening, or the row after which it comes."""
    rows = state.evidence.rows if state.evidence is not None else ()
    if state.window is not None:
        return state.window.opened_at, ""
    return None, f"{rows[-1].date} {rows[-1].window}" if rows else ""
