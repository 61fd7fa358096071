"""Each way in which a terminal goes: vp-tui is gone soon after, its gateway and its locks too."""

from __future__ import annotations

import re
import signal
import socket
import sys
import time
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.patience import PATIENCE_S
from tests.support.terminal import Terminal
from tests.support.tmux import VP_TUI, tmux_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

DEMO: Final = (sys.executable, "-m", "vp_tui", "demo", "--speed", "4", "--scenario")
DEAF: Final = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
"""A wrapper from which vp-tui inherits that it ignores SIGHUP."""
LIMIT_S: Final = 2.0
UNREAD_S: Final = 2.0
"""In which a flood fills what a terminal that nobody reads can take."""


def signalled(number: signal.Signals, home: Path) -> float:
    return _demo(home, lambda terminal: terminal.signal(number))


def hung_up(home: Path) -> float:
    return _demo(home, Terminal.hang_up, scenario="flood")


def hung_up_deaf(home: Path) -> float:
    return _demo(home, Terminal.hang_up, wrapper=DEAF)


def continued(home: Path) -> float:
    def go(terminal: Terminal) -> None:
        terminal.signal(signal.SIGCONT)
        terminal.hang_up()

    return _demo(home, go)


def unread(home: Path) -> float:
    def go(terminal: Terminal) -> None:
        time.sleep(UNREAD_S)
        terminal.signal(signal.SIGTERM)

    return _demo(home, go, scenario="flood")


def left_in_tmux(home: Path) -> float:
    with tmux_in(home) as tmux:
        tmux.do("new-session", "-d", "-x", "80", "-y", "24", VP_TUI, "demo", "--scenario", "flood")
        tmux.sees(" LIVE")
        pid = int(tmux.do("display-message", "-p", "#{pane_pid}"))
        tmux.do("new-session", "-d", "sleep 600")  # the server stays, to be ended as always
        began = time.monotonic()
        tmux.do("kill-session", "-t", "0")
        _until(partial(_is_gone, pid))
        return time.monotonic() - began


WAYS: Final[Mapping[str, Callable[[Path], float]]] = {
    "SIGHUP": partial(signalled, signal.SIGHUP),
    "unread": unread,
    "hung up": hung_up,
    "hung up, SIGHUP ignored": hung_up_deaf,
    "SIGTERM": partial(signalled, signal.SIGTERM),
    "SIGINT": partial(signalled, signal.SIGINT),
    "SIGCONT, then hung up": continued,
    "tmux session killed": left_in_tmux,
}


def run(count: int, _chance: Random) -> dict[str, float]:
    slowest = dict[str, float]()
    for way in islice(cycle(WAYS), count):
        with TemporaryDirectory(prefix="vp-tui-goings-") as home:
            slowest[way] = max(round(WAYS[way](Path(home)), 2), slowest.get(way, 0.0))
    # A few of them, beside all the other tests, tell nothing about time.
    assert count <= len(WAYS) or max(slowest.values()) <= LIMIT_S, slowest
    return slowest


def _demo(
    home: Path,
    go: Callable[[Terminal], None],
    *,
    scenario: str = "idle",
    wrapper: tuple[str, ...] = (),
) -> float:
    """Begin a demo, let it go, and return after how many seconds nothing was left of it."""
    with Terminal([*wrapper, *DEMO, scenario], home) as terminal:
        terminal.until(lambda screen: screen.startswith(" LIVE"))
        found = re.search(rb"asking http://127\.0\.0\.1:(\d+)", terminal.output)
        assert found
        go(terminal)
        began = time.monotonic()
        _until(terminal.has_ended)
        _until(lambda: not _listens(int(found[1])))
        return time.monotonic() - began


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it is there still"
        time.sleep(0.01)


def _is_gone(pid: int) -> bool:
    """Tell whether a process has ended, whether or not its parent has heard of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
