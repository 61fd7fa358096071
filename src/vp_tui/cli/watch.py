"""`vp-tui watch`: what is checked before anything is drawn, the lane, and the screen that shows it.

The network's libraries load on the network's thread.
"""

from __future__ import annotations

import gc
import os
import sys
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from vp_tui.cli.config.kinds import ConfigError
from vp_tui.cli.console import narrate, told_settings
from vp_tui.cli.wiring import USUAL, events_noted, new_store
from vp_tui.domain.events import StoryTold
from vp_tui.state.store import Mailbox
from vp_tui.storage.places import places
from vp_tui.worker.commands import Commands, NetworkThread
from vp_tui.worker.lane_watch import LaneWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vp_tui.cli.arguments import Arguments
    from vp_tui.cli.config.settings import Settings
    from vp_tui.domain.events import Event, Heard
    from vp_tui.state.store import Store
    from vp_tui.storage.places import Places
    from vp_tui.ui.kit.line_list import Tones
    from vp_tui.ui.watch.screen import WatchScreen
    from vp_tui.worker.evidence import Recorder
    from vp_tui.worker.feeds import Feeds
    from vp_tui.worker.recording import Recording


FORCED_S: Final = 0.25
"""How long a forced end waits for what is left to be kept."""


def watch(arguments: Arguments) -> int:
    """Watch the gateway; return the exit code."""
    require_terminal(arguments.command)
    return run_tui(told_settings(arguments).settings, places(os.environ))


def require_terminal(command: str) -> None:
    """Raise ConfigError where a command cannot draw."""
    streams = {"stdout": sys.stdout, "stdin": sys.stdin}  # all is drawn on stdout
    for name, stream in streams.items():
        if stream is None or not stream.isatty():
            raise ConfigError(
                f"vp-tui {command} draws on a terminal, and {name} is none: "
                "for one look without a terminal use `vp-tui status --json`"
            )


def run_tui(
    settings: Settings,
    places: Places,
    *,
    ambient: bool = True,
    story: Iterable[str] = (),
    at_end: Callable[[], None] = lambda: None,
) -> int:
    """Watch until the operator leaves. `ambient` lets tokens come from the environment too.

    `story` is what the demo's gateway will do next, as it tells that; `at_end` clears up where the
    process has to be ended at once. What is left is kept then too, unless that takes too long.
    """
    network = NetworkThread()
    lane = lane_watch(settings, places, network, ambient=ambient)
    Thread(target=_tell, args=(story, lane.mailbox.put), daemon=True).start()
    once = Lock()

    def forced() -> None:
        last = Thread(target=_leave, args=(lane, places, once), daemon=True)
        last.start()
        last.join(FORCED_S)
        at_end()

    with events_noted(lane.store):
        try:
            return run_app(lane, network, forced)
        finally:
            lane.stop_recording()
            _leave(lane, places, once)


def _leave(lane: LaneWatch, places: Places, once: Lock) -> None:
    """Keep what was heard last, and audit the cancels whose recovery is still awaited."""
    if not once.acquire(blocking=False):
        return

    def keep(heard: Heard) -> str | None:
        return lane.commands.recorder.keep_heard(heard)

    if lane.store.state.sources and (why := lane.lookout.keep_left(keep)):
        narrate(f"WARNING: {why}")
    if lane.store.state.cancels and (problem := lane.lookout.note_left(places.audit)):
        narrate(f"WARNING: {problem.reason}; {problem.cure}")


def run_app(
    lane: LaneWatch,
    network: NetworkThread,
    at_end: Callable[[], None] = lambda: None,
    screen: Callable[[LaneWatch, Tones], WatchScreen] | None = None,
) -> int:
    """Draw the lane until the operator leaves; `at_end` and `screen` as the app has them."""
    # Loading makes many objects and no garbage: collecting would cost a fifth of the time to the
    # first frame. The app collects again once that is on the screen.
    gc.disable()
    from vp_tui.ui.app import VpTuiApp  # noqa: PLC0415 - Textual, when it will be drawn

    app = VpTuiApp(lane, network, at_end, screen)
    app.run()
    if app.crash is not None:
        raise app.crash
    return app.return_code or 0


def _tell(story: Iterable[str], emit: Callable[[Event], None]) -> None:
    for told in story:
        emit(StoryTold(USUAL.clock(), told))


def reporter(store: Store) -> Callable[[Exception], str]:
    """Return what writes the report of a bug, one for each place in the code, and says where."""
    known: dict[object, str] = {}

    def report(error: Exception) -> str:
        from vp_tui.cli.crash import kept_report  # noqa: PLC0415 - for a bug only

        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        place = (type(error), last and (last.tb_frame.f_code, last.tb_lineno))
        if place not in known:
            error.recent_events = tuple(store.recent)  # type: ignore[attr-defined]  # read by the report
            known[place] = kept_report(error, sys.argv[1:])
        return known[place]

    return report


def lane_watch(
    settings: Settings, places: Places, network: NetworkThread, *, ambient: bool = True
) -> LaneWatch:
    """Return the watch of a lane for a screen; its feeds begin when `network` is started."""
    store, mailbox = new_store(settings), Mailbox()
    first = store.state
    report = reporter(store)

    def feeds() -> Feeds:
        from vp_tui.cli.workers import connect  # noqa: PLC0415 - on the network thread

        return connect(
            settings, mailbox.put, ambient=ambient, places=places, may_revert=True, report=report
        )

    def recorder() -> Recorder:
        from vp_tui.worker.evidence import new_recorder  # noqa: PLC0415 - after the first frame

        return new_recorder(settings.evidence, store, places)

    def recording() -> Recording:
        from vp_tui.cli.recording import recording_of  # noqa: PLC0415 - after the first frame

        return recording_of(settings, places, first, mailbox.put, report)

    commands = Commands(network.add(feeds), store, recorder, places)
    on = recording if settings.record else None
    return LaneWatch(store, mailbox, commands, USUAL.clock, USUAL.wall, report, on)
