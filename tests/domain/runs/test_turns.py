"""What a turn keeps of its frames, so that its course can be told afterwards."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from tests.support.builders import frame, processing, routed, status_frame, stream
from tests.support.recorded import transcript

from vp_tui.domain.runs.run import Run, follow_run
from vp_tui.domain.runs.turns import FIRST_MARKS, MARK_TEXT, MARKS_LIMIT, Turn

if TYPE_CHECKING:
    from vp_tui.domain.models import Frame

DELEGATED = routed("delegated_to_coder_vp", "m1")


def turn_of(*frames: Frame) -> Turn:
    return follow_run(Run("session_a"), stream(*frames))[0].turn


def marks(turn: Turn) -> list[tuple[float, str]]:
    return [(mark.at, mark.kind) for mark in turn.marks]


def test_the_marks_tell_how_a_turn_went_and_pass_over_its_chatter() -> None:
    turn = turn_of(
        DELEGATED,
        processing("implement it"),
        frame("thinking"),
        frame("tool_call", tool="Bash", tool_use_id="t1"),
        frame("error", "the adapter failed", is_error=True),
        routed("coder_vp_fallback", "m1"),
        processing("implement it"),
        frame("input_required", "which one?"),
    )
    assert marks(turn) == [
        (0.0, "delegated_to_coder_vp"),
        (1.0, "processing"),
        (4.0, "error"),
        (5.0, "coder_vp_fallback"),
        (6.0, "processing"),
        (7.0, "input_required"),
    ]
    assert [mark.text for mark in turn.marks[2::3]] == ["the adapter failed", "which one?"]


def test_a_flood_of_marks_leaves_the_beginning_and_the_newest() -> None:
    turn = turn_of(DELEGATED, processing(), *repeat(frame("error", "again " * 50), 5_000))
    assert len(turn.marks) == MARKS_LIMIT
    assert marks(turn)[:2] == [(0.0, "delegated_to_coder_vp"), (1.0, "processing")]
    assert [at for at, _kind in marks(turn)[FIRST_MARKS:]] == list(range(4_994, 5_002))
    assert max(len(mark.text) for mark in turn.marks) == MARK_TEXT


def test_the_newest_result_names_its_tool_while_others_are_open() -> None:
    turn = turn_of(
        processing(),
        frame("tool_call", "Read a.py", tool="Read", tool_use_id="t1"),
        frame("tool_call", "Bash make", tool="Bash", tool_use_id="t2"),
        frame("tool_result", "ok 812 B", tool_use_id="t1"),
    )
    assert turn.tool_calls == 2
    assert turn.tool_result is not None
    assert turn.tool_result == (3.0, "ok 812 B", "Read a.py")
    assert turn.tool == "Bash make"


def test_another_turn_begins_with_nothing_of_the_last_one() -> None:
    turn = turn_of(
        processing("one"),
        frame("tool_call", tool_use_id="t1"),
        frame("tool_result", tool_use_id="t1"),
        frame("query_complete"),
        processing("two"),
    )
    assert marks(turn) == [(4.0, "processing")]
    assert (turn.tool_calls, turn.tool_result) == (0, None)


def test_what_comes_after_the_end_is_no_mark_of_that_turn() -> None:
    turn = turn_of(
        processing(),
        status_frame(status="turn_cancelled"),
        frame("query_complete", cancelled=True),
        frame("cancelled"),
        frame("error"),
    )
    assert marks(turn) == [(0.0, "processing"), (1.0, "turn_cancelled")]
    assert turn.ended_at == 2.0


def test_a_recorded_fallback_can_be_told_from_its_marks() -> None:
    run, _began = follow_run(Run("session_a"), transcript("c01_ws_fallback"))
    kinds = [mark.kind for mark in run.turn.marks]
    assert kinds[:2] == ["delegated_to_coder_vp", "processing"]
    assert "coder_vp_fallback" in kinds
