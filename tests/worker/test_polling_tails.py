from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from tests.support.gateway import LANE, FakeClient, lost

from vp_tui.domain.events import Event, LogArrived
from vp_tui.domain.models import TailAnswer
from vp_tui.gateway.errors import Unreachable
from vp_tui.worker.polling import BURST, FASTEST_S, SLOWEST_S, LogTailer, next_interval

if TYPE_CHECKING:
    from vp_tui.gateway.client import GatewayClient


@pytest.mark.parametrize(
    ("interval_s", "new_lines", "expected"),
    [
        (2.0, 1, 1.0),
        (0.3, 1, FASTEST_S),
        (2.0, BURST - 1, 1.0),
        (2.0, BURST, FASTEST_S),
        (0.5, 0, 0.75),
        (1.9, 0, SLOWEST_S),
        (SLOWEST_S, 0, SLOWEST_S),
    ],
)
def test_a_log_is_asked_as_fast_as_it_grows(
    interval_s: float, new_lines: int, expected: float
) -> None:
    assert next_interval(interval_s, new_lines) == expected


def answer(*lines: str, size: int, file: str = "/run.log") -> TailAnswer:
    return TailAnswer(file, size, lines, truncated=False, reset=False)


class Tailed:
    """A tailer of the lane's log on a fake gateway, at 7.0."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.events: list[Event] = []
        client = cast("GatewayClient", self.client)
        self.tailer = LogTailer(LANE, client, self.events.append, lambda: 7.0)

    async def ask(self, *lines: str, size: int, file: str = "/run.log") -> float:
        self.client.log_answer = answer(*lines, size=size, file=file)
        return await self.tailer.ask()

    @property
    def lines(self) -> list[tuple[str, ...]]:
        return [event.chunk.lines for event in self.events if isinstance(event, LogArrived)]


async def test_new_lines_arrive_once() -> None:
    tailed = Tailed()
    await tailed.ask("a", "b", size=4)
    await tailed.ask("b", "c", size=6)
    assert tailed.lines == [("a", "b"), ("c",)]
    assert {(event.at, type(event)) for event in tailed.events} == {(7.0, LogArrived)}
    assert tailed.client.asked == {f"log {LANE}": 2}


async def test_an_answer_without_lines_is_told_and_slows_down() -> None:
    tailed = Tailed()
    assert await tailed.ask("a", size=2) == FASTEST_S
    assert await tailed.ask("a", size=2) == FASTEST_S * 1.5
    assert tailed.lines == [("a",), ()]


async def test_another_file_is_asked_for_again_at_once() -> None:
    tailed = Tailed()
    await tailed.ask("a", size=200)
    await tailed.ask("z", size=2)
    assert tailed.client.asked == {f"log {LANE}": 3}
    chunks = [event.chunk for event in tailed.events if isinstance(event, LogArrived)]
    assert chunks[-1].restarted


async def test_a_failure_is_the_pollers_business() -> None:
    tailed = Tailed()
    tailed.client.log_answer = lost()
    with pytest.raises(Unreachable):
        await tailed.tailer.ask()
    assert tailed.events == []
