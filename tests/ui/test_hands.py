"""Keys that act: not by a typed word, a paste or a held key; soon when they are meant.

Keys are pressed with the moments at which they were read: no test waits for a clock.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import chain, cycle
from typing import TYPE_CHECKING, Final

import pytest
from tests.support import evidence, recording, scenes
from tests.support.builders import NOW, polled
from tests.support.keyboard import StampedKeyboard
from tests.support.rig import running
from tests.support.words import PACES_S, WORDS
from textual.events import Key, Paste
from textual.widgets import Input

from vp_tui.domain.orders import ActionRecord, AuditOnce, RingAlarms
from vp_tui.ui.dialogs.window import WorkDialog
from vp_tui.ui.kit.dialog import Dialog
from vp_tui.ui.kit.forms import Buttons
from vp_tui.views.actions import ACTING, action_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.rig import Rig

    from vp_tui.worker.evidence import EvidenceFiles

_NO_DEEDS: Final = {tuple, ActionRecord, AuditOnce, RingAlarms}
"""What is asked of the feeds besides orders: to show a log, to keep an audit line, to ring."""
DIALOGS: Final = (
    "cancel", "cancel-all", "brake", "release", "shadow-on", "lane-off", "probe", "restart",
    "record", "waiting", "window", "waive",
)  # fmt: skip
"""What opens them, by the table of actions."""
_NAMES: Final = {
    " ": "space", "-": "minus", ".": "full_stop", "/": "slash", "=": "equals_sign",
}  # fmt: skip


class Typist:
    """Presses keys at a pace."""

    def __init__(self, rig: Rig, hands: StampedKeyboard) -> None:
        self.rig, self.keyboard = rig, hands

    async def press(self, key: str, after_s: float = 2.0) -> None:
        await self.keyboard.passes(after_s)
        await self.rig.press(key)

    async def types(self, text: str, pace_s: float) -> None:
        for sign in text:
            await self.press(_NAMES.get(sign, sign), pace_s)
        await self.press("enter", pace_s)
        await self.keyboard.passes(5.0)
        await self.rig.settle()

    async def back(self) -> None:
        """Go back to the watch screen, as it was."""
        while len(self.rig.app.screen_stack) > 1:
            self.rig.app.pop_screen()
        self.rig.board.frozen = None
        await self.rig.settle()

    @property
    def is_working(self) -> bool:
        return isinstance(self.dialog, WorkDialog) and self.dialog.is_working

    @property
    def dialog(self) -> Dialog[object] | None:
        screen = self.rig.app.screen
        return screen if isinstance(screen, Dialog) else None


@asynccontextmanager
async def keyboard(files: EvidenceFiles) -> AsyncIterator[Typist]:
    async with recording.at_work(files, *scenes.ordinary()) as rig:
        rig.app.keyboard = hands = StampedKeyboard()
        yield Typist(rig, hands)


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return evidence.golden_files(tmp_path)


def deeds(rig: Rig, files: EvidenceFiles) -> list[object]:
    """Return what was ordered, written or said in the engineer's name."""
    orders = [order for order in rig.asked if type(order) not in _NO_DEEDS]
    seen = [alarm for alarm in rig.store.state.alarms if alarm.acknowledged]
    return [*orders, *seen, *evidence.rows_in(files)[16:]]


class TestTyped:
    """Each word at every pace, into every dialog and in a real terminal: the soak `typed`."""

    @pytest.mark.parametrize("paces_s", [PACES_S[:2], PACES_S[2:]], ids=["fast", "slow"])
    async def test_no_word_of_every_day_does_anything(
        self, files: EvidenceFiles, paces_s: tuple[float, ...]
    ) -> None:
        async with keyboard(files) as hands:
            for word, pace_s in zip(WORDS, cycle(paces_s), strict=False):
                await hands.types(word, pace_s)
                assert hands.rig.app.is_running
                assert not deeds(hands.rig, files), word
                await hands.back()

    @pytest.mark.parametrize("pace_s", PACES_S)
    async def test_nor_into_a_dialog(self, files: EvidenceFiles, pace_s: float) -> None:
        async with keyboard(files) as hands:
            await hands.press("w")
            await hands.press("enter")
            await hands.rig.until(lambda: hands.dialog is None)
            opened = hands.rig.store.state.window
            assert opened is not None
            words = cycle(("clear", "Fail", "git status", "exit", "Restart"))
            for opens, word in zip(DIALOGS, words, strict=False):
                hands.rig.watch.action_do(opens)
                await hands.rig.settle()
                await hands.types(word, pace_s)
                await hands.rig.until(lambda: not hands.is_working)
                assert not deeds(hands.rig, files), (opens, word)
                assert hands.rig.store.state.window == opened, (opens, word)
                await hands.back()

    async def test_it_is_told_once(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            for sign in "jkjcFX":
                await hands.press(sign, 0.03)
            assert recording.toasts(hands.rig) == [": typing or a paste: acting keys rest"]
            await hands.press("F", 0.9)
            assert hands.dialog is None
            await hands.press("F", 1.1)
            assert hands.dialog is not None

    async def test_keys_that_look_stay_quick(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            for sign in "3Ey":
                await hands.press(sign, 0.03)
            assert hands.rig.board.focused_name == "lane-log"


class TestPasted:
    async def test_in_brackets_it_is_no_key(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            hands.rig.app.post_message(Paste("R\nc\nF\x1b[A\n"))
            await hands.rig.settle()
            await hands.keyboard.passes(5.0)
            assert hands.dialog is None
            assert not deeds(hands.rig, files)

    @pytest.mark.parametrize(
        "pasted", ["R\r", "c\x1b[C\r", "F\r\r", "a\n", "q\r", "R\x1b\rR\r", "rR\r3\r"]
    )
    async def test_without_them_neither(self, files: EvidenceFiles, pasted: str) -> None:
        names = {"\r": "enter", "\n": "ctrl+j", "\x1b": "escape", "[": "left_square_bracket"}
        async with keyboard(files) as hands:
            await hands.keyboard.passes(2.0)
            for sign in pasted:
                await hands.press(names.get(sign, sign), 0.0)
            await hands.keyboard.passes(5.0)
            await hands.rig.settle()
            assert hands.rig.app.is_running
            assert not deeds(hands.rig, files)


class TestSplit:
    @pytest.mark.parametrize("first", ["left_square_bracket", "O"])
    @pytest.mark.parametrize(("letter", "moves"), [("A", -1), ("B", 1)])
    async def test_an_arrow_that_was_torn_is_one_key(
        self, files: EvidenceFiles, first: str, letter: str, moves: int
    ) -> None:
        async with keyboard(files) as hands:
            await hands.press("down")
            before = hands.rig.board.runs.list.cursor
            await hands.press("escape")
            await hands.press(first, 0.2)
            await hands.press(letter, 0.2)
            after = hands.rig.board.runs.list.cursor
            assert after == max(min(before + moves, 1), 0)
            assert ("read_tokens",) not in hands.rig.asked

    async def test_later_it_is_a_letter(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("escape")
            await hands.press("A", 0.6)
            assert ("read_tokens",) in hands.rig.asked


class TestHeld:
    async def test_a_row_waits_whether_another_key_comes(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("R")
            await hands.keyboard.passes(0.5)
            assert not deeds(hands.rig, files)
            (told,) = recording.toasts(hands.rig)
            assert "GO_BROADER_TRAFFIC_ACTIVE in a moment: esc stops it" in told
            await hands.keyboard.passes(0.2)
            await recording.written(hands.rig, files)

    @pytest.mark.parametrize("key", ["escape", "R", "enter", "j"])
    async def test_any_key_stops_it(self, files: EvidenceFiles, key: str) -> None:
        async with keyboard(files) as hands:
            await hands.press("R")
            await hands.press(key, 0.4)
            await hands.keyboard.passes(0.3)
            await hands.rig.settle()
            assert not deeds(hands.rig, files)
            assert any("stopped by another key" in told for told in recording.toasts(hands.rig))

    async def test_a_held_key_writes_nothing(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            for pace_s in chain([2.0, 0.5], [0.03] * 60):
                await hands.press("R", pace_s)
            await hands.keyboard.passes(5.0)
            assert not deeds(hands.rig, files)

    async def test_a_word_that_has_just_changed_is_asked_for(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            rig, before = hands.rig, hands.rig.store.state.snapshot
            assert before is not None
            fallen = [mission._replace(fallback_seen=True) for mission in before.missions[1:4]]
            changed = before._replace(missions=(before.missions[0], *fallen, *before.missions[4:]))
            rig.now = 4.0
            await rig.tell(polled(changed._replace(generated_at=NOW + timedelta(seconds=4)), 4.0))
            rig.now = 5.0
            await hands.press("R")
            await hands.keyboard.passes(1.0)
            await rig.until(lambda: recording.is_open(rig))
            assert not deeds(rig, files)

    async def test_an_alarm_is_acknowledged_when_it_was_meant(self, files: EvidenceFiles) -> None:
        async with running(*scenes.stuck()) as rig:
            rig.app.keyboard = hands = StampedKeyboard()
            await rig.tell()
            await Typist(rig, hands).press("a")
            assert not any(alarm.acknowledged for alarm in rig.store.state.alarms)
            await hands.passes(1.0)
            assert rig.store.state.alarms
            assert all(alarm.acknowledged for alarm in rig.store.state.alarms)


class TestDialogs:
    async def test_enter_is_taken_once_it_could_be_read(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("c")
            await hands.press("right", 0.2)
            await hands.press("enter", 0.5)
            assert not deeds(hands.rig, files)
            assert "press enter again" in hands.rig.text
            await hands.press("enter", 0.4)
            assert len(deeds(hands.rig, files)) == 1

    async def test_not_right_behind_a_letter(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("r")
            await hands.press("3", 1.5)
            await hands.press("enter", 0.2)
            assert "press enter again" in hands.rig.text
            await hands.press("enter", 0.2)
            assert (await recording.written(hands.rig, files)).decision == "HOLD_SHADOW"

    async def test_a_letter_without_a_meaning_closes_it(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("r")
            await hands.press("tab")
            for sign in "busy":
                await hands.press(sign)
            await recording.focus(hands.rig, "decision")
            await hands.press("x")
            assert hands.dialog is None
            (told,) = recording.toasts(hands.rig)
            assert told.endswith("nothing was done; what was typed is kept")
            await hands.press("r")
            dialog = recording.dialog(hands.rig)
            assert "busy" in {field.value for field in dialog.query(Input)}

    async def test_several_letters_close_it_once(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("c")
            assert hands.dialog is not None
            for letter in "xyz":  # the screen is busy: all are read before the first is done
                hands.dialog.post_message(Key(letter, letter))
            await hands.rig.settle()
            assert hands.dialog is None
            assert hands.rig.app.crash is None

    async def test_several_answers_close_it_once(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("c")
            assert hands.dialog is not None
            buttons = hands.dialog.query_one(Buttons)
            for _ in range(3):
                buttons.action_press()
            await hands.rig.settle()
            assert hands.dialog is None
            assert hands.rig.app.crash is None

    @pytest.mark.parametrize("letter", ["l", "h", "j", "k", "space"])
    async def test_letters_neither_choose_nor_press(
        self, files: EvidenceFiles, letter: str
    ) -> None:
        async with keyboard(files) as hands:
            await hands.press("c")
            await hands.press(letter)
            assert hands.dialog is None
            assert not deeds(hands.rig, files)

    async def test_nobody_there_for_a_minute(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            await hands.press("F")
            dialog = hands.dialog
            assert dialog is not None
            hands.keyboard.at += 59.0
            dialog._close_if_left()
            assert hands.dialog is dialog
            hands.keyboard.at += 1.0
            dialog._close_if_left()
            await hands.rig.settle()
            assert hands.dialog is None
            assert "no key came for a minute" in hands.rig.text

    async def test_deliberate_orders_take_few_keys(self, files: EvidenceFiles) -> None:
        async with keyboard(files) as hands:
            for key in ("c", "right", "enter"):
                await hands.press(key, 0.6)
            assert len(deeds(hands.rig, files)) == 1


def test_each_acting_key_is_one_of_the_table() -> None:
    assert all(action_named(name) for name in ACTING)
