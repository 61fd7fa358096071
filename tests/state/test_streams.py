from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.support import builders
from tests.support.recorded import transcript

from vp_tui.domain.events import GapFound, LinkDropped
from vp_tui.domain.models import StreamState
from vp_tui.domain.runs.turns import RoutingTally
from vp_tui.state.reducer import reduce_all
from vp_tui.state.state import EVENT_LIMIT, Link

if TYPE_CHECKING:
    from vp_tui.domain.models import Frame
    from vp_tui.state.state import State


def told(now: State) -> list[tuple[str | None, str, str]]:
    """Return session, kind and tone of the event list."""
    return [(entry.session_id, entry.kind, entry.tone) for entry in now.entries]


def texts(now: State) -> list[str]:
    return [entry.text for entry in now.entries]


def test_a_frame_moves_its_run_link_and_list() -> None:
    now = builders.state(
        builders.linked(), *builders.stream(builders.frame("text", "hello"), at=3.0)
    )
    assert now.runs["session_a"].last_kind == "text"
    assert now.links["session_a"] == Link(StreamState.LIVE, 0.0, frames=1, last_frame_at=3.0)
    assert [(e.number, e.at, e.text) for e in now.entries] == [(0, 3.0, "hello")]


def test_failed_attaches_are_counted_until_the_gateway_begins_anew() -> None:
    gone = builders.linked(StreamState.GONE, "the gateway does not know the session (4004)")
    now = builders.state(
        builders.booted(), gone, gone._replace(is_failed_attach=True), builders.booted()
    )
    assert now.failed_attaches == 1
    now = reduce_all(
        now, [gone._replace(is_failed_attach=True), builders.booted("2026-11-22T20:00:00")]
    )
    assert now.failed_attaches == 0


def test_frames_of_a_session_without_a_link_make_none() -> None:
    assert builders.state(*builders.stream(builders.frame())).links == {}


@pytest.mark.parametrize(
    ("sent", "tone"),
    [
        (builders.frame("error"), "bad"),
        (builders.frame("unreadable"), "bad"),
        (builders.frame("tool_result", is_error=True), "bad"),
        (builders.frame("cancelled"), "warn"),
        (builders.frame("query_complete", cancelled=True), "warn"),
        (builders.routed("coder_vp_fallback"), "warn"),
        (builders.frame("input_required"), "warn"),
        (builders.frame("query_complete"), "good"),
        (builders.frame("thinking"), "dim"),
        (builders.frame("tool_call"), "plain"),
    ],
)
def test_tones(sent: Frame, tone: str) -> None:
    assert told(builders.state(*builders.stream(sent)))[0][2] == tone


def test_lease_trouble_is_counted() -> None:
    assert (
        builders.state(
            *builders.stream(builders.routed("coder_vp_lease_degraded"))
        ).routing.lease_degraded
        == 1
    )


def test_routing_is_tallied_over_all_sessions() -> None:
    shadow = transcript("c14_ws_shadow", session_id="one")
    forced = transcript("c12_ws_force_fallback", session_id="two")
    mixed = sorted([*shadow, *forced], key=lambda event: event.at)
    expected = RoutingTally(2, primary=2, shadow=1, unexplained=1, heard=2, ran=2)
    assert builders.state(builders.healthy(), *mixed).routing == expected


def test_the_event_list_is_bounded_and_its_numbers_never_repeat() -> None:
    flood = builders.stream(*[builders.frame()] * (EVENT_LIMIT + 10))
    now = builders.state(builders.failed(), *flood)
    assert len(now.entries) == EVENT_LIMIT
    assert now.entries_seen == EVENT_LIMIT + 11
    assert [now.entries[0].number, now.entries[-1].number] == [11, EVENT_LIMIT + 10]


def test_a_loss_is_told_once_however_often_it_is_tried_again() -> None:
    attempt = [
        builders.linked(StreamState.CONNECTING),
        builders.linked(StreamState.WAITING, "refused"),
    ]
    now = builders.state(builders.linked(), *attempt, *attempt, *attempt)
    assert texts(now) == ["refused"]
    assert now.links["session_a"].reason == "refused"


def test_a_live_link_has_no_reason_and_the_next_loss_is_told() -> None:
    lost = builders.linked(StreamState.WAITING, "refused")
    assert builders.state(lost, builders.linked(at=2.0)).links["session_a"] == Link(
        StreamState.LIVE, 2.0
    )
    assert texts(builders.state(lost, builders.linked(), lost)) == ["refused", "refused"]


def test_what_a_link_counted_survives_its_changes() -> None:
    now = builders.state(
        builders.linked(),
        *builders.stream(builders.frame()),
        builders.linked(StreamState.WAITING, "closed", at=4.0),
    )
    assert now.links["session_a"].frames == 1
    assert now.links["session_a"].since == 4.0


def test_a_dropped_link_is_gone() -> None:
    assert builders.state(builders.linked(), LinkDropped(1.0, "session_a")).links == {}


def test_a_gap_is_counted_and_told() -> None:
    now = builders.state(
        builders.linked(), GapFound(1.0, "session_a", "too slow", 7), GapFound(2.0, "other", "x")
    )
    assert now.links["session_a"].gaps == 1
    assert texts(now) == ["7 frames lost: too slow", "x"]
    assert told(now)[0] == ("session_a", "gap", "warn")
