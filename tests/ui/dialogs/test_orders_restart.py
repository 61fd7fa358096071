"""The dialog of the restart: whom it kills, a typed word, then each step until all is back."""

from __future__ import annotations

from tests.support import scenes
from tests.support.builders import booted, failed, linked
from tests.support.rig import Rig, running

from vp_tui.domain.events import RestartActed, RestartAsked
from vp_tui.domain.lane.restart import RESTART_WITHIN_S
from vp_tui.domain.lane.switches import RESTART_BY_HAND, Actuation, CommandRun, Means
from vp_tui.domain.models import Failure, Source, StreamState
from vp_tui.domain.orders import RestartGateway

MEANS = Means(restart=("systemctl", "restart", "gateway"))
ASKED = RestartAsked(2.0, "ana@laptop", "deaf run")
DONE = Actuation((), command=CommandRun(MEANS.restart, 0, ("Restarting …",), 1.5))
NEXT_BOOT = "2026-11-22T20:00:03"


def restarts(rig: Rig) -> list[RestartGateway]:
    return rig.ordered(RestartGateway)


async def test_every_run_that_it_kills_is_named() -> None:
    async with running(*scenes.stuck(), means=MEANS) as rig:
        await rig.press("X")
        assert "systemctl restart gateway" in rig.text
        assert "kills      3 runs: d3833624 stuck, 77aa01bc queued, b0c1d2e3 queued" in rig.text


async def test_nothing_is_done_without_the_word() -> None:
    async with running(*scenes.stuck(), means=MEANS) as rig:
        await rig.press("X", "enter", *"restar", "enter")
        assert "nothing was done: type “restart”" in rig.text
        assert restarts(rig) == []
        await rig.press("t", "enter", "enter")
        assert restarts(rig) == [RestartGateway("")]


async def test_a_list_that_is_old_names_nobody() -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.tell(failed(Source.SESSIONS, at=1.0))
        await rig.press("X")
        assert "kills      unknown runs: the list of sessions is not current" in rig.text


async def test_it_is_followed_until_the_streams_are_back() -> None:
    gone = [failed(source, scenes.GONE, at=4.0) for source in (Source.METRICS, Source.SESSIONS)]
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("X", *"restart", "enter")
        await rig.tell(ASKED)
        assert "asked, the command runs" in rig.text
        await rig.tell(RestartActed(3.5, DONE), *gone)
        await rig.passes(5.0)
        assert "$ systemctl restart gateway: exit code 0, 1.5 s" in rig.text
        assert "gateway gone" in rig.text
        await rig.tell(
            *(linked(StreamState.CONNECTING, session_id=scenes.BUSY, at=5.0),),
            booted(NEXT_BOOT, 6.0),
        )
        assert "back in a new epoch" in rig.text
        assert "streams 1/2 attached again" in rig.text
        await rig.tell(linked(session_id=scenes.BUSY, at=7.0))
        assert "streams 2/2 attached again" in rig.text


async def test_a_gateway_that_does_not_come_back_is_told() -> None:
    gone = [failed(source, scenes.GONE, at=4.0) for source in (Source.METRICS, Source.SESSIONS)]
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("X", *"restart", "enter")
        await rig.tell(ASKED, RestartActed(3.0, DONE), *gone)
        await rig.passes(4.0)
        await rig.passes(RESTART_WITHIN_S)
        assert "NOT BACK: nothing answers: look at the gateway's own host" in rig.text


async def test_a_command_that_fails_shows_why() -> None:
    failure = Failure("exit code 5", "its output says why")
    broken = Actuation(
        (), failure, command=CommandRun(MEANS.restart, 5, ("no such unit",), 0.1, failure)
    )
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("X", *"restart", "enter")
        await rig.tell(ASKED, RestartActed(3.0, broken))
        assert "no such unit" in rig.text
        assert "failed: exit code 5" in rig.text


async def test_without_a_command_the_hands_are_told_and_the_restart_is_seen() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("X")
        assert "no restart command is configured" in rig.text
        await rig.press(*"restart", "enter")
        await rig.tell(ASKED, RestartActed(2.0, Actuation((), by_hand=RESTART_BY_HAND)))
        assert "waits for the operator's hands" in rig.text
        assert "docker restart" in rig.text
        await rig.tell(booted(NEXT_BOOT, 60.0))
        assert "back in a new epoch" in rig.text


async def test_one_that_is_under_way_is_shown_and_no_second_one_sent() -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.tell(ASKED)
        await rig.press("X", *"restart", "enter")
        assert "asked, the command runs" in rig.text
        assert restarts(rig) == []
