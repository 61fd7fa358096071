"""What the keys do that need a part of the screen which the first frame does without.

Each doing takes the watch screen, as it is when its key is hit. What it imports is loaded with it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vp_tui.domain.events import Source
from vp_tui.ui.find import FindBar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vp_tui.ui.watch import WatchScreen

    Doing = Callable[[WatchScreen], None]

COPIED: Final = "sent to the terminal's clipboard; in tmux this needs `set-clipboard on`"


def _record(screen: WatchScreen) -> None:
    screen.desk.record()


def _record_now(screen: WatchScreen) -> None:
    screen.run_worker(screen.desk.record_now())


def _explain(screen: WatchScreen) -> None:
    from vp_tui.ui.explain import ExplainScreen  # noqa: PLC0415 - loaded when it is asked for

    screen.app.push_screen(ExplainScreen(screen.live.store, screen.picture))


def _evidence(screen: WatchScreen) -> None:
    from vp_tui.ui.evidence import EvidenceScreen  # noqa: PLC0415 - loaded when it is asked for

    screen.app.push_screen(EvidenceScreen(screen.live.store, screen.picture))


def _window(screen: WatchScreen) -> None:
    screen.desk.window()


def _waiting(screen: WatchScreen) -> None:
    screen.run_worker(_offer_waiting(screen, asked=True))


def offer_waiting(screen: WatchScreen) -> None:
    """Offer to append rows that wait for the log, if there are any."""
    screen.run_worker(_offer_waiting(screen, asked=False))


async def _offer_waiting(screen: WatchScreen, *, asked: bool) -> None:
    found = await screen.commands.waiting()
    if found.rows or asked:
        screen.desk.offer(found, asked=asked)


def _acknowledge(screen: WatchScreen) -> None:
    seen = screen.commands.acknowledge()
    screen.notify(f"{seen} alarms seen" if seen else "no alarm is unseen", markup=False)


def _cancel(screen: WatchScreen) -> None:
    screen.acting.cancel(screen.board.selected)


def _cancel_all(screen: WatchScreen) -> None:
    screen.acting.cancel_all()


def _help(screen: WatchScreen) -> None:
    from vp_tui.ui.help import HelpScreen  # noqa: PLC0415 - loaded when it is asked for

    screen.app.push_screen(HelpScreen(read_only=screen.live.state.watch.read_only))


def _find(screen: WatchScreen) -> None:
    if not screen.query(FindBar):
        found = screen.board.found[screen.focused_name]
        screen.mount(FindBar(screen.focused_list, found))


def _copy(screen: WatchScreen) -> None:
    if text := screen.focused_list.cursor_text:
        screen.app.copy_to_clipboard(text)
        screen.notify(COPIED, markup=False)


def _read_tokens(screen: WatchScreen) -> None:
    screen.commands.read_tokens()
    screen.notify("reading the tokens again; what was refused is tried at once", markup=False)


def _poll_faster(screen: WatchScreen) -> None:
    _poll(screen, -1)


def _poll_slower(screen: WatchScreen) -> None:
    _poll(screen, 1)


def _poll(screen: WatchScreen, step: int) -> None:
    factor = screen.commands.change_poll_rate(step)
    metrics_s = screen.live.state.watch.intervals[Source.METRICS] * factor
    screen.notify(f"metrics every {metrics_s:g} s, the others in proportion", markup=False)


DOINGS: Final[Mapping[str, Doing]] = MappingProxyType(
    {
        "record": _record,
        "record-now": _record_now,
        "explain": _explain,
        "evidence": _evidence,
        "window": _window,
        "waiting": _waiting,
        "acknowledge": _acknowledge,
        "cancel": _cancel,
        "cancel-all": _cancel_all,
        "help": _help,
        "find": _find,
        "copy": _copy,
        "read-tokens": _read_tokens,
        "poll-faster": _poll_faster,
        "poll-slower": _poll_slower,
    }
)
"""By the id of their action."""
