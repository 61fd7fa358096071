"""The keys: where they lead, what they ask for, and when they keep still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from tests.support import scenes
from tests.support.builders import frame, listing, logged, polled, session, snapshot, state, stream
from tests.support.rig import LARGE, SMALL, WIDE, running
from textual.widgets import Input

from vp_tui.ui.actions import footer_line
from vp_tui.ui.app import VpTuiApp
from vp_tui.ui.kit.overlays import STAYS
from vp_tui.ui.lines.paint import width_of
from vp_tui.ui.screens.texts import HelpScreen, help_lines
from vp_tui.ui.watch.handlers import HANDLERS
from vp_tui.ui.watch.screen import WatchScreen
from vp_tui.views.actions import ACTIONS, AtHand

if TYPE_CHECKING:
    from tests.support.rig import Rig

    from vp_tui.domain.models import StreamEvent
    from vp_tui.views.actions import Action

A = "session_20261122_190000_aaaaaaaa"
B = "session_20261122_190000_bbbbbbbb"


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_has_a_method(action: Action) -> None:
    namespace, _, name = action.call.partition("(")[0].rpartition(".")
    owner = VpTuiApp if namespace == "app" else WatchScreen
    assert callable(getattr(owner, f"action_{name}"))


def test_what_keys_do_beyond_the_first_frame_is_there_under_their_actions_name() -> None:
    done = {action.id: action.call for action in ACTIONS if action.call.startswith("do(")}
    assert done == {action_id: f"do('{action_id}')" for action_id in done}
    assert HANDLERS.keys() - done.keys() == {"find", "copy"}, "these other screens have too"
    assert not done.keys() - HANDLERS.keys()


async def test_digits_lead_to_the_panes() -> None:
    async with running(*scenes.ordinary()) as rig:
        assert rig.focus == "runs"
        for key, name, other in (
            ("2", "events", "links"),
            ("3", "lane-log", "events"),
            ("4", "session-log", "lane-log"),
            ("5", "links", "session-log"),
            ("1", "runs", "events"),
        ):
            await rig.press(key)
            assert rig.focus == name
            assert rig.title(name).startswith(f"▸{key} ")
            assert name == "runs" or not rig.rows(other).is_on_screen


async def test_tab_goes_round_the_panes_in_view() -> None:
    async with running(*scenes.ordinary()) as rig:
        visited = []
        for _ in range(3):
            await rig.press("tab")
            visited.append(rig.focus)
        assert visited == ["events", "runs", "events"]
        await rig.resize(LARGE)
        await rig.press("tab")
        assert rig.focus == "lane-log"


async def test_a_wide_screen_has_the_events_and_a_pane_beside_them() -> None:
    async with running(*scenes.ordinary(), size=WIDE) as rig:
        assert rig.board.shown == ["runs", "events", "lane-log"]
        await rig.press("5")
        assert rig.board.shown == ["runs", "events", "links"]
        await rig.press("2")
        assert rig.board.shown == ["runs", "events", "links"]
        await rig.resize(SMALL)
        assert rig.board.shown == ["runs", "events"]


@pytest.mark.parametrize(("down", "up"), [("j", "k"), ("down", "up"), ("pagedown", "pageup")])
async def test_letters_and_arrows_move_the_cursor(down: str, up: str) -> None:
    async with running(listing(session(A), session(B))) as rig:
        await rig.press(down)
        assert rig.board.selected == B
        await rig.press(down)
        assert rig.board.selected == B
        await rig.press(up)
        assert rig.board.selected == A


async def test_home_and_end_reach_the_ends() -> None:
    async with running(*stream(*(frame("text", f"word {n}") for n in range(100)))) as rig:
        await rig.press("2", "home")
        assert rig.cursor_line("events").endswith("word 0")
        await rig.press("end")
        assert rig.cursor_line("events").endswith("word 99")


async def test_freezing_holds_the_picture_while_the_store_runs_on() -> None:
    async with running(*scenes.ordinary(), size=LARGE) as rig:
        await rig.passes(2.0)
        await rig.press("p")
        assert rig.lines[0].startswith(" FROZEN 0s ")
        before = rig.lines
        await rig.tell(*stream(frame("text", "meanwhile"), at=3.0), *scenes.blind())
        await rig.passes(8.0)
        assert rig.lines[0].startswith(" FROZEN 8s ")
        assert rig.lines[1] == before[1]
        assert rig.lines[2].startswith("! SAFETY outcomes unknown"), (
            "what is dangerous is told all the same"
        )
        assert rig.lines[4:15] == before[4:15]
        assert rig.lines[-2].startswith("! alarm outcomes unknown"), "so is what rang"
        assert "meanwhile" in {entry.text for entry in rig.store.state.entries}
        await rig.press("p")
        assert "FROZEN" not in rig.text
        assert "meanwhile" in rig.text
        assert "BLIND" in rig.header


async def test_a_frozen_screen_can_still_be_read() -> None:
    async with running(listing(session(A), session(B)), *scenes.ordinary()[3:9]) as rig:
        await rig.press("p", "3", "2", "k")
        assert "FROZEN" in rig.lines[0]
        assert "follow OFF" in rig.title("events")


def _told(rig: Rig) -> str:
    return " ".join(toast.message for toast in rig.app._notifications)


async def test_the_poll_rate_goes_step_by_step_and_says_what_it_is() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("minus")
        assert rig.asked[-1] == ("set_poll_factor", 2.0)
        assert "metrics every 4 s" in rig.text
        await rig.press("minus")
        assert rig.asked[-1] == ("set_poll_factor", 5.0)
        assert "slower it does not poll" in _told(rig)
        await rig.press("minus")
        assert "already as slow as it polls: metrics every 10 s" in _told(rig)
        await rig.press("plus", "equals_sign", "plus")
        assert rig.asked[-1] == ("set_poll_factor", 0.5)
        assert "faster it does not poll" in _told(rig)
        await rig.press("plus")
        assert "already as fast as it polls: metrics every 1 s" in _told(rig)
        assert rig.store.state.poll_factor == 0.5


async def test_the_tokens_are_read_again() -> None:
    async with running(*scenes.refused_ops(dashboard=False)) as rig:
        await rig.press("A")
        assert rig.asked[-1] == ("read_tokens",)
        assert "reading the tokens again" in rig.text


async def test_letters_go_into_the_filter_and_do_nothing_else() -> None:
    async with running(*scenes.ordinary()) as rig:
        asked = list(rig.asked)
        await rig.press("2", "slash", *"pqsA1+?jkGny")
        assert rig.app.query_one(Input).value == "pqsA1+?jkGny"
        assert rig.asked == asked
        assert "FROZEN" not in rig.text
        assert rig.app.is_running
        assert len(rig.app.screen_stack) == 1


async def test_the_filter_bar_leaves_with_the_focus_and_can_be_opened_again() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("2", "slash", *"bash", "tab")
        assert not rig.app.query(Input)
        assert rig.focus in {"events", "runs"}
        assert "/bash/" in rig.title("events")
        await rig.press("2", "slash", *" p", "enter")
        assert "/bash p/" in rig.title("events")


async def test_the_filter_bar_covers_the_footer_only_while_it_is_open() -> None:
    async with running(*scenes.ordinary()) as rig:
        assert "q quit" in rig.lines[-1]
        await rig.press("2", "slash")
        assert rig.lines[-1].startswith(" filter events (enter keeps, esc ends):")
        await rig.press("enter")
        assert "q quit" in rig.lines[-1]
        await rig.press("3", "slash")
        assert rig.lines[-1].startswith(" search lane-log (enter keeps, esc ends):")
        await rig.press("escape")
        assert rig.focus == "lane-log"


async def test_copying_takes_the_whole_line_under_the_cursor() -> None:
    line = "x" * 200
    async with running(polled(snapshot()), logged(line)) as rig:
        await rig.press("3", "y")
        assert rig.app.clipboard == line
        assert "sent to the terminal's clipboard" in rig.text


async def test_an_empty_list_has_nothing_to_copy() -> None:
    async with running() as rig:
        await rig.press("2", "y")
        assert rig.app.clipboard == ""
        assert "clipboard" not in rig.text


async def test_the_help_lists_every_action_within_80_columns() -> None:
    for action in ACTIONS:
        lines = ["".join(text for text, _ in line) for line in help_lines(state().watch)]
        assert any(action.shown_key in line and action.help in line for line in lines), action.id
    async with running() as rig:
        await rig.press("question_mark")
        seen = rig.lines
        for key in ("pagedown", "pagedown", "pagedown", "j", "k"):
            await rig.press(key)
            seen += rig.lines
        assert max(map(len, seen)) <= SMALL[0]
        text = "\n".join(seen)
        for action in ACTIONS:
            assert action.help in text, action.id
        await rig.press("escape")
        assert not isinstance(rig.app.screen, HelpScreen)


@pytest.mark.parametrize("key", ["escape", "q", "question_mark", "f1", "enter"])
async def test_the_help_closes_and_nothing_else_does(key: str) -> None:
    async with running() as rig:
        await rig.press("question_mark")
        assert isinstance(rig.app.screen, HelpScreen)
        await rig.press("p", "plus")
        assert rig.asked == []
        await rig.press(key)
        assert isinstance(rig.app.screen, WatchScreen)
        assert rig.app.is_running


async def test_the_palette_runs_an_action() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("ctrl+p")
        await rig.press(*"freeze")
        await rig.until(lambda: "Hold the picture still" in rig.text)
        await rig.press("enter")
        await rig.until(lambda: "FROZEN" in rig.header)


async def test_quitting_ends_the_app() -> None:
    async with running() as rig:
        await rig.press("q")
        assert not rig.app.is_running
        assert rig.app.return_code == 0


@pytest.mark.parametrize("width", [20, 40, 60, 80, 160])
def test_the_footer_shows_whole_keys_and_always_the_way_out(width: int) -> None:
    line = footer_line(state().watch, width, AtHand())
    text = "".join(part for part, _tone in line)
    assert width_of(line) <= width
    assert text.endswith(" ? help  q quit " if width >= 60 else " ?  q ")


NOW: Final = {
    "triage": (
        AtHand(is_triage=True, is_alarm=True),
        " c cancel  y copy  r record  F force fallback  esc back ",
    ),
    "a run's alarm": (AtHand(is_alarm=True), " g alarm  enter triage  r record  c cancel "),
    "a token refused": (AtHand(is_refused=True, is_alarm=True), " A read tokens  g alarm "),
    "a trip": (AtHand(is_tripped=True, is_alarm=True), " F force fallback  g alarm  enter triage "),
    "frozen": (AtHand(is_frozen=True, is_refused=True), " p thaw  A read tokens "),
    "events left": (AtHand("events", missed=1234), " End +1,234 lines  r record "),
    "one line missed": (AtHand("events", missed=1), " End +1 line  r record "),
    "nothing missed": (AtHand("events", missed=0), " End newest  r record "),
    "log": (AtHand("lane-log"), " / search  E error  r record "),
    "search": (AtHand("lane-log", found="x"), " n next  N previous  esc end search  / search "),
    "filter": (AtHand(found="x"), " esc all rows  r record "),
}
"""What the keys would act on, and how the last line begins then."""


@pytest.mark.parametrize("name", NOW)
def test_the_last_line_names_the_gravest_key_that_works_now_first(name: str) -> None:
    hands, begins = NOW[name]
    line = footer_line(state().watch, SMALL[0], hands)
    assert "".join(part for part, _tone in line).startswith(begins)


def test_what_would_hit_nothing_is_not_in_the_last_line() -> None:
    line = footer_line(state().watch, 160, AtHand(can_cancel=False))
    assert "cancel" not in "".join(part for part, _tone in line)


def test_at_50_columns_the_gravest_keys_stay() -> None:
    hands = AtHand(is_tripped=True, is_refused=True, is_alarm=True)
    text = "".join(part for part, _tone in footer_line(state().watch, 50, hands))
    assert text.startswith(" A read tokens  F force fallback  g alarm ")
    assert text.endswith(" ?  q ")


async def test_the_last_line_follows_freeze_and_follow_mode() -> None:
    async with running(*stream(*(frame("text", f"word {n}") for n in range(100)))) as rig:
        await rig.press("2", "home")
        assert rig.lines[-1].startswith(" End newest ")
        await rig.tell(*stream(*(frame("text", f"more {n}") for n in range(7)), at=3.0))
        assert rig.lines[-1].startswith(" End +7 lines ")
        await rig.press("end")
        assert not rig.lines[-1].startswith(" End ")
        await rig.press("p")
        assert rig.lines[-1].startswith(" p thaw ")
        await rig.press("p")
        assert "thaw" not in rig.lines[-1]


async def test_a_toast_replaces_the_one_before_and_is_brief() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("minus", "a")
        (toast,) = rig.app._notifications
        assert toast.message == "no alarm is unseen"
        assert toast.timeout <= 3.0
        rig.app.notify("grave", severity="error", timeout=20.0)
        await rig.settle()
        (toast,) = rig.app._notifications
        assert (toast.message, toast.timeout) == ("grave", 3.0)
        assert rig.lines[-1].startswith(" grave "), "it can be read for longer where nothing is"
        rig.app.notify("not written", severity="error", timeout=STAYS)
        rig.board.footer._forget()
        assert rig.lines[-1].startswith(" [esc] not written "), "news are told over it, and end"
        await rig.press("enter")
        assert "TRIAGE" in rig.text
        await rig.press("escape")
        assert "not written" not in rig.lines[-1]
        assert "TRIAGE" in rig.text, "one thing at a time"


async def test_no_toast_covers_a_frozen_picture() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("minus", "p")
        assert not rig.app._notifications
        for severity in ("information", "error"):
            rig.app.notify(f"an {severity}", title="told", severity=severity)
            await rig.settle()
            assert not rig.app._notifications
            assert rig.lines[-1].startswith(f" told: an {severity} ")
            assert rig.lines[-1].endswith(" ? help  q quit")


async def test_resizing_while_data_flows_keeps_everything_in_its_place() -> None:
    def talk(first: int) -> list[StreamEvent]:
        return stream(*(frame("text", f"word {n}") for n in range(first, first + 10)))

    async with running(*scenes.ordinary()) as rig:
        for turn, size in enumerate((LARGE, SMALL, WIDE, (80, 45), (160, 24), SMALL, LARGE)):
            await rig.tell(*talk(10 * turn))
            await rig.resize(size)
            await rig.tell(*talk(10 * turn + 5))
            assert len(rig.lines) == size[1]
            assert rig.lines[0].startswith(" LIVE ")
            assert "q quit" in rig.lines[-1]
            assert f"word {10 * turn + 14}" in rig.content("events")[-1]
            assert rig.board.selected == scenes.BUSY
            assert rig.cursor_line("runs").startswith(">● ok")


async def test_a_tiny_terminal_does_not_end_it() -> None:
    async with running(*scenes.ordinary()) as rig:
        for size in ((1, 1), (10, 3), (30, 8), SMALL):
            await rig.resize(size)
            await rig.tell(*scenes.ordinary())
        assert "LIVE" in rig.header
