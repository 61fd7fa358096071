"""What the operator's keys do to the feeds. A command answers with an event, never by itself."""

from __future__ import annotations

import asyncio
import time
from functools import cached_property
from typing import TYPE_CHECKING, Final

from vp_tui.domain.auto_revert import AutoRevertStepped, stopped
from vp_tui.domain.events import AlarmsAcknowledged, PollRateChanged
from vp_tui.identity import actor
from vp_tui.reverting import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from pathlib import Path

    from vp_tui.domain.alarms import Alarm
    from vp_tui.domain.audit import ActionRecord
    from vp_tui.domain.evidence import EvidenceRow
    from vp_tui.domain.models import Failure
    from vp_tui.domain.switches import Change
    from vp_tui.domain.windows import Window
    from vp_tui.drafting import Choice, Draft
    from vp_tui.network import NetworkThread
    from vp_tui.paths import Places
    from vp_tui.recorder import Outcome, Recorder
    from vp_tui.store import Store
    from vp_tui.waiting import Settled, Waiting

POLL_FACTORS: Final = (0.5, 1.0, 2.0, 5.0)
"""What the poll intervals can be multiplied by; never faster than twice, to spare the gateway."""


class Commands:
    """The commands of one watch."""

    def __init__(
        self,
        network: NetworkThread,
        store: Store,
        make_recorder: Callable[[], Recorder],
        places: Places,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._network = network
        self._store = store
        self._make_recorder = make_recorder
        self._places = places
        self._clock = clock

    @cached_property
    def actor(self) -> str:
        """Who runs vp-tui."""
        return actor()

    @cached_property
    def recorder(self) -> Recorder:
        """What writes rows and windows; made when it is first needed."""
        return self._make_recorder()

    async def record(self, drafted: Draft, choice: Choice) -> Outcome:
        """Write an evidence row; answered by RowRecorded, WindowsRead and EvidenceRead."""
        outcome = await self.recorder.record(drafted, choice)
        self._network.call(lambda feeds: feeds.read_files())
        return outcome

    async def change_window(self, window: Window, before: Window | None) -> Failure | None:
        """Keep the window as it is now; answered by WindowsRead. Return why it could not be.

        `before` is the open window as it was known; None: none was open.
        """
        return await self.recorder.change_window(window, before)

    async def waiting(self) -> Waiting:
        """Return the rows that wait for the log; nothing is answered."""
        return await self.recorder.waiting()

    async def append_waiting(self, rows: Collection[EvidenceRow]) -> list[Settled] | Failure:
        """Append those of `rows` that still wait; answered by EvidenceRead."""
        settled = await self.recorder.append_waiting(rows)
        self._network.call(lambda feeds: feeds.read_files())
        return settled

    def cancel(self, session_id: str, reason: str) -> None:
        """Cancel a session's run; answered by CancelRequested, then CancelAnswered or -Failed."""
        self._network.call(lambda feeds: feeds.order(lambda o: o.cancel(session_id, reason)))

    def change_switch(self, change: Change, reason: str) -> None:
        """Set a switch of the lane; answered by SwitchAsked, then SwitchActed."""
        self._network.call(lambda feeds: feeds.act(lambda lane: lane.change(change, reason)))

    def restart(self, reason: str) -> None:
        """Restart the gateway; answered by RestartAsked, then RestartActed."""
        self._network.call(lambda feeds: feeds.act(lambda lane: lane.restart(reason)))

    def probe(self) -> None:
        """Run a probe, as it is configured; answered by ProbeStepped for each of its steps."""
        from vp_tui.domain.probe_terms import prompt_for  # noqa: PLC0415 - not for the first frame

        state = self._store.state
        dialect, prompt = state.dialect, prompt_for(state.watch.probe_prompt, state.dialect)
        self._network.call(lambda feeds: feeds.act(lambda lane: lane.probe(prompt, dialect)))

    def refused(self, action: str, target: str, reason: str, why: str) -> None:
        """Audit that something was asked for and not done."""
        self._network.call(
            lambda feeds: feeds.order(lambda o: o.refuse(action, target, reason, why))
        )

    def note(self, action: str, reason: str, result: str) -> None:
        """Audit what was done here and asks nothing of the gateway: a waiver, the auto-revert."""
        target = self._store.state.watch.vp_id
        self._network.call(
            lambda feeds: feeds.order(lambda o: o.note(action, target, reason, (), result))
        )

    def stop_auto_revert(self) -> None:
        """Stop the countdown; answered by AutoRevertStepped."""
        before = self._store.state.auto_revert
        after = stopped(before, actor())
        if after != before:
            self._store.apply(AutoRevertStepped(self._clock(), after))
            follow(before, after, self)

    def acknowledge(self) -> int:
        """Say that the alarms were seen; answered by AlarmsAcknowledged. Return how many."""
        unseen = [alarm for alarm in self._store.state.alarms if alarm.acknowledged is None]
        if unseen:
            self._store.apply(AlarmsAcknowledged(self._clock(), actor()))
            told = ", ".join(
                f"{alarm.key.kind} {alarm.session_id or ''}".strip() for alarm in unseen
            )
            self._network.call(
                lambda feeds: feeds.order(lambda o: o.note("acknowledge", told, "", (), "seen"))
            )
        return len(unseen)

    def ring(self, alarms: tuple[Alarm, ...]) -> None:
        """Run the operator's command for these alarms; answered by AlarmCommandFailed at most."""
        told = "; ".join(f"{alarm.key.kind}: {alarm.reason}" for alarm in alarms)
        self._network.call(lambda feeds: feeds.order(lambda o: o.ring(told)))

    def keep(self, record: ActionRecord) -> None:
        """Audit what came of an action; answered by AuditRead."""
        self._network.call(lambda feeds: feeds.order(lambda o: o.keep(record)))

    async def keep_handover(self, text: str, at: datetime) -> Path | Failure:
        """Write a handover text; nothing is answered. Return its file, or why there is none."""
        from vp_tui.storage.errors import HandoverError  # noqa: PLC0415 - not for the first frame
        from vp_tui.storage.handovers import keep_handover  # noqa: PLC0415 - as above

        try:
            return await asyncio.to_thread(keep_handover, self._places.handovers, text, at)
        except HandoverError as error:
            return error.failure

    def read_tokens(self) -> None:
        """Read the tokens again and try what was refused; answered by TokensRead."""
        self._network.call(lambda feeds: feeds.read_tokens())

    def show_log(self, session_id: str | None) -> None:
        """Tail this session's log besides the lane's; answered by LogArrived."""
        self._network.call(lambda feeds: feeds.show_log(session_id))

    def change_poll_rate(self, step: int) -> float:
        """Poll slower (1) or faster (-1) by one step; return the factor in force."""
        place = POLL_FACTORS.index(self._store.state.poll_factor)
        factor = POLL_FACTORS[min(max(place + step, 0), len(POLL_FACTORS) - 1)]
        self._store.apply(PollRateChanged(self._clock(), factor))
        self._network.call(lambda feeds: feeds.set_poll_factor(factor))
        return factor
