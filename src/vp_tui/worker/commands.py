"""What the operator's keys do, and the network thread that does it.

Commands belong to one lane; the thread is shared by all lanes that are watched.

A UI loop is busy for long at times. A socket on it would not be drained then, and a viewer that
does not read freezes the gateway's run for everybody. So the feeds live on a thread with an event
loop of their own, and hand over through the mailbox.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from vp_tui.domain import events, orders
from vp_tui.domain.lane.switches import Actuation, Change
from vp_tui.domain.models import Failure
from vp_tui.domain.runs.progress import alive_at
from vp_tui.storage.errors import HandoverError
from vp_tui.storage.places import actor
from vp_tui.views.runs import certain_mission
from vp_tui.views.troubles import INTERRUPTED
from vp_tui.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from pathlib import Path

    from vp_tui.domain.rollout.evidence_row import EvidenceRow
    from vp_tui.domain.rollout.windows import Window
    from vp_tui.domain.runs.alarms import Alarm
    from vp_tui.state.store import Store
    from vp_tui.storage.places import Places
    from vp_tui.views.draft import Choice, Draft
    from vp_tui.worker.evidence import AppendedRow, Outcome, Recorder, WaitingRows
    from vp_tui.worker.feeds import Feeds


POLL_FACTORS: Final = (0.5, 1.0, 2.0, 5.0)
"""What the poll intervals can be multiplied by; never faster than twice, to spare the gateway."""

_JOIN_S: Final = 3.0


@dataclass
class Commands:
    """The commands of one lane's watch."""

    feeds: LaneFeeds
    store: Store
    make_recorder: Callable[[], Recorder]
    places: Places
    clock: Callable[[], float] = time.monotonic

    @cached_property
    def actor(self) -> str:
        """Who runs vp-tui."""
        return actor()

    @cached_property
    def recorder(self) -> Recorder:
        """What writes rows and windows; made when it is first needed."""
        return self.make_recorder()

    async def record(self, draft: Draft, choice: Choice) -> Outcome:
        """Write an evidence row; answered by RowRecorded, WindowsRead and EvidenceRead."""
        outcome = await self.recorder.record(draft, choice)
        if not isinstance(outcome, Failure) and (told := outcome.told):
            self.keep(self._told("record", outcome.row.window, choice.reason, told))
        self.feeds.call(lambda feeds: feeds.read_files())
        return outcome

    async def change_window(self, window: Window, before: Window | None) -> Failure | None:
        """Keep the window as it is now; answered by WindowsRead. Return why it could not be.

        `before` is the open window as it was known; None: none was open.
        """
        return await self.recorder.change_window(window, before)

    def keep_heard(self, heard: events.Heard) -> None:
        """Keep what was heard; answered by WindowsRead."""
        write = partial(self.recorder.keep_heard, heard)
        self.feeds.call(lambda feeds: feeds.keep_heard(write))

    async def waiting(self) -> WaitingRows:
        """Return the rows that wait for the log; answered by WaitingOffered."""
        self.store.apply(events.WaitingOffered(self.clock()))
        return await self.recorder.waiting()

    async def append_waiting(self, rows: Collection[EvidenceRow]) -> list[AppendedRow] | Failure:
        """Append those of `rows` that still wait; answered by EvidenceRead."""
        settled = await self.recorder.append_waiting(rows)
        self.feeds.call(lambda feeds: feeds.read_files())
        return settled

    def cancel(self, session_id: str, reason: str) -> None:
        """Cancel a session's run; answered by CancelRequested, then CancelAnswered or -Failed."""
        view = View(self.store.state, self.clock())
        known = certain_mission(view, session_id), alive_at(view.state.runs.get(session_id))
        self.feeds.order(orders.CancelRun(session_id, reason, *known))

    def change_switch(self, change: Change, reason: str) -> None:
        """Set a switch of the lane; answered by SwitchAsked, then SwitchActed."""
        self.feeds.order(orders.SetSwitch(change, reason))

    def done_by_hand(self, change: Change) -> None:
        """Take the operator's word that a change was made by hand; answered by SwitchActed."""
        self.store.apply(events.SwitchActed(self.clock(), Actuation((), by_word=True)))
        self.note(change.words, "", "done by hand, says the operator")

    def restart(self, reason: str) -> None:
        """Restart the gateway; answered by RestartAsked, then RestartActed."""
        self.feeds.order(orders.RestartGateway(reason))

    def probe(self) -> None:
        """Run a probe, as it is configured; answered by ProbeStepped for each of its steps."""
        from vp_tui.domain.lane.probe import prompt_for  # noqa: PLC0415 - not for the first frame

        state = self.store.state
        prompt = prompt_for(state.watch.probe_prompt, state.dialect)
        self.feeds.order(orders.RunProbe(prompt, state.dialect))

    def hold_back(self, unseen: str | None) -> None:
        """Have nothing sent that was begun, while nobody sees the screen; `unseen` is why."""
        self.feeds.call(lambda feeds: feeds.orders.hold_back(unseen))

    def refused(self, action: str, target: str, reason: str, why: str) -> None:
        """Audit that something was asked for and not done."""
        record = self._told(action, target, reason, f"refused: {why}")
        self.keep(record._replace(kind=orders.ActionKind.REFUSED))

    def note(self, action: str, reason: str, result: str) -> None:
        """Audit what was done here and asks nothing of the gateway: a waiver, the auto-revert."""
        self.keep(self._told(action, self.store.state.watch.vp_id, reason, result))

    def note_once(self, action: str, reason: str, result: str, since: datetime) -> None:
        """Audit what the auto-revert would have done, unless somebody did so since `since`."""
        record = self._told(action, self.store.state.watch.vp_id, reason, result)
        self.feeds.order(orders.AuditOnce(record, since))

    def _told(self, action: str, target: str, reason: str, result: str) -> orders.ActionRecord:
        watch, at = self.store.state.watch, self.store.state.clock.wall_at(self.clock())
        told = (at, self.actor, action, target, reason, (), result, orders.ActionKind.DONE)
        return orders.ActionRecord(*told, watch.id or watch.url, watch.vp_id)

    def acknowledge(self) -> int:
        """Say that the alarms were seen; answered by AlarmsAcknowledged. Return how many."""
        unseen = [alarm for alarm in self.store.state.alarms if alarm.acknowledged is None]
        if unseen:
            self.store.apply(events.AlarmsAcknowledged(self.clock(), self.actor))
            seen = (f"{alarm.key.kind} {alarm.session_id or ''}".strip() for alarm in unseen)
            self.keep(self._told("acknowledge", ", ".join(seen), "", "seen"))
        audit, at = self.store.state.audit, self.store.state.clock.wall_at(self.clock())
        if audit and any(alarm.key.kind == INTERRUPTED for alarm in unseen):
            for record in audit.interrupted:
                self.keep(orders.seen(record, self.actor, at))
        return len(unseen)

    def ring(self, alarms: tuple[Alarm, ...]) -> None:
        """Run the operator's command for these alarms; answered by AlarmCommandFailed at most."""
        told = "; ".join(f"{alarm.key.kind}: {alarm.reason}" for alarm in alarms)
        self.feeds.order(orders.RingAlarms(told))

    def keep(self, record: orders.ActionRecord) -> None:
        """Audit what came of an action; answered by AuditRead."""
        self.feeds.order(record)

    async def keep_handover(self, text: str, at: datetime) -> Path | Failure:
        """Write a handover text; nothing is answered. Return its file, or why there is none."""
        from vp_tui.storage.audit_log import keep_handover  # noqa: PLC0415 - many never hand over

        try:
            return await asyncio.to_thread(keep_handover, self.places.handovers, text, at)
        except HandoverError as error:
            return error.failure

    def read_tokens(self) -> None:
        """Read the tokens again and try what was refused; answered by TokensRead."""
        self.feeds.call(lambda feeds: feeds.read_tokens())

    async def detach(self) -> None:
        """Close all sockets before vp-tui stops; answered by LinkDropped."""
        loop, closed = asyncio.get_running_loop(), asyncio.Event()
        told = partial(loop.call_soon_threadsafe, closed.set)
        self.feeds.call(lambda feeds: feeds.detach().add_done_callback(lambda _: told()))
        await closed.wait()

    def attach(self) -> None:
        """Open sockets again, where a listing allows it."""
        self.feeds.call(lambda feeds: feeds.attach())

    def show_log(self, session_id: str | None) -> None:
        """Tail this session's log besides the lane's; answered by LogArrived."""
        self.feeds.call(lambda feeds: feeds.show_log(session_id))

    def change_poll_rate(self, step: int) -> float:
        """Poll slower (1) or faster (-1) by one step; return the factor in force."""
        place = POLL_FACTORS.index(self.store.state.poll_factor)
        factor = POLL_FACTORS[min(max(place + step, 0), len(POLL_FACTORS) - 1)]
        self.store.apply(events.PollRateChanged(self.clock(), factor))
        self.feeds.call(lambda feeds: feeds.set_poll_factor(factor))
        return factor


class NetworkThread:
    """Runs the feeds of every lane on one loop until stopped. A crash of one's ends them all."""

    def __init__(self) -> None:
        self._lanes: list[LaneFeeds] = []
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._waiting: list[tuple[LaneFeeds, Callable[[Feeds], None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[LaneFeeds, Feeds] = {}
        self._main: asyncio.Future[list[None]] | None = None
        self._broken_by: Exception | None = None
        self._stopping = False
        self._ended = False

    def add(self, connect: Callable[[], Feeds]) -> LaneFeeds:
        """Return the feeds of one more lane; `connect` makes them on the thread, once it runs."""
        lane = LaneFeeds(self, connect)
        self._lanes.append(lane)
        return lane

    def start(self, on_crash: Callable[[BaseException], None]) -> None:
        """Begin; `on_crash` gets, on the thread, what ended the feeds, unless `stop` did."""
        self._thread = threading.Thread(
            target=self._run, args=(on_crash,), name="network", daemon=True
        )
        self._thread.start()

    def call(self, lane: LaneFeeds, request: Callable[[Feeds], None]) -> None:
        """Have `request` called with a lane's feeds, on their loop; until they run it waits."""
        with self._lock:
            if self._stopping or self._ended:
                return
            if self._loop is None:
                self._waiting.append((lane, request))
            else:
                self._loop.call_soon_threadsafe(self._deliver, lane, request)

    def stop(self) -> None:
        """End all feeds and wait for the thread, but not for ever."""
        with self._lock:
            self._stopping = True
            if self._loop is not None and self._main is not None and not self._ended:
                self._loop.call_soon_threadsafe(self._main.cancel)
        if self._thread is not None:
            self._thread.join(_JOIN_S)

    def _run(self, on_crash: Callable[[BaseException], None]) -> None:
        try:
            asyncio.run(self._feed())
        except asyncio.CancelledError:
            if self._broken_by is not None:
                on_crash(self._broken_by)
        except BaseException as error:  # noqa: BLE001 - whatever ends the feeds ends the screen
            if not self._stopping:
                on_crash(error)

    async def _feed(self) -> None:
        try:
            self._running = {lane: lane.connect() for lane in self._lanes}
            loop = asyncio.get_running_loop()
            with self._lock:
                if self._stopping:
                    return
                each = (loop.create_task(f.run(), name="feeds") for f in self._running.values())
                self._main = asyncio.gather(*each)
                self._loop = loop
                for waiting in self._waiting:
                    loop.call_soon(self._deliver, *waiting)
            await self._main  # the others end with the loop
        finally:
            # From here on the loop takes no more calls.
            with self._lock:
                self._ended = True

    def _deliver(self, lane: LaneFeeds, request: Callable[[Feeds], None]) -> None:
        """Call `request`; its bug is told, where the loop would only log it, or ends the feeds."""
        if self._main is None:
            return
        try:
            request(self._running[lane])
        except Exception as error:  # noqa: BLE001 - handed to `on_crash`
            if not self._running[lane].survive(error):
                self._broken_by = error
                self._main.cancel()


@dataclass(frozen=True, eq=False, slots=True)
class LaneFeeds:
    """The feeds of one lane, as another thread speaks to them."""

    network: NetworkThread
    connect: Callable[[], Feeds]  # makes them

    def call(self, request: Callable[[Feeds], None]) -> None:
        """Have `request` called with the feeds, on their loop; until they run it waits."""
        self.network.call(self, request)

    def order(self, order: orders.Order) -> None:
        """Have the feeds carry out an order, as `call` does."""
        self.call(lambda feeds: feeds.order(order))
