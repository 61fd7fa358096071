from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.rows import SNAPSHOT, facts, row

from vp_tui.storage import records as recorded
from vp_tui.storage.records import Recorded, RecordsFollower, parse_record, records_path, sha256
from vp_tui.storage.rows import record_row

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.storage.records import Record


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.md"


def record(log: Path, *missions: str, source: str = "organic", window: str = "W") -> None:
    """Record a row whose snapshot names missions, newest first."""
    named = {**SNAPSHOT, "recent_missions": [{"mission_id": name} for name in missions]}
    record_row(log, row(window=window), facts(named, window)._replace(source=source))


def test_without_a_file_nothing_is_recorded(log: Path) -> None:
    assert RecordsFollower().read(records_path(log)) == Recorded()


def test_every_mission_of_every_record_is_named_as_they_come(log: Path) -> None:
    follower = RecordsFollower()
    record(log, "m2", "m1")
    assert follower.read(records_path(log)).ids == {"m1", "m2"}
    record(log, "m3", "m2")
    assert follower.read(records_path(log)).ids == {"m1", "m2", "m3"}


def test_only_what_was_added_is_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower, parsed = RecordsFollower(), 0

    def parse(line: bytes) -> Record | None:
        nonlocal parsed
        parsed += 1
        return parse_record(line)

    monkeypatch.setattr(recorded, "parse_record", parse)
    record(log, "m1")
    for _ in range(3):
        follower.read(records_path(log))
    record(log, "m2")
    follower.read(records_path(log))
    assert parsed == 2


def test_a_mission_belongs_to_the_window_that_recorded_it_first(log: Path) -> None:
    record(log, "m1")
    record(log, "m2", "m1", source="fault-injected", window="Shadow window #2")
    record(log, "m3", "m2", "m1")
    read = RecordsFollower().read(records_path(log))
    assert read.unreal_ids == {"m2"}
    assert read.unreal_windows == {"Shadow window #2"}


def test_a_line_still_being_written_waits(log: Path) -> None:
    record(log, "m1")
    path, follower = records_path(log), RecordsFollower()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert follower.read(path).ids == set()
    path.write_bytes(whole)
    assert follower.read(path).ids == {"m1"}


def test_what_is_no_record_names_nothing(log: Path) -> None:
    path = records_path(log)
    path.write_text('torn {\n[]\n{"snapshot": {"recent_missions": [1, {"mission_id": 2}]}}\n')
    assert RecordsFollower().read(path) == Recorded()


def test_a_file_that_was_replaced_or_cut_is_read_anew(log: Path) -> None:
    record(log, "m1")
    record(log, "m2")
    path, follower = records_path(log), RecordsFollower()
    assert follower.read(path).ids == {"m1", "m2"}
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(first)
    assert follower.read(path).ids == {"m1"}
    path.unlink()
    assert follower.read(path) == Recorded()


def test_the_newest_of_a_large_file_is_read_and_its_first_record_accuses_nobody(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(log, "m1")
    record(log, "m2", "m1", source="synthetic")
    record(log, "m3", "m2", source="synthetic")
    lines = records_path(log).read_bytes().splitlines(keepends=True)
    monkeypatch.setattr(recorded, "READ_LIMIT", len(lines[1]) + len(lines[2]) + 1)
    read = RecordsFollower().read(records_path(log))
    assert read.ids == {"m1", "m2", "m3"}
    assert read.unreal_ids == {"m3"}


def test_the_missions_remembered_are_bounded(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "IDS_LIMIT", 2)
    record(log, "m3", "m2", "m1")
    assert RecordsFollower().read(records_path(log)).ids == {"m2", "m3"}


def test_authors_are_told_by_their_rows_and_bounded(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "AUTHORS_LIMIT", 2)
    lines = [
        record_row(log, row(author), facts()._replace(actor=author)).text
        for author in ("ann", "bob", "cyd")
    ]
    read = RecordsFollower().read(records_path(log))
    assert read.authors == {sha256(lines[1].encode()): "bob", sha256(lines[2].encode()): "cyd"}


def test_an_author_that_is_no_text_is_none(log: Path) -> None:
    path = records_path(log)
    path.write_text('{"row_sha256": "0", "actor": 1}\n{"row_sha256": [], "actor": "ann"}\n')
    assert RecordsFollower().read(path).authors == {}
