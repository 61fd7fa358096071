"""Words and commands typed into a real terminal, at real paces: no order, no row, nothing seen."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.desk import golden_log, rows_of
from tests.support.terminal import Terminal
from tests.support.words import PACES_S, WORDS

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.places import Places

if TYPE_CHECKING:
    from random import Random

DIALOGS: Final = ("", "c", "F", "P", "X", "r", "W")
"""Keys that open one, "" for none: each word is typed into some of them."""
SILENCE_S: Final = 1.2
_SEEN: Final = 200
"""Lines of the audit that are looked through: more than are written here."""


def run(count: int, chance: Random) -> dict[str, int]:
    keys = 0
    with TemporaryDirectory(prefix="vp-tui-typed-") as directory:
        home = Path(directory)
        log = golden_log(home)
        with spawn_gateway(SimOptions(scenario="stuck", speed=4.0)) as gateway:
            watch = ("-m", "vp_tui", "--gateway-url", gateway.url, "--evidence", str(log))
            with Terminal([sys.executable, *watch], home) as terminal:
                terminal.until(lambda text: "RUNS" in text and "lane log" in text)
                for number in range(count):
                    opens, word = chance.choice(DIALOGS), chance.choice(WORDS)
                    keys += typed(terminal, opens, word, PACES_S[number % len(PACES_S)])
                    assert rows_of(log)[16:] == [], word
                    assert orders(home) == [], f"{word!r} typed into {opens!r}"
    return {"words": count, "keys": keys, "orders": 0, "rows": 0}


def typed(terminal: Terminal, opens: str, word: str, pace_s: float) -> int:
    """Open a dialog, type the word and enter, and go back; return how many keys that were."""
    passes(terminal, SILENCE_S)
    terminal.press(opens)
    passes(terminal, SILENCE_S)
    for sign in f"{word}\r":
        terminal.press(sign)
        passes(terminal, pace_s)
    for _ in range(3):
        passes(terminal, SILENCE_S / 2)
        terminal.press("\x1b")
    return len(opens) + len(word) + 4


def passes(terminal: Terminal, seconds: float) -> None:
    """Let time pass, reading what is drawn."""
    end = time.monotonic() + seconds
    while (left_s := end - time.monotonic()) > 0:
        assert terminal.read(left_s), f"ended:\n{terminal.text}"


def orders(home: Path) -> list[str]:
    """Return what was done to the gateway or said in the engineer's name."""
    records = newest_actions(Places(home / ".local/state/vp-tui").audit, _SEEN).records
    return [record.what for record in records if "would" not in record.result]
