"""The dialogs that stop runs: asked once, sent once, followed to the last step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.support import scenes
from tests.support.builders import (
    booted,
    frame,
    healthy,
    listing,
    processing,
    session,
    status_frame,
    stream,
)
from tests.support.rig import SMALL, WIDE, Rig, running

from vp_tui.domain.events import CancelAnswered, CancelFailed, CancelRequested, OrderRefused
from vp_tui.domain.models import CancelAnswer, Failure
from vp_tui.domain.orders import CancelRun
from vp_tui.ui.dialogs.follow import FollowDialog
from vp_tui.ui.kit.line_list import Lines
from vp_tui.ui.watch.screen import WatchScreen

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

OWNER = "session_20261122_190000_d3833624"
VICTIMS = ("session_20261122_191000_77aa01bc", "session_20261122_192000_b0c1d2e3")
ME = "ana@laptop"
IN_DOUBT = Failure("no answer in 20 s", "look first", is_uncertain=True)
UNWINDS = (
    status_frame(status="turn_cancelled"),
    frame("query_complete", cancelled=True),
    frame("cancelled"),
)


def sent(rig: Rig) -> list[CancelRun]:
    """Return the cancels that were ordered: whom, and why."""
    return rig.ordered(CancelRun)


def refused(rig: Rig) -> list[tuple[str, str]]:
    """Return what was refused: whom, and why."""
    return [(told.target, told.result.removeprefix("refused: ")) for told in rig.refusals]


def listed(at: float, owner_runs: int = 0) -> Event:
    owner = session(OWNER, active_runs=owner_runs, last_event_seq=9 if owner_runs else 13)
    return listing(owner, *(session(victim, active_runs=1) for victim in VICTIMS), at=at)


def answered(at: float, *, heard: bool, took_s: float) -> CancelAnswered:
    return CancelAnswered(at, OWNER, CancelAnswer(OWNER, "", heard, None, took_s))


def is_open(rig: Rig) -> bool:
    return isinstance(rig.app.screen, FollowDialog)


async def open_dialog(rig: Rig) -> None:
    await rig.press("1", "home", "c")
    assert is_open(rig), rig.text


async def order(rig: Rig) -> None:
    """Open the dialog, choose to cancel, and let the network thread say that it is sent."""
    await open_dialog(rig)
    await rig.press("right", "enter")
    await rig.tell(CancelRequested(rig.now, OWNER, "", ME))


async def test_one_that_another_vp_tui_sent_is_told_and_asked_again() -> None:
    why = "ben's vp-tui is cancelling d3833624 since 02:00:01Z"
    async with running(*scenes.stuck()) as rig:
        await open_dialog(rig)
        await rig.press("right", "enter")
        await rig.tell(OrderRefused(rig.now, "cancel", VICTIMS[0], "not this one"))
        assert "sending" in rig.text
        await rig.tell(OrderRefused(rig.now, "cancel", OWNER, why))
        assert f"! {why}" in rig.text
        assert "[ Keep running ]" in rig.text


def plain_of(shown: Lines) -> list[str]:
    """Return the lines of a part of a dialog, not of what is behind it."""
    return ["".join(text for text, _tone in line) for line in shown.lines]


class TestAsking:
    async def test_it_names_what_is_hit_what_it_does_and_what_it_blocks(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            for told in ("d3833624 STUCK", OWNER, "in tool Bash for", "77aa01bc, b0c1d2e3"):
                assert told in rig.text
            assert ">[ Keep running ]" in rig.text

    async def test_its_silence_goes_on_as_the_header_tells_it(self) -> None:
        """A lie of before: the dialog kept the silence that there was when it opened."""
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            before = re.findall(r"in tool Bash for (\w+)", rig.text)
            await rig.passes(5.0)
            now = re.findall(r"in tool Bash for (\w+)", rig.text)
            assert len({*now}) == 1, "header and dialog agree"
            assert not {*now} & {*before}
            await rig.tell(*stream(*UNWINDS, session_id=OWNER, at=rig.now), listed(rig.now))
            shown = [text for lines in rig.app.screen.query(Lines) for text in plain_of(lines)]
            assert "d3833624 is over, or not listed any more" in "\n".join(shown)
            assert "in tool Bash for" not in "\n".join(shown)

    async def test_enter_keeps_it_running(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            await rig.press("enter")
            assert isinstance(rig.app.screen, WatchScreen)
            assert sent(rig) == []

    async def test_a_run_that_waits_says_that_cancelling_it_frees_nothing(self) -> None:
        async with running(*scenes.stuck(), size=WIDE) as rig:
            await rig.press("1", "home", "j", "enter", "c")
            assert "it waits behind d3833624: cancelling it frees nothing" in rig.text
            assert "it is not stuck: what it has done so far is lost" in rig.text

    @pytest.mark.parametrize("size", [(80, 24), WIDE])
    async def test_with_the_alarm_on_another_run_it_asks_which(self, size: tuple[int, int]) -> None:
        async with running(*scenes.stuck(), size=size) as rig:
            await rig.press("1", "home", "j", "c")
            assert "The alarm is on d3833624, the cursor is on 77aa01bc." in rig.text
            await rig.press("enter")
            assert is_open(rig)
            assert OWNER in rig.text
            await rig.press("escape", "c", "2", "enter")
            assert is_open(rig)
            assert "it waits behind d3833624: cancelling it frees nothing" in rig.text
            assert sent(rig) == []

    async def test_of_two_that_may_hold_the_lock_it_asks_which(self) -> None:
        both = (session(OWNER, active_runs=1), session(VICTIMS[0], active_runs=1))
        events: list[Event] = [
            healthy(-150.0),
            *(listing(*both, at=-150.0 + 3.0 * n) for n in range(51)),
        ]
        async with running(*events, size=WIDE) as rig:
            assert "STUCK 2m30 d3833624 or 77aa01bc" in rig.text
            assert "(1 stuck)" in rig.text
            assert "STUCK?" in rig.text
            await rig.press("c")
            assert "WHICH RUN IS MEANT" in rig.text
            assert "d3833624 or 77aa01bc holds the lock: which of them is not known" in rig.text
            await rig.press("2", "enter")
            assert is_open(rig)
            assert f"{VICTIMS[0]}" in rig.text
            assert sent(rig) == []
            await rig.press("escape", "c", "escape")
            assert isinstance(rig.app.screen, WatchScreen)
            await rig.press("1", "home", "enter", "c")
            assert is_open(rig)
            assert "which of them is not known" in rig.text

    async def test_the_reason_goes_along(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            await rig.press("shift+tab", *"stuck c R", "enter", "right", "enter")
            assert [(told.session_id, told.reason) for told in sent(rig)] == [(OWNER, "stuck c R")]

    async def test_one_request_however_often_enter_is_hit(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            await rig.press("right", "enter", "enter", "enter")
            await rig.tell(CancelRequested(0.0, OWNER, "", ME))
            await rig.press("enter")
            assert len(sent(rig)) == 1

    async def test_a_second_dialog_sends_none_while_the_first_is_on_its_way(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await order(rig)
            await rig.press("escape")
            await open_dialog(rig)
            assert "Cancel run" not in rig.text
            assert "requested" in rig.text
            await rig.press("right", "enter")
            assert len(sent(rig)) == 1
            ((whom, why),) = refused(rig)
            assert whom == OWNER
            assert "on its way" in why

    async def test_esc_sends_nothing(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            await rig.press("right", "escape")
            assert sent(rig) == []


class TestTarget:
    async def test_an_idle_session_is_refused_with_the_reason_and_audited(self) -> None:
        async with running(*scenes.stuck(), size=WIDE) as rig:
            await rig.press("1", "end", "c")
            assert "The alarm is on d3833624" in rig.text
            await rig.press("2", "enter")
            assert not is_open(rig)
            assert "it runs nothing: there is" in rig.text
            assert refused(rig) == [(scenes.QUIET, "it runs nothing: there is nothing to cancel")]

    async def test_rows_that_move_do_not_move_the_target(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            another = session("session_00000000_000000_aaaaaaaa", active_runs=1)
            owner = session(OWNER, active_runs=1, last_event_seq=9)
            await rig.tell(listing(another, owner, at=1.0))
            await rig.press("right", "enter")
            assert [order.session_id for order in sent(rig)] == [OWNER]

    async def test_another_turn_than_the_one_shown_is_not_hit(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            await rig.tell(*stream(frame("query_complete"), processing("next"), session_id=OWNER))
            await rig.press("right", "enter")
            assert sent(rig) == []
            ((whom, why),) = refused(rig)
            assert whom == OWNER
            assert why in rig.text.replace("│\n│", "").replace("  ", "")
            assert "another one runs: look at it first" in why

    async def test_a_run_that_ended_meanwhile_is_not_hit(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await open_dialog(rig)
            await rig.tell(*stream(frame("query_complete"), session_id=OWNER))
            await rig.press("right", "enter")
            assert sent(rig) == []
            assert "! it runs nothing: there is nothing to cancel" in rig.text


class TestFollowing:
    async def test_each_step_is_told_and_recovered_comes_last(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await order(rig)
            assert "✓ 02:00:00  requested               by ana@laptop" in rig.text
            assert "· awaited   answered" in rig.text
            rig.now = 1.0
            await rig.tell(
                *stream(*UNWINDS, session_id=OWNER, at=0.2), answered(1.0, heard=True, took_s=0.3)
            )
            assert "answered                task_cancelled=true, the run unwound" in rig.text
            rig.now = 4.0
            await rig.tell(listed(3.0))
            assert "✓ 02:00:03  active_runs 0" in rig.text
            assert "recovered:" not in rig.text
            rig.now = 20.0
            await rig.tell(
                *stream(processing("q"), frame("query_complete"), session_id=VICTIMS[0], at=18.0)
            )
            assert "✓ 02:00:19  a later turn completes" in rig.text
            assert "recovered: a later turn completed" in rig.text

    async def test_a_deaf_run_is_told_and_a_second_cancel_is_not_sent(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await order(rig)
            rig.now = 8.0
            await rig.tell(answered(5.0, heard=False, took_s=5.0), listed(7.0))
            assert "task_cancelled=false, the run did" in rig.text
            assert "counter cleared, task unconfirmed: " in rig.text
            assert "! DEAF 4m08 d3833624" in rig.text
            await rig.press("escape", "c")
            assert "d3833624 DEAF" in rig.text
            assert "it is not stuck" not in rig.text
            assert len(sent(rig)) == 1
            ((_whom, why),) = refused(rig)
            assert "a second is useless" in why
            rig.now = 121.0
            await rig.tell(listed(120.0))
            assert "UNCONFIRMED: no later turn completed" in rig.text

    async def test_what_is_uncertain_says_so_and_is_followed(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await order(rig)
            rig.now = 20.0
            await rig.tell(CancelFailed(20.0, OWNER, IN_DOUBT), listed(20.0, owner_runs=1))
            assert "no answer in 20 s" in rig.text
            assert "whether it was carried out is not known" in rig.text
            await rig.tell(*stream(*UNWINDS, session_id=OWNER, at=20.5))
            assert "the run ended, not recovered yet" in rig.text

    async def test_a_refusal_of_the_gateway_is_told(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await order(rig)
            refusal = Failure("401 from the ops plane", "set UA_OPS_TOKEN", unauthorized=True)
            await rig.tell(CancelFailed(0.1, OWNER, refusal))
            assert "401 from the ops plane" in rig.text
            assert "not carried out: nothing was sent, or the gateway refused it" in rig.text

    async def test_a_restart_in_the_middle_ends_it(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await order(rig)
            rig.now = 9.0
            await rig.tell(booted("2026-11-22T21:00:00", at=9.0))
            assert "ended by a restart: the gateway began anew" in rig.text

    async def test_no_line_of_it_is_cut_at_80_columns(self) -> None:
        async with running(*scenes.stuck(), size=SMALL) as rig:
            await order(rig)
            await rig.tell(*stream(*UNWINDS, session_id=OWNER, at=0.2))
            assert (
                "later turn completes"
                in " ".join(line.strip("│ ") for line in rig.lines if "│" in line).rpartition(
                    "not recovered yet:"
                )[2]
            )


class TestAll:
    async def open(self, rig: Rig) -> None:
        rig.watch.action_do("cancel-all")
        await rig.settle()
        assert isinstance(rig.app.screen, FollowDialog)

    async def test_it_lists_what_it_hits_and_wants_a_word(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await self.open(rig)
            assert "this hits 3 runs" in rig.text
            for whom in ("d3833624", "77aa01bc", "b0c1d2e3"):
                assert whom in rig.text
            await rig.press("enter")
            assert sent(rig) == []
            assert "nothing was done: type “all runs”" in rig.text

    async def test_with_the_word_each_is_cancelled_once(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await self.open(rig)
            await rig.press(*"all runs", "enter", "enter")
            assert sorted(order.session_id for order in sent(rig)) == sorted((OWNER, *VICTIMS))

    async def test_one_that_came_since_or_is_another_turn_is_not_hit(self) -> None:
        async with running(*scenes.stuck()) as rig:
            await self.open(rig)
            await rig.tell(
                *stream(frame("query_complete"), session_id=OWNER, at=0.5),
                *stream(processing("new"), session_id=scenes.QUIET, at=0.6),
            )
            await rig.press(*"all runs", "enter")
            assert sorted(order.session_id for order in sent(rig)) == sorted(VICTIMS)
            assert [whom for whom, _why in refused(rig)] == [OWNER]

    async def test_with_nothing_to_hit_it_says_so(self) -> None:
        async with running() as rig:
            rig.watch.action_do("cancel-all")
            await rig.settle()
            assert "nothing runs that a cancel could" in rig.text
