"""The gateway as a process: its one line of output, its signals, its end with the parent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = """
import sys
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import run_gateway_command
sys.exit(run_gateway_command(SimOptions(scenario="idle"), exit_with_parent=True))
"""


def started_at(url: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the boot's stamp; waits while the port is closed by trying again."""
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(transport=transport, trust_env=False, timeout=PATIENCE_S) as client:
        answer = client.get(f"{url}/api/v1/ops/metrics/session-continuity")
        return answer.json()["metrics"]["started_at"]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def announced(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


@pytest.mark.parametrize("ending", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(process: subprocess.Popen[str], ending: signal.Signals) -> None:
    line = announced(process)
    assert line["pid"] == process.pid
    process.send_signal(ending)
    assert process.wait(PATIENCE_S) == 0


def test_it_restarts_on_sigusr1_and_ends_with_its_parent(process: subprocess.Popen[str]) -> None:
    url = announced(process)["url"]
    before = started_at(url)
    process.send_signal(signal.SIGUSR1)
    after = before
    while after == before:
        with suppress(httpx.TransportError):  # a restart resets the connection that asks just then
            after = started_at(url)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(PATIENCE_S) == 0


def test_a_spawned_gateway_takes_its_tokens_and_stops() -> None:
    options = SimOptions(scenario="clean", ops_token="s3cret")
    with spawn_gateway(options) as gateway, httpx.Client(trust_env=False) as client:
        sessions = f"{gateway.url}/api/v1/ops/sessions"
        assert client.get(sessions).status_code == 401
        assert client.get(sessions, headers={"x-ua-ops-token": "s3cret"}).status_code == 200
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(sessions)


def test_a_port_in_use_is_told() -> None:
    with (
        spawn_gateway(SimOptions(scenario="idle")) as gateway,
        pytest.raises(RuntimeError, match="cannot listen"),
    ):
        spawn_gateway(SimOptions(scenario="idle", port=int(gateway.url.rsplit(":", 1)[1])))
