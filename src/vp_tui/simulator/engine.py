"""An engine adapter: plays its part of a turn's script, on the stream and in the run log.

Some runs do not end by themselves, or not soon: they hang, hear no cancel, drip, or wait for input.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.simulator.database import JsonObject

if TYPE_CHECKING:
    from vp_tui.domain.models import Dialect
    from vp_tui.simulator.database import SimDatabase, SimIds, SimMission
    from vp_tui.simulator.options import SimClock, SimLife
    from vp_tui.simulator.script import Act, SimStep, SimTurnScript
    from vp_tui.simulator.sessions import SimWorkspaces


Emit = Callable[[str, JsonObject], Awaitable[None]]

_PREVIEW_LENGTH: Final = 2500
_AUTHOR: Final = "Primary Agent"

DRIP_EVERY: Final = 2.0
"""Seconds between two frames of a run that is slow but not stuck."""
_AN_HOUR: Final = 3600.0

LOG_TAIL_BYTES: Final = 4096

QUEUED_FOR_S: Final = 2.0
"""Until a worker takes what a G2 has queued."""
CLAIMED_EVERY_S: Final = 30.0


WRAPPER_PROMPT: Final = "(the wrapper's own prompt, not the user's)"
"""What a G2 says that it takes up where a turn is not delegated."""


class SimPlace(NamedTuple):
    """Where an engine works: the VP lane's directory or the session's own."""

    session_id: str
    workspace_dir: str
    source: str
    """`vp.coder`, or on the primary path `user`, as the stream names it."""
    home: str
    """The gateway session whose turn it is."""
    owner: str

    @property
    def delegated(self) -> bool:
        """Whether this is the VP lane."""
        return self.source == "vp.coder"


class SimSurroundings(NamedTuple):
    """What engines share within one boot of the gateway."""

    clock: SimClock
    ids: SimIds
    workspaces: SimWorkspaces
    life: SimLife
    dialect: Dialect


class SimEngineError(Exception):
    """The engine raised instead of reporting an error."""


class SimEngineResult(NamedTuple):
    """How an engine's part ended: with an `error`, or without."""

    trace_id: str | None
    tool_calls: int
    duration_s: float
    error: str | None = None


class SimEngine:
    """One run of one engine; its times count from when it is made.

    `tell` sends an event without a time offset.
    """

    def __init__(self, around: SimSurroundings, place: SimPlace, tell: Emit) -> None:
        self._around = around
        self._place = place
        self._tell = tell
        self._began = asyncio.get_running_loop().time()
        self._tool_calls = 0

    async def run(self, prompt: str, script: SimTurnScript) -> SimEngineResult:
        """Play the script to its end; raises `SimEngineError` if it says so."""
        await self._open(prompt)
        act = script.act(delegated=self._place.delegated)
        error = None
        if act in {"err", "raise"}:
            error = await self._fail(script, raises=act == "raise")
        elif act == "work":
            await self._work(script)
        else:
            await self._use_tools(script)
            await self._linger(act, script)
        trace_id = self._around.ids.hex(32) if script.trace else None
        result = SimEngineResult(trace_id, self._tool_calls, self._elapsed(2), error)
        await self._tell(
            "iteration_end",
            {
                "status": "complete",
                "tool_calls": result.tool_calls,
                "duration_seconds": result.duration_s,
                "trace_id": trace_id,
            },
        )
        return result

    def _elapsed(self, digits: int) -> float:
        return round(asyncio.get_running_loop().time() - self._began, digits)

    def _log(self, line: str) -> None:
        self._around.workspaces.log(self._place.session_id, line)

    async def _event(self, kind: str, data: JsonObject, **after: object) -> None:
        """Send an event with its time offset, `after` which more data may come."""
        await self._tell(kind, {**data, "time_offset": self._elapsed(3), **after})

    async def _open(self, prompt: str) -> None:
        """Announce the engine's session and the prompt."""
        place = self._place
        await self._tell(
            "session_info",
            {
                "session_id": place.session_id,
                "workspace": place.workspace_dir,
                "user_id": place.owner,
            },
        )
        is_wrapped = self._around.dialect == "G2" and not place.delegated
        query = WRAPPER_PROMPT if is_wrapped else prompt
        await self._tell("status", {"status": "processing", "query": query, "source": place.source})
        self._around.workspaces.write(place.session_id, "\n")
        self._log(f"👤 USER: {prompt}")

    async def _say(self, text: str) -> None:
        await self._event("text", {"text": text, "author": _AUTHOR})
        self._log(f"🤖 ASSISTANT: {text}")

    async def _call(self, call_id: str, tool: str, arguments: JsonObject) -> None:
        await self._event("tool_call", {"id": call_id, "name": tool, "input": arguments})
        self._log(f"🛠️ TOOL CALL: {tool}")

    async def _work(self, script: SimTurnScript) -> None:
        if not script.trace:
            return
        await self._use_tools(script)
        source = self._place.source
        done = {"status": "tools_complete", "tool_count": self._tool_calls}
        await self._tell("status", {**done, "source": source})
        usage = {"input": 1200, "output": 340, "total": 1540}
        await self._tell(
            "status",
            {"status": "token usage", "source": source, "is_log": False, "token_usage": usage},
        )
        report = "work_products/report.html"
        path = f"{self._place.workspace_dir}/{report}"
        await self._tell("work_product", {"path": report, "absolute_path": path, "size": 15})

    async def _use_tools(self, script: SimTurnScript) -> None:
        """Read the task, think about it, and make the calls of the script."""
        if script.steps:
            task = {"status": "Reading the task", "level": "INFO", "prefix": None, "is_log": True}
            await self._event("status", task, source=self._place.source)
            self._log("ℹ️ STATUS: Reading the task")  # noqa: RUF001 - the log's own sign
            thought = {"thinking": script.thought, "signature": None, "author": _AUTHOR}
            await self._event("thinking", thought)
        for step in script.steps:
            await self._use_tool(step)

    async def _use_tool(self, step: SimStep) -> None:
        """Call a tool and tell what it returned; what a command prints goes into the log too."""
        clock = self._around.clock
        await clock.sleep(step.lead)
        call_id = f"toolu_{self._around.ids.hex(12)}"
        await self._call(call_id, step.tool, step.arguments)
        await clock.sleep(step.seconds)
        self._tool_calls += 1
        await self._event(
            "tool_result",
            {
                "tool_use_id": call_id,
                "is_error": False,
                "content_preview": step.output[:_PREVIEW_LENGTH],
                "content_size": len(step.output.encode()),
            },
        )
        if "command" in step.arguments:
            for line in (f"$ {step.arguments['command']}", *step.output.splitlines()):
                self._log(line)
        self._log("📦 TOOL RESULT")
        await self._say(step.says.replace("{source}", self._place.source))

    async def _fail(self, script: SimTurnScript, *, raises: bool) -> str:
        delegated = self._place.delegated
        if delegated:
            await self._say("starting in the VP lane")
        await self._around.clock.sleep(script.fails_after)
        if raises:
            usual = "vp hard exception" if delegated else "primary lane hard exception"
        else:
            usual = "vp lane failure" if delegated else "primary lane failed too"
        message = (script.error if delegated else "") or usual
        if raises:
            raise SimEngineError(message)
        self._log(f"❌ ERROR: {message}")
        details = {
            "message": message,
            "detail": "Traceback (scripted)\n  ...",
            "duration_seconds": self._elapsed(2),
        }
        # The end of the home session's log, also when the VP erred, if there is one.
        log = self._around.workspaces.path(self._place.home) / "run.log"
        if log.exists():
            details["log_tail"] = log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        await self._tell("error", details)
        return message

    async def _linger(self, act: Act, script: SimTurnScript) -> None:
        """Play the part of a run that hangs, hears no cancel, drips or waits for an answer."""
        if act == "deaf":
            await self._be_deaf(script)
        elif act == "drip":
            for part in range(1, max(1, int(script.hold / DRIP_EVERY)) + 1):
                await self._around.clock.sleep(DRIP_EVERY)
                await self._say(f"still indexing, part {part}")
        elif act == "input_required":
            await self._ask()
        else:
            await self._hang(script.hold if act == "orphan" else 0.0)

    async def _hang(self, orphaned_for: float) -> None:
        await self._say("working on it ...")
        await self._call("toolu_hang", "Bash", {"command": "pytest -q"})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            life = self._around.life
            if orphaned_for and life.alive:
                life.spawn(self._go_on_writing(orphaned_for))
            raise

    async def _go_on_writing(self, seconds: float) -> None:
        for step in range(1, int(seconds) + 1):
            await self._around.clock.sleep(1.0)
            self._log(f"orphan engine still working {step}")
            self._log(f"ℹ️ STATUS: orphan step {step}")  # noqa: RUF001 - the log's own sign

    async def _be_deaf(self, script: SimTurnScript) -> None:
        """Wait for a cancel, then go on for `script.hold` seconds whatever is asked."""
        await self._say("working, and deaf to cancel")
        loop, ends_at = asyncio.get_running_loop(), None
        while ends_at is None or loop.time() < ends_at:
            try:
                await asyncio.sleep(_AN_HOUR if ends_at is None else ends_at - loop.time())
            except asyncio.CancelledError:
                if not self._around.life.alive:
                    raise
                ends_at = ends_at or loop.time() + script.hold / self._around.clock.speed
        if not script.finishes:
            raise asyncio.CancelledError
        await self._say("finished in spite of the cancel")

    async def _ask(self) -> None:
        """Ask what nobody can answer."""
        await self._event(
            "input_required",
            {
                "input_id": f"input_{self._around.ids.hex(8)}",
                "question": "Which database should the migration run against?",
                "category": "clarification",
                "options": ["staging", "production"],
            },
        )
        await asyncio.Event().wait()


async def work(
    around: SimSurroundings, ledger: SimDatabase, mission: SimMission, script: SimTurnScript
) -> None:
    """Be the worker that takes a G2's mission: claim it again and again, and end it.

    One whose engine would hang dies: its claim is not renewed any more.
    """
    clock, worker = around.clock, f"worker-{around.ids.hex(6)}"
    await clock.sleep(QUEUED_FOR_S)
    ledger.claim(mission, worker, clock.now())
    act = script.act(delegated=True)
    if act not in {"work", "err", "raise"}:
        return
    left = sum(step.lead + step.seconds for step in script.steps) or script.fails_after
    while left > 0:
        await clock.sleep(min(left, CLAIMED_EVERY_S))
        left -= CLAIMED_EVERY_S
        if ledger.errands[mission.mission_id].is_cancelled:
            ledger.close(mission, "cancelled", {}, clock.now())
            return
        ledger.claim(mission, worker, clock.now())
    if act == "work":
        place = str(around.workspaces.path(f"vp_{worker}"))
        ledger.complete(mission, place, None, clock.now())
    else:
        ledger.close(mission, "failed", {"error": script.error or "worker died"}, clock.now())
