"""Each scene at each size with room, and all that a key shows there: no word that was misread."""

from __future__ import annotations

import asyncio
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.ui import test_words

if TYPE_CHECKING:
    from random import Random


def run(count: int, chance: Random) -> dict[str, int]:
    shown = chance.sample([*product(test_words.SCENES, test_words.SIZES)], count)
    for scene, size in shown:
        with TemporaryDirectory(prefix="vp-tui-words-") as home:
            found = asyncio.run(test_words.wrong_on_screens(Path(home), scene, size))
        assert found == {}, (scene, size, found)
    return {"scenes": len(test_words.SCENES), "screens": count}
