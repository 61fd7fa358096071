"""What the keys that change something do: each asks first, and audits what must not be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.lane_view import why_no_change
from vp_tui.targets import (
    cancellable,
    own_pending,
    row_of_session,
    target_of,
    why_no_cancel,
)
from vp_tui.ui.cancel import CancelDialog
from vp_tui.ui.cancel_all import CancelAllDialog

if TYPE_CHECKING:
    from textual.screen import Screen

    from vp_tui.commands import Commands
    from vp_tui.domain.switches import Change
    from vp_tui.ui.live import Live


class Acting:
    """The danger keys of one screen."""

    def __init__(self, screen: Screen[None], live: Live, commands: Commands) -> None:
        self._screen = screen
        self._live = live
        self._commands = commands

    def cancel(self, session_id: str | None) -> None:
        """Open the dialog for the session's run; where there is nothing to hit, say why.

        One that was cancelled already has the dialog show what comes of it.
        """
        state, now = self._live.state, self._live.now
        row = row_of_session(state, now, session_id)
        if (why := why_no_cancel(state, now, session_id)) is not None or row is None:
            self._refuse("cancel", session_id or "", why or "it is not listed")
        followed = own_pending(state, session_id) if why else None
        if row is not None and (why is None or followed is not None):
            dialog = CancelDialog(self._live, self._commands, target_of(row), followed)
            self._screen.app.push_screen(dialog)

    def cancel_all(self) -> None:
        """Open the dialog for all runs that can be hit."""
        targets = cancellable(self._live.state, self._live.now)
        if not targets:
            self._refuse("cancel all", "", "nothing runs that a cancel could hit")
            return
        self._screen.app.push_screen(CancelAllDialog(self._live, self._commands, targets))

    def change(self, change: Change) -> None:
        """Open the dialog for a switch of the lane; where it cannot be set, say why.

        One that is followed is shown, whatever else can be done now.
        """
        from vp_tui.ui.brake import BrakeDialog, followed_change  # noqa: PLC0415 - when asked for

        state = self._live.state
        why = why_no_change(state, change)
        if why is not None and followed_change(state, change) is None:
            self._refuse(change.words, state.watch.url, why)
            return
        self._screen.app.push_screen(BrakeDialog(self._live, self._commands, change))

    def probe(self) -> None:
        """Open the dialog of the probe: the one under way, the last one, or the first."""
        from vp_tui.ui.probe import ProbeDialog  # noqa: PLC0415 - when asked for

        self._screen.app.push_screen(ProbeDialog(self._live, self._commands))

    def restart(self) -> None:
        """Open the dialog that restarts the gateway, or shows how a restart goes on."""
        from vp_tui.ui.restart import RestartDialog  # noqa: PLC0415 - when asked for

        self._screen.app.push_screen(RestartDialog(self._live, self._commands))

    def _refuse(self, action: str, target: str, why: str) -> None:
        self._commands.refused(action, target, "", why)
        self._screen.notify(why, title=f"no {action}", severity="warning", markup=False)
