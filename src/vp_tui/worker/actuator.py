"""The operator's own actuator: what sets the lane's switches, and restarts the gateway.

The gateway has no endpoint for that. The configuration names its env file, commands, or both; what
neither can do is told as instructions for the operator's hands. A command runs without a shell and
with a time limit, and its output is kept as plain lines.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.audit import ActionStep
from vp_tui.domain.lane.switches import (
    RESTART_BY_HAND,
    Actuation,
    CommandRun,
    Means,
    Plan,
    plan_for,
    shown,
)
from vp_tui.domain.models import Failure
from vp_tui.domain.text import clip, literal
from vp_tui.storage.env_switches import read_switches, set_switch
from vp_tui.storage.errors import SwitchError, SwitchMasked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.lane.switches import Change, Switches


OUTPUT_LIMIT: Final = 4 * 1024
"""Bytes of output kept from the beginning, and as many from the end."""
LINES_LIMIT: Final = 40
LINE_LIMIT: Final = 300
GRACE_S: Final = 2.0
"""Between asking a command that took too long to end, and killing it."""
DRAIN_S: Final = 0.3
"""How long output is awaited after the command has ended."""


class _Output(asyncio.Protocol):
    """What a command says. It is read to the end, so that nothing it left behind blocks on us."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self._head = b""
        self._tail = b""
        self._size = 0

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        room = OUTPUT_LIMIT - len(self._head)
        self._head += data[:room]
        self._tail = (self._tail + data[room:])[-OUTPUT_LIMIT:]

    def connection_lost(self, _: Exception | None) -> None:
        self.ended.set()

    def lines(self) -> tuple[str, ...]:
        left_out = self._size - len(self._head) - len(self._tail)
        gap = f"\n... {left_out} bytes left out ...\n".encode() if left_out else b""
        text = (self._head + gap + self._tail).decode("utf-8", "replace")
        lines = [line.rstrip("\r") for line in text.split("\n")]
        kept = [clip(literal(line), LINE_LIMIT) for line in lines if line.strip()]
        if len(kept) > LINES_LIMIT:
            half = LINES_LIMIT // 2
            between = f"... {len(kept) - 2 * half} lines left out ..."
            kept = [*kept[:half], between, *kept[-half:]]
        return tuple(kept)


async def run_command(
    argv: tuple[str, ...], timeout_s: float, *, clock: Callable[[], float] = time.monotonic
) -> CommandRun:
    """Run a command to its end and return what came of it; nothing is raised.

    It has no terminal and no input, a process group of its own, and our environment. After
    `timeout_s` seconds the whole group is ended. What it leaves running is left alone, and a
    command goes on when whoever waits for it is cancelled: half a restart is worse than one.
    """
    began, output = clock(), _Output()
    try:
        # Whoever starts it may leave meanwhile: asyncio would kill a command that has just begun.
        process = await asyncio.shield(_start(argv, output))
    except (OSError, ValueError) as error:
        return CommandRun(argv, None, (), clock() - began, _not_started(argv[0], error))
    code, failure = await _end_of(process, timeout_s)
    with suppress(TimeoutError):  # something that it started may have its output still
        await asyncio.wait_for(output.ended.wait(), DRAIN_S)
    return CommandRun(argv, code, output.lines(), clock() - began, failure)


async def _start(argv: tuple[str, ...], output: _Output) -> asyncio.subprocess.Process:
    reading, writing = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: output, os.fdopen(reading, "rb", buffering=0))
    return process


async def _end_of(
    process: asyncio.subprocess.Process, timeout_s: float
) -> tuple[int | None, Failure | None]:
    """Wait for the end, and bring it about when it does not come."""
    try:
        code = await asyncio.wait_for(process.wait(), timeout_s)
    except TimeoutError:
        await _end_group(process)
        reason = f"it did not end within {timeout_s:g} s and was stopped, with all it had started"
        return None, Failure(reason, "see what it waits for, or raise brake.timeout_s")
    if code == 0:
        return code, None
    ended = f"exit code {code}" if code > 0 else f"ended by signal {-code}"
    return code, Failure(ended, "its output says why; then try again, or do it by hand")


async def _end_group(process: asyncio.subprocess.Process) -> None:
    _signal(process.pid, signal.SIGTERM)
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), GRACE_S)
    _signal(process.pid, signal.SIGKILL)  # those too that its first process left behind
    await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _not_started(program: str, error: Exception) -> Failure:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return Failure(
        f"{literal(program)} cannot be run: {literal(said)}",
        "correct the command in the table brake",
    )


class Tools(NamedTuple):
    """What the configuration gives; commands as their arguments, () where there is none."""

    env_file: Path | None = None
    apply: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    timeout_s: float = 60.0

    @property
    def means(self) -> Means:
        """What they can be used for, as the screen shows it."""
        env_file = None if self.env_file is None else str(self.env_file)
        return Means(env_file, self.apply, self.release, self.restart)


class Actuator:
    """Does one thing at a time, and tells each step as it is done."""

    def __init__(
        self,
        tools: Tools,
        *,
        on_step: Callable[[ActionStep], None] = lambda _: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tools = tools
        self._on_step = on_step
        self._wall = wall
        self._one_at_a_time = asyncio.Lock()

    def plan(self, change: Change) -> Plan:
        """Return what `change` would do."""
        return plan_for(change, self._tools.means)

    async def switches(self) -> Switches | None:
        """Return what the env file says, None without one. Raises SwitchError."""
        if self._tools.env_file is None:
            return None
        return await asyncio.to_thread(read_switches, self._tools.env_file)

    async def change(self, change: Change) -> Actuation:
        """Set a switch by all that is configured for it: first the file, then the command.

        The command is not run when the file could not be written. Nothing is raised.
        """
        plan = self.plan(change)
        steps = _Steps(self._on_step, self._wall)
        if plan.is_manual:
            steps.done("by hand", "no actuator is configured for this: nothing was done")
            return steps.ended(by_hand=plan.by_hand)
        async with self._one_at_a_time:
            if self._tools.env_file is not None:
                failure = await _write(steps, self._tools.env_file, change)
                if failure is not None:
                    return steps.ended(failure)
            if not plan.command:
                return steps.ended(written=True, by_hand=plan.by_hand)
            run = await _run(steps, plan.command, self._tools.timeout_s)
        return steps.ended(run.failure, written=plan.env_file is not None, command=run)

    async def restart(self) -> Actuation:
        """Run the operator's restart. Nothing is raised."""
        steps = _Steps(self._on_step, self._wall)
        if not self._tools.restart:
            steps.done("by hand", "no restart command is configured: nothing was done")
            return steps.ended(by_hand=RESTART_BY_HAND)
        async with self._one_at_a_time:
            run = await _run(steps, self._tools.restart, self._tools.timeout_s)
        return steps.ended(run.failure, command=run)


class _Steps:
    """Steps under way."""

    def __init__(self, on_step: Callable[[ActionStep], None], wall: Callable[[], datetime]) -> None:
        self._on_step = on_step
        self._wall = wall
        self._steps: list[ActionStep] = []

    def done(self, step: str, detail: str) -> None:
        """Note a step."""
        self._steps.append(ActionStep(self._wall(), step, detail))
        self._on_step(self._steps[-1])

    def ended(
        self,
        failure: Failure | None = None,
        *,
        written: bool = False,
        command: CommandRun | None = None,
        by_hand: tuple[str, ...] = (),
    ) -> Actuation:
        """Return what came of it."""
        return Actuation(tuple(self._steps), failure, written, command, by_hand)


async def _write(steps: _Steps, env_file: Path, change: Change) -> Failure | None:
    try:
        done = await asyncio.to_thread(set_switch, env_file, change)
    except SwitchError as error:
        name = "refused" if isinstance(error, SwitchMasked) else "not written"
        steps.done(name, f"{error.failure.reason}; {error.failure.cure}")
        return error.failure
    how = "stood already" if done.was_so else "written"
    steps.done("written", f"{change.line} {how} in {literal(str(done.path))}")
    return None


async def _run(steps: _Steps, argv: tuple[str, ...], timeout_s: float) -> CommandRun:
    steps.done("command", shown(argv))
    run = await run_command(argv, timeout_s)
    told = f"after {run.took_s:.1f} s"
    if run.failure is not None:
        steps.done("command failed", f"{run.failure.reason} {told}; {run.failure.cure}")
    else:
        steps.done("command ended", f"exit code 0 {told}")
    return run
