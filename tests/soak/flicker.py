"""Each scenario looked at every second: nothing changes and changes back for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.flicker import changes, flickers
from tests.support.virtual_time import run_virtually

from vp_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from random import Random

PLAYED: Final = tuple(name for name in SCENARIOS if name != "flood")
"""The flood is a bench of its own."""


def run(minutes: int, chance: Random) -> dict[str, int]:
    """Return how much changed in each scenario, the runs' own levels apart."""
    told: dict[str, int] = {}
    for name in PLAYED:
        seen = run_virtually(changes(name, minutes, seed=chance.getrandbits(32)))
        found = flickers(seen)
        assert not found, (name, found[:3])
        told[name] = sum(not change.name.startswith("run ") for change in seen)
    return told
