"""Recordings on disk: what was written reads back, whatever ended its writer or got hold of it."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support import builders, scenes

from vp_tui.domain.events import TokensRead
from vp_tui.domain.models import TokenPresence
from vp_tui.storage.errors import RecordingError
from vp_tui.storage.recording import LEFT_OUT, UnknownKind, Writer
from vp_tui.storage.recording_files import (
    Header,
    Lost,
    RecordedFile,
    RecordingFile,
    files_of,
    make_room,
)
from vp_tui.storage.typed_json import Misshapen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vp_tui.domain.events import Event

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HEADER: Final = Header("http://gateway.example:80", "vp.coder", NOW, 0.5, 1, 0, {"url": "x"})
PLAIN: Final = Writer(tuple)


def recorded(
    directory: Path, told: Iterable[Event], writer: Writer = PLAIN, header: Header = HEADER
) -> Path:
    file = RecordingFile(directory, header, NOW)
    file.write(map(writer.written, told))
    file.close()
    return file.path


def read(path: Path) -> list[Event | Lost]:
    found = RecordedFile(path)
    return [found.event(number) for number in range(len(found))]


def snapshots(count: int) -> list[Event]:
    """Answers of a lane on which a mission ends with each: nearly what the one before said."""
    missions = scenes.done(40 + count)
    return [
        builders.polled(builders.snapshot(*missions[count - number :]), at=1.0 + number)
        for number in range(count)
    ]


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    told = [*scenes.ordinary(), *scenes.stuck()]
    path = recorded(tmp_path / "deep" / "recordings", told)
    assert read(path) == told
    assert RecordedFile(path).header == HEADER
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_an_answer_like_the_one_before_takes_little(tmp_path: Path) -> None:
    told = [*snapshots(20), *snapshots(20)[-1:]]  # the last one twice
    path = recorded(tmp_path, told)
    whole = len(PLAIN.written(told[0]).text)
    assert path.stat().st_size < 4 * whole
    assert read(path) == told
    again = RecordedFile(path)
    for number in (19, 3, 17, 4):  # in any order
        assert again.event(number) == told[number]


def test_a_torn_last_line_is_no_line(tmp_path: Path) -> None:
    told = scenes.ordinary()
    path = recorded(tmp_path, told)
    for cut in (1, 20, 40):
        path.write_bytes(path.read_bytes()[:-cut])
        assert read(path) == told[:-1]


def test_packed_it_reads_alike_as_far_as_it_was_written(tmp_path: Path) -> None:
    told = snapshots(30)
    path = recorded(tmp_path, told)
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed) == told
    packed.write_bytes(gzip.compress(path.read_bytes())[:-400])
    torn = read(packed)
    assert torn == told[: len(torn)]


def test_of_a_line_that_cannot_be_read_the_others_can(tmp_path: Path) -> None:
    path = recorded(tmp_path, scenes.ordinary())
    known = len(RecordedFile(path))
    with path.open("a") as file:
        file.write('{"kind":"Invented","at":3.0}\nnonsense\n{"kind":"Tick","at":"x"}\n')
        file.write('{"kind":"SnapshotArrived","at":4.0,"like":99}\n')
        file.write('{"kind":"Lost","at":5.0,"events":7}\n{"kind":"Lost","at":6.0}\n')
    found = RecordedFile(path)
    with pytest.raises(UnknownKind, match="Invented"):
        found.event(known)
    for number in (known + 1, known + 2, known + 3, known + 5):
        with pytest.raises(Misshapen):
            found.event(number)
    assert found.event(known + 4) == Lost(5.0, 7)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"version": 2}, "is of version 2 of the format"),
        ({"format": "other"}, "is no recording"),
        ({"at0": "soon"}, "header cannot be read"),
        ({"started_at": "today"}, "header cannot be read"),
        ({"settings": None}, "header cannot be read"),
    ],
)
def test_another_first_line_is_refused_by_name(
    tmp_path: Path, header: dict[str, Any], told: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(json.loads(HEADER.to_line()) | header) + "\n")
    with pytest.raises(RecordingError, match=told) as refused:
        RecordedFile(path)
    assert str(path) in str(refused.value)


def test_what_is_no_file_is_refused_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "bad.jsonl.gz").write_bytes(b"no gzip at all")
    (tmp_path / "empty").touch()
    for name in ("pipe", "empty", "bad.jsonl.gz", "absent", "."):
        with pytest.raises(RecordingError):
            RecordedFile(tmp_path / name)


def test_the_oldest_leave_first_and_what_is_recorded_into_stays(tmp_path: Path) -> None:
    paths = [recorded(tmp_path, snapshots(3)) for _ in range(4)]
    for age, path in enumerate(paths):
        os.utime(path, (1_000 + age, 1_000 + age))
    theirs = recorded(tmp_path, snapshots(3), header=HEADER._replace(vp_id="vp.other"))
    (tmp_path / "notes.txt").write_text("not ours")
    size = paths[0].stat().st_size
    with paths[0].open() as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        make_room(tmp_path, HEADER.gateway, HEADER.vp_id, 2 * size)
    assert files_of(tmp_path, HEADER.gateway, HEADER.vp_id) == [paths[0], paths[3]]
    assert theirs.exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_token_is_in_no_recording(tmp_path: Path) -> None:
    secrets = ["first-secret"]
    writer = Writer(lambda: list(secrets))
    echo = builders.logged("it sent first-secret", "and second\\secret", at=2.0)
    told = [echo, TokensRead(3.0, TokenPresence("a file")), echo]
    file = RecordingFile(tmp_path, HEADER, NOW)
    file.write([writer.written(echo)])
    secrets[:] = ["first-secret", "second\\secret"]
    file.write(map(writer.written, told[1:]))
    file.close()
    *_, last = file.path.read_text().splitlines()
    assert "first-secret" not in file.path.read_text()
    assert "second" not in last
    assert len(read(file.path)) == len(told)


def test_redacted_it_holds_no_text_of_prompts_and_logs(tmp_path: Path) -> None:
    words = "attack at dawn"
    told = [
        builders.logged(words, words, at=2.0),
        *builders.stream(builders.processing(words), builders.frame("text", words)),
        builders.listing(builders.session(description=words)),
    ]
    path = recorded(tmp_path, told, Writer(tuple, redact=True))
    assert words not in path.read_text()
    log = read(path)[0]
    assert log == builders.logged(LEFT_OUT, LEFT_OUT, at=2.0)
