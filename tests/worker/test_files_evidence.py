from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, BinaryIO

import pytest
from tests.support.gateway import Rig, settle
from tests.support.rows import GOLDEN, SNAPSHOT, facts, row

from vp_tui.domain.events import Event, EvidenceRead
from vp_tui.storage.evidence_log import append_row, read_log
from vp_tui.storage.records import records_path
from vp_tui.storage.rows import record_row
from vp_tui.worker import files as evidence_feed
from vp_tui.worker.files import EvidenceFeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Reading:
    """A feed of a log, and what it told."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.events: list[Event] = []
        self.feed = EvidenceFeed(log, self.events.append, lambda: 7.0)

    async def look(self) -> EvidenceRead | None:
        """Look once; return what was told."""
        self.events.clear()
        await self.feed.look()
        (told,) = self.events or (None,)
        assert told is None or isinstance(told, EvidenceRead)
        return told


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path / "log.md")


async def test_a_log_that_is_not_there_has_no_rows(reading: Reading) -> None:
    assert await reading.look() == EvidenceRead(7.0, (), frozenset())
    assert await reading.look() is None


async def test_rows_are_told_once_and_again_when_one_was_added(reading: Reading) -> None:
    reading.log.write_bytes(GOLDEN)
    told = await reading.look()
    assert told is not None
    assert len(told.rows) == 16
    assert await reading.look() is None
    append_row(reading.log, row("the next"))
    told = await reading.look()
    assert told is not None
    assert [told.rows[-1].notes, len(told.rows)] == ["the next", 17]


async def test_what_is_odd_about_rows_is_told(reading: Reading) -> None:
    reading.log.write_bytes(GOLDEN.replace(b"| 2026-02-16 | Kickoff prep |", b"| Kickoff prep |"))
    told = await reading.look()
    assert told is not None
    assert [len(told.rows), told.problem] == [16, None]
    assert told.warnings == ("line 18: a row has 8 cells, this one has 7",)


async def test_the_missions_of_the_records_are_told(reading: Reading) -> None:
    named = {**SNAPSHOT, "recent_missions": [{"mission_id": "m1"}]}
    record_row(reading.log, row(), facts(named))
    told = await reading.look()
    assert told is not None
    assert told.recorded_ids == {"m1"}
    assert told.unreal_ids == frozenset()


async def test_who_recorded_each_row_is_told(reading: Reading) -> None:
    reading.log.write_bytes(GOLDEN)
    record_row(reading.log, row("by ann"), facts())
    append_row(reading.log, row("by hand"))
    record_row(reading.log, row("by bob"), facts()._replace(actor="bob@host"))
    told = await reading.look()
    assert told is not None
    assert told.authors == (*[None] * 16, "ann@host", None, "bob@host")


async def test_authors_are_those_of_the_newest_rows(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_feed, "AUTHORS_KEPT", 2)
    for author in ("ann", "bob", "cyd"):
        record_row(reading.log, row(f"by {author}"), facts()._replace(actor=author))
    told = await reading.look()
    assert told is not None
    assert told.authors == ("bob", "cyd")


async def test_the_fingerprint_is_what_appending_wants_to_hear(reading: Reading) -> None:
    appended = append_row(reading.log, row())
    told = await reading.look()
    assert told is not None
    assert told.fingerprint == appended.fingerprint
    assert told.fingerprint == read_log(reading.log)[1]


async def test_a_log_that_was_removed_has_no_rows_any_more(reading: Reading) -> None:
    reading.log.write_bytes(GOLDEN)
    await reading.look()
    reading.log.unlink()
    told = await reading.look()
    assert told is not None
    assert (told.rows, told.problem, told.fingerprint) == ((), None, None)


async def test_a_problem_is_told_once_and_its_end_too(reading: Reading) -> None:
    reading.log.mkdir()
    told = await reading.look()
    assert told is not None
    assert told.problem is not None
    assert "log.md" in told.problem
    assert await reading.look() is None
    reading.log.rmdir()
    assert await reading.look() == EvidenceRead(7.0, (), frozenset())


async def test_records_that_cannot_be_read_are_a_problem(reading: Reading) -> None:
    reading.log.write_bytes(GOLDEN)
    records_path(reading.log).mkdir()
    told = await reading.look()
    assert told is not None
    assert told.problem is not None
    assert "snapshots.jsonl" in told.problem


async def test_what_may_not_be_read_is_said_so(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _buffering: int = -1) -> BinaryIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("vp_tui.storage.evidence_log.regular", refuse)
    told = await reading.look()
    assert told is not None
    assert told.problem is not None
    assert "may not be read" in told.problem


async def test_a_file_without_a_table_is_not_a_log_without_rows(reading: Reading) -> None:
    reading.log.write_text("# Notes\n")
    told = await reading.look()
    assert told is not None
    assert told.problem == "there is no table of 8 columns under `## Evidence table`"


async def test_the_rows_told_are_bounded(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_feed, "ROWS_LIMIT", 3)
    reading.log.write_bytes(GOLDEN)
    told = await reading.look()
    assert told is not None
    assert [r.window for r in told.rows][-1] == "Broadened rollout window #4 (real traffic)"
    assert len(told.rows) == 3


async def test_the_feeds_look_every_two_seconds(tmp_path: Path) -> None:
    looks = 0

    class Counting(EvidenceFeed):
        async def look(self) -> None:
            nonlocal looks
            looks += 1
            await asyncio.sleep(0)

    def files(rig: Rig) -> tuple[Counting]:
        return (Counting(tmp_path / "log.md", rig.events.append, rig.pace.clock),)

    rig = Rig(files)
    async with rig.running():
        assert looks == 1
        await rig.pace.passes(10.0)
    assert looks == 6


async def test_the_feeds_look_at_once_when_asked_and_one_look_at_a_time(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, reads, most = Rig(lambda _: (reading.feed,)), 0, 0

    async def at_once(read: Callable[[], EvidenceRead | None]) -> EvidenceRead | None:
        nonlocal reads, most
        reads += 1
        most = max(most, reads)
        await asyncio.sleep(0)
        reads -= 1
        return read()

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    async with rig.running():
        append_row(reading.log, row())
        rig.feeds.read_files()
        rig.feeds.read_files()
        await settle()
    told = [event for event in reading.events if isinstance(event, EvidenceRead)]
    assert [len(event.rows) for event in told] == [0, 1]
    assert most == 1


async def test_without_an_evidence_log_there_is_nothing_to_look_at() -> None:
    rig = Rig()
    async with rig.running():
        rig.feeds.read_files()
        await settle()
