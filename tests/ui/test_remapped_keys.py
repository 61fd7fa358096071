"""Every action on another key: that one does it, the old one nothing, and every text names it."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support import scenes
from tests.support.builders import NOW, frame, listing, polled, session, snapshot, state, stream
from tests.support.evidence import golden_files, read
from tests.support.keys import OTHER, OTHER_WATCH, table_keys_in, with_other_keys
from tests.support.rig import LARGE, SMALL, WIDE, Rig, running
from tests.support.rollout import golden_rows

from vp_tui.domain.events import AuditRead, EvidenceRead
from vp_tui.domain.orders import ActionRecord
from vp_tui.domain.rollout.evidence_row import format_row
from vp_tui.ui.actions import HELD
from vp_tui.ui.dialogs.follow import FollowDialog
from vp_tui.ui.lines.explain import explanation
from vp_tui.ui.screens.audit import AuditScreen
from vp_tui.ui.screens.evidence import EvidenceScreen
from vp_tui.ui.screens.texts import ExplainScreen, HelpScreen, help_lines
from vp_tui.ui.watch.screen import WatchScreen
from vp_tui.views.actions import ACTING, ACTIONS, action_named, key_of
from vp_tui.views.view import View

if TYPE_CHECKING:
    from pathlib import Path

    from vp_tui.domain.events import Event

GOLDEN: Final = EvidenceRead(0.0, tuple(golden_rows()), frozenset())
A: Final = "session_20261122_190000_aaaaaaaa"
B: Final = "session_20261122_190000_bbbbbbbb"
SIZES: Final = (SMALL, WIDE, LARGE)
NIGHTS: Final[dict[str, list[Event]]] = {
    "ordinary": scenes.ordinary(),
    "stuck": scenes.stuck(),
    "deaf": scenes.deaf(),
    "blind": scenes.blind(),
    "lost": scenes.lost(),
    "refused": scenes.refused_ops(dashboard=False),
    "tripped": [*scenes.ordinary_with_fallbacks(3), GOLDEN],
}
DONE: Final = ActionRecord(NOW, "ana@laptop", "cancel", A, "", (), "answered")
FIXED: Final = {"ctrl+c", "escape"}
"""Keys that Textual, or what stops a countdown, answers to whatever the table says."""


def named(action_id: str) -> str:
    return key_of(OTHER_WATCH, action_id)


def old_keys_in(text: str) -> list[str]:
    """Return where a screen names a key of the table, also beside the label of its action."""
    others = [action for action in ACTIONS if action.id != "back"]  # esc leaves every other screen
    labels = [f" {action.short_key} {action.label} " for action in others]
    return [*table_keys_in(text), *(label for label in labels if label in f"{text} ")]


async def do(rig: Rig, *action_ids: str) -> None:
    await rig.press(*(OTHER[action_id] for action_id in action_ids))


@pytest.mark.parametrize(("night", "size"), [*zip(NIGHTS, cycle(SIZES), strict=False)])
async def test_no_screen_names_an_old_key(night: str, size: tuple[int, int]) -> None:
    """The watch screen of each night at every size, what lies over it at one of them."""
    async with running(*NIGHTS[night], keys=OTHER) as rig:
        await rig.passes(8.0)
        seen = ""
        for other in (*(other for other in SIZES if other != size), size):
            await rig.resize(other)
            seen += rig.text
        for pane in ("events", "lane-log", "session-log", "links", "runs", "triage"):
            await do(rig, pane)
            seen += rig.text
        for screen in ("explain", "evidence", "audit", "help"):
            await do(rig, screen)
            seen += rig.text
            await rig.press("escape")
            assert isinstance(rig.app.screen, WatchScreen)
    assert old_keys_in(seen) == []
    assert f" {named('help')} help  {named('quit')} quit" in seen
    assert f"{named('runs')} RUNS" in seen
    assert f"{named('back')} back" in seen or night == "refused", "there is no run to look at"


async def test_the_old_keys_do_nothing() -> None:
    async with running(*scenes.stuck(), keys=OTHER) as rig:
        before, asked = rig.text, list(rig.asked)
        for action in ACTIONS:
            await rig.press(*(key for key in action.keys if key not in FIXED))
            assert (rig.text, len(rig.app.screen_stack)) == (before, 1), action.id
        assert rig.asked == asked


@pytest.mark.parametrize("read_only", [False, True])
async def test_the_new_keys_do_what_the_table_says(*, read_only: bool) -> None:
    async with running(*scenes.ordinary(), keys=OTHER, read_only=read_only) as rig:
        bound = {key: found.binding.action for key, found in rig.watch.active_bindings.items()}
        for action in ACTIONS:
            is_refused = action.danger and read_only
            does = f"why_not('{action.id}')" if is_refused else action.call
            if action.id in ACTING | HELD and not is_refused:
                does = f"press('{action.id}')"
            assert bound[OTHER[action.id]].endswith(does.removeprefix("app.")), action.id
        old = {key for action in ACTIONS for key in action.keys}
        assert old & bound.keys() <= FIXED


async def test_a_few_of_them() -> None:
    async with running(*scenes.stuck(), keys=OTHER) as rig:
        await do(rig, "freeze")
        assert "FROZEN" in rig.header
        await do(rig, "freeze", "cancel")
        assert isinstance(rig.app.screen, FollowDialog)
        await rig.press("escape")
        await do(rig, "palette")
        await rig.press(*"re-read")
        await rig.until(lambda: f"read tokens ({named('read-tokens')})" in rig.text)
        await rig.press("escape")
        await do(rig, "quit")
        assert not rig.app.is_running


@pytest.mark.parametrize(
    ("action_id", "screen"),
    [
        ("help", HelpScreen),
        ("explain", ExplainScreen),
        ("evidence", EvidenceScreen),
        ("audit", AuditScreen),
    ],
)
async def test_the_key_that_opens_a_screen_closes_it(action_id: str, screen: type[object]) -> None:
    async with running(*scenes.ordinary(), GOLDEN, keys=OTHER, evidence="log.md") as rig:
        await do(rig, action_id)
        assert isinstance(rig.app.screen, screen)
        await rig.press(action_named(action_id).keys[0])
        assert isinstance(rig.app.screen, screen)
        await do(rig, action_id)
        assert isinstance(rig.app.screen, WatchScreen)


async def test_a_key_that_is_taken_away_does_nothing() -> None:
    async with running(*scenes.ordinary(), keys={"freeze": "", "window": "p"}) as rig:
        await rig.press("p")
        assert len(rig.app.screen_stack) > 1
        assert "FROZEN" not in rig.header


def test_the_help_names_every_new_key() -> None:
    told = ["".join(text for text, _tone in line) for line in help_lines(OTHER_WATCH)]
    for action in ACTIONS:
        (line,) = [line for line in told if line.endswith(action.help)]
        assert line[2:9] == f"{named(action.id):7}"


@pytest.mark.parametrize("night", NIGHTS)
def test_the_explanation_names_the_new_keys(night: str) -> None:
    def told(**watch: Any) -> str:  # noqa: ANN401 - fields of Watch
        lines = explanation(View(state(*NIGHTS[night], **watch), 8.0), 150)
        words = " ".join("".join(text for text, _tone in line) for line in lines)
        return " ".join(words.split())

    by_table, by_watch = told(), told(keys=OTHER)
    assert by_watch.split() == with_other_keys(by_table).split()


async def test_alarms_say_how_to_see_them() -> None:
    async with running(*scenes.stuck(), keys=OTHER) as rig:
        await rig.passes(1.0)
        assert f"seen by nobody: [{named('acknowledge')}]" in rig.text
        assert f"-> [{named('cancel')}] cancel it, watch" in rig.text
        assert f"ladder: {named('cancel')} cancel, 5 s" in rig.text


async def test_lists_say_what_shows_all_and_the_newest() -> None:
    words = stream(*(frame("text", f"word {n}") for n in range(50)))
    rows: list[Event] = [listing(session(A), session(B)), polled(snapshot()), *words]
    async with running(*rows, keys=OTHER) as rig:
        for pane, what in (("runs", "session"), ("events", "event")):
            await do(rig, pane, "find")
            await rig.press(*"zzz", "enter")
            assert f"no {what} matches /zzz/: {named('back')} shows all" in rig.text
            await do(rig, "back")
        await do(rig, "top")
        assert f"follow OFF, {named('follow')}" in rig.title("events")
        await do(rig, "session-log")
        assert f"writes to the lane's log ({named('lane-log')})" in rig.text or "asking" in rig.text


async def test_the_screens_over_it_name_and_take_the_same_keys() -> None:
    async with running(
        *scenes.ordinary(), GOLDEN, AuditRead(0.0, (DONE,)), keys=OTHER, evidence="log.md"
    ) as rig:
        await do(rig, "evidence")
        shown = f" {named('find')} filter  {named('copy')} copy row  "
        assert shown in rig.text
        await do(rig, "top")
        assert f"{shown}{named('follow')} newest" in rig.lines[-1]
        await do(rig, "follow")
        assert "newest" not in rig.lines[-1]
        await do(rig, "copy")
        assert rig.app.clipboard == format_row(golden_rows()[-1])
        await rig.press("enter")
        assert f" {named('copy')} copy the row" in rig.text
        await rig.press("escape", "escape")
        await do(rig, "audit")
        assert shown.replace("copy row", "copy it").rstrip() in rig.text


async def test_notifications_name_the_new_keys() -> None:
    async with running(*scenes.stuck()[:7], keys=OTHER) as rig:
        await do(rig, "down", "down")
        await rig.tell(*scenes.stuck()[7:])
        await rig.passes(2.0)
        await do(rig, "cancel")
        assert "WHICH RUN IS MEANT" in rig.text
        await rig.press("escape")
        assert f"(the cursor is elsewhere: {named('alarm')})" in rig.text
        await do(rig, "waive")
        (told,) = [notification.message for notification in rig.app._notifications]
        assert told.startswith(f"[{named('window')}] open one first: ")


async def test_a_picture_that_is_frozen_says_what_goes_on() -> None:
    async with running(size=LARGE, keys=OTHER) as rig:
        await do(rig, "freeze")
        await rig.tell(*scenes.stuck())
        await rig.passes(2.0)
        await do(rig, "alarm")
        assert f" [{named('freeze')}] goes on with what is so now: " in rig.lines[-1]


async def test_the_dialog_that_records_names_the_brake(tmp_path: Path) -> None:
    files = golden_files(tmp_path)
    events = [read(files), *scenes.ordinary()]
    async with running(*events, size=LARGE, files=files, evidence="log.md", keys=OTHER) as rig:
        await do(rig, "record")
        assert f"records only: force it with {named('brake')}" in rig.text
        assert old_keys_in(rig.text) == []
