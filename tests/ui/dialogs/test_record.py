"""`r` shows the row first: what is chosen, typed and pasted, and how it all fits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support import evidence, recording, scenes
from tests.support.rig import LARGE, SMALL
from tests.support.rollout import row

from vp_tui.domain.events import CancelRequested
from vp_tui.domain.rollout.evidence_row import cells_from_snapshot, format_row
from vp_tui.domain.vocabulary import Profile, offered
from vp_tui.storage.verification import verify
from vp_tui.ui.dialogs.record import WholeRow
from vp_tui.ui.kit.forms import Choices, Cycle
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.lines.evidence import row_lines
from vp_tui.worker.commands import Commands

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.views.draft import Choice, Draft
    from vp_tui.worker.evidence import EvidenceFiles, Outcome


GO = "GO_BROADER_TRAFFIC_ACTIVE"
READY = "READY_FOR_LIMITED_COHORT_PILOT"
SEEN = "abc\u2039U+202E\u203adef\u2039U+200B\u203a"
"""How a bidi override and a zero-width space are shown."""


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return evidence.golden_files(tmp_path)


class TestDialog:
    async def test_the_suggestion_is_chosen_and_enter_writes_the_row_shown(
        self, files: EvidenceFiles
    ) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            assert rig.focus == "decision"
            assert f"> 1 {GO} " in rig.text
            line = format_row(recording.preview(rig)).encode()
            await rig.press("enter")
            await recording.written(rig, files)
            assert line in evidence.log_of(files).read_bytes().splitlines()
            assert not recording.is_open(rig)

    async def test_the_row_is_shown_as_the_line_that_is_written(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary(), size=LARGE) as rig:
            await rig.press("r")
            await recording.paste(rig, "note", "a|b\\c \u202e 日本語 wide")
            lines = recording.dialog(rig).query_one("#preview", Lines).lines
            shown = "".join(text for line in lines for text, _tone in line)
            await rig.press("enter")
            await recording.written(rig, files)
            assert shown.encode() in evidence.log_of(files).read_bytes().splitlines()

    async def test_v_shows_all_of_it(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            line = format_row(recording.preview(rig))
            assert "v = all" in rig.text
            await rig.press("v")
            assert isinstance(rig.app.screen, WholeRow)
            inside = [text.strip("│").strip() for text in rig.lines if text.startswith("│")]
            assert "".join(inside).replace(" ", "") == line.replace(" ", "")
            await rig.press("v")
            assert rig.focus == "decision"
            await rig.press("v", "escape", "escape")
            assert not recording.is_open(rig)

    async def test_digits_choose_while_the_list_has_the_focus(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "3")
            assert recording.decision(rig) == "HOLD_SHADOW"
            await rig.press("down")
            assert recording.decision(rig) == "FORCE_FALLBACK"
            await recording.focus(rig, "note")
            await rig.press("1", "v", "0", "R")
            assert recording.decision(rig) == "FORCE_FALLBACK"
            assert recording.dialog(rig).choice.note == "1v0R"
            await recording.focus(rig, "stage")
            await rig.press("1")
            assert not recording.is_open(rig)

    async def test_another_word_is_typed(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "0")
            assert rig.focus == "word"
            await rig.press(*"hold_on", "enter")
            assert (await recording.written(rig, files)).decision == "HOLD_ON"

    @pytest.mark.parametrize("typed", ["", "two words", "a|b", "a-b", "é"])
    async def test_what_is_no_word_is_asked_again(self, files: EvidenceFiles, typed: str) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "0")
            await recording.paste(rig, "word", typed)
            await rig.press("enter")
            assert "! the decision is a word of letters, digits and" in rig.text
            assert rig.focus == "word"
            assert len(evidence.rows_in(files)) == 16

    async def test_a_label_is_needed(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.focus(rig, "window")
            await rig.press("ctrl+u", "enter")
            assert "! the row needs the label of its window" in rig.text
            assert rig.focus == "window"

    async def test_more_than_suggested_asks_for_a_reason(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.no_missions()) as rig:
            await rig.press("r")
            assert recording.decision(rig) == "HOLD_SHADOW"
            reason = recording.dialog(rig).query_one("#field-reason")
            assert not reason.display
            await rig.press("1")
            assert recording.decision(rig) == GO
            assert reason.display
            await rig.press("enter")
            assert "! GO_BROADER_TRAFFIC_ACTIVE allows more than HOLD_SHADOW" in rig.text
            assert rig.focus == "reason"
            await rig.press("space", "enter")
            assert len(evidence.rows_in(files)) == 16
            await rig.press(*"so said Bo", "enter")
            last = await recording.written(rig, files)
            assert "HOLD_SHADOW was suggested: " in last.notes
            assert "more was allowed because: so said Bo" in last.notes

    async def test_the_stage_changes_the_suggestion(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.focus(rig, "stage")
            await rig.press("left")
            assert recording.dialog(rig).query_one("#stage", Cycle).value == "limited"
            assert recording.decision(rig) == GO  # four clean limited windows are in the log
            await rig.press("left")
            assert recording.decision(rig) == READY
            assert f"> 2 {READY}" in rig.text

    async def test_ones_own_choice_outlives_a_change(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "4")
            await recording.focus(rig, "stage")
            await rig.press("left", "left")
            assert recording.decision(rig) == "FORCE_FALLBACK"

    async def test_the_source_goes_into_scope_and_record(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.focus(rig, "source")
            await rig.press("space", "enter")
            last = await recording.written(rig, files)
            assert last.scope == "vp.coder.primary on here, probe traffic"

    async def test_a_scope_of_ones_own_stays(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.focus(rig, "scope")
            await rig.press("ctrl+u", *"canary")
            await recording.focus(rig, "source")
            await rig.press("space", "enter")
            assert (await recording.written(rig, files)).scope == "canary"

    async def test_enter_writes_once(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await rig.pilot.press("enter", "enter", "enter")
            await recording.written(rig, files)
            await rig.settle()
            assert len(evidence.rows_in(files)) == 17

    async def test_escape_leaves_nothing_behind(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            before, found = evidence.log_of(files).read_bytes(), evidence.kept_in(files)
            await rig.press("r", "4")
            await recording.paste(rig, "note", "never mind")
            await rig.press("escape")
            assert not recording.is_open(rig)
            assert (evidence.log_of(files).read_bytes(), evidence.kept_in(files)) == (before, found)
            assert rig.store.state.window is None
            await rig.press("r")
            assert recording.dialog(rig).choice.note == ""
            assert recording.decision(rig) == GO

    async def test_a_row_that_came_meanwhile_is_shown_then_joined(
        self, files: EvidenceFiles
    ) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "3")
            await recording.paste(rig, "note", "mine")
            recording.theirs(files, word="BLOCKED_AUTH")
            await rig.press("enter")
            await rig.until(lambda: "! BLOCKED_AUTH was written for this window" in rig.text)
            assert len(evidence.rows_in(files)) == 17
            await rig.press("enter")
            last = await recording.written(rig, files, 18)
            assert (last.decision, last.notes.endswith("; mine")) == ("HOLD_SHADOW", True)

    async def test_what_others_write_is_told_while_it_is_open(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            assert "(16 rows, unchanged since read)" in rig.text
            assert "no row of others for this window" in rig.text
            recording.theirs(files, word="BLOCKED_AUTH")
            await rig.tell(evidence.read(files))
            assert "(17 rows, CHANGED meanwhile)" in rig.text
            assert (
                "others somebody, by hand, wrote BLOCKED_AUTH at 2026-11-23T01:00:00Z" in rig.text
            )


class TestNotes:
    @pytest.mark.parametrize(
        "note",
        [
            "a | b",
            "back \\ slash \\n",
            "two\nlines",
            "a tab\there",
            "\x1b[2Jcleared",
            "日本語",
        ],
    )
    async def test_a_pasted_note_reads_back(self, files: EvidenceFiles, note: str) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.paste(rig, "note", note)
            assert "\x1b" not in rig.text
            await rig.press("enter")
            assert (await recording.written(rig, files)).notes.endswith(f"; {note}")

    async def test_line_ends_of_other_systems_are_ends_of_lines(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.paste(rig, "note", "one\r\ntwo\rthree")
            assert recording.dialog(rig).choice.note == "one\ntwo\nthree"
            assert "one␊two␊three" in rig.text

    async def test_what_reorders_is_seen(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.paste(rig, "note", "abc\u202edef\u200b")
            assert SEEN in rig.text
            await rig.press("enter")
            assert (await recording.written(rig, files)).notes.endswith(f"; {SEEN}")

    async def test_a_huge_note_is_one_row(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.paste(rig, "note", "0123456789" * 10_000)
            await rig.press("enter")
            last = await recording.written(rig, files)
            assert "… [cut: 100" in last.notes
            assert verify(evidence.log_of(files), cells_from_snapshot)[-1].state == "ok"

    async def test_unknowns_can_be_left_out(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.metrics_down()) as rig:
            await rig.press("r")
            assert "metrics down" in recording.preview(rig).notes
            await recording.focus(rig, "unknowns")
            await rig.press("space")
            assert "metrics down" not in recording.preview(rig).notes

    async def test_actions_can_be_left_out_where_there_are_any(self, files: EvidenceFiles) -> None:
        asked = CancelRequested(0.0, scenes.BUSY, "stuck in npm", "ana@laptop")
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            assert "actions <" not in rig.text
            await rig.press("escape")
            await rig.tell(asked)
            await rig.press("r")
            assert "actions <in the notes>" in rig.text
            told = f"actions: 02:00:00Z cancel {scenes.BUSY} by ana@laptop (stuck in npm): "
            assert told in recording.preview(rig).notes
            await recording.focus(rig, "actions")
            await rig.press("space")
            assert "actions <left out>" in rig.text
            assert "actions: " not in recording.preview(rig).notes


class TestLayout:
    @pytest.mark.parametrize("size", [SMALL, (100, 30), LARGE])
    async def test_nothing_is_cut_off(self, files: EvidenceFiles, size: tuple[int, int]) -> None:
        recording.theirs(files, evidence.NEXT, "BLOCKED_AUTH")
        async with recording.at_work(files, *scenes.no_missions(), size=size) as rig:
            await rig.press("r", "0", *"GO_ON", "enter")  # asks for a reason, and says so
            box = recording.dialog(rig).query_one("#dialog").region
            shown = [line.strip("│ ") for line in rig._cut(box)]
            begins = (
                "! GO_ON", "window", "scope", "data", "cells", "gates", "others", "why",
                "> 0 another word", "word   GO_ON", "reason", "note", "after", "| 2026-",
            )  # fmt: skip
            for begin in begins:
                assert any(line.startswith(begin) for line in shown), f"{begin}\n{rig.text}"
            assert rig.lines[-1].startswith(" enter to the reason  tab next")
            assert rig.lines[-1].endswith("esc nothing")
            assert shown[-1].startswith("╰")
            assert box.bottom <= size[1] - 1

    async def test_a_resize_fits_it_again(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary(), size=LARGE) as rig:
            await rig.press("r")
            assert "v = all" not in rig.text
            await rig.resize(SMALL)
            assert "v = all" in rig.text
            assert rig.lines[-2].startswith("╰")

    @pytest.mark.parametrize("size", [(50, 15), (60, 20), SMALL, (100, 30)])
    async def test_all_words_are_in_view(self, files: EvidenceFiles, size: tuple[int, int]) -> None:
        async with recording.at_work(files, *scenes.ordinary(), size=size) as rig:
            await rig.press("r")
            words = recording.dialog(rig).query_one("#decision", Choices)
            assert words.count == 9
            for digit, word in enumerate(offered("HOLD_SHADOW", Profile.ROLLOUT), 1):
                assert f"{digit} {word}" in rig.text
            assert "0 another word" in rig.text
            assert "RECORD, rollout table" in rig.text
            assert rig.lines[-1].endswith("esc nothing")
            await rig.press("tab")
            assert "digits" not in rig.lines[-1]
            assert rig.lines[-1].endswith("esc nothing")


def test_a_row_that_fits_is_shown_whole() -> None:
    shown = row_lines(row("w" * 50), 40, 9)
    assert "".join(text for line in shown for text, _tone in line) == format_row(row("w" * 50))


def test_one_that_does_not_says_so() -> None:
    (only,) = row_lines(row("w" * 50), 40, 1)
    text = "".join(text for text, _tone in only)
    assert (len(text), text[-8:]) == (40, "… v = all"[1:])


class TestWhileItWrites:
    @pytest.fixture
    def goes_on(self, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
        """Have every row wait for this."""
        goes_on, record = asyncio.Event(), Commands.record

        async def slowly(self: Commands, draft: Draft, choice: Choice) -> Outcome:
            await goes_on.wait()
            return await record(self, draft, choice)

        monkeypatch.setattr(Commands, "record", slowly)
        return goes_on

    async def test_esc_leaves_it_open_until_the_row_is_told(
        self, files: EvidenceFiles, goes_on: asyncio.Event
    ) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "enter", "escape")
            assert recording.is_open(rig)
            goes_on.set()
            await recording.written(rig, files)
            assert not recording.is_open(rig)

    async def test_what_was_opened_over_it_goes_with_it(
        self, files: EvidenceFiles, goes_on: asyncio.Event
    ) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "enter", "v")
            assert isinstance(rig.app.screen, WholeRow)
            goes_on.set()
            await recording.written(rig, files)
            await rig.settle()
            assert len(rig.app.screen_stack) == 1
