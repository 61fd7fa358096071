"""An engine adapter: plays its part of a turn's script, on the stream and in the run log.

Some runs do not end by themselves, or not soon: they hang, hear no cancel, drip, or wait for input.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vp_tui.simulator.database import JsonObject, SimIds
    from vp_tui.simulator.options import SimClock, SimLife
    from vp_tui.simulator.script import Act, SimStep, SimTurnScript
    from vp_tui.simulator.sessions import SimWorkspaces


Emit = Callable[[str, "JsonObject"], Awaitable[None]]

_PREVIEW_LENGTH: Final = 2500
_AUTHOR: Final = "Primary Agent"

DRIP_EVERY: Final = 2.0
"""Seconds between two frames of a run that is slow but not stuck."""
_AN_HOUR: Final = 3600.0

LOG_TAIL_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class SimPlace:
    """Where an engine works: the VP lane's directory or the session's own."""

    session_id: str
    workspace_dir: str
    source: str
    """`vp.coder` or `user`, as the stream names it."""
    home: str
    """The gateway session whose turn it is."""
    owner: str

    @property
    def delegated(self) -> bool:
        """Whether this is the VP lane."""
        return self.source == "vp.coder"


@dataclass(frozen=True)
class SimSurroundings:
    """What engines share within one boot of the gateway."""

    clock: SimClock
    ids: SimIds
    workspaces: SimWorkspaces
    life: SimLife


class SimVoice:
    """Speaks for one run of one engine; its times count from the beginning of that run."""

    def __init__(self, around: SimSurroundings, place: SimPlace, emit: Emit) -> None:
        self.around = around
        self.place = place
        self.tell = emit
        """Sends an event without a time offset."""
        self._began = asyncio.get_running_loop().time()

    def elapsed(self, digits: int) -> float:
        """Return the seconds since the run began."""
        return round(asyncio.get_running_loop().time() - self._began, digits)

    def log(self, line: str) -> None:
        """Write a line to the run log of the place."""
        self.around.workspaces.log(self.place.session_id, line)

    async def event(self, kind: str, data: JsonObject, **after: object) -> None:
        """Send an event with its time offset, `after` which more data may come."""
        await self.tell(kind, {**data, "time_offset": self.elapsed(3), **after})

    async def open(self, prompt: str) -> None:
        """Announce the engine's session and the prompt."""
        place = self.place
        await self.tell(
            "session_info",
            {
                "session_id": place.session_id,
                "workspace": place.workspace_dir,
                "user_id": place.owner,
            },
        )
        await self.tell("status", {"status": "processing", "query": prompt, "source": place.source})
        self.around.workspaces.write(place.session_id, "\n")
        self.log(f"👤 USER: {prompt}")

    async def begin(self, thought: str) -> None:
        """Read the task and think about it."""
        reading: JsonObject = {"status": "Reading the task", "level": "INFO"}
        await self.event(
            "status", {**reading, "prefix": None, "is_log": True}, source=self.place.source
        )
        self.log("ℹ️ STATUS: Reading the task")  # noqa: RUF001 - the log's own sign
        await self.event("thinking", {"thinking": thought, "signature": None, "author": _AUTHOR})

    async def say(self, text: str) -> None:
        """Stream a piece of the answer."""
        await self.event("text", {"text": text, "author": _AUTHOR})
        self.log(f"🤖 ASSISTANT: {text}")

    async def call(self, call_id: str, tool: str, arguments: JsonObject) -> None:
        """Call a tool."""
        await self.event("tool_call", {"id": call_id, "name": tool, "input": arguments})
        self.log(f"🛠️ TOOL CALL: {tool}")

    async def result(self, call_id: str, step: SimStep) -> None:
        """Tell what the tool returned; what a command prints goes into the log too."""
        await self.event(
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
                self.log(line)
        self.log("📦 TOOL RESULT")


async def linger(voice: SimVoice, act: Act, script: SimTurnScript) -> None:
    """Play the part of a run that hangs, hears no cancel, drips or waits for an answer."""
    if act == "deaf":
        await _be_deaf(voice, script)
    elif act == "drip":
        await _drip(voice, script.hold)
    elif act == "input_required":
        await _ask(voice)
    else:
        await _hang(voice, script.hold if act == "orphan" else 0.0)


async def _hang(voice: SimVoice, orphaned_for: float) -> None:
    await voice.say("working on it ...")
    await voice.call("toolu_hang", "Bash", {"command": "pytest -q"})
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        life = voice.around.life
        if orphaned_for and life.alive:
            life.spawn(_go_on_writing(voice, orphaned_for))
        raise


async def _go_on_writing(voice: SimVoice, seconds: float) -> None:
    for step in range(1, int(seconds) + 1):
        await voice.around.clock.sleep(1.0)
        voice.log(f"orphan engine still working {step}")
        voice.log(f"ℹ️ STATUS: orphan step {step}")  # noqa: RUF001 - the log's own sign


async def _be_deaf(voice: SimVoice, script: SimTurnScript) -> None:
    """Wait for a cancel, then go on for `script.hold` seconds whatever is asked."""
    await voice.say("working, and deaf to cancel")
    loop, ends_at = asyncio.get_running_loop(), None
    while ends_at is None or loop.time() < ends_at:
        try:
            await asyncio.sleep(_AN_HOUR if ends_at is None else ends_at - loop.time())
        except asyncio.CancelledError:
            if not voice.around.life.alive:
                raise
            ends_at = ends_at or loop.time() + script.hold / voice.around.clock.speed
    if not script.finishes:
        raise asyncio.CancelledError
    await voice.say("finished in spite of the cancel")


async def _drip(voice: SimVoice, seconds: float) -> None:
    for part in range(1, max(1, int(seconds / DRIP_EVERY)) + 1):
        await voice.around.clock.sleep(DRIP_EVERY)
        await voice.say(f"still indexing, part {part}")


async def _ask(voice: SimVoice) -> None:
    """Ask what nobody can answer."""
    await voice.event(
        "input_required",
        {
            "input_id": f"input_{voice.around.ids.hex(8)}",
            "question": "Which database should the migration run against?",
            "category": "clarification",
            "options": ["staging", "production"],
        },
    )
    await asyncio.Event().wait()


class SimEngineError(Exception):
    """The engine raised instead of reporting an error."""


@dataclass(frozen=True, slots=True)
class SimEngineResult:
    """How an engine's part ended: with an `error`, or without."""

    trace_id: str | None
    tool_calls: int
    duration_s: float
    error: str | None = None


class SimEngine:
    """One run of one engine."""

    def __init__(self, voice: SimVoice) -> None:
        self._voice = voice
        self._tool_calls = 0

    async def run(self, prompt: str, script: SimTurnScript) -> SimEngineResult:
        """Play the script to its end; raises `EngineError` if it says so."""
        voice = self._voice
        await voice.open(prompt)
        act = script.act(delegated=voice.place.delegated)
        error = None
        if act in {"err", "raise"}:
            error = await self._fail(script, raises=act == "raise")
        elif act == "work":
            await self._work(script)
        else:
            await self._play(script)
            await linger(voice, act, script)
        trace_id = voice.around.ids.hex(32) if script.trace else None
        result = SimEngineResult(trace_id, self._tool_calls, voice.elapsed(2), error)
        await voice.tell(
            "iteration_end",
            {
                "status": "complete",
                "tool_calls": result.tool_calls,
                "duration_seconds": result.duration_s,
                "trace_id": trace_id,
            },
        )
        return result

    async def _work(self, script: SimTurnScript) -> None:
        if not script.trace:
            return
        await self._play(script)
        voice, source = self._voice, self._voice.place.source
        done: JsonObject = {"status": "tools_complete", "tool_count": self._tool_calls}
        await voice.tell("status", {**done, "source": source})
        usage = {"input": 1200, "output": 340, "total": 1540}
        await voice.tell(
            "status",
            {"status": "token usage", "source": source, "is_log": False, "token_usage": usage},
        )
        report = "work_products/report.html"
        path = f"{voice.place.workspace_dir}/{report}"
        await voice.tell("work_product", {"path": report, "absolute_path": path, "size": 15})

    async def _play(self, script: SimTurnScript) -> None:
        if script.steps:
            await self._voice.begin(script.thought)
        for step in script.steps:
            await self._use_tool(step)

    async def _use_tool(self, step: SimStep) -> None:
        voice, clock = self._voice, self._voice.around.clock
        await clock.sleep(step.lead)
        call_id = f"toolu_{voice.around.ids.hex(12)}"
        await voice.call(call_id, step.tool, step.arguments)
        await clock.sleep(step.seconds)
        self._tool_calls += 1
        await voice.result(call_id, step)
        await voice.say(step.says.replace("{source}", voice.place.source))

    async def _fail(self, script: SimTurnScript, *, raises: bool) -> str:
        voice = self._voice
        delegated = voice.place.delegated
        if delegated:
            await voice.say("starting in the VP lane")
        await voice.around.clock.sleep(script.fails_after)
        if raises:
            usual = "vp hard exception" if delegated else "primary lane hard exception"
        else:
            usual = "vp lane failure" if delegated else "primary lane failed too"
        message = (script.error if delegated else "") or usual
        if raises:
            raise SimEngineError(message)
        voice.log(f"❌ ERROR: {message}")
        await voice.tell("error", {**self._details(message), **self._log_tail()})
        return message

    def _details(self, message: str) -> JsonObject:
        return {
            "message": message,
            "detail": "Traceback (scripted)\n  ...",
            "duration_seconds": self._voice.elapsed(2),
        }

    def _log_tail(self) -> JsonObject:
        """Return the end of the home session's log, also when the VP erred, if there is one."""
        log = self._voice.around.workspaces.path(self._voice.place.home) / "run.log"
        if not log.exists():
            return {}
        return {"log_tail": log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", errors="replace")}
