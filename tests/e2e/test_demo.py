"""The real command on a terminal: from its first frame to a terminal left as it was."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.terminal import Terminal

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway

if TYPE_CHECKING:
    from collections.abc import Callable

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


def answer(terminal: Terminal, keys: str, seen: Callable[[str], object]) -> str:
    """Press the keys until they are taken: a dialog that has just come up refuses an enter."""
    again = "press enter again"
    terminal.press(keys)
    while True:
        screen = terminal.until(lambda text: again in text or seen(text))
        if seen(screen):
            return screen
        terminal.until(lambda text: again not in text or seen(text))
        if not seen(terminal.text):
            terminal.press("\r")


def test_the_brake_of_the_demo_is_proven_and_released(tmp_path: Path) -> None:
    with Terminal([*VP_TUI, "demo", "--scenario", "clean", "--speed", "20"], tmp_path) as terminal:
        terminal.until(watches_live)
        terminal.press("F")
        dialog = terminal.until(lambda screen: "Force fallback now" in screen)
        assert "by hand" not in dialog
        env_file = Path(re.findall(r"/\S+/gateway\.env", dialog)[0])
        answer(terminal, "\x1b[C\r", lambda screen: "primary path, without a mission" in screen)
        assert "UA_CODER_VP_FORCE_FALLBACK=1\n" in env_file.read_text()
        terminal.press("\x1b")
        terminal.until(lambda screen: "lane FORCED proven" in screen)
        terminal.press("\x10")
        terminal.until(lambda screen: "Search for commands" in screen)
        terminal.press("release")
        terminal.until(lambda screen: "End the forced fallback" in screen)
        terminal.press("\r")
        terminal.until(lambda screen: "LET THE LANE HAVE TURNS AGAIN" in screen)
        answer(terminal, "vp.coder.primary\r", lambda screen: "CONFIRMED  " in screen)
        assert "UA_CODER_VP_FORCE_FALLBACK=0\n" in env_file.read_text()


def test_the_demo_restarts_its_gateway(tmp_path: Path) -> None:
    with Terminal([*VP_TUI, "demo", "--scenario", "idle"], tmp_path) as terminal:
        terminal.until(lambda screen: screen.startswith(" LIVE "))
        assert "demo: nothing happens by itself" in terminal.text
        terminal.press("X")
        terminal.until(lambda screen: "BEGIN A NEW EPOCH" in screen)
        answer(terminal, "restart\r", lambda screen: "back in a new epoch\n" in screen)


def test_a_refused_token_of_the_demo_is_mended_as_it_says(tmp_path: Path) -> None:
    with Terminal([*VP_TUI, "demo", "--scenario", "auth"], tmp_path) as terminal:
        screen = terminal.until(
            lambda text: text.startswith(" UNAUTHORIZED ") and "[A] after: " in text
        )
        said = re.search(r"demo: \[A\] after: echo (\S+) > (\S+)", screen)
        assert said, screen
        Path(said[2]).write_text(said[1])
        terminal.press("A")
        terminal.until(lambda text: text.startswith(" LIVE ") and "the token is accepted" in text)


def test_a_run_of_the_demo_hangs_soon(tmp_path: Path) -> None:
    with Terminal([*VP_TUI, "demo", "--scenario", "stuck", "--stuck-after", "2"], tmp_path) as demo:
        demo.until(lambda screen: "demo: next: a run starts, hangs in a tool" in screen)
        demo.until(lambda screen: "! STUCK " in screen)
