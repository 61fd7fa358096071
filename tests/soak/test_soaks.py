"""A seed of every soak; `uv run python -m tests.soak` runs the full counts."""

from __future__ import annotations

from random import Random

import pytest
from tests.soak.soaks import SOAKS


@pytest.mark.parametrize("name", [name for name, soak in SOAKS.items() if soak.seed])
def test_a_seed_of_it_holds(name: str) -> None:
    soak = SOAKS[name]
    assert soak.run(soak.seed, Random(7))  # noqa: S311 - repeatable by design
