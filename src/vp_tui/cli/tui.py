"""The screen with all that stands behind it; the network's libraries load on its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vp_tui.cli.console import narrate
from vp_tui.cli.wiring import events_noted, new_store
from vp_tui.state.store import Mailbox
from vp_tui.ui.app import VpTuiApp
from vp_tui.worker.commands import Commands, NetworkThread

if TYPE_CHECKING:
    from vp_tui.cli.config.settings import Settings
    from vp_tui.state.store import Store
    from vp_tui.storage.places import Places
    from vp_tui.worker.evidence import Recorder
    from vp_tui.worker.feeds import Feeds


def show_screen(settings: Settings, places: Places, *, ambient: bool) -> int:
    """Watch until the operator leaves. `ambient` as in `credentials_of`."""
    store, mailbox = new_store(settings), Mailbox()

    def feeds() -> Feeds:
        from vp_tui.cli.workers import connect  # noqa: PLC0415 - on the network thread

        return connect(settings, mailbox.put, ambient=ambient, places=places, may_revert=True)

    def recorder() -> Recorder:
        from vp_tui.cli.recorder import new_recorder  # noqa: PLC0415 - after the first frame

        return new_recorder(settings, store, places)

    app = VpTuiApp(store, mailbox, Commands(NetworkThread(feeds), store, recorder, places))
    with events_noted(store):
        try:
            app.run()
        finally:
            _note_pending(store, places)
        if app.crash is not None:
            raise app.crash
    return app.return_code or 0


def _note_pending(store: Store, places: Places) -> None:
    """Audit the cancels whose recovery was still awaited when vp-tui was left."""
    if not store.state.cancels:
        return
    from vp_tui.worker.outcomes import note_left  # noqa: PLC0415 - most are left without any

    if problem := note_left(store.state, places.audit):
        narrate(f"WARNING: {problem.reason}; {problem.cure}")
