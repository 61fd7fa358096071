"""Lies that were told of the lane and of what was heard of it, each with the right value."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.rollout import window

from vp_tui.domain.events import SwitchActed, SwitchAsked, SwitchesRead, Tick, WindowsRead
from vp_tui.domain.lane.switch_proof import PROOF_WITHIN_S
from vp_tui.domain.lane.switches import FORCE_FALLBACK, Actuation, CommandRun, Switches
from vp_tui.domain.models import ActionStep
from vp_tui.views.assessment import assess
from vp_tui.views.lane import LATELY_S, belief_doubt, lane_word
from vp_tui.views.status import status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

UNSTARTED = builders.routed("coder_vp_bootstrap_fallback")
DELEGATED = builders.routed("delegated_to_coder_vp", "m9")


def nine_clean() -> list[Event]:
    """Return a limited window with nine clean missions, an hour old."""
    missions = [builders.mission(f"m{n}", started_s=-1800.0 - 60.0 * n) for n in range(9)]
    events = [
        builders.mission_event(one.mission_id, kind)
        for one in missions
        for kind in ("vp.mission.dispatched", "vp.mission.completed")
    ]
    opened = window(opened_at=builders.NOW - timedelta(hours=1), anchor=frozenset())
    return [
        builders.healthy(),
        builders.booted(),
        builders.polled(builders.snapshot(*missions, events=events)),
        builders.listing(builders.session()),
        builders.linked(),
        WindowsRead(0.0, (opened,)),
    ]


def after(*events: Event, now: float = 20.0) -> View:
    return View(builders.state(*nine_clean(), *events), now)


def test_nine_old_missions_are_no_ready_for_a_lane_that_cannot_start() -> None:
    view = after(*builders.stream(UNSTARTED, builders.processing(), at=10.0), now=12.0)
    told = assess(view)
    assert lane_word(view) == "cannot start"
    assert told.is_clean is False
    assert told.suggestion is not None
    assert told.suggestion.decision == "HOLD_SHADOW"
    assert "1 turn could not start the lane" in told.suggestion.reasons
    entry = next(entry for entry in told.safety if entry.alarm == "lane cannot start")
    assert "[3] see the lane's log" in entry.cure
    assert status_object(view)["lane"]["mode"] == "cannot_start"


def test_a_lane_cannot_start_until_a_later_turn_is_delegated_and_no_other_turn_ends_it() -> None:
    failed = builders.stream(UNSTARTED, builders.processing(), at=1.0)
    silent = builders.stream(
        builders.processing(), builders.frame("query_complete"), session_id="session_b", at=5.0
    )
    assert lane_word(after(*failed, *silent)) == "cannot start"
    later = builders.stream(DELEGATED, builders.processing(), session_id="session_b", at=9.0)
    view = after(*failed, *silent, *later)
    assert lane_word(view) == "delegating"
    assert not assess(view).safety
    assert assess(view).is_clean is False, "the window's own unstarted turn stays"


def test_delegating_is_said_only_of_a_lane_that_was_given_a_turn_lately() -> None:
    turn = builders.stream(DELEGATED, builders.processing(), at=1.0)
    assert lane_word(after(*turn)) == "delegating"
    view = after(*turn, now=LATELY_S + 60.0)
    assert lane_word(view) == "delegated 30m59 ago"
    assert "whether the lane still starts is not known" in belief_doubt(view)


@pytest.mark.parametrize(
    ("switches", "word"),
    [
        (Switches(lane=True), "unknown"),
        (Switches(lane=True, forced_fallback=True), "FORCED unproven"),
        (Switches(lane=False), "off unproven"),
    ],
)
def test_an_env_file_is_no_proof(switches: Switches, word: str) -> None:
    read = SwitchesRead(1.0, switches, builders.NOW - timedelta(days=1))
    state = builders.state(builders.healthy(), builders.booted(), read)
    view = View(state, 2.0)
    assert lane_word(view) == word
    assert belief_doubt(view) == "no turn has shown it: an env file is no proof"


def test_a_change_that_nobody_carries_out_waits_for_the_operators_hands() -> None:
    asked = SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop")
    view = after(asked, SwitchActed(2.0, Actuation((), by_hand=("set it",))))
    assert lane_word(view).endswith(" ago, waits for your hands")


def test_nothing_contradicts_a_change_before_it_can_have_been_made() -> None:
    by_hand = SwitchActed(2.0, Actuation((), by_hand=("set it",)))
    asked = (SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop"), by_hand)
    turn = builders.stream(
        builders.processing(), DELEGATED, builders.frame("query_complete"), at=60.0
    )
    long_after = Tick(PROOF_WITHIN_S * 2, builders.NOW)
    view = after(*asked, *turn, long_after, now=PROOF_WITHIN_S * 2)
    assert lane_word(view) == "delegating, waits for your hands"
    by_word, booted = Actuation((), by_word=True), builders.booted("2026-11-22T20:00:03", 50.0)
    for said in (SwitchActed(50.0, by_word), booted):
        brake = after(*asked, said, *turn).state.lane.brake
        assert brake is not None
        assert brake.is_alarming, said


def test_a_brake_was_said_to_be_written_when_its_restart_had_ended() -> None:
    written, ended = builders.NOW + timedelta(seconds=11), builders.NOW + timedelta(seconds=51)
    steps = (
        ActionStep(written, "written", "UA_CODER_VP_FORCE_FALLBACK=1 written in .env"),
        ActionStep(written, "command", "restart"),
        ActionStep(ended, "command ended", "exit code 0 after 40.0 s"),
    )
    done = Actuation(steps, written=True, command=CommandRun(("restart",), 0, (), 40.0))
    view = after(
        SwitchAsked(10.0, FORCE_FALLBACK, "ana@laptop", ""),
        builders.booted("2026-11-22T20:00:30", at=31.0),
        SwitchActed(51.0, done),
        now=52.0,
    )
    brake = view.state.lane.brake
    assert brake is not None
    assert [(step.at, step.step) for step in brake.steps] == [
        (10.0, "requested"),
        (11.0, "written"),
        (30.0, "in force"),
    ]


def test_a_restart_from_before_the_change_was_said_to_have_put_it_in_force() -> None:
    """Its boot was told only later: was in force, and the next silent turn its proof."""
    view = after(
        SwitchAsked(10.0, FORCE_FALLBACK, "ana@laptop", ""),
        SwitchActed(11.0, Actuation((), written=True)),
        builders.booted("2026-11-22T20:00:05", at=12.0),
        now=13.0,
    )
    assert lane_word(view) == "FORCED not in force"


def test_a_proof_is_dated_by_the_turn_that_gave_it() -> None:
    """Was: by the poll that showed that it made no mission."""
    view = after(
        SwitchAsked(10.0, FORCE_FALLBACK, "ana@laptop", ""),
        SwitchActed(11.0, Actuation((), written=True)),
        builders.booted("2026-11-22T20:00:15", at=17.0),
        *builders.stream(builders.processing(), builders.frame("query_complete"), at=20.0),
        builders.polled(
            builders.snapshot(generated_at=builders.NOW + timedelta(seconds=29)), at=29.0
        ),
        now=30.0,
    )
    brake = view.state.lane.brake
    assert brake is not None
    assert [(step.at, step.step) for step in brake.steps[-2:]] == [
        (15.0, "in force"),
        (21.0, "CONFIRMED"),
    ]
