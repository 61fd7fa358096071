"""The recordings of a real G1, and what is needed to hold the embedded gateway against them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
import websockets
from tests.support.patience import PATIENCE_S

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import running_gateway, spawn_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from vp_tui.simulator.driver import SimDriver
    from vp_tui.simulator.process import SimProcess

WIRE = Path(__file__).parents[1] / "wire"
RECORDED_ROOT = "/srv/gateway/workspaces"
OPS = {"x-ua-ops-token": "ops-secret"}
INTERNAL = {"x-ua-internal-token": "internal-secret"}
PLAIN: dict[str, Any] = {"trust_env": False, "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
"""For clients: no proxies and no certificates, which take long to load."""

_VOLATILE = (
    (r"session_\d{8}_\d{6}_[0-9a-z]{8}\b", "<session>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00", "<utc stamp>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?", "<naive stamp>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
    (r"\bturn_\d{13}_[0-9a-f]{8}\b", "<turn>"),
    (r"ntf_\d{13}_\d+\b", "<notification>"),
    (r"\btoolu_[0-9a-f]{12}\b", "<tool>"),
    (r"\b[0-9a-f]{32}\b", "<id>"),
    (r"\[\d\d:\d\d:\d\d\]", "[time]"),
)

_SECONDS = ("time_offset", "duration_seconds")
"""These may be 0.0 by chance."""


def normalised(value: object, root: object = RECORDED_ROOT) -> Any:  # noqa: ANN401 - any JSON
    """Return `value` with ids, stamps, seconds and the root's path replaced by their kind."""
    if isinstance(value, dict):
        return {
            key: "<float>" if key in _SECONDS and item is not None else normalised(item, root)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [normalised(item, root) for item in value]
    if isinstance(value, float) and value:
        return "<float>"
    if isinstance(value, str):
        value = value.replace(str(root), "<root>")
        for pattern, kind in _VOLATILE:
            value = re.sub(pattern, kind, value)
    return value


def text_of(value: object, root: object = RECORDED_ROOT) -> str:
    """Return `value` as text in which also the order of keys counts, to compare."""
    return json.dumps(normalised(value, root), indent=1)


@dataclass
class Recording:
    """A recorded HTTP exchange."""

    method: str
    target: str
    headers: dict[str, str]
    status_code: int
    body: Any


class Viewer:
    """A WebSocket client of one session that keeps every frame."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def send(self, kind: str, **data: object) -> None:
        await self.socket.send(json.dumps({"type": kind, "data": data}))

    async def until(self, kind: str, **data: object) -> dict[str, Any]:
        """Return the next frame of this type with these data."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame: dict[str, Any] = json.loads(await self.socket.recv())
                self.frames.append(frame)
                if frame["type"] == kind and data.items() <= frame["data"].items():
                    return frame

    async def collect(self, count: int) -> list[dict[str, Any]]:
        """Return all frames so far, once there are so many."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.frames) < count:
                self.frames.append(json.loads(await self.socket.recv()))
        return self.frames

    async def run(self, prompt: str) -> None:
        """Execute a prompt to its end."""
        await self.send("execute", user_input=prompt)
        await self.until("system_event")


@dataclass
class Bench:
    """An embedded gateway under test with a client that may do everything."""

    driver: SimDriver
    client: httpx.AsyncClient = field(repr=False)

    async def ask(self, recording: Recording, **replaced: str) -> httpx.Response:
        """Send a recorded request, with some of its words replaced.

        The recordings do not keep the body: it was `{}`, but where its absence was the point.
        """
        target = recording.target
        for word, other in replaced.items():
            target = target.replace(word, other)
        body: dict[str, str] | None = (
            {} if recording.method == "POST" and recording.status_code != 422 else None
        )
        return await self.client.request(
            recording.method, target, headers=recording.headers, json=body
        )

    async def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        response = await self.client.get(path, headers={**OPS, **INTERNAL})
        response.raise_for_status()
        return response.json()

    async def session(self, session_id: str) -> Any:  # noqa: ANN401 - any JSON
        return (await self.get(f"/api/v1/ops/sessions/{session_id}"))["session"]

    async def cancel(self, session_id: str, reason: str | None = None) -> Any:  # noqa: ANN401
        path = f"/api/v1/ops/sessions/{session_id}/cancel"
        response = await self.client.post(path, headers=OPS, json={"reason": reason})
        response.raise_for_status()
        return response.json()

    async def create(self) -> str:
        response = await self.client.post("/api/v1/sessions", headers=INTERNAL, json={})
        session_id: str = response.json()["session_id"]
        return session_id

    @asynccontextmanager
    async def attached(self, session_id: str) -> AsyncIterator[Viewer]:
        """Attach without waiting for `connected`."""
        url = f"{self.driver.url.replace('http', 'ws')}/api/v1/sessions/{session_id}/stream"
        async with websockets.connect(url, additional_headers=INTERNAL, proxy=None) as socket:
            yield Viewer(socket)

    async def run(self, prompt: str, session_id: str | None = None) -> str:
        """Execute a prompt to its end in a new session, and return the session's id."""
        session_id = session_id or await self.create()
        async with self.attached(session_id) as viewer:
            await viewer.run(prompt)
        await self.eventually(lambda: not self.driver.gateway.sessions[session_id].sockets)
        return session_id

    async def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait until something in the gateway holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - the simulator has no event for everything
                await asyncio.sleep(0.005)


class BenchMaker(Protocol):
    """Starts a gateway for a test."""

    def __call__(self, **options: Any) -> AbstractAsyncContextManager[Bench]: ...  # noqa: ANN401


@asynccontextmanager
async def _bench(**given: Any) -> AsyncIterator[Bench]:  # noqa: ANN401 - as the options are
    usual: dict[str, Any] = {
        "scenario": "idle",
        "speed": 60.0,
        "ops_token": "ops-secret",
        "internal_token": "internal-secret",
        "cancel_wait": 0.1,
        "zone": ZoneInfo("America/Chicago"),
    }
    options = SimOptions(**{**usual, **given})
    async with (
        running_gateway(options) as driver,
        httpx.AsyncClient(base_url=driver.url, timeout=PATIENCE_S, **PLAIN) as client,
    ):
        yield Bench(driver, client)


@pytest.fixture
def make_bench() -> BenchMaker:
    """Start gateways with the tokens and the zone of the recordings, idle and fast."""
    return _bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Return an idle gateway of the test's own, which it may change."""
    async with _bench() as bench:
        yield bench


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def read_bench() -> AsyncIterator[Bench]:
    """Return the idle gateway of the module, for tests that leave it as it is."""
    async with _bench() as bench:
        yield bench


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """Make the env file of a lane that is on, last changed long ago."""
    path = tmp_path / ".env"
    path.write_text("# the lane's switches\nUA_ENABLE_CODER_VP=1\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


@pytest.fixture
def gateway(env: Path) -> Iterator[SimProcess]:
    """Run an idle gateway, in a process of its own, that reads `env` when it starts."""
    options = SimOptions(scenario="idle", env_file=env, speed=60.0)
    with spawn_gateway(options) as process:
        yield process


@pytest.fixture
def recorded() -> Callable[[str], Recording]:
    """Load a recorded exchange by the beginning of its name."""

    def load(name: str) -> Recording:
        raw = json.loads(next(WIRE.glob(f"{name}*.json")).read_text(encoding="utf-8"))
        method, target = raw["request"].split(" ", 1)
        headers = raw["request_headers"]
        return Recording(method, target, headers, raw["status_code"], raw["body"])

    return load


@pytest.fixture
def transcript() -> Callable[[str], list[dict[str, Any]]]:
    """Load the frames of a recorded stream by the beginning of its name."""

    def load(name: str) -> list[dict[str, Any]]:
        path = next(WIRE.glob(f"{name}*.jsonl"))
        lines = path.read_text(encoding="utf-8").splitlines()
        return [line["msg"] for line in map(json.loads, lines) if "msg" in line]

    return load


@pytest.fixture
def as_text() -> Callable[..., str]:
    """Give `text_of`, which tests cannot import."""
    return text_of
