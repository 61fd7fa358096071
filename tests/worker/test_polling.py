from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.gateway import FakePace, lost, refused, settle

from vp_tui.gateway.errors import GatewayError
from vp_tui.worker.polling import UNAUTHORIZED_RETRY_S, Pace, Poller, poll_delay


@pytest.mark.parametrize(
    ("interval_s", "failures", "delay_s"),
    [
        (2.0, 0, 2.0),
        (2.0, 1, 4.0),
        (2.0, 2, 4.0),
        (0.25, 3, 2.0),
        (0.25, 4, 4.0),
        (0.25, 5000, 4.0),
        (15.0, 0, 15.0),
        (15.0, 9, 4.0),
    ],
)
def test_delays(interval_s: float, failures: int, delay_s: float) -> None:
    assert poll_delay(interval_s, failures, jitter=0.0) == delay_s


@given(st.floats(0.1, 60), st.integers(0, 50), st.floats(-1, 1))
def test_chance_moves_a_delay_by_a_tenth_at_most(
    interval_s: float, failures: int, jitter: float
) -> None:
    middle = poll_delay(interval_s, failures, jitter=0.0)
    delay_s = poll_delay(interval_s, failures, jitter=jitter)
    assert delay_s == pytest.approx(middle, rel=0.11)
    assert not failures or delay_s <= 4.0


class Asked:
    """What a poller asks: answers, or raises, what it is given; the last one for ever."""

    def __init__(self, *answers: float | GatewayError | None) -> None:
        self.answers = list(answers)
        self.pace = FakePace()
        self.count = 0
        self.told: list[GatewayError | None] = []
        self.poller = Poller(
            self.ask, 2.0, self.pace, lambda: self.told.append(None), self.told.append
        )

    async def ask(self) -> float | None:
        self.count += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, GatewayError):
            raise answer
        return answer


async def test_an_answer_sets_the_next_time() -> None:
    asked = Asked(None, 0.5)
    assert await asked.poller.poll() == 2.0
    assert await asked.poller.poll() == 0.5
    assert asked.told == [None, None]


async def test_failures_back_off_until_an_answer() -> None:
    error = lost()
    asked = Asked(error, error, error, None)
    asked.poller.interval_s = 0.5
    assert [await asked.poller.poll() for _ in range(4)] == [1.0, 2.0, 4.0, 0.5]
    assert asked.told == [error, error, error, None]


async def test_a_refusal_is_asked_again_after_half_a_minute() -> None:
    assert await Asked(refused()).poller.poll() == UNAUTHORIZED_RETRY_S


async def test_the_operators_rate_multiplies_every_interval() -> None:
    asked = Asked(None, 0.5)
    asked.pace.factor = 3.0
    assert await asked.poller.poll() == 6.0
    assert await asked.poller.poll() == 1.5


async def test_a_bug_is_not_a_failure() -> None:
    async def broken() -> None:
        raise KeyError

    told: list[object] = []
    poller = Poller(broken, 2.0, FakePace(), lambda: told.append(None), told.append)
    with pytest.raises(KeyError):
        await poller.poll()
    assert told == []


async def test_one_request_is_in_flight() -> None:
    answer, begun = asyncio.Event(), 0
    pace = FakePace()

    async def slow() -> None:
        nonlocal begun
        begun += 1
        await answer.wait()

    task = asyncio.create_task(Poller(slow, 2.0, pace, lambda: None, lambda _e: None).run())
    await pace.passes(60.0)
    pace.wake()
    await settle()
    assert begun == 1
    answer.set()
    await settle()
    assert begun == 2, "woken while it asked, it asks again at once"
    assert pace.pauses == [2.0]
    task.cancel()


async def test_it_asks_for_ever_at_its_interval() -> None:
    asked = Asked(None)
    task = asyncio.create_task(asked.poller.run())
    await asked.pace.passes(10.5)
    assert asked.count == 6
    task.cancel()


async def test_a_wake_ends_the_pause() -> None:
    asked = Asked(refused(), None)
    task = asyncio.create_task(asked.poller.run())
    await settle()
    assert asked.count == 1
    asked.pace.wake()
    await settle()
    assert asked.count == 2
    task.cancel()


async def test_the_real_pace_pauses_until_its_time_or_a_wake() -> None:
    pace = Pace()
    await pace.pause(0.0)
    waiting = [asyncio.create_task(pace.pause(3600.0)) for _ in range(2)]
    await settle()
    assert not any(task.done() for task in waiting)
    pace.wake()
    await asyncio.gather(*waiting)
    again = asyncio.create_task(pace.pause(3600.0))
    await settle()
    assert not again.done(), "a wake ends only the pauses that had begun"
    again.cancel()
