"""From State to what the auto-revert may do, and what it does: once, and told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.support import builders
from tests.support.rollout import window

from vp_tui.domain.events import (
    OrderRefused,
    RestartActed,
    RestartAsked,
    SwitchActed,
    SwitchAsked,
    SwitchesRead,
    Tick,
    WindowsRead,
)
from vp_tui.domain.lane.auto_revert import (
    UNCLAIMED,
    UNREAD,
    AutoRevert,
    AutoRevertBarred,
    Phase,
)
from vp_tui.domain.lane.switches import (
    FORCE_FALLBACK,
    RELEASE,
    Actuation,
    Change,
    CommandRun,
    Means,
    Switch,
    Switches,
)
from vp_tui.domain.models import Plane, Source
from vp_tui.domain.vocabulary import RevertMode, Stage, Traffic
from vp_tui.state.reducer import reduce, reduce_all
from vp_tui.views.lookout import circumstances, judged
from vp_tui.views.view import View
from vp_tui.worker.lookout import act_on_revert

if TYPE_CHECKING:
    from datetime import datetime

    from vp_tui.domain.events import Event, Heard
    from vp_tui.domain.models import Snapshot
    from vp_tui.domain.runs.alarms import Alarm
    from vp_tui.state.state import State

BY_COMMAND: Final = Means(apply=("restart",))
BY_FILE: Final = Means(env_file="/srv/gateway/.env")
OURS: Final = AutoRevertBarred(0.0, None)
RUN: Final = Actuation((), command=CommandRun(("restart",), 0, (), 1.0))


def fallen(count: int) -> Snapshot:
    return builders.snapshot(
        *(
            builders.mission(f"m{n}", started_s=-60.0 * n, fallback_seen=n <= count)
            for n in range(1, 10)
        )
    )


def told(*events: Event, count: int = 3, **watch: Any) -> State:  # noqa: ANN401 - fields of Watch
    """Return the state after a trip, armed with a command, the lock taken."""
    given = {"auto_revert": RevertMode.ARMED, "means": BY_COMMAND} | watch
    return builders.state(
        builders.healthy(),
        builders.booted(),
        builders.polled(fallen(count)),
        OURS,
        *events,
        **given,
    )


def obstacle(*events: Event, **watch: Any) -> str | None:  # noqa: ANN401 - as above
    return circumstances(View(told(*events, **watch), 1.0)).obstacle


def already(*events: Event, **watch: Any) -> str | None:  # noqa: ANN401 - as above
    return circumstances(View(told(*events, **watch), 1.0)).already


class _Hands:
    """Notes what is to be done."""

    since: datetime | None = None
    """From when on an audited dry run is of the same trip."""

    def __init__(self) -> None:
        self.changed: list[tuple[Change, str]] = []
        self.noted: list[tuple[str, str, str]] = []

    def change_switch(self, change: Change, reason: str) -> None:
        self.changed.append((change, reason))

    def note(self, action: str, reason: str, result: str) -> None:
        self.noted.append((action, reason, result))

    def keep_heard(self, heard: Heard) -> None:
        self.kept = heard

    def note_once(self, action: str, reason: str, result: str, since: datetime) -> None:
        self.since = since
        self.note(action, reason, result)

    def ring(self, alarms: tuple[Alarm, ...]) -> None:
        raise AssertionError(alarms)


def live(known: State, seconds: int, hands: _Hands, at: int = 1) -> State:
    """Return the state after so many ticks, as the app lets them pass."""
    for now in range(at, at + seconds):
        before, found = known.auto_revert, judged(View(known, float(now)), reverts=True)
        known = reduce_all(known, [Tick(float(now), known.clock.wall_at(now)), *found])
        act_on_revert(before, View(known, float(now)), hands)
    return known


class TestCircumstances:
    def test_a_trip_with_its_reason(self) -> None:
        found = circumstances(View(told(), 1.0))
        assert found.mode is RevertMode.ARMED
        assert found.trip is not None
        assert found.trip.startswith("3 of the last 9 fell back")
        assert (found.already, found.obstacle) == (None, None)
        assert circumstances(View(told(count=2), 1.0)).trip is None

    @pytest.mark.parametrize("stage", Stage)
    def test_a_trip_counts_in_every_stage(self, stage: Stage) -> None:
        assert circumstances(View(told(stage=stage), 1.0)).trip is not None

    def test_made_up_traffic_trips_nothing(self) -> None:
        unreal = WindowsRead(0.0, (window(source=Traffic.FAULT_INJECTED),))
        assert circumstances(View(told(unreal), 1.0)).trip is None

    @pytest.mark.parametrize(
        "event",
        [
            builders.failed(Source.METRICS, builders.LOST, at=1.0),
            builders.failed(Source.METRICS, builders.REFUSED, at=1.0),
            builders.polled(fallen(3), plane=Plane.DASHBOARD),
        ],
    )
    def test_a_trip_that_was_seen_stands_whatever_tells_no_more(self, event: Event) -> None:
        assert circumstances(View(told(event), 100.0)).trip is not None

    def test_what_tells_nothing_trips_nothing(self) -> None:
        blank = builders.state(
            builders.failed(Source.METRICS, builders.LOST), OURS, auto_revert=RevertMode.ARMED
        )
        assert circumstances(View(blank, 1.0)).trip is None

    def test_off_needs_no_reasons(self) -> None:
        found = circumstances(View(told(auto_revert=RevertMode.OFF, means=None), 1.0))
        assert (found.already, found.obstacle) == (None, None)


class TestObstacles:
    @pytest.mark.parametrize("means", [None, Means(release=("x",)), Means(restart=("x",))])
    def test_without_an_actuator(self, means: Means | None) -> None:
        assert obstacle(means=means) == "no actuator is configured"

    def test_read_only(self) -> None:
        assert obstacle(read_only=True) == "vp-tui is read-only"

    def test_another_vp_tui_has_it(self) -> None:
        assert obstacle(AutoRevertBarred(1.0, "another has it")) == "another has it"

    def test_before_the_lock_is_taken(self) -> None:
        found = circumstances(
            View(
                builders.state(
                    builders.healthy(),
                    builders.polled(fallen(3)),
                    auto_revert=RevertMode.ARMED,
                    means=BY_COMMAND,
                ),
                1.0,
            ),
        )
        assert found.obstacle == UNCLAIMED

    def test_a_dry_run_asks_nobody_whether_it_may(self) -> None:
        barred = AutoRevertBarred(1.0, "another has it")
        assert obstacle(barred, auto_revert=RevertMode.DRY_RUN) is None

    def test_an_env_file_that_is_not_read_yet(self) -> None:
        assert obstacle(means=BY_FILE) == UNREAD

    def test_an_env_file_that_cannot_be_read(self) -> None:
        gone = SwitchesRead(0.0, None, None, "there is no such file")
        expected = "the env file cannot be read: there is no such file"
        assert obstacle(gone, means=BY_FILE) == expected

    def test_a_switch_that_would_have_no_effect(self) -> None:
        masked = Switches(masked=frozenset({Switch.FORCED_FALLBACK}))
        expected = "UA_DISABLE_CODER_VP_FORCE_FALLBACK is on there"
        assert obstacle(SwitchesRead(0.0, masked), means=BY_FILE) == expected

    def test_an_env_file_that_says_nothing_of_the_switch(self) -> None:
        assert obstacle(SwitchesRead(0.0, Switches()), means=BY_FILE) is None

    def test_another_change_is_under_way(self) -> None:
        asked = SwitchAsked(1.0, Change(Switch.SHADOW, on=True), "ana@laptop")
        assert obstacle(asked) == "shadow mode on: under way"
        assert obstacle(asked, SwitchActed(2.0, RUN)) is None

    def test_a_restart_is_under_way(self) -> None:
        asked = RestartAsked(1.0, "ana@laptop")
        assert obstacle(asked) == "a restart is under way"
        assert obstacle(asked, RestartActed(2.0, RUN)) is None


class TestNothingToForce:
    def test_its_switch_is_on(self) -> None:
        on = SwitchesRead(0.0, Switches(forced_fallback=True))
        assert already(on, means=BY_FILE) == "UA_CODER_VP_FORCE_FALLBACK is on already"

    def test_its_switch_is_on_without_an_effect(self) -> None:
        masked = Switches(forced_fallback=True, masked=frozenset({Switch.FORCED_FALLBACK}))
        assert already(SwitchesRead(0.0, masked), means=BY_FILE) is None

    def test_somebody_pressed_the_brake(self) -> None:
        asked = SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop")
        assert already(asked) == "fallback was forced already"
        assert already(asked, SwitchActed(2.0, RUN)) == "fallback was forced already"

    def test_the_brake_did_not_work_or_was_released(self) -> None:
        asked = SwitchAsked(1.0, FORCE_FALLBACK, "ana@laptop")
        broken = SwitchActed(2.0, Actuation((), builders.LOST))
        assert already(asked, broken) is None
        assert already(asked, SwitchAsked(3.0, RELEASE, "ana@laptop")) is None


class TestFollowing:
    def test_it_forces_fallback_exactly_once(self) -> None:
        hands = _Hands()
        known = live(told(), 60, hands)
        ((change, reason),) = hands.changed
        assert change == FORCE_FALLBACK
        assert reason.startswith("auto-revert: 3 of the last 9 fell back")
        assert known.auto_revert.phase is Phase.REVERTED

    def test_it_is_armed_again_exactly_when_its_order_was_refused(self) -> None:
        hands, why = _Hands(), "ana's vp-tui is restarting the gateway"
        tried = live(told(), 15, hands)
        refused = OrderRefused(15.0, FORCE_FALLBACK.words, "http://gateway", why)
        known = reduce(tried, refused)
        assert known.auto_revert.phase is Phase.ARMED
        live(known, 15, hands, at=15)
        assert len(hands.changed) == 2
        done = reduce(tried, SwitchAsked(12.0, FORCE_FALLBACK, "ana@laptop"))
        assert reduce(done, refused).auto_revert.phase is Phase.REVERTED
        other = refused._replace(what=RELEASE.words)
        assert reduce(tried, other).auto_revert.phase is Phase.REVERTED

    def test_not_before_ten_seconds_are_over(self) -> None:
        hands = _Hands()
        known = live(told(), 10, hands)
        assert hands.changed == []
        live(known, 1, hands, at=11)
        assert len(hands.changed) == 1

    def test_each_step_is_audited_once_with_the_trip(self) -> None:
        hands = _Hands()
        live(told(), 60, hands)
        assert [result.partition(":")[0] for _a, _r, result in hands.noted] == [
            "countdown",
            "the countdown ran out",
        ]
        assert {action for action, _r, _result in hands.noted} == {"auto-revert"}
        assert all(r.startswith("3 of the last 9 fell back") for _a, r, _result in hands.noted)

    def test_a_dry_run_is_of_one_trip_since_the_oldest_fallback_of_it(self) -> None:
        hands = _Hands()
        live(told(auto_revert=RevertMode.DRY_RUN), 3, hands)
        assert hands.since == builders.NOW - timedelta(seconds=150)

    def test_a_dry_run_audits_what_it_would_have_done(self) -> None:
        hands = _Hands()
        live(told(auto_revert=RevertMode.DRY_RUN), 60, hands)
        ((action, reason, result),) = hands.noted
        assert (action, result) == ("auto-revert", "dry run: fallback would be forced now")
        assert reason.startswith("3 of the last 9 fell back")
        assert hands.changed == []

    @pytest.mark.parametrize(
        ("events", "watch", "why"),
        [
            ((), {"read_only": True}, "vp-tui is read-only"),
            ((), {"means": None}, "no actuator is configured"),
            ((AutoRevertBarred(0.0, "pid 7 has it"),), {}, "pid 7 has it"),
            (
                (SwitchesRead(0.0, Switches(forced_fallback=True)),),
                {"means": BY_FILE},
                "UA_CODER_VP_FORCE_FALLBACK is on already",
            ),
        ],
    )
    def test_what_stands_in_the_way_is_audited_once_and_nothing_forced(
        self, events: tuple[Event, ...], watch: dict[str, Any], why: str
    ) -> None:
        hands = _Hands()
        live(told(*events, **watch), 60, hands)
        assert hands.changed == []
        assert [result for *_, result in hands.noted] == [f"fallback is not forced: {why}"]

    def test_off_does_and_says_nothing(self) -> None:
        hands = _Hands()
        live(told(auto_revert=RevertMode.OFF), 60, hands)
        assert (hands.changed, hands.noted) == ([], [])

    def test_nothing_is_looked_at_before_a_source_has_spoken(self) -> None:
        known = builders.state(OURS, auto_revert=RevertMode.ARMED, means=BY_COMMAND)
        assert judged(View(known, 1.0), reverts=True) == ()

    def test_a_look_that_changes_nothing_changes_nothing(self) -> None:
        known = live(told(count=0), 1, _Hands())
        assert known.auto_revert.phase is Phase.ARMED
        looked = judged(View(known, 2.0), reverts=True)
        assert reduce_all(known, looked).auto_revert == known.auto_revert

    def test_a_headless_look_steps_nothing(self) -> None:
        known = told()
        (looked,) = judged(View(known, 1.0))
        assert reduce_all(known, [looked]).auto_revert == known.auto_revert


class TestReduced:
    def test_what_is_news_is_in_the_event_list(self) -> None:
        known = live(told(), 20, _Hands())
        lines = [(e.text.partition(":")[0], e.tone) for e in known.entries if e.kind == "revert"]
        assert lines == [("countdown", "bad"), ("the countdown ran out", "bad")]

    def test_who_may_act_is_kept(self) -> None:
        known = builders.state(OURS)
        assert known.auto_revert == AutoRevert(bar=None)
        barred = reduce_all(known, [AutoRevertBarred(1.0, "pid 7 has it")])
        assert barred.auto_revert.bar == "pid 7 has it"
        assert barred.entries == known.entries

    def test_a_second_of_the_countdown_is_no_news(self) -> None:
        known = live(told(), 1, _Hands())
        later = live(known, 1, _Hands(), at=2)
        assert later.auto_revert.is_counting
        assert [e for e in later.entries if e.kind == "revert"] == [
            e for e in known.entries if e.kind == "revert"
        ]
