"""Rows that wait for the log are offered at the start and on `W`; nothing is ever dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.rig import LARGE, SMALL, Rig, running
from tests.support.rows import GOLDEN, facts, row

from vp_tui.domain.events import EvidenceRead
from vp_tui.domain.rollout.evidence_row import parse_log
from vp_tui.storage.errors import EvidenceError
from vp_tui.storage.rows import keep, record_row
from vp_tui.ui.dialogs.record import WaitingDialog
from vp_tui.worker.evidence import EvidenceFiles, append_waiting

if TYPE_CHECKING:
    from pathlib import Path

FULL = EvidenceError("the disk is full", "free some space")
READ = EvidenceRead(0.0, (), frozenset())


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    log = tmp_path / "log.md"
    log.write_bytes(GOLDEN)
    return EvidenceFiles(log, tmp_path / "spool", tmp_path / "windows" / "w.json")


def wait_for(files: EvidenceFiles, *notes: str) -> None:
    """Keep rows with these notes for the log."""
    assert files.log is not None
    for text in notes:
        keep(files.spool, files.log, row(text), facts(), because=FULL)


def logged(files: EvidenceFiles) -> list[str]:
    """Return the notes of the rows that were added to the golden log."""
    assert files.log is not None
    return [found.row.notes for found in parse_log(files.log.read_bytes()).rows[16:]]


async def offered(rig: Rig) -> None:
    await rig.until(lambda: isinstance(rig.app.screen, WaitingDialog))
    await rig.settle()


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_they_are_offered_once_the_log_is_read(
    files: EvidenceFiles, size: tuple[int, int]
) -> None:
    wait_for(files, "first", "second")
    night = scenes.ordinary()
    async with running(*night, files=files, size=size, evidence="log.md") as rig:
        assert len(rig.app.screen_stack) == 1
        await rig.tell(READ)
        await offered(rig)
        said = row("first")
        assert rig.text.count(f"{said.date}  {said.window}") == 2
        assert rig.text.count(f"  {said.decision} ") == 2
        assert rig.text.count("the disk is full; free some space") == 2
        assert rig.text.count("kept in ") == rig.text.count(".json") == 2


async def test_enter_appends_them_all_in_their_order(files: EvidenceFiles) -> None:
    wait_for(files, "first", "second")
    async with running(READ, files=files, evidence="log.md") as rig:
        await offered(rig)
        await rig.press("enter")
        await rig.until(lambda: "2 appended: line 34, 35" in rig.text)
        assert ("read_files",) in rig.asked
    assert logged(files) == ["first", "second"]
    assert list(files.spool.glob("*.json")) == []


async def test_rows_that_somebody_else_appended_meanwhile_are_not_doubled(
    files: EvidenceFiles,
) -> None:
    wait_for(files, "first")
    assert files.log is not None
    async with running(READ, files=files, evidence="log.md") as rig:
        await offered(rig)
        assert [one.line for one in append_waiting(files.spool, files.log, [row("first")])] == [34]
        await rig.press("enter")
        await rig.until(lambda: "somebody else appended them" in rig.text)
    assert logged(files) == ["first"]


async def test_later_leaves_everything_as_it_is_and_does_not_ask_again(
    files: EvidenceFiles,
) -> None:
    wait_for(files, "first")
    async with running(READ, files=files, evidence="log.md") as rig:
        await offered(rig)
        await rig.press("escape")
        await rig.tell(READ)
        await rig.settle()
        assert len(rig.app.screen_stack) == 1
        await rig.press("W")
        await offered(rig)
    assert logged(files) == []
    assert len(list(files.spool.glob("*.json"))) == 1


async def test_a_failure_is_told_with_its_cure_and_the_rows_stay(files: EvidenceFiles) -> None:
    wait_for(files, "first")
    assert files.log is not None
    async with running(READ, files=files, evidence="log.md") as rig:
        await offered(rig)
        files.log.unlink()
        files.log.mkdir()
        await rig.press("enter")
        await rig.until(lambda: "it is a directory; name a file" in folded(rig))
        assert row("first").window in rig.text
        await rig.press("escape")
        assert len(rig.app.screen_stack) == 1
    assert len(list(files.spool.glob("*.json"))) == 1


def folded(rig: Rig) -> str:
    return " ".join(rig.text.replace("│", " ").split())


async def test_a_record_without_its_row_is_offered_too(files: EvidenceFiles) -> None:
    assert files.log is not None
    record_row(files.log, row("recorded only"), facts())
    files.log.write_bytes(GOLDEN)
    async with running(READ, files=files, evidence="log.md") as rig:
        await offered(rig)
        assert "only its record is there" in rig.text
        await rig.press("enter")
        await rig.until(lambda: logged(files) == ["recorded only"])


async def test_over_another_dialog_they_are_only_named(files: EvidenceFiles) -> None:
    wait_for(files, "first")
    async with running(files=files, evidence="log.md") as rig:
        await rig.press("question_mark")
        await rig.tell(READ)
        await rig.until(lambda: "1 row recorded and not" in rig.text)
        assert not isinstance(rig.app.screen, WaitingDialog)


async def test_many_rows_are_counted_where_there_is_no_room(files: EvidenceFiles) -> None:
    wait_for(files, *(f"row {n}" for n in range(30)))
    async with running(READ, files=files, evidence="log.md") as rig:
        await offered(rig)
        assert "and 27 more" in rig.text
        await rig.press("enter")
        await rig.until(lambda: len(logged(files)) == 30)


async def test_asked_for_and_none_is_an_answer(files: EvidenceFiles) -> None:
    async with running(READ, files=files, evidence="log.md") as rig:
        await rig.press("W")
        await rig.until(lambda: "no row waits for the log" in rig.text)
    async with running() as rig:
        await rig.press("W")
        await rig.until(lambda: "no row waits for the log" in rig.text)


async def test_an_unreadable_log_is_asked_about_when_it_can_be_read(files: EvidenceFiles) -> None:
    wait_for(files, "first")
    broken = READ._replace(problem="log.md: it is a directory")
    async with running(broken, files=files, evidence="log.md") as rig:
        await rig.settle()
        assert len(rig.app.screen_stack) == 1
        await rig.tell(READ)
        await offered(rig)


async def test_hostile_texts_are_shown_literally(files: EvidenceFiles) -> None:
    assert files.log is not None
    hostile = row(window="[red]#1[/x] \x1b[2J", decision="GO[/]\u202e")
    keep(files.spool, files.log, hostile, facts(), because=EvidenceError("[b]\x07", "none"))
    async with running(READ, files=files, evidence="log.md") as rig:
        await offered(rig)
        assert "[red]#1[/x] ␛[2J" in rig.text
        assert "GO[/]\u2039U+202E\u203a" in rig.text
        assert "[b]␇; none" in rig.text
