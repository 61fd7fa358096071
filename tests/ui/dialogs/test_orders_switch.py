"""The dialog of the brake: what it will do, what is so now, and each step to the proof."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.rig import LARGE, SMALL, Rig, running

from vp_tui.domain.events import (
    AuditRead,
    OrderRefused,
    SwitchActed,
    SwitchAsked,
    SwitchesRead,
)
from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    RELEASE,
    RESTART_BY_HAND,
    Actuation,
    Change,
    CommandRun,
    Means,
    Switch,
    Switches,
)
from vp_tui.domain.models import Failure
from vp_tui.domain.orders import ActionRecord, SetSwitch

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

MEANS = Means("/srv/gateway/.env", ("systemctl", "restart", "gateway"))
ASKED = SwitchAsked(2.0, FORCE_FALLBACK, "ana@laptop", "3 of 20")
WRITTEN = Actuation((), written=True, command=CommandRun(("systemctl",), 0, ("restarted",), 1.0))
NEXT_BOOT = "2026-11-22T20:00:03"


def switches(at: float = 0.0, **said: object) -> SwitchesRead:
    return SwitchesRead(at, Switches(**said), builders.NOW)  # type: ignore[arg-type] # fields of Switches


def primary_turn(at: float) -> list[Event]:
    """Return a turn without coding intent, which the primary path completes."""
    frames = builders.stream(
        builders.processing("what is the weather"),
        builders.frame("query_complete"),
        session_id=scenes.QUIET,
        at=at,
    )
    return [*frames]


async def ask(rig: Rig, action: str = "brake") -> None:
    await rig.watch.run_action(f"do('{action}')")
    await rig.settle()


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_dialog_shows_what_is_so_and_what_will_be_done(size: tuple[int, int]) -> None:
    night = [*scenes.ordinary(), switches(lane=True), *primary_turn(-60.0)]
    async with running(*night, size=size, means=MEANS) as rig:
        await rig.press("F")
        for words in (
            "delegating: a coding turn of session_20261122_195801_a1b2c3d4",
            "forced fallback not set, shadow mode not set, lane on",
            "healthy: a turn of 9c0d1e2f completed outside the lane 59s ago",
            "write UA_CODER_VP_FORCE_FALLBACK=1 into /srv/gateway/.env",
            "run systemctl restart gateway",
            "kills      if the command restarts it, 1 run: a1b2c3d4 ok",
            ">[ Not now ]",
            " [ Force fallback now ]",
        ):
            assert words in rig.text, words
    assert rig.ordered(SetSwitch) == []


async def test_what_nobody_has_hands_for_is_not_offered_to_be_done() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("F")
        assert "vp-tui changes nothing" in rig.text
        assert ">[ Not now ]   [ Watch for it ]" in rig.text
        assert "Force fallback now" not in rig.text


async def test_enter_alone_changes_nothing() -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("F", "enter")
        assert "THE BRAKE" not in rig.text
    assert rig.ordered(SetSwitch) == []


async def test_the_brake_is_pulled_once_with_a_reason() -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("F", "shift+tab", *"bad", "enter", "right", "enter", "enter")
        assert "· sending …" in rig.text
        assert "Force fallback now" not in rig.text
    assert rig.ordered(SetSwitch) == [SetSwitch(FORCE_FALLBACK, "bad")]


async def test_the_steps_go_on_to_the_proof() -> None:
    async with running(*scenes.ordinary(), switches(), means=MEANS) as rig:
        await rig.press("F", "right", "enter")
        await rig.tell(ASKED)
        assert "02:00:02  requested" in rig.text
        assert "the actuator is at work" in rig.text
        assert "awaited   written" in rig.text
        await rig.tell(SwitchActed(3.0, WRITTEN))
        assert "UA_CODER_VP_FORCE_FALLBACK=1" in rig.text
        assert "$ systemctl: exit code 0, 1.0 s" in rig.text
        assert "restarted" in rig.text
        await rig.tell(builders.booted(NEXT_BOOT, 4.0))
        assert "the gateway restarted: new epoch" in rig.text
        assert "P probes the lane" in rig.text
        await rig.tell(
            *builders.stream(
                builders.processing("implement the code"),
                builders.frame("query_complete"),
                session_id=scenes.QUIET,
                at=10.0,
            ),
            builders.polled(builders.snapshot(*scenes.done(18)), at=12.0),
        )
        assert "CONFIRMED       a coding turn of" in rig.text
        assert "stage reverted is proposed" in rig.text


async def test_one_that_another_vp_tui_kept_from_being_done_is_told_and_asked_again() -> None:
    why = "ben's vp-tui is forcing fallback since 02:00:01Z"
    async with running(*scenes.ordinary(), switches(), means=MEANS) as rig:
        await rig.press("F", "right", "enter")
        await rig.tell(OrderRefused(rig.now, FORCE_FALLBACK.words, "http://gateway", why))
        assert f"! {why}" in rig.text
        assert ">[ Not now ]" in rig.text
        assert "sending" not in rig.text
        await rig.passes(1.0)
        await rig.press("right", "enter")
        assert "· sending …" in rig.text
    assert len(rig.ordered(SetSwitch)) == 2


async def test_leaving_the_dialog_loses_nothing_of_what_is_followed() -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.tell(ASKED)
        await rig.press("F")
        assert "02:00:02  requested" in rig.text
        assert "Force fallback now" not in rig.text
        await rig.press("escape")
        await rig.tell(SwitchActed(3.0, WRITTEN))
        await rig.press("F")
        assert "02:00:02  requested" in rig.text
        assert ">[ Not now ]" in rig.text


async def test_a_failing_actuator_shows_its_last_words() -> None:
    output = tuple(f"line {number}" for number in range(40))
    failure = Failure("exit code 1", "its output says why")
    failed = Actuation((), failure, command=CommandRun(("false",), 1, output, 0.1, failure))
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await rig.press("F", "right", "enter")
        await rig.tell(ASKED, SwitchActed(3.0, failed))
        assert "exit code 1: watched for its effect all the same" in rig.text
        assert "line 39" in rig.text
        assert "line 1\n" not in rig.text
        assert "34 lines before" in rig.text


async def test_a_masked_switch_is_refused_with_the_reason() -> None:
    masked = switches(masked=frozenset({Switch.FORCED_FALLBACK}))
    async with running(*scenes.ordinary(), masked, means=MEANS) as rig:
        await rig.press("F")
        assert "UA_DISABLE_CODER_VP_FORCE_FALLBACK" in rig.text
        assert "have no effect" in rig.text
        assert "THE BRAKE" not in rig.text
    (refused,) = rig.refusals
    assert refused.what == "force fallback"


async def test_a_mask_that_comes_while_the_dialog_is_open_is_seen() -> None:
    async with running(*scenes.ordinary(), switches(), means=MEANS) as rig:
        await rig.press("F")
        await rig.tell(switches(1.0, masked=frozenset({Switch.FORCED_FALLBACK})))
        await rig.press("right", "enter")
        assert "would have no effect" in rig.text
    assert (rig.ordered(SetSwitch), len(rig.refusals)) == ([], 1)


async def test_without_an_actuator_the_hands_are_told_what_to_do_and_the_effect_is_seen() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("F")
        said = " ".join(rig.text.split())
        assert "no actuator is configured for this" in said
        assert "UA_CODER_VP_FORCE_FALLBACK=1" in said
        assert RESTART_BY_HAND[0].split(":")[0] in said
        await rig.press("right", "enter")
        await rig.tell(
            ASKED, SwitchActed(2.0, Actuation((), by_hand=Means().by_hand(FORCE_FALLBACK)))
        )
        assert "waits for the operator's hands" in rig.text
        assert "UA_CODER_VP_FORCE_FALLBACK=1" in rig.text
        await rig.tell(builders.booted(NEXT_BOOT, 60.0))
        assert "the gateway restarted since, not proven" in rig.text
        assert "Done by hand" not in rig.text


BY_HAND = SwitchActed(2.0, Actuation((), by_hand=Means().by_hand(FORCE_FALLBACK)))
WAITS = "lane delegating, waits for your hands"


async def test_the_operator_says_in_the_dialog_that_it_was_done_by_hand() -> None:
    async with running(*scenes.ordinary()) as rig:
        await rig.press("F", "right", "enter")
        await rig.tell(ASKED, BY_HAND)
        assert ">[ Not yet ]   [ Done by hand ]" in rig.text
        assert "esc close: it goes on" in rig.text
        await rig.press("escape")
        assert WAITS in rig.text
        await rig.press("F", "enter")
        assert WAITS in rig.text
        await rig.press("F", "right", "enter")
        assert "done by hand, not proven" in rig.text
        assert "Done by hand" not in rig.text
        await rig.press("escape")
        assert WAITS not in rig.text
    assert rig.ordered(SetSwitch) == [SetSwitch(FORCE_FALLBACK, "")]
    assert [done.result for done in rig.ordered(ActionRecord)] == [
        "done by hand, says the operator"
    ]


async def test_another_ones_deed_is_said_in_an_open_dialog() -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        state = rig.store.state
        at = state.clock.wall + timedelta(seconds=5)
        bo = ActionRecord(at, "bo@laptop2", "force fallback", "url", "", (), "carried out")
        here = bo._replace(gateway=state.watch.url, vp_id=state.watch.vp_id)
        there = here._replace(at=at, actor="cy", gateway="http://other")
        await rig.press("F")
        await rig.tell(AuditRead(1.0, (here, there)))
        assert "! meanwhile 02:00:05Z force fallback url by bo@laptop2: carried out" in rig.text
        assert "cy" not in rig.text


@pytest.mark.parametrize(
    ("action", "change"),
    [
        ("release", RELEASE),
        ("lane-on", Change(Switch.LANE, on=True)),
        ("lane-off", Change(Switch.LANE, on=False)),
    ],
)
async def test_what_opens_the_lane_asks_for_its_name(action: str, change: Change) -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await ask(rig, action)
        await rig.press("enter")
        assert "nothing was done: type “vp.coder.primary”" in rig.text
        await rig.press(*"vp.coder.primary", "enter", "enter")
    assert rig.ordered(SetSwitch) == [SetSwitch(change, "")]


@pytest.mark.parametrize("is_on", [True, False])
async def test_shadow_mode_is_confirmed_once(*, is_on: bool) -> None:
    async with running(*scenes.ordinary(), means=MEANS) as rig:
        await ask(rig, "shadow-on" if is_on else "shadow-off")
        assert "Then restart the gateway: written, not in force until" in rig.text
        await rig.press("right", "enter")
    change = Change(Switch.SHADOW, on=is_on)
    assert rig.ordered(SetSwitch) == [SetSwitch(change, "")]


async def test_in_read_only_mode_the_brake_cannot_be_reached() -> None:
    async with running(*scenes.ordinary(), means=MEANS, read_only=True) as rig:
        await rig.press("F")
        assert "read-only: force fallback" in rig.text
        assert "THE BRAKE" not in rig.text


async def test_a_deaf_run_says_that_the_brake_helps_nobody_behind_it() -> None:
    async with running(*scenes.stuck(), means=MEANS) as rig:
        await rig.press("F")
        assert "BLOCKED:" in rig.text
        assert "no turn of either" in rig.text


async def test_a_mission_that_failed_on_both_paths_speaks_against_the_brake() -> None:
    failed = builders.mission("vp-mission-bad", "failed", started_s=-50.0)
    async with running(
        *scenes.ordinary(builders.snapshot(failed, *scenes.done(18))), means=MEANS
    ) as rig:
        await rig.press("F")
        assert "FAILING: mission vp-mission-bad failed on both paths" in rig.text
