"""What the keys do that need a part of the screen which the first frame does without.

Each handler takes the watch screen as it is when its key is hit; what it needs is loaded then.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Change, Switch
from vp_tui.domain.models import Source
from vp_tui.domain.runs.alarms import OF_NO_SESSION
from vp_tui.domain.text import counted, short_id
from vp_tui.ui.kit.listing import FindBar
from vp_tui.ui.watch.logs import NO_ERROR, LogList
from vp_tui.views.actions import key_of
from vp_tui.views.lookout import GATEWAY_LOST, worst_alarm
from vp_tui.views.stuck_runs import row_of_session
from vp_tui.views.triage import is_on_lane

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from textual.app import App
    from textual.css.query import DOMQuery
    from textual.notifications import SeverityLevel
    from textual.widget import Widget

    from vp_tui.ui.kit.line_list import LineList
    from vp_tui.ui.kit.overlays import Picture
    from vp_tui.ui.watch.board import Board
    from vp_tui.ui.watch.open_dialogs import EvidenceDialogs, OrderDialogs
    from vp_tui.worker.lane_watch import LaneWatch


class HandlerScreen(Protocol):
    """What a handler needs of the watch screen."""

    lane: LaneWatch
    board: Board

    @property
    def app(self) -> App[object]: ...
    @property
    def evidence_dialogs(self) -> EvidenceDialogs: ...
    @property
    def order_dialogs(self) -> OrderDialogs: ...
    @property
    def focused_list(self) -> LineList: ...
    @property
    def focused_name(self) -> str: ...
    def picture(self) -> Picture: ...
    def redraw(self) -> None: ...
    def find(self, target: LineList, text: str) -> None: ...
    def action_pane(self, name: str) -> None: ...
    def notify(
        self, message: str, *, title: str = "", severity: SeverityLevel = ..., markup: bool = True
    ) -> None: ...
    def run_worker(self, work: Coroutine[None, None, None]) -> object: ...
    def query(self, selector: type[FindBar]) -> DOMQuery[FindBar]: ...
    def mount(self, widget: Widget) -> object: ...
    def call_after_refresh(self, callback: Callable[..., None], *args: object) -> bool: ...


Handler: TypeAlias = "Callable[[HandlerScreen], None]"
COPIED: Final = "sent to the terminal's clipboard; in tmux this needs `set-clipboard on`"


def _record(screen: HandlerScreen) -> None:
    screen.evidence_dialogs.record()


def _record_now(screen: HandlerScreen) -> None:
    screen.run_worker(screen.evidence_dialogs.record_now())


def _explain(screen: HandlerScreen) -> None:
    from vp_tui.ui.screens.texts import ExplainScreen  # noqa: PLC0415 - loaded when it is asked for

    screen.app.push_screen(ExplainScreen(screen.lane.live, screen.picture))


def _evidence(screen: HandlerScreen) -> None:
    from vp_tui.ui.screens.evidence import EvidenceScreen  # noqa: PLC0415 - loaded when it is asked for

    screen.app.push_screen(EvidenceScreen(screen.lane.live, screen.picture))


def _audit(screen: HandlerScreen) -> None:
    from vp_tui.ui.screens.audit import AuditScreen  # noqa: PLC0415 - loaded when it is asked for

    screen.app.push_screen(AuditScreen(screen.lane.live, screen.picture))


def _hand_over(screen: HandlerScreen) -> None:
    screen.run_worker(screen.evidence_dialogs.hand_over())


def _window(screen: HandlerScreen) -> None:
    screen.evidence_dialogs.window()


def _waive(screen: HandlerScreen) -> None:
    screen.evidence_dialogs.waive()


def _waiting(screen: HandlerScreen) -> None:
    screen.run_worker(_offer_waiting(screen, asked=True))


def offer_waiting(screen: HandlerScreen) -> None:
    """Offer to append rows that wait for the log, if there are any."""
    screen.run_worker(_offer_waiting(screen, asked=False))


async def _offer_waiting(screen: HandlerScreen, *, asked: bool) -> None:
    found = await screen.lane.commands.waiting()
    if found.rows or asked:
        screen.evidence_dialogs.offer(found, asked=asked)


def _acknowledge(screen: HandlerScreen) -> None:
    seen = screen.lane.commands.acknowledge()
    screen.notify(f"{counted(seen, 'alarm')} seen" if seen else "no alarm is unseen", markup=False)


def _cancel(screen: HandlerScreen) -> None:
    shown, selected = screen.board.looked_at, screen.board.selected
    if shown == selected:
        screen.order_dialogs.cancel(selected)
        return
    # One run is looked at and another one has the cursor: none is hit by mistake.
    told = f"{short_id(shown or '')} is looked at, the cursor is on {short_id(selected or '')}"
    watch = screen.lane.live.state.watch
    first, second = key_of(watch, "alarm"), key_of(watch, "triage")
    then = key_of(watch, "cancel")
    cure = f"{first} goes to the first, {second} looks at the second; then {then}"
    screen.notify(f"{told}: {cure}", title="which run?", severity="warning", markup=False)


def _cancel_all(screen: HandlerScreen) -> None:
    screen.order_dialogs.cancel_all()


def _probe(screen: HandlerScreen) -> None:
    screen.order_dialogs.probe()


def _restart(screen: HandlerScreen) -> None:
    screen.order_dialogs.restart()


def _change(change: Change) -> Handler:
    """Return what opens the dialog for a switch of the lane."""

    def ask(screen: HandlerScreen) -> None:
        screen.order_dialogs.change(change)

    return ask


def _help(screen: HandlerScreen) -> None:
    from vp_tui.ui.screens.texts import HelpScreen  # noqa: PLC0415 - loaded when it is asked for

    screen.app.push_screen(HelpScreen(screen.lane.live.state.watch))


def _find(screen: HandlerScreen) -> None:
    if not screen.query(FindBar):
        found = screen.board.found[screen.focused_name]
        screen.mount(FindBar(screen.focused_list, found))


def _copy(screen: HandlerScreen) -> None:
    """Copy the line under the cursor; of a run, its summary for the incident channel."""
    title, text, shown = "", screen.focused_list.cursor_text, screen.board.looked_at
    if screen.focused_name == "runs" and shown is not None:
        from vp_tui.views.handover import incident_text  # noqa: PLC0415 - loaded when it is asked for

        # What others are told is what is so now, also while the picture is frozen.
        text = incident_text(screen.lane.live.view, shown)
        title = f"summary of {short_id(shown)}"
    if text:
        screen.app.copy_to_clipboard(text)
        screen.notify(COPIED, title=title, markup=False)


def _next_error(screen: HandlerScreen) -> None:
    """Go to the next error of the log that has the focus, else of the one that the run writes."""
    log = screen.focused_list
    if isinstance(log, LogList):
        _go_to_error(screen, log)
        return
    name = _log_pane(screen)
    screen.action_pane(name)
    log = screen.board.lists[name]
    if isinstance(log, LogList):
        screen.call_after_refresh(_go_to_error, screen, log)


def _go_to_error(screen: HandlerScreen, log: LogList) -> None:
    if not log.go_to_error():
        screen.notify(NO_ERROR, severity="warning", markup=False)


def _log_pane(screen: HandlerScreen) -> str:
    """Return the pane of the log that the run writes: a delegated one writes the lane's."""
    shown = screen.picture()
    row = row_of_session(shown.view, screen.board.looked_at)
    return "lane-log" if row is None or is_on_lane(row) else "session-log"


def _triage(screen: HandlerScreen) -> None:
    if screen.board.selected is None:
        screen.notify("no session is selected", severity="warning", markup=False)
        return
    screen.board.triage_choice.ask()
    screen.redraw()


def _go_to_alarm(screen: HandlerScreen) -> None:
    """Lead to the gravest alarm: a run's triage, the links, or the explanation."""
    worst = worst_alarm(screen.lane.live.view)
    if worst is None:
        screen.notify("no alarm is on", markup=False)
    elif worst.key.subject == f"{OF_NO_SESSION}{GATEWAY_LOST}":
        screen.action_pane("links")
    elif worst.key.subject.startswith(OF_NO_SESSION):
        _explain(screen)
    elif _select(screen, worst.key.subject):
        screen.action_pane("runs")
        _triage(screen)
    else:
        name = f"{worst.key.kind} {short_id(worst.key.subject)}"
        key = key_of(screen.lane.live.state.watch, "freeze")
        told = f"{name} is not in this picture: {key} goes on with what is so now"
        screen.notify(told, markup=False)


def _select(screen: HandlerScreen, session_id: str) -> bool:
    """Put the cursor of the runs on a session, also one that a filter hides."""
    runs = screen.board.runs.list
    if not runs.select(session_id):
        screen.find(runs, "")
    return runs.select(session_id)


def _read_tokens(screen: HandlerScreen) -> None:
    screen.lane.commands.read_tokens()
    screen.notify("reading the tokens again; what was refused is tried at once", markup=False)


def _poll_faster(screen: HandlerScreen) -> None:
    _poll(screen, -1)


def _poll_slower(screen: HandlerScreen) -> None:
    _poll(screen, 1)


def _poll(screen: HandlerScreen, step: int) -> None:
    factor = screen.lane.commands.change_poll_rate(step)
    metrics_s = screen.lane.live.state.watch.intervals[Source.METRICS] * factor
    screen.notify(f"metrics every {metrics_s:g} s, the others in proportion", markup=False)


HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "record": _record,
        "record-now": _record_now,
        "explain": _explain,
        "evidence": _evidence,
        "audit": _audit,
        "hand-over": _hand_over,
        "window": _window,
        "waive": _waive,
        "waiting": _waiting,
        "acknowledge": _acknowledge,
        "cancel": _cancel,
        "cancel-all": _cancel_all,
        "probe": _probe,
        "restart": _restart,
        "brake": _change(FORCE_FALLBACK),
        "release": _change(RELEASE),
        "shadow-on": _change(Change(Switch.SHADOW, on=True)),
        "shadow-off": _change(Change(Switch.SHADOW, on=False)),
        "lane-on": _change(Change(Switch.LANE, on=True)),
        "lane-off": _change(Change(Switch.LANE, on=False)),
        "help": _help,
        "find": _find,
        "copy": _copy,
        "next-error": _next_error,
        "triage": _triage,
        "alarm": _go_to_alarm,
        "read-tokens": _read_tokens,
        "poll-faster": _poll_faster,
        "poll-slower": _poll_slower,
    }
)
"""By the id of their action."""
