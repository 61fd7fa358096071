"""A recording played again: the states are those that there were, at every moment."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.virtual_time import BEGAN, STARTS_AT, run_virtually
from tests.support.virtual_watch import minutes, recorded_watch

from vp_tui.simulator.options import SimOptions
from vp_tui.state.store import Store
from vp_tui.storage.errors import RecordingError
from vp_tui.storage.recording_files import RecordedFile
from vp_tui.views.lookout import badge
from vp_tui.views.status import status_object
from vp_tui.views.view import View
from vp_tui.worker import tape as tape_module
from vp_tui.worker.replay import Player
from vp_tui.worker.tape import Tape

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.state.state import State


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tape, State]:
    """Some minutes of a stuck run, recorded; and the state that they ended with."""
    home = tmp_path_factory.mktemp("recorded")
    options = SimOptions(scenario="stuck", seed=3)
    live = run_virtually(recorded_watch(options, home, minutes(4)))
    return Tape([RecordedFile(path) for path in home.iterdir()]), live


def test_it_ends_as_the_watch_ended(watched: tuple[Tape, State]) -> None:
    tape, live = watched
    assert tape.state_after(len(tape)) == live
    now = tape.ended_at
    assert status_object(View(tape.state_after(len(tape)), now)) == status_object(View(live, now))


def test_each_state_is_the_same_from_wherever_it_is_reached(
    watched: tuple[Tape, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one = Tape(watched[0].files)
    monkeypatch.setattr(tape_module, "STATE_EVERY", 100)
    tape = Tape(one_by_one.files)
    for count in (len(tape), 207, 12, 208, 300, 0):
        assert tape.state_after(count) == one_by_one.state_after(count)


def test_the_changes_are_where_a_word_reads_otherwise(watched: tuple[Tape, State]) -> None:
    tape, _ = watched
    forward, count = [], 0
    while (found := tape.next_change(count)) is not None:
        forward.append(found)
        count = found
    assert forward == sorted(set(forward))
    backward, count = [], len(tape) + 1
    while (before := tape.last_change(count)) is not None:
        backward.append(before)
        count = before
    assert backward[::-1] == forward
    words = [badge(View(tape.state_after(at), tape.moment(at))) for at in (1, forward[-1])]
    assert words == ["CONNECTING", "LIVE+ALARM"]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("90", 90.0),
        ("1.5", 1.5),
        ("02:01", 60.0),
        ("02:01:30z", 90.0),
        ("2026-11-23T02:02Z", 120.0),
        ("2026-11-23T04:02+02:00", 120.0),
        ("01:59", 24 * 3600 - 60.0),
    ],
)
def test_a_time_is_told_in_several_ways(
    watched: tuple[Tape, State], told: str, seconds: float
) -> None:
    tape, _ = watched
    assert tape.at_told(told) == pytest.approx(STARTS_AT + seconds)


@given(told=st.text(max_size=20))
@settings(max_examples=50)
def test_what_is_no_time_is_none(watched: tuple[Tape, State], told: str) -> None:
    at = watched[0].at_told(told)
    assert at is None or at == at  # noqa: PLR0124 - no NaN


def test_files_of_two_watches_are_no_tape(tmp_path: Path, watched: tuple[Tape, State]) -> None:
    (first,) = watched[0].files
    other = tmp_path / "other.jsonl"
    text = first.path.read_text().replace(f'"at0":{STARTS_AT}', '"at0":7.0', 1)
    other.write_text(text)
    with pytest.raises(RecordingError, match="another watch"):
        Tape([first, RecordedFile(other)])


def test_what_it_waits_for_it_plays_at_its_speed(watched: tuple[Tape, State]) -> None:
    tape, live = watched
    store = Store(tape.state_after(0))
    player = Player(tape, store)
    player.speed = 16.0
    player.advance(2.0)
    assert player.now == tape.began_at + 32.0
    assert store.state.clock.wall >= BEGAN + timedelta(seconds=30)
    assert "16x" in store.state.story
    player.advance(3_600.0)
    assert player.is_paused
    assert store.state.sessions == live.sessions
    player.pause()
    assert (player.now, player.is_paused) == (tape.began_at, False)
    player.step()
    assert player.is_paused
    assert player.to_change(1)
    at_change = player.now
    player.to_moment(tape.ended_at + 99)
    assert player.now == tape.ended_at
    assert not player.to_change(1)
    while player.to_change(-1):
        last = player.now
    assert last == at_change
