"""The key `w`: opening a window, editing and closing it, and what others do to it meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.builders import NOW, mission, polled, snapshot
from tests.support.rig import LARGE, SMALL, Rig, running
from tests.support.rollout import golden_rows

from vp_tui.domain.events import EvidenceRead, WindowsRead
from vp_tui.domain.rollout.windows import Anchor, closed, opened
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.storage.windows import keep_window, read_windows
from vp_tui.ui.dialogs.window import EditDialog, OpenDialog
from vp_tui.views.figures import current_window
from vp_tui.views.view import View
from vp_tui.worker.evidence import EvidenceFiles
from vp_tui.worker.files import WindowsFeed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.rollout.windows import Window

LABEL = "Broadened rollout window #5"
HOSTILE = "[red]#1[/x] \x1b[2J\u202e"
LITERAL = "[red]#1[/x] ␛[2J\u2039U+202E\u203a"


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    log = tmp_path / "log.md"
    return EvidenceFiles(log, tmp_path / "spool", tmp_path / "windows" / "w.json")


def night(*more: Event, recorded: Sequence[str] = ()) -> list[Event]:
    """Return an ordinary night after the golden log: 18 missions are done, one runs."""
    read = EvidenceRead(0.0, tuple(golden_rows()), frozenset(recorded))
    return [*scenes.ordinary(), read, *more]


def kept(files: EvidenceFiles) -> Window:
    (window,) = read_windows(files.windows)
    return window


async def tab_to(rig: Rig, name: str) -> None:
    for _ in range(8):
        if rig.focus == name:
            return
        await rig.press("tab")
    raise AssertionError(f"{name} cannot be reached")


async def type_into(rig: Rig, name: str, text: str) -> None:
    await tab_to(rig, name)
    await rig.press("end", "ctrl+u", *text)


async def has_opened(rig: Rig) -> None:
    """Open the proposed window."""
    await rig.press("w", "enter")
    await rig.until(lambda: len(rig.app.screen_stack) == 1)
    assert rig.store.state.window is not None


async def closing(rig: Rig) -> None:
    """Choose to close the open window."""
    await rig.press("w")
    await tab_to(rig, "then")
    await rig.press("space")


async def is_done(rig: Rig) -> None:
    await rig.until(lambda: len(rig.app.screen_stack) == 1)
    await rig.settle()


class TestOpening:
    async def test_what_the_log_proposes_is_filled_in(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await rig.press("w")
            assert isinstance(rig.app.screen, OpenDialog)
            assert f"label  {LABEL}" in rig.text
            assert "stage <broadened>" in rig.text
            assert "source <organic>" in rig.text
            assert "scope  vp.coder.primary on here" in rig.text
            assert "holds all 19 missions that no record names" in rig.text

    async def test_enter_opens_it_with_the_missions_known_for_its_anchor(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            assert "stage broadened  window 5, 0s" in rig.lines[0]
            assert "WINDOW 5" in rig.text
            assert f"{LABEL} is open" in rig.text
        window = kept(files)
        assert (window.label, window.stage, window.source) == (
            LABEL, Stage.BROADENED, Traffic.ORGANIC,
        )  # fmt: skip
        assert window.opened_at == NOW
        assert window.anchor is not None
        assert len(window.anchor) == 18, "the one that runs is of the window in which it ends"
        assert len(window.running) == 1

    async def test_it_says_that_what_was_proposed_stays_outside(self, files: EvidenceFiles) -> None:
        ids = [made.mission_id for made in scenes.done(18)[:6]]
        async with running(*night(recorded=ids), files=files) as rig:
            await rig.press("w")
            assert "holds all 13 missions that no record names" in rig.text
            assert "the 13 stay outside it" in rig.text

    async def test_it_can_hold_what_no_record_names(self, files: EvidenceFiles) -> None:
        ids = [made.mission_id for made in scenes.done(18)[:6]]
        async with running(*night(recorded=ids), files=files) as rig:
            await rig.press("w")
            await tab_to(rig, "holds")
            await rig.press("space")
            assert "it holds these and all that follow" in rig.text
            await rig.press("enter")
            await is_done(rig)
            assert "12 ok 0 failed" in rig.text
        assert kept(files).anchor == frozenset(ids)

    async def test_what_was_typed_and_chosen_is_kept(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await rig.press("w")
            await type_into(rig, "label", "Limited cohort window #9")
            await tab_to(rig, "stage")
            await rig.press("left")
            await type_into(rig, "scope", "team A only")
            await tab_to(rig, "source")
            await rig.press("right", "right")
            assert "Missions of source synthetic feed no gate and no guardrail" in rig.text
            await rig.press("enter")
            await is_done(rig)
            assert "stage limited  window 9 synthetic" in rig.lines[0]
        window = kept(files)
        assert (window.label, window.scope) == ("Limited cohort window #9", "team A only")
        assert (window.stage, window.source) == (Stage.LIMITED, Traffic.SYNTHETIC)

    async def test_without_metrics_the_anchor_is_not_known_and_that_is_said(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            await rig.passes(60.0)
            await rig.press("w")
            assert "The metrics are stale: which missions there are is not known" in rig.text
            assert "metrics stale, 1m00 old" in rig.text
            assert "all 19 missions" not in rig.text
            await rig.press("enter")
            await is_done(rig)
            await rig.press("w")
            assert "Which missions there were is not known" in rig.text
        assert kept(files).anchor is None

    async def test_an_empty_label_is_refused_in_words(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await rig.press("w")
            await type_into(rig, "label", "   ")
            await rig.press("enter")
            assert "a window needs a label" in rig.text
            assert rig.focus == "label"
            await rig.press(*"Own #1")
            assert "a window needs a label" not in rig.text
        assert not files.windows.exists()

    async def test_esc_leaves_nothing_behind(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await rig.press("w", *"abc", "escape")
            assert len(rig.app.screen_stack) == 1
            assert rig.store.state.window is None
        assert not files.windows.parent.exists()

    async def test_while_the_log_is_unread_label_and_stage_are_not_made_up(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*scenes.ordinary(), files=files, evidence="log.md") as rig:
            await rig.press("w")
            assert "Label and stage are not known: the evidence log is not read yet" in rig.text
            assert "#1" not in rig.text
            await rig.press("enter")
            assert "a window needs a label" in rig.text

    async def test_the_settings_give_label_and_scope(self, files: EvidenceFiles) -> None:
        named = "Limited cohort window #7"
        async with running(*night(), files=files, window_label=named, window_scope="team B") as rig:
            await rig.press("w")
            assert "label  Limited cohort window #7" in rig.text
            assert "scope  team B" in rig.text
            assert "stage <limited>" in rig.text

    async def test_a_place_that_cannot_be_written_is_told_with_its_cure(
        self, files: EvidenceFiles
    ) -> None:
        files.windows.parent.write_text("a file where a directory should be")
        async with running(*night(), files=files) as rig:
            await rig.press("w", "enter")
            await rig.until(lambda: "name a directory of your own" in _folded(rig))
            assert rig.store.state.window is None
            assert isinstance(rig.app.screen, OpenDialog), "what was typed is still there"


def _folded(rig: Rig) -> str:
    return " ".join(rig.text.replace("│", " ").split())


class TestTheOpenOne:
    async def test_it_shows_since_when_it_is_open_and_its_figures_beside_the_others(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            rig.now = 90.0
            newer = [mission("vp-mission-00beef", started_s=10.0)]
            await rig.tell(polled(snapshot(*newer, *scenes.done(18)), at=90.0))
            await rig.press("w")
            assert isinstance(rig.app.screen, EditDialog)
            assert "It is open since 2026-11-23T02:00:00Z, 1m30; no row yet." in rig.text
            assert "0/1 at most 95%" in rig.text
            assert "0/19 at most 14.6%" in rig.text

    async def test_edits_are_kept_and_nothing_else_is_touched(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            before = kept(files)
            rig.now = 30.0
            await rig.press("w")
            await type_into(rig, "label", "Broadened rollout window #6")
            await rig.press("enter")
            await is_done(rig)
            assert "window 6, 30s" in rig.lines[0]
        assert kept(files) == before._replace(label="Broadened rollout window #6")

    async def test_enter_without_a_change_writes_nothing(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            stamp = files.windows.stat().st_ino
            await rig.press("w", "enter")
            await is_done(rig)
        assert files.windows.stat().st_ino == stamp

    async def test_closing_says_what_becomes_of_its_missions_and_asks(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            newer = [mission("vp-mission-00beef", started_s=10.0), *scenes.done(18)]
            await rig.tell(polled(snapshot(*newer)))
            await closing(rig)
            await rig.press("enter")
            assert (
                "closing it here writes no row; its 2 missions that no record names then"
                in rig.text
            )
            assert rig.store.state.window is not None
            await rig.press("enter")
            await is_done(rig)
            assert rig.store.state.window is None
            await rig.until(lambda: "closed: no row was written" in rig.text)
            assert "window 5 proposed" in rig.lines[0]
        assert read_windows(files.windows) == ()

    async def test_what_is_edited_after_the_question_asks_again(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            await closing(rig)
            await rig.press("enter")
            assert "closing it here" in rig.text
            await type_into(rig, "label", "another")
            assert "closing it here" not in rig.text
            await rig.press("enter")
            assert "closing it here" in rig.text
            await rig.press("escape")
        assert kept(files).label == LABEL

    async def test_a_closed_window_of_unreal_traffic_is_remembered(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files, source=Traffic.SYNTHETIC) as rig:
            await has_opened(rig)
            rig.now = 5.0
            await closing(rig)
            await rig.press("enter", "enter")
            await is_done(rig)
        window = kept(files)
        assert window.closed_at == NOW + timedelta(seconds=5)

    async def test_the_stage_asked_for_goes_before_the_windows(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
        windows = WindowsRead(0.0, read_windows(files.windows))
        async with running(*night(windows), files=files, stage=Stage.SHADOW) as rig:
            await rig.until(lambda: len(rig.app.screen_stack) > 1)  # it asks by itself
            assert "stage <broadened>" in rig.text
            assert "--stage shadow goes before it on this screen" in rig.text
            await rig.press("enter")
            await is_done(rig)
        assert kept(files).stage is Stage.BROADENED

    async def test_hostile_texts_of_the_file_are_shown_literally(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            hostile = opened(current_window(View(rig.store.state, 0.0)), Anchor(), NOW)._replace(
                label=HOSTILE, scope="[b]\n"
            )
            keep_window(files.windows, hostile, None)
            await follow(rig, files)
            assert LITERAL in rig.lines[0]
            await rig.press("w")
            assert f"label  {LITERAL}" in rig.text
            assert "[b]␊" in rig.text


async def follow(rig: Rig, files: EvidenceFiles) -> None:
    """Let a rig see what is in the file, as its feed would."""
    await WindowsFeed(files.windows, rig.store.apply, lambda: rig.now).look()
    await rig.tell()


class TestOthers:
    async def test_it_survives_a_restart(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
        async with running(*night(), files=files, size=LARGE) as rig:
            assert "proposed" in rig.lines[0]
            await follow(rig, files)
            assert "stage broadened  window 5, 0s" in rig.lines[0]
            assert "0 completed" in rig.text, "its anchor is what was known then"
            await rig.press("w")
            assert isinstance(rig.app.screen, EditDialog)

    async def test_what_another_vp_tui_changes_is_followed(self, files: EvidenceFiles) -> None:
        async with running(*night(), files=files) as mine:
            await has_opened(mine)
            async with running(*night(), files=files) as theirs:
                await follow(theirs, files)
                await theirs.press("w")
                await type_into(theirs, "scope", "team A only")
                await theirs.press("enter")
                await is_done(theirs)
            await follow(mine, files)
            assert current_window(View(mine.store.state, 0.0)).scope == "team A only"

    async def test_a_window_that_another_opened_meanwhile_is_not_replaced(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            await rig.press("w")
            theirs = opened(current_window(View(rig.store.state, 0.0)), Anchor(), NOW)._replace(
                label="Theirs"
            )
            keep_window(files.windows, theirs, None)
            await rig.press("enter")
            await rig.until(lambda: "“Theirs” is open already" in rig.text)
            await rig.press("escape")
        assert kept(files).label == "Theirs"

    @pytest.mark.parametrize("size", [SMALL, LARGE])
    async def test_a_change_by_others_is_told_before_it_can_be_undone(
        self, files: EvidenceFiles, size: tuple[int, int]
    ) -> None:
        async with running(*night(), files=files, size=size) as rig:
            await has_opened(rig)
            await rig.press("w")
            before = kept(files)
            keep_window(files.windows, before._replace(scope="theirs"), before)
            await type_into(rig, "label", "Mine")
            await rig.press("enter")
            await rig.until(lambda: "another vp-tui changed the window meanwhile" in rig.text)
            await follow(rig, files)
            await rig.press("escape", "w")
            assert "scope  theirs" in rig.text
        assert kept(files).label == LABEL

    async def test_a_window_that_another_closed_is_not_opened_again(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            await rig.press("w")
            before = kept(files)
            keep_window(files.windows, closed(before, NOW), before)
            await type_into(rig, "label", "Mine")
            await rig.press("enter")
            await rig.until(lambda: "meanwhile" in rig.text)
            await rig.press("escape")
        assert read_windows(files.windows) == ()

    async def test_the_dialog_tells_at_once_that_the_window_changed(
        self, files: EvidenceFiles
    ) -> None:
        async with running(*night(), files=files) as rig:
            await has_opened(rig)
            await rig.press("w")
            before = kept(files)
            keep_window(files.windows, before._replace(label="Theirs"), before)
            await follow(rig, files)
            assert "another vp-tui changed the window meanwhile: esc, then w" in rig.text
