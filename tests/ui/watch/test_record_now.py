"""`R` writes a row at once, or says why not; what becomes of the window; what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import evidence, recording, scenes
from tests.support.builders import NOW, REFUSED, failed, mission, polled, snapshot
from tests.support.rig import LARGE, running
from tests.support.rollout import row

from vp_tui.domain.rollout.evidence_row import cells_from_snapshot
from vp_tui.storage.evidence_log import append_row
from vp_tui.storage.verification import verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.rig import Rig

    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.worker.evidence import EvidenceFiles


GO = "GO_BROADER_TRAFFIC_ACTIVE"


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return evidence.golden_files(tmp_path)


async def poll(rig: Rig, at: float, taken: Snapshot | None = None) -> None:
    """Have the metrics answer at that moment, with what they said before unless told otherwise."""
    rig.now, last = at, taken or rig.store.state.snapshot
    assert last is not None
    await rig.tell(polled(last._replace(generated_at=NOW + timedelta(seconds=at)), at=at))
    rig.now += 3.0  # what it says is not new any more


class TestAtOnce:
    async def test_the_row_is_on_disk_when_the_toast_shows_it(
        self, files: EvidenceFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            seen: list[tuple[str, EvidenceRow]] = []
            notify = rig.board.notify

            def look(message: str, **told: Any) -> None:  # noqa: ANN401 - Textual's
                seen.append((message, evidence.rows_in(files)[-1]))
                notify(message, **told)

            monkeypatch.setattr(rig.board, "notify", look)
            await rig.press("R")
            await rig.until(lambda: seen)
            ((message, last),) = seen
            assert (last.window, last.decision) == (evidence.NEXT, GO)
            for said in (
                GO,
                "rate 0.000",
                "p95 36.000s",
                f"{evidence.NEXT} is closed",
                "evidence_log.md",
            ):
                assert said in message
            await rig.until(lambda: "row recorded" in rig.text)
            assert not recording.is_open(rig)

    async def test_it_is_the_row_that_the_suggestion_makes(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            shown = recording.preview(rig)
            await rig.press("escape", "R")
            assert await recording.written(rig, files) == shown

    async def test_one_press_behind_the_other_writes_one_row(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await rig.press("R")
            await rig.until(lambda: len(evidence.rows_in(files)) == 17)
            await rig.press("R")
            assert len(evidence.rows_in(files)) == 17

    async def test_right_after_a_row_it_asks(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await recording.written(rig, files)
            await rig.press("R")
            assert recording.toasts(rig) == [
                ": [R] rests until the next poll: a row was written 0 s ago"
            ]
            rig.now = 6.0
            await poll(rig, 6.0)
            await rig.press("R")
            assert recording.is_open(rig)
            assert "! the last row is younger than 60 s, and no mission came since" in rig.text

    async def test_a_mission_since_makes_it_write(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await recording.written(rig, files)
            came = mission("vp-mission-00abcd", started_s=-20.0)
            await poll(rig, 6.0, snapshot(came, *scenes.done(18)))
            await rig.press("R")
            await rig.until(lambda: len(evidence.rows_in(files)) == 18)
            assert not recording.is_open(rig)

    async def test_a_minute_later_it_writes_too(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, failed(failure=REFUSED)) as rig:
            await rig.press("R")
            await recording.written(rig, files)
            await rig.passes(61.0)
            await rig.tell(failed(failure=REFUSED, at=61.0))
            await rig.press("R")
            await rig.until(lambda: len(evidence.rows_in(files)) == 18)

    async def test_a_row_by_hand_is_shown_first(self, files: EvidenceFiles) -> None:
        na = {"fallback_rate": "n/a", "p95_latency": "n/a", "date": "2026-11-23T01:00:00Z"}
        append_row(evidence.log_of(files), row(f"{evidence.NEXT} (by hand)", "BLOCKED_AUTH", **na))
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            assert recording.is_open(rig)
            assert "! somebody, by hand, wrote BLOCKED_AUTH for this window" in rig.text
            assert len(evidence.rows_in(files)) == 17

    async def test_a_row_that_came_meanwhile_opens_the_dialog(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            recording.theirs(files)
            await rig.press("R")
            await rig.until(lambda: recording.is_open(rig))
            await rig.settle()
            assert "! HOLD_SHADOW was written for this window at 2026-11-23T01:00:00Z" in rig.text
            await rig.press("enter")
            assert (await recording.written(rig, files, 18)).decision == GO

    async def test_or_leaves_it_at_theirs(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            recording.theirs(files)
            await rig.press("R")
            await rig.until(lambda: recording.is_open(rig))
            await rig.press("escape")
            assert len(evidence.rows_in(files)) == 17
            assert evidence.rows_in(files)[-1].decision == "HOLD_SHADOW"

    async def test_rows_of_other_windows_are_no_reason(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            recording.theirs(files, "Shadow window #9")
            await rig.press("R")
            assert (await recording.written(rig, files, 18)).decision == GO

    async def test_a_log_that_is_not_read_yet(self, files: EvidenceFiles) -> None:
        named = str(evidence.log_of(files))
        async with running(*scenes.ordinary(), files=files, evidence=named) as rig:
            await rig.press("R")
            assert recording.is_open(rig)
            assert "! the evidence log is not read yet" in rig.text
            assert "(not read yet)" in rig.text

    async def test_a_log_that_cannot_be_read(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.tell(
                evidence.read(files)._replace(problem="evidence_log.md: it may not be read")
            )
            await rig.press("R")
            assert recording.is_open(rig)
            assert "! the evidence log cannot be read: evidence_log.md: it may not be" in rig.text
            assert len(evidence.rows_in(files)) == 16

    async def test_without_a_log_it_says_how_to_name_one(self, files: EvidenceFiles) -> None:
        async with running(*scenes.ordinary(), files=replace(files, log=None)) as rig:
            for key in ("R", "r"):
                await rig.press(key)
                assert not recording.is_open(rig)
                assert "name one with --evidence" in recording.toasts(rig)[-1]

    async def test_the_feeds_are_told_to_read_the_log_again(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            await recording.written(rig, files)
            assert ("read_files",) in rig.asked


class TestWhateverTheGatewayDoes:
    @pytest.mark.parametrize(
        ("events", "said", "word"),
        [
            ([], "data   none: the metrics have not answered yet", "HOLD_SHADOW"),
            (scenes.lost(), "data   none: the metrics are down: 127.0.0.1:8002", "HOLD_SHADOW"),
            ([failed(failure=REFUSED)], "data   none: the metrics are unauthorized: 401",
             "BLOCKED_AUTH"),
        ],
        ids=["silent", "lost", "401"],
    )  # fmt: skip
    async def test_it_can_be_recorded(
        self, files: EvidenceFiles, events: list[Event], said: str, word: str
    ) -> None:
        async with recording.at_work(files, *events) as rig:
            await rig.press("r")
            assert said in rig.text
            assert "cells  rate n/a | p95 n/a" in rig.text
            assert "window unknown: nothing was measured" in rig.text
            assert recording.decision(rig) == word
            await rig.press("enter")
            last = await recording.written(rig, files)
            assert (last.fallback_rate, last.p95_latency) == ("n/a", "n/a")
            assert verify(evidence.log_of(files), cells_from_snapshot)[-1].state == "ok"
            assert rig.store.state.window is not None  # such words keep it open

    async def test_at_once_too(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.lost()) as rig:
            await rig.press("R")
            assert (await recording.written(rig, files)).decision == "HOLD_SHADOW"

    @pytest.mark.parametrize("key", ["r", "R"])
    async def test_while_frozen_what_is_so_now_is_recorded(
        self, files: EvidenceFiles, key: str
    ) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("p")
            rig.now = 5.0
            newer = snapshot(mission("vp-mission-0000ff", started_s=-40.0, fallback_seen=True),
                             *scenes.done(18))  # fmt: skip
            await rig.tell(polled(newer._replace(generated_at=NOW + timedelta(seconds=5)), at=5.0))
            rig.now = 5.0 if key == "r" else 7.0  # the word is not new any more
            await rig.press(key)
            if key == "r":
                assert "data   held as of 02:00:05Z, 0s old, outcomes known" in rig.text
                await rig.press("enter")
            last = await recording.written(rig, files)
            assert (last.date, last.fallback_rate) == ("2026-11-23T02:00:05Z", "0.053")
            assert "FROZEN" in rig.header

    async def test_the_dialogs_data_is_held_and_its_age_told(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            shown = recording.preview(rig)
            rig.now = 30.0
            await rig.tell(polled(snapshot(*scenes.done(20)), at=30.0))
            assert "held as of 02:00:00Z, 30s old" in rig.text
            assert recording.preview(rig) == shown

    async def test_safety_is_told_and_kept_up_while_it_is_open(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
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
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r", keys)
            if turned:
                await recording.focus(rig, "after")
                await rig.press("space")
            said = "<keep it open>" if stays else "<close it, next is broadened 6>"
            assert f"after {said}" in rig.text
            await rig.press("enter")
            await recording.written(rig, files)
            window = rig.store.state.window
            assert (window is not None and window.label == evidence.NEXT) is stays
            said = "window 5, " if stays else "window 6 proposed"
            await rig.passes(1.0)
            assert said in rig.header

    async def test_another_word_begins_with_its_own_rule(self, files: EvidenceFiles) -> None:
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("r")
            await recording.focus(rig, "after")
            await rig.press("space")
            assert "<keep it open>" in rig.text
            await recording.focus(rig, "decision")
            await rig.press("2")
            assert "<close it, next is broadened 6>" in rig.text
            await rig.press("0", *"BLOCKED_BY_US")
            assert "<keep it open>" in rig.text


class TestRefused:
    @pytest.mark.parametrize("key", ["R", "r"])
    async def test_cause_cure_and_place_are_told(self, files: EvidenceFiles, key: str) -> None:
        async with recording.at_work(files, *scenes.ordinary(), size=LARGE) as rig:
            evidence.log_of(files).parent.chmod(0o555)
            await rig.press(key)
            if key == "r":
                await rig.press("enter")
            await rig.until(lambda: any("the log" in told for told in recording.toasts(rig)))
            evidence.log_of(files).parent.chmod(0o755)
            ((toast),) = recording.toasts(rig)
            (kept,) = files.spool.iterdir()
            assert toast.startswith("NOT in the log: ")
            assert "it is read-only; make it writable" in toast
            assert toast.endswith(f"the row is kept in {kept}")
            assert len(evidence.rows_in(files)) == 16
            assert not recording.is_open(rig)

    async def test_a_window_that_cannot_be_kept_is_told_beside_the_row(
        self, files: EvidenceFiles
    ) -> None:
        files.windows.parent.mkdir(parents=True)
        files.windows.write_text("not ours")
        async with recording.at_work(files, *scenes.ordinary()) as rig:
            await rig.press("R")
            told = "row recorded, but the window could not be kept: "
            await rig.until(lambda: any(one.startswith(told) for one in recording.toasts(rig)))


async def test_a_new_log_is_made(tmp_path: Path) -> None:
    files = evidence.evidence_files(tmp_path)
    async with recording.at_work(files, evidence.read(files), *scenes.ordinary()) as rig:
        await rig.press("R")
        assert (await recording.written(rig, files, 1)).window == "Shadow window #1"
