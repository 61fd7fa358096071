"""The lookout: judges the state once a second, rings, and is the auto-revert's hands.

What it judged is an event: alarms are raised and counted, and the auto-revert is stepped, by the
reducer. Only a screen steps the auto-revert: headless commands look once and revert nothing.

It also audits what our own orders came to, once it is known, each once: a cancel's own line says
what the gateway answered, which is no recovery; that of a change or a restart says what the
actuator did, which proves nothing (docs/rollout.md, section 9).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from vp_tui.domain.events import AutoRevertStopped, OutcomeAudited, Tick
from vp_tui.domain.lane.auto_revert import Phase, news
from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Change
from vp_tui.domain.models import ActionStep
from vp_tui.domain.orders import ActionKind, ActionRecord, OrderOutcome
from vp_tui.domain.rollout.guardrails import ROLLING
from vp_tui.domain.runs.cancels import UNCONFIRMED_AFTER_S, Cancel, CancelState, pending, steps
from vp_tui.state.lane import unkept
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.errors import AuditError
from vp_tui.views.figures import numbers
from vp_tui.views.lookout import judged
from vp_tui.views.sources import on_our_clock
from vp_tui.views.troubles import GUARDRAIL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from vp_tui.domain.events import Heard
    from vp_tui.domain.lane.auto_revert import AutoRevert
    from vp_tui.domain.lane.restart import Restart
    from vp_tui.domain.lane.switch_proof import Brake
    from vp_tui.domain.models import Failure
    from vp_tui.domain.runs.alarms import Alarm
    from vp_tui.state.state import State
    from vp_tui.state.store import Store
    from vp_tui.views.view import Live, View

    Followed = Cancel | Brake | Restart

AUTO_REVERT: Final = "auto-revert"
"""The action's name in the audit."""


class Hands(Protocol):
    """What the lookout acts by."""

    def change_switch(self, change: Change, reason: str) -> None:
        """Set a switch of the lane by the operator's actuator."""

    def note(self, action: str, reason: str, result: str) -> None:
        """Write into the audit what vp-tui did by itself."""

    def note_once(self, action: str, reason: str, result: str, since: datetime) -> None:
        """Write into the audit what it would have done, unless somebody did so since `since`."""

    def keep_heard(self, heard: Heard) -> None:
        """Keep what is to outlive this vp-tui."""

    def ring(self, alarms: tuple[Alarm, ...]) -> None:
        """Run the operator's command for these alarms."""


@dataclass(slots=True)
class Lookout:
    """Looks at one store."""

    live: Live
    hands: Hands
    wall: Callable[[], datetime]
    """The time in UTC."""
    _before: View | None = None
    """What the look before saw: what is told otherwise now has its cause between the two."""

    def look(self, unseen: str | None = None) -> tuple[Alarm, ...]:
        """Let a second pass: ages grow. Return the alarms that ring.

        `unseen` is why nobody sees the screen: the auto-revert does not count down then, and the
        trip rings again.
        """
        view = self.live.look()
        known = {alarm.key for alarm in view.state.alarms}
        told = judged(view, self._before, reverts=True, unseen=unseen)
        self._before = view
        self.live.store.apply(Tick(view.now, self.wall()), *told)
        after = self.live.state
        if (heard := unkept(after)) is not None:
            self.hands.keep_heard(heard)
        act_on_revert(view.state.auto_revert, self.live.view, self.hands)
        if after.auto_revert.phase is Phase.HELD is not view.state.auto_revert.phase:
            known -= {alarm.key for alarm in after.alarms if alarm.key.kind == GUARDRAIL}
        new = tuple(alarm for alarm in after.alarms if alarm.key not in known)
        if new:
            self.hands.ring(tuple(sorted(new, key=lambda alarm: alarm.key)))
        return new

    def stop_auto_revert(self, actor: str) -> None:
        """Stop the countdown, in the name of `actor`."""
        before = self.live.state.auto_revert
        self.live.store.apply(AutoRevertStopped(self.live.now, actor))
        act_on_revert(before, self.live.view, self.hands)

    def audit_outcomes(self, keep: Callable[[ActionRecord], None]) -> None:
        """Audit by `keep` what our own orders come to, from now on."""
        audit_outcomes(self.live.store, keep, lambda: self.live.now)

    def keep_left(self, keep: Callable[[Heard], str | None]) -> str | None:
        """Keep by `keep` what was heard last as vp-tui leaves; return why it could not be."""
        heard = unkept(self.live.state)
        return None if heard is None else keep(heard)

    def note_left(self, audit: Path) -> Failure | None:
        """Audit the own cancels that are still pending; return why it could not be."""
        return note_left(self.live.state, audit)


def act_on_revert(before: AutoRevert, view: View, hands: Hands) -> None:
    """Audit what is news of a step, and force fallback when the countdown has run out."""
    after = view.state.auto_revert
    told, trip = news(before, after), after.trip or before.trip or ""
    if told is None:
        return
    if after.phase is Phase.DRY_RUN:
        hands.note_once(AUTO_REVERT, trip, told, _fell_first_at(view))
    else:
        hands.note(AUTO_REVERT, trip, told)
    if after.phase is Phase.REVERTED:
        hands.change_switch(FORCE_FALLBACK, f"auto-revert: {before.trip}")


def _fell_first_at(view: View) -> datetime:
    """Return when the oldest fallback of the last 20 ended: what is younger is of this trip."""
    figures = numbers(view)
    newest = figures.real[-ROLLING:] if figures else ()
    fallen = [entry.mission.completed_at for entry in newest if entry.fell_back]
    ends = [on_our_clock(view, end) for end in fallen if end is not None]
    return min(ends, default=view.wall)


LEFT: Final = "unconfirmed when vp-tui left"
_RESULTS: Final = {
    CancelState.RECOVERED: "recovered",
    CancelState.UNCONFIRMED: f"unconfirmed: no later turn completed for {UNCONFIRMED_AFTER_S:g} s",
    CancelState.RESTARTED: "ended by a restart",
    CancelState.MISSED: "nothing was cancelled: the turn had ended",
}
"""What is told of a cancel, each once."""

_PROOFS: Final = frozenset({Proof.CONFIRMED, Proof.UNCONFIRMED, Proof.CONTRADICTED})
_ENDS: Final = frozenset({RestartState.BACK, RestartState.NOT_BACK, RestartState.NOT_RESTARTED})
"""What is told of a change and of a restart, each once."""


def audit_outcomes(
    store: Store, keep: Callable[[ActionRecord], None], clock: Callable[[], float]
) -> None:
    """Audit by `keep` what our own orders come to, as the store publishes it from now on."""

    def look(state: State) -> None:
        now = clock()
        known = [each for each in _known(state, now) if each[0] not in state.outcomes_audited]
        if known:
            store.apply(*(OutcomeAudited(now, outcome) for outcome, _order in known))
        for outcome, order in known:
            keep(_record(outcome, order, state, now))

    store.subscribe(look)


def note_left(state: State, audit: Path, now: float | None = None) -> Failure | None:
    """Audit the own cancels that are still pending as vp-tui leaves; return why it could not be.

    Blocks on the disk. `now` is the monotonic clock.
    """
    at = time.monotonic() if now is None else now
    try:
        for cancel in pending(state.cancels):
            if cancel.actor is not None:
                outcome = _of_cancel(cancel, cancel.actor, ActionKind.UNCONFIRMED, LEFT)
                append_action(audit, _record(outcome, cancel, state, at))
    except AuditError as error:
        return error.failure
    return None


def _known(state: State, now: float) -> Iterator[tuple[OrderOutcome, Followed]]:
    """Yield what our own orders have come to by `now`, each with the order that is followed."""
    for cancel in state.cancels:
        how = cancel.state(now)
        is_told = _RESULTS.get(how) in cancel.audited
        if cancel.actor is not None and how in _RESULTS and not is_told:
            is_open = how is CancelState.UNCONFIRMED
            kind = ActionKind.UNCONFIRMED if is_open else ActionKind.RECOVERY
            yield _of_cancel(cancel, cancel.actor, kind, _RESULTS[how]), cancel
    lane, proof, url = state.lane, ActionKind.PROOF, state.watch.url
    if (brake := lane.brake) is not None and brake.proof in _PROOFS:
        what, asked_at, result = brake.change.words, brake.asked_at, brake.outcome
        yield OrderOutcome(proof, lane.brake_by, what, url, "", asked_at, result), brake
    if (restart := lane.restart) is not None and restart.state in _ENDS:
        asked_at, result = restart.asked_at, restart.outcome
        yield OrderOutcome(proof, lane.restart_by, "restart", url, "", asked_at, result), restart


def _of_cancel(cancel: Cancel, actor: str, kind: ActionKind, result: str) -> OrderOutcome:
    session_id, reason = cancel.session_id, cancel.reason
    return OrderOutcome(kind, actor, "cancel", session_id, reason, cancel.at, result)


def _record(outcome: OrderOutcome, order: Followed, state: State, now: float) -> ActionRecord:
    """Return the audit's line on an outcome, with the steps that were seen."""
    told, wall_at, watch = outcome, state.clock.wall_at, state.watch
    seen = (
        ((step.at, step.name, step.detail) for step in steps(order, now))
        if isinstance(order, Cancel)
        else order.steps
    )
    return ActionRecord(
        wall_at(now), told.actor, told.what, told.target, told.reason,
        tuple(ActionStep(wall_at(at), step, what) for at, step, what in seen if at is not None),
        told.result, told.kind, watch.id or watch.url, watch.vp_id,
    )  # fmt: skip
