"""The real command in a real tmux, on a server of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest
from tests.support.patience import PATIENCE_S
from tests.support.pty_process import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VP_TUI: Final = str(Path(sys.executable).with_name("vp-tui"))
"""The installed command."""
REFUSED: Final = ("press enter again", "acting keys rest")
RELUCTANT_S: Final = 0.5
LEFT: Final = "left with exit code "
_NO_TMUX: Final = "tmux is not installed: apt-get install tmux"


def require_tmux() -> None:
    """Skip the test where there is no tmux; in CI nothing is skipped."""
    if shutil.which("tmux") is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{_NO_TMUX}; .ci/run does it where it may")
        pytest.skip(_NO_TMUX)


class Tmux:
    """One window of 80x24 in a server whose socket nobody else has."""

    def __init__(self, sockets: Path, home: Path) -> None:
        self._environment = {
            **environment(home),
            "TMUX_TMPDIR": str(sockets),
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
        }
        self._environment.pop("TMUX", None)

    def start(self, *command: str) -> None:
        """Run a command as from a shell, which goes on when the command is left.

        It knows of no tmux: nobody is attached to this one, and to act it wants to be seen.
        """
        shell = f"unset TMUX; {shlex.join(command)}; echo {LEFT}$?; exec sleep 600"
        self.do("new-session", "-d", "-x", "80", "-y", "24", shell)

    def do(self, *words: str) -> str:
        """Give tmux an order; return what it prints."""
        tmux = ("tmux", "-u", "-L", "e2e", "-f", "/dev/null", *words)
        done = subprocess.run(  # noqa: S603 - a fixed program
            tmux,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        return done.stdout

    @property
    def attaching(self) -> tuple[str, ...]:
        """The command that attaches a terminal."""
        sockets = f"TMUX_TMPDIR={self._environment['TMUX_TMPDIR']}"
        return ("env", "-u", "TMUX", sockets, "LC_ALL=C.UTF-8", "tmux", "-L", "e2e", "attach")

    def press(self, *keys: str) -> None:
        self.do("send-keys", *keys)

    def acts(self, key: str, *words: str) -> str:
        """Press a key that acts until it is taken: one that may not be meant is asked for again."""
        self.press(key)
        pressed, end = time.monotonic(), time.monotonic() + PATIENCE_S
        while not all(word in (text := self.text) for word in words):
            assert time.monotonic() < end, f"not seen on this screen:\n{text}"
            is_refused = any(told in text for told in REFUSED)
            if is_refused and time.monotonic() - pressed > RELUCTANT_S:
                self.press(key)
                pressed = time.monotonic()
            time.sleep(0.05)
        return text

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self.do("capture-pane", "-p")

    @property
    def has_rung(self) -> bool:
        """Whether the terminal's bell was rung."""
        return self.do("display-message", "-p", "#{window_bell_flag}").strip() == "1"

    def sees(self, *words: str) -> str:
        """Wait until all of these are on the screen; return it."""
        return self.until(lambda text: all(word in text for word in words))

    def until(self, seen: Callable[[str], object]) -> str:
        """Wait until the screen's text is as wanted; return it."""
        end = time.monotonic() + PATIENCE_S
        while not seen(text := self.text):
            assert time.monotonic() < end, f"not seen on this screen:\n{text}"
            time.sleep(0.05)
        return text


@contextmanager
def tmux_in(home: Path) -> Iterator[Tmux]:
    """Have a tmux server, and nothing of it afterwards."""
    require_tmux()
    # Not in the test's own directory: the path of a socket may have 107 bytes only.
    with TemporaryDirectory(prefix="vp-tui-") as sockets:
        tmux = Tmux(Path(sockets), home)
        try:
            yield tmux
        finally:
            tmux.do("kill-server")
