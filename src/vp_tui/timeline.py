"""State + now -> how a run's turn went: a line for each thing that tells it, with its time.

Shared by the triage on the screen and the summary for the incident channel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vp_tui.domain.durations import age
from vp_tui.domain.routing import BOOTSTRAP, DELEGATED, FALLBACKS, SHADOW
from vp_tui.domain.text import fold
from vp_tui.domain.turns import MARKS_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vp_tui.domain.turns import Mark, ToolCall
    from vp_tui.fleet import RunRow

MISSION_DIGITS: Final = 6
"""Last characters of a mission's id, which tell it apart."""
TOOLS_SHOWN: Final = 3
"""Open tool calls that are told one by one, the newest."""
_BEGINNINGS: Final = DELEGATED | {BOOTSTRAP, SHADOW, "processing"}
_CANCELS: Final = frozenset({"turn_cancelled", "cancelled"})
_QUESTIONS: Final = frozenset({"input_required", "auth_required"})


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
    if run.is_open and turn.ended_at is not None:
        return tuple(_unheard(row))
    if not turn.marks and not turn.tool_calls and turn.started_at is None:
        return tuple(_unheard(row) if run.is_open else (Moment(None, "no turn was seen"),))
    told = [*_marks(row), *_result(row), *_cancel(row), *_end(row)]
    told.sort(key=lambda moment: moment.at or 0.0)
    return (*_beginning(row), *told, *_tools(row, now), *_silence(row, now))


def _unheard(row: RunRow) -> Iterator[Moment]:
    yield Moment(row.run.running_since, "counted as running; none of its frames was heard yet")


def _beginning(row: RunRow) -> Iterator[Moment]:
    marks = row.turn.marks
    if not marks or marks[0].kind not in _BEGINNINGS:
        yield Moment(None, "its beginning was not seen")


def _marks(row: RunRow) -> Iterator[Moment]:
    marks = row.turn.marks
    for mark in marks:
        yield Moment(mark.at, _said(mark, row), is_bad=_is_bad(mark))
    if len(marks) == MARKS_LIMIT:
        yield Moment(marks[-1].at, "(some in the middle are left out)")


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


def _is_bad(mark: Mark) -> bool:
    return mark.kind in FALLBACKS or mark.kind in _QUESTIONS or mark.kind == "error"


def _result(row: RunRow) -> Iterator[Moment]:
    result = row.turn.tool_result
    if result is not None:
        tool = "" if result.tool is None else f" of {fold(result.tool)}"
        yield Moment(result.at, f"tool_result{tool}: {fold(result.text)}")


def _cancel(row: RunRow) -> Iterator[Moment]:
    """Tell of a cancel that no frame told of."""
    hit = row.run.pending
    if hit is not None and not any(mark.kind in _CANCELS for mark in row.turn.marks):
        yield Moment(hit.at, "cancelled, its turn has not ended")


def _end(row: RunRow) -> Iterator[Moment]:
    turn = row.turn
    if turn.ended_at is not None:
        is_done = row.run.completed_at == turn.ended_at and not turn.cancelled
        word = "done" if is_done else "cancelled" if turn.cancelled else "ended"
        yield Moment(turn.ended_at, f"turn {word}")


def _tools(row: RunRow, now: float) -> Iterator[Moment]:
    """Tell the open tool calls: where a silent run most often hangs."""
    calls = row.turn.open_tools
    for call in calls[-TOOLS_SHOWN:]:
        yield Moment(call.at, _open(call, row, now), is_bad=row.is_alarm)
    if len(calls) > TOOLS_SHOWN:
        yield Moment(None, f"and {len(calls) - TOOLS_SHOWN} older tool calls without a result")


def _open(call: ToolCall, row: RunRow, now: float) -> str:
    number = row.turn.tool_calls
    counted = f" ({number} calls so far)" if number > 1 and call is row.turn.open_tools[-1] else ""
    return f"tool_call {fold(call.text)}, no tool_result for {age(now - call.at)}{counted}"


def _silence(row: RunRow, now: float) -> Iterator[Moment]:
    """Tell what was last heard of a run under way that is in no tool."""
    run = row.run
    if run.is_open and not row.turn.open_tools and run.progress_at is not None:
        kind = f" ({run.last_kind})" if run.last_kind else ""
        yield Moment(run.progress_at, f"last sign{kind}, nothing for {age(now - run.progress_at)}")


def short_mission(mission_id: str) -> str:
    """Return what tells a mission apart at a glance."""
    return mission_id[-MISSION_DIGITS:]
