from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.support.builders import (
    NOW,
    health,
    mission,
    on_disk,
    routed,
    session,
    snapshot,
    stream,
)
from tests.support.gateway import LANE, FakeStream, Rig, lost, refused, settle

from vp_tui.domain.events import (
    AuditFailed,
    ClaimsArrived,
    ContinuityArrived,
    HealthArrived,
    LinkDropped,
    LogArrived,
    LogDropped,
    PartFailed,
    PollRateChanged,
    SessionsArrived,
    SnapshotArrived,
    SourceFailed,
    TokensRead,
)
from vp_tui.domain.models import LaneSession, Plane, Source
from vp_tui.domain.orders import CancelRun, RestartGateway
from vp_tui.gateway.errors import GatewayError, NotFound, ServerFailed, TimedOut
from vp_tui.worker.feeds import LOOKS_AFTER_S
from vp_tui.worker.files import ThreadFeed

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.orders import Order


def planes(rig: Rig) -> list[Plane]:
    return [event.plane for event in rig.told(SnapshotArrived)]


def failures(rig: Rig) -> list[tuple[Source, str | None]]:
    return [(event.source, event.log_id) for event in rig.told(SourceFailed)]


def delegated_to(directory: str) -> LaneSession:
    return LaneSession("vp.coder.primary.session", directory, "active", None, None)


class TestSources:
    async def test_every_source_is_asked_at_once_and_tells(self) -> None:
        rig = Rig()
        async with rig.running():
            kinds = {type(event) for event in rig.events}
        assert kinds == {
            TokensRead,
            HealthArrived,
            SnapshotArrived,
            SessionsArrived,
            ContinuityArrived,
            LogArrived,
        }
        assert rig.client.closed

    async def test_each_source_has_its_interval(self) -> None:
        rig = Rig()
        async with rig.running():
            rig.forget()
            await rig.pace.passes(30.0)
        asked = rig.client.asked
        assert (asked["metrics ops"], asked["sessions ops"]) == (15, 10)
        assert (asked["health"], asked["continuity"]) == (2, 2)

    async def test_sessions_are_listed_sooner_once_for_a_mission_nobody_heard_begin(self) -> None:
        rig = Rig()
        async with rig.running():
            rig.client.metrics_answers[Plane.OPS] = snapshot(mission("m1", "running"))
            rig.forget()
            await rig.pace.passes(2.0)
            assert (rig.client.asked["metrics ops"], rig.client.asked["sessions ops"]) == (1, 1)
            rig.forget()
            await rig.pace.passes(2.5)
        assert rig.client.asked["sessions ops"] == 0

    async def test_a_mission_that_was_heard_hurries_no_listing(self) -> None:
        rig = Rig()
        async with rig.running():
            rig.client.metrics_answers[Plane.OPS] = snapshot(mission("m1", "running"))
            for event in stream(routed("delegated_to_coder_vp", "m1")):
                rig.feeds.tell(event)
            rig.forget()
            await rig.pace.passes(2.0)
        assert rig.client.asked["sessions ops"] == 0

    async def test_the_poll_rate_counts_from_now_on(self) -> None:
        rig = Rig()
        async with rig.running():
            rig.forget()
            rig.feeds.set_poll_factor(5.0)
            await settle()
            assert rig.client.asked["metrics ops"] == 1
            await rig.pace.passes(20.0)
        assert rig.client.asked["metrics ops"] == 3

    async def test_failures_are_told_with_their_source(self) -> None:
        rig = Rig()
        rig.client.all_fail(lost())
        async with rig.running():
            told = failures(rig)
        assert sorted(told, key=str) == sorted(
            [
                (Source.HEALTH, None),
                (Source.METRICS, None),
                (Source.SESSIONS, None),
                (Source.CONTINUITY, None),
                (Source.LOG, LANE),
            ],
            key=str,
        )


class TestClaims:
    async def test_a_g2_is_asked_with_every_third_answer_of_the_metrics(self) -> None:
        rig = Rig()
        rig.client.health_answer = health("G2")
        async with rig.running():
            await rig.pace.passes(30.0)
        metrics, claims = rig.told(SnapshotArrived), rig.told(ClaimsArrived)
        assert (len(metrics), len(claims)) == (16, 6)
        assert rig.client.asked[f"claims {NOW:%H:%M:%S}"] == 6
        assert claims[0].claims == rig.client.claims_answer

    async def test_a_g1_is_not_asked(self) -> None:
        rig = Rig()
        async with rig.running():
            await rig.pace.passes(30.0)
        assert rig.told(ClaimsArrived) == []

    async def test_one_that_refuses_is_told_and_the_metrics_are_taken_all_the_same(self) -> None:
        rig = Rig()
        rig.client.health_answer = health("G2")
        rig.client.claims_answer = NotFound("404", "is this the gateway?")
        async with rig.running():
            await rig.pace.passes(6.0)
        assert {event.claims for event in rig.told(ClaimsArrived)} == {None}
        assert failures(rig) == []
        assert planes(rig) == [Plane.OPS] * 4

    async def test_one_that_asks_to_wait_is_left_alone_until_then(self) -> None:
        rig, error = Rig(), ServerFailed("503", "")
        error.wait_s = 60.0
        rig.client.health_answer, rig.client.claims_answer = health("G2"), error
        async with rig.running():
            await rig.pace.passes(59.0)
            assert len(rig.told(ClaimsArrived)) == 1
            await rig.pace.passes(2.0)
            assert len(rig.told(ClaimsArrived)) == 2


class TestMetrics:
    async def test_while_the_ops_plane_refuses_the_dashboard_stands_in(self) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = refused()
        async with rig.running():
            assert planes(rig) == [Plane.DASHBOARD]
            assert failures(rig) == [(Source.METRICS, None)]
            rig.forget()
            await rig.pace.passes(28.0)
            assert rig.client.asked["metrics ops"] == 0
            assert rig.client.asked["metrics dashboard"] == 14
            await rig.pace.passes(2.0)
            assert rig.client.asked["metrics ops"] == 1
            assert failures(rig) == [(Source.METRICS, None)]

    async def test_the_ops_plane_takes_over_when_it_answers(self) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = refused()
        async with rig.running():
            rig.client.metrics_answers[Plane.OPS] = snapshot(mission())
            rig.forget()
            await rig.pace.passes(34.0)
        assert planes(rig) == [Plane.DASHBOARD] * 14 + [Plane.OPS] * 3

    @pytest.mark.parametrize("error", [ServerFailed("unavailable", ""), refused()])
    async def test_what_can_be_cured_is_told_when_both_fail(self, error: GatewayError) -> None:
        rig = Rig()
        rig.client.metrics_answers = {Plane.OPS: refused(), Plane.DASHBOARD: error}
        async with rig.running():
            told = {event.failure for event in rig.told(SourceFailed)}
        assert told == {refused().failure}

    @pytest.mark.parametrize("error", [lost(), TimedOut("no answer", "wait")])
    async def test_a_gateway_that_comes_back_is_asked_on_the_ops_plane(
        self, error: GatewayError
    ) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = refused()
        async with rig.running():
            rig.client.metrics_answers = {Plane.OPS: snapshot(), Plane.DASHBOARD: error}
            await rig.pace.passes(2.0)
            rig.forget()
            await rig.pace.passes(4.0)
        assert set(planes(rig)) == {Plane.OPS}

    async def test_all_is_asked_at_once_when_a_lost_gateway_answers_again(self) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = lost()
        async with rig.running():
            rig.client.metrics_answers[Plane.OPS] = snapshot()
            rig.forget()
            await rig.pace.passes(4.0)
        assert rig.client.asked["continuity"] == 1

    async def test_a_substitute_that_asks_to_wait_is_obeyed_whatever_wakes(self) -> None:
        rig, error = Rig(), ServerFailed("503", "")
        error.wait_s = 60.0
        rig.client.metrics_answers = {Plane.OPS: refused(), Plane.DASHBOARD: error}
        async with rig.running():
            assert failures(rig)[-1] == (Source.METRICS, None)
            rig.forget()
            await rig.pace.passes(59.0)
            rig.feeds.read_tokens()
            await settle()
            assert rig.client.asked["metrics ops"] == rig.client.asked["metrics dashboard"] == 0
            await rig.pace.passes(1.0)
            assert rig.client.asked["metrics dashboard"] == 1

    async def test_other_errors_have_no_substitute(self) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = ServerFailed("503", "")
        async with rig.running():
            assert planes(rig) == []
        assert rig.client.asked["metrics dashboard"] == 0


class TestSessions:
    async def test_the_session_plane_lists_when_the_ops_plane_refuses(self) -> None:
        rig = Rig()
        rig.client.sessions_answers = {Plane.OPS: refused(), Plane.SESSION: [session()]}
        async with rig.running():
            assert [event.plane for event in rig.told(SessionsArrived)] == [Plane.SESSION]
            assert failures(rig) == []
            assert list(rig.streams) == ["session_a"]
            rig.forget()
            await rig.pace.passes(30.0)
        assert rig.client.asked["sessions ops"] == 1

    async def test_both_planes_refusing_is_a_failure(self) -> None:
        rig = Rig()
        rig.client.sessions_answers = {Plane.OPS: refused(), Plane.SESSION: refused()}
        async with rig.running():
            assert failures(rig) == [(Source.SESSIONS, None)]

    async def test_sockets_are_held_for_what_is_in_memory_only(self) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [
            session("session_a"),
            on_disk("session_d"),
            session(LANE, active_runs=1),
            session("../etc", active_runs=1),
            session("", active_runs=1),
        ]
        async with rig.running():
            assert list(rig.streams) == ["session_a"]
            assert len(rig.told(SessionsArrived)[0].sessions) == 5

    async def test_the_lane_is_not_attached_under_its_later_name_either(self) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = snapshot(lane=delegated_to("/srv/other_lane"))
        async with rig.running():
            rig.client.sessions_answers[Plane.OPS] = [session("other_lane", active_runs=1)]
            await rig.pace.passes(3.0)
        assert rig.streams == {}

    async def test_a_session_that_leaves_the_memory_is_left(self) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [session()]
        async with rig.running():
            rig.client.sessions_answers[Plane.OPS] = [on_disk("session_a")]
            await rig.pace.passes(3.0)
            assert not rig.streams["session_a"].running
        assert rig.told(LinkDropped) == [LinkDropped(3.0, "session_a")]


class TestOutages:
    async def test_the_first_answer_after_an_outage_wakes_the_streams_once(self) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [session()]
        async with rig.running():
            rig.client.all_fail(lost())
            await rig.pace.passes(30.0)
            rig.forget()
            rig.client.all_answer()
            rig.client.sessions_answers[Plane.OPS] = [session()]
            await rig.pace.passes(30.0)
            assert rig.streams["session_a"].wakes == 1

    async def test_one_source_that_never_answers_does_not_wake_them(self) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [session()]
        rig.client.log_answer = TimedOut("no answer", "wait")
        async with rig.running():
            rig.forget()
            await rig.pace.passes(60.0)
            assert rig.client.asked[f"log {LANE}"] > 10
            assert rig.streams["session_a"].wakes == 0

    async def test_a_restart_that_no_poll_noticed_shows_in_the_continuity_at_once(self) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [session()]
        async with rig.running():
            rig.forget()
            rig.client.sessions_answers[Plane.OPS] = []
            await rig.pace.passes(4.0)
            assert rig.client.asked["continuity"] == 1

    @pytest.mark.parametrize("error", [refused(), NotFound("404", ""), ServerFailed("500", "")])
    async def test_any_answer_of_the_gateway_ends_an_outage(self, error: GatewayError) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [session()]
        async with rig.running():
            rig.client.health_answer = lost()
            await rig.pace.passes(15.0)
            rig.forget()
            rig.client.health_answer = error
            await rig.pace.passes(15.0)
            assert rig.streams["session_a"].wakes == 1


class TestTokens:
    async def test_they_are_read_every_half_minute_and_nothing_happens(self) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [session()]
        async with rig.running():
            rig.forget()
            await rig.pace.passes(60.0)
            assert rig.credentials.reads == 3
            assert rig.told(TokensRead) == []
            assert rig.streams["session_a"].wakes == 0
            assert rig.client.asked["health"] == 4

    async def test_new_tokens_are_tried_everywhere_at_once(self) -> None:
        rig = Rig()
        rig.client.sessions_answers[Plane.OPS] = [session()]
        async with rig.running():
            rig.client.all_fail(refused())
            await rig.pace.passes(29.0)
            rig.credentials.file = {"x-ua-ops-token": "new"}
            rig.client.metrics_answers[Plane.OPS] = snapshot()
            rig.forget()
            await rig.pace.passes(1.0)
            assert [event.presence.ops for event in rig.told(TokensRead)] == ["file"]
            assert planes(rig) == [Plane.OPS]
            assert rig.streams["session_a"].wakes == 1

    async def test_the_operator_reads_them_now(self) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = refused()
        async with rig.running():
            rig.forget()
            rig.feeds.read_tokens()
            await settle()
            assert len(rig.told(TokensRead)) == 1
            assert rig.client.asked["metrics ops"] == 1


class TestLogs:
    async def test_the_lane_is_tailed_under_the_name_the_metrics_give(self) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = snapshot(lane=delegated_to("/srv/other_lane"))
        async with rig.running():
            assert rig.told(LogDropped) == [LogDropped(0.0, LANE)]
            rig.forget()
            await rig.pace.passes(10.0)
        assert {key for key in rig.client.asked if key.startswith("log")} == {"log other_lane"}

    async def test_the_shown_log_is_tailed_besides(self) -> None:
        rig = Rig()
        async with rig.running():
            rig.feeds.show_log("session_a")
            await settle()
            rig.forget()
            await rig.pace.passes(10.0)
            assert set(rig.client.asked) >= {f"log {LANE}", "log session_a"}
            rig.feeds.show_log("session_b")
            await settle()
            assert rig.told(LogDropped) == [LogDropped(10.0, "session_a")]
            rig.forget()
            await rig.pace.passes(10.0)
            assert rig.client.asked["log session_b"] > 0
            assert rig.client.asked["log session_a"] == 0

    async def test_showing_the_same_log_again_changes_nothing(self) -> None:
        rig = Rig()
        async with rig.running():
            rig.feeds.show_log("session_a")
            rig.feeds.show_log("session_a")
            await settle()
            assert rig.client.asked["log session_a"] == 1

    async def test_showing_the_lane_keeps_it_tailed(self) -> None:
        rig = Rig()
        async with rig.running():
            rig.feeds.show_log(LANE)
            rig.feeds.show_log(None)
            await settle()
            assert rig.told(LogDropped) == []
            assert rig.client.asked[f"log {LANE}"] == 1

    @pytest.mark.parametrize("session_id", ["../secrets", "a/b", "", "-x"])
    async def test_a_malformed_id_is_never_asked_for(self, session_id: str) -> None:
        rig = Rig()
        rig.client.metrics_answers[Plane.OPS] = snapshot(lane=delegated_to("/srv/-lane"))
        async with rig.running():
            rig.feeds.show_log(session_id)
            await settle()
            assert {key for key in rig.client.asked if key.startswith("log")} == {f"log {LANE}"}


def told_faults(rig: Rig) -> list[tuple[str, str, float | None]]:
    return [(event.part, event.told, event.again_s) for event in rig.told(PartFailed)]


async def test_a_bug_in_one_feed_takes_down_that_only_and_it_is_started_again() -> None:
    rig = Rig()
    rig.feeds.report = lambda error: f"of {error}"
    rig.client.broken = KeyError("a bug")
    async with rig.running():
        assert told_faults(rig) == [("polling health", "KeyError, report of 'a bug'", 1.0)]
        assert rig.told(SnapshotArrived)
        for pause_s in (2.0, 4.0, 8.0, 16.0, 30.0, 30.0):
            before_s = told_faults(rig)[-1][2] or 0.0
            await rig.pace.passes(before_s)
            assert told_faults(rig)[-1][2] == pause_s
        assert not rig.told(HealthArrived)
        rig.client.broken = None
        await rig.pace.passes(30.0)
        assert rig.told(HealthArrived)


async def test_a_stream_with_a_bug_takes_down_no_other() -> None:
    class BrokenStream(FakeStream):
        async def run(self) -> None:
            raise KeyError(self.session_id)

    rig = Rig()
    rig.feeds.report = lambda _error: "r"
    make, broken = rig.feeds.make_stream, BrokenStream("bad")
    rig.feeds.make_stream = lambda name: broken if name == "bad" else make(name)
    rig.client.sessions_answers[Plane.OPS] = [session("bad"), session("good")]
    async with rig.running():
        assert told_faults(rig) == [("stream bad", "KeyError, report r", 1.0)]
        assert rig.streams["good"].running


async def test_a_file_with_a_bug_takes_down_no_other() -> None:
    class Broken(ThreadFeed):
        part = "reading a file"

        def news(self) -> Event | None:
            raise KeyError("a bug")

    class Whole(ThreadFeed):
        part = "reading another"

        def news(self) -> Event | None:
            return PollRateChanged(0.0, 1.0)

    rig = Rig(
        lambda rig: tuple(kind(rig.events.append, rig.pace.clock) for kind in (Broken, Whole))
    )
    rig.feeds.report = lambda _error: "r"
    async with rig.running():
        while not rig.told(PollRateChanged):
            await settle()
        assert told_faults(rig) == [("reading a file", "KeyError, report r", 1.0)]


async def test_a_key_whose_request_has_a_bug_ends_no_feed() -> None:
    rig = Rig()
    rig.feeds.report = lambda _error: "r"
    async with rig.running():
        assert rig.feeds.survive(KeyError("a bug"))
        assert told_faults(rig) == [("what a key asked for", "KeyError, report r", None)]


async def test_without_a_report_a_bug_in_one_feed_ends_them_all_and_closes_the_client() -> None:
    rig = Rig()
    rig.client.broken = KeyError("a bug")
    with pytest.raises(ExceptionGroup) as ended:
        await rig.feeds.run()
    assert ended.group_contains(KeyError)
    assert rig.client.closed


class TestOrders:
    RESTART = RestartGateway("deaf run")
    CANCEL = CancelRun("a", "stuck")

    @pytest.mark.parametrize(("order", "looks"), [(RESTART, len(LOOKS_AFTER_S)), (CANCEL, 0)])
    async def test_the_effect_of_what_is_about_the_lane_is_looked_for(
        self, order: Order, looks: int
    ) -> None:
        rig = Rig()
        async with rig.running():
            before = rig.pace.wakes
            rig.feeds.order(order)
            while not rig.told(AuditFailed):  # noqa: ASYNC110 - the disk has no event
                await asyncio.sleep(0)
            await rig.pace.passes(sum(LOOKS_AFTER_S))
        assert rig.pace.wakes - before == looks
