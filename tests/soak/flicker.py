"""Each scenario on each generation looked at every second: nothing changes without a cause."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from tests.support.flicker import changes, flickers
from tests.support.virtual_time import run_virtually

from vp_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from vp_tui.domain.models import Dialect

PLAYED: Final = tuple(name for name in SCENARIOS if name != "flood")
"""The flood is a bench of its own."""


GENERATIONS: Final[Mapping[str, Dialect]] = {"v1": "G1", "v2": "G2"}


def run(seconds: int, chance: Random) -> dict[str, int]:
    """Return how much changed in each scenario, the runs' own levels apart."""
    told: dict[str, int] = {}
    for name, version in product(PLAYED, GENERATIONS):
        dialect = GENERATIONS[version]
        played = changes(name, seconds / 60, dialect=dialect, seed=chance.getrandbits(32))
        seen = run_virtually(played)
        found = flickers(seen)
        assert not found, (name, version, found[:3])
        nameless = [change for change in seen if not change.has_cause]
        assert not nameless, (name, version, nameless[:3])
        if name == "clean":
            badges = [change.after for change in seen if change.name == "badge"]
            assert badges == ["LIVE"], (version, badges)
        told[f"{name} {version}"] = sum(not one.name.startswith("run ") for one in seen)
    return told
