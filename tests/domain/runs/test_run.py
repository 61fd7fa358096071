import pytest
from tests.support.builders import frame, processing, routed, status_frame, stream
from tests.support.recorded import transcript

from vp_tui.domain.models import Frame
from vp_tui.domain.runs.run import Run, follow_run, listed
from vp_tui.domain.runs.turns import TOOLS_LIMIT, Turn

RUN = Run("session_a")
DELEGATION = routed("delegated_to_coder_vp", "m1")


def followed(*frames: Frame, run: Run = RUN) -> Run:
    return follow_run(run, stream(*frames))[0]


def began(*frames: Frame) -> list[tuple[str | None, str | None]]:
    """Return routing and query of the turns that began."""
    turns = follow_run(RUN, stream(*frames))[1]
    return [(turn.routing, sent.query) for turn, sent in turns]


def unmarked(run: Run) -> Turn:
    """Return the run's turn without its marks."""
    return run.turn._replace(marks=())


def recorded(name: str, count: int | None = None) -> Run:
    return follow_run(RUN, transcript(name)[:count])[0]


@pytest.mark.parametrize(
    ("name", "ended_at", "routing", "cancelled"),
    [
        ("b01_ws_mission", 4.169, "delegated_to_coder_vp", False),
        ("b13_ws_noncoding", 2.164, None, False),
        ("c01_ws_fallback", 3.173, "coder_vp_fallback", False),
        ("c03_ws_vp_exception", 3.172, "coder_vp_fallback", False),
        ("c04_ws_both_fail", 2.024, "coder_vp_fallback", False),
        ("c06_ws_fallback_exc", 2.011, "coder_vp_fallback", False),
        ("c12_ws_force_fallback", 1.161, None, False),
        ("c14_ws_shadow", 1.159, "coder_vp_shadow_mode", False),
        ("d01_ws_stuck_owner", 11.07, "delegated_to_coder_vp", True),
        ("d05_ws_queued_behind_stuck", 9.202, "delegated_to_coder_vp", False),
        ("e1_ws_deaf", 13.505, "delegated_to_coder_vp", True),
        ("p04_ws_bootstrap_fallback", 1.167, "coder_vp_bootstrap_fallback", False),
    ],
)
def test_every_recorded_turn_ends(
    name: str, ended_at: float, routing: str | None, *, cancelled: bool
) -> None:
    events = transcript(name)
    run, turns = follow_run(RUN, events)
    assert run.turn.ended_at == ended_at
    assert run.turn.started_at is None
    assert run.turn.routing == routing
    assert run.turn.cancelled is cancelled
    assert run.turn.tool is None
    assert len(turns) == 1


def test_a_fallback_goes_on_within_the_turn() -> None:
    middle = recorded("c01_ws_fallback", 12)
    assert middle.turn.started_at == 0.006
    assert middle.turn.ended_at is None
    assert middle.turn.mission_id == "vp-mission-5dc86f6a3446418680accab9cbbf8ddb"
    assert middle.turn.query == "Please fix this bug in code @fake:vp_error secs=2"


def test_an_error_does_not_end_a_turn_but_assistance_needed_does() -> None:
    count = len(transcript("c06_ws_fallback_exc"))
    assert recorded("c06_ws_fallback_exc", count - 1).turn.started_at == 0.006
    assert recorded("c06_ws_fallback_exc").turn.ended_at == 2.011


def test_a_run_deaf_to_cancel_stays_open_and_its_cancels_are_no_progress() -> None:
    deaf = recorded("e1_ws_deaf", 9)
    assert deaf.last_kind == "system_event"
    assert deaf.turn.started_at == 0.003
    assert not deaf.turn.cancelled
    assert deaf.progress_at == 0.004


def test_a_stuck_run_shows_its_open_tool() -> None:
    stuck = recorded("d01_ws_stuck_owner", 6)
    assert stuck.turn.tool == "Bash pytest -q"
    assert stuck.turn.open_tools[-1].at == 0.006
    assert stuck.progress_at == 0.006


def tool(name: str) -> Frame:
    return frame("tool_call", name, tool_use_id=name)


def result(name: str) -> Frame:
    return frame("tool_result", tool_use_id=name)


def test_of_several_tools_the_newest_without_a_result_is_shown() -> None:
    assert followed(tool("a"), tool("b")).turn.tool == "b"
    assert followed(tool("a"), tool("b"), result("b")).turn.tool == "a"
    assert followed(tool("a"), tool("b"), result("a")).turn.tool == "b"
    assert followed(tool("a"), result("a")).turn.tool is None
    assert followed(tool("a"), result("other")).turn.tool == "a"


def test_open_tools_are_bounded() -> None:
    run = followed(*(tool(str(number)) for number in range(TOOLS_LIMIT + 5)))
    assert len(run.turn.open_tools) == TOOLS_LIMIT
    assert run.turn.tool == str(TOOLS_LIMIT + 4)


def test_a_second_engine_begins_without_the_first_ones_tools() -> None:
    run = followed(DELEGATION, processing(), tool("a"), routed("coder_vp_fallback"), processing())
    assert run.turn.tool is None


def test_a_turn_begins_once_with_the_routing_that_came_before() -> None:
    fallback = (routed("coder_vp_fallback", "m1"), processing())
    assert began(DELEGATION, processing(), *fallback) == [
        ("delegated_to_coder_vp", "implement the code")
    ]
    assert began(processing()) == [(None, "implement the code")]
    assert began(*fallback) == [("coder_vp_fallback", "implement the code")]


def test_the_next_turn_does_not_inherit_anything() -> None:
    run = followed(
        DELEGATION, processing(), frame("query_complete", cancelled=True), processing("other")
    )
    assert unmarked(run) == Turn(started_at=3.0, query="other")


def test_a_turn_whose_end_was_missed_is_over_when_another_begins() -> None:
    assert unmarked(followed(processing("one"), processing("two"))) == Turn(1.0, query="two")
    run = followed(DELEGATION, processing(), routed("delegated_to_coder_vp", "m2"))
    assert unmarked(run) == Turn(2.0, routing="delegated_to_coder_vp", mission_id="m2")
    assert len(began(processing("one"), processing("two"))) == 2


def test_attaching_in_mid_turn_is_no_beginning() -> None:
    again = status_frame(status="processing", turn_id="turn_1")
    assert unmarked(followed(again)) == Turn()
    assert began(again) == []
    assert unmarked(followed(processing("one"), again)) == Turn(0.0, query="one")


def test_frames_of_a_turn_that_was_not_seen_to_begin() -> None:
    run = followed(processing("one"), frame("query_complete"), tool("late"))
    assert run.turn.tool == "late"
    assert run.turn.query is None
    ended = followed(status_frame(status="turn_cancelled"), frame("query_complete"), run=run)
    assert ended.turn.cancelled
    assert ended.turn.ended_at == 1.0


def test_a_cancel_belongs_to_one_turn_only() -> None:
    cancelled = followed(processing(), frame("query_complete", cancelled=True))
    assert cancelled.turn.cancelled
    assert not followed(frame("query_complete"), run=cancelled).turn.cancelled


@pytest.mark.parametrize("kind", ["connected", "pong", "system_event", "heartbeat", "cancelled"])
def test_frames_beside_the_turn_are_no_progress(kind: str) -> None:
    assert followed(frame(kind)).progress_at is None
    assert followed(frame(kind)).last_kind == kind


def test_any_other_frame_is_progress() -> None:
    assert followed(frame("never_heard_of"), frame("pong")).progress_at == 0.0


def heard(run: Run, seq: int, at: float, *, running: bool = True) -> Run:
    return listed(run, seq=seq, running=running, at=at)


def test_a_growing_sequence_is_progress() -> None:
    run = heard(heard(RUN, 5, 1.0), 6, 2.0)
    assert (run.progress_at, run.last_event_seq, run.own_seq) == (2.0, 6, 6)


def test_a_sequence_that_stands_is_silence() -> None:
    assert heard(heard(RUN, 5, 1.0), 5, 9.0).progress_at == 1.0


def test_an_idle_session_has_made_no_progress_yet() -> None:
    assert heard(RUN, 5, 1.0, running=False).progress_at is None


def test_own_attaches_are_no_progress() -> None:
    run = heard(RUN, 5, 1.0)._replace(own_attaches=1)
    assert heard(run, 6, 2.0).progress_at == 1.0
    assert heard(run, 7, 2.0).progress_at == 2.0


def test_a_listing_from_before_the_attach_hides_no_later_progress() -> None:
    run = heard(heard(RUN, 5, 1.0)._replace(own_attaches=1), 5, 2.0)
    assert run.own_seq == 5
    assert heard(run, 7, 3.0).progress_at == 3.0


def test_frames_heard_beside_the_turn_do_not_make_the_sequence_progress() -> None:
    run = followed(frame("cancelled"), frame("system_event"), run=heard(RUN, 5, 0.0))
    assert heard(run, 7, 9.0).progress_at == 0.0
    assert heard(run, 8, 9.0).progress_at == 9.0


@pytest.mark.parametrize("name", ["b01_ws_mission", "c14_ws_shadow", "d01_ws_stuck_owner"])
def test_what_was_heard_and_what_was_counted_agree(name: str) -> None:
    """The gateway counts every frame of a transcript, `connected` and `pong` included."""
    events = transcript(name)
    of_the_turn = len(events) - 1 - follow_run(RUN, events)[0].asides
    run = follow_run(RUN._replace(own_attaches=1), events)[0]
    assert heard(run, len(events), 99.0).own_seq == of_the_turn


def test_a_restart_counts_own_attaches_anew_and_ends_the_turn() -> None:
    run = followed(processing(), tool("a"), frame("pong"), run=heard(RUN, 50, 0.0))
    after = heard(run._replace(own_attaches=3), 2, 8.0, running=False)
    assert (after.own_attaches, after.asides, after.own_seq) == (0, 0, 2)
    assert after.progress_at == 8.0
    assert after.turn.ended_at == 8.0
    assert after.turn.tool is None


def test_a_restart_leaves_a_turn_that_had_ended() -> None:
    run = followed(processing(), frame("query_complete"), run=heard(RUN, 50, 0.0))
    assert heard(run, 2, 8.0).turn.ended_at == 1.0


def test_running_since_is_when_it_was_first_seen_running() -> None:
    run = heard(heard(RUN, 5, 1.0), 5, 4.0)
    assert run.running_since == 1.0
    assert heard(run, 5, 7.0, running=False).running_since is None
