"""The logs: whose they are, what is missing in them, and how to find a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.builders import REFUSED, failed, listing, logged, polled, session, snapshot
from tests.support.rig import LARGE, Rig, running

from vp_tui.domain.events import LogDropped
from vp_tui.domain.models import Source
from vp_tui.state import streams as logs

if TYPE_CHECKING:
    import pytest

A = "session_20261122_190000_aaaaaaaa"
B = "session_20261122_190000_bbbbbbbb"
LANE = "vp_coder_primary"


def lines(first: int, last: int) -> list[str]:
    return [f"line {n}" for n in range(first, last + 1)]


def title(rig: Rig, name: str = "lane-log") -> str:
    return rig.pane(name).splitlines()[0]


async def test_the_lanes_log_is_shown_and_followed() -> None:
    async with running(polled(snapshot()), logged(*lines(1, 50))) as rig:
        await rig.press("3")
        assert rig.content("lane-log")[-1] == "line 50"
        assert "follow ON" in title(rig)
        await rig.tell(logged(*lines(51, 60)))
        assert "line 60" in rig.cursor_line("lane-log")


async def test_a_log_yields_to_the_reader_and_counts_what_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "LOG_LIMIT", 60)
    async with running(polled(snapshot()), logged(*lines(1, 50))) as rig:
        await rig.press("3", "k", "k")
        before = rig.content("lane-log")
        await rig.tell(logged(*lines(51, 80)))
        assert rig.content("lane-log") == before
        assert "+30 lines, End" in title(rig)
        assert rig.cursor_line("lane-log") == "line 48"
        await rig.press("G")
        assert rig.cursor_line("lane-log") == "line 80"


async def test_the_last_line_is_completed_in_its_place() -> None:
    async with running(polled(snapshot()), logged("whole", "torn li")) as rig:
        await rig.press("3")
        await rig.tell(logged("torn line", "next", completes_last=True))
        shown = rig.content("lane-log")
        assert [line for line in shown if line] == ["whole", "torn line", "next"]


async def test_marks_tell_where_lines_do_not_follow() -> None:
    async with running(polled(snapshot()), logged("old")) as rig:
        await rig.press("3")
        await rig.tell(logged("new", restarted=True))
        await rig.tell(logged("newer", note="12 kB skipped"))
        shown = [line for line in rig.content("lane-log") if line]
        assert shown == [
            "old",
            "-- the file begins again --",
            "new",
            "-- 12 kB skipped --",
            "newer",
        ]


async def test_the_selected_sessions_log_is_asked_for_and_shown() -> None:
    async with running(listing(session(A), session(B)), size=LARGE) as rig:
        assert rig.asked == [("show_log", A)]
        await rig.press("4")
        assert "aaaaaaaa" in title(rig, "session-log")
        assert "asking for the log" in rig.pane("session-log")
        await rig.tell(logged("of a", log_id=A))
        assert "of a" in rig.pane("session-log")
        await rig.press("1", "j")
        assert rig.asked[-1] == ("show_log", B)
        assert "of a" not in rig.pane("session-log")
        assert "bbbbbbbb" in title(rig, "session-log")
        await rig.tell(LogDropped(1.0, A), logged("of b", log_id=B))
        assert "of b" in rig.pane("session-log")


async def test_an_empty_log_tells_where_else_to_look() -> None:
    async with running(listing(session(A)), logged(log_id=A)) as rig:
        await rig.press("4")
        assert "empty -> [3] see the lane's log: delegated runs write there" in rig.text
        await rig.tell(failed(Source.LOG, REFUSED, log_id=A))
        assert (
            "401 from the ops plane -> [A] read tokens again; first set UA_OPS_TOKEN"
            in rig.pane("session-log")
        )
        await rig.tell(logged("at last", log_id=A))
        assert "at last" in rig.pane("session-log")


async def test_a_log_that_went_stale_says_so_over_its_lines() -> None:
    async with running(polled(snapshot()), logged("old words")) as rig:
        await rig.press("3")
        assert "stale" not in title(rig)
        await rig.passes(60.0)
        assert "stale" in title(rig)
        assert "old words" in rig.pane("lane-log")
        await rig.tell(failed(Source.LOG, log_id=LANE, at=60.0))
        assert "down" in title(rig)


async def test_no_session_has_no_log() -> None:
    async with running(listing()) as rig:
        await rig.press("4")
        assert "no session" in rig.pane("session-log")


async def test_a_log_of_a_session_that_left_is_not_shown_under_another_name() -> None:
    async with running(listing(session(A)), logged("of a", log_id=A)) as rig:
        await rig.press("4")
        await rig.tell(listing(at=1.0))
        assert "of a" not in rig.pane("session-log")


async def test_search_marks_and_goes_from_match_to_match_round_the_end() -> None:
    text = [f"{'ERROR' if n in {5, 20, 35} else 'fine'} {n}" for n in range(40)]
    async with running(polled(snapshot()), logged(*text), size=LARGE) as rig:
        await rig.press("3", "slash", *"error", "enter")
        assert rig.rows("lane-log").cursor_text == "ERROR 35"
        assert "/error/" in title(rig)
        seen, told = [], []
        for key in ("n", "n", "N", "N", "N"):
            await rig.press(key)
            seen.append(rig.rows("lane-log").cursor_text)
            told += [str(one.message) for one in rig.app._notifications]
        assert seen == [f"ERROR {n}" for n in (5, 20, 5, 35, 20)]
        assert told == [
            "match 1 of 3, round from the end",
            "match 2 of 3",
            "match 1 of 3",
            "match 3 of 3, round from the beginning",
            "match 2 of 3",
        ]
        assert "follow OFF" in title(rig)
        await rig.press("escape")
        assert "/error/" not in title(rig)


async def test_a_search_without_a_match_says_so_and_moves_nothing() -> None:
    async with running(polled(snapshot()), logged(*lines(1, 9))) as rig:
        await rig.press("3", "slash", *"zebra")
        assert "no match" not in rig.text
        await rig.press("enter")
        assert rig.text.count("no match: none of 9 lines") == 1
        await rig.press("n")
        assert rig.text.count("no match: none of 9 lines") == 1, "in place of the one before"
        assert rig.rows("lane-log").cursor == 8


async def test_enter_without_words_searches_nothing() -> None:
    async with running(polled(snapshot()), logged(*lines(1, 9))) as rig:
        await rig.press("3", "slash", "enter")
        assert "no match" not in rig.text


async def test_matches_stand_out_from_the_line_they_are_in() -> None:
    async with running(polled(snapshot()), logged("a NEEDLE and a needle", "hay")) as rig:
        await rig.press("3", "slash", *"needle", "enter")
        log = rig.rows("lane-log")
        assert [span for span in log.paint(0) if span[1] == "match"] == [
            ("NEEDLE", "match"),
            ("needle", "match"),
        ]
        assert log.cursor_text == "a NEEDLE and a needle"
        assert log.paint(1) == (("hay", "plain"),)


async def test_case_folding_that_changes_lengths_marks_the_whole_line() -> None:
    async with running(polled(snapshot()), logged("die STRASSE, die Straße")) as rig:
        await rig.press("3", "slash", *"strasse", "enter")
        assert rig.rows("lane-log").paint(0) == (("die STRASSE, die Straße", "match"),)


LONG = "begin " + "middle " * 30 + "end"


async def test_long_lines_shift_and_a_mark_at_each_edge_says_that_there_is_more() -> None:
    async with running(polled(snapshot()), logged("short", LONG)) as rig:
        await rig.press("3")
        assert rig.cursor_line("lane-log").startswith("begin middle")
        assert rig.cursor_line("lane-log").endswith("…")
        await rig.press("right")
        shown = rig.cursor_line("lane-log")
        assert (shown[0], shown[-1]) == ("…", "…")
        assert shown[1:9] == LONG[17:25]
        await rig.press(*["right"] * 9)
        assert rig.cursor_line("lane-log").endswith("end")
        await rig.press(*["left"] * 10)
        assert rig.cursor_line("lane-log").startswith("begin")


async def test_z_wraps_a_log_and_unwraps_it_and_the_cursors_line_stays_in_view() -> None:
    async with running(polled(snapshot()), logged(*lines(1, 40), LONG, "last")) as rig:
        await rig.press("3", "z")
        assert "wrapped" in title(rig)
        shown = [line for line in rig.content("lane-log") if line]
        assert shown[-1] == "last"
        assert "end" in shown[-2]
        assert not any("…" in line for line in shown)
        await rig.press("home")
        assert rig.content("lane-log")[0] == "line 1"
        await rig.press("G", "k", "z")
        assert "wrapped" not in title(rig)
        assert rig.cursor_line("lane-log").startswith("begin")
        assert rig.rows("lane-log").cursor_text == LONG


async def test_a_line_longer_than_the_pane_ends_with_a_mark_and_enter_shows_all_of_it() -> None:
    huge = "x" * 3000 + " the end 🛠"
    async with running(polled(snapshot()), logged(huge)) as rig:
        await rig.press("3", "z")
        assert rig.content("lane-log")[-1].endswith("…")
        await rig.press("enter")
        assert "WHOLE LINE" in rig.text
        await rig.press("end")
        assert "the end" in rig.text
        await rig.press("y")
        assert rig.app.clipboard == huge
        await rig.press("escape")
        assert "LANE LOG" in rig.text


async def test_only_a_log_can_be_wrapped() -> None:
    async with running(polled(snapshot())) as rig:
        await rig.press("2", "z")
        assert "only a log can be wrapped" in rig.text
