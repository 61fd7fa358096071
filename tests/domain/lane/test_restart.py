"""A restart is over when the gateway is back in a new epoch, and not before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from vp_tui.domain.lane.restart import (
    RESTART_WITHIN_S,
    Restart,
    RestartState,
    acted,
    booted,
    looked,
    new_restart,
    time_passed,
)
from vp_tui.domain.lane.switches import Actuation, CommandRun
from vp_tui.domain.models import Failure

Fact = Callable[[Restart], Restart]

OLD, NEW = "2026-11-22T19:00:00", "2026-11-22T20:00:10"
FAILED = Failure("exit code 3", "its output says why")
DONE = Actuation((), command=CommandRun(("r",), 0, (), 1.0))
ENDED = partial(acted, at=1.0, done=DONE)
HUNG = Actuation((), FAILED, command=CommandRun(("r",), None, (), 60.0))
HANGS = partial(acted, at=60.0, done=HUNG)
BY_HAND = partial(acted, at=0.0, done=Actuation((), by_hand=("restart it",)))
LATE = partial(time_passed, at=60.0 + RESTART_WITHIN_S)


def gone(at: float) -> Fact:
    return partial(looked, at=at, is_gone=True)


def answers(at: float) -> Fact:
    return partial(looked, at=at, is_gone=False)


def boot(at: float, boot_stamp: str) -> Fact:
    return partial(booted, at=at, boot_stamp=boot_stamp)


def after(*facts: Fact, epoch: str | None = OLD) -> Restart:
    restart = new_restart(0.0, epoch)
    for fact in facts:
        restart = fact(restart)
    return restart


def steps_of(restart: Restart) -> list[str]:
    return [each.step for each in restart.steps]


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((), RestartState.ASKED),
        ((ENDED,), RestartState.COMMANDED),
        ((ENDED, gone(2.0)), RestartState.GONE),
        ((gone(0.5), ENDED), RestartState.GONE),
        ((ENDED, gone(2.0), answers(3.0)), RestartState.GONE),
        ((ENDED, answers(2.0), boot(2.0, OLD)), RestartState.COMMANDED),
        ((ENDED, boot(2.0, NEW)), RestartState.BACK),
        ((ENDED, boot(2.0, NEW), LATE, gone(999.0)), RestartState.BACK),
        ((ENDED, gone(2.0), LATE), RestartState.NOT_BACK),
        ((ENDED, gone(2.0), LATE, boot(999.0, NEW)), RestartState.BACK),
        ((ENDED, LATE), RestartState.NOT_RESTARTED),
        ((ENDED, gone(2.0), answers(3.0), LATE), RestartState.NOT_RESTARTED),
        ((HANGS,), RestartState.FAILED),
        ((HANGS, LATE), RestartState.FAILED),
        ((HANGS, boot(61.0, NEW)), RestartState.BACK),
        ((BY_HAND,), RestartState.BY_HAND),
        ((BY_HAND, boot(61.0, NEW)), RestartState.BACK),
        ((BY_HAND, LATE), RestartState.NOT_RESTARTED),
    ],
)
def test_how_far_a_restart_has_come(facts: tuple[Fact, ...], state: RestartState) -> None:
    restart = after(*facts)
    assert restart.state is state
    assert state in restart.line


def test_each_step_is_told_once() -> None:
    restart = after(ENDED, gone(2.0), gone(3.0), answers(4.0), boot(5.0, NEW))
    assert steps_of(restart) == ["asked", "command ended", "gone", "answers again", "back"]
    assert restart.steps[-1].detail == f"new epoch {NEW}, 5.0 s after it was asked for"
    given_up = after(ENDED, LATE)
    assert steps_of(time_passed(given_up, 9_999.0)) == steps_of(given_up)


def test_without_a_known_epoch_a_boot_is_new_only_when_the_gateway_was_away() -> None:
    assert after(ENDED, boot(2.0, OLD), epoch=None).state is RestartState.COMMANDED
    away = after(ENDED, gone(2.0), boot(3.0, OLD), epoch=None)
    assert away.state is RestartState.BACK


def test_what_is_awaited_starts_when_the_command_has_ended() -> None:
    slow = partial(acted, at=50.0, done=DONE)
    assert after(slow, partial(time_passed, at=RESTART_WITHIN_S)).state is RestartState.COMMANDED
    assert (
        after(slow, partial(time_passed, at=50.0 + RESTART_WITHIN_S)).state
        is RestartState.NOT_RESTARTED
    )
