"""Each scenario looked at every second: nothing changes and changes back for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.flicker import changes, flickers
from tests.support.virtual_time import run_virtually

from vp_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from random import Random

SKIPPED: Final = frozenset({"flood", "tour", "fault", "failed"})
"""A bench of its own; and not yet: frames that outrun the poll, orphans that come and go."""
PLAYED: Final = tuple(name for name in SCENARIOS if name not in SKIPPED)


def run(minutes: int, chance: Random) -> dict[str, int]:
    """Return how much changed in each scenario, the runs' own levels apart."""
    told: dict[str, int] = {}
    for name in PLAYED:
        seen = run_virtually(changes(name, minutes, seed=chance.getrandbits(32)))
        found = flickers(seen)
        assert not found, (name, found[:3])
        told[name] = sum(not change.name.startswith("run ") for change in seen)
    return told
