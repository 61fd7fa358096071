"""Sessions: those in memory, with their counters and sockets, and the workspaces on disk.

Each directory below the root is listed as a session, the lane's own included. Session directories
and run logs survive a restart, as a disk does.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.websockets import WebSocketDisconnect

from vp_tui.simulator.database import LANE_DIRECTORY

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from starlette.websockets import WebSocket

    from vp_tui.domain.models import Dialect
    from vp_tui.simulator.database import JsonObject
    from vp_tui.simulator.options import SimClock
    from vp_tui.simulator.script import SimTurnScript


DEFAULT_OWNER: Final = "owner_primary"
RESUMED_OWNER: Final = "user_universal"
"""Who owns a session after it was resumed, whoever made it."""

SEND_TIMEOUT_S: Final = 8.0
"""For which a G2 waits for a viewer that does not read."""

_NOTIFICATIONS: Final = {
    "mission_complete": ("Mission Completed", "info"),
    "assistance_needed": ("Session Failed", "error"),
    "cancelled": ("Session Cancelled", "warning"),
}
"""Title and severity of each kind."""

_VALID_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_DESCRIPTION_LENGTH: Final = 160


@dataclass(eq=False)
class SimTurn:
    """One prompt on its way through the gateway."""

    turn_id: str
    prompt: str
    script: SimTurnScript
    task: asyncio.Task[None] | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    counted: bool = True
    """Whether the session's `active_runs` still counts it; a timed-out cancel stops that."""


class SimSession:
    """Counters of one session since boot, and who is attached to it.

    `loaded` is False for a session that is only on disk: an attach has to resume it first.
    """

    def __init__(
        self, session_id: str, workspace_dir: str, clock: SimClock, dialect: Dialect = "G1"
    ) -> None:
        self.session_id = session_id
        self.dialect = dialect
        self.run_id: str | None = None
        """G2's name of its newest run."""
        self.workspace_dir = workspace_dir
        self.loaded = False
        self.sockets: list[WebSocket] = []
        self.last_event_seq = 0
        self.last_event_type: str | None = None
        self.last_activity = clock.now()
        self.turn: SimTurn | None = None
        self.active_runs = 0
        self.completed: dict[str, float] = {}
        """Event-loop time at which a prompt's turn completed, for duplicates."""
        self._clock = clock

    async def attach(self, socket: WebSocket, owner: str) -> None:
        """Add a viewer and greet it; it gets no backlog, on G2 a word of a turn under way."""
        self.sockets.append(socket)
        where: JsonObject = {"session_id": self.session_id, "workspace_dir": self.workspace_dir}
        if self.dialect == "G1":
            await self.reply(socket, "connected", where)
            return
        life = {"run_id": self.run_id, "is_live_session": True}
        known = {"session_id": self.session_id, "workspace": self.workspace_dir}
        session = {**known, "workspace_dir": self.workspace_dir, "user_id": owner, **life}
        session |= {"session_url": None, "logfire_enabled": False}
        greeting = {"message": "Connected to Universal Agent", "session": session}
        await self.reply(socket, "connected", {**greeting, **where, **life})
        if self.turn is not None and self.turn.counted:
            ids = {"turn_id": self.turn.turn_id, "active_turn_id": self.turn.turn_id}
            words = "Reattached to active turn in progress."
            await self.reply(socket, "status", {"status": "processing", **ids, "message": words})

    def detach(self, socket: WebSocket) -> None:
        """Remove a viewer, which counts as activity."""
        if socket in self.sockets:
            self.sockets.remove(socket)
        self.last_activity = self._clock.now()

    async def reply(self, socket: WebSocket, kind: str, data: JsonObject) -> None:
        """Send a frame to one viewer; it counts for all."""
        await self._send(socket, self._frame(kind, data))

    async def broadcast(self, kind: str, data: JsonObject, **more: object) -> None:
        """Send a frame to all viewers."""
        text = self._frame(kind, data, **more)
        # One after the other, on G1 without a timeout: a viewer that does not read stalls the run.
        for socket in list(self.sockets):
            await self._send(socket, text)

    async def emit(self, kind: str, data: JsonObject) -> None:
        """Send an engine's event to all viewers: it carries a top-level `time_offset`."""
        await self.broadcast(kind, data, time_offset=data.get("time_offset"))

    def _frame(self, kind: str, data: JsonObject, **more: object) -> str:
        self.last_event_seq += 1
        self.last_event_type = kind
        self.last_activity = self._clock.now()
        stamp = self._clock.stamp(self.last_activity)
        return json.dumps({"type": kind, "data": data, "timestamp": stamp, **more})

    async def _send(self, socket: WebSocket, text: str) -> None:
        try:
            async with asyncio.timeout(None if self.dialect == "G1" else SEND_TIMEOUT_S):
                await socket.send_text(text)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            # After G2's timeout it is left out and stays open: it hears nothing for ever.
            self.detach(socket)


class SimNotice(NamedTuple):
    """A notification that ends a turn; they are numbered since boot."""

    number: int
    kind: str
    message: str
    metadata: JsonObject

    def body(self, session_id: str, clock: SimClock, is_g2: bool) -> JsonObject:  # noqa: FBT001
        """Return the data of its frame."""
        title, severity = _NOTIFICATIONS[self.kind]
        now = clock.stamp()
        notification_id = f"ntf_{clock.milliseconds()}_{self.number}"
        summaries = {"summary": self.message, "full_message": self.message} if is_g2 else {}
        payload = {
            "id": notification_id,
            "kind": self.kind,
            "title": title,
            "message": self.message,
            **summaries,
            "session_id": session_id,
            "severity": severity,
            "requires_action": self.kind == "assistance_needed",
            "status": "new",
            "created_at": now,
            "updated_at": now,
            "channels": ["dashboard", "email", "telegram"],
            "email_targets": ["nobody@example.invalid"],
            "metadata": self.metadata,
        }
        return {
            "event_id": f"evt_ntf_{notification_id}",
            "type": "notification",
            "payload": payload,
            "created_at": now,
        }


def is_valid_id(session_id: str) -> bool:
    """Tell whether this may be a session's id."""
    return _VALID_ID.fullmatch(session_id) is not None


@dataclass(slots=True)
class SimSessionRecord:
    """What a session's files tell about it."""

    owner: str = "unknown"
    description: str | None = None


class SimWorkspaces:
    """The workspaces root with its directories."""

    def __init__(self, root: Path, clock: SimClock) -> None:
        self.root = root
        self._clock = clock
        self._records: dict[str, SimSessionRecord] = {}

    def path(self, session_id: str) -> Path:
        """Return the session's directory, which may not exist."""
        return self.root / session_id

    def create(self, session_id: str, owner: str) -> None:
        """Make a session's directory."""
        self.path(session_id).mkdir()
        self._records[session_id] = SimSessionRecord(owner)
        (self.path(session_id) / "session_policy.json").write_text("{}", encoding="utf-8")
        self._stamp(session_id)

    def lane(self, name: str = LANE_DIRECTORY) -> str:
        """Return the lane's directory, which belongs to nobody, made if need be."""
        if not self.path(name).is_dir():
            self.path(name).mkdir()
            self._stamp(name)
        return str(self.path(name))

    def exists(self, session_id: str) -> bool:
        """Tell whether there is such a directory."""
        return is_valid_id(session_id) and self.path(session_id).is_dir()

    def record(self, session_id: str) -> SimSessionRecord:
        """Return what is stored about the session; changes to it are kept."""
        return self._records.setdefault(session_id, SimSessionRecord())

    def newest_first(self) -> list[str]:
        """Return all ids by the directories' mtime, which a growing log does not move."""
        # Stamps of the file system tick slowly: of equal ones the one made later is the newer.
        order = {session_id: number for number, session_id in enumerate(self._records)}
        directories = [path for path in self.root.iterdir() if path.is_dir()]
        directories.sort(key=lambda p: (p.stat().st_mtime_ns, order.get(p.name, -1)), reverse=True)
        return [path.name for path in directories]

    def has(self, session_id: str, entry: str) -> bool:
        """Tell whether the session's directory holds `entry`."""
        return (self.path(session_id) / entry).exists()

    def checkpoint(
        self, session_id: str, prompt: str, at: datetime | None = None, *, describe: bool = True
    ) -> None:
        """Store that a turn completed, now or `at`: moves the mtime, sets the description once."""
        record = self.record(session_id)
        if describe and record.description is None:
            record.description = " ".join(prompt.split())[:_DESCRIPTION_LENGTH]
        draft = self.path(session_id) / "session_checkpoint.json.tmp"
        draft.write_text("{}", encoding="utf-8")
        draft.replace(draft.with_suffix(""))
        self._stamp(session_id, at)

    def log(self, session_id: str, line: str) -> None:
        """Append a line to the session's run.log, stamped with the server's time of day."""
        self.write(session_id, f"{self._clock.log_stamp()} {line}\n")

    def write(self, session_id: str, text: str) -> None:
        """Append `text` as it is to the session's run.log."""
        is_new = not self.has(session_id, "run.log")
        with (self.path(session_id) / "run.log").open("a", encoding="utf-8", newline="") as log:
            log.write(text)
        if is_new:
            self._stamp(session_id)

    def _stamp(self, session_id: str, at: datetime | None = None) -> None:
        """Give the directory the mtime that it has now, or `at`, by the gateway's own clock."""
        seconds = (at or self._clock.now()).timestamp()
        os.utime(self.path(session_id), (seconds, seconds))


def read_log_slice(path: Path, *, cursor: int | None, limit: int, max_bytes: int) -> JsonObject:
    """Return the tail endpoint's answer for `path`, traps included (docs/wire.md, section 7).

    `cursor` and `size` are bytes. A slice that begins in the middle of a line loses that line; a
    half-written last line is delivered; lines beyond `limit` are dropped silently. A directory
    raises `IsADirectoryError`.
    """
    with path.open("rb") as log:
        size = log.seek(0, 2)
        start = size if cursor is None else min(max(cursor, 0), size)
        overtaken = cursor is not None and size - start > max_bytes
        if cursor is None or overtaken:
            start = max(0, size - max_bytes)
        log.seek(max(0, start - 1))
        before = log.read(1) if start else b"\n"
        data = log.read(size - start)
    if before != b"\n":
        data = data.partition(b"\n")[2]
    lines = data.decode("utf-8", errors="replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return {
        "file": str(path),
        "cursor": size,
        "size": size,
        "lines": lines[-limit:],
        "truncated": overtaken or (cursor is None and start > 0),
        "reset": overtaken,
    }
