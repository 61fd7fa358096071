"""What is tested at length: each soak by its name, with its count for CI and its full one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.faults import trial
from tests.faults.table import ROWS
from tests.soak import days, flicker, fuzz, goings, hostile, hours, kills, replays, typed, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    Figures = Mapping[str, int | float]


@dataclass(frozen=True)
class Soak:
    """Something that must hold however often it is tried.

    `run` gets how often and the chance, raises AssertionError where it does not hold, and returns
    figures of what was tried.
    """

    run: Callable[[int, Random], Figures]
    counts: str
    """What is counted."""
    seed: int
    """How many in CI, in a few seconds; 0 where tests of their own try some."""
    full: int


SOAKS: Final[Mapping[str, Soak]] = {
    "kills": Soak(kills.run, "kills of what records rows, screen and capture", 4, 2_000),
    "goings": Soak(goings.run, "terminals that go, each way in turn", 4, 160),
    "faults": Soak(hours.run_with_faults, "virtual minutes of a wire that breaks", 2, 24 * 60),
    "wire": Soak(trial.run, "faults between real client and gateway", 4, len(ROWS)),
    "days": Soak(days.run, "virtual boots of 432 s, 200 a day", 2, 200),
    "fuzz": Soak(fuzz.run, "examples per parser and machine", 5, 50_000),
    "hostile": Soak(hostile.run, "hostile texts in every sink of the screen", 1, 500),
    "flicker": Soak(flicker.run, "virtual seconds of each scenario, v1 and v2", 0, 3_600),
    "typed": Soak(typed.run, "words typed into a real terminal", 1, 240),
    "words": Soak(words.run, "scenes at a size, with all that keys show", 0, 48),
    "lanes": Soak(hours.run_lanes, "virtual minutes of a quiet, a stuck, a fleeting lane", 5, 60),
    "replays": Soak(replays.run, "virtual minutes of each scenario, recorded", 1, 60),
    "hours": Soak(hours.run, "virtual minutes of each scenario", 1, 6 * 60),
}
