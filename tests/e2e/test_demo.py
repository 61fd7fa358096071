"""The real command on a terminal: from its first frame to a terminal left as it was."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from typing import TYPE_CHECKING

from tests.support.terminal import Terminal

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway

if TYPE_CHECKING:
    from pathlib import Path

VP_TUI = (sys.executable, "-m", "vp_tui")
RATE = re.compile(r"fallback .* \d+/\d+ (<=|at most )\d")
RUNNING = re.compile(r"^[> ]● ok +\w+ run \d+s", re.MULTILINE)
EVENT = re.compile(r"^\d\d:\d\d:\d\d \w{8} tool_call ", re.MULTILINE)


def watches_live(screen: str) -> bool:
    wanted = (RATE, RUNNING, EVENT)
    return screen.startswith(" LIVE ") and all(pattern.search(screen) for pattern in wanted)


def tells_of_the_loss(screen: str, port: int) -> bool:
    cause = f"! SAFETY gateway lost: 127.0.0.1:{port}: connection refused"
    wanted = (cause, "is the gateway running there?", "list down", "✗ down", "? stale")
    is_lost = screen.startswith((" LOST ", " LOST+ALARM "))
    return is_lost and all(words in screen for words in wanted)


def port_of(first_frame: bytes) -> int:
    found = re.search(rb"asking http://127\.0\.0\.1:(\d+)", first_frame)
    assert found, "the first frame tells what is asked"
    return int(found[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_shows_a_live_rollout_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with Terminal([*VP_TUI, "demo", "--speed", "4"], tmp_path) as terminal:
        terminal.until(watches_live)
        port = port_of(terminal.output)
        assert listens(port)
        terminal.press("q")
        assert terminal.exit_code() == 0
        assert terminal.is_restored
        assert not listens(port)


def test_a_lost_gateway_is_told_and_found_again(tmp_path: Path) -> None:
    options = SimOptions(scenario="clean", speed=4)
    with spawn_gateway(options) as gateway:
        port = int(gateway.url.rpartition(":")[2])
        watch = Terminal([*VP_TUI, "--gateway-url", gateway.url], tmp_path)
        with watch as terminal:
            terminal.until(watches_live)
            os.kill(gateway.pid, signal.SIGKILL)
            terminal.until(lambda screen: tells_of_the_loss(screen, port))
            with spawn_gateway(SimOptions(scenario="clean", speed=4, port=port)):
                terminal.until(lambda screen: "LIVE" in screen and "epoch 2" in screen)
                terminal.signal(signal.SIGTERM)
                assert terminal.exit_code() == 0
                assert terminal.is_restored


def test_a_cut_ssh_ends_it_and_its_gateway(tmp_path: Path) -> None:
    with Terminal([*VP_TUI, "demo", "--scenario", "idle"], tmp_path) as terminal:
        terminal.until(lambda screen: screen.startswith(" LIVE "))
        port = port_of(terminal.output)
        terminal.signal(signal.SIGHUP)
        assert terminal.exit_code() == 0
        assert not listens(port)
