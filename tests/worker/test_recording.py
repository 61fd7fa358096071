"""Recording a watch: nothing waits for it, what is missing is counted, what fails is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from tests.support import builders, scenes

from vp_tui.domain.events import PartFailed, Tick, WaitingOffered
from vp_tui.storage.recording import Writer
from vp_tui.storage.recording_files import Header, RecordedFile
from vp_tui.worker import recording as recording_module
from vp_tui.worker.recording import WATCH, Medium, Recording
from vp_tui.worker.tape import Tape

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WRITER: Final = Writer(tuple)


class Deck:
    """A recording, written when a test says so."""

    def __init__(self, directory: Path) -> None:
        first = builders.state()
        clock = first.clock
        header = Header("gw", "vp", clock.wall, clock.at, 1, 0, WATCH.encode(first.watch))
        self.directory = directory
        self.told: list[Event] = []
        self.bugs: list[Exception] = []
        medium = Medium(directory, header, 2**30, lambda: WRITER, lambda: NOW)
        self.recording = Recording(medium, self.told.append, self._report)

    def _report(self, bug: Exception) -> str:
        self.bugs.append(bug)
        return "here"

    def take(self, *told: Event) -> None:
        self.recording.take(told)

    def write(self) -> None:
        self.recording.write(WRITER)

    @property
    def tape(self) -> Tape:
        return Tape([RecordedFile(path) for path in self.directory.iterdir()])


@pytest.fixture
def deck(tmp_path: Path) -> Deck:
    return Deck(tmp_path / "recordings")


def looks_for_rows(*moments: float) -> list[Event]:
    return [WaitingOffered(at) for at in moments]


def test_what_was_taken_is_played_as_it_was(deck: Deck) -> None:
    told = scenes.ordinary()
    deck.take(*told)
    deck.write()
    tape = deck.tape
    assert [*tape.events(0, len(tape))] == told
    assert tape.state_after(len(tape)) == builders.state(*told)
    assert (deck.told, deck.bugs) == ([], [])


def test_what_had_no_room_is_counted_where_it_is_missing(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "WAITING_LIMIT", 3)
    deck.take(*looks_for_rows(1.0, 2.0, 3.0, 4.0, 5.0))
    deck.write()
    deck.take(*looks_for_rows(6.0))
    deck.write()
    tape = deck.tape
    assert [event.at for event in tape.events(0, len(tape))] == [1.0, 2.0, 3.0, 6.0]
    assert tape.lost == 2


def test_a_disk_that_fails_is_told_and_tried_again(deck: Deck) -> None:
    deck.directory.parent.mkdir(exist_ok=True)
    deck.directory.write_text("a file in its place")
    deck.take(*looks_for_rows(1.0, 2.0))
    deck.write()
    deck.take(*looks_for_rows(3.0))
    deck.write()
    (failed,) = deck.told
    assert isinstance(failed, PartFailed)
    assert failed.part == "recording"
    assert failed.cure
    deck.directory.unlink()
    deck.take(*looks_for_rows(1.0 + recording_module.AGAIN_S))
    deck.write()
    tape = deck.tape
    assert len([*tape.events(0, len(tape))]) == 1
    assert tape.lost == 3


def test_a_long_watch_is_in_parts_and_each_can_be_played_alone(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = scenes.ordinary()
    deck.take(*told)
    deck.write()
    monkeypatch.setattr(recording_module, "PART_LIMIT", 1)
    later = [Tick(2_000.0, NOW), *scenes.stuck()]
    for event in later:
        deck.take(event)
        deck.write()
    files = sorted(map(RecordedFile, deck.directory.iterdir()), key=lambda file: file.header.part)
    assert len(files) == 1 + len(later)
    tape = deck.tape
    assert [*tape.events(0, len(tape))] == [*told, *later]
    alone = Tape(files[1:])
    state, whole = alone.state_after(len(alone)), tape.state_after(len(tape))
    assert state.snapshot == whole.snapshot
    assert state.sessions == whole.sessions


def test_a_bug_costs_what_was_taken_and_no_more(deck: Deck) -> None:
    deck.recording.start()
    deck.take(Tick(1.0, None))  # type: ignore[arg-type]  # what a bug would tell
    deck.recording.stop()
    assert len(deck.bugs) == 1
    (failed,) = deck.told
    assert isinstance(failed, PartFailed)
    assert "here" in failed.told
