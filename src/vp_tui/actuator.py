"""The operator's own actuator: what sets the lane's switches, and restarts the gateway.

The gateway has no endpoint for that. The configuration names its env file, commands, or both; what
neither can do is told as instructions for the operator's hands.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from vp_tui.domain.actuation import (
    RESTART_BY_HAND,
    Actuation,
    Means,
    Plan,
    plan_for,
    shown,
)
from vp_tui.domain.audit import Step
from vp_tui.domain.text import literal
from vp_tui.running import run_command
from vp_tui.storage.errors import SwitchError, SwitchMasked
from vp_tui.storage.fallback_switch import read_switches, set_switch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vp_tui.domain.actuation import CommandRun
    from vp_tui.domain.models import Failure
    from vp_tui.domain.switches import Change, Switches
    from vp_tui.settings import Settings


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
        on_step: Callable[[Step], None] = lambda _: None,
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
        doing = _Doing(self._on_step, self._wall)
        if plan.is_manual:
            doing.done("by hand", "no actuator is configured for this: nothing was done")
            return doing.ended(by_hand=plan.by_hand)
        async with self._one_at_a_time:
            if self._tools.env_file is not None:
                failure = await _write(doing, self._tools.env_file, change)
                if failure is not None:
                    return doing.ended(failure)
            if not plan.command:
                return doing.ended(written=True, by_hand=plan.by_hand)
            run = await _run(doing, plan.command, self._tools.timeout_s)
        return doing.ended(run.failure, written=plan.env_file is not None, command=run)

    async def restart(self) -> Actuation:
        """Run the operator's restart. Nothing is raised."""
        doing = _Doing(self._on_step, self._wall)
        if not self._tools.restart:
            doing.done("by hand", "no restart command is configured: nothing was done")
            return doing.ended(by_hand=RESTART_BY_HAND)
        async with self._one_at_a_time:
            run = await _run(doing, self._tools.restart, self._tools.timeout_s)
        return doing.ended(run.failure, command=run)


def tools_of(settings: Settings) -> Tools:
    """Return the actuator's tools as they are configured; in read-only mode there are none."""
    if settings.read_only:
        return Tools()
    return Tools(
        settings.brake_env_file,
        settings.brake_apply,
        settings.brake_release,
        settings.brake_restart,
        settings.brake_timeout_s,
    )


class _Doing:
    """Steps under way."""

    def __init__(self, on_step: Callable[[Step], None], wall: Callable[[], datetime]) -> None:
        self._on_step = on_step
        self._wall = wall
        self._steps: list[Step] = []

    def done(self, step: str, detail: str) -> None:
        """Note a step."""
        self._steps.append(Step(self._wall(), step, detail))
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


async def _write(doing: _Doing, env_file: Path, change: Change) -> Failure | None:
    try:
        done = await asyncio.to_thread(set_switch, env_file, change)
    except SwitchError as error:
        name = "refused" if isinstance(error, SwitchMasked) else "not written"
        doing.done(name, f"{error.failure.reason}; {error.failure.cure}")
        return error.failure
    how = "stood already" if done.was_so else "written"
    doing.done("written", f"{change.line} {how} in {literal(str(done.path))}")
    return None


async def _run(doing: _Doing, argv: tuple[str, ...], timeout_s: float) -> CommandRun:
    doing.done("command", shown(argv))
    run = await run_command(argv, timeout_s)
    told = f"after {run.took_s:.1f} s"
    if run.failure is not None:
        doing.done("command failed", f"{run.failure.reason} {told}; {run.failure.cure}")
    else:
        doing.done("command ended", f"exit code 0 {told}")
    return run
