"""The operator's actuator: what it would do, what it did, and what is left for the hands."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    RELEASE,
    Change,
    Means,
    Switch,
    switches_in,
)
from vp_tui.worker.actuator import Actuator

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.lane.switches import Actuation

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SHADOW_ON = Change(Switch.SHADOW, on=True)


def script(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.fixture
def env(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text("UA_OPS_TOKEN=hush\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def text_of(path: Path) -> str:
    return path.read_text()


def write(path: Path, text: str) -> None:
    path.write_text(text)


def actuator(means: Means, timeout_s: float = 60.0) -> Actuator:
    return Actuator(means, timeout_s, wall=lambda: NOW)


def names(done: Actuation) -> list[str]:
    return [step.step for step in done.steps]


async def test_without_tools_the_plan_is_what_to_do_by_hand() -> None:
    means = Means(restart=("true",))
    assert means.is_manual(FORCE_FALLBACK)
    told = "\n".join(means.plan(FORCE_FALLBACK))
    assert "    UA_CODER_VP_FORCE_FALLBACK=1\n" in told
    assert "UA_DISABLE_CODER_VP_FORCE_FALLBACK" in told
    assert "Restart the gateway" in told
    done = await actuator(means).change(FORCE_FALLBACK)
    assert names(done) == ["by hand"]
    assert done.by_hand == means.by_hand(FORCE_FALLBACK)
    assert not done.is_carried_out


async def test_an_env_file_alone_is_written_and_not_in_force(env: Path) -> None:
    means = Means(str(env))
    plan = means.plan(FORCE_FALLBACK)
    assert plan[0] == f"write UA_CODER_VP_FORCE_FALLBACK=1 into {env}"
    assert "not in force until the gateway restarts" in plan[1]
    done = await actuator(means).change(FORCE_FALLBACK)
    assert text_of(env) == "UA_OPS_TOKEN=hush\nUA_CODER_VP_FORCE_FALLBACK=1\n"
    assert names(done) == ["written"]
    assert done.steps[0].at == NOW
    assert (done.is_carried_out, done.needs_restart) == (True, True)
    assert switches_in(text_of(env).encode()).forced_fallback


async def test_the_file_comes_first_then_the_command_of_that_change(env: Path) -> None:
    seen = env.with_name("seen")
    code = f"open({str(seen)!r}, 'a').write(open({str(env)!r}).read().split()[-1] + chr(10))"
    means = Means(str(env), apply=script(code), release=script(code), restart=("false",))
    acting = actuator(means)
    for change in (FORCE_FALLBACK, RELEASE):
        done = await acting.change(change)
        assert names(done) == ["written", "command", "command ended"]
        assert (done.is_carried_out, done.needs_restart) == (True, False)
    assert text_of(seen).split() == [FORCE_FALLBACK.line, RELEASE.line]


async def test_shadow_and_lane_are_only_written(env: Path) -> None:
    means = Means(str(env), apply=("false",), release=("false",))
    done = await actuator(means).change(SHADOW_ON)
    assert names(done) == ["written"]
    assert done.needs_restart
    assert "UA_CODER_VP_SHADOW_MODE=1" in text_of(env)
    assert Means(apply=("true",)).is_manual(SHADOW_ON)


async def test_commands_alone_are_enough() -> None:
    done = await actuator(Means(apply=script("print('braked')"))).change(FORCE_FALLBACK)
    assert names(done) == ["command", "command ended"]
    assert done.command is not None
    assert done.command.output == ("braked",)
    assert (done.is_carried_out, done.written, done.needs_restart) == (True, False, False)


async def test_a_switch_that_stands_already_is_applied_all_the_same(env: Path) -> None:
    acting = actuator(Means(str(env), apply=("true",)))
    await acting.change(FORCE_FALLBACK)
    done = await acting.change(FORCE_FALLBACK)
    assert "stood already" in done.steps[0].detail
    assert names(done) == ["written", "command", "command ended"]


async def test_a_masked_switch_is_refused_and_no_command_is_run(env: Path) -> None:
    write(env, "UA_DISABLE_CODER_VP_FORCE_FALLBACK=1\nUA_OPS_TOKEN=hush\n")
    done = await actuator(Means(str(env), apply=("true",))).change(FORCE_FALLBACK)
    assert names(done) == ["refused"]
    assert done.failure is not None
    assert "UA_DISABLE_CODER_VP_FORCE_FALLBACK is on" in done.failure.reason
    assert not done.is_carried_out
    assert "hush" not in str(done)


async def test_a_file_that_cannot_be_written_stops_the_command(env: Path) -> None:
    means = Means(str(env.with_name("gone")), apply=("true",))
    done = await actuator(means).change(FORCE_FALLBACK)
    assert names(done) == ["not written"]
    assert done.command is None


@pytest.mark.parametrize(
    ("code", "timeout_s", "reason"),
    [
        ("import sys; sys.exit(3)", 60, "exit code 3"),
        ("import time; time.sleep(600)", 0.2, "0.2 s"),
    ],
)
async def test_a_command_that_fails_or_hangs_leaves_the_switch_written(
    env: Path, code: str, timeout_s: float, reason: str
) -> None:
    means = Means(str(env), apply=script(code))
    done = await actuator(means, timeout_s).change(FORCE_FALLBACK)
    assert names(done) == ["written", "command", "command failed"]
    assert done.failure is not None
    assert reason in done.failure.reason
    assert (done.is_carried_out, done.written, done.needs_restart) == (False, True, True)


async def test_a_restart_runs_its_command_or_says_how() -> None:
    acting = actuator(Means(restart=script("print('restarted')")))
    done = await acting.restart()
    assert names(done) == ["command", "command ended"]
    by_hand = await actuator(Means()).restart()
    assert "Restart the gateway" in by_hand.by_hand[0]
    assert not by_hand.is_carried_out
