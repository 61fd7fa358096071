"""A restart is over when the gateway is back in a new epoch, and not before."""

from __future__ import annotations

import pytest

from vp_tui.domain.lane.restart import (
    RESTART_WITHIN_S,
    Fact,
    GatewayAnswered,
    GatewayGone,
    Restart,
    RestartState,
    new_restart,
    step_restart,
)
from vp_tui.domain.lane.switch_proof import ActuatorEnded, EpochSeen, TimePassed
from vp_tui.domain.lane.switches import Actuation, CommandRun
from vp_tui.domain.models import Failure

OLD, NEW = "2026-11-22T19:00:00", "2026-11-22T20:00:10"
FAILED = Failure("exit code 3", "its output says why")
ENDED = ActuatorEnded(1.0, Actuation((), command=CommandRun(("r",), 0, (), 1.0)))
HANGS = ActuatorEnded(60.0, Actuation((), FAILED, command=CommandRun(("r",), None, (), 60.0)))
BY_HAND = ActuatorEnded(0.0, Actuation((), by_hand=("restart it",)))
LATE = TimePassed(60.0 + RESTART_WITHIN_S)


def after(*facts: Fact, epoch: str | None = OLD) -> Restart:
    restart = new_restart(0.0, epoch)
    for fact in facts:
        restart = step_restart(restart, fact)
    return restart


def steps_of(restart: Restart) -> list[str]:
    return [each.step for each in restart.steps]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((), RestartState.ASKED),
        ((ENDED,), RestartState.COMMANDED),
        ((ENDED, GatewayGone(2.0)), RestartState.GONE),
        ((GatewayGone(0.5), ENDED), RestartState.GONE),
        ((ENDED, GatewayGone(2.0), GatewayAnswered(3.0)), RestartState.GONE),
        ((ENDED, GatewayAnswered(2.0), EpochSeen(2.0, OLD)), RestartState.COMMANDED),
        ((ENDED, EpochSeen(2.0, NEW)), RestartState.BACK),
        ((ENDED, EpochSeen(2.0, NEW), LATE, GatewayGone(999.0)), RestartState.BACK),
        ((ENDED, GatewayGone(2.0), LATE), RestartState.NOT_BACK),
        ((ENDED, GatewayGone(2.0), LATE, EpochSeen(999.0, NEW)), RestartState.BACK),
        ((ENDED, LATE), RestartState.NOT_RESTARTED),
        ((ENDED, GatewayGone(2.0), GatewayAnswered(3.0), LATE), RestartState.NOT_RESTARTED),
        ((HANGS,), RestartState.FAILED),
        ((HANGS, LATE), RestartState.FAILED),
        ((HANGS, EpochSeen(61.0, NEW)), RestartState.BACK),
        ((BY_HAND,), RestartState.BY_HAND),
        ((BY_HAND, EpochSeen(61.0, NEW)), RestartState.BACK),
        ((BY_HAND, LATE), RestartState.NOT_RESTARTED),
    ],
)
def test_how_far_a_restart_has_come(facts: tuple[Fact, ...], state: RestartState) -> None:
    restart = after(*facts)
    assert restart.state is state
    assert state in restart.line


def test_each_step_is_told_once() -> None:
    restart = after(
        ENDED, GatewayGone(2.0), GatewayGone(3.0), GatewayAnswered(4.0), EpochSeen(5.0, NEW)
    )
    assert steps_of(restart) == ["asked", "command ended", "gone", "answers again", "back"]
    assert restart.steps[-1].detail == f"new epoch {NEW}, 5.0 s after it was asked for"
    given_up = after(ENDED, LATE)
    assert steps_of(step_restart(given_up, TimePassed(9_999.0))) == steps_of(given_up)


def test_without_a_known_epoch_a_boot_is_new_only_when_the_gateway_was_away() -> None:
    assert after(ENDED, EpochSeen(2.0, OLD), epoch=None).state is RestartState.COMMANDED
    away = after(ENDED, GatewayGone(2.0), EpochSeen(3.0, OLD), epoch=None)
    assert away.state is RestartState.BACK


def test_what_is_awaited_starts_when_the_command_has_ended() -> None:
    slow = ENDED._replace(at=50.0)
    assert after(slow, TimePassed(RESTART_WITHIN_S)).state is RestartState.COMMANDED
    assert after(slow, TimePassed(50.0 + RESTART_WITHIN_S)).state is RestartState.NOT_RESTARTED
