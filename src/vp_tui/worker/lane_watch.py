"""The watch of one lane: what is known of it, and all that acts on it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vp_tui.state.store import Faults, pump
from vp_tui.views.view import Live

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vp_tui.domain.events import Event
    from vp_tui.state.store import Mailbox, Store
    from vp_tui.worker.commands import Commands
    from vp_tui.worker.lookout import Lookout
    from vp_tui.worker.recording import Recording


class LaneWatch:
    """The watch of one lane: what is known of it, and all that acts on it.

    Who asks or shows something of a lane holds its LaneWatch. Two lanes share the network thread,
    on which the feeds behind `commands` run, and nothing else.
    """

    def __init__(
        self,
        store: Store,
        mailbox: Mailbox,
        commands: Commands,
        clock: Callable[[], float],
        wall: Callable[[], datetime],
        report: Callable[[Exception], str] | None = None,
        recording: Callable[[], Recording] | None = None,
    ) -> None:
        """`mailbox` is the feeds'; `clock` monotonic, in seconds; `report` as `Faults` has it.

        `recording` makes what records it, not begun; None: it is not recorded.
        """
        self.store = store
        self.mailbox = mailbox
        self.commands = commands
        self.live = Live(store, clock)
        self.faults = Faults(store, mailbox.put, clock, report)
        self._wall = wall
        self._recording: Recording | None = None
        self._unrecorded: list[Event] = []
        if recording is not None:
            store.on_taken = self._unrecorded.extend
        self._make_recording = recording

    @cached_property
    def lookout(self) -> Lookout:
        """What judges the lane once a second."""
        from vp_tui.worker.lookout import Lookout  # noqa: PLC0415 - not needed for the first frame

        return Lookout(self.live, self.commands, self._wall)

    def record(self) -> None:
        """Begin to record what the store takes, and all that it took so far."""
        if self._make_recording is not None:
            self._recording = self._make_recording()
            self._recording.take(self._unrecorded)
            self.store.on_taken = self._recording.take
            self._recording.start()

    def stop_recording(self) -> None:
        """End what `record` began: what was taken is on disk then, or in a moment."""
        if self._recording is not None:
            self._recording.stop()

    async def pump(self) -> None:
        """Hand what the feeds tell to the store until cancelled."""
        await pump(self.mailbox, self.store)
