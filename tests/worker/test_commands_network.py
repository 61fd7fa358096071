from __future__ import annotations

import asyncio
import threading
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
        self.network = NetworkThread(self._connect)

    def _connect(self) -> Feeds:
        assert self.gate.wait(PATIENCE_S)
        self.feeds = FakeFeeds()
        return cast("Feeds", self.feeds)

    def crash(self, error: BaseException) -> None:
        self.crashes.append(error)
        self.crashed.set()

    def call(self, request: Callable[[FakeFeeds], None]) -> None:
        self.network.call(lambda feeds: request(cast("FakeFeeds", feeds)))

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

    network = NetworkThread(connect)
    network.start(crash)
    assert told.wait(PATIENCE_S)
    assert [str(error) for error in crashed] == ["no such library"]
    network.stop()


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
