"""What an engine makes heard: its events on the stream and its lines in the run log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vp_tui.simulator.clock import Clock
    from vp_tui.simulator.ledger import Ids, JsonObject
    from vp_tui.simulator.life import Life
    from vp_tui.simulator.script import Step
    from vp_tui.simulator.workspace import Workspaces

Emit = Callable[[str, "JsonObject"], Awaitable[None]]

_PREVIEW_LENGTH: Final = 2500
_AUTHOR: Final = "Primary Agent"


@dataclass(frozen=True, slots=True)
class Place:
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
class Surroundings:
    """What engines share within one boot of the gateway."""

    clock: Clock
    ids: Ids
    workspaces: Workspaces
    life: Life


class Voice:
    """Speaks for one run of one engine; its times count from the beginning of that run."""

    def __init__(self, around: Surroundings, place: Place, emit: Emit) -> None:
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

    async def result(self, call_id: str, step: Step) -> None:
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
