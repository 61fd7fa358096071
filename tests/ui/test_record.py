"""`R` and `r`: a row written at once, and the dialog that shows it first."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.builders import NOW, REFUSED, failed, mission, polled, snapshot
from tests.support.evidence import (
    NEXT,
    evidence_files,
    golden_files,
    kept_in,
    log_of,
    read,
    rows_in,
)
from tests.support.rollout import row
from tests.ui import scenes
from tests.ui.rig import LARGE, SMALL, Rig, running
from textual.events import Paste
from textual.widgets import Input

from vp_tui.domain.evidence import cells_from_snapshot, format_row
from vp_tui.domain.stages import Stage
from vp_tui.storage.evidence_log import append_row
from vp_tui.storage.verification import verify
from vp_tui.ui.forms import Choices, Cycle
from vp_tui.ui.record import RecordDialog
from vp_tui.ui.record_text import row_lines
from vp_tui.ui.whole_row import WholeRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.recorder import EvidenceFiles

GO = "GO_BROADER_TRAFFIC_ACTIVE"
READY = "READY_FOR_LIMITED_COHORT_PILOT"
SEEN = "abc\u2039U+202E\u203adef\u2039U+200B\u203a"
"""How a bidi override and a zero-width space are shown."""


@asynccontextmanager
async def at_work(
    files: EvidenceFiles,
    *events: Event,
    size: tuple[int, int] = SMALL,
    **watch: Any,  # noqa: ANN401 - fields of Watch
) -> AsyncIterator[Rig]:
    """Run the app over this log after these events; it has read the log."""
    named = {"evidence": str(log_of(files))} | watch
    first = [read(files)] if log_of(files).exists() else []
    async with running(*first, *events, size=size, files=files, **named) as rig:
        yield rig


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return golden_files(tmp_path)


def theirs(files: EvidenceFiles, label: str = NEXT, word: str = "HOLD_SHADOW") -> None:
    """Have somebody write a row by hand, an hour ago."""
    append_row(log_of(files), row(label, word, date="2026-11-23T01:00:00Z"))


def dialog(rig: Rig) -> RecordDialog:
    found = next(s for s in rig.app.screen_stack if isinstance(s, RecordDialog))
    assert isinstance(found, RecordDialog)
    return found


def is_open(rig: Rig) -> bool:
    return any(isinstance(screen, RecordDialog) for screen in rig.app.screen_stack)


def toasts(rig: Rig) -> list[str]:
    return [f"{n.title}: {n.message}" for n in rig.app._notifications]


async def written(rig: Rig, files: EvidenceFiles, rows: int = 17) -> EvidenceRow:
    """Wait for the toast; return the row that is on disk then."""
    await rig.until(lambda: any("row recorded" in toast for toast in toasts(rig)))
    found = rows_in(files)
    assert len(found) == rows
    return found[-1]


async def focus(rig: Rig, name: str) -> None:
    dialog(rig).query_one(f"#{name}").focus()
    await rig.settle()


async def paste(rig: Rig, name: str, text: str) -> None:
    field = dialog(rig).query_one(f"#{name}", Input)
    field.focus()
    field.post_message(Paste(text))
    await rig.settle()


def decision(rig: Rig) -> str:
    return dialog(rig).decision


def preview(rig: Rig) -> EvidenceRow:
    return dialog(rig)._row


class TestAtOnce:
    async def test_the_row_is_on_disk_when_the_toast_shows_it(
        self, files: EvidenceFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            seen: list[tuple[str, EvidenceRow]] = []
            notify = rig.watch.notify

            def look(message: str, **told: Any) -> None:  # noqa: ANN401 - Textual's
                seen.append((message, rows_in(files)[-1]))
                notify(message, **told)

            monkeypatch.setattr(rig.watch, "notify", look)
            await rig.press("R")
            await rig.until(lambda: seen)
            ((message, last),) = seen
            assert (last.window, last.decision) == (NEXT, GO)
            for said in (GO, "rate 0.000", "p95 36.000s", f"{NEXT} is closed", "evidence_log.md"):
                assert said in message
            assert "row recorded" in rig.text
            assert not is_open(rig)

    async def test_it_is_the_row_that_the_suggestion_makes(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            shown = preview(rig)
            await rig.press("escape", "R")
            assert await written(rig, files) == shown

    async def test_a_double_press_writes_one_row(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.pilot.press("R", "R")
            await written(rig, files)
            await rig.settle()
            assert len(rows_in(files)) == 17

    async def test_right_after_a_row_it_asks(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await written(rig, files)
            await rig.press("R")
            assert is_open(rig)
            assert "! the last row is younger than 60 s, and no mission came since" in rig.text

    async def test_a_mission_since_makes_it_write(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await written(rig, files)
            came = mission("vp-mission-00abcd", started_s=-20.0)
            await rig.tell(polled(snapshot(came, *scenes.done(18))))
            await rig.press("R")
            await rig.until(lambda: len(rows_in(files)) == 18)
            assert not is_open(rig)

    async def test_a_minute_later_it_writes_too(self, files: EvidenceFiles) -> None:
        async with at_work(files, failed(failure=REFUSED)) as rig:
            await rig.press("R")
            await written(rig, files)
            await rig.passes(61.0)
            await rig.press("R")
            await rig.until(lambda: len(rows_in(files)) == 18)

    async def test_a_row_by_hand_is_shown_first(self, files: EvidenceFiles) -> None:
        theirs(files, f"{NEXT} (by hand)", "BLOCKED_AUTH")
        async with at_work(files, *scenes.ordinary(), stage=Stage.BROADENED) as rig:
            await rig.press("r")
            await rig.press("escape")
        label = "Broadened rollout window #6"
        theirs(files, f"{label} (by hand)", "BLOCKED_AUTH")
        append_row(log_of(files), row(label, "X", fallback_rate="n/a", p95_latency="n/a"))
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            assert is_open(rig)
            assert (
                "! somebody, by hand, wrote X for this window at 2026-11-23T02:00:00Z" in rig.text
            )

    async def test_a_row_that_came_meanwhile_opens_the_dialog(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            theirs(files)
            await rig.press("R")
            await rig.until(lambda: is_open(rig))
            await rig.settle()
            assert "! HOLD_SHADOW was written for this window at 2026-11-23T01:00:00Z" in rig.text
            await rig.press("enter")
            assert (await written(rig, files, 18)).decision == GO

    async def test_or_leaves_it_at_theirs(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            theirs(files)
            await rig.press("R")
            await rig.until(lambda: is_open(rig))
            await rig.press("escape")
            assert len(rows_in(files)) == 17
            assert rows_in(files)[-1].decision == "HOLD_SHADOW"

    async def test_rows_of_other_windows_are_no_reason(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            theirs(files, "Shadow window #9")
            await rig.press("R")
            assert (await written(rig, files, 18)).decision == GO

    async def test_a_log_that_is_not_read_yet(self, files: EvidenceFiles) -> None:
        named = str(log_of(files))
        async with running(*scenes.ordinary(), files=files, evidence=named) as rig:
            await rig.press("R")
            assert is_open(rig)
            assert "! the evidence log is not known: it is not read yet" in rig.text
            assert "(not read yet)" in rig.text

    async def test_a_log_that_cannot_be_read(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.tell(read(files)._replace(problem="evidence_log.md: it may not be read"))
            await rig.press("R")
            assert is_open(rig)
            assert "! the evidence log is not known: evidence_log.md: it may not be" in rig.text
            assert len(rows_in(files)) == 16

    async def test_without_a_log_it_says_how_to_name_one(self, files: EvidenceFiles) -> None:
        async with running(*scenes.ordinary(), files=replace(files, log=None)) as rig:
            for key in ("R", "r"):
                await rig.press(key)
                assert not is_open(rig)
                assert "name one with --evidence" in toasts(rig)[-1]

    async def test_the_feeds_are_told_to_read_the_log_again(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await written(rig, files)
            assert ("read_files",) in rig.asked


class TestDialog:
    async def test_the_suggestion_is_chosen_and_enter_writes_the_row_shown(
        self, files: EvidenceFiles
    ) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            assert rig.focus == "decision"
            assert f"> 1 {GO} " in rig.text
            line = format_row(preview(rig)).encode()
            await rig.press("enter")
            await written(rig, files)
            assert line in log_of(files).read_bytes().splitlines()
            assert not is_open(rig)

    async def test_the_row_is_shown_as_the_line_that_is_written(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary(), size=LARGE) as rig:
            await rig.press("r")
            await paste(rig, "note", "a|b\\c \u202e 日本語 wide")
            lines = dialog(rig).query_one("#preview")._lines  # type: ignore[attr-defined] # shows
            shown = "".join(text for line in lines for text, _tone in line)
            await rig.press("enter")
            await written(rig, files)
            assert shown.encode() in log_of(files).read_bytes().splitlines()

    async def test_v_shows_all_of_it(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            line = format_row(preview(rig))
            assert "v = all" in rig.text
            await rig.press("v")
            assert isinstance(rig.app.screen, WholeRow)
            inside = [text.strip("│").strip() for text in rig.lines if text.startswith("│")]
            assert "".join(inside).replace(" ", "") == line.replace(" ", "")
            await rig.press("v")
            assert rig.focus == "decision"
            await rig.press("v", "escape", "escape")
            assert not is_open(rig)

    async def test_digits_choose_while_the_list_has_the_focus(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "3")
            assert decision(rig) == "HOLD_SHADOW"
            await rig.press("down")
            assert decision(rig) == "FORCE_FALLBACK"
            await focus(rig, "note")
            await rig.press("1", "v", "0", "R")
            assert decision(rig) == "FORCE_FALLBACK"
            assert dialog(rig).choice.note == "1v0R"
            await focus(rig, "stage")
            await rig.press("1", "0", "9")
            assert decision(rig) == "FORCE_FALLBACK"

    async def test_another_word_is_typed(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "0")
            assert rig.focus == "word"
            await rig.press(*"hold_on", "enter")
            assert (await written(rig, files)).decision == "HOLD_ON"

    @pytest.mark.parametrize("typed", ["", "two words", "a|b", "a-b", "é"])
    async def test_what_is_no_word_is_asked_again(self, files: EvidenceFiles, typed: str) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "0")
            await paste(rig, "word", typed)
            await rig.press("enter")
            assert "! the decision is a word of letters, digits and" in rig.text
            assert rig.focus == "word"
            assert len(rows_in(files)) == 16

    async def test_a_label_is_needed(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await focus(rig, "window")
            await rig.press("ctrl+u", "enter")
            assert "! the row needs the label of its window" in rig.text
            assert rig.focus == "window"

    async def test_more_than_suggested_asks_for_a_reason(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.no_missions()) as rig:
            await rig.press("r")
            assert decision(rig) == "HOLD_SHADOW"
            reason = dialog(rig).query_one("#field-reason")
            assert not reason.display
            await rig.press("2")
            assert decision(rig) == GO
            assert reason.display
            await rig.press("enter")
            assert "! GO_BROADER_TRAFFIC_ACTIVE allows more than HOLD_SHADOW" in rig.text
            assert rig.focus == "reason"
            await rig.press("space", "enter")
            assert len(rows_in(files)) == 16
            await rig.press(*"so said Bo", "enter")
            last = await written(rig, files)
            assert "HOLD_SHADOW was suggested: " in last.notes
            assert "more was allowed because: so said Bo" in last.notes

    async def test_the_stage_changes_the_suggestion(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await focus(rig, "stage")
            await rig.press("left")
            assert dialog(rig).query_one("#stage", Cycle).value == "limited"
            assert decision(rig) == GO  # four clean limited windows are in the log
            await rig.press("left")
            assert decision(rig) == READY
            assert f"> 1 {READY}" in rig.text

    async def test_ones_own_choice_outlives_a_change(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "4")
            await focus(rig, "stage")
            await rig.press("left", "left")
            assert decision(rig) == "FORCE_FALLBACK"

    async def test_the_source_goes_into_scope_and_record(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await focus(rig, "source")
            await rig.press("space", "enter")
            last = await written(rig, files)
            assert last.scope == "vp.coder.primary on here, probe traffic"

    async def test_a_scope_of_ones_own_stays(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await focus(rig, "scope")
            await rig.press("ctrl+u", *"canary")
            await focus(rig, "source")
            await rig.press("space", "enter")
            assert (await written(rig, files)).scope == "canary"

    async def test_enter_writes_once(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await rig.pilot.press("enter", "enter", "enter")
            await written(rig, files)
            await rig.settle()
            assert len(rows_in(files)) == 17

    async def test_escape_leaves_nothing_behind(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            before, found = log_of(files).read_bytes(), kept_in(files)
            await rig.press("r", "4")
            await paste(rig, "note", "never mind")
            await rig.press("escape")
            assert not is_open(rig)
            assert (log_of(files).read_bytes(), kept_in(files)) == (before, found)
            assert rig.store.state.window is None
            await rig.press("r")
            assert dialog(rig).choice.note == ""
            assert decision(rig) == GO

    async def test_a_row_that_came_meanwhile_is_shown_then_joined(
        self, files: EvidenceFiles
    ) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", "3")
            await paste(rig, "note", "mine")
            theirs(files, word="BLOCKED_AUTH")
            await rig.press("enter")
            await rig.until(lambda: "! BLOCKED_AUTH was written for this window" in rig.text)
            assert len(rows_in(files)) == 17
            await rig.press("enter")
            last = await written(rig, files, 18)
            assert (last.decision, last.notes.endswith("; mine")) == ("HOLD_SHADOW", True)

    async def test_what_others_write_is_told_while_it_is_open(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            assert "(16 rows, unchanged since read)" in rig.text
            assert "no row of others for this window" in rig.text
            theirs(files, word="BLOCKED_AUTH")
            await rig.tell(read(files))
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
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await paste(rig, "note", note)
            assert "\x1b" not in rig.text
            await rig.press("enter")
            assert (await written(rig, files)).notes.endswith(f"; {note}")

    async def test_line_ends_of_other_systems_are_ends_of_lines(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await paste(rig, "note", "one\r\ntwo\rthree")
            assert dialog(rig).choice.note == "one\ntwo\nthree"
            assert "one␊two␊three" in rig.text

    async def test_what_reorders_is_seen(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await paste(rig, "note", "abc\u202edef\u200b")
            assert SEEN in rig.text
            await rig.press("enter")
            assert (await written(rig, files)).notes.endswith(f"; {SEEN}")

    async def test_a_huge_note_is_one_row(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await paste(rig, "note", "0123456789" * 10_000)
            await rig.press("enter")
            last = await written(rig, files)
            assert "… [cut: 100" in last.notes
            assert verify(log_of(files), cells_from_snapshot)[-1].state == "ok"

    async def test_unknowns_can_be_left_out(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.metrics_down()) as rig:
            await rig.press("r")
            assert "metrics down" in preview(rig).notes
            await focus(rig, "unknowns")
            await rig.press("space")
            assert "metrics down" not in preview(rig).notes


class TestWhateverTheGatewayDoes:
    @pytest.mark.parametrize(
        ("events", "said", "word"),
        [
            ([], "data   none, the metrics have not answered yet", "HOLD_SHADOW"),
            (scenes.lost(), "data   none, the metrics are down: 127.0.0.1:8002", "HOLD_SHADOW"),
            ([failed(failure=REFUSED)], "data   none, the metrics are unauthorized: 401",
             "BLOCKED_AUTH"),
        ],
        ids=["silent", "lost", "401"],
    )  # fmt: skip
    async def test_it_can_be_recorded(
        self, files: EvidenceFiles, events: list[Event], said: str, word: str
    ) -> None:
        async with at_work(files, *events) as rig:
            await rig.press("r")
            assert said in rig.text
            assert "cells  rate n/a | p95 n/a" in rig.text
            assert "window unknown: nothing was measured" in rig.text
            assert decision(rig) == word
            await rig.press("enter")
            last = await written(rig, files)
            assert (last.fallback_rate, last.p95_latency) == ("n/a", "n/a")
            assert verify(log_of(files), cells_from_snapshot)[-1].state == "ok"
            assert rig.store.state.window is not None  # such words keep it open

    async def test_at_once_too(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.lost()) as rig:
            await rig.press("R")
            assert (await written(rig, files)).decision == "HOLD_SHADOW"

    @pytest.mark.parametrize("key", ["r", "R"])
    async def test_while_frozen_what_is_so_now_is_recorded(
        self, files: EvidenceFiles, key: str
    ) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("p")
            rig.now = 5.0
            newer = snapshot(mission("vp-mission-0000ff", started_s=-40.0, fallback_seen=True),
                             *scenes.done(18))  # fmt: skip
            await rig.tell(polled(newer._replace(generated_at=NOW + timedelta(seconds=5)), at=5.0))
            await rig.press(key)
            if key == "r":
                assert "data   held as of 02:00:05Z, 0s old, coverage FULL" in rig.text
                await rig.press("enter")
            last = await written(rig, files)
            assert (last.date, last.fallback_rate) == ("2026-11-23T02:00:05Z", "0.053")
            assert "FROZEN" in rig.header

    async def test_the_dialogs_data_is_held_and_its_age_told(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            shown = preview(rig)
            rig.now = 30.0
            await rig.tell(polled(snapshot(*scenes.done(20)), at=30.0))
            assert "held as of 02:00:00Z, 30s old" in rig.text
            assert preview(rig) == shown

    async def test_safety_is_told_and_kept_up_while_it_is_open(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            assert "SAFETY" not in rig.text
            fallen = [m._replace(fallback_seen=True) for m in scenes.done(3)]
            await rig.tell(polled(snapshot(*fallen)))
            assert "! SAFETY guardrail tripped: 3 of the last 18 fell back" in rig.text
            await rig.press("v")
            assert "! SAFETY guardrail tripped" in rig.text
            await rig.tell(polled(snapshot(*scenes.done(3))))


class TestAfterwards:
    @pytest.mark.parametrize(
        ("keys", "turned", "stays"),
        [
            ("1", False, False),
            ("1", True, True),
            ("3", False, True),
            ("3", True, False),
        ],
    )
    async def test_the_window_is_kept_as_the_dialog_says(
        self, files: EvidenceFiles, keys: str, *, turned: bool, stays: bool
    ) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", keys)
            if turned:
                await focus(rig, "after")
                await rig.press("space")
            said = "<keep it open>" if stays else "<close it, next is Bro#6>"
            assert f"after {said}" in rig.text
            await rig.press("enter")
            await written(rig, files)
            window = rig.store.state.window
            assert (window is not None and window.label == NEXT) is stays
            said = "Bro#5 organic" if stays else "Bro#6 proposed"
            await rig.passes(1.0)
            assert said in rig.header

    async def test_another_word_begins_with_its_own_rule(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await focus(rig, "after")
            await rig.press("space")
            assert "<keep it open>" in rig.text
            await focus(rig, "decision")
            await rig.press("2")
            assert "<close it, next is Bro#6>" in rig.text
            await rig.press("0", *"BLOCKED_BY_US")
            assert "<keep it open>" in rig.text


class TestRefused:
    @pytest.mark.parametrize("key", ["R", "r"])
    async def test_cause_cure_and_place_are_told(self, files: EvidenceFiles, key: str) -> None:
        async with at_work(files, *scenes.ordinary(), size=LARGE) as rig:
            log_of(files).parent.chmod(0o555)
            await rig.press(key)
            if key == "r":
                await rig.press("enter")
            await rig.until(lambda: toasts(rig))
            log_of(files).parent.chmod(0o755)
            ((toast),) = toasts(rig)
            (kept,) = files.spool.iterdir()
            assert toast.startswith("NOT in the log: ")
            assert "it is read-only; make it writable" in toast
            assert toast.endswith(f"the row is kept in {kept}")
            assert len(rows_in(files)) == 16
            assert not is_open(rig)

    async def test_a_window_that_cannot_be_kept_is_told_beside_the_row(
        self, files: EvidenceFiles
    ) -> None:
        files.windows.parent.mkdir(parents=True)
        files.windows.write_text("not ours")
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await rig.until(lambda: len(toasts(rig)) == 2)
            assert toasts(rig)[0].startswith("row recorded: ")
            assert toasts(rig)[1].startswith("the window could not be kept: ")


class TestLayout:
    @pytest.mark.parametrize("size", [SMALL, (100, 30), LARGE])
    async def test_nothing_is_cut_off(self, files: EvidenceFiles, size: tuple[int, int]) -> None:
        theirs(files, NEXT, "BLOCKED_AUTH")
        async with at_work(files, *scenes.no_missions(), size=size) as rig:
            await rig.press("r", "0", *"GO_ON", "enter")  # asks for a reason, and says so
            box = dialog(rig).query_one("#dialog").region
            shown = [line.strip("│ ") for line in rig._cut(box)]
            begins = (
                "! GO_ON", "window", "scope", "data", "cells", "gates", "others", "why",
                "> 0 another word", "word   GO_ON", "reason", "note", "after", "| 2026-",
            )  # fmt: skip
            for begin in begins:
                assert any(line.startswith(begin) for line in shown), f"{begin}\n{rig.text}"
            assert rig.lines[-1].startswith(" enter write row  tab next")
            assert rig.lines[-1].endswith("esc nothing")
            assert shown[-1].startswith("╰")
            assert box.bottom <= size[1] - 1

    async def test_a_resize_fits_it_again(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary(), size=LARGE) as rig:
            await rig.press("r")
            assert "v = all" not in rig.text
            await rig.resize(SMALL)
            assert "v = all" in rig.text
            assert rig.lines[-2].startswith("╰")

    async def test_all_words_are_in_view_where_they_fit(self, files: EvidenceFiles) -> None:
        async with at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            words = dialog(rig).query_one("#decision", Choices)
            assert words.count == 9
            assert f"8 {'START_SHADOW_WINDOW'}" in rig.text


def test_a_row_that_fits_is_shown_whole() -> None:
    shown = row_lines(row("w" * 50), 40, 9)
    assert "".join(text for line in shown for text, _tone in line) == format_row(row("w" * 50))


def test_one_that_does_not_says_so() -> None:
    (only,) = row_lines(row("w" * 50), 40, 1)
    text = "".join(text for text, _tone in only)
    assert (len(text), text[-8:]) == (40, "… v = all"[1:])


async def test_a_new_log_is_made(tmp_path: Path) -> None:
    files = evidence_files(tmp_path)
    async with at_work(files, read(files), *scenes.ordinary()) as rig:
        await rig.press("R")
        assert (await written(rig, files, 1)).window == "Shadow window #1"
