"""A recording played again, as what a screen needs of a watch."""

from __future__ import annotations

import asyncio
import time
from functools import cached_property
from typing import TYPE_CHECKING, Final, NoReturn

from vp_tui.domain.events import StoryTold
from vp_tui.domain.text import counted
from vp_tui.state.reducer import reduce_all
from vp_tui.state.store import PUBLISH_HZ, Mailbox, Store
from vp_tui.worker.commands import Commands, LaneFeeds
from vp_tui.worker.lane_watch import LaneWatch
from vp_tui.worker.lookout import Lookout

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vp_tui.domain.orders import ActionRecord
    from vp_tui.domain.runs.alarms import Alarm
    from vp_tui.storage.places import Places
    from vp_tui.worker.commands import NetworkThread
    from vp_tui.worker.tape import Tape


SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class Player:
    """Plays a tape into a store, at a speed, or goes where it is sent."""

    def __init__(self, tape: Tape, store: Store) -> None:
        self.tape = tape
        self.speed = 1.0
        """Times as fast as it was."""
        self.is_paused = False
        self.now = tape.began_at
        """The moment that is shown, on the clock of the watch that was recorded."""
        self._store = store
        self._count = 0

    def advance(self, seconds: float) -> None:
        """Let so much time pass here; at the end it stops."""
        if self.is_paused:
            return
        self.now = min(self.now + seconds * self.speed, self.tape.ended_at)
        self.is_paused = self.now >= self.tape.ended_at
        if (count := self.tape.count_at(self.now)) != self._count or self.is_paused:
            self._show(count)

    def pause(self) -> None:
        """Stop, or go on; from the end it begins anew."""
        if self.is_paused and self.now >= self.tape.ended_at:
            self.to_moment(self.tape.began_at)
        self.is_paused = not self.is_paused
        self._show(self._count)

    def change_speed(self, steps: int) -> None:
        """Play so many steps of SPEEDS faster, or slower."""
        nearest = min(range(len(SPEEDS)), key=lambda place: abs(SPEEDS[place] - self.speed))
        self.speed = SPEEDS[min(max(nearest + steps, 0), len(SPEEDS) - 1)]
        self._show(self._count)

    def step(self) -> None:
        """Take one event, and pause."""
        self.to_count(self._count + 1)

    def to_count(self, count: int) -> None:
        """Go to where `count` events were taken, and pause."""
        self.is_paused = True
        count = min(max(count, 0), len(self.tape))
        self.now = self.tape.moment(count)
        self._show(count)

    def to_moment(self, at: float) -> None:
        """Go to a moment on the monotonic clock; it goes on as it did."""
        self.now = min(max(at, self.tape.began_at), self.tape.ended_at)
        self._show(self.tape.count_at(self.now))

    def to_change(self, direction: int) -> bool:
        """Go to the last or next change of a word, gate, alarm or badge; tell whether there is."""
        return self._to(self.tape.next_change if direction > 0 else self.tape.last_change)

    def to_window(self, direction: int) -> bool:
        """Go to where a window began or ended, or its row was written; tell whether there is."""
        counts = self.tape.windows()
        if direction > 0:
            return self._to(lambda count: next((c for c in counts if c > count), None))
        return self._to(lambda count: next((c for c in counts[::-1] if c < count), None))

    def _to(self, find: Callable[[int], int | None]) -> bool:
        count = find(self._count)
        if count is not None:
            self.to_count(count)
        return count is not None

    def _show(self, count: int) -> None:
        """Publish the state after so many events, and how it is played."""
        state = self.tape.state_after(count)
        self._count = count
        self._store.show(reduce_all(state, [StoryTold(self.now, self.told)]))

    @property
    def told(self) -> str:
        """How it is played, in words."""
        whole_s = self.tape.ended_at - self.tape.began_at
        part = (self.now - self.tape.began_at) / whole_s if whole_s else 1.0
        how = "paused" if self.is_paused else f"{self.speed:g}x"
        lost = f" {counted(self.tape.lost, 'event')} lost" if self.tape.lost else ""
        return f"{how} {part:.0%}{lost}"


class ReplayWatch(LaneWatch):
    """What a screen needs of a watch, with a recording in the place of a gateway.

    Nothing that it does leaves it: its feeds never run, and what the lookout judged is on the tape.
    """

    def __init__(self, tape: Tape, network: NetworkThread, places: Places) -> None:
        network.stop()  # so that whatever is asked of the feeds goes nowhere
        store = Store(tape.state_after(0))
        self.player = Player(tape, store)
        feeds = LaneFeeds(network, _nothing)
        commands = Commands(feeds, store, _nothing, places, self._moment)
        super().__init__(store, Mailbox(), commands, self._moment, self._wall_time)
        self.player.to_moment(tape.began_at)

    @cached_property
    def lookout(self) -> Lookout:
        """What looks on: all is judged already."""
        return _Onlooker(self.live, self.commands, self._wall_time)

    async def pump(self) -> None:
        """Play until cancelled."""
        before = time.monotonic()
        while True:
            await asyncio.sleep(1 / PUBLISH_HZ)
            now = time.monotonic()
            self.player.advance(now - before)
            before = now

    def _moment(self) -> float:
        return self.player.now

    def _wall_time(self) -> datetime:
        return self.store.state.clock.wall_at(self.player.now)


def _nothing() -> NoReturn:
    raise RuntimeError("a replay asks nothing and writes nothing")


class _Onlooker(Lookout):
    """Judges, audits and rings nothing: all that is on the tape."""

    def look(self, unseen: str | None = None) -> tuple[Alarm, ...]:  # noqa: ARG002 - as it is live
        return ()

    def audit_outcomes(self, keep: Callable[[ActionRecord], None]) -> None:
        pass

    def stop_auto_revert(self, actor: str) -> None:
        pass
