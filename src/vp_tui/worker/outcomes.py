"""What our own orders came to, for the audit: a further line when it is known.

A cancel's own line says what the gateway answered, which is no recovery; that of a change or a
restart says what the actuator did, which proves nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from vp_tui.domain.audit import PROOF, RECOVERY, ActionRecord, ActionStep
from vp_tui.domain.lane.restart import RestartState
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.runs.cancels import UNCONFIRMED_AFTER_S, CancelState, pending, steps
from vp_tui.storage.audit_log import append_action
from vp_tui.storage.errors import AuditError
from vp_tui.worker.orders import RESTART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from vp_tui.domain.lane.switch_proof import ProofStep
    from vp_tui.domain.models import Failure
    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.state.state import State
    from vp_tui.state.store import Store


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


class Recoveries:
    """Notes what our own cancels came to, as the store publishes it."""

    def __init__(
        self, store: Store, note: Callable[[ActionRecord], None], clock: Callable[[], float]
    ) -> None:
        self._note = note
        self._clock = clock
        self._told: set[tuple[str, float, CancelState]] = set()
        store.subscribe(self._look)

    def _look(self, state: State) -> None:
        now = self._clock()
        for cancel in state.cancels:
            how = cancel.state(now)
            key = (cancel.session_id, cancel.at, how)
            if cancel.actor is not None and how in _RESULTS and key not in self._told:
                self._told.add(key)
                self._note(_follow_up(cancel, state, now, _RESULTS[how]))


def note_left(state: State, audit: Path, now: float | None = None) -> Failure | None:
    """Audit the own cancels that are still pending as vp-tui leaves; return why it could not be.

    Blocks on the disk. `now` is the monotonic clock.
    """
    at = time.monotonic() if now is None else now
    try:
        for cancel in pending(state.cancels):
            if cancel.actor is not None:
                append_action(audit, _follow_up(cancel, state, at, LEFT))
    except AuditError as error:
        return error.failure
    return None


def _follow_up(cancel: Cancel, state: State, now: float, result: str) -> ActionRecord:
    """Return the audit's line on how a cancel goes on, with the steps that were seen."""
    wall_at = state.clock.wall_at
    return ActionRecord(
        at=wall_at(now),
        actor=cancel.actor or "",
        action=RECOVERY,
        target=cancel.session_id,
        reason=cancel.reason,
        steps=tuple(
            ActionStep(wall_at(step.at), step.name, step.detail)
            for step in steps(cancel, now)
            if step.at is not None
        ),
        result=result,
    )


class Proofs:
    """Notes what our own orders came to, as the store publishes it."""

    def __init__(
        self, store: Store, note: Callable[[ActionRecord], None], clock: Callable[[], float]
    ) -> None:
        self._note = note
        self._clock = clock
        self._told: set[tuple[str, float, str]] = set()
        store.subscribe(self._look)

    def _look(self, state: State) -> None:
        if state.lane.brake is None and state.lane.restart is None:
            return
        for asked_at, record in _records(state, self._clock()):
            key = (record.action, asked_at, record.result)
            if key not in self._told:
                self._told.add(key)
                self._note(record)


def _records(state: State, now: float) -> Iterator[tuple[float, ActionRecord]]:
    """Yield what is known by now, each with when its order was given."""
    lane = state.lane
    if lane.brake is not None and lane.brake.proof in _PROOFS:
        brake = lane.brake
        result = f"{brake.proof}: {brake.reason}"
        told = _record(state, now, brake.change.words, lane.brake_by, brake.steps, result)
        yield brake.asked_at, told
    if lane.restart is not None and lane.restart.state in _ENDS:
        restart = lane.restart
        reason = f": {restart.reason}" if restart.reason else ""
        result = f"{restart.state}{reason}"
        told = _record(state, now, RESTART, lane.restart_by, restart.steps, result)
        yield restart.asked_at, told


def _record(
    state: State, now: float, action: str, who: str, steps: Sequence[ProofStep], result: str
) -> ActionRecord:
    wall_at = state.clock.wall_at
    seen = tuple(ActionStep(wall_at(step.at), step.step, step.detail) for step in steps)
    return ActionRecord(wall_at(now), who, f"{PROOF} {action}", state.watch.url, "", seen, result)
