"""A terminal that goes, hangs or is stopped: nothing is left behind, and the screen comes back."""

from __future__ import annotations

import math
import os
import re
import signal
import sys
import time
import urllib.request
from json import load
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.soak.goings import WAYS
from tests.support.pty_process import PtyProcess
from tests.support.terminal import Terminal
from tests.support.tmux import VP_TUI, tmux_in

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway

if TYPE_CHECKING:
    from pathlib import Path

UNHURRIED_S: Final = 1.2
"""Between two keys that are not typed."""
STREAMS: Final = re.compile(r"streams ([1-9])/\1 ")
BUSY: Final = """
import time
from textual.app import App
from vp_tui.ui.kit.terminal import TerminalDriver

class Busy(App):
    def on_mount(self):
        self.driver_class = TerminalDriver
        self.set_timer(0.5, lambda: (self.bell(), time.sleep(3600)))

    def compose(self):
        from textual.widgets import Static
        yield Static("at work")

app = Busy()
app.driver_class = TerminalDriver
app.run()
"""


@pytest.mark.parametrize("way", ["unread", "hung up, SIGHUP ignored", "tmux session killed"])
def test_nothing_is_left_of_it(way: str, tmp_path: Path) -> None:
    assert WAYS[way](tmp_path) > 0.0


def test_a_loop_that_comes_to_nothing_is_left_with_the_terminal_as_it_was(tmp_path: Path) -> None:
    with Terminal([sys.executable, "-c", BUSY], tmp_path) as terminal:
        while b"\a" not in terminal.output:
            assert terminal.read(60.0)
        terminal.signal(signal.SIGTERM)
        assert terminal.exit_code() == 0
        assert terminal.is_restored


def test_it_is_stopped_without_a_socket_and_comes_back_whole(tmp_path: Path) -> None:
    with spawn_gateway(SimOptions(scenario="clean", speed=4)) as gateway:
        command = [sys.executable, "-m", "vp_tui", "--gateway-url", gateway.url]
        with Terminal(command, tmp_path) as terminal:
            terminal.until(is_whole)
            terminal.signal(signal.SIGTSTP)
            stopped = os.waitpid(terminal.pid, os.WUNTRACED)[1]
            assert os.WIFSTOPPED(stopped)
            assert viewers(gateway.url) == 0
            while terminal.receive(0.2):
                pass
            terminal.forget()
            terminal.signal(signal.SIGCONT)
            terminal.until(is_whole)
            assert viewers(gateway.url) > 0
            terminal.press("q")
            assert terminal.exit_code() == 0
            assert terminal.is_restored


def test_no_key_acts_while_nobody_is_attached_and_that_is_said_later(tmp_path: Path) -> None:
    audit = tmp_path / ".local/state/vp-tui/audit.jsonl"
    with tmux_in(tmp_path) as tmux, spawn_gateway(SimOptions(scenario="idle")) as gateway:
        tmux.do("new-session", "-d", "-x", "80", "-y", "24", VP_TUI, "--gateway-url", gateway.url)
        tmux.sees(" LIVE ", "q quit")

        pressed = -math.inf

        def is_held_back(_screen: str) -> bool:
            nonlocal pressed
            if time.monotonic() - pressed > UNHURRIED_S:
                tmux.press("F")  # opens the dialog, or closes it, until tmux was asked
                pressed = time.monotonic()
            return audit.exists() and "the tmux session is detached" in audit.read_text()

        tmux.until(is_held_back)
        with PtyProcess(tmux.attaching, (80, 24), tmp_path):
            tmux.sees("was held back")


def is_whole(screen: str) -> bool:
    """Tell whether all of it is drawn, with sockets that are read."""
    wanted = (STREAMS.search(screen), "GUARDRAILS" in screen, "1 RUNS" in screen)
    return screen.startswith(" LIVE") and screen.endswith("q quit") and all(wanted)


def viewers(url: str) -> int:
    with urllib.request.urlopen(f"{url}/api/v1/ops/sessions") as answer:  # noqa: S310 - our own gateway
        told: dict[str, Any] = load(answer)
    return sum(session["active_connections"] for session in told["sessions"])
