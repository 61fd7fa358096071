"""No screen or text has an abbreviation that a new user misread, nor a plural of one."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Final

import pytest
from tests.support import builders, scenes
from tests.support.evidence import golden_files, read
from tests.support.rig import running
from tests.support.rollout import golden_rows, window
from tests.support.wording import FORBIDDEN, ONE_OF_MANY, wrong_words

from vp_tui.cli.status import status_text
from vp_tui.domain.events import EvidenceRead, WindowsRead
from vp_tui.domain.runs.cancels import CancelState
from vp_tui.views.draft import Choice, draft_row
from vp_tui.views.evidence_row import row_of
from vp_tui.views.handover import handover, incident_text
from vp_tui.views.view import View

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rig import Rig

    from vp_tui.domain.events import Event

SIZES: Final = ((100, 30), (120, 40), (160, 45), (200, 60))
KEYS: Final = ("", "i", "e", "u", "question_mark", "r", "c", "F", "P", "X", "w", "W", "enter", "5")
"""The watch screen, and what each key opens over it or shows in it."""
BY_NAME: Final = (
    "cancel-all",
    "release",
    "shadow-on",
    "shadow-off",
    "lane-on",
    "lane-off",
    "waive",
)
"""What only the palette opens; a waiver wants an open window."""
SCENES: Final[dict[str, tuple[list[Event], float]]] = {
    "ordinary": (scenes.ordinary(), 2.0),
    "tripped": (scenes.ordinary_with_fallbacks(5), 2.0),
    "open": ([*scenes.ordinary(), WindowsRead(0.0, (window(),))], 2.0),
    "one": (scenes.ordinary(builders.snapshot(*scenes.done(1))), 2.0),
    "lost": (scenes.lost(), 75.0),
    "refused": (scenes.refused_ops(dashboard=True), 2.0),
    "blind": (scenes.blind(), 2.0),
    "stuck": (scenes.stuck(), 2.0),
    "deaf": (scenes.deaf(), 8.0),
    "deaf for long": (scenes.deaf(), 240.0),
    "down": (scenes.metrics_down(), 30.0),
    "nothing": ([], 2.0),
}
"""What happened, and seconds later."""


async def seen(rig: Rig) -> dict[str, str]:
    """Return what the screen shows by what opened it."""
    found = {}
    for key in KEYS:
        if key:
            await rig.press(key)
        found[key] = rig.text
        if len(rig.app.screen_stack) > 1:
            await rig.press("escape")
    for action in BY_NAME:
        rig.watch.action_do(action)
        await rig.settle()
        found[action] = rig.text
        if len(rig.app.screen_stack) > 1:
            await rig.press("escape")
    return found


@pytest.mark.parametrize("has_log", [True, False])
@pytest.mark.parametrize("scene", SCENES)
def test_no_text_says_what_no_screen_may(scene: str, *, has_log: bool) -> None:
    (happened, later), golden = SCENES[scene], EvidenceRead(0.0, (*golden_rows(),), frozenset())
    view = View(builders.state(*happened, *([golden] if has_log else [])), later)
    draft = draft_row(view)
    notes = row_of(draft, Choice(draft.suggestion.decision)).notes
    texts = {"status": status_text(view), "handover": handover(view, "ana"), "notes": notes}
    assert {what: found for what, text in texts.items() if (found := wrong_words(text))} == {}


@pytest.mark.parametrize(("scene", "size"), [*zip(SCENES, cycle(SIZES), strict=False)])
async def test_no_screen_abbreviates_where_there_is_room(
    tmp_path: Path, scene: str, size: tuple[int, int]
) -> None:
    """Each scene at one size, and the watch screen of it at all; each at each: the soak `words`."""
    assert await wrong_on_screens(tmp_path, scene, size) == {}


async def wrong_on_screens(home: Path, scene: str, size: tuple[int, int]) -> dict[str, set[str]]:
    """Return the wrong words of all that a scene's keys show at a size, by what shows them."""
    files, (happened, later) = golden_files(home), SCENES[scene]
    events: list[Event] = [*([read(files)] if happened else []), *happened]
    async with running(*events, size=size, files=files, evidence="docs/evidence_log.md") as rig:
        await rig.passes(later)
        texts = await seen(rig)
        view = rig.lane.live.view
        texts["handover"] = handover(view, "ana")
        texts |= {who: incident_text(view, who) for who in (*view.state.sessions, "nobody")}
        for other in SIZES:
            await rig.resize(other)
            texts[f"at {other}"] = rig.text
    return {key: found for key, text in texts.items() if (found := wrong_words(text))}


@pytest.mark.parametrize(
    "text",
    ["G1 INC +26", "Bro#5", "ep1", "cov FULL 19/19", "3fb", "0orphan", "1 orphan", "rolling 0/18",
     "F brake ON", "3 more trip", "KEEP WATCHING", "unseen 4 boot 0"],
)  # fmt: skip
def test_the_old_words_would_be_found(text: str) -> None:
    assert FORBIDDEN.search(text)


def test_a_plural_of_one_would_be_found() -> None:
    assert ONE_OF_MANY.search("1 rows") is not None
    assert ONE_OF_MANY.search("seen by 1 other viewers") is not None
    assert ONE_OF_MANY.search("1 is, 1 runs, 11 rows, 0.1 days, [1 links]") is None


def test_no_word_of_a_cancel_claims_a_recovery_but_the_one_that_is() -> None:
    claims = [str(how) for how in CancelState if "recovered" in how and "not recovered" not in how]
    assert claims == ["recovered"]
