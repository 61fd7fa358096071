"""What belongs to one lane of one gateway, while it is watched on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.state.store import pump
from vp_tui.views.view import Live
from vp_tui.worker.lookout import Lookout, audit_outcomes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vp_tui.state.store import Mailbox, Store
    from vp_tui.worker.commands import Commands


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
        self.lookout = Lookout(self.live, commands, wall)

    async def pump(self) -> None:
        """Hand what the feeds tell to the store until cancelled."""
        await pump(self.mailbox, self.store)

    def audit_outcomes(self) -> None:
        """Audit what our own orders come to from now on."""
        audit_outcomes(self.store, self.commands.keep, lambda: self.live.now)
