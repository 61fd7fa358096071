"""What the keys do that need a part of the screen which the first frame does without.

Each handler takes the board of the watch screen as it is when its key is hit; the screens that lie
over it are loaded then.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vp_tui.domain.lane.switches import FORCE_FALLBACK, RELEASE, Change, Switch
from vp_tui.domain.models import Source
from vp_tui.domain.runs.alarms import OF_NO_SESSION
from vp_tui.domain.text import counted, short_id
from vp_tui.ui.kit.listing import FindBar, tell_found
from vp_tui.ui.watch import open_dialogs as dialogs
from vp_tui.ui.watch.logs import LogList
from vp_tui.views.actions import key_of
from vp_tui.views.handover import incident_text
from vp_tui.views.lookout import GATEWAY_LOST, badge, worst_alarm
from vp_tui.views.stuck_runs import row_of_session
from vp_tui.views.triage import is_on_lane
from vp_tui.worker.commands import POLL_FACTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vp_tui.ui.watch.board import Board


COPIED: Final = "sent to the terminal's clipboard; in tmux this needs `set-clipboard on`"


def _read(name: str, board: Board) -> None:
    """Show a text: the help, the explanation, or the whole line under the cursor."""
    from vp_tui.ui.screens.texts import ExplainScreen, HelpScreen, LineScreen  # noqa: PLC0415 - loaded when it is asked for

    live, lines = board.lane.live, board.focused_list
    if name == "help":
        board.app.push_screen(HelpScreen(live))
    elif name == "explain":
        board.app.push_screen(ExplainScreen(live, board.picture))
    elif text := lines.cursor_text:
        board.app.push_screen(LineScreen(live, board.picture, lines.row_word, text))


def _evidence(board: Board) -> None:
    from vp_tui.ui.screens.evidence import EvidenceScreen  # noqa: PLC0415 - loaded when it is asked for

    board.app.push_screen(EvidenceScreen(board.lane.live, board.picture))


def _audit(board: Board) -> None:
    from vp_tui.ui.screens.audit import AuditScreen  # noqa: PLC0415 - loaded when it is asked for

    board.app.push_screen(AuditScreen(board.lane.live, board.picture))


def _acknowledge(board: Board) -> None:
    seen = board.lane.commands.acknowledge()
    board.notify(f"{counted(seen, 'alarm')} seen" if seen else "no alarm is unseen", markup=False)


def _find(board: Board) -> None:
    if not board.screen.query(FindBar):
        board.screen.mount(FindBar(board.focused_list, board.found[board.focused_name]))


def _copy(board: Board) -> None:
    """Copy the line under the cursor; of a run, its summary for the incident channel."""
    if board.focused_name != "runs":
        _copied(board, "", board.focused_list.cursor_text)
    elif board.runs.list.meant[1:]:
        dialogs.when_meant(board, _copy_run)
    else:
        _copy_run(board, board.looked_at)


def _copy_run(board: Board, session_id: str | None) -> None:
    if session_id is not None:
        # What others are told is what is so now, also while the picture is frozen.
        text = incident_text(board.lane.live.view, session_id)
        _copied(board, f"summary of {short_id(session_id)}", text)


def _copied(board: Board, title: str, text: str) -> None:
    if text:
        board.app.copy_to_clipboard(text)
        board.notify(COPIED, title=title, markup=False)


def _next_error(board: Board) -> None:
    """Go to the next error of the log that has the focus, else of the one that the run writes."""
    log = board.focused_list
    if isinstance(log, LogList):
        _go_to_error(board, log)
        return
    row = row_of_session(board.picture().view, board.looked_at)
    # A delegated run writes the lane's log.
    panes = board.lower_panes
    pane = panes.lane_log if row is None or is_on_lane(row) else panes.session_log
    board.go_to(pane.pane)
    board.call_after_refresh(_go_to_error, board, pane.list)


def _go_to_error(board: Board, log: LogList) -> None:
    tell_found(board.screen, log.go_to_error())


def _match(step: int, board: Board) -> None:
    log = board.focused_list
    if isinstance(log, LogList):
        tell_found(board.screen, log.go_to_match(step))


def _wrap(board: Board) -> None:
    log = board.focused_list
    if isinstance(log, LogList):
        log.wrap()
        board.redraw()
    else:
        board.notify("only a log can be wrapped", severity="warning", markup=False)


def _look_closer(board: Board) -> None:
    """Show the whole line under the cursor; of a run, its triage."""
    if board.focused_name == "runs":
        dialogs.when_meant(board, _triage)
    else:
        _read("line", board)


def _triage(board: Board, session_id: str | None) -> None:
    if session_id is None:
        board.notify("no session is selected", severity="warning", markup=False)
        return
    _select(board, session_id)
    board.triage_choice.is_asked = True
    board.redraw()


def _go_to_alarm(board: Board) -> None:
    """Lead to the gravest alarm, else to what the badge says: a run, the links, the explanation."""
    view = board.lane.live.view
    worst = worst_alarm(view)
    if worst is None and badge(view, frozen=False) == "LIVE":
        board.notify("no alarm is on, and the badge is LIVE", markup=False)
    elif worst is None or worst.key.subject == f"{OF_NO_SESSION}{GATEWAY_LOST}":
        board.go_to("links")
    elif worst.key.subject.startswith(OF_NO_SESSION):
        _read("explain", board)
    elif _select(board, worst.key.subject):
        board.go_to("runs")
        _triage(board, worst.key.subject)
    else:
        name = f"{worst.key.kind} {short_id(worst.key.subject)}"
        key = key_of(board.lane.live.state.watch, "freeze")
        told = f"[{key}] goes on with what is so now: {name} is not in this picture"
        board.notify(told, markup=False)


def _select(board: Board, session_id: str) -> bool:
    """Put the cursor of the runs on a session, also one that a filter hides."""
    runs = board.runs.list
    if not runs.select(session_id):
        board.find(runs, "")
    return runs.select(session_id)


def _read_tokens(board: Board) -> None:
    board.lane.commands.read_tokens()
    board.notify("reading the tokens again; what was refused is tried at once", markup=False)


def _poll(step: int, board: Board) -> None:
    before = board.lane.live.state.poll_factor
    factor = board.lane.commands.change_poll_rate(step)
    every = f"{board.lane.live.state.watch.intervals[Source.METRICS] * factor:g} s"
    if factor == before:
        told = f"already as {'slow' if step > 0 else 'fast'} as it polls: metrics every {every}"
    else:
        told = f"metrics every {every}, the others in proportion"
        if factor in {POLL_FACTORS[0], POLL_FACTORS[-1]}:
            told += f": {'slower' if step > 0 else 'faster'} it does not poll"
    board.notify(told, markup=False)


HANDLERS: Final[Mapping[str, Callable[[Board], object]]] = MappingProxyType(
    {
        "record": dialogs.record,
        "record-now": lambda board: board.run_worker(dialogs.record_now(board)),
        "explain": partial(_read, "explain"),
        "evidence": _evidence,
        "audit": _audit,
        "hand-over": lambda board: board.run_worker(dialogs.hand_over(board)),
        "window": dialogs.window,
        "waive": dialogs.waive,
        "waiting": lambda board: board.run_worker(dialogs.offer_waiting(board, asked=True)),
        "acknowledge": _acknowledge,
        "cancel": dialogs.cancel,
        "cancel-all": dialogs.cancel_all,
        "probe": dialogs.probe,
        "restart": dialogs.restart,
        "brake": partial(dialogs.change_switch, FORCE_FALLBACK),
        "release": partial(dialogs.change_switch, RELEASE),
        "shadow-on": partial(dialogs.change_switch, Change(Switch.SHADOW, on=True)),
        "shadow-off": partial(dialogs.change_switch, Change(Switch.SHADOW, on=False)),
        "lane-on": partial(dialogs.change_switch, Change(Switch.LANE, on=True)),
        "lane-off": partial(dialogs.change_switch, Change(Switch.LANE, on=False)),
        "help": partial(_read, "help"),
        "find": _find,
        "copy": _copy,
        "next-error": _next_error,
        "triage": _look_closer,
        "wrap": _wrap,
        "next-match": partial(_match, 1),
        "previous-match": partial(_match, -1),
        "alarm": _go_to_alarm,
        "read-tokens": _read_tokens,
        "poll-faster": partial(_poll, -1),
        "poll-slower": partial(_poll, 1),
    }
)
"""By the id of their action."""
