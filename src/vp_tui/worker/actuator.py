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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.switches import (
    RESTART_BY_HAND,
    Actuation,
    CommandRun,
    shown,
)
from vp_tui.domain.models import ActionStep, Failure
from vp_tui.domain.text import clip, literal, took
from vp_tui.storage.env_switches import set_switch
from vp_tui.storage.errors import SwitchError, SwitchMasked

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.domain.lane.switches import Change, Means


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
        said = (error.strerror if isinstance(error, OSError) else None) or str(error)
        reason = f"{literal(argv[0])} cannot be run: {literal(said)}"
        failure = Failure(reason, "correct the command in the table brake")
        return CommandRun(argv, None, (), clock() - began, failure)
    code, ended = await _end_of(process, timeout_s)
    with suppress(TimeoutError):  # something that it started may have its output still
        await asyncio.wait_for(output.ended.wait(), DRAIN_S)
    return CommandRun(argv, code, output.lines(), clock() - began, ended)


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


@dataclass(frozen=True, slots=True)
class Actuator:
    """Sets a switch, and restarts the gateway, by what is configured; nothing is raised."""

    means: Means
    timeout_s: float = 60.0
    """Seconds that a command may take."""
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def change(self, change: Change) -> Actuation:
        """Set a switch by all that is configured for it: first the file, then the command.

        The command is not run when the file could not be written.
        """
        means, command, done = self.means, self.means.command(change), Actuation(())
        if means.is_manual(change):
            return self._by_hand("no actuator is configured for this", means.by_hand(change))
        if means.env_file is not None:
            done = await self._written(Path(means.env_file), change)
        if done.failure is not None:
            return done
        if not command:
            return done._replace(by_hand=means.by_hand(change))
        return await self._run(command, done)

    async def restart(self) -> Actuation:
        """Run the operator's restart."""
        if not self.means.restart:
            return self._by_hand("no restart command is configured", RESTART_BY_HAND)
        return await self._run(self.means.restart, Actuation(()))

    def _by_hand(self, why: str, what: tuple[str, ...]) -> Actuation:
        return Actuation((self._step("by hand", f"{why}: nothing was done"),), by_hand=what)

    async def _written(self, env_file: Path, change: Change) -> Actuation:
        try:
            done = await asyncio.to_thread(set_switch, env_file, change)
        except SwitchError as error:
            name = "refused" if isinstance(error, SwitchMasked) else "not written"
            failure = error.failure
            return Actuation((self._step(name, f"{failure.reason}; {failure.cure}"),), failure)
        how = "stood already" if done.was_so else "written"
        step = self._step("written", f"{change.line} {how} in {literal(str(done.path))}")
        return Actuation((step,), written=True)

    async def _run(self, argv: tuple[str, ...], done: Actuation) -> Actuation:
        """Return what was done with the command run as well."""
        began = self._step("command", shown(argv))
        run = await run_command(argv, self.timeout_s)
        name, told = "command ended", f"exit code 0 after {took(run.took_s)}"
        if (failure := run.failure) is not None:
            name = "command failed"
            told = f"{failure.reason} after {took(run.took_s)}; {failure.cure}"
        steps = (*done.steps, began, self._step(name, told))
        return done._replace(steps=steps, failure=failure, command=run)

    def _step(self, name: str, detail: str) -> ActionStep:
        return ActionStep(self.wall(), name, detail)
