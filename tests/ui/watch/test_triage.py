"""Triage on the screen: when it comes, whom it is about, what the keys do in it, how one leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.rig import LARGE, SMALL, WIDE, Rig, running
from tests.support.scenes import OWNER, QUIET, VICTIMS

from vp_tui.domain.models import Source
from vp_tui.ui.lines.paint import width_of
from vp_tui.ui.lines.triage import triage_lines
from vp_tui.ui.screens.texts import ExplainScreen
from vp_tui.ui.watch.panes import triage_height
from vp_tui.ui.watch.screen import WatchScreen
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

IDLE = "session_20261122_190000_aaaaaaaa"
OTHER = "session_20261122_190100_bbbbbbbb"


def title(rig: Rig) -> str:
    """Return the title of the triage, "" while there is none."""
    return next((line for line in rig.lines if line.startswith("─TRIAGE ")), "")


def block(rig: Rig) -> str:
    """Return the triage below its title."""
    place = rig.lines.index(title(rig))
    size = rig.board.triage.size.height
    return "\n".join(rig.lines[place + 1 : place + size])


def both_stuck() -> list[Event]:
    """Return two stuck runs on a gateway without a lock."""
    known = [builders.session(IDLE), builders.session(OTHER)]
    began = [
        builders.processing("one"),
        builders.frame("tool_call", "Bash x", tool="Bash", tool_use_id="t"),
    ]
    return [
        builders.healthy(-300.0, dialect="G2"),
        *(builders.linked(session_id=one, at=-300.0) for one in (IDLE, OTHER)),
        builders.listing(*known, at=-299.0),
        *builders.stream(*began, session_id=IDLE, at=-298.0),
        *builders.stream(*began, session_id=OTHER, at=-297.0),
        builders.healthy(dialect="G2"),
        builders.listing(*(one._replace(active_runs=1, status="running") for one in known)),
    ]


class TestWhenItComes:
    async def test_enter_looks_at_the_selected_run_and_esc_goes_back(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.passes(2.0)
            before = rig.lines
            assert title(rig) == ""
            await rig.press("enter")
            assert title(rig).startswith("─TRIAGE a1b2c3d4 ok: ")
            assert "delegated, mission 00abcd (live frame: certain)" in block(rig)
            assert "ladder: nothing to do: it moves" in block(rig)
            await rig.press("escape")
            assert rig.lines == before

    async def test_the_fallback_rate_stays_on_the_screen(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            assert rig.lines[4].startswith("fallback window 0/9  epoch 1: 0/9")
            assert rig.lines[5].startswith("p95 36.000s max of 9  9 ok 0 failed 1 running")

    async def test_an_alarm_brings_it_where_lines_are_few(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            assert title(rig).startswith("─TRIAGE d3833624 STUCK: no progress for 4m02")
            assert "tool_call Bash npm i, no tool_result for 4m02" in block(rig)
            assert rig.focus == "runs"

    async def test_where_there_is_room_it_waits_to_be_asked_for(self) -> None:
        async with running(*scenes.stuck(), size=LARGE) as rig:
            await rig.passes(2.0)
            assert title(rig) == ""
            assert " g alarm  enter triage " in rig.lines[-1]
            await rig.press("enter")
            assert "2 turns wait behind it: 77aa01bc, b0c1d2e3" in block(rig)
            assert "no other viewer" in block(rig)
            assert "lane session active" in block(rig)
            assert "mission 00abcd reads running" in block(rig)
            await rig.press("escape")
            assert "P95 LATENCY" in rig.text

    async def test_it_does_not_come_again_for_an_alarm_that_was_left(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.press("escape")
            await rig.passes(1.0)
            assert title(rig) == ""
            assert "GUARDRAILS" in rig.text
            await rig.tell(*scenes.unheard_cancel())
            await rig.passes(5.0)
            assert title(rig).startswith("─TRIAGE d3833624 DEAF: "), "that is another alarm"

    async def test_it_comes_again_when_the_run_gets_stuck_anew(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.press("escape")
            again = builders.frame("tool_call", "Bash again", tool="Bash", tool_use_id="t2")
            await rig.tell(*builders.stream(again, session_id=OWNER, at=rig.now))
            assert title(rig) == ""
            await rig.passes(130.0)
            await rig.tell(
                builders.listing(
                    builders.session(OWNER, active_runs=1, last_event_seq=9), at=rig.now
                )
            )
            assert title(rig).startswith("─TRIAGE d3833624 STUCK: no progress for 2m10")

    async def test_what_was_left_stays_left_while_nothing_can_be_told(self) -> None:
        async with running(*scenes.stuck(), stuck_after=10.0) as rig:
            await rig.passes(2.0)
            await rig.press("escape")
            for source in (Source.METRICS, Source.SESSIONS):
                await rig.tell(builders.failed(source, scenes.GONE, at=3.0))
            assert "? stale" in rig.pane("runs")
            assert title(rig) == ""
            counted = [
                builders.session(one, active_runs=1, last_event_seq=9) for one in (OWNER, *VICTIMS)
            ]
            await rig.tell(
                builders.listing(*counted, at=4.0), builders.polled(builders.snapshot(), at=4.0)
            )
            assert "STUCK" in rig.pane("runs")
            assert title(rig) == ""

    async def test_it_leaves_by_itself_with_the_alarm(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.tell(*builders.stream(builders.frame("text"), session_id=OWNER, at=2.0))
            assert title(rig) == ""
            assert "GUARDRAILS" in rig.text

    async def test_it_comes_and_goes_with_the_size(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            for size, has_one in ((LARGE, False), (WIDE, False), (SMALL, True), ((160, 24), True)):
                await rig.resize(size)
                assert bool(title(rig)) is has_one, size
                assert len(rig.lines) == size[1]


class TestWhomItIsAbout:
    async def test_it_follows_the_cursor_once_it_was_asked_for(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.press("enter", "j")
            assert title(rig).startswith("─TRIAGE 77aa01bc queued: ")
            assert "cancelling it frees nothing: it waits behind d3833624" in block(rig)

    async def test_an_alarm_does_not_move_the_cursor_and_says_where_that_is(self) -> None:
        async with running(*scenes.stuck()[:7]) as rig:
            await rig.press("j", "j")
            assert rig.board.selected == VICTIMS[1]
            await rig.tell(*scenes.stuck()[7:])
            await rig.passes(2.0)
            assert title(rig).startswith("─TRIAGE d3833624 (the cursor is elsewhere: g) STUCK")
            assert rig.board.selected == VICTIMS[1]
            await rig.press("g")
            assert rig.board.selected == OWNER
            assert "elsewhere" not in title(rig)

    async def test_the_alarm_under_the_cursor_goes_before_another_one(self) -> None:
        async with running(*both_stuck()) as rig:
            await rig.passes(1.0)
            assert title(rig).startswith("─TRIAGE aaaaaaaa STUCK")
            await rig.press("j")
            assert title(rig).startswith("─TRIAGE bbbbbbbb STUCK")

    async def test_a_session_that_left_is_said_to_be_gone(self) -> None:
        lines = triage_lines(View(builders.state(), 0.0), "session_x", 80, 6, selected="session_x")
        text = "".join(text for line in lines for text, _tone in line)
        assert "session_x is not listed any more" in text


class TestEvents:
    async def test_they_are_those_of_the_run_and_s_shows_all(self) -> None:
        said = builders.stream(
            builders.frame("system_event", "of another"), session_id=QUIET, at=1.0
        )
        async with running(*scenes.stuck(), *said) as rig:
            await rig.passes(2.0)
            assert "2 EVENTS d3833624" in rig.title("events")
            assert "of another" not in rig.pane("events")
            await rig.press("s")
            assert "2 EVENTS all sessions" in rig.title("events")
            assert "of another" in rig.pane("events")
            await rig.press("escape")
            assert "2 EVENTS all sessions" in rig.title("events")

    async def test_the_scope_from_before_comes_back(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("s", "1", "enter", "s", "escape")
            assert "2 EVENTS a1b2c3d4" in rig.title("events")

    async def test_who_reads_older_events_is_not_disturbed(self) -> None:
        night = scenes.stuck()
        words = [builders.frame("system_event", f"word {n}") for n in range(50)]
        chatter = builders.stream(*words, session_id=QUIET, at=-300.0)
        async with running(*night[:7], *chatter) as rig:
            await rig.press("2", "k", "k")
            at = rig.cursor_line("events")
            await rig.tell(*night[7:])
            await rig.passes(2.0)
            assert title(rig)
            assert rig.cursor_line("events") == at


class TestEscape:
    async def test_a_filter_is_cleared_first(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.press("slash", *"d38", "enter", "escape")
            assert title(rig)
            assert "77aa01bc" in rig.pane("runs")
            await rig.press("escape")
            assert title(rig) == ""

    async def test_without_a_triage_it_does_nothing(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            before = rig.lines
            await rig.press("escape")
            assert rig.lines == before


class TestKeys:
    async def test_the_last_line_names_those_that_help(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            assert rig.lines[-1].startswith(
                " c cancel  y copy  r record  F force fallback  esc back "
            )

    async def test_y_copies_a_summary_of_the_run_for_others(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.press("y")
            assert "run d3833624 STUCK for 4m02" in rig.app.clipboard
            assert rig.app.clipboard.endswith("restart gateway (kills 3)\n")
            assert "summary of d3833624" in rig.text

    async def test_y_on_a_run_copies_it_without_a_triage_too(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("y")
            assert "run a1b2c3d4 ok" in rig.app.clipboard

    async def test_y_elsewhere_copies_the_line(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.press("3", "y")
            assert rig.app.clipboard == "[20:00:01] TOOL CALL: Bash npm i"

    async def test_while_frozen_others_are_told_what_is_so_now(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await rig.passes(2.0)
            await rig.press("p")
            await rig.passes(60.0)
            await rig.press("y")
            assert "STUCK for 5m02" in rig.app.clipboard

    async def test_enter_without_a_session_says_so(self) -> None:
        async with running() as rig:
            await rig.press("enter")
            assert "no session is selected" in rig.text
            assert title(rig) == ""


class TestNextError:
    LOG = ("one", "ERROR first", "two", "npm ERR! second", "three")

    async def test_it_goes_to_the_newest_then_round_the_log(self) -> None:
        async with running(builders.logged(*self.LOG)) as rig:
            await rig.press("3", "E")
            assert rig.rows("lane-log").cursor_text == "npm ERR! second"
            await rig.press("E")
            assert rig.rows("lane-log").cursor_text == "ERROR first"
            told = [str(one.message) for one in rig.app._notifications]
            assert told == ["error 1 of 2, round from the end"]
            await rig.press("E")
            assert rig.rows("lane-log").cursor_text == "npm ERR! second"
            assert "follow OFF" in rig.title("lane-log")

    async def test_errors_have_a_mark_that_no_copy_has(self) -> None:
        async with running(builders.logged(*self.LOG)) as rig:
            await rig.press("3", "E")
            assert rig.cursor_line("lane-log") == "! npm ERR! second"
            assert {tone for _text, tone in rig.rows("lane-log").paint(1)} == {"bad"}
            await rig.press("y")
            assert rig.app.clipboard == "npm ERR! second"

    async def test_the_last_line_counts_too(self) -> None:
        async with running(builders.logged("ERROR first", "fine", "ERROR last")) as rig:
            await rig.press("3", "E")
            assert rig.rows("lane-log").cursor_text == "ERROR last"

    @pytest.mark.parametrize("lines", [(), ("all is well", "0 errors")])
    async def test_it_says_when_there_is_none(self, lines: tuple[str, ...]) -> None:
        async with running(builders.logged(*lines)) as rig:
            await rig.press("3", "E")
            assert "no error: " in rig.text

    async def test_from_a_delegated_run_it_goes_to_the_lanes_log(self) -> None:
        async with running(*scenes.stuck(), builders.logged(*self.LOG, at=1.0)) as rig:
            await rig.passes(130.0)
            await rig.press("E")
            assert rig.focus == "lane-log"
            assert rig.rows("lane-log").cursor_text == "npm ERR! second"

    async def test_from_another_run_it_goes_to_its_own_log(self) -> None:
        own: list[Event] = [
            builders.linked(session_id=IDLE),
            *builders.stream(builders.processing("say"), session_id=IDLE),
        ]
        async with running(
            builders.healthy(),
            builders.listing(builders.session(IDLE, active_runs=1)),
            *own,
            builders.logged(*self.LOG, log_id=IDLE),
        ) as rig:
            await rig.press("E")
            assert rig.focus == "session-log"
            assert rig.rows("session-log").cursor_text == "npm ERR! second"


class TestGravest:
    async def test_g_selects_the_run_and_looks_at_it(self) -> None:
        async with running(*scenes.stuck(), size=LARGE) as rig:
            await rig.passes(2.0)
            await rig.press("j", "j", "2", "g")
            assert rig.board.selected == OWNER
            assert rig.focus == "runs"
            assert title(rig).startswith("─TRIAGE d3833624 STUCK")

    async def test_g_finds_a_run_that_a_filter_hides(self) -> None:
        async with running(*scenes.stuck(), size=LARGE) as rig:
            await rig.passes(2.0)
            await rig.press("slash", *"9c0d", "enter", "g")
            assert rig.board.selected == OWNER
            assert title(rig).startswith("─TRIAGE d3833624")

    async def test_g_shows_the_links_when_the_gateway_is_lost(self) -> None:
        async with running(*scenes.lost()) as rig:
            await rig.passes(75.0)
            await rig.press("g")
            assert rig.focus == "links"

    async def test_g_explains_what_is_no_run(self) -> None:
        async with running(*scenes.blind()) as rig:
            await rig.passes(2.0)
            await rig.press("g")
            assert isinstance(rig.app.screen, ExplainScreen)

    @pytest.mark.parametrize(
        "events", [[], scenes.refused_ops(dashboard=False), scenes.metrics_down()]
    )
    async def test_g_shows_the_links_where_the_badge_is_not_live_without_an_alarm(
        self, events: list[Event]
    ) -> None:
        async with running(*events) as rig:
            await rig.passes(2.0)
            assert not rig.lines[0].startswith(" LIVE ")
            await rig.press("g")
            assert rig.focus == "links"

    async def test_g_says_when_nothing_is_wrong(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("g")
            assert "no alarm is on" in rig.text
            assert isinstance(rig.app.screen, WatchScreen)

    async def test_g_says_when_the_frozen_picture_does_not_have_it(self) -> None:
        async with running(size=LARGE) as rig:
            await rig.press("p")
            await rig.tell(*scenes.stuck())
            await rig.passes(2.0)
            await rig.press("g")
            assert "stuck run d3833624 is not in this picture" in rig.text


class TestCancel:
    async def test_its_steps_are_in_a_line_where_few_fit(self) -> None:
        async with running(*scenes.deaf()) as rig:
            await rig.passes(8.0)
            assert ("cancel 02:00:01 ✓answered ✓runs 0 ·sequence still ·later turn") in block(rig)
            assert "ladder: 2nd cancel useless -> X restart gateway (kills 3)" in block(rig)

    async def test_its_steps_have_their_times_where_there_is_room(self) -> None:
        async with running(*scenes.deaf(), size=LARGE) as rig:
            await rig.passes(8.0)
            await rig.press("enter")
            text = block(rig)
            assert "cancel counter cleared, task unconfirmed" in text
            assert "✓ requested 02:00:01 by ana@laptop: stuck" in text
            assert "· a later turn completes" in text


@pytest.mark.parametrize("width", [1, 20, 40, 80, 118, 200])
@pytest.mark.parametrize("lines", [3, 10, 24, 30, 45, 200])
def test_no_line_is_wider_than_the_terminal_nor_are_there_too_many(width: int, lines: int) -> None:
    hostile = builders.stream(
        builders.processing("[/x]\u202e " + "漢" * 500), session_id=OWNER, at=-1.0
    )
    for events in (scenes.stuck(), scenes.deaf(), [*scenes.stuck(), *hostile], scenes.lost()):
        now = builders.state(*events)
        for session_id in (OWNER, VICTIMS[0], scenes.BUSY):
            room = triage_height(lines)
            drawn = triage_lines(View(now, 8.0), session_id, width, room, selected=None)
            assert len(drawn) <= room + 1
            assert max(map(width_of, drawn)) <= max(width, 12), (events is scenes.deaf(), drawn)


async def test_figures_that_are_old_say_so_in_two_lines() -> None:
    async with running(*scenes.stuck()) as rig:
        await rig.passes(2.0)
        await rig.tell(builders.failed(Source.METRICS, scenes.BROKEN, at=3.0))
        assert rig.lines[4].startswith("fallback window 0/9  ✗ down, ")


async def test_without_figures_the_reason_stands_in_their_place() -> None:
    async with running(*both_stuck(), builders.failed(Source.METRICS, builders.REFUSED)) as rig:
        await rig.passes(1.0)
        assert rig.lines[4].startswith("fallback no data: unauthorized")
        assert rig.lines[5].startswith("401 from the ops plane")
