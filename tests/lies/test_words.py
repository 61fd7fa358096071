"""Lies that words told: pairs that cannot both be true, and keys that help nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.rig import running

from vp_tui.cli.status import status_text
from vp_tui.views.assessment import assess
from vp_tui.views.lane import turns_told
from vp_tui.views.stuck_runs import why_no_cancel
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

STUCK_AND_REFUSED: list[Event] = [*scenes.stuck(), *scenes.refused_ops(dashboard=True)[-5:-1]]


def test_of_a_turn_whose_beginning_nobody_heard_the_route_is_not_of_the_beginnings() -> None:
    begun = builders.stream(
        builders.routed("delegated_to_coder_vp", "m1"),
        builders.processing(),
        builders.frame("query_complete"),
        at=5.0,
    )
    late = builders.stream(
        builders.routed("coder_vp_fallback", "m2"),
        builders.processing(),
        builders.frame("query_complete"),
        at=8.0,
    )
    done = builders.snapshot(*(builders.mission(f"m{n}", started_s=-60.0 * n) for n in range(1, 5)))
    polled: list[Event] = [
        builders.healthy(),
        builders.booted(),
        builders.polled(done),
        builders.linked(),
    ]
    view = View(builders.state(*polled, *begun, *late), 20.0)
    assert turns_told(view) == ["at least 3 ran, 1 beginning heard", "2 routes heard, 2 to the VP"]
    assert turns_told(view, is_brief=True) == ["2 of 3 heard, 2 to the VP"]


def test_what_has_not_answered_yet_is_asked_whoever_tells_it() -> None:
    told = status_text(View(builders.state(), 0.0))
    assert "metrics     asking" in told
    assert "stream      nothing to attach to" in told
    assert " idle" not in told


async def test_no_screen_calls_what_is_asked_idle_or_without_data() -> None:
    async with running(builders.healthy()) as rig:
        assert "fallback  asking" in rig.text
        await rig.press("5")
        assert "metrics        asking       no data" in rig.pane("links")
        assert "idle" not in rig.pane("links")


async def test_a_cancel_that_can_only_get_a_401_is_not_offered() -> None:
    async with running(*STUCK_AND_REFUSED) as rig:
        await rig.passes(2.0)
        assert "[A] read tokens again, then [c] cancel it" in " ".join(
            entry.cure for entry in assess(rig.lane.live.view).safety
        )
        assert " c cancel" not in rig.lines[-1]
        assert " A read tokens " in rig.lines[-1]
        await rig.press("c")
        assert len(rig.app.screen_stack) == 1
        assert "[A] read tokens again" in next(iter(rig.app._notifications)).message


def test_why_a_cancel_is_refused_begins_with_the_key_that_helps() -> None:
    view = View(builders.state(*STUCK_AND_REFUSED), 2.0)
    assert (why_no_cancel(view, scenes.OWNER) or "").startswith("[A] read tokens again")
    assert why_no_cancel(View(builders.state(*scenes.stuck()), 2.0), scenes.OWNER) is None


async def test_the_sources_do_not_lead_to_themselves() -> None:
    async with running(*scenes.metrics_down()) as rig:
        await rig.passes(30.0)
        assert "[5] see each source" in rig.header
        await rig.press("5")
        assert "see each source" not in rig.pane("links")
        assert "look at the gateway's own log" in rig.pane("links")


@pytest.mark.parametrize(("key", "other"), [("3", "[4] see"), ("4", "[3] see")])
async def test_an_empty_log_names_the_key_of_the_other_one(key: str, other: str) -> None:
    empty: list[Event] = [
        builders.logged(log_id=name) for name in (scenes.BUSY, "vp_coder_primary")
    ]
    listed = builders.listing(builders.session(scenes.BUSY))
    events: list[Event] = [builders.polled(builders.snapshot()), listed, *empty]
    async with running(*events, size=(50, 15)) as rig:
        await rig.press(key)
        told = rig.pane("lane-log" if key == "3" else "session-log")
        assert other in " ".join(told.split())


async def test_scrolling_is_named_only_where_there_is_more_than_is_seen() -> None:
    async with running(*scenes.ordinary(), size=(80, 24)) as rig:
        await rig.press("2", "enter")
        assert rig.lines[-1].startswith(" esc back  ")
        assert "scroll" not in rig.lines[-1]
        await rig.press("escape", "i")
        await rig.until(lambda: "scroll" in rig.lines[-1])
        await rig.press("escape")
    long = builders.stream(builders.frame("text", text="word " * 2000))
    async with running(*scenes.ordinary(), *long, size=(80, 24)) as rig:
        await rig.press("2", "enter")
        await rig.until(lambda: "scroll" in rig.lines[-1])


async def test_a_refused_token_is_the_cause_whatever_is_empty_for_it() -> None:
    async with running(*scenes.refused_ops(dashboard=False), size=(80, 24)) as rig:
        assert "no list of sessions -> [A] read tokens again" in rig.pane("runs")
        await rig.press("3")
        assert not {" / search ", " / filter ", " E error "} & {
            key for key in (" / search ", " / filter ", " E error ") if key in rig.lines[-1]
        }
        await rig.press("c")
        assert "[A] read tokens again" in next(iter(rig.app._notifications)).message
