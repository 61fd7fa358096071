"""What the lane is believed to do, what may be done to it, and whether the primary path is well."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.rollout import window

from vp_tui.domain.events import (
    ProbeStepped,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
    SwitchesRead,
    WindowsRead,
)
from vp_tui.domain.lane import probe as probing
from vp_tui.domain.lane.mode import LaneMode
from vp_tui.domain.lane.probe import ProbeStep
from vp_tui.domain.lane.switch_proof import ProofStep
from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Actuation, Means, Switch, Switches
from vp_tui.domain.models import StreamEvent
from vp_tui.domain.vocabulary import Stage, Traffic
from vp_tui.views.figures import current_window, probed_missions
from vp_tui.views.lane import (
    LATELY_S,
    PrimaryHealth,
    lane_mode,
    lane_word,
    primary_path,
    unseen_turns,
    why_no_change,
)
from vp_tui.views.status import status_object
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Frame, Mission

WRITTEN = Actuation((), written=True)
NEXT_BOOT = "2026-11-22T20:00:03"
ASKED = SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop")


def turn(*frames: Frame, at: float = 10.0, session_id: str = "session_a") -> list[Event]:
    """Return a whole turn of coding intent, unless the frames say otherwise."""
    began = frames or (builders.processing("implement the code"),)
    return [
        *builders.stream(*began, builders.frame("query_complete"), session_id=session_id, at=at)
    ]


def night(*events: Event) -> list[Event]:
    return [builders.healthy(), builders.booted(), builders.polled(builders.snapshot()), *events]


def taken(*missions: Mission, at: float) -> Event:
    return builders.polled(
        builders.snapshot(*missions, generated_at=builders.NOW + timedelta(seconds=at)), at=at
    )


class TestMode:
    def test_a_mission_of_this_epoch_is_delegation(self) -> None:
        seen = builders.state(*night(taken(builders.mission("m1", started_s=-60.0), at=1.0)))
        assert lane_mode(View(seen, 0.0)).mode is LaneMode.DELEGATING
        assert status_object(View(seen, 2.0))["lane"]["mode"] == "delegating"

    def test_a_mission_of_an_earlier_epoch_says_nothing(self) -> None:
        old = builders.mission("m1", started_s=-2 * 3600.0)
        seen = builders.state(*night(taken(old, at=1.0)))
        assert lane_mode(View(seen, 0.0)).mode is LaneMode.UNKNOWN
        assert status_object(View(seen, 2.0))["lane"]["mode"] == "unknown"

    def test_a_shadowed_turn_is_shadow_mode(self) -> None:
        seen = builders.state(*night(*turn(builders.routed("coder_vp_shadow_mode"))))
        assert lane_mode(View(seen, 0.0)).mode is LaneMode.SHADOW

    def test_a_restart_forgets_what_turns_showed(self) -> None:
        seen = builders.state(
            *night(*turn(builders.routed("coder_vp_shadow_mode")), builders.booted(NEXT_BOOT, 20.0))
        )
        assert lane_mode(View(seen, 0.0)).mode is LaneMode.UNKNOWN

    def test_the_env_file_that_it_booted_with_tells_where_no_effect_was_seen(self) -> None:
        before = builders.NOW - timedelta(days=1)
        read = SwitchesRead(1.0, Switches(forced_fallback=True), before)
        seen = builders.state(*night(read))
        assert lane_mode(View(seen, 0.0)).mode is LaneMode.FORCED_FALLBACK
        later = SwitchesRead(1.0, Switches(forced_fallback=True), builders.NOW)
        assert lane_mode(View(builders.state(*night(later)), 0.0)).mode is LaneMode.UNKNOWN


class TestWord:
    def test_without_a_change_it_is_the_mode(self) -> None:
        assert lane_word(View(builders.state(*night()), 0.0)) == "unknown"
        assert (
            lane_word(
                View(builders.state(*night(*turn(builders.routed("delegated_to_coder_vp")))), 0.0)
            )
            == "delegating"
        )

    def test_a_change_is_not_in_force_then_unproven_then_proven(self) -> None:
        events = [*night(), ASKED, SwitchActed(2.0, WRITTEN)]
        assert lane_word(View(builders.state(*events), 0.0)) == "FORCED not in force"
        events += [builders.booted(NEXT_BOOT, 4.0)]
        assert lane_word(View(builders.state(*events), 0.0)) == "FORCED unproven"
        events += [*turn(at=10.0), taken(at=12.0)]
        assert lane_word(View(builders.state(*events), 0.0)) == "FORCED proven"

    def test_what_contradicts_it_is_said(self) -> None:
        events = [*night(), ASKED, SwitchActed(2.0, WRITTEN), builders.booted(NEXT_BOOT, 4.0)]
        events += turn(builders.routed("delegated_to_coder_vp", "m9"), at=10.0)
        assert lane_word(View(builders.state(*events), 0.0)) == "delegating NOT FORCED"


class TestWhyNoChange:
    def test_nothing_keeps_a_change_that_is_free(self) -> None:
        assert why_no_change(View(builders.state(*night()), 0.0), FORCE_FALLBACK) is None

    def test_one_at_a_time(self) -> None:
        seen = builders.state(*night(ASKED))
        assert why_no_change(View(seen, 0.0), RELEASE) == (
            "force fallback is being carried out: wait for its end"
        )
        done = builders.state(*night(ASKED, SwitchActed(2.0, WRITTEN)))
        assert why_no_change(View(done, 0.0), RELEASE) is None

    def test_not_while_the_gateway_is_restarted(self) -> None:
        asked = RestartAsked(1.0, "ana@laptop")
        assert "a restart is being carried out" in str(
            why_no_change(View(builders.state(*night(asked)), 0.0), FORCE_FALLBACK)
        )
        done = builders.state(*night(asked, RestartActed(2.0, WRITTEN)))
        assert why_no_change(View(done, 0.0), FORCE_FALLBACK) is None

    def test_a_mask_keeps_a_switch_from_being_turned_on_only(self) -> None:
        masked = Switches(forced_fallback=True, masked=frozenset({Switch.FORCED_FALLBACK}))
        seen = builders.state(*night(SwitchesRead(1.0, masked)), means=Means("/srv/.env"))
        told = str(why_no_change(View(seen, 0.0), FORCE_FALLBACK))
        assert "UA_DISABLE_CODER_VP_FORCE_FALLBACK is on in /srv/.env" in told
        assert why_no_change(View(seen, 0.0), RELEASE) is None


class TestPrimaryPath:
    def test_nothing_seen_is_unknown(self) -> None:
        assert primary_path(View(builders.state(*night()), 1.0)).health is PrimaryHealth.UNKNOWN

    @pytest.mark.parametrize(
        "frames",
        [
            (builders.processing("what is the weather"),),
            (
                builders.routed("delegated_to_coder_vp", "m1"),
                builders.routed("coder_vp_fallback", "m1"),
            ),
        ],
        ids=["outside", "fell back"],
    )
    def test_a_turn_that_it_completed_lately_is_healthy(self, frames: tuple[Frame, ...]) -> None:
        seen = builders.state(*night(*turn(*frames)))
        assert primary_path(View(seen, 20.0)).health is PrimaryHealth.HEALTHY
        late = primary_path(View(seen, 20.0 + LATELY_S))
        assert (late.health, late.why.startswith("not lately")) == (PrimaryHealth.UNKNOWN, True)

    def test_a_turn_that_the_lane_did_says_nothing(self) -> None:
        seen = builders.state(*night(*turn(builders.routed("delegated_to_coder_vp", "m1"))))
        assert primary_path(View(seen, 20.0)).health is PrimaryHealth.UNKNOWN

    def test_a_turn_whose_beginning_nobody_heard_says_nothing(self) -> None:
        ended = builders.stream(builders.frame("query_complete"), at=10.0)
        assert (
            primary_path(View(builders.state(*night(*ended)), 20.0)).health is PrimaryHealth.UNKNOWN
        )

    def test_the_newest_mission_decides(self) -> None:
        fallen = builders.mission("m1", started_s=-90.0, fallback_seen=True)
        failed = builders.mission("m2", "failed", started_s=-45.0, result_ref=builders.ELSEWHERE)
        healthy_then = primary_path(View(builders.state(*night(taken(fallen, at=1.0))), 2.0))
        assert healthy_then.health is PrimaryHealth.HEALTHY
        assert healthy_then.why == "mission m1 fell back and completed 1m02 ago"
        failing = primary_path(View(builders.state(*night(taken(failed, fallen, at=1.0))), 2.0))
        assert (failing.health, failing.why) == (
            PrimaryHealth.FAILING,
            "mission m2 failed on both paths 17s ago",
        )

    def test_a_mission_of_an_earlier_epoch_says_nothing(self) -> None:
        old = builders.mission("m1", started_s=-2 * 3600.0, fallback_seen=True)
        assert (
            primary_path(View(builders.state(*night(taken(old, at=1.0))), 2.0)).health
            is PrimaryHealth.UNKNOWN
        )

    def test_a_run_that_hangs_with_the_lock_blocks_it(self) -> None:
        runs = [
            builders.session("session_a", active_runs=1),
            builders.session("session_b", active_runs=1),
        ]
        is_stuck = builders.stream(
            builders.processing("implement it"), session_id="session_a", at=-400.0
        )
        queued = builders.stream(builders.processing("and this"), session_id="session_b", at=-300.0)
        seen = builders.state(
            builders.healthy(),
            *is_stuck,
            builders.listing(*runs, at=-300.0),
            *queued,
            builders.listing(*runs),
        )
        blocked = primary_path(View(seen, 1.0))
        assert blocked.health is PrimaryHealth.BLOCKED
        assert "holds the gateway's lock" in blocked.why


class TestProposedWindow:
    """With none open: its stage after a proven brake, and its source where we made all of it."""

    FORCED = (ASKED, SwitchActed(2.0, WRITTEN), builders.booted(NEXT_BOOT, 4.0))

    def test_a_proven_brake_leaves_the_stage_as_the_log_tells_it(self) -> None:
        proven = [*night(*self.FORCED), *turn(at=10.0), taken(at=12.0)]
        assert current_window(View(builders.state(*proven), 0.0)).stage is Stage.SHADOW
        limited = builders.state(*proven, stage=Stage.LIMITED)
        assert current_window(View(limited, 0.0)).stage is Stage.LIMITED

    def test_after_a_proven_brake_silent_turns_are_not_unexplained(self) -> None:
        silent = night(*turn(at=10.0))
        assert "1 unexplained" in unseen_turns(View(builders.state(*silent), 12.0))
        proven = night(*self.FORCED, *turn(at=10.0), taken(at=12.0))
        assert "1 by forced fallback" in unseen_turns(View(builders.state(*proven), 12.0))

    def test_an_open_window_keeps_its_stage_unless_one_is_asked_for(self) -> None:
        opened = WindowsRead(1.0, (window(),))
        proven = night(opened, *self.FORCED, *turn(at=10.0), taken(at=12.0))
        assert current_window(View(builders.state(*proven), 0.0)).stage is Stage.BROADENED
        asked = builders.state(*proven, stage=Stage.SUSTAINED)
        assert current_window(View(asked, 0.0)).stage is Stage.SUSTAINED

    def test_one_that_only_our_probes_filled_is_of_source_probe(self) -> None:
        mine = night(probe_of("m1"), taken(builders.mission("m1"), at=1.0))
        proposed = current_window(View(builders.state(*mine), 0.0))
        assert proposed.source is Traffic.PROBE
        assert proposed.scope == "vp.coder.primary on here, probe traffic"
        mixed = builders.state(*mine, taken(builders.mission("m2"), builders.mission("m1"), at=2.0))
        assert current_window(View(mixed, 0.0)).source is Traffic.ORGANIC
        assert probed_missions(View(mixed, 0.0), current_window(View(mixed, 0.0))) == (2, 1)

    def test_a_source_that_was_given_stands(self) -> None:
        mine = night(probe_of("m1"), taken(builders.mission("m1"), at=1.0))
        given = current_window(View(builders.state(*mine, source=Traffic.SYNTHETIC), 0.0))
        assert given.source is Traffic.SYNTHETIC


def probe_of(mission_id: str) -> ProbeStepped:
    """Return a probe that the lane has taken."""
    probe = probing.Probe("write code", "G1", 0.0, awaited_since=0.0, known=frozenset())
    told = builders.routed("delegated_to_coder_vp", mission_id)
    for fact in (
        ProofStep(0.1, ProbeStep.CREATED, "session_probe"),
        ProofStep(0.2, ProbeStep.EXECUTED),
        StreamEvent(0.3, "session_probe", told),
    ):
        probe = probing.step_probe(probe, fact)
    return ProbeStepped(0.3, probe)
