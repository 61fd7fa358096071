"""An engine adapter: plays its part of a turn's script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vp_tui.simulator.lingering import linger

if TYPE_CHECKING:
    from vp_tui.simulator.ledger import JsonObject
    from vp_tui.simulator.script import Step, TurnScript
    from vp_tui.simulator.voice import Voice

LOG_TAIL_BYTES: Final = 4096


class EngineError(Exception):
    """The engine raised instead of reporting an error."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """How an engine's part ended: with an `error`, or without."""

    trace_id: str | None
    tool_calls: int
    duration_s: float
    error: str | None = None


class Engine:
    """One run of one engine."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._tool_calls = 0

    async def run(self, prompt: str, script: TurnScript) -> EngineResult:
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
        result = EngineResult(trace_id, self._tool_calls, voice.elapsed(2), error)
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

    async def _work(self, script: TurnScript) -> None:
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

    async def _play(self, script: TurnScript) -> None:
        if script.steps:
            await self._voice.begin(script.thought)
        for step in script.steps:
            await self._use_tool(step)

    async def _use_tool(self, step: Step) -> None:
        voice, clock = self._voice, self._voice.around.clock
        await clock.sleep(step.lead)
        call_id = f"toolu_{voice.around.ids.hex(12)}"
        await voice.call(call_id, step.tool, step.arguments)
        await clock.sleep(step.seconds)
        self._tool_calls += 1
        await voice.result(call_id, step)
        await voice.say(step.says.replace("{source}", voice.place.source))

    async def _fail(self, script: TurnScript, *, raises: bool) -> str:
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
            raise EngineError(message)
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
