"""Rows and windows on disk: what is written, what is not, and what the store learns of it."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.support import evidence, scenes
from tests.support.builders import NOW, REFUSED, failed, polled, snapshot, state
from tests.support.rollout import row
from tests.support.rows import on_call

from vp_tui.domain.models import Failure
from vp_tui.domain.rollout.evidence_row import cells_from_snapshot, format_row
from vp_tui.domain.rollout.windows import Anchor, opened
from vp_tui.domain.vocabulary import Traffic
from vp_tui.state.store import Store
from vp_tui.storage import atomic
from vp_tui.storage.evidence_log import append_row
from vp_tui.storage.records import records_path
from vp_tui.storage.rows import RecordFacts, record_or_keep, record_row, spooled_rows
from vp_tui.storage.verification import verify
from vp_tui.storage.windows import change_windows, read_windows
from vp_tui.views.draft import Choice, Draft, draft_row
from vp_tui.views.evidence_row import facts_of, row_of
from vp_tui.views.figures import current_window
from vp_tui.views.view import View
from vp_tui.worker import evidence as recorder_module
from vp_tui.worker.evidence import EvidenceFiles, Outcome, Preceded, Recorder, Written

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event
    from vp_tui.domain.rollout.windows import Window

ME = "ana@laptop"
GO = Choice("GO_BROADER_TRAFFIC_ACTIVE")
BLOCKED = Choice("BLOCKED_AUTH")


class Desk:
    """A recorder over real files, and the store that learns of it."""

    def __init__(self, files: EvidenceFiles, *events: Event, **watch: Any) -> None:  # noqa: ANN401 - fields of Watch
        self.files = files
        self.log = evidence.log_of(files)
        seen = state(*events, **({"evidence": str(self.log)} | watch))
        self.store = Store(seen)
        self.recorder = Recorder(files, self.store, ME, clock=lambda: 5.0)
        self.reread()

    def reread(self) -> None:
        """Have the store know the log as it is now, as the evidence feed does."""
        self.store.apply(evidence.read(self.files))

    @property
    def draft(self) -> Draft:
        return draft_row(View(self.store.state, 1.0))

    @property
    def window(self) -> Window:
        return current_window(View(self.store.state, 0.0))

    async def record(self, choice: Choice = GO, draft: Draft | None = None) -> Outcome:
        return await self.recorder.record(draft or self.draft, choice)

    async def write(self, choice: Choice = GO, draft: Draft | None = None) -> Written:
        outcome = await self.record(choice, draft)
        assert isinstance(outcome, Written), outcome
        return outcome

    def theirs(self, label: str = evidence.NEXT, word: str = "HOLD_SHADOW", **cells: str) -> None:
        """Have somebody else write a row by hand."""
        append_row(self.log, row(label, word, **cells))

    @property
    def verdicts(self) -> list[str]:
        return [found.state for found in verify(self.log, cells_from_snapshot)]

    @property
    def last_record(self) -> dict[str, Any]:
        line = records_path(self.log).read_text().splitlines()[-1]
        record: dict[str, Any] = json.loads(line)
        return record


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(evidence.golden_files(tmp_path), *scenes.ordinary())


class TestWriting:
    async def test_the_row_is_the_one_that_was_drafted(self, desk: Desk) -> None:
        before, draft = desk.log.read_bytes(), desk.draft
        line = format_row(row_of(draft, GO)).encode() + b"\n"
        outcome = await desk.write()
        after = desk.log.read_bytes()
        assert after.replace(line, b"") == before
        assert after.splitlines()[outcome.line - 1] + b"\n" == line
        assert outcome.log == "evidence_log.md"
        assert outcome.problem is None

    async def test_its_record_is_beside_it(self, desk: Desk) -> None:
        draft = desk.draft
        await desk.write()
        record = desk.last_record
        for name, value in facts_of(draft, GO, ME).items():
            assert record[name] == value
        assert desk.verdicts[-1] == "ok"

    async def test_the_store_knows_it_at_once(self, desk: Desk) -> None:
        outcome = await desk.write()
        log = desk.store.state.evidence
        assert log is not None
        assert (log.rows[-1], log.authors[-1]) == (outcome.row, ME)
        assert len(log.recorded_ids) == 18, "the one that runs is of the window in which it ends"
        on_disk = evidence.read(desk.files)
        assert (on_disk.rows, on_disk.authors) == (log.rows, log.authors)
        assert (on_disk.fingerprint, on_disk.recorded_ids) == (log.fingerprint, log.recorded_ids)
        entry = desk.store.state.entries[-1]
        assert entry.text == f"GO_BROADER_TRAFFIC_ACTIVE for {evidence.NEXT}: line {outcome.line}"

    async def test_a_log_is_made_where_there_is_none(self, tmp_path: Path) -> None:
        desk = Desk(evidence.evidence_files(tmp_path), *scenes.ordinary())
        outcome = await desk.write(Choice("READY_FOR_LIMITED_COHORT_PILOT"))
        assert outcome.row.window == "Shadow window #1"
        assert evidence.rows_in(desk.files) == [outcome.row]
        assert desk.window.label == "Limited cohort window #1"

    @pytest.mark.parametrize(
        "events",
        [[], scenes.lost(), [failed(failure=REFUSED)], scenes.refused_ops(dashboard=True)],
        ids=["silent", "lost", "401", "dashboard"],
    )
    async def test_without_metrics_the_record_says_that_there_is_no_snapshot(
        self, tmp_path: Path, events: list[Event]
    ) -> None:
        desk = Desk(evidence.golden_files(tmp_path), *events)
        draft = draft_row(View(desk.store.state, 9.0))
        outcome = await desk.write(Choice(draft.suggestion.decision), draft)
        assert (outcome.row.fallback_rate, outcome.row.p95_latency) == ("n/a", "n/a")
        record = desk.last_record
        assert (record["snapshot"], record["snapshot_sha256"]) == (None, None)
        assert desk.verdicts[-1] == "ok"

    async def test_reconstructed_values_follow_from_the_record(self, tmp_path: Path) -> None:
        desk = Desk(evidence.golden_files(tmp_path), *scenes.disagreeing())
        outcome = await desk.write(Choice("HOLD_SHADOW"))
        assert outcome.row.fallback_rate == "0.053 (reconstructed)"
        assert desk.verdicts[-1] == "ok"

    async def test_a_long_note_is_cut_in_the_row_and_whole_in_the_record(self, desk: Desk) -> None:
        note = "all of it | " * 8_500
        await desk.write(GO._replace(note=note))
        written = evidence.rows_in(desk.files)[-1]
        assert "… [cut: " in written.notes
        assert desk.last_record["notes"].endswith(note.strip())
        assert desk.verdicts[-1] == "ok"

    async def test_an_override_is_in_row_and_record(self, tmp_path: Path) -> None:
        desk = Desk(evidence.golden_files(tmp_path), *scenes.no_missions())
        await desk.write(GO._replace(reason="the lead said so"))
        assert (
            "more was allowed because: the lead said so" in evidence.rows_in(desk.files)[-1].notes
        )
        assert desk.last_record["override_reason"] == "the lead said so"


class TestAfterwards:
    async def test_a_closing_word_proposes_the_next_window(self, desk: Desk) -> None:
        outcome = await desk.write()
        assert not outcome.window.is_open
        assert (desk.window.label, desk.window.opened_at) == ("Broadened rollout window #6", None)
        assert read_windows(desk.files.windows) == ()

    async def test_the_next_window_holds_only_what_no_record_names(self, desk: Desk) -> None:
        await desk.write()
        desk.store.apply(polled(snapshot(*scenes.done(20)), at=1.0))
        assert desk.draft.own is not None
        assert desk.draft.own.new == 2

    @pytest.mark.parametrize("word", ["BLOCKED_AUTH", "HOLD_SHADOW", "PARTIAL_TIMEOUT_RECOVERED"])
    async def test_such_words_keep_it_open_with_its_missions(self, desk: Desk, word: str) -> None:
        before = desk.draft.own
        outcome = await desk.write(Choice(word))
        assert outcome.window.is_open
        assert outcome.window.decision == word
        assert desk.window == outcome.window == read_windows(desk.files.windows)[-1]
        assert (desk.window.label, desk.window.opened_at) == (
            evidence.NEXT,
            NOW + timedelta(seconds=1),
        )
        assert desk.draft.own == before

    async def test_the_engineer_may_say_otherwise(self, desk: Desk) -> None:
        assert (await desk.write(GO._replace(keep=True))).window.is_open
        assert desk.window.label == evidence.NEXT
        assert not (await desk.write(BLOCKED._replace(keep=False))).window.is_open
        assert desk.store.state.window is None

    async def test_several_rows_belong_to_one_window(self, desk: Desk) -> None:
        for word in ("BLOCKED_AUTH", "HOLD_SHADOW", "GO_BROADER_TRAFFIC_ACTIVE"):
            await desk.write(Choice(word))
        assert [row.window for row in evidence.rows_in(desk.files)[-3:]] == [evidence.NEXT] * 3
        assert desk.verdicts[-3:] == ["ok"] * 3
        assert desk.window.label == "Broadened rollout window #6"

    async def test_a_window_of_unreal_traffic_is_remembered(self, tmp_path: Path) -> None:
        events = scenes.ordinary_with_fallbacks(3)
        desk = Desk(evidence.golden_files(tmp_path), *events, source=Traffic.FAULT_INJECTED)
        await desk.write(Choice("FORCE_FALLBACK"))
        assert [w.label for w in read_windows(desk.files.windows)] == [evidence.NEXT]
        log = desk.store.state.evidence
        assert log is not None
        assert len(log.unreal_ids) == 18
        assert log.unreal_windows == {evidence.NEXT}
        assert desk.draft.assessment.wire.terminal == 0

    async def test_a_window_that_cannot_be_kept_is_told_and_the_row_stands(
        self, desk: Desk
    ) -> None:
        desk.files.windows.parent.mkdir(parents=True)
        desk.files.windows.write_text("not ours")
        outcome = await desk.write(BLOCKED)
        assert outcome.problem is not None
        assert "it cannot be read as vp-tui's windows" in outcome.problem.reason
        assert evidence.rows_in(desk.files)[-1] == outcome.row


class TestOthers:
    async def test_a_row_for_this_window_is_shown_first_and_then_joined(self, desk: Desk) -> None:
        draft = desk.draft
        desk.theirs(f"{evidence.NEXT} (by hand)")
        outcome = await desk.record(draft=draft)
        assert isinstance(outcome, Preceded)
        assert (outcome.row.window, outcome.row.decision) == (
            f"{evidence.NEXT} (by hand)",
            "HOLD_SHADOW",
        )
        assert len(evidence.rows_in(desk.files)) == 17
        await desk.write(draft=draft)
        assert [r.decision for r in evidence.rows_in(desk.files)[-2:]] == [
            "HOLD_SHADOW",
            GO.decision,
        ]
        assert desk.verdicts[-1] == "ok"

    async def test_yet_another_row_is_shown_too(self, desk: Desk) -> None:
        draft = desk.draft
        desk.theirs()
        assert isinstance(await desk.record(draft=draft), Preceded)
        desk.theirs(word="BLOCKED_AUTH")
        outcome = await desk.record(draft=draft)
        assert isinstance(outcome, Preceded)
        assert outcome.row.decision == "BLOCKED_AUTH"
        await desk.write(draft=draft)

    async def test_rows_of_other_windows_are_passed_by(self, desk: Desk) -> None:
        draft = desk.draft
        for number in range(3):
            desk.theirs(f"Shadow window #{number + 7}")
        await desk.write(draft=draft)
        assert len(evidence.rows_in(desk.files)) == 20

    async def test_others_may_write_while_it_is_tried(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draft = desk.draft
        desk.theirs("Shadow window #7")
        once_more = on_call(2, record_or_keep, lambda: desk.theirs("Shadow window #8"))
        monkeypatch.setattr(recorder_module, "record_or_keep", once_more)
        await desk.write(draft=draft)
        assert [r.window for r in evidence.rows_in(desk.files)[-3:]] == [
            "Shadow window #7", "Shadow window #8", evidence.NEXT,
        ]  # fmt: skip
        assert len(records_path(desk.log).read_bytes().splitlines()) == 1

    async def test_an_editors_save_in_between_loses_nothing(self, desk: Desk) -> None:
        draft = desk.draft
        edited = desk.log.read_bytes() + b"\nA word at the end.\n"
        copy = desk.log.with_name("editor")
        copy.write_bytes(edited)
        copy.replace(desk.log)
        outcome = await desk.write(draft=draft)
        line = format_row(outcome.row).encode() + b"\n"
        assert desk.log.read_bytes().replace(line, b"") == edited

    async def test_a_log_that_appears_meanwhile(self, tmp_path: Path) -> None:
        desk = Desk(evidence.evidence_files(tmp_path), *scenes.ordinary())
        draft = desk.draft
        desk.theirs("Shadow window #1")
        assert isinstance(await desk.record(draft=draft), Preceded)

    async def test_a_log_that_was_never_read_is_read_now(self, desk: Desk) -> None:
        unread = desk.draft._replace(
            view=View(replace(desk.store.state, evidence=None), desk.draft.view.now)
        )
        desk.theirs()
        assert isinstance(await desk.record(draft=unread), Preceded)
        await desk.write(draft=unread)

    async def test_a_log_that_could_not_be_read_is_looked_at_again(self, desk: Desk) -> None:
        known = desk.store.state.evidence
        assert known is not None
        lost = known._replace(problem="it may not be read")
        unread = desk.draft._replace(
            view=View(replace(desk.store.state, evidence=lost), desk.draft.view.now)
        )
        desk.theirs()
        assert isinstance(await desk.record(draft=unread), Preceded)
        await desk.write(draft=unread)
        evidence = desk.store.state.evidence
        assert evidence is not None
        assert evidence.problem is None

    async def test_two_vp_tui_keep_one_window_open(self, desk: Desk) -> None:
        """Each proposes the window and records it as blocked: it was opened by the first."""
        draft = desk.draft
        first = opened(draft.window, Anchor(frozenset({"m1"})), NOW - timedelta(minutes=1))
        change_windows(desk.files.windows, lambda _kept: (first,))
        outcome = await desk.write(BLOCKED, draft)
        assert outcome.problem is None
        (kept,) = read_windows(desk.files.windows)
        assert (kept.opened_at, kept.anchor, kept.decision) == (
            first.opened_at,
            frozenset({"m1"}),
            "BLOCKED_AUTH",
        )

    async def test_closing_it_closes_it_for_both(self, desk: Desk) -> None:
        draft = desk.draft
        first = opened(draft.window, Anchor(frozenset({"m1"})), NOW - timedelta(minutes=1))
        change_windows(desk.files.windows, lambda _kept: (first,))
        await desk.write(GO, draft)
        assert read_windows(desk.files.windows) == ()

    async def test_another_open_window_is_left_to_whoever_opened_it(self, desk: Desk) -> None:
        draft = desk.draft
        other = opened(draft.window._replace(label="Shadow window #9"), Anchor(), NOW)
        change_windows(desk.files.windows, lambda _kept: (other,))
        outcome = await desk.write(BLOCKED, draft)
        assert outcome.problem is not None
        assert outcome.problem.reason == "“Shadow window #9” is open already"
        assert read_windows(desk.files.windows) == (other,)


class TestRefused:
    """The row waits in the spool, with cause, cure and place told; log and window stay."""

    async def refused(self, desk: Desk, draft: Draft | None = None) -> Failure:
        before = desk.store.state
        outcome = await desk.record(draft=draft)
        assert isinstance(outcome, Failure), outcome
        assert desk.store.state is before
        assert not desk.files.windows.exists()
        return outcome

    def told(self, desk: Desk, outcome: Failure, reason: str) -> None:
        (kept,) = desk.files.spool.iterdir()
        assert reason in outcome.reason
        assert outcome.cure.endswith(f"; the row is kept in {kept}")

    async def test_a_read_only_directory(self, desk: Desk) -> None:
        before = desk.log.read_bytes()
        desk.log.parent.chmod(0o555)
        outcome = await self.refused(desk)
        desk.log.parent.chmod(0o755)
        self.told(desk, outcome, "it is read-only")
        assert desk.log.read_bytes() == before
        (waiting,) = spooled_rows(desk.files.spool, desk.log).rows
        assert waiting.row == row_of(desk.draft, GO)
        assert waiting.facts == RecordFacts(**facts_of(desk.draft, GO, ME))

    async def test_a_directory_that_is_gone(self, desk: Desk) -> None:
        draft = desk.draft
        desk.log.unlink()
        desk.log.parent.rmdir()
        self.told(desk, await self.refused(desk, draft), "its directory is not there")

    async def test_a_file_without_a_table(self, tmp_path: Path) -> None:
        files = evidence.evidence_files(tmp_path)
        evidence.log_of(files).write_text("# Notes\n\nno table here\n")
        desk = Desk(files, *scenes.ordinary())
        self.told(desk, await self.refused(desk), "it has no table of 8 columns")
        assert evidence.log_of(files).read_text() == "# Notes\n\nno table here\n"

    async def test_a_full_disk(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(target: Path, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        before = evidence.kept_in(desk.files)
        monkeypatch.setattr("vp_tui.storage.evidence_log.stage", full)
        self.told(desk, await self.refused(desk), "the disk is full")
        assert [
            name for name in evidence.kept_in(desk.files) if not name.endswith((".json", ".lock"))
        ] == before

    async def test_a_spool_that_is_full_as_well(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*args: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(atomic, "write_all", full)
        outcome = await self.refused(desk)
        assert "nor can the row be kept" in outcome.reason

    async def test_an_unreadable_log_that_was_known(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def denied(path: Path) -> bytes:
            raise PermissionError(errno.EACCES, "Permission denied")

        known = desk.store.state.evidence
        assert known is not None
        lost = known._replace(problem="it may not be read")
        unread = desk.draft._replace(
            view=View(replace(desk.store.state, evidence=lost), desk.draft.view.now)
        )
        monkeypatch.setattr("vp_tui.storage.evidence_log.read_if_there", denied)
        self.told(desk, await self.refused(desk, unread), "it may not be written")


async def test_a_row_and_record_by_another_vp_tui_count_as_theirs(desk: Desk) -> None:
    facts = RecordFacts(**facts_of(desk.draft, GO, "bo@laptop2"))
    record_row(desk.log, row_of(desk.draft, GO), facts)
    assert isinstance(await desk.record(), Preceded)
    desk.reread()
    log = desk.store.state.evidence
    assert log is not None
    assert log.authors[-1] == "bo@laptop2"


def test_without_a_log_it_says_so(tmp_path: Path) -> None:
    files = EvidenceFiles(None, tmp_path, tmp_path / "w.json")
    assert not Recorder(files, Store(state()), ME).has_log
