"""Setting a gate aside: in the palette only, for the open window, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.builders import NOW, booted, state
from tests.support.rig import AUTHOR, SMALL, Rig, running
from tests.support.rollout import window

from vp_tui.domain.events import WindowsRead
from vp_tui.domain.models import Continuity, ContinuityAlert
from vp_tui.domain.orders import ActionRecord
from vp_tui.domain.rollout.verdicts import Verdict, Waiver
from vp_tui.storage.windows import read_windows
from vp_tui.ui.dialogs.waive import WaiveDialog
from vp_tui.ui.lines.explain import explanation
from vp_tui.views.view import View
from vp_tui.worker.evidence import EvidenceFiles

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = "no alert, and suites younger than 7 days"
SUITES = Waiver("G4", AUTHOR, "suites run by hand", NOW, Verdict.INCONCLUSIVE, LIMIT)


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return EvidenceFiles(tmp_path / "log.md", tmp_path / "spool", tmp_path / "windows" / "w.json")


async def waive(rig: Rig) -> None:
    """Choose it from the palette's list of doings."""
    rig.watch.action_do("waive")
    await rig.settle()


async def opened(rig: Rig) -> None:
    """Open a window, then the dialog with G4 chosen."""
    await rig.press("w", "enter")
    await rig.until(lambda: len(rig.app.screen_stack) == 1)
    await waive(rig)
    assert isinstance(rig.app.screen, WaiveDialog)
    while "gate <suites>" not in rig.text:
        await rig.press("space")
    await rig.press("tab")
    assert rig.focus == "reason"


def waivers(files: EvidenceFiles) -> tuple[Waiver, ...]:
    (kept,) = read_windows(files.windows)
    return kept.waivers


async def test_without_an_open_window_it_says_what_opens_one(files: EvidenceFiles) -> None:
    async with running(*scenes.ordinary(), files=files) as rig:
        await waive(rig)
        assert not isinstance(rig.app.screen, WaiveDialog)
        (said,) = rig.app._notifications
        assert said.message.startswith("[w] open one first")


async def test_it_shows_the_gate_and_keeps_the_waiver(files: EvidenceFiles) -> None:
    async with running(*scenes.ordinary(), files=files, size=SMALL) as rig:
        await opened(rig)
        assert "suites INCONCLUSIVE" in rig.text
        assert "suites not attested" in rig.text
        assert "A waived gate is no PASS" in rig.text
        await rig.press(*SUITES.why, "enter")
        await rig.until(lambda: len(rig.app.screen_stack) == 1)
        await rig.settle()
        assert "suites WAIVED" in rig.text
        told = f"was INCONCLUSIVE, in {read_windows(files.windows)[0].label}"
        (kept,) = rig.ordered(ActionRecord)
        assert (kept.what, kept.reason, kept.result) == ("waive suites", SUITES.why, told)
        assert kept.target == kept.vp_id == rig.store.state.watch.vp_id
    assert waivers(files) == (SUITES,)


def test_the_explanation_tells_who_and_why_and_what_the_gate_said() -> None:
    read = WindowsRead(0.0, (window(waivers=(SUITES,)),))
    lines = explanation(View(state(*scenes.ordinary(), read), 2.0), 78)
    said = " ".join("".join(text for line in lines for text, _ in (*line, (" ", ""))).split())
    assert f"suites WAIVED no continuity regression why waived by {AUTHOR}: {SUITES.why}" in said
    assert "(was INCONCLUSIVE: runtime ok" in said


async def test_it_needs_a_reason(files: EvidenceFiles) -> None:
    async with running(*scenes.ordinary(), files=files) as rig:
        await opened(rig)
        await rig.press("space", "enter")
        assert "a waiver needs a reason" in rig.text
        await rig.press("escape")
    assert waivers(files) == ()


async def test_what_is_waived_already_is_not_waived_twice(files: EvidenceFiles) -> None:
    async with running(*scenes.ordinary(), files=files) as rig:
        await opened(rig)
        await rig.press("a", "enter")
        await rig.until(lambda: len(rig.app.screen_stack) == 1)
        await waive(rig)
        while "gate <suites>" not in rig.text:
            await rig.press("space")
        await rig.press("tab", "b", "enter")
        assert "suites is waived already" in rig.text
    assert [waiver.why for waiver in waivers(files)] == ["a"]


async def test_a_verdict_that_changes_meanwhile_is_shown_first(files: EvidenceFiles) -> None:
    alert = ContinuityAlert("resume_failures_high", "critical", "words")
    broken = booted()._replace(
        continuity=Continuity("2026-11-22T19:00:00", "ok", "degraded", (alert,), 0)
    )
    async with running(*scenes.ordinary(), files=files) as rig:
        await opened(rig)
        await rig.tell(broken)
        await rig.press("x", "enter")
        assert "suites changed to FAIL meanwhile" in rig.text
        assert waivers(files) == ()
        await rig.press("enter")
        await rig.until(lambda: len(rig.app.screen_stack) == 1)
    assert [waiver.was for waiver in waivers(files)] == [Verdict.FAIL]


async def test_a_window_that_ends_meanwhile_takes_no_waiver(files: EvidenceFiles) -> None:
    async with running(*scenes.ordinary(), files=files) as rig:
        await opened(rig)
        theirs = rig.store.state.window
        assert theirs is not None
        await rig.lane.commands.change_window(theirs._replace(closed_at=NOW), theirs)
        await rig.press("x", "enter")
        assert "the window was closed, or another one opened, meanwhile" in rig.text
    assert read_windows(files.windows) == ()
