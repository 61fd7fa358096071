"""Any text from outside in every sink of the screen: only vp-tui's own escapes reach the terminal.

Every action is run and every widget that is there then is drawn, so that a new screen, dialog or
toast is walked too; one that no action leads to fails by its name.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from hypothesis import given, seed, settings
from hypothesis import strategies as st
from rich.console import Console
from tests.support import scenes
from tests.support.builders import NOW, failed, linked
from tests.support.hostile import FORBIDDEN, HOSTILE, assert_harmless
from tests.support.rig import LARGE, SMALL, Rig, running
from tests.support.rows import row
from tests.ui.test_hostile import failure, frames, kept, listing, log, metrics, typed
from textual._compositor import CompositorUpdate
from textual.drivers.headless_driver import HeadlessDriver
from textual.widget import Widget

from vp_tui.domain.events import AuditRead, EvidenceRead
from vp_tui.domain.models import ActionStep, Failure, Source, StreamState
from vp_tui.domain.orders import ActionRecord
from vp_tui.gateway.frames import parse_frame
from vp_tui.ui.actions import call_of
from vp_tui.views.actions import ACTIONS
from vp_tui.worker.evidence import EvidenceFiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from vp_tui.domain.events import Event

OWN: Final = re.compile(
    r"\x1b\[[0-9;]*m"  # colours
    r"|\x1b\[\d+;\d+H"  # places
    r"|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"  # what is copied, in base64
    r"|\x1b\]22;[a-z-]+\x07"  # the mouse's shape
    r"|\x1b\]0;[^\x00-\x1f\x7f-\x9f]*\x07"  # the title
    r"|\n"
)
"""The escapes that vp-tui writes."""
ELSEWHERE: Final = frozenset(
    {
        "ReplayScreen",  # the screen of `vp-tui replay`, which draws as the watch screen does
        "TimeDialog",  # in replay only: it shows nothing from outside
        "ReadOnlyWatchScreen",  # the watch screen, but for its keys
        "TooSmallScreen",  # walked by the test of sizes
        "WaitingDialog",  # wants rows on a disk
        "WhichRunDialog",  # shows ids only, which hold no other characters
    }
)
ROUNDS: Final = 3
"""Of all actions, as one that comes while a row is being written may be refused."""
ANY_TEXT: Final = st.lists(
    st.sampled_from(sorted(set(HOSTILE.values()) - {HOSTILE["very long"]})) | st.text(max_size=30),
    min_size=1,
    max_size=3,
).map(lambda parts: "".join(parts) + "x")
"""Never empty: what shows nothing leads to no whole line."""


def run(count: int, chance: Random) -> dict[str, int]:
    walked = list[int]()

    @seed(chance.getrandbits(32))
    @settings(max_examples=count, deadline=None, database=None)
    @given(ANY_TEXT, st.sampled_from([SMALL, LARGE]))
    def walk(text: str, size: tuple[int, int]) -> None:
        walked.append(asyncio.run(walk_all(text, size)))

    walk()
    return {"texts": len(walked), "drawn": sum(walked)}


async def walk_all(text: str, size: tuple[int, int]) -> int:
    """Put a text into every sink and run every action; return how often all was drawn."""
    seen, drawn = set[str](), 0
    with TemporaryDirectory() as directory, written() as out:
        place = Path(directory)
        watch = typed(text, place)
        watch["evidence"] = str(place / "log.md")
        files = EvidenceFiles(Path(watch["evidence"]), place / "windows", place / "own")
        async with running(*told(text), files=files, size=size, own=place, **watch) as rig:
            await rig.passes(2.0)
            rig.app.notify(text, title=text)
            for _ in range(ROUNDS):
                drawn += await walk_actions(rig, out, seen, size)
                if not (missing := {each.__name__ for each in sinks()} - seen - ELSEWHERE):
                    break
    assert not missing, f"no action of this walk leads to {sorted(missing)}"
    return drawn


async def walk_actions(rig: Rig, out: list[str], seen: set[str], size: tuple[int, int]) -> int:
    """Run every action and look at what it opens; return how often all was drawn."""
    drawn = 0
    for action in ACTIONS:
        if action.id in {"quit", "palette"}:
            continue
        await rig.app.screen.run_action(call_of(action, read_only=False))
        await rig.settle()
        drawn += check(rig, out, seen, size)
        if len(rig.app.screen_stack) > 1:
            await rig.press("v")
            drawn += check(rig, out, seen, size)
            await rig.press("escape", "escape")
    await rig.press("p", "w")  # the window is open by now
    drawn += check(rig, out, seen, size)
    await rig.press("escape", "escape")
    return drawn


def check(rig: Rig, out: list[str], seen: set[str], size: tuple[int, int]) -> int:
    """Note what is there, and assert that it is drawn as it should be; return 1."""
    seen |= {type(each).__name__ for each in shown(rig)}
    assert_own(drawing(rig) + "".join(out))
    assert_harmless(rig, size)
    out.clear()
    return 1


def told(text: str) -> list[Event]:
    """Return a stuck night, and whatever the gateway and the files say, all of it `text`."""
    step = ActionStep(NOW, text, text)
    record = ActionRecord(NOW, text, text, text, text, (step,), text)
    told_row = row(text, window=text, scope=text, refs=text)
    return [
        *scenes.stuck(),
        listing(text),
        metrics(text),
        *frames(text),
        log(text, "vp_coder_primary"),
        linked(StreamState.WAITING, parse_frame(text).text, at=1.0),
        failure(text),
        failed(Source.METRICS, Failure(parse_frame(text).text, "cure"), at=1.0),
        kept(text),
        AuditRead(1.0, (record,), interrupted=(record,)),
        EvidenceRead(1.0, (told_row,), frozenset()),
    ]


def shown(rig: Rig) -> list[object]:
    """Return the screens that are open, and all widgets on them."""
    return [each for screen in rig.app.screen_stack for each in (screen, *screen.query("*"))]


def drawing(rig: Rig) -> str:
    """Return what the terminal would get to draw the whole screen."""
    update = rig.app.screen._compositor.render_update(full=True)
    assert isinstance(update, CompositorUpdate)
    console = Console(force_terminal=True, color_system="truecolor")
    return update.render_segments(console)


def assert_own(data: str) -> None:
    rest = OWN.sub("", data)
    bad = [at for at, char in enumerate(rest) if unicodedata.category(char) in FORBIDDEN]
    assert not bad, [rest[max(at - 20, 0) : at + 20] for at in bad[:5]]


@contextmanager
def written() -> Iterator[list[str]]:
    """Gather what is written to the terminal besides the drawing."""
    out = list[str]()
    with patch.object(HeadlessDriver, "write", lambda _, data: out.append(data)):
        yield out


def sinks(of: type[Widget] = Widget) -> Iterator[type[Widget]]:
    """Yield the screens, dialogs and widgets of vp-tui that no other one is a kind of."""
    for each in of.__subclasses__():
        if each.__module__.startswith("vp_tui.ui") and not each.__subclasses__():
            yield each
        yield from sinks(each)
