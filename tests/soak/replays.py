"""Watches recorded and played again: the state is the one that was live, also after a crash."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from tests.support.virtual_time import run_virtually
from tests.support.virtual_watch import minutes, recorded_watch

from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.scenarios import SCENARIOS
from vp_tui.storage.recording_files import RecordedFile
from vp_tui.worker.tape import Tape

if TYPE_CHECKING:
    from random import Random

SKIPPED: Final = frozenset({"auth", "flood"})
"""What wants tokens, and what is a bench of its own."""
CRASHES: Final = 5


def run(count: int, chance: Random) -> dict[str, int]:
    played = [name for name in SCENARIOS if name not in SKIPPED]
    told = [_played(name, count, chance) for name in played]
    return {
        "scenarios": len(played),
        "events": sum(events for events, _size in told),
        "bytes": sum(size for _events, size in told),
        "crashes": len(played) * CRASHES,
    }


def _played(scenario: str, count: int, chance: Random) -> tuple[int, int]:
    """Return how many events it took, and their bytes."""
    options = SimOptions(scenario=scenario, seed=chance.getrandbits(32))
    with TemporaryDirectory(prefix="vp-tui-replays-") as directory:
        home = Path(directory)
        live = run_virtually(recorded_watch(options, home, minutes(count)))
        files = [RecordedFile(path) for path in home.iterdir()]
        tape = Tape(files)
        assert tape.state_after(len(tape)) == live, scenario
        first = files[0].path
        content = first.read_bytes()
        for _ in range(CRASHES):
            end = chance.randrange(content.index(b"\n") + 1, len(content))
            first.write_bytes(content[:end])
            torn = Tape([RecordedFile(first)])
            assert torn.state_after(len(torn)) == tape.state_after(len(torn)), (scenario, end)
            assert not torn.odd
        return len(tape), len(content)
