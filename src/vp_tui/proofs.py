"""What our own changes of the lane and restarts came to, for the audit: a further line when known.

The order's own line says what the actuator did, which proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vp_tui.domain.audit import PROOF, ActionRecord, Step
from vp_tui.domain.brake import Proof
from vp_tui.domain.restart import RestartState
from vp_tui.lane_orders import RESTART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vp_tui.domain.brake import ProofStep
    from vp_tui.state import State
    from vp_tui.store import Store

_PROOFS: Final = frozenset({Proof.CONFIRMED, Proof.UNCONFIRMED, Proof.CONTRADICTED})
_ENDS: Final = frozenset({RestartState.BACK, RestartState.NOT_BACK, RestartState.NOT_RESTARTED})
"""What is told, each once."""


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
    seen = tuple(Step(wall_at(step.at), step.step, step.detail) for step in steps)
    return ActionRecord(wall_at(now), who, f"{PROOF} {action}", state.watch.url, "", seen, result)
