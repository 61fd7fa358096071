"""The embedded gateway as a process: the command, the child it can be, and the server in it.

It is a faithful G1, or G2, in one process, on the loopback interface only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vp_tui.simulator.driver import SimDriver
from vp_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Self

    from vp_tui.simulator.database import JsonObject
    from vp_tui.simulator.options import SimOptions


STOP_TIMEOUT_S: Final = 5.0


def run_gateway_command(options: SimOptions, *, exit_with_parent: bool) -> int:
    """Run `vp-tui gateway` to its end and return the exit code.

    Prints one line of JSON, `{"url": …, "pid": …}`, when the gateway listens. Tokens that are not
    given come from the environment. With `exit_with_parent` the end of stdin ends the gateway.
    """
    options = replace(
        options,
        ops_token=options.ops_token or os.environ.get("UA_OPS_TOKEN"),
        internal_token=options.internal_token or os.environ.get("UA_INTERNAL_API_TOKEN"),
    )
    try:
        asyncio.run(_serve(options, exit_with_parent=exit_with_parent))
    except OSError as error:
        sys.stderr.write(f"ERROR: the gateway cannot listen on port {options.port}: {error}\n")
        return 1
    return 0


async def _serve(options: SimOptions, *, exit_with_parent: bool) -> None:
    """Run a gateway until it is signalled, its scenario crashes or its parent ends.

    SIGUSR1 restarts it; SIGHUP, SIGTERM and SIGINT end it.
    """
    loop, stop, driver = asyncio.get_running_loop(), asyncio.Event(), SimDriver(options)
    if exit_with_parent:
        _stop_at_end_of_stdin(stop)
    async with playing(driver) as scenario, asyncio.TaskGroup() as tasks:
        loop.add_signal_handler(signal.SIGUSR1, lambda: tasks.create_task(driver.restart()))
        for ending in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(ending, stop.set)
        scenario.add_done_callback(lambda _: stop.set())
        _say({"url": driver.url, "pid": os.getpid()})
        if exit_with_parent:
            driver.on_story = lambda told: _say({"story": told})
            if driver.story:
                driver.on_story(driver.story)
        await stop.wait()


def _say(what: JsonObject) -> None:
    """Write a line to stdout, for who started the gateway; one who has left is no matter."""
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def _stop_at_end_of_stdin(stop: asyncio.Event) -> None:
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(stdin, 4096):
            loop.remove_reader(stdin)
            stop.set()

    loop.add_reader(stdin, read)


class SimProcess:
    """A gateway that runs as a child and ends with its parent, however that ends."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url
        self.pid = process.pid

    def story(self) -> Iterator[str]:
        """Yield what its scenario will do next, as it is told, until the child ends."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with contextlib.suppress(ValueError):  # it was closed meanwhile
            for line in self._process.stdout:
                yield json.loads(line)["story"]

    def stop(self) -> None:
        """End the child, by force if it does not hear."""
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def spawn_gateway(options: SimOptions) -> SimProcess:
    """Start a gateway as a child process and wait until it listens.

    Tokens travel by environment, never on the command line. Raises `RuntimeError` with the child's
    words if it does not come up.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-m", "vp_tui", "gateway", *_arguments(options), "--exit-with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(options),
            # Ctrl-C in the terminal is the parent's to handle.
            start_new_session=True,
        )
    except OSError as error:
        raise RuntimeError(f"the embedded gateway cannot be started: {error}") from error
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    first_line = process.stdout.readline()
    if not first_line:
        _, words = process.communicate()
        raise RuntimeError(f"the embedded gateway did not start: {words.strip()}")
    return SimProcess(process, json.loads(first_line)["url"])


def _arguments(options: SimOptions) -> list[str]:
    names = ("port", "scenario", "dialect", "speed", "seed", "rate", "sessions", "env_file")
    return [
        f"--{name.replace('_', '-')}={value}"
        for name in names
        if (value := getattr(options, name)) is not None
    ]


def _environment(options: SimOptions) -> dict[str, str]:
    tokens = {"UA_OPS_TOKEN": options.ops_token, "UA_INTERNAL_API_TOKEN": options.internal_token}
    inherited = {name: value for name, value in os.environ.items() if name not in tokens}
    return inherited | {name: token for name, token in tokens.items() if token}


@contextlib.asynccontextmanager
async def running_gateway(options: SimOptions) -> AsyncIterator[SimDriver]:
    """Run a gateway and its scenario beside the caller; both end with the context.

    If the scenario crashed, the end of the context raises its exception.
    """
    driver = SimDriver(options)
    async with playing(driver):
        yield driver


@contextlib.asynccontextmanager
async def playing(driver: SimDriver) -> AsyncIterator[asyncio.Task[None]]:
    """Let a gateway listen and play its scenario beside the caller, as `running_gateway` does."""
    try:
        await driver.listen()
        scenario = asyncio.create_task(_play(driver))
        await asyncio.sleep(0)  # lets the scenario lay its ground before anybody looks
        try:
            yield scenario
        finally:
            scenario.cancel()
            await asyncio.wait({scenario})
    finally:
        await driver.close()
    if not scenario.cancelled():
        scenario.result()


async def _play(driver: SimDriver) -> None:
    """Play the scenario and then nothing: the task ends by itself only when it crashes."""
    await SCENARIOS[driver.options.scenario](driver)
    await asyncio.Event().wait()
