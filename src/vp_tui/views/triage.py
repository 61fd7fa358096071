"""State + now -> one run looked at closely, and the course of its turn: a line for each thing.

Shared by screen and incident summary. What is not known is said to be unknown; what is believed is
said to be a belief, and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.models import Source
from vp_tui.domain.runs.levels import Level, began_at, either, waiting_behind
from vp_tui.domain.runs.turns import BOOTSTRAP, DELEGATED, FALLBACKS, MARKS_LIMIT, SHADOW
from vp_tui.domain.text import age, counted, fold, short_id
from vp_tui.state.state import GROWTH_LIMIT
from vp_tui.views.sources import log_view, source_view
from vp_tui.views.stuck_runs import cancels_of, next_step, row_of_session, what_it_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.runs.cancels import Cancel
    from vp_tui.domain.runs.turns import Mark, ToolCall
    from vp_tui.state.state import LogTail
    from vp_tui.views.runs import RunRow
    from vp_tui.views.view import View


MISSION_DIGITS: Final = 6
"""Last characters of a mission's id, which tell it apart."""
TOOLS_SHOWN: Final = 3
"""Open tool calls that are told one by one, the newest."""
_BEGINNINGS: Final = DELEGATED | {BOOTSTRAP, SHADOW, "processing"}
_CANCELS: Final = frozenset({"turn_cancelled", "cancelled"})
_QUESTIONS: Final = frozenset({"input_required", "auth_required"})
_BAD: Final = FALLBACKS | _QUESTIONS | {"error"}


class Moment(NamedTuple):
    """One thing that happened in a turn."""

    at: float | None
    """On the monotonic clock; None where nobody saw when."""
    text: str
    is_bad: bool = False


def course(row: RunRow, now: float) -> tuple[Moment, ...]:
    """Return the course of the turn under way, else of the last one: oldest first.

    What goes on comes last: the open tool calls, and the silence.
    """
    run, turn = row.run, row.turn
    is_unseen = not turn.marks and not turn.tool_calls and turn.started_at is None
    if run.is_open and (is_unseen or turn.ended_at is not None):
        return (Moment(run.running_since, "counted as running; none of its frames was heard yet"),)
    if is_unseen:
        return (Moment(None, "no turn was seen"),)
    told = sorted(_happened(row), key=lambda moment: moment.at or 0.0)
    is_begun = turn.marks and turn.marks[0].kind in _BEGINNINGS
    begun = () if is_begun else (Moment(None, "its beginning was not seen"),)
    return (*begun, *told, *_going_on(row, now))


def _happened(row: RunRow) -> Iterator[Moment]:
    """Yield what is over, in no order."""
    turn = row.turn
    for mark in turn.marks:
        yield Moment(mark.at, _said(mark, row), is_bad=mark.kind in _BAD)
    if len(turn.marks) == MARKS_LIMIT:
        yield Moment(turn.marks[-1].at, "(some in the middle are left out)")
    if (result := turn.tool_result) is not None:
        tool = "" if result.tool is None else f" of {fold(result.tool)}"
        yield Moment(result.at, f"tool_result{tool}: {fold(result.text)}")
    hit, is_told = row.run.pending, any(mark.kind in _CANCELS for mark in turn.marks)
    if hit is not None and not is_told:
        yield Moment(hit.at, "cancelled, its turn has not ended")
    if turn.ended_at is not None:
        is_done = row.run.completed_at == turn.ended_at and not turn.cancelled
        word = "done" if is_done else "cancelled" if turn.cancelled else "ended"
        yield Moment(turn.ended_at, f"turn {word}")


def _said(mark: Mark, row: RunRow) -> str:
    text = fold(mark.text)
    if mark.kind in DELEGATED:
        mission_id = row.turn.mission_id
        named = short_mission(mission_id) if mission_id else "not named"
        return f"delegated, mission {named} (live frame: certain)"
    if mark.kind in FALLBACKS:
        return f"FELL BACK: {text}"
    if mark.kind in _CANCELS:
        return "cancelled"
    if mark.kind in _QUESTIONS:
        return f'asks "{text}"'
    return f'processing "{text}"' if mark.kind == "processing" else f"{mark.kind}: {text}"


def _going_on(row: RunRow, now: float) -> Iterator[Moment]:
    """Yield the open tool calls, where a silent run most often hangs; else what was last heard."""
    run, calls = row.run, row.turn.open_tools
    for call in calls[-TOOLS_SHOWN:]:
        yield Moment(call.at, _open(call, row, now), is_bad=row.is_alarm)
    if len(calls) > TOOLS_SHOWN:
        yield Moment(None, f"and {len(calls) - TOOLS_SHOWN} older tool calls without a result")
    if run.is_open and not calls and run.progress_at is not None:
        kind = f" ({run.last_kind})" if run.last_kind else ""
        yield Moment(run.progress_at, f"last sign{kind}, nothing for {age(now - run.progress_at)}")


def _open(call: ToolCall, row: RunRow, now: float) -> str:
    number = row.turn.tool_calls
    counted = f" ({number} calls so far)" if number > 1 and call is row.turn.open_tools[-1] else ""
    return f"tool_call {fold(call.text)}, no tool_result for {age(now - call.at)}{counted}"


def short_mission(mission_id: str) -> str:
    """Return what tells a mission apart at a glance."""
    return mission_id[-MISSION_DIGITS:]


class Triage(NamedTuple):
    """One run looked at closely."""

    row: RunRow
    course: tuple[Moment, ...]
    logs: tuple[str, ...]
    """Its own log first, where that is known."""
    log_id: str
    """The log that is the run's, as far as is known."""
    mission: str
    queue: str
    """Who waits behind it, or behind whom it waits."""
    viewers: str
    lane: str
    blocks: str
    cancel: Cancel | None
    """The newest cancel of the session that is not over."""
    next_step: str


def triage(view: View, session_id: str) -> Triage | None:
    """Return the session's run looked at closely, None when it is not listed."""
    row = row_of_session(view, session_id)
    if row is None:
        return None
    return Triage(
        row=row,
        course=course(row, view.now),
        logs=_logs(view, row),
        log_id=view.state.lane_log_id if is_on_lane(row) else session_id,
        mission=_mission(view, row),
        queue=_queue(view, row),
        viewers=_viewers(view, row),
        lane=_lane(view),
        blocks=what_it_blocks(view, row),
        cancel=next((c for c in cancels_of(view, session_id) if not c.is_over), None),
        next_step=next_step(view, row),
    )


def is_on_lane(row: RunRow) -> bool:
    """Tell whether the run is known, or believed, to be the one that the lane works for."""
    return row.level.owns_lane or (row.run.is_open and row.turn.is_on_lane)


def _logs(view: View, row: RunRow) -> tuple[str, ...]:
    since = _since(row)
    lane = f"lane log {_growth(view, view.state.lane_log_id, since)}"
    own = f"session log {_growth(view, row.session.session_id, since)}"
    if is_on_lane(row):
        why = "a delegated run logs to the lane"
        if not row.turn.is_on_lane:
            why = "if delegated, it logs to the lane"
        return lane, f"{own} ({why})"
    if row.level.level is Level.QUEUED:
        return own, f"{lane} (not this run's: it waits)"
    if row.run.is_open and row.turn.query is None and row.turn.routing is None:
        return lane, f"{own} (which of them is its own is unknown)"
    return own, f"{lane} (not this run's)"


def _since(row: RunRow) -> float | None:
    """Return since when the growth of a log matters: its silence, its cancel, else its turn."""
    if row.level.level in {Level.STUCK, Level.QUIET, Level.DEAF, Level.ORPHAN, Level.LOST}:
        return row.level.since
    return began_at(row.run)


def _growth(view: View, log_id: str, since: float | None) -> str:
    log, source = view.state.logs.get(log_id), log_view(view, log_id)
    if log is None:
        return f"unknown: {source.failure.reason}" if source.failure else "not read yet"
    if not log.lines and not log.size:
        return "none"
    old = "" if source.is_current else f" ({source.word})"
    return f"{_lines_since(log, since, view.now)}{old}"


def _lines_since(log: LogTail, since: float | None, now: float) -> str:
    """Return how many lines came, no further back than the log was watched."""
    begun = log.read_since or 0.0
    start = begun if since is None else max(since, begun)
    lines = sum(each.lines for each in log.growth if each.at > start)
    is_all = len(log.growth) < GROWTH_LIMIT or log.growth[0].at <= start
    before = " (before: unknown)" if since is not None and since < begun else ""
    grown = counted(lines, "line") if is_all else f"{lines} or more lines"
    return f"+{grown} in {age(now - start)}{before}"


def _mission(view: View, row: RunRow) -> str:
    belief = row.mission
    if belief.mission_id is None:
        unknown = belief.why.startswith("unknown")
        return f"mission {belief.why}" if unknown else f"mission none: {belief.why}"
    entry = view.state.ledger.entries.get(belief.mission_id)
    status = f" reads {entry.mission.status}" if entry else " is in no answer yet"
    sure = "" if belief.is_certain else "?"
    return f"mission {short_mission(belief.mission_id)}{sure}{status} ({belief.why})"


def _queue(view: View, row: RunRow) -> str:
    level = row.level
    guess = " (a guess)" if level.is_guess else ""
    if level.level is None and not level.is_unjudged:
        return "who waits is unknown"
    if level.level is Level.QUEUED:
        is_stuck = ", which hangs" if level.is_blocker_stuck else ""
        return f"waits behind {level.behind(short_id)}{is_stuck}{guess}"
    if level.rivals:
        wait = waiting_behind(len(level.waiting))
        return f"the lock is held by {either(level.rivals, short_id)}{guess}; {wait}"
    if level.waiting:
        names = ", ".join(short_id(session_id) for session_id in level.waiting)
        return f"{waiting_behind(len(level.waiting))}{guess}: {names}"
    if view.state.dialect is None:
        return "who waits is unknown"
    return waiting_behind(0)


def _viewers(view: View, row: RunRow) -> str:
    listing = source_view(view, Source.SESSIONS)
    if not listing.is_current:
        return f"other viewers unknown (list {listing.word})"
    number = row.other_viewers
    return counted(number, "other viewer") if number else "no other viewer"


def _lane(view: View) -> str:
    """Say what the metrics tell of the lane's own session."""
    if view.state.snapshot is None:
        return "lane session unknown"
    source = source_view(view, Source.METRICS)
    old = "" if source.is_current else f" ({source.word})"
    lane = view.state.snapshot.lane
    if lane is None:
        return f"lane session none: nothing was ever delegated{old}"
    error = lane.stale_reason or lane.last_error
    return f"lane session {lane.status}{f': {error}' if error else ''}{old}"
