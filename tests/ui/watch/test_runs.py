"""The runs: their order, and a cursor that stays on its session whatever the rows do."""

from __future__ import annotations

import pytest
from tests.support import builders, scenes
from tests.support.keyboard import StampedKeyboard
from tests.support.rig import LARGE, WIDE, Rig, running

from vp_tui.domain.models import StreamState

A, B, C, D = (f"session_20261122_19{n}000_{letter * 8}" for n, letter in enumerate("abcd"))


def rows(rig: Rig) -> list[str]:
    """Return the short ids of the rows in view, in order."""
    return [line.lstrip(" >").split()[2] for line in rig.content("runs") if line.strip()]


def selected(rig: Rig) -> str | None:
    return rig.board.selected


async def test_running_ones_come_first_then_by_id() -> None:
    async with running(
        builders.listing(at=-3.0),
        builders.listing(
            builders.session(C),
            builders.session(B, active_runs=1),
            builders.session(A),
            builders.session(D, active_runs=1),
        ),
        size=WIDE,
    ) as rig:
        assert rows(rig) == ["bbbbbbbb", "dddddddd", "aaaaaaaa", "cccccccc"]


async def test_the_cursor_starts_on_the_first_running_run() -> None:
    async with running(
        builders.listing(at=-3.0),
        builders.listing(builders.session(A), builders.session(B, active_runs=1)),
    ) as rig:
        assert selected(rig) == B
        assert rig.cursor_line("runs").startswith(">● ok      bbbbbbbb")
        assert ("show_log", B) in rig.asked


async def test_the_selection_is_kept_when_rows_come_above_it_and_leave() -> None:
    async with running(builders.listing(builders.session(B), builders.session(D))) as rig:
        await rig.press("j")
        assert selected(rig) == D
        await rig.tell(
            builders.listing(
                builders.session(A),
                builders.session(B),
                builders.session(C),
                builders.session(D),
                at=1.0,
            )
        )
        assert selected(rig) == D
        assert rig.cursor_line("runs").startswith(">· idle    dddddddd")
        await rig.tell(builders.listing(builders.session(D), at=2.0))
        assert selected(rig) == D
        assert rig.cursor_line("runs").startswith(">· idle    dddddddd")


async def test_the_selection_is_kept_when_the_order_changes() -> None:
    async with running(
        builders.listing(builders.session(A), builders.session(B), builders.session(C))
    ) as rig:
        await rig.press("j")
        assert selected(rig) == B
        await rig.tell(
            builders.listing(
                builders.session(A), builders.session(B), builders.session(C, active_runs=1), at=1.0
            )
        )
        assert rows(rig) == ["cccccccc", "aaaaaaaa", "bbbbbbbb"]
        assert selected(rig) == B
        await rig.tell(
            builders.listing(
                builders.session(A), builders.session(B, active_runs=1), builders.session(C), at=2.0
            )
        )
        assert rows(rig)[0] == "bbbbbbbb"
        assert selected(rig) == B


async def test_the_selection_falls_to_a_neighbour_when_its_session_leaves() -> None:
    async with running(
        builders.listing(builders.session(A), builders.session(B), builders.session(C))
    ) as rig:
        await rig.press("j")
        await rig.tell(builders.listing(builders.session(A), builders.session(C), at=1.0))
        assert selected(rig) == C
        assert rig.asked[-1] == ("show_log", C)
        await rig.tell(builders.listing(builders.session(A), at=2.0))
        assert selected(rig) == A
        await rig.tell(builders.listing(at=3.0))
        assert selected(rig) is None
        assert "no session in memory" in rig.pane("runs")
        await rig.tell(builders.listing(builders.session(B), at=4.0))
        assert selected(rig) == B


async def test_the_cursor_stays_in_view_of_many_rows() -> None:
    many = [builders.session(f"session_20261122_190000_{n:08x}") for n in range(200)]
    async with running(builders.listing(*many)) as rig:
        await rig.press("end")
        assert "000000c7" in rig.cursor_line("runs")
        await rig.tell(builders.listing(*many[100:], at=1.0))
        assert "000000c7" in rig.cursor_line("runs")
        await rig.press("pageup")
        assert selected(rig) == many[200 - rig.rows("runs").size.height].session_id
        await rig.press("home")
        assert "00000064" in rig.cursor_line("runs")


async def test_the_filter_keeps_matching_rows_and_the_selection() -> None:
    async with running(
        builders.listing(
            builders.session(A, description="fix it"),
            builders.session(B),
            builders.session(C, description="FIX that"),
        )
    ) as rig:
        await rig.press("end")
        await rig.press("slash", *"fix")
        assert rows(rig) == ["aaaaaaaa", "cccccccc"]
        assert selected(rig) == C
        await rig.press("enter")
        assert "RUNS 2 of 3 (" in rig.title("runs")
        assert "/fix/" in rig.title("runs")
        assert rig.focus == "runs"
        await rig.tell(
            builders.listing(
                builders.session(A),
                builders.session(B),
                builders.session(C, description="fix"),
                at=1.0,
            )
        )
        assert rows(rig) == ["cccccccc"]
        await rig.press("escape")
        assert rows(rig) == ["aaaaaaaa", "bbbbbbbb", "cccccccc"]
        assert selected(rig) == C
        assert "/fix/" not in rig.text


async def test_a_filter_that_nothing_matches_does_not_say_that_nothing_is_there() -> None:
    async with running(builders.listing(builders.session(A))) as rig:
        await rig.press("slash", *"zzz", "enter")
        assert "no session in memory" not in rig.text
        assert "/zzz/" in rig.pane("runs")


async def test_an_old_listing_makes_the_runs_doubtful() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.passes(30.0)
        assert "list stale, 30s old" in rig.title("runs")
        assert rig.cursor_line("runs").startswith(">● ok?     a1b2c3d4")
        assert "idle?" in rig.pane("runs")


async def test_a_failed_listing_says_so() -> None:
    async with running(*scenes.lost()) as rig:
        await rig.passes(9.0)
        assert "list down, 9s old" in rig.title("runs")
        assert "other viewer" not in rig.pane("runs")


@pytest.mark.parametrize(("width", "told"), [(80, False), (100, True)])
async def test_what_is_good_to_know_of_a_run_goes_whole(
    width: int,
    told: bool,  # noqa: FBT001 - given by the table
) -> None:
    async with running(*scenes.ordinary(), size=(width, 30)) as rig:
        await rig.passes(2.0)
        line = rig.cursor_line("runs")
    assert ("holds the lock, 0 wait" in line) is told
    assert ("holds" in line) is told
    assert "mission" not in line


async def test_a_row_tells_what_its_run_does() -> None:
    async with running(*scenes.ordinary(), size=LARGE) as rig:
        await rig.passes(2.0)
        line = rig.cursor_line("runs")
    assert "run 22s" in line
    assert "silent 17s" in line
    assert "in Bash pytest -q 17s" in line
    assert "mission 00abcd" in line
    assert "Fix the csv importer's quotes" in line


async def test_a_row_tells_how_the_last_turn_ended() -> None:
    done = builders.stream(builders.processing(), builders.frame("query_complete"), session_id=A)
    stopped = builders.stream(
        builders.processing(),
        builders.frame("status", status="turn_cancelled"),
        builders.frame("query_complete"),
        session_id=B,
    )
    async with running(
        builders.listing(builders.session(A), builders.session(B)), *done, *stopped
    ) as rig:
        text = rig.pane("runs")
    assert "aaaaaaaa turn done 02:00:01" in text
    assert "bbbbbbbb turn cancelled 02:00:02" in text


async def test_a_row_tells_when_its_stream_is_not_live() -> None:
    async with running(
        builders.listing(builders.session(A), builders.session(B)),
        builders.linked(StreamState.WAITING, "1012", session_id=A),
    ) as rig:
        text = rig.pane("runs")
    assert "stream waiting" in text
    assert "not attached" in text


async def test_other_viewers_are_those_that_are_not_vp_tui() -> None:
    async with running(
        builders.listing(
            builders.session(A, active_connections=3), builders.session(B, active_connections=2)
        ),
        builders.linked(session_id=A),
        builders.linked(session_id=B),
    ) as rig:
        text = rig.pane("runs")
    assert "2 other viewers" in text
    assert "1 other viewer\n" in text + "\n"


async def test_sessions_on_disk_are_only_counted() -> None:
    async with running(*scenes.ordinary()) as rig:
        assert "2 (0 stuck), 1 on disk" in rig.pane("runs")
        assert "0ddba11d" not in rig.text


async def test_the_filter_finds_a_tool_and_a_query() -> None:
    begun = builders.stream(
        builders.routed("delegated_to_coder_vp", "m1"),
        builders.processing("paint it"),
        session_id=A,
    )
    async with running(
        builders.listing(builders.session(A, active_runs=1), builders.session(B)), *begun
    ) as rig:
        await rig.press("slash", *"paint")
        assert rows(rig) == ["aaaaaaaa"]


async def test_a_stuck_run_comes_first_and_its_victims_say_whose_they_are() -> None:
    async with running(*scenes.stuck()) as rig:
        await rig.passes(2.0)
        assert "RUNS 4 (1 stuck, 2 queued)" in rig.title("runs")
        lines = rig.content("runs")
    assert lines[0].startswith(">✗ STUCK   d3833624 run 4m04  silent 4m02  holds the lock, 2 wait")
    assert "in Bash npm" in lines[0]
    assert "victim of d3833624: cancelling it frees nothing" in lines[1]
    assert lines[1].lstrip().startswith("… queued  77aa01bc")


async def test_who_waits_behind_a_run_that_moves_is_no_victim() -> None:
    events = [
        *scenes.ordinary(),
        builders.listing(*scenes.sessions(), builders.session(A, active_runs=1)),
    ]
    async with running(*events) as rig:
        assert "queued behind a1b2c3d4" in rig.pane("runs")
        assert "RUNS 3 (1 queued)" in rig.title("runs")


class TestAlarms:
    """A run that hangs is shown, and hit, unless the operator has just moved the cursor."""

    @staticmethod
    async def hangs(rig: Rig, *ids: str) -> None:
        rig.now += 90.0
        others = [builders.session(one) for one in (A, B, C, D) if one not in ids]
        hung = [builders.session(one, active_runs=1) for one in ids]
        await rig.tell(builders.listing(*others, *hung, at=rig.now))

    async def test_one_that_comes_takes_the_cursor_unless_it_was_just_moved(self) -> None:
        listed = builders.listing(
            *map(builders.session, (A, B, C)), builders.session(D, active_runs=1)
        )
        async with running(listed, stuck_after=60.0) as rig:
            await rig.press("j")
            rig.app.keyboard = hands = StampedKeyboard()
            await rig.press("j")
            moved_to = selected(rig)
            hands.at += 9.9
            await self.hangs(rig, D)
            assert rows(rig)[0] == "dddddddd"
            assert selected(rig) == moved_to != D
            hands.at += 0.1
            await self.hangs(rig, D)  # it rang before
            assert selected(rig) == moved_to
            await rig.tell(builders.listing(*map(builders.session, (A, B, C, D)), at=rig.now + 1.0))
            await self.hangs(rig, D)
            await self.hangs(rig, D)
            assert selected(rig) == D

    @pytest.mark.parametrize("key", ["c", "enter", "y"])
    async def test_right_after_that_keys_ask_which(self, key: str) -> None:
        listed = builders.listing(builders.session(A), builders.session(D, active_runs=1))
        async with running(listed, stuck_after=60.0) as rig:
            await rig.press("j")
            rig.app.keyboard = hands = StampedKeyboard()
            rig.board.runs.list._moved_at = 0.0
            await self.hangs(rig, D)
            assert selected(rig) == D
            hands.at += 2.9
            await rig.press(key)
            took = "An alarm of dddddddd has just taken the cursor from aaaaaaaa."
            assert took in " ".join(rig.text.split())
            await rig.press("escape")
            hands.at += 0.1
            await rig.press(key)
            assert "WHICH RUN IS MEANT" not in rig.text

    async def test_one_that_hangs_is_in_view_while_nobody_moved_the_cursor(self) -> None:
        many = [builders.session(f"session_20261122_18{n:02}00_{n:08}") for n in range(20)]
        listed = builders.listing(*many, builders.session(D, active_runs=1))
        async with running(listed, stuck_after=60.0) as rig:
            first = builders.listing(*many, builders.session(D), at=1.0)
            await rig.tell(first)
            rig.now = 2.0
            hung = [*many, builders.session(D, active_runs=1)]
            await rig.tell(builders.listing(*hung, at=2.0))
            rig.now = 90.0
            await rig.tell(builders.listing(*hung, at=90.0))
            assert rows(rig)[0] == "dddddddd"
            assert selected(rig) == D
