"""Commands of the operator's: run as they are, ended in time, heard without being trusted."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.gateway import settle

from vp_tui.domain.text import literal
from vp_tui.worker import actuator as running
from vp_tui.worker.actuator import LINE_LIMIT, LINES_LIMIT, run_command

if TYPE_CHECKING:
    from pathlib import Path


def script(code: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *words)


async def test_a_command_is_run_as_it_stands_and_what_it_says_is_told_in_order() -> None:
    code = (
        "import sys, os; print(sys.argv[1:], flush=True); print('to stderr', file=sys.stderr);"
        "print(sys.stdin.read() == '', os.environ['UA_SEEN'])"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UA_SEEN", "as it was")
        run = await run_command(script(code, "$HOME; rm -rf *", "a b"), 30)
    assert run.output == ("['$HOME; rm -rf *', 'a b']", "to stderr", "True as it was")
    assert (run.exit_code, run.failure) == (0, None)


async def test_a_command_that_fails_tells_how() -> None:
    run = await run_command(script("import sys; print('no such unit'); sys.exit(5)"), 30)
    assert run.output == ("no such unit",)
    assert run.exit_code == 5
    assert run.failure is not None
    assert run.failure.reason == "exit code 5"


async def test_a_command_that_a_signal_ends_tells_which() -> None:
    run = await run_command(script("import os; os.kill(os.getpid(), 9)"), 30)
    assert run.exit_code == -9
    assert run.failure is not None
    assert run.failure.reason == "ended by signal 9"


@pytest.mark.parametrize("argv", [("/nowhere/systemctl", "restart"), ("/",), ("a\0b",)])
async def test_a_command_that_cannot_be_run_is_told(argv: tuple[str, ...]) -> None:
    run = await run_command(argv, 30)
    assert (run.exit_code, run.output) == (None, ())
    assert run.failure is not None
    assert "cannot be run" in run.failure.reason
    assert run.failure.reason == literal(run.failure.reason)


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_command_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, deaf: bool
) -> None:
    monkeypatch.setattr(running, "GRACE_S", 0.05)
    pids = tmp_path / "pids"
    ignore = "trap '' TERM;" if deaf else ""
    code = f"{ignore} sleep 600 & echo $$ $! > '{pids}'; echo waiting; wait"
    run = await run_command(("sh", "-c", code), 1.0)
    assert run.failure is not None
    assert "did not end within 1 s" in run.failure.reason
    assert run.exit_code is None
    assert run.output == ("waiting",)
    for pid in pids.read_text().split():
        await gone(int(pid))


async def gone(pid: int) -> None:
    """Wait until the process is no more; the test's time limit is the deadline."""
    while True:
        try:
            with open(f"/proc/{pid}/stat") as stat:  # noqa: ASYNC230, PTH123 - no disk is asked
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (FileNotFoundError, ProcessLookupError):
            return
        await asyncio.sleep(0)


async def test_what_a_command_leaves_running_is_left_alone_and_not_waited_for() -> None:
    code = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print(child.pid)"
    )
    run = await run_command(script(code), 60)
    assert run.failure is None
    child = int(run.output[0])
    os.kill(child, 0)
    os.kill(child, signal.SIGKILL)
    await gone(child)
    await settle()  # its end of the output is closed now: nothing is left open


async def test_a_command_that_never_stops_talking_neither_blocks_nor_fills_the_memory() -> None:
    run = await run_command(script("print('first'); print('x' * 10_000_000); print('last')"), 60)
    assert run.exit_code == 0
    assert (run.output[0], run.output[-1]) == ("first", "last")
    assert any("bytes left out" in line for line in run.output)
    assert all(len(line) <= LINE_LIMIT for line in run.output)


async def test_many_lines_are_told_by_the_first_and_the_last() -> None:
    run = await run_command(script("for n in range(500): print(n)"), 60)
    assert len(run.output) == LINES_LIMIT + 1
    assert (run.output[0], run.output[-1]) == ("0", "499")
    assert run.output[LINES_LIMIT // 2] == "... 460 lines left out ..."


async def test_what_a_command_says_cannot_reach_the_terminal() -> None:
    run = await run_command(script("print('\\x1b[2J\\x07 [/red]\\r')"), 60)
    assert run.output == ("␛[2J␇ [/red]",)


async def test_a_command_goes_on_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    done = tmp_path / "done"
    code = (
        f"import os; open({str(tmp_path / 'go')!r}).read();"
        f"open({str(done)!r}, 'w').write(str(os.getpid()))"
    )
    waiting = asyncio.create_task(run_command(script(code), 60))
    writer = await asyncio.to_thread(os.open, tmp_path / "go", os.O_WRONLY)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    os.close(writer)
    while not done.exists() or not done.read_text():  # noqa: ASYNC110 - not ours
        await asyncio.sleep(0)
    await gone(int(done.read_text()))
    await settle()


async def test_a_command_goes_on_when_it_is_left_while_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, has_begun, may_end = asyncio.create_subprocess_exec, asyncio.Event(), asyncio.Event()

    async def slow_start(*args: Any, **options: Any) -> asyncio.subprocess.Process:  # noqa: ANN401 - any command
        process = await start(*args, **options)
        has_begun.set()
        try:
            await may_end.wait()
        except asyncio.CancelledError:  # as asyncio does it
            process.kill()
            raise
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow_start)
    done = tmp_path / "done"
    code = f"import os; open({str(done)!r}, 'w').write(str(os.getpid()))"
    waiting = asyncio.create_task(run_command(script(code), 60))
    await has_begun.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    may_end.set()
    while not done.exists() or not done.read_text():  # noqa: ASYNC110 - not ours
        await asyncio.sleep(0)
    await gone(int(done.read_text()))
    await settle()
