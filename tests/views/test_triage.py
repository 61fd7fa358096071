"""One run looked at closely: course, logs, mission, what it blocks, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders, scenes
from tests.support.scenes import OWNER, VICTIMS

from vp_tui.domain.models import LaneSession, Source
from vp_tui.views.triage import TOOLS_SHOWN, Triage, triage
from vp_tui.views.view import View

if TYPE_CHECKING:
    from vp_tui.domain.events import Event

A = "session_20261122_190000_aaaaaaaa"
TOOL = builders.frame("tool_call", "Bash npm i", tool="Bash", tool_use_id="t1")
DELEGATED = builders.routed("delegated_to_coder_vp", "vp-mission-00abcd")


def seen(*events: Event, now: float = 2.0, session_id: str = OWNER, **watch: object) -> Triage:
    found = triage(View(builders.state(*events, **watch), now), session_id)
    assert found is not None
    return found


def told(found: Triage) -> list[str]:
    """Return the course, each moment with its second where it is known."""
    return [
        moment.text if moment.at is None else f"{moment.at:g} {moment.text}"
        for moment in found.course
    ]


def alone(*events: Event, now: float = 10.0, **watch: object) -> Triage:
    """Return the run of a session that is the only one, counted from 0.0 on."""
    known: list[Event] = [
        builders.healthy(),
        builders.linked(session_id=A, at=-10.0),
        builders.listing(builders.session(A), at=-5.0),
    ]
    counted = builders.listing(builders.session(A, active_runs=1), at=9.0)
    return seen(*known, *events, counted, now=now, session_id=A, **watch)


class TestCourse:
    def test_a_stuck_delegated_turn_is_told_from_its_frames(self) -> None:
        assert told(seen(*scenes.stuck())) == [
            "-242 delegated, mission 00abcd (live frame: certain)",
            '-241 processing "implement the csv importer"',
            "-240 tool_call Bash npm i, no tool_result for 4m02",
        ]

    def test_a_flood_of_events_leaves_the_course_as_it_is(self) -> None:
        flood = builders.stream(*[builders.frame("text")] * 6_000, session_id=VICTIMS[0], at=-200.0)
        now = builders.state(*scenes.stuck(), *flood)
        assert not any(entry.kind == "tool_call" for entry in now.entries)
        found = triage(View(now, 2.0), OWNER)
        assert found is not None
        assert [text.partition(",")[0] for text in told(found)] == [
            "-242 delegated",
            '-241 processing "implement the csv importer"',
            "-240 tool_call Bash npm i",
        ]

    def test_a_run_whose_beginning_nobody_saw_says_so(self) -> None:
        late = alone(*builders.stream(TOOL, session_id=A, at=4.0))
        assert told(late) == [
            "its beginning was not seen",
            "4 tool_call Bash npm i, no tool_result for 6s",
        ]

    def test_a_counted_run_of_which_nothing_was_heard_is_not_told_as_the_last_turn(self) -> None:
        last = builders.stream(
            builders.processing("the last one"),
            builders.frame("query_complete"),
            session_id=A,
            at=1.0,
        )
        assert told(alone(*last)) == ["9 counted as running; none of its frames was heard yet"]

    def test_an_idle_session_tells_its_last_turn_and_how_it_ended(self) -> None:
        turn = builders.stream(
            builders.processing("one"), builders.frame("query_complete"), session_id=A, at=1.0
        )
        found = seen(builders.healthy(), builders.listing(builders.session(A)), *turn, session_id=A)
        assert told(found) == ['1 processing "one"', "2 turn done"]
        assert found.next_step == "nothing to do: no run"

    def test_a_session_without_a_turn_says_that_none_was_seen(self) -> None:
        assert told(
            seen(builders.healthy(), builders.listing(builders.session(A)), session_id=A)
        ) == ["no turn was seen"]

    def test_an_answered_tool_a_question_and_a_fallback_are_told_in_order(self) -> None:
        frames = builders.stream(
            DELEGATED,
            builders.processing("go"),
            TOOL,
            builders.frame("tool_result", "ok 5 B", tool_use_id="t1"),
            builders.routed("coder_vp_fallback", "vp-mission-00abcd"),
            builders.frame("input_required", "which one?"),
            session_id=A,
        )
        assert told(alone(*frames))[2:] == [
            "3 tool_result of Bash npm i: ok 5 B",
            "4 FELL BACK: words",
            '5 asks "which one?"',
            "5 last sign (input_required), nothing for 5s",
        ]

    def test_of_many_open_tools_the_newest_are_told_and_the_others_counted(self) -> None:
        calls = [builders.frame("tool_call", f"Read {n}", tool_use_id=str(n)) for n in range(5)]
        texts = told(alone(*builders.stream(builders.processing("go"), *calls, session_id=A)))
        assert texts[1].startswith("3 tool_call Read 2")
        assert texts[1:][TOOLS_SHOWN:] == ["and 2 older tool calls without a result"]

    def test_what_comes_from_outside_stays_on_its_line(self) -> None:
        texts = told(alone(*builders.stream(builders.processing("a   b"), session_id=A)))
        assert texts[0] == '0 processing "a b"'


class TestLogs:
    def test_a_delegated_run_logs_to_the_lane(self) -> None:
        found = seen(*scenes.stuck(), builders.logged(log_id=OWNER))
        assert found.log_id == "vp_coder_primary"
        assert found.logs == (
            "lane log +0 lines in 2s (before: unknown)",
            "session log none (a delegated run logs to the lane)",
        )

    def test_lines_are_counted_from_the_beginning_of_the_turn(self) -> None:
        found = alone(
            builders.logged("old", log_id=A, at=0.5),
            *builders.stream(builders.processing("say it"), session_id=A, at=1.0),
            builders.logged("a", "b", log_id=A, at=3.0),
            builders.logged("c", log_id=A, at=5.0),
        )
        assert found.log_id == A
        assert found.logs[0] == "session log +3 lines in 9s (stale)"
        assert found.logs[1].endswith("(not this run's)")

    def test_growth_that_is_no_longer_remembered_is_a_lower_bound(self) -> None:
        grown = [builders.logged("x", log_id=A, at=1.0 + n / 100) for n in range(300)]
        found = alone(
            builders.logged(log_id=A, at=-3.0),
            *builders.stream(builders.processing("x"), session_id=A),
            *grown,
        )
        assert found.logs[0].startswith("session log +200 or more lines in 10s")

    def test_a_log_that_cannot_be_read_is_unknown_and_why(self) -> None:
        found = alone(
            *builders.stream(builders.processing("x"), session_id=A),
            builders.failed(Source.LOG, builders.REFUSED, at=1.0, log_id=A),
        )
        assert found.logs[0] == "session log unknown: 401 from the ops plane"

    def test_a_run_that_waits_has_written_nothing(self) -> None:
        found = seen(*scenes.stuck(), session_id=VICTIMS[0])
        assert found.log_id == VICTIMS[0]
        assert found.logs[1].endswith("(not this run's: it waits)")

    def test_a_run_that_was_not_seen_to_begin_may_write_either(self) -> None:
        assert alone().logs[1].endswith("(which of them is its own is unknown)")


class TestFacts:
    def test_the_mission_of_a_frame_is_certain_and_its_row_is_read(self) -> None:
        assert seen(*scenes.stuck()).mission == (
            "mission 00abcd reads running (live frame: certain)"
        )

    def test_a_guessed_mission_says_why(self) -> None:
        found = alone(
            builders.polled(builders.snapshot(builders.mission("vp-mission-0077ff", "running")))
        )
        assert found.mission.startswith("mission 0077ff? reads running (a guess: the only mission")

    def test_no_mission_is_told_from_an_unknown_one(self) -> None:
        plain = alone(*builders.stream(builders.processing("hello"), session_id=A))
        assert plain.mission == "mission none: the turn was not delegated"
        assert alone().mission == "mission unknown: nobody saw the turn begin"

    def test_who_waits_is_named_and_what_the_lock_blocks(self) -> None:
        found = seen(*scenes.stuck())
        assert found.queue == "2 turns wait behind it: 77aa01bc, b0c1d2e3"
        assert found.blocks == (
            "while it holds the lock: new sessions and attaches hang, brake has no effect"
        )
        victim = seen(*scenes.stuck(), session_id=VICTIMS[0])
        assert victim.queue == "waits behind d3833624, which hangs"
        assert victim.blocks == "blocks nothing: it does not have the gateway's lock"

    def test_without_a_gateway_wide_lock_nothing_else_is_blocked(self) -> None:
        found = seen(
            builders.healthy(dialect="G2"),
            builders.linked(session_id=A),
            builders.listing(builders.session(A, active_runs=1)),
            *builders.stream(builders.processing("x"), session_id=A),
            session_id=A,
        )
        assert "(v2)" in found.blocks
        assert found.blocks.startswith("blocks nothing")

    def test_what_it_blocks_is_unknown_before_the_gateway_said_its_generation(self) -> None:
        found = seen(builders.listing(builders.session(A, active_runs=1)), session_id=A)
        assert found.blocks.startswith("what it blocks is unknown")
        assert found.queue == "who waits is unknown"

    def test_other_viewers_are_unknown_beside_an_old_list(self) -> None:
        two = builders.listing(builders.session(A, active_runs=1, active_connections=3))
        known: list[Event] = [builders.healthy(), builders.linked(session_id=A), two]
        assert seen(*known, session_id=A).viewers == "2 other viewers"
        assert seen(*known, session_id=A, now=60.0).viewers == (
            "other viewers unknown (list stale)"
        )

    @pytest.mark.parametrize(
        ("lane", "said"),
        [
            (None, "lane session none: nothing was ever delegated"),
            (LaneSession("s", "/w", "active", None, None), "lane session active"),
            (LaneSession("s", "/w", "degraded", "boom", None), "lane session degraded: boom"),
            (LaneSession("s", "/w", "stale", "boom", "lease"), "lane session stale: lease"),
        ],
    )
    def test_the_lanes_own_session_is_told(self, lane: LaneSession | None, said: str) -> None:
        found = seen(
            builders.listing(builders.session(A)),
            builders.polled(builders.snapshot(lane=lane)),
            session_id=A,
        )
        assert found.lane == said

    def test_a_session_that_is_not_listed_has_no_triage(self) -> None:
        assert triage(View(builders.state(*scenes.stuck()), 2.0), "session_x") is None


class TestLadder:
    def test_a_stuck_run_is_cancelled_once_then_only_a_restart_helps(self) -> None:
        assert seen(*scenes.stuck()).next_step == (
            "c cancel, 5 s -> deaf? 2nd cancel useless -> X restart gateway (kills 3)"
        )

    def test_a_deaf_run_is_not_cancelled_again(self) -> None:
        found = seen(*scenes.deaf(), now=8.0)
        assert found.next_step == "2nd cancel useless -> X restart gateway (kills 3)"
        assert found.cancel is not None
        assert found.cancel.actor == "ana@laptop"
        assert found.mission == "mission 00abcd reads running (live frame: certain)"

    def test_a_victim_is_not_cancelled_at_all(self) -> None:
        assert seen(*scenes.stuck(), session_id=VICTIMS[1]).next_step == (
            "cancelling it frees nothing: it waits behind d3833624, triage that one"
        )

    def test_read_only_says_that_somebody_else_must_act(self) -> None:
        assert seen(*scenes.stuck(), read_only=True).next_step.endswith(
            "this vp-tui is read-only: somebody else must do it"
        )
        assert "read-only" not in alone(read_only=True).next_step

    def test_a_quiet_run_says_when_it_counts_as_stuck(self) -> None:
        quiet = alone(
            *builders.stream(builders.processing("x"), session_id=A, at=1.0),
            now=9.0,
            stuck_after=12.0,
        )
        assert quiet.next_step == "wait: it counts as stuck in 4s, then c cancel"

    def test_a_run_that_moves_needs_nothing(self) -> None:
        assert alone(
            *builders.stream(builders.processing("x"), session_id=A, at=9.0)
        ).next_step == ("nothing to do: it moves")

    def test_beside_an_old_list_without_a_socket_nothing_is_known(self) -> None:
        known: list[Event] = [
            builders.healthy(),
            builders.listing(builders.session(A, active_runs=1)),
        ]
        found = seen(*known, session_id=A, now=60.0)
        assert found.row.level.level is None
        assert found.next_step.startswith("nothing is known now")
        assert found.queue == "who waits is unknown"
