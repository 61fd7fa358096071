"""Make the screenshots: the real app, on the embedded gateway, drawn without a terminal.

    uv run python screenshots/make.py

writes an SVG and a PNG for each scene beside this file. The PNGs need `rsvg-convert` and the fonts
Fira Code and Noto Emoji (Debian: librsvg2-bin, fonts-firacode, fonts-noto-color-emoji).
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vp_tui.cli.config.settings import Settings
from vp_tui.cli.watch import lane_watch
from vp_tui.gateway.credentials import Secret
from vp_tui.simulator.options import SimOptions
from vp_tui.simulator.process import spawn_gateway
from vp_tui.state.state import State
from vp_tui.storage.places import Places
from vp_tui.ui.app import VpTuiApp
from vp_tui.worker.commands import NetworkThread

if TYPE_CHECKING:
    from textual.pilot import Pilot

HERE: Final = Path(__file__).parent
ROWS: Final = HERE.parent / "tests/golden/evidence_log.md"
PATIENCE_S: Final = 60.0
TURNS_SEEN: Final = 2
CELL_WIDTH: Final = 12.2
"""Units of one column in Textual's SVG."""

Ready = Callable[[State], bool]


@dataclass(frozen=True)
class Scene:
    """One picture: which gateway, how large, what must be on the screen, and the keys before it."""

    name: str
    size: tuple[int, int]
    ready: Ready
    scenario: str = "tour"
    speed: float = 1.0
    keys: tuple[str, ...] = ()
    ops_token: str | None = None
    has_log: bool = False
    """Whether the evidence log has the rows of a real rollout."""
    stuck_after: float | None = None


def _at_work(state: State) -> bool:
    """Tell whether a run is in a tool, finished turns were seen, and the log has grown."""
    in_tool = any(run.turn.tool for run in state.runs.values())
    lane_log = state.logs.get(state.lane_log_id)
    return in_tool and state.routing.delegated >= TURNS_SEEN and lane_log is not None


def _fell_back(state: State) -> bool:
    return _at_work(state) and any(entry.fell_back for entry in state.ledger.entries.values())


def _stuck(state: State) -> bool:
    """Tell whether an alarm rang of a run that was heard before it fell silent."""
    return bool(state.alarms) and any(run.turn.marks for run in state.runs.values())


def _with_rows(state: State) -> bool:
    return _at_work(state) and bool(state.evidence and state.evidence.rows)


def _refused(state: State) -> bool:
    return state.snapshot is not None and any(s.failure for s in state.sources.values())


SCENES: Final = (
    Scene("watch-160x45", (160, 45), _fell_back, scenario="fault", speed=2.0),
    Scene("watch-120x40", (120, 40), _at_work, speed=2.0),
    Scene("watch-80x24", (80, 24), _at_work, speed=2.0),
    Scene("blind-80x24", (80, 24), _at_work, scenario="blind", speed=2.0),
    Scene("links-120x40", (120, 40), _refused, scenario="auth", keys=("5",), ops_token="expired"),  # noqa: S106 - a made-up token for the scene
    Scene("triage-80x24", (80, 24), _stuck, scenario="tour", speed=6.0, stuck_after=4.0),
    Scene("record-80x24", (80, 24), _with_rows, speed=2.0, keys=("r",), has_log=True),
    Scene("evidence-120x40", (120, 40), _with_rows, speed=2.0, keys=("e",), has_log=True),
    Scene("explain-160x45", (160, 45), _with_rows, speed=2.0, keys=("i",), has_log=True),
    Scene("brake-80x24", (80, 24), _at_work, speed=2.0, keys=("F",)),
    Scene("help-80x24", (80, 24), _at_work, speed=2.0, keys=("question_mark",)),
)


async def take(scene: Scene) -> str:
    """Return the scene as SVG text."""
    options = SimOptions(scenario=scene.scenario, speed=scene.speed)
    with spawn_gateway(options) as gateway, TemporaryDirectory() as scratch:
        token = Secret(scene.ops_token) if scene.ops_token else None
        name = f"demo {scene.scenario}"
        log = Path(scratch, "evidence_log.md")
        if scene.has_log:
            shutil.copyfile(ROWS, log)
        settings = Settings(
            url=gateway.url,
            gateway_name=name,
            ops_token=token,
            evidence=log,
            stuck_after=scene.stuck_after,
        )
        network = NetworkThread()
        lane = lane_watch(settings, Places(Path(scratch, "state")), network, ambient=False)
        app = VpTuiApp(lane, network)
        async with app.run_test(size=scene.size) as pilot:
            await _until_ready(scene.ready, app, pilot)
            await pilot.press(*scene.keys)
            await pilot.pause()
            return app.export_screenshot(title="vp-tui")


async def _until_ready(ready: Ready, app: VpTuiApp, pilot: Pilot[None]) -> None:
    seen = asyncio.Event()
    app.lane.store.subscribe(lambda state: seen.set() if ready(state) else None)
    async with asyncio.timeout(PATIENCE_S):
        await seen.wait()
    await pilot.pause()


def save(name: str, svg: str) -> None:
    """Write the SVG, and the PNG that `rsvg-convert` draws of it."""
    path = HERE / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    drawn = re.sub(r'x="([\d.]+)"([^>]*)>((?:&#160;)+)', _without_leading_blanks, svg)
    convert = ["rsvg-convert", "--format=png", f"--output={path.with_suffix('.png')}"]
    subprocess.run(convert, input=drawn.encode(), check=True)  # noqa: S603 - a fixed command


def _without_leading_blanks(match: re.Match[str]) -> str:
    """Move a text right instead of starting it with blanks, which rsvg drops."""
    x, attributes, blanks = match.groups()
    shifted = float(x) + CELL_WIDTH * blanks.count(";")
    return f'x="{shifted:.1f}"{attributes}>'


async def main() -> None:
    """Make all scenes, or those named on the command line."""
    wanted = sys.argv[1:]
    for scene in SCENES:
        if not wanted or scene.name in wanted:
            print(scene.name, file=sys.stderr)  # noqa: T201 - narration of a script
            save(scene.name, await take(scene))


if __name__ == "__main__":
    asyncio.run(main())
