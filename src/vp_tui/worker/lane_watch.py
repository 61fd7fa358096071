"""What belongs to one lane of one gateway, while it is watched on a screen."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vp_tui.state.store import pump
from vp_tui.views.view import Live

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vp_tui.state.store import Mailbox, Store
    from vp_tui.worker.commands import Commands
    from vp_tui.worker.lookout import Lookout


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
    ) -> None:
        """`mailbox` is where the feeds put their events.

        `clock` is the monotonic one, in seconds; `wall` is the time in UTC.
        """
        self.store = store
        self.mailbox = mailbox
        self.commands = commands
        self.live = Live(store, clock)
        self._wall = wall

    @cached_property
    def lookout(self) -> Lookout:
        """What judges the lane once a second."""
        from vp_tui.worker.lookout import Lookout  # noqa: PLC0415 - not needed for the first frame

        return Lookout(self.live, self.commands, self._wall)

    async def pump(self) -> None:
        """Hand what the feeds tell to the store until cancelled."""
        await pump(self.mailbox, self.store)

    def audit_outcomes(self) -> None:
        """Audit what our own orders come to from now on."""
        self.lookout.audit_outcomes(self.commands.keep)
