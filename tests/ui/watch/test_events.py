"""The events: the newest stay in view until the reader moves; then nothing moves under them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.builders import failed, frame, listing, session, stream
from tests.support.rig import WIDE, Rig, running
from textual.events import MouseScrollUp

from vp_tui.domain.models import Source
from vp_tui.state import streams

if TYPE_CHECKING:
    import pytest

    from vp_tui.domain.models import StreamEvent

A = "session_20261122_190000_aaaaaaaa"
B = "session_20261122_190000_bbbbbbbb"


def talk(first: int, last: int, session_id: str = A) -> list[StreamEvent]:
    """Return frames that count from `first` to `last`."""
    frames = [frame("text", f"word {n}") for n in range(first, last + 1)]
    return stream(*frames, session_id=session_id, at=float(first))


def words(rig: Rig) -> list[int]:
    """Return the counts of the events in view."""
    return [int(number) for number in re.findall(r"word (\d+)", "\n".join(rig.content("events")))]


def title(rig: Rig) -> str:
    return rig.title("events")


async def test_the_newest_event_stays_in_view() -> None:
    async with running(*talk(1, 100)) as rig:
        assert words(rig)[-1] == 100
        assert "follow ON" in title(rig)
        await rig.tell(*talk(101, 130))
        assert words(rig)[-1] == 130
        assert rig.rows("events").cursor == 129


async def test_following_yields_when_the_reader_moves_up() -> None:
    async with running(*talk(1, 100)) as rig:
        await rig.press("2", "k")
        before = words(rig)
        assert "follow OFF, End" in title(rig)
        await rig.tell(*talk(101, 107))
        assert words(rig) == before
        assert "+7 events, End" in title(rig)
        assert "word 99" in rig.cursor_line("events")


async def test_the_readers_place_is_held_while_old_events_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "EVENT_LIMIT", 100)
    async with running(*talk(1, 100)) as rig:
        await rig.press("2", "pageup", "pageup")
        before, line = words(rig), rig.cursor_line("events")
        for first in range(101, 161, 20):
            await rig.tell(*talk(first, first + 19))
            assert words(rig) == before
            assert rig.cursor_line("events") == line
        assert "+60 events" in title(rig)


async def test_a_reader_whose_events_left_gets_the_oldest_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "EVENT_LIMIT", 50)
    async with running(*talk(1, 50)) as rig:
        await rig.press("2", "home")
        await rig.tell(*talk(51, 250))
        assert words(rig)[0] == 201
        assert "+50 events, End" in title(rig)


async def test_the_newest_is_followed_again_on_demand() -> None:
    for key in ("G", "end"):
        async with running(*talk(1, 100)) as rig:
            await rig.press("2", "home")
            assert words(rig)[0] == 1
            await rig.tell(*talk(101, 120))
            await rig.press(key)
            assert words(rig)[-1] == 120
            assert "follow ON" in title(rig)
            await rig.tell(*talk(121, 121))
            assert words(rig)[-1] == 121


async def test_moving_down_past_the_last_event_follows_again() -> None:
    async with running(*talk(1, 100)) as rig:
        await rig.press("2", "up", "up")
        assert "follow OFF" in title(rig)
        await rig.press("down", "down")
        assert "follow ON" in title(rig)


async def test_the_mouse_wheel_ends_following() -> None:
    async with running(*talk(1, 100)) as rig:
        await rig.pilot._post_mouse_events([MouseScrollUp], "#events")
        await rig.tell(*talk(101, 140))
        assert words(rig)[-1] <= 100
        assert "+40 events, End" in title(rig)


async def test_scope_shows_the_events_of_the_selected_session_and_of_the_gateway() -> None:
    async with running(
        listing(session(A), session(B)),
        *talk(1, 3, A),
        *talk(4, 6, B),
        failed(Source.CONTINUITY),
    ) as rig:
        assert words(rig) == [1, 2, 3, 4, 5, 6]
        assert "all sessions" in title(rig)
        await rig.press("s")
        assert words(rig) == [1, 2, 3]
        assert "aaaaaaaa" in title(rig)
        assert "connection refused" in rig.pane("events")
        await rig.press("1", "j")
        assert words(rig) == [4, 5, 6]
        assert "bbbbbbbb" in title(rig)
        await rig.press("s")
        assert words(rig) == [1, 2, 3, 4, 5, 6]


async def test_scope_follows_the_other_session_to_its_end() -> None:
    async with running(
        listing(session(A), session(B)), *talk(1, 100, A), *talk(101, 200, B)
    ) as rig:
        await rig.press("s")
        assert words(rig)[-1] == 100
        await rig.press("1", "j")
        assert words(rig)[-1] == 200


async def test_the_filter_keeps_what_matches_and_goes_on_filtering() -> None:
    async with running(*talk(1, 30)) as rig:
        await rig.press("2", "slash", *"word 2", "enter")
        assert words(rig) == [2, *range(20, 30)]
        assert "11 of 30 /word 2/" in title(rig)
        await rig.tell(*stream(frame("text", "nothing")), *talk(200, 200))
        assert words(rig)[-1] == 200
        await rig.press("slash", *"xyz", "enter")
        assert "no event matches /word 2xyz/" in rig.pane("events")
        await rig.press("escape")
        assert words(rig)[-1] == 200
        assert "/word" not in title(rig)


async def test_without_events_the_pane_tells_why() -> None:
    async with running(size=WIDE) as rig:
        assert "no event seen yet" in rig.pane("events")
        await rig.press("2", "k", "j", "G", "home", "pageup")
        assert "no event seen yet" in rig.pane("events")


async def test_a_click_puts_the_cursor_on_its_row() -> None:
    async with running(*talk(1, 100)) as rig:
        await rig.pilot.click("#events", offset=(5, 2))
        await rig.settle()
        assert f"word {words(rig)[2]}" in rig.cursor_line("events")
        assert rig.focus == "events"
        assert "follow OFF" in title(rig)


async def test_long_lines_move_sideways() -> None:
    async with running(*stream(frame("text", "x" * 60 + "the end"))) as rig:
        assert "the end" not in rig.text
        await rig.press("2", "right", "right")
        assert "the end" in rig.pane("events")
        await rig.press("left", "left", "left")
        assert "the end" not in rig.text
