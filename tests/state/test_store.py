from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import builders

from vp_tui.domain.events import Event, EvidenceRead, GapFound, Tick
from vp_tui.domain.models import Source, StreamEvent
from vp_tui.state.store import ANSWERS_KEPT, PUBLISH_HZ, RECENT_EVENTS, Mailbox, Store, pump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vp_tui.state.state import State


def sent(count: int, session_id: str = "session_a", at: float = 0.0) -> list[StreamEvent]:
    return builders.stream(*[builders.frame()] * count, session_id=session_id, at=at)


def filled(events: Iterable[Event], limit: int = 4) -> Mailbox:
    mailbox = Mailbox(limit)
    for event in events:
        mailbox.put(event)
    return mailbox


def tick(at: float) -> Tick:
    return Tick(at, builders.NOW)


class TestMailbox:
    def test_events_come_out_in_order_and_once(self) -> None:
        events: list[Event] = [tick(0.0), *sent(2), tick(1.0)]
        mailbox = filled(events)
        assert mailbox.take() == events
        assert mailbox.take() == []

    def test_a_full_mailbox_drops_the_oldest_frames_and_says_whose(self) -> None:
        lost, kept = sent(2, "one") + sent(1, "two", 5.0), sent(4, "one", 6.0)
        taken = filled([*lost, *kept]).take()
        assert taken[2:] == kept
        gaps = [(gap.session_id, gap.lost, gap.at) for gap in taken if isinstance(gap, GapFound)]
        assert gaps == [("one", 2, 6.0), ("two", 1, 6.0)]

    def test_what_was_dropped_is_told_once(self) -> None:
        mailbox = filled(sent(6))
        mailbox.take()
        mailbox.put(tick(1.0))
        assert mailbox.take() == [tick(1.0)]

    def test_other_events_are_never_dropped(self) -> None:
        ticks = [tick(float(number)) for number in range(9)]
        taken = filled([*ticks[:3], *sent(3), *ticks[3:]]).take()
        assert [event for event in taken if isinstance(event, Tick)] == ticks
        assert [event.lost for event in taken if isinstance(event, GapFound)] == [3]

    def test_of_answers_that_pile_up_only_the_newest_are_kept(self) -> None:
        answers = [builders.healthy(at=float(number)) for number in range(ANSWERS_KEPT + 3)]
        mailbox = filled([tick(0.0), *answers, tick(1.0)])
        assert mailbox.take() == [tick(0.0), *answers[3:], tick(1.0)]
        mailbox.put(answers[0])
        assert mailbox.take() == [answers[0]]

    def test_so_it_is_with_readings_of_the_evidence(self) -> None:
        read = [EvidenceRead(float(n), (), frozenset()) for n in range(ANSWERS_KEPT + 2)]
        assert filled(read).take() == read[2:]

    def test_a_frame_finds_no_place_among_other_events_only(self) -> None:
        taken = filled([*(tick(float(n)) for n in range(4)), *sent(1)]).take()
        assert not [event for event in taken if isinstance(event, StreamEvent)]
        assert isinstance(taken[0], GapFound)

    @given(st.lists(st.booleans(), max_size=40), st.integers(1, 10))
    def test_every_event_is_delivered_or_counted(self, kinds: list[bool], limit: int) -> None:
        events: list[Event] = [
            StreamEvent(float(n), "session_a", builders.frame()) if is_frame else tick(float(n))
            for n, is_frame in enumerate(kinds)
        ]
        taken = filled(events, limit).take()
        lost = sum(event.lost or 0 for event in taken if isinstance(event, GapFound))
        kept = [event for event in taken if not isinstance(event, GapFound)]
        frames = [event for event in events if isinstance(event, StreamEvent)]
        assert lost + len(kept) == len(events)
        assert kept == [event for event in events if event not in frames[:lost]]
        assert sum(isinstance(event, StreamEvent) for event in kept) <= limit

    def test_the_first_event_is_announced_and_no_other(self) -> None:
        announced: list[int] = []
        mailbox = Mailbox()
        mailbox.on_first(lambda: announced.append(1))
        for event in sent(3):
            mailbox.put(event)
        assert len(announced) == 1
        mailbox.take()
        mailbox.put(tick(0.0))
        assert len(announced) == 2
        mailbox.take()
        mailbox.on_first(None)
        mailbox.put(tick(0.0))
        assert len(announced) == 2

    def test_threads_may_put_at_once(self) -> None:
        mailbox, each = Mailbox(limit=50), 500

        def put_all(session_id: str) -> None:
            for event in sent(each, session_id):
                mailbox.put(event)

        threads = [threading.Thread(target=put_all, args=(f"s{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        seen: list[Event] = []
        while any(thread.is_alive() for thread in threads):
            seen += mailbox.take()
        seen += mailbox.take()
        lost = sum(event.lost or 0 for event in seen if isinstance(event, GapFound))
        kept = [event for event in seen if isinstance(event, StreamEvent)]
        assert lost + len(kept) == 4 * each
        for n in range(4):
            own = [event.at for event in kept if event.session_id == f"s{n}"]
            assert own == sorted(set(own))


class TestStore:
    def test_events_given_together_are_published_once(self) -> None:
        published: list[State] = []
        store = Store(builders.state())
        store.subscribe(published.append)
        store.apply(*sent(3), tick(1.0))
        assert published == [store.state]
        assert store.state.entries_seen == 3

    @pytest.mark.parametrize(
        ("event", "is_published"),
        [
            (builders.healthy(at=2.0), False),
            (builders.polled(builders.snapshot(), 2.0), True),
            (builders.logged("a line", at=2.0), True),
            (tick(2.0), True),
            (builders.failed(Source.HEALTH, at=2.0), True),
        ],
    )
    def test_only_news_is_published(self, event: Event, *, is_published: bool) -> None:
        store = Store(builders.state(builders.healthy()))
        published: list[State] = []
        store.subscribe(published.append)
        store.apply(event)
        assert bool(published) is is_published

    def test_an_answer_after_a_failure_is_news(self) -> None:
        store = Store(builders.state(builders.healthy(), builders.failed(Source.HEALTH)))
        published: list[State] = []
        store.subscribe(published.append)
        store.apply(builders.healthy(at=2.0))
        assert len(published) == 1

    def test_a_subscription_can_be_ended_even_while_publishing(self) -> None:
        store, heard = Store(builders.state()), []

        def once(_state: State) -> None:
            heard.append(1)
            end()

        end = store.subscribe(once)
        store.subscribe(lambda _state: heard.append(2))
        store.apply(tick(1.0))
        store.apply(tick(2.0))
        assert heard == [1, 2, 2]

    def test_the_newest_events_are_remembered_as_they_came(self) -> None:
        store = Store(builders.state())
        store.apply(*sent(RECENT_EVENTS))
        store.apply(tick(1.0), tick(2.0))
        assert list(store.recent) == [*sent(RECENT_EVENTS)[2:], tick(1.0), tick(2.0)]

    def test_an_event_that_fails_is_remembered(self) -> None:
        store = Store(builders.state())
        with pytest.raises(TypeError, match="no rule for object"):
            store.apply(tick(1.0), object())  # type: ignore[arg-type]
        assert len(store.recent) == 2


class Naps:
    """Stands in for `asyncio.sleep`: records what was asked, and ends when it is told to."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()
        self.over.clear()


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


class TestPump:
    async def test_a_burst_is_published_at_most_twenty_times_a_second(self) -> None:
        mailbox, store, naps = Mailbox(), Store(builders.state()), Naps()
        published: list[int] = []
        store.subscribe(lambda now: published.append(now.entries_seen))
        task = asyncio.create_task(pump(mailbox, store, naps.sleep))
        for event in sent(10):
            mailbox.put(event)
        await settle()
        for event in sent(1000):
            mailbox.put(event)
        await settle()
        assert published == [10]
        naps.over.set()
        await settle()
        assert published == [10, 1010]
        assert naps.asked == [1 / PUBLISH_HZ] * 2
        task.cancel()

    async def test_what_came_before_the_pump_is_published(self) -> None:
        store = Store(builders.state())
        task = asyncio.create_task(pump(filled(sent(2)), store, Naps().sleep))
        await settle()
        assert store.state.entries_seen == 2
        task.cancel()

    async def test_nothing_is_published_without_events(self) -> None:
        mailbox, store, naps = Mailbox(), Store(builders.state()), Naps()
        published: list[State] = []
        store.subscribe(published.append)
        task = asyncio.create_task(pump(mailbox, store, naps.sleep))
        await settle()
        assert published == []
        assert naps.asked == []
        task.cancel()

    async def test_events_of_another_thread_arrive(self) -> None:
        mailbox, store, naps = Mailbox(), Store(builders.state()), Naps()
        arrived = asyncio.Event()
        store.subscribe(lambda _state: arrived.set())
        task = asyncio.create_task(pump(mailbox, store, naps.sleep))
        await settle()
        thread = threading.Thread(target=mailbox.put, args=(tick(3.0),))
        thread.start()
        await arrived.wait()
        thread.join()
        assert store.state.clock.at == 3.0
        task.cancel()


def test_a_pump_that_ended_is_not_called_any_more() -> None:
    mailbox = Mailbox()

    async def begin_and_end() -> None:
        task = asyncio.create_task(pump(mailbox, Store(builders.state())))
        await settle()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(begin_and_end())
    mailbox.put(tick(1.0))
    assert mailbox.take() == [tick(1.0)]
