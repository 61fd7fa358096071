from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import on_disk, session
from tests.support.gateway import FakeStream, settle

from vp_tui.domain.events import Event, LinkDropped
from vp_tui.worker.polling import ATTACH_LIMIT, Attachments, Keeper, Pace, choose

if TYPE_CHECKING:
    from vp_tui.domain.models import Session

SESSIONS = st.lists(
    st.builds(
        lambda name, runs, viewers, seq: session(
            name, active_runs=runs, active_connections=viewers, last_event_seq=seq
        ),
        st.text("abcdefgh", min_size=1, max_size=2),
        st.integers(0, 1),
        st.integers(0, 2),
        st.integers(0, 9),
    ),
    unique_by=lambda item: item.session_id,
    max_size=12,
)


@given(SESSIONS, st.frozensets(st.text("abcdefgh", min_size=1, max_size=2)), st.integers(1, 6))
def test_choosing(sessions: list[Session], attached: frozenset[str], limit: int) -> None:
    chosen = choose(sessions, attached, limit)
    in_memory = {item.session_id for item in sessions if item.in_memory}
    running = {item.session_id for item in sessions if item.is_running}
    assert chosen <= in_memory
    assert len(chosen) == min(limit, len(in_memory))
    assert chosen <= running or running <= chosen, "running ones come first"
    idle_attached = (in_memory - running) & attached
    if chosen - running - attached:
        assert idle_attached <= chosen, "those attached already come next"


@pytest.mark.parametrize(
    "listed",
    [
        session(active_runs=1, last_event_seq=0),
        session(active_connections=1, last_event_seq=0),
        session(last_event_seq=1),
    ],
)
def test_any_sign_of_memory_will_do(listed: Session) -> None:
    assert choose([listed, on_disk()], ()) == {"session_a"}


def test_at_most_sixty_four() -> None:
    sessions = [session(f"s{n}") for n in range(100)]
    assert len(choose(sessions, ())) == ATTACH_LIMIT == 64


class Held:
    """Attachments whose sockets are fakes, every one that was ever made."""

    def __init__(self, tasks: asyncio.TaskGroup, limit: int = 2) -> None:
        self.assessment: list[FakeStream] = []
        self.events: list[Event] = []
        keep = Keeper(Pace(), self.events.append).keep
        self.attachments = Attachments(
            self._make,
            self.events.append,
            lambda part, run: tasks.create_task(keep(part, run), name=part),
            limit,
        )

    def _make(self, session_id: str) -> FakeStream:
        self.assessment.append(FakeStream(session_id))
        return self.assessment[-1]

    async def listed(self, *sessions: Session, now: float = 1.0) -> list[str]:
        """Return which sockets run after this listing."""
        self.attachments.listing_arrived(sessions, now)
        await settle()
        return [stream.session_id for stream in self.assessment if stream.running]


async def test_sockets_follow_the_listing() -> None:
    async with asyncio.TaskGroup() as tasks:
        held = Held(tasks)
        assert await held.listed(session("a"), on_disk("d")) == ["a"]
        assert await held.listed(session("a"), session("b"), now=2.0) == ["a", "b"]
        assert held.assessment[0].listings == [2.0]
        assert held.events == []
        assert await held.listed(session("b"), on_disk("a"), now=3.0) == ["b"]
        assert held.events == [LinkDropped(3.0, "a")]
        assert await held.listed(now=4.0) == []
        assert held.events[1:] == [LinkDropped(4.0, "b")]


async def test_a_running_session_takes_the_place_of_an_idle_one() -> None:
    async with asyncio.TaskGroup() as tasks:
        held = Held(tasks)
        await held.listed(session("a"), session("b", last_event_seq=9))
        busy = session("c", active_runs=1)
        assert await held.listed(session("a"), session("b", last_event_seq=9), busy) == ["b", "c"]
        assert await held.listed() == []


async def test_a_wake_reaches_every_socket() -> None:
    async with asyncio.TaskGroup() as tasks:
        held = Held(tasks)
        await held.listed(session("a"), session("b"))
        held.attachments.wake(2.0)
        assert [stream.wakes for stream in held.assessment] == [1, 1]
        await held.listed()


async def test_a_session_that_comes_back_gets_a_new_socket() -> None:
    async with asyncio.TaskGroup() as tasks:
        held = Held(tasks)
        await held.listed(session("a"))
        await held.listed(on_disk("a"))
        assert await held.listed(session("a")) == ["a"]
        assert len(held.assessment) == 2
        await held.listed()


async def test_while_it_rests_no_socket_is_held() -> None:
    async with asyncio.TaskGroup() as tasks:
        held = Held(tasks)
        await held.listed(session("a"), session("b"))
        await held.attachments.rest(2.0)
        assert [stream.running for stream in held.assessment] == [False, False]
        assert held.events == [LinkDropped(2.0, "a"), LinkDropped(2.0, "b")]
        assert await held.listed(session("a")) == []
        held.attachments.is_resting = False
        assert await held.listed(session("a")) == ["a"]
        await held.listed()
