from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest
from tests.support.patience import PATIENCE_S

from vp_tui.worker import commands as network_module
from vp_tui.worker.commands import NetworkThread

if TYPE_CHECKING:
    from collections.abc import Callable

    from vp_tui.worker.feeds import Feeds


class FakeFeeds:
    """Feeds that run until they are cancelled, or until their bug is let loose."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.ended = threading.Event()
        self.thread: threading.Thread | None = None
        self._bug = asyncio.Event()

    async def run(self) -> None:
        self.thread = threading.current_thread()
        self.running.set()
        try:
            await self._bug.wait()
            raise KeyError("a bug")
        finally:
            self.ended.set()

    def survive(self, _error: Exception) -> bool:
        return False

    def break_down(self) -> None:
        self._bug.set()


class Rig:
    """A network thread with fake feeds, and what its crash said."""

    def __init__(self, *, open_gate: bool = True) -> None:
        self.gate = threading.Event()
        if open_gate:
            self.gate.set()
        self.feeds: FakeFeeds | None = None
        self.crashes: list[BaseException] = []
        self.crashed = threading.Event()
        self.network = NetworkThread()
        self._lane = self.network.add(self._connect)

    def _connect(self) -> Feeds:
        assert self.gate.wait(PATIENCE_S)
        self.feeds = FakeFeeds()
        return cast("Feeds", self.feeds)

    def crash(self, error: BaseException) -> None:
        self.crashes.append(error)
        self.crashed.set()

    def call(self, request: Callable[[FakeFeeds], None]) -> None:
        self._lane.call(lambda feeds: request(cast("FakeFeeds", feeds)))

    def heard(self) -> FakeFeeds:
        """Return the feeds once they answered a call."""
        answered = threading.Event()
        self.call(lambda _feeds: answered.set())
        assert answered.wait(PATIENCE_S)
        assert self.feeds is not None
        return self.feeds


def test_feeds_run_on_a_thread_of_their_own_until_stopped() -> None:
    rig = Rig()
    rig.network.start(rig.crash)
    feeds = rig.heard()
    assert feeds.thread is not threading.current_thread()
    rig.network.stop()
    assert feeds.ended.is_set()
    assert feeds.thread is not None
    assert not feeds.thread.is_alive()
    assert rig.crashes == []


def test_a_call_before_the_feeds_are_there_is_delivered_in_order() -> None:
    rig = Rig(open_gate=False)
    order: list[str] = []
    rig.call(lambda feeds: order.append(f"first {feeds.running.is_set()}"))
    rig.network.start(rig.crash)
    rig.call(lambda feeds: order.append(f"second {feeds.running.is_set()}"))
    rig.gate.set()
    rig.heard()
    rig.network.stop()
    assert order == ["first True", "second True"]


def test_calls_are_made_on_the_feeds_thread() -> None:
    rig = Rig()
    rig.network.start(rig.crash)
    callers: list[threading.Thread] = []
    rig.call(lambda _feeds: callers.append(threading.current_thread()))
    feeds = rig.heard()
    rig.network.stop()
    assert callers == [feeds.thread]


def test_a_crash_of_the_feeds_is_told() -> None:
    rig = Rig()
    rig.network.start(rig.crash)
    rig.call(lambda feeds: feeds.break_down())
    assert rig.crashed.wait(PATIENCE_S)
    assert [type(error) for error in rig.crashes] == [KeyError]
    rig.network.stop()


def test_feeds_that_cannot_be_made_are_a_crash() -> None:
    crashed: list[BaseException] = []
    told = threading.Event()

    def connect() -> Feeds:
        raise ImportError("no such library")

    def crash(error: BaseException) -> None:
        crashed.append(error)
        told.set()

    network = NetworkThread()
    network.add(connect)
    network.start(crash)
    assert told.wait(PATIENCE_S)
    assert [str(error) for error in crashed] == ["no such library"]
    network.stop()


class TestTwoLanes:
    """One thread for both."""

    def test_a_call_reaches_the_feeds_of_its_own_lane(self) -> None:
        network, feeds = NetworkThread(), [FakeFeeds(), FakeFeeds()]
        lanes = [network.add(partial(cast, "Feeds", one)) for one in feeds]
        reached: list[object] = []
        lanes[1].call(reached.append)
        crashes: list[BaseException] = []
        network.start(crashes.append)
        lanes[0].call(reached.append)
        answered = threading.Event()
        lanes[1].call(lambda _feeds: answered.set())
        assert answered.wait(PATIENCE_S)
        network.stop()
        assert reached == [feeds[1], feeds[0]]
        assert crashes == []
        assert feeds[0].thread is feeds[1].thread
        assert all(one.ended.is_set() for one in feeds)

    def test_a_crash_of_one_lane_ends_both_and_is_told(self) -> None:
        rig, other = Rig(), FakeFeeds()
        rig.network.add(lambda: cast("Feeds", other))
        rig.network.start(rig.crash)
        assert other.running.wait(PATIENCE_S)
        rig.call(lambda feeds: feeds.break_down())
        assert rig.crashed.wait(PATIENCE_S)
        assert [type(error) for error in rig.crashes] == [KeyError]
        assert other.ended.is_set()
        rig.network.stop()


def test_a_bug_in_a_call_ends_the_feeds_and_is_told() -> None:
    rig = Rig()
    rig.network.start(rig.crash)
    feeds = rig.heard()

    def broken(_feeds: FakeFeeds) -> None:
        raise ValueError("a bug in a key")

    rig.call(broken)
    assert rig.crashed.wait(PATIENCE_S)
    assert [str(error) for error in rig.crashes] == ["a bug in a key"]
    assert feeds.ended.is_set()
    rig.network.stop()


@pytest.mark.parametrize("end", ["stop", "crash"])
def test_a_call_after_the_end_is_harmless(end: str) -> None:
    rig = Rig()
    rig.network.start(rig.crash)
    rig.heard()
    if end == "crash":
        rig.call(lambda feeds: feeds.break_down())
        assert rig.crashed.wait(PATIENCE_S)
    rig.network.stop()
    made: list[FakeFeeds] = []
    rig.call(made.append)
    rig.network.stop()
    assert made == []


def test_stopping_before_the_feeds_are_there_never_runs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network_module, "_JOIN_S", 0.0)
    rig = Rig(open_gate=False)
    rig.network.start(rig.crash)
    rig.network.stop()
    rig.gate.set()
    assert rig.network._thread is not None
    rig.network._thread.join(PATIENCE_S)
    assert not rig.network._thread.is_alive()
    assert rig.feeds is not None
    assert not rig.feeds.running.is_set()
    assert rig.crashes == []


def test_stopping_what_never_started_is_harmless() -> None:
    rig = Rig()
    rig.network.stop()
    assert rig.feeds is None
