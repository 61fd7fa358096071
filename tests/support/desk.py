"""An operator at vp-tui: real app, network thread and files, on a gateway in a process of its own.

Nothing is faked and no clock is moved: a test waits for what is on the screen, or for a state.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from tests.support.keyboard import UnhurriedKeyboard
from tests.support.patience import PATIENCE_S
from tests.support.rollout import GOLDEN_LOG

from vp_tui.cli.config.settings import Settings
from vp_tui.cli.watch import lane_watch
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway
from vp_tui.storage.audit_log import newest_actions
from vp_tui.storage.evidence_log import read_log
from vp_tui.storage.places import Places
from vp_tui.ui.app import VpTuiApp
from vp_tui.views.runs import run_rows
from vp_tui.worker.commands import NetworkThread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from vp_tui.domain.orders import ActionRecord
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.runs.levels import Level
    from vp_tui.state.state import State
    from vp_tui.views.runs import RunRow

SIZE: Final = (80, 24)
STUCK_AFTER_S: Final = 5.0
"""Of silence: longer than a turn's pauses at the speeds that are used here, and than a busy machine
may keep the gateway from its work."""
NEXT: Final = "Broadened rollout window #5"
"""The window that comes after the golden log."""


def golden_log(directory: Path) -> Path:
    """Return a copy of the golden log."""
    log = directory / "evidence_log.md"
    log.write_bytes(GOLDEN_LOG.read_bytes())
    return log


def rows_of(log: Path) -> list[EvidenceRow]:
    return [logged.row for logged in read_log(log)[0].rows]


class Desk:
    """One vp-tui at 80x24. `home` is where its own files are."""

    def __init__(self, url: str, log: Path, home: Path, **given: Any) -> None:  # noqa: ANN401 - fields of Settings
        usual: dict[str, Any] = {"interval": 0.5, "stuck_after": STUCK_AFTER_S}
        settings = Settings(url=url, evidence=log, **{**usual, **given})
        self.log, self.places = log, Places(home)
        self.bells = 0
        network = NetworkThread()
        self.lane = lane_watch(settings, self.places, network, ambient=False)
        self.store = self.lane.store
        self.app = VpTuiApp(self.lane, network)
        self.app.keyboard = UnhurriedKeyboard()
        self.pilot: Pilot[None]

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[Desk]:
        with patch.object(self.app, "bell", self._rung):
            async with self.app.run_test(size=SIZE, notifications=True) as self.pilot:
                yield self
        assert self.app.crash is None

    def _rung(self) -> None:
        self.bells += 1

    @property
    def state(self) -> State:
        return self.store.state

    def runs(self, level: Level) -> list[RunRow]:
        """Return the runs of one level, as they are now."""
        rows = run_rows(self.lane.live.look())
        return [row for row in rows if row.level.level is level]

    @property
    def audit(self) -> list[ActionRecord]:
        """What was done to the gateway: the rows that were written aside."""
        records = newest_actions(self.places.audit, 50).records
        return [record for record in records if record.what != "record"]

    @property
    def text(self) -> str:
        """The screen as composed."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def has(self, *words: str) -> bool:
        text = self.text
        return all(word in text for word in words)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)

    async def until(self, holds: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():
                    await self.pilot.pause(0.02)
        except TimeoutError:
            raise AssertionError(f"not seen on this screen:\n{self.text}") from None

    async def sees(self, *words: str) -> None:
        """Wait until all of these are on the screen."""
        await self.until(lambda: self.has(*words))

    async def records(self, *keys: str) -> EvidenceRow:
        """Press the keys that write a row; return it, once the toast says that it is there."""
        before = len(rows_of(self.log))
        await self.press(*keys)
        await self.sees("row recorded")
        *others, row = rows_of(self.log)
        assert len(others) == before
        return row


@asynccontextmanager
async def watching(
    home: Path,
    scenario: str,
    speed: float,
    **given: Any,  # noqa: ANN401 - fields of Settings
) -> AsyncIterator[Desk]:
    """Watch a gateway that plays a scenario; the evidence log is a copy of the golden one."""
    options = SimOptions(scenario=scenario, speed=speed).with_default_tokens()
    with spawn_gateway(options) as gateway:
        async with Desk(gateway.url, golden_log(home), home / "own", **given).at_work() as desk:
            yield desk
