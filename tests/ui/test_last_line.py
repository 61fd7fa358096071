"""The last lines: the keys that are taken now on each screen, what is told, and the foot above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import scenes
from tests.support.builders import (
    NOW,
    failed,
    listing,
    logged,
    polled,
    session,
    snapshot,
)
from tests.support.rig import AUTHOR, SMALL, running
from tests.support.rollout import golden_rows, window

from vp_tui.domain.events import (
    AuditRead,
    CancelFailed,
    CancelRequested,
    EvidenceRead,
    WindowsRead,
)
from vp_tui.domain.lane.auto_revert import AutoRevertBarred
from vp_tui.domain.lane.switches import Means
from vp_tui.domain.models import Failure, Source
from vp_tui.domain.orders import ActionKind, ActionRecord
from vp_tui.domain.vocabulary import RevertMode

if TYPE_CHECKING:
    from tests.support.rig import Rig

GOLDEN = EvidenceRead(0.0, tuple(golden_rows()), frozenset())
OVER = ("i", "e", "u", "question_mark", "c", "F", "w", "X")
"""Keys that lead to a screen or a dialog over the watch screen."""
SIZES = ((50, 15), (60, 20), SMALL, (120, 40))


def keys_of(rig: Rig) -> str:
    return "".join(text for line in rig.board.footer.lines for text, _tone in line)


def names_at(line: str) -> tuple[str, ...]:
    return tuple(part for part in line.split("  ") if part.strip())


class TestToasts:
    @pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
    async def test_over_a_frozen_picture_it_is_told_in_the_last_line_that_is_read(
        self, size: tuple[int, int]
    ) -> None:
        async with running(*scenes.ordinary(), GOLDEN, AuditRead(0.0, ()), size=size) as rig:
            await rig.press("p")
            for key in OVER:
                await rig.press(key)
                assert len(rig.app.screen_stack) == 2, key
                rig.app.notify("the one before")
                rig.app.notify(f"three rows wait {key}", title="told")
                await rig.settle()
                assert not rig.app._notifications, "nothing is drawn into what is frozen"
                assert rig.lines[-1].lstrip().startswith(f"told: three rows wait {key}")
                assert "esc" in rig.lines[-1]
                assert "the one before" not in rig.text
                await rig.press("escape")
                assert rig.lines[-1].startswith(f" told: three rows wait {key} ")

    async def test_what_is_told_goes_by_itself(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("p", "i")
            rig.app.notify("briefly", timeout=0.01)
            await rig.until(lambda: "briefly" not in rig.text)
            assert rig.lines[-1].startswith(" esc back ")

    async def test_over_a_picture_that_runs_it_is_a_toast(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("i")
            rig.app.notify("three rows wait")
            await rig.settle()
            assert [toast.message for toast in rig.app._notifications] == ["three rows wait"]
            assert "three rows wait" not in rig.lines[-1]

    async def test_a_path_is_shortened_before_what_is_told_is_cut(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("p")
            rig.app.notify("kept in /home/ana/.local/state/vp-tui/spool/row.json: it is read-only")
            await rig.settle()
            assert rig.lines[-1].startswith(" kept in …/row.json: it is read-only ")


class TestEnter:
    async def test_it_names_what_it_leads_to_in_each_pane(self) -> None:
        async with running(*scenes.ordinary(), size=(120, 24)) as rig:
            assert " enter triage " in rig.lines[-1]
            await rig.press("2")
            assert " enter whole line " in rig.lines[-1]

    async def test_where_there_is_nothing_it_is_not_named(self) -> None:
        async with running(polled(snapshot()), listing(), size=(120, 24)) as rig:
            assert " enter " not in rig.lines[-1]
            await rig.press("3")
            assert " enter " not in rig.lines[-1]
            await rig.tell(logged("a line"))
            assert " enter whole line " in rig.lines[-1]

    async def test_of_an_empty_list_only_the_way_out_is_named(self) -> None:
        async with running(*scenes.ordinary(), AuditRead(0.0, ()), size=(120, 40)) as rig:
            await rig.press("u")
            assert rig.lines[-1].strip() == "esc back"
            done = ActionRecord(NOW, AUTHOR, "cancel", scenes.BUSY, "", (), "answered")
            await rig.tell(AuditRead(0.0, (done,)))
            assert names_at(rig.lines[-1])[:2] == (" esc back", "enter whole action")

    async def test_while_the_palette_is_open_the_keys_are_its_own(self) -> None:
        async with running(*scenes.ordinary(), size=SMALL) as rig:
            before = rig.lines[-1]
            await rig.press("ctrl+p")
            assert rig.app.screen is not rig.watch
            assert "esc leave  ↑ ↓ choose  enter do it" in keys_of(rig)
            await rig.press("escape")
            assert keys_of(rig).strip() == before.strip()

    async def test_cancel_is_not_offered_while_the_list_of_sessions_is_down(self) -> None:
        async with running(*scenes.ordinary(), size=(120, 40)) as rig:
            assert " c cancel " in rig.lines[-1]
            await rig.tell(failed(Source.SESSIONS, scenes.BROKEN, at=1.0))
            assert " c cancel " not in rig.lines[-1]

    async def test_what_a_filter_leaves_nothing_of_is_not_offered(self) -> None:
        async with running(*scenes.ordinary(), GOLDEN, size=(120, 40)) as rig:
            await rig.press("e", "slash", *"zzz", "enter")
            assert names_at(rig.lines[-1]) == (" esc show all", "/ filter")

    async def test_the_find_bar_names_its_own_keys(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("2", "slash")
            assert rig.lines[-1].startswith(" filter events (enter keeps, esc ends):")


class TestDialogs:
    async def test_an_order_has_other_keys_before_while_and_after_it(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("c")
            assert rig.lines[-1] == " arrows choose  enter answer  tab reason  esc nothing"
            await rig.press("tab")
            assert rig.lines[-1] == " enter to the answer  tab likewise  esc nothing"
            await rig.press("tab", "right", "enter")
            assert rig.lines[-1] == " esc close: it goes on"
            refused = Failure("409: nothing runs", "look again")
            await rig.tell(CancelRequested(0.0, scenes.BUSY, "", AUTHOR))
            assert rig.lines[-1] == " esc close: it goes on"
            await rig.tell(CancelFailed(1.0, scenes.BUSY, refused))
            assert rig.lines[-1] == " esc close"

    async def test_a_waiver_without_a_reason_names_no_enter(self) -> None:
        opened = WindowsRead(0.0, (window(),))
        async with running(*scenes.ordinary(), opened) as rig:
            rig.watch.action_do("waive")
            await rig.settle()
            assert rig.lines[-1].startswith(" tab, then type why  space next gate ")
            await rig.press("tab")
            assert rig.lines[-1].startswith(" type why  tab next field ")
            await rig.press(*"why")
            assert rig.lines[-1].startswith(" enter waive it  tab next field ")

    async def test_a_window_without_a_label_has_enter_lead_there(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            await rig.press("w")
            rig.app.screen.query_one("#label").focus()
            await rig.settle()
            await rig.press("ctrl+u")
            assert rig.lines[-1].startswith(" enter to the label  tab next field ")
            await rig.press("x")
            assert rig.lines[-1].startswith(" enter open it  tab next field ")


class TestCountdown:
    @pytest.mark.parametrize("key", OVER[:-1])
    async def test_esc_is_named_for_what_it_does_then(self, key: str) -> None:
        armed: dict[str, Any] = {
            "auto_revert": RevertMode.ARMED,
            "means": Means(apply=("restart",)),
            "intervals": dict.fromkeys(Source, 3600.0),
        }
        ours = AutoRevertBarred(0.0, None)
        async with running(*scenes.ordinary(), GOLDEN, ours, **armed) as rig:
            await rig.passes(1.0)
            await rig.press(key)
            assert "countdown" not in rig.lines[-1]
            await rig.tell(*scenes.ordinary_with_fallbacks(3))
            assert "esc stop the countdown" in rig.lines[-1]
            await rig.press("escape")
            assert len(rig.app.screen_stack) == 2
            assert "countdown" not in rig.lines[-1]


def foot(rig: Rig) -> str:
    return rig.lines[-2].strip()


class TestFoot:
    DONE = ActionRecord(NOW, AUTHOR, "cancel", scenes.BUSY, "", (), "answered")

    async def test_it_counts_what_was_done_in_this_window_and_who_else_looks(self) -> None:
        async with running(*scenes.ordinary(), AuditRead(0.0, ())) as rig:
            assert foot(rig).split("  ")[0] == "audit: none this window"
            assert foot(rig).endswith("  other viewers: 1")
            await rig.tell(AuditRead(0.0, (self.DONE,)))
            assert foot(rig).startswith("audit: 1 this window  ")
            refused = self.DONE._replace(kind=ActionKind.REFUSED)
            await rig.tell(AuditRead(0.0, (refused,)))
            assert foot(rig).startswith("audit: none this window, 1 refused  ")

    async def test_an_audit_that_is_not_read_is_not_said_to_be_empty(self) -> None:
        async with running(*scenes.ordinary()) as rig:
            assert foot(rig) == "other viewers: 1"
            problem = Failure("permission denied", "make it readable")
            await rig.tell(AuditRead(0.0, (), problem=problem))
            assert foot(rig).startswith("audit: cannot be read  ")

    async def test_sockets_of_two_sessions_may_be_of_one_viewer(self) -> None:
        seen = listing(
            session("session_20261122_190000_aaaaaaaa", active_connections=1),
            session("session_20261122_190000_bbbbbbbb", active_connections=2),
        )
        async with running(polled(snapshot()), seen) as rig:
            assert foot(rig) == "other viewers: 2 to 3"

    async def test_no_list_no_viewers(self) -> None:
        async with running(*scenes.ordinary(), AuditRead(0.0, ())) as rig:
            await rig.tell(failed(Source.SESSIONS, scenes.BROKEN, at=1.0))
            assert "viewers" not in rig.lines[-2]

    async def test_beside_an_alarm_it_stands_where_there_is_room(self) -> None:
        async with running(*scenes.stuck(), AuditRead(0.0, ()), size=(120, 40)) as rig:
            await rig.passes(2.0)
            assert rig.lines[-2].startswith(
                "! alarm stuck run 02:00:02Z, 0s ago  seen by nobody: [a]"
            )
            assert rig.lines[-2].endswith("   audit: none this window")
            await rig.resize((50, 15))
            assert rig.lines[-2].startswith("! alarm stuck run  seen by nobody: [a]")
            assert "audit" not in rig.lines[-2]

    async def test_on_few_lines_the_lists_have_its_line(self) -> None:
        async with running(*scenes.ordinary(), AuditRead(0.0, ()), size=(80, 23)) as rig:
            assert "audit" not in rig.text
            await rig.resize(SMALL)
            assert "audit: none" in rig.lines[-2]


async def test_a_links_path_is_shortened_before_its_cause_is_cut() -> None:
    reason = "the socket /home/ana/.local/state/gateway/sockets/ops.sock is refused by its owner"
    async with running(*scenes.ordinary(), size=SMALL) as rig:
        await rig.tell(failed(Source.METRICS, Failure(reason, "look there"), at=1.0))
        await rig.press("5")
        told = next(line for line in rig.content("links") if "metrics down" in line)
        assert "the socket …/ops.sock is refused by its owner" in told
        await rig.press("home", "enter")
        whole = "".join(line.strip() for line in rig.lines)
        assert reason.replace(" ", "") in whole.replace(" ", "")
