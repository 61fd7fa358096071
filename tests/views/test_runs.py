"""Runs from State to rows: what a gateway tells over time, and what is then said of each run."""

# ruff: noqa: ANN401 - the fields that a test names have the types of the value that is made

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.support import builders

from vp_tui.domain.events import HealthArrived
from vp_tui.domain.models import Failure, Source, StreamState
from vp_tui.domain.runs.levels import Level
from vp_tui.state.operator import stuck_after_s
from vp_tui.views.runs import RunRow, finished_at, run_rows
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.models import Frame, Session
    from vp_tui.state.state import State

CANCELLED = builders.frame("cancelled")
UNWOUND = (
    builders.status_frame(status="turn_cancelled"),
    builders.frame("query_complete", cancelled=True),
    CANCELLED,
)


def busy(name: str, **fields: Any) -> Session:
    return builders.session(name, active_runs=1, **fields)


def said(name: str, *frames: Frame, at: float) -> list[Event]:
    return list(builders.stream(*frames, session_id=name, at=at))


def begun(name: str, at: float, mission_id: str = "m1") -> list[Event]:
    """Return a delegated turn that goes into a tool, over three seconds."""
    tool = builders.frame("tool_call", "Bash npm i", tool="Bash", tool_use_id="t1")
    return said(
        name,
        builders.routed("delegated_to_coder_vp", mission_id),
        builders.processing(),
        tool,
        at=at,
    )


def watched(*names: str) -> list[Event]:
    """Return a G1 gateway and sockets of these sessions, from -10 on."""
    return [
        builders.healthy(-10.0),
        *(builders.linked(session_id=name, at=-10.0) for name in names),
    ]


def polls(*sessions: Session, until: float, since: float = 0.0) -> list[Event]:
    """Return a listing every three seconds that never changes."""
    return [
        builders.listing(*sessions, at=since + 3.0 * n)
        for n in range(int((until - since) / 3.0) + 1)
    ]


def rows(now: State, at: float) -> dict[str, RunRow]:
    return {row.session.session_id: row for row in run_rows(View(now, at))}


def words(now: State, at: float) -> dict[str, str]:
    return {name: str(row.level.level) for name, row in rows(now, at).items()}


def stuck_with_victims(until: float = 300.0) -> list[Event]:
    """Return a run stuck in a tool from 2 on, and another behind it."""
    return [
        *watched("a", "b"),
        builders.listing(builders.session("a"), builders.session("b"), at=-1.0),
        *begun("a", 0.0),
        *polls(busy("a", last_event_seq=9), busy("b"), until=until),
    ]


class TestStuckAndQueued:
    def test_a_silent_tool_call_is_stuck_and_its_victim_queued(self) -> None:
        found = rows(builders.state(*stuck_with_victims()), 302.0)
        assert found["a"].level.level is Level.STUCK
        assert found["a"].silent_s == 300.0
        assert "in tool Bash for 5m00" in found["a"].level.reason
        assert found["b"].level.reason == "queued behind a, which is stuck"
        assert not found["b"].is_alarm

    def test_of_two_that_were_there_before_vp_tui_none_is_named(self) -> None:
        now = builders.state(
            builders.healthy(), *polls(busy("a", last_event_seq=40), busy("b"), until=150.0)
        )
        found = rows(now, 150.0)
        assert [row.level.rivals for row in found.values()] == [("a", "b")] * 2
        for row in found.values():
            assert "held by a (its log has no lines, 40 events) or b (" in row.level.reason
            assert "a guess" in row.level.reason

    def test_on_g2_nothing_is_queued(self) -> None:
        events = [e for e in stuck_with_victims() if not isinstance(e, HealthArrived)]
        assert words(builders.state(builders.healthy(dialect="G2"), *events), 301.0) == {
            "a": "stuck",
            "b": "stuck",
        }

    @pytest.mark.parametrize("hours", [-30, 30])
    def test_a_gateway_clock_that_is_hours_off_changes_nothing(self, hours: int) -> None:
        off = HealthArrived(0.0, builders.health(clock_offset_s=3600.0 * hours))
        assert words(builders.state(*stuck_with_victims(), off), 301.0) == {
            "a": "stuck",
            "b": "queued",
        }

    def test_others_who_attach_and_leave_do_not_move_it(self) -> None:
        comings = [
            builders.listing(
                busy("a", last_event_seq=9 + n, active_connections=1 + n % 3),
                at=303.0 + 3 * n,
            )
            for n in range(20)
        ]
        found = rows(builders.state(*stuck_with_victims(), *comings), 364.0)
        assert (found["a"].level.level, found["a"].silent_s) == (Level.STUCK, 362.0)

    def test_one_more_viewer_is_no_progress_without_a_socket_either(self) -> None:
        seen = polls(busy("a"), until=90.0)
        joined = builders.listing(busy("a", last_event_seq=6, active_connections=1), at=93.0)
        moved = builders.listing(busy("a", last_event_seq=8, active_connections=1), at=96.0)
        assert rows(builders.state(builders.healthy(), *seen, joined), 94.0)["a"].silent_s == 94.0
        assert (
            rows(builders.state(builders.healthy(), *seen, joined, moved), 97.0)["a"].silent_s
            == 1.0
        )

    def test_own_reconnects_do_not_move_it(self) -> None:
        again: list[Event] = []
        for n in range(1, 6):
            at = 300.0 + 9 * n
            again += [
                builders.linked(StreamState.WAITING, "closed", session_id="a", at=at),
                builders.linked(session_id="a", at=at + 2),
                *said("a", builders.frame("connected"), at=at + 2),
                builders.listing(busy("a", last_event_seq=9 + n), at=at + 3),
            ]
        assert rows(builders.state(*stuck_with_victims(), *again), 360.0)["a"].silent_s == 358.0

    def test_a_g2_gateway_that_greets_a_new_viewer_does_not_move_it(self) -> None:
        greeting = builders.status_frame(status="processing", turn_id="turn_1")
        now = builders.state(*stuck_with_victims(), *said("a", greeting, at=303.0))
        assert rows(now, 304.0)["a"].silent_s == 302.0

    def test_a_run_that_drips_is_long_in_time(self) -> None:
        drips = [e for n in range(400) for e in said("a", builders.frame("text"), at=5.0 * n)]
        now = builders.state(
            *watched("a", "b"), *begun("a", -3.0), builders.listing(busy("a"), busy("b")), *drips
        )
        recent = builders.state(
            *watched("a", "b"),
            *begun("a", -3.0),
            *drips,
            builders.listing(busy("a"), busy("b"), at=1_996.0),
        )
        assert words(recent, 1_998.0) == {"a": "long", "b": "queued"}
        assert "stuck" not in words(now, 1_998.0).values()

    def test_an_asked_threshold_stands_and_p95_raises_the_other(self) -> None:
        slow = builders.polled(
            builders.snapshot(builders.mission(started_s=-90.0, duration_s=70.0))
        )
        assert stuck_after_s(builders.state(slow)) == 210.0
        assert stuck_after_s(builders.state(slow, stuck_after=5.0)) == 5.0
        assert stuck_after_s(builders.state()) == 120.0

    def test_new_lines_of_the_lanes_log_are_progress_of_the_run_on_the_lane(self) -> None:
        first, more = builders.logged("old", at=1.0), builders.logged("new", at=290.0)
        assert words(builders.state(*stuck_with_victims(), first), 301.0)["a"] == "stuck"
        now = builders.state(*stuck_with_victims(), first, more)
        assert words(now, 301.0) == {"a": "ok", "b": "queued"}
        rotated = builders.logged("other file", at=295.0, restarted=True)
        assert (
            rows(builders.state(*stuck_with_victims(), first, more, rotated), 301.0)["a"].silent_s
            == 11.0
        )


class TestCancelled:
    def test_a_deaf_run_keeps_the_blame_while_its_victims_wait(self) -> None:
        hit = [
            *said("a", CANCELLED, at=305.0),
            *polls(builders.session("a", last_event_seq=11), busy("b"), since=306.0, until=500.0),
        ]
        found = rows(builders.state(*stuck_with_victims(), *hit), 501.0)
        assert [row.level.level for row in found.values()] == [Level.DEAF, Level.QUEUED]
        assert found["a"].level.waiting == ("b",)
        assert found["b"].level.blocker == "a"

    def test_until_another_turn_makes_progress(self) -> None:
        hit = [
            *said("a", CANCELLED, at=305.0),
            builders.listing(builders.session("a", last_event_seq=11), busy("b"), at=306.0),
        ]
        now = builders.state(*stuck_with_victims(), *hit, *begun("b", 400.0, "m2"))
        assert words(now, 403.0) == {"b": "ok", "a": "idle"}

    def test_a_cancelled_victim_is_no_progress(self) -> None:
        hit = [
            *said("a", CANCELLED, at=305.0),
            builders.listing(builders.session("a", last_event_seq=11), busy("b"), at=306.0),
            *said("b", *UNWOUND, at=400.0),
        ]
        assert words(builders.state(*stuck_with_victims(), *hit), 403.0) == {
            "a": "deaf",
            "b": "idle",
        }

    def test_one_that_unwinds_lets_the_next_begin(self) -> None:
        now = builders.state(*stuck_with_victims(), *said("a", *UNWOUND, at=300.0))
        assert words(now, 303.0) == {"b": "ok", "a": "idle"}

    def test_an_engine_that_goes_on_is_an_orphan(self) -> None:
        only = [*watched("a"), *begun("a", 0.0), *polls(busy("a"), until=300.0)]
        over = [
            builders.logged("before", at=1.0),
            *said("a", *UNWOUND, at=301.0),
            builders.listing(builders.session("a", last_event_seq=12), at=306.0),
        ]
        assert words(builders.state(*only, *over), 330.0) == {"a": "idle"}
        found = rows(builders.state(*only, *over, builders.logged("still here", at=329.0)), 330.0)
        assert found["a"].level.level is Level.ORPHAN


class TestRestart:
    @pytest.mark.parametrize("deaf", [False, True])
    def test_sequences_that_begin_again_end_the_old_life(self, *, deaf: bool) -> None:
        hit = [
            *said("a", CANCELLED, at=301.0),
            builders.listing(builders.session("a", last_event_seq=11), busy("b"), at=303.0),
        ]
        over: list[Event] = [
            builders.linked(StreamState.WAITING, "1012", session_id="a", at=304.0),
            builders.listing(
                builders.session("a", last_event_seq=1), builders.on_disk("b"), at=306.0
            ),
        ]
        now = builders.state(*stuck_with_victims(), *(hit if deaf else []), *over)
        assert words(now, 307.0) == {"a": "idle" if deaf else "lost", "b": "lost"}

    def test_a_new_epoch_does_where_the_sequences_have_caught_up(self) -> None:
        before = builders.state(builders.booted(), *stuck_with_victims())
        assert words(before, 301.0)["a"] == "stuck"
        again = builders.linked(session_id="a", at=300.5)
        now = builders.state(
            builders.booted(),
            *stuck_with_victims(),
            again,
            builders.booted("2026-11-22T20:05", at=301.0),
        )
        assert set(words(now, 302.0).values()) == {"lost"}

    def test_a_turn_that_a_new_socket_told_is_of_the_new_life(self) -> None:
        again = [builders.linked(session_id="a", at=302.0), *begun("a", 303.0, "m9")]
        now = builders.state(
            builders.booted(),
            *stuck_with_victims(),
            *again,
            builders.booted("2026-11-23", at=307.0),
        )
        assert rows(now, 308.0)["a"].mission.mission_id == "m9"
        assert words(now, 308.0)["a"] == "ok"


class TestLost:
    def test_a_session_that_leaves_the_listing_while_it_runs(self) -> None:
        now = builders.state(
            *stuck_with_victims(), builders.listing(builders.session("c"), at=303.0)
        )
        found = words(now, 305.0)
        assert (found["a"], found["c"]) == ("lost", "idle")

    def test_a_listing_that_is_cut_proves_nothing(self) -> None:
        part = builders.listing(builders.session("c"), at=303.0)._replace(total=900)
        assert "a" not in words(builders.state(*stuck_with_victims(), part), 305.0)

    def test_an_idle_one_just_leaves(self) -> None:
        now = builders.state(
            builders.healthy(), builders.listing(builders.session("a")), builders.listing(at=3.0)
        )
        assert words(now, 4.0) == {}

    def test_it_comes_back_or_is_forgotten_in_time(self) -> None:
        gone = [*stuck_with_victims(), builders.listing(at=303.0)]
        back = builders.listing(builders.session("a", last_event_seq=12), at=306.0)
        assert words(builders.state(*gone, back), 307.0)["a"] == "idle"
        assert words(builders.state(*gone, builders.listing(at=3_000.0)), 3_001.0) == {}


class TestAnOldListing:
    def test_unattached_runs_are_not_known_and_heard_ones_are_doubtful(self) -> None:
        events = [*watched("a"), *begun("a", 0.0), builders.listing(busy("a"), busy("b"), at=0.0)]
        found = rows(
            builders.state(*events, builders.failed(Source.SESSIONS, builders.REFUSED, at=9.0)),
            12.0,
        )
        assert (found["a"].level.level, found["a"].level.is_certain) == (Level.OK, False)
        assert found["b"].level.level is None
        assert found["b"].level.reason == (
            "the list of sessions is unauthorized, last seen 02:00:00Z"
        )

    def test_a_lost_gateway_leaves_nothing_to_hear(self) -> None:
        gone = Failure("connection refused", "is it up?", is_silence=True)
        lost = [
            builders.failed(source, gone, at=301.0) for source in (Source.METRICS, Source.SESSIONS)
        ]
        assert set(words(builders.state(*stuck_with_victims(), *lost), 400.0).values()) == {"None"}

    def test_a_stuck_one_that_is_heard_stays_stuck(self) -> None:
        found = words(builders.state(*stuck_with_victims()), 400.0)
        assert found == {"a": "stuck", "b": "queued"}


class TestMissions:
    def test_the_live_frame_names_it_for_certain(self) -> None:
        belief = rows(builders.state(*stuck_with_victims()), 301.0)["a"].mission
        assert belief == ("m1", "live frame: certain", True)

    def test_the_only_one_that_can_run_is_a_guess_for_who_has_the_lock(self) -> None:
        running = builders.snapshot(
            builders.mission("m7", "running"), builders.mission("m6", "running")
        )
        now = builders.state(
            builders.healthy(),
            builders.polled(running),
            builders.listing(busy("a", last_event_seq=9)),
            builders.listing(busy("a", last_event_seq=9), busy("b"), at=0.5),
        )
        found = rows(now, 1.0)
        assert found["a"].mission.mission_id == "m7"
        assert "a guess" in found["a"].mission.why
        assert found["b"].mission.mission_id is None

    def test_not_one_that_was_cancelled(self) -> None:
        zombie = builders.polled(builders.snapshot(builders.mission("m1", "running")), 306.0)
        now = builders.state(*stuck_with_victims(), *said("a", *UNWOUND, at=303.0), zombie)
        assert rows(now, 307.0)["b"].mission.mission_id is None

    def test_on_g2_nothing_is_guessed(self) -> None:
        running = builders.polled(builders.snapshot(builders.mission("m7", "running")))
        now = builders.state(builders.healthy(dialect="G2"), running, builders.listing(busy("a")))
        assert rows(now, 1.0)["a"].mission.mission_id is None

    def test_when_the_last_one_finished_by_our_own_clock(self) -> None:
        assert (
            finished_at(
                View(
                    builders.state(
                        builders.polled(builders.snapshot(builders.mission(started_s=-60.0)), 100.0)
                    ),
                    0.0,
                )
            )
            == 70.0
        )
        assert (
            finished_at(
                View(
                    builders.state(
                        builders.polled(
                            builders.snapshot(builders.mission(status="running")), 100.0
                        )
                    ),
                    0.0,
                )
            )
            is None
        )
        assert finished_at(View(builders.state(), 0.0)) is None


def test_alarms_come_first_then_what_runs_then_by_id() -> None:
    events = [
        *watched("d", "b"),
        *begun("d", 0.0),
        *polls(builders.session("a"), busy("b"), builders.session("c"), busy("d"), until=300.0),
    ]
    assert list(rows(builders.state(*events), 301.0)) == ["d", "b", "a", "c"]
