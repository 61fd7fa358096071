"""Words and commands typed into a real terminal, at real paces: no order, no row, nothing seen.

What could be hit is there: a window that is open, a row that waits, a run that hangs, hands for the
brake and for a restart, a prompt for the probe.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.support.desk import golden_log
from tests.support.rows import facts, row
from tests.support.terminal import Terminal
from tests.support.words import PACES_S, WORDS

from vp_tui.domain.orders import ActionKind
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.places import Places
from vp_tui.storage.rows import keep
from vp_tui.storage.windows import read_windows
from vp_tui.ui.actions import Keyboard

if TYPE_CHECKING:
    from random import Random

    from vp_tui.domain.rollout.windows import Window

PALETTE: Final = "\x10"
DIALOGS: Final = (
    (),
    *(("c",), ("F",), ("P",), ("X",), ("r",), ("W",), ("w",), ("k", "c")),
    *((PALETTE, name, "\r") for name in ("waive a gate", "cancel all", "shadow mode on")),
    (PALETTE, "lane off", "\r"),
)
"""What opens each, pressed one after the other: each word is typed into some of them."""
SILENCE_S: Final = 1.2
_SEEN: Final = 200
"""Lines of the audit that are looked through: more than are written here."""
_CONFIG: Final = """
[gateways.typed]
url = {url}
evidence = {log}

[gateways.typed.brake]
env_file = {env}
apply = ["touch", {hit}]
restart = ["touch", {hit}]

[gateways.typed.probe]
prompt = "Please write code"
"""


class _Home(NamedTuple):
    """The files of one engineer, and what of them an order or a row would change."""

    path: Path
    log: Path

    @property
    def _places(self) -> Places:
        return Places(self.path / ".local/state/vp-tui")

    @property
    def windows(self) -> list[Window]:
        return [one for file in self._places.windows.glob("*.json") for one in read_windows(file)]

    @property
    def orders(self) -> list[str]:
        """What was done to the gateway or said in the engineer's name."""
        records = newest_actions(self._places.audit, _SEEN).records
        return [record.what for record in records if record.kind is not ActionKind.REFUSED]

    @property
    def kept(self) -> tuple[object, ...]:
        """What must stay as it is."""
        waits = sorted(self._places.spool.glob("*.json"))
        hit = self.path / "hit"
        switches = (self.path / "gateway.env").read_text(encoding="utf-8")
        told = [(one.label, one.is_open, one.waivers) for one in self.windows]
        return self.log.read_bytes(), waits, hit.exists(), switches, told

    def configure(self, url: str) -> Path:
        """Give the gateway hands, have a row wait; return the configuration."""
        files = {"env": self.path / "gateway.env", "hit": self.path / "hit", "log": self.log}
        files["env"].write_text("UA_ENABLE_CODER_VP=1\n", encoding="utf-8")
        texts = {name: json.dumps(str(value)) for name, value in {"url": url, **files}.items()}
        config = self.path / "config.toml"
        config.write_text(_CONFIG.format(**texts), encoding="utf-8")
        full = EvidenceError("the disk is full", "free some space")
        keep(self._places.spool, self.log, row("it waits"), facts(), because=full)
        return config


def run(count: int, chance: Random) -> dict[str, int]:
    keys = late = 0
    with TemporaryDirectory(prefix="vp-tui-typed-") as directory:
        home = _Home(Path(directory), golden_log(Path(directory)))
        with spawn_gateway(SimOptions(scenario="stuck", speed=4.0)) as gateway:
            config = home.configure(gateway.url)
            watch = ("-m", "vp_tui", "--config", str(config), "--stuck-after", "5")
            with Terminal([sys.executable, *watch], home.path) as terminal:
                begin(terminal)
                terminal.until(lambda _text: [one.is_open for one in home.windows] == [True])
                before, orders = home.kept, home.orders
                for number in range(count):
                    opens, word = chance.choice(DIALOGS), chance.choice(WORDS)
                    pace_s = PACES_S[number % len(PACES_S)]
                    pressed, slowest_s = typed(terminal, opens, word, pace_s)
                    keys += pressed
                    if slowest_s >= Keyboard.HOLD_S:  # this machine was too busy to type so fast
                        late, before, orders = late + 1, home.kept, home.orders
                        continue
                    tried = f"{word!r} at {pace_s} s a key, after {opens}: {home.orders}"
                    assert home.kept == before, tried
                    assert home.orders == orders, tried
    return {"words": count - late, "too late": late, "keys": keys, "orders": 0, "rows": 0}


def begin(terminal: Terminal) -> None:
    """Open a window once a run hangs; leave the row that waits alone."""
    terminal.until(lambda text: "ROWS THAT ARE NOT IN THE LOG" in text)
    terminal.press("\x1b")
    terminal.until(lambda text: "STUCK" in text)
    passes(terminal, SILENCE_S)
    terminal.press("w")
    terminal.until(lambda text: "BEGIN AN OBSERVATION WINDOW" in text)
    passes(terminal, 2 * SILENCE_S)
    terminal.press("\r")


def typed(
    terminal: Terminal, opens: tuple[str, ...], word: str, pace_s: float
) -> tuple[int, float]:
    """Open a dialog, type the word and enter, and go back.

    Return how many keys that were, and the longest time between two of the word's.
    """
    for key in opens:
        passes(terminal, SILENCE_S)
        terminal.press(key)
    passes(terminal, SILENCE_S)
    pressed_at = []
    for sign in f"{word}\r":
        terminal.press(sign)
        pressed_at.append(time.monotonic())
        passes(terminal, pace_s)
    for _ in range(3):
        passes(terminal, SILENCE_S / 2)
        terminal.press("\x1b")
    slowest_s = max(after - at for at, after in pairwise(pressed_at))
    return len("".join(opens)) + len(word) + 4, slowest_s


def passes(terminal: Terminal, seconds: float) -> None:
    """Let time pass, reading what is drawn."""
    end = time.monotonic() + seconds
    while (left_s := end - time.monotonic()) > 0:
        assert terminal.read(left_s), f"ended:\n{terminal.text}"
