"""Every word that the screen can show of itself stands in the glossary of `?`, and in README."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from tests.support.rig import running
from tests.ui.test_readme_keys import README, tables_under

from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.lane.switch_proof import Proof
from vp_tui.domain.models import StreamState
from vp_tui.domain.rollout.verdicts import Verdict
from vp_tui.domain.runs.levels import Level
from vp_tui.ui.screens.texts import GLOSSARY
from vp_tui.views import lookout, troubles
from vp_tui.views.sources import SourceWord
from vp_tui.views.words import source_word

STATES = (
    "The badge, top left; joined by +",
    "Alarms",
    "Sources and streams",
    "Gates and their verdicts",
    "Runs",
)
"""Topics whose words README has too."""
SIZES = ((50, 15), (60, 20), (80, 24), (100, 30), (120, 40), (160, 45), (200, 60))


def badge_words() -> set[str]:
    """Return the words of which the code makes a badge: those of its function, and the sources'."""
    code = ast.parse(inspect.getsource(lookout.badge))
    texts = {n.value for n in ast.walk(code) if isinstance(n, ast.Constant)}
    own = {text for text in texts if isinstance(text, str) and text.isupper()}
    return own | {word.upper() for word in SourceWord if word is not SourceWord.IDLE}


def alarms() -> set[str]:
    names = {kind for kinds in lookout._ORDER for kind in kinds}
    own = {troubles.GUARDRAIL, troubles.UNCONFIRMED, troubles.CONTRADICTED, troubles.COUNTDOWN}
    return names | own


@pytest.mark.parametrize(
    ("topic", "shown"),
    [
        (STATES[0], badge_words() | {"READ-ONLY"}),
        ("Alarms", alarms()),
        ("Sources and streams", {*map(source_word, SourceWord), *StreamState}),
        ("Gates and their verdicts", set(Verdict)),
        ("Runs", set(Level) | {"not judged", "stale", "victim of"}),
        ("The lane", {mode.replace("_", " ") for mode in LaneMode} - {"unknown"}),
        ("The lane", set(Proof) - {Proof.PENDING, Proof.FAILED}),
    ],
)
def test_the_glossary_explains_every_word_that_the_code_can_show(
    topic: str, shown: set[str]
) -> None:
    assert {str(word) for word in shown} - {word for word, _ in GLOSSARY[topic]} == set()


def test_no_word_is_explained_twice_under_one_topic() -> None:
    for meanings in GLOSSARY.values():
        told = [word for word, _ in meanings]
        assert len(set(told)) == len(told)


def test_the_readme_explains_every_badge_alarm_and_state() -> None:
    (told,) = tables_under("## Its words", Path(README).read_text(encoding="utf-8"))
    assert told == {meaning for topic in STATES for meaning in GLOSSARY[topic]}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_help_fits_or_scrolls_to_its_last_word_and_never_loses_esc(
    size: tuple[int, int],
) -> None:
    async with running(size=size) as rig:
        await rig.press("question_mark")
        assert "esc closes" in rig.text
        assert max(map(len, rig.lines)) <= size[0]
        await rig.press("end")
        assert "changes nothing" in rig.text
        assert "esc closes" in rig.text
