"""Levels of runs, from what the streams and the listings told, at a moment."""

# ruff: noqa: ANN401 - the fields that a test names have the types of the value that is made

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import frame, processing, routed, status_frame, stream
from tests.support.recorded import transcript

from vp_tui.domain.runs.levels import Level, RunLevel, levels, stuck_after
from vp_tui.domain.runs.progress import ListedRun, RunsContext
from vp_tui.domain.runs.run import Run, RunCancel, cancelled, follow_run, listed, released

if TYPE_CHECKING:
    from vp_tui.domain.models import Frame

DELEGATION = routed("delegated_to_coder_vp", "m1")
TOOL = frame("tool_call", "Bash npm i", tool="Bash", tool_use_id="t1")


def run(session_id: str = "a", *, since: float = 0.0, seq: int = 5, **fields: Any) -> Run:
    """Return a run that a listing counts since that moment, after one that did not."""
    return listed(Run(session_id, idle_at=since - 1.0), seq=seq, running=True, at=since)._replace(
        **fields
    )


def heard(*frames: Frame, session_id: str = "a", at: float = 1.0) -> Run:
    """Return a counted run of which these frames were heard, a second between two."""
    return follow_run(run(session_id), stream(*frames, session_id=session_id, at=at))[0]


def seen(one: Run, **fields: Any) -> ListedRun:
    return ListedRun(one, is_live=True, **fields)


def told(
    *sessions: ListedRun | Run, now: float, has_lock: bool = True, **context: Any
) -> list[RunLevel]:
    """Return the levels in the order of the sessions."""
    many = [seen(one) if isinstance(one, Run) else one for one in sessions]
    found = levels(many, RunsContext(now, has_lock, **({"stuck_after_s": 120.0} | context)))
    return [found[one.run.session_id] for one in many]


def words(
    *sessions: ListedRun | Run, now: float, has_lock: bool = True, **context: Any
) -> list[str]:
    return [str(one.level) for one in told(*sessions, now=now, has_lock=has_lock, **context)]


class TestThreshold:
    @pytest.mark.parametrize(
        ("asked_s", "p95_s", "expected"),
        [
            (None, None, 120.0),
            (None, 10.0, 120.0),
            (None, 50.0, 150.0),
            (None, 500.0, 600.0),
            (30.0, 500.0, 30.0),
            (3600.0, None, 3600.0),
        ],
    )
    def test_an_asked_one_stands_and_p95_only_raises(
        self, asked_s: float | None, p95_s: float | None, expected: float
    ) -> None:
        assert stuck_after(asked_s, p95_s) == expected

    @pytest.mark.parametrize(
        ("silent_s", "level"),
        [(0.0, "ok"), (59.0, "ok"), (60.0, "quiet"), (119.0, "quiet"), (120.0, "stuck")],
    )
    def test_silence_makes_quiet_and_then_stuck(self, silent_s: float, level: str) -> None:
        assert words(heard(frame("text")), now=1.0 + silent_s) == [level]

    @given(
        frames=st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 500)), max_size=12),
        now=st.floats(500, 2_000),
        has_lock=st.booleans(),
    )
    def test_whatever_was_heard_every_session_has_one_level_and_one_holds_the_lock(
        self, frames: list[tuple[str, float]], now: float, *, has_lock: bool
    ) -> None:
        runs = {key: run(key) for key in "abc"}
        for key, at in sorted(frames, key=lambda heard: heard[1]):
            runs[key], _ = follow_run(runs[key], stream(frame("text"), session_id=key, at=at))
        found = told(*runs.values(), now=now, has_lock=has_lock)
        holders = [one for one in found if one.holds_lock]
        assert all(one.reason for one in found)
        if not has_lock or not frames:
            assert not holders
            assert all(one.rivals == (("a", "b", "c") if has_lock else ()) for one in found)
        else:
            heard_last = max(one.spoke_at or 0.0 for one in runs.values())
            (holder,) = (
                one for one, level in zip(runs.values(), found, strict=True) if level.holds_lock
            )
            assert holder.spoke_at == heard_last
            assert len(holders) == 1
            assert sum(one.level is Level.QUEUED for one in found) == 2
            assert set(holders[0].waiting) == {"a", "b", "c"} - {
                key for key, one in zip(runs, found, strict=True) if one.holds_lock
            }


class TestIdleAndOk:
    def test_no_run_is_idle_however_long_ago_it_moved(self) -> None:
        over = follow_run(
            heard(frame("text")), stream(frame("query_complete"), session_id="a", at=5.0)
        )
        (one,) = told(over[0], now=9_000.0)
        assert (one.level, one.reason, one.silent_s) == (Level.IDLE, "no run", None)

    def test_a_silent_tool_call_is_stuck_and_says_in_which_tool(self) -> None:
        (one,) = told(heard(DELEGATION, processing(), TOOL), now=195.0)
        assert one.level is Level.STUCK
        assert "no progress for 3m12, in tool Bash for 3m12" in one.reason

    def test_a_run_that_drips_is_long_in_time_while_others_wait(self) -> None:
        drip = heard(*(frame("text") for _ in range(400)))
        drip = follow_run(drip, stream(frame("text"), session_id="a", at=1_900.0))[0]
        assert words(drip, run("b"), now=1_905.0) == ["long", "queued"]
        assert words(drip, now=1_905.0) == ["ok"]
        assert words(drip, run("b"), now=1_700.0) == ["ok", "queued"]

    def test_the_runs_own_log_is_progress(self) -> None:
        assert words(seen(heard(TOOL), log_at=300.0), now=310.0) == ["ok"]

    def test_the_lanes_log_counts_for_the_run_on_the_lane_only(self) -> None:
        on_lane, primary = heard(DELEGATION, processing(), TOOL), heard(processing(), TOOL)
        assert words(on_lane, now=310.0, lane_log_at=300.0) == ["ok"]
        assert words(primary, now=310.0, lane_log_at=300.0) == ["stuck"]

    def test_the_lanes_log_counts_for_a_turn_nobody_saw_begin_while_a_mission_runs(self) -> None:
        unseen = run()
        assert words(unseen, now=310.0, lane_log_at=300.0, has_mission=True) == ["ok"]
        assert words(unseen, now=310.0, lane_log_at=300.0) == ["stuck"]

    def test_a_turn_that_fell_back_has_left_the_lane(self) -> None:
        back = heard(DELEGATION, processing(), routed("coder_vp_fallback", "m1"), processing())
        assert words(back, now=310.0, lane_log_at=300.0) == ["stuck"]


class TestQuestions:
    ASKED = frame("input_required", "Delete it all?")

    def test_on_the_lane_nobody_can_answer_so_it_is_stuck_at_once(self) -> None:
        (one,) = told(heard(DELEGATION, processing(), self.ASKED), now=4.0)
        assert one.level is Level.STUCK
        assert "asks “Delete it all?” on the lane, where nobody can answer" in one.reason

    def test_elsewhere_somebody_may_answer(self) -> None:
        asking = heard(processing(), self.ASKED)
        (one,) = told(asking, now=4.0)
        assert (one.level, "waits for an answer" in one.reason) == (Level.OK, True)
        assert words(asking, now=300.0) == ["stuck"]

    def test_a_turn_that_goes_on_waits_no_more(self) -> None:
        assert words(heard(DELEGATION, processing(), self.ASKED, TOOL), now=6.0) == ["ok"]


class TestTheLock:
    def test_the_one_that_was_heard_holds_it_and_the_others_are_queued(self) -> None:
        owner, *others = told(heard(TOOL), run("b"), run("c"), now=200.0)
        assert (owner.level, owner.waiting, owner.is_guess) == (Level.STUCK, ("b", "c"), False)
        assert owner.reason.endswith("holds the gateway lock, 2 turns wait behind it")
        assert [(one.level, one.blocker, one.is_blocker_stuck) for one in others] == [
            (Level.QUEUED, "a", True)
        ] * 2
        assert others[0].reason == "queued behind a, which is stuck"

    def test_of_two_that_were_heard_the_last_holds_it(self) -> None:
        late = heard(TOOL, session_id="b", at=50.0)
        assert words(heard(TOOL), late, now=60.0) == ["queued", "ok"]

    @pytest.mark.parametrize(
        ("first", "second", "why"),
        [
            ({"since": 2.0}, {"since": 1.0}, "it was first seen running"),
            ({"since": 1.0}, {"since": 2.0, "log_at": 12.0}, "its own log grew last"),
            ({"log_at": 9.0}, {"log_at": 12.0}, "its own log grew last"),
            ({"frames_at_most": 0}, {}, "the others wait"),
            ({"is_whole": True}, {}, "the others wait"),
            ({"idle_at": 9.0}, {}, "the others wait"),
        ],
    )
    def test_nobody_heard_it_is_a_guess_and_said_to_be_one(
        self, first: dict[str, Any], second: dict[str, Any], why: str
    ) -> None:
        def one(name: str, facts: dict[str, Any]) -> ListedRun:
            shown = {key: facts[key] for key in ("log_at", "is_whole") if key in facts}
            return seen(run(name, **{k: v for k, v in facts.items() if k not in shown}), **shown)

        found = told(one("a", first), one("b", second), now=20.0, mission_at=4.0)
        assert [one.level for one in found] == [Level.QUEUED, Level.OK]
        assert found[0].is_guess
        assert f"a guess: {why}" in found[0].reason
        assert f"a guess: {why}" in found[1].reason

    def test_an_old_log_and_more_events_make_no_owner(self) -> None:
        ahead, behind = run("a", seq=1), seen(run("b", since=3.0, seq=90), has_log=True)
        assert words(ahead, behind, now=20.0) == ["ok", "queued"]

    def test_of_two_that_may_be_it_none_is_named(self) -> None:
        found = told(run("a"), seen(run("b"), has_log=True), run("c", since=3.0), now=20.0)
        assert [one.holds_lock for one in found] == [False] * 3
        assert [one.rivals for one in found] == [("a", "b")] * 3
        assert [one.level for one in found] == [Level.OK, Level.OK, Level.QUEUED]
        assert "queued behind a or b" in found[2].reason
        assert "held by a (its log has no lines, 5 events) or b (its log has lines," in (
            found[0].reason
        )

    def test_all_that_run_wait_for_something_that_is_not_listed(self) -> None:
        waits = seen(run("a"), is_whole=True)
        found = told(waits, run("b", since=3.0), now=20.0)
        assert [one.level for one in found] == [Level.QUEUED] * 2
        assert all(one.is_behind_unlisted for one in found)
        assert "something not listed" in found[0].reason
        assert words(waits, now=4.0) == ["ok"]

    def test_a_turn_heard_before_the_one_under_way_is_no_sign(self) -> None:
        """It ended, and the session waits again."""
        again = follow_run(heard(TOOL, session_id="b"), stream(frame("query_complete"), at=40.0))[0]
        again = listed(again, seq=6, running=True, at=50.0)
        assert words(run("a", seq=9), again, now=60.0) == ["ok", "queued"]

    def test_who_waited_is_not_stuck_when_the_lock_comes_free(self) -> None:
        over = follow_run(heard(TOOL), stream(frame("query_complete"), session_id="a", at=300.0))[0]
        waited = told(over, run("b"), now=301.0)[1]
        assert (waited.level, waited.silent_s) == (Level.OK, 1.0)

    def test_nor_when_one_that_was_never_heard_is_cancelled(self) -> None:
        owner, waits = run("a", seq=9), run("b")
        ended = stream(
            status_frame(status="turn_cancelled"),
            frame("query_complete", cancelled=True),
            session_id="a",
            at=300.0,
        )
        assert words(follow_run(owner, ended)[0], waits, now=302.0) == ["idle", "ok"]

    def test_cancelling_a_victim_frees_nothing(self) -> None:
        unwound = stream(
            status_frame(status="turn_cancelled"),
            frame("query_complete", cancelled=True),
            frame("cancelled"),
            session_id="b",
            at=300.0,
        )
        over = follow_run(run("b", since=3.0), unwound)[0]
        assert words(run("a", seq=9), over, now=302.0) == ["stuck", "idle"]
        # Of two that were first seen at once it may have been the owner.
        over = follow_run(run("b"), unwound)[0]
        assert words(run("a", seq=9), over, now=302.0) == ["ok", "idle"]

    def test_on_g2_nothing_is_queued(self) -> None:
        found = told(heard(TOOL), run("b"), now=30.0, has_lock=False)
        assert [one.level for one in found] == [Level.OK, Level.OK]
        assert not any(one.holds_lock or one.waiting or one.blocker for one in found)

    def test_on_g2_each_run_is_stuck_by_itself(self) -> None:
        assert words(heard(TOOL), run("b"), now=300.0, has_lock=False) == ["stuck", "stuck"]


def deaf(session_id: str = "a") -> Run:
    """Return a run that was cancelled at 100 and no longer counted at 102."""
    hit = follow_run(
        heard(DELEGATION, processing(), TOOL, session_id=session_id),
        stream(frame("cancelled"), frame("system_event"), session_id=session_id, at=100.0),
    )[0]
    return listed(hit, seq=9, running=False, at=102.0)


class TestDeaf:
    def test_it_holds_the_lock_before_all_others(self) -> None:
        owner, victim = told(deaf(), heard(TOOL, session_id="b", at=1.0), now=160.0)
        assert (owner.level, owner.waiting, owner.since) == (Level.DEAF, ("b",), 100.0)
        assert "counter cleared, task unconfirmed" in owner.reason
        assert (victim.level, victim.blocker) == (Level.QUEUED, "a")

    def test_while_it_is_counted_it_is_what_it_was(self) -> None:
        hit = follow_run(heard(TOOL), stream(frame("cancelled"), session_id="a", at=150.0))[0]
        (one,) = told(hit, now=152.0)
        assert one.level is Level.STUCK
        assert "cancelled 2s ago, still counted" in one.reason

    def test_one_cancelled_by_vp_tui_without_a_stream_is_deaf_too(self) -> None:
        hit = listed(cancelled(run(), 100.0), seq=9, running=False, at=102.0)
        assert words(ListedRun(hit), now=110.0) == ["deaf"]

    def test_the_recorded_one_is_deaf_until_its_turn_ends(self) -> None:
        events = transcript("e1_ws_deaf")
        hit = listed(follow_run(Run("a"), events[:7])[0], seq=7, running=False, at=8.0)
        assert words(hit, now=9.0) == ["deaf"]
        again = follow_run(hit, events[7:9])[0]
        assert words(again, now=12.0) == ["deaf"]
        assert words(follow_run(again, events[9:])[0], now=14.0) == ["idle"]

    def test_the_recorded_one_that_unwinds_is_not_deaf(self) -> None:
        hit = follow_run(Run("a"), transcript("d01_ws_stuck_owner"))[0]
        assert words(listed(hit, seq=10, running=False, at=12.0), now=13.0) == ["idle"]
        assert hit.cancel is not None
        assert (hit.cancel.silent_since, hit.cancel.ended_at) == (0.006, 11.07)

    def test_the_blame_ends_with_another_turns_progress(self) -> None:
        assert words(released(deaf(), 150.0), now=160.0) == ["idle"]

    def test_or_with_a_mission_that_finished_since(self) -> None:
        assert words(deaf(), now=160.0, finished_at=150.0) == ["idle"]
        assert words(deaf(), now=160.0, finished_at=90.0) == ["deaf"]
        assert words(deaf(), now=160.0, finished_at=150.0, has_lock=False) == ["deaf"]

    def test_a_new_turn_of_its_own_that_waits_does_not_end_it(self) -> None:
        counted = listed(deaf(), seq=9, running=True, at=120.0)
        assert words(counted, now=130.0) == ["deaf"]

    def test_a_new_turn_of_its_own_that_is_heard_does(self) -> None:
        counted = listed(deaf(), seq=9, running=True, at=120.0)
        begun = follow_run(counted, stream(processing("another"), session_id="a", at=125.0))[0]
        assert words(begun, now=126.0) == ["ok"]

    def test_a_restart_ends_it(self) -> None:
        assert words(listed(deaf(), seq=0, running=False, at=140.0), now=150.0) == ["idle"]

    def test_a_cancel_of_an_idle_session_is_nothing(self) -> None:
        idle = listed(Run("a"), seq=5, running=False, at=0.0)
        hit = follow_run(idle, stream(frame("cancelled"), session_id="a", at=5.0))[0]
        assert hit.cancel is None


def unwound(*later: Frame, at: float = 110.0) -> Run:
    """Return a delegated run that a cancel ended at 101, and what was heard later."""
    over = stream(
        status_frame(status="turn_cancelled"),
        frame("query_complete", cancelled=True),
        frame("cancelled"),
        session_id="a",
        at=100.0,
    )
    one = follow_run(heard(DELEGATION, processing(), TOOL), over)[0]
    one = follow_run(one, stream(*later, session_id="a", at=at))[0]
    return listed(one, seq=20, running=False, at=at + 2.0)


class TestOrphan:
    def test_an_engine_that_goes_on_writing_into_the_lanes_log(self) -> None:
        (one,) = told(unwound(), now=131.0, lane_log_at=130.0)
        assert (one.level, one.silent_s) == (Level.ORPHAN, 1.0)
        assert one.reason == "cancelled 31s ago, yet its engine wrote 1s ago"

    def test_frames_after_the_end_tell_it_too(self) -> None:
        assert words(unwound(frame("text")), now=115.0) == ["orphaned"]

    def test_it_is_over_once_it_is_silent_for_long(self) -> None:
        assert words(unwound(), now=260.0, lane_log_at=130.0) == ["idle"]

    def test_lines_read_right_after_the_end_were_written_before(self) -> None:
        assert words(unwound(), now=110.0, lane_log_at=103.0) == ["idle"]

    def test_the_lines_may_be_another_turns(self) -> None:
        other = heard(DELEGATION, session_id="b", at=120.0)
        assert words(unwound(), other, now=131.0, lane_log_at=130.0) == ["idle", "ok"]

    def test_a_new_turn_is_no_orphan(self) -> None:
        begun = unwound(routed("delegated_to_coder_vp", "m2"), processing("another"))
        counted = listed(begun, seq=30, running=True, at=114.0)
        assert words(counted, now=131.0, lane_log_at=130.0) == ["ok"]


class TestLost:
    def test_a_session_that_is_gone_is_lost(self) -> None:
        (one,) = told(run(lost_at=50.0), now=60.0)
        assert one.level is Level.LOST
        assert one.reason == "the session is gone since 10s, while it ran"

    def test_it_waits_for_nobody_and_nobody_for_it(self) -> None:
        assert words(run(lost_at=50.0), run("b"), now=60.0) == ["lost", "ok"]


OLD = "the list of sessions is stale, last seen 03:12:38Z"


class TestAnOldListing:
    def test_what_only_it_told_is_not_known_now(self) -> None:
        one, other = told(ListedRun(run()), ListedRun(Run("b")), now=300.0, doubt=OLD)
        assert (one.level, one.reason, one.is_certain) == (None, OLD, False)
        assert other.level is None

    def test_live_streams_count(self) -> None:
        (one,) = told(heard(TOOL), now=5.0, doubt=OLD)
        assert (one.level, one.is_certain) == (Level.OK, False)
        assert one.reason.endswith(OLD)
        assert words(heard(TOOL), now=500.0, doubt=OLD) == ["stuck"]
        assert words(run(), now=500.0, doubt=OLD) == ["stuck"]

    def test_no_turn_heard_on_a_live_stream_is_idle(self) -> None:
        over = follow_run(heard(TOOL), stream(frame("query_complete"), session_id="a", at=5.0))[0]
        (one,) = told(over, now=300.0, doubt=OLD)
        assert (one.level, one.is_certain) == (Level.IDLE, False)

    def test_the_blame_of_a_deaf_run_stays(self) -> None:
        assert words(ListedRun(deaf()), now=300.0, doubt=OLD) == ["deaf"]


def test_what_a_cancel_hit_is_remembered() -> None:
    hit = cancelled(heard(DELEGATION, processing(), frame("input_required", "Sure?")), 9.0)
    assert isinstance(hit.cancel, RunCancel)
    assert hit.cancel.was_unanswerable
    assert hit.cancel.turn.mission_id == "m1"
    assert cancelled(hit, 12.0) == hit
