"""How turns end, as their frames tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support.builders import frame, linked, processing, routed, stream
from tests.support.recorded import transcript

from vp_tui.domain.events import GapFound, LinkDropped
from vp_tui.domain.models import StreamState
from vp_tui.state.lane import follow_turns

if TYPE_CHECKING:
    from vp_tui.domain.events import Event
    from vp_tui.domain.lane.turn_proof import CompletedTurn
    from vp_tui.domain.models import Dialect

END = frame("query_complete")


def only(*events: Event) -> CompletedTurn:
    under_way, (turn,) = follow_turns({}, events)
    assert under_way == {}
    return turn


@pytest.mark.parametrize(
    ("name", "routing", "fell_back", "completed"),
    [
        ("b01_ws_mission", "delegated_to_coder_vp", False, True),
        ("b13_ws_noncoding", None, False, True),
        ("c01_ws_fallback", "delegated_to_coder_vp", True, True),
        ("c03_ws_vp_exception", "delegated_to_coder_vp", True, True),
        ("c04_ws_both_fail", "delegated_to_coder_vp", True, True),
        ("c06_ws_fallback_exc", "delegated_to_coder_vp", True, False),
        ("c12_ws_force_fallback", None, False, True),
        ("c14_ws_shadow", "coder_vp_shadow_mode", False, True),
        ("d01_ws_stuck_owner", "delegated_to_coder_vp", False, False),
        ("e1_ws_deaf", "delegated_to_coder_vp", False, False),
        ("p04_ws_bootstrap_fallback", "coder_vp_bootstrap_fallback", False, True),
    ],
)
def test_recorded_turns(
    name: str, routing: str | None, *, fell_back: bool, completed: bool
) -> None:
    turn = only(*transcript(name))
    assert (turn.routing, turn.fell_back, turn.completed) == (routing, fell_back, completed)
    assert turn.began_at is not None
    assert turn.began_at < turn.ended_at
    assert turn.is_delegated == (turn.mission_id is not None)


def test_a_forced_turn_and_one_without_code_differ_by_the_query_alone() -> None:
    forced, chat = only(*transcript("c12_ws_force_fallback")), only(*transcript("b13_ws_noncoding"))
    assert None not in (forced.began_at, chat.began_at)
    assert (forced.routing, chat.routing) == (None, None)
    assert (forced.is_coding("G1"), chat.is_coding("G1")) == (True, False)


@pytest.mark.parametrize(("dialect", "coding"), [("G1", True), ("G2", False), (None, False)])
def test_the_generation_decides_on_coding(dialect: Dialect | None, *, coding: bool) -> None:
    turn = only(*stream(processing("write code"), END))
    assert turn.is_coding(dialect) == coding
    assert turn._replace(routing="coder_vp_shadow_mode").is_coding(dialect)


def test_a_turn_that_was_not_heard_to_begin_tells_nothing_of_its_routing() -> None:
    turn = only(*stream(frame("text"), END))
    assert (turn.began_at, turn.query, turn.routing) == (None, None, None)


@pytest.mark.parametrize("is_error", [True, False])
def test_a_rejected_turn_did_not_complete(*, is_error: bool) -> None:
    turn = only(*stream(processing(), frame("query_complete", is_error=is_error)))
    assert turn.completed is not is_error


def test_turns_of_several_sessions_do_not_mix_and_go_on_in_the_next_batch() -> None:
    one = stream(processing("fix the bug"), session_id="a")
    other = stream(routed("delegated_to_coder_vp", "m1"), processing(), session_id="b")
    under_way, ended = follow_turns({}, [*one, *other])
    assert set(under_way) == {"a", "b"}
    assert ended == ()
    under_way, ended = follow_turns(
        under_way, [*stream(END, session_id="b", at=9), *stream(END, session_id="a", at=9)]
    )
    assert [(turn.session_id, turn.mission_id) for turn in ended] == [("b", "m1"), ("a", None)]
    assert under_way == {}


@pytest.mark.parametrize(
    "loss",
    [
        linked(StreamState.WAITING),
        linked(StreamState.GONE),
        GapFound(5.0, "session_a", "no replay"),
        LinkDropped(5.0, "session_a"),
    ],
)
def test_a_turn_with_a_gap_is_forgotten(loss: Event) -> None:
    turn = only(*stream(processing()), loss, *stream(END, at=9))
    assert turn.began_at is None


def test_a_live_link_loses_nothing() -> None:
    under_way: dict[str, CompletedTurn] = follow_turns({}, stream(processing()))[0]
    assert follow_turns(under_way, [linked(StreamState.LIVE)])[0] == under_way
